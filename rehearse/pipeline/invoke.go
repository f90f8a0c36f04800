package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/rehearse/s3"
)

const (
	// replyLimit limits the time that CodePipeline waits for a function's report, from each invocation.
	// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
	replyLimit = 20 * time.Minute
	// betweenJobs stands for the time before CodePipeline invokes a function again that has returned a continuation
	// token. AWS publishes no figure.
	betweenJobs = 5 * time.Second
	// actionLimit limits the time for which a function can go on with continuation tokens.
	actionLimit = 24 * time.Hour
)

// invocation is an action that invokes a Lambda function.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
type invocation struct{ function *Function }

func readInvocation(i *inspection, what string, a *Action) kind {
	if len(a.Outputs) > 0 {
		i.Problem("%s: its function has output artifacts (%s), which cannot be rehearsed", what, strings.Join(a.Outputs, ", "))
	}
	if len(a.Inputs) > 1 {
		i.Problem("%s: its function has %d input artifacts (%s), want at most one", what, len(a.Inputs), strings.Join(a.Inputs, ", "))
	}
	a.Clears = distributionOf(a.Configuration)
	f := i.functions.named(what, a.Configuration["FunctionName"])
	if f != nil {
		a.Remembers = f.Env[contract.EnvReleases]
		if len(a.Inputs) > 0 {
			a.Publishes = f.Env[contract.EnvSiteBucket]
		}
	}
	return invocation{f}
}

// distributionOf returns the distribution in an action's UserParameters; "" for none.
func distributionOf(configuration map[string]string) string {
	var parameters contract.UserParameters
	_ = json.Unmarshal([]byte(configuration["UserParameters"]), &parameters) // Another function has parameters of its own.
	return parameters.ID
}

func (invocation) target(configuration map[string]string) string {
	return configuration["FunctionName"]
}

// run invokes the function by CodePipeline's job protocol. Readers visit what it publishes before, meanwhile and after.
func (in invocation) run(ctx context.Context, j *job) (done outcome, err error) {
	input, err := in.pass(ctx, j)
	if err != nil {
		return done, err
	}
	if j.Publishes == "" {
		return in.clear(ctx, j, input)
	}
	p, err := j.publication(ctx, rehearsal.Site{Bucket: j.Publishes, Function: true}, in.function.Env[contract.EnvKeyPrefix], j.input[j.Inputs[0]].zip)
	if err != nil {
		return done, err
	}
	return p.byFunction(ctx, func() (outcome, error) { return in.call(ctx, j, input) })
}

// pass passes the function its input, if the action may call it.
func (in invocation) pass(ctx context.Context, j *job) (input fakeaws.Artifact, err error) {
	if err := j.allow("lambda:InvokeFunction", in.function.ARN); err != nil {
		return input, err
	}
	return j.passInput(ctx)
}

// passInput puts the action's input artifact, if it has one, where its function gets it.
func (j *job) passInput(ctx context.Context) (passed fakeaws.Artifact, err error) {
	if len(j.Inputs) == 0 {
		return passed, nil
	}
	artifact := j.input[j.Inputs[0]]
	if artifact.zip == "" {
		return passed, &rehearsal.Failure{Code: "InvalidActionConfiguration", Reason: "the artifact " + j.Inputs[0] + " is a clone of the repository, which only CodeBuild can use", Look: j.lookAtConfiguration()}
	}
	file, err := os.Open(artifact.zip)
	if err != nil {
		return passed, err
	}
	defer func() { _ = file.Close() }() // It was only read.
	object := s3.Object{Key: artifact.key, Size: sizeOf(artifact.zip), ContentType: "application/zip"}
	if err := j.s3.PutObject(ctx, artifact.bucket, object, file); err != nil {
		return passed, err
	}
	return fakeaws.Artifact{Name: j.Inputs[0], Bucket: artifact.bucket, Key: artifact.key}, nil
}

// clear calls a function that may clear a distribution.
func (in invocation) clear(ctx context.Context, j *job, input fakeaws.Artifact) (done outcome, err error) {
	id := distributionOf(j.Configuration)
	if id != "" && j.cloud.Invalidations(id) == nil {
		j.addDistribution(id, in.function)
	}
	before := len(j.cloud.Invalidations(id))
	if done, err = in.call(ctx, j, input); err != nil || id == "" {
		return done, err
	}
	// A function that remembers what was published makes no invalidation where nothing has changed.
	nothing := j.Remembers != "" && len(j.cloud.Invalidations(id)) == before
	done.invalidated, done.cleared = id, nothing || j.cleared(id, before)
	if !done.cleared {
		done.summary += butNotClear([]string{id})
		j.record.Warn("no invalidation of the distribution %s is completed: its readers may get old pages, and the pipeline goes on, as the action is set up", id)
	}
	return done, nil
}

// call starts the function, and gives it the action's job.
func (in invocation) call(ctx context.Context, j *job, input fakeaws.Artifact) (done outcome, err error) {
	runtime, stop, err := j.startFunction(in.function)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	return j.invoke(ctx, in.function, runtime, input)
}

// invoke gives the function a job, and more of them as long as it returns continuation tokens.
func (j *job) invoke(ctx context.Context, f *Function, runtime *lambdaruntime.Runtime, input fakeaws.Artifact) (done outcome, err error) {
	job, err := j.cloud.StartAction(fakeaws.Action{FunctionName: f.Name, UserParameters: j.Configuration["UserParameters"], Input: input})
	if err != nil {
		return done, &rehearsal.Failure{Code: "InvalidActionConfiguration", Reason: err.Error(), Look: j.lookAtConfiguration()}
	}
	for started := j.clock.Now(); ; {
		invokedAt := j.clock.Now()
		attempts := runtime.InvokeAsync(ctx, job.Event())
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		for _, attempt := range attempts {
			done.work += attempt.Duration + attempt.InitDuration
		}
		reports := job.Reports()
		if len(reports) == 0 {
			j.clock.Skip(replyLimit - j.clock.Now().Sub(invokedAt))
			return done, noReport(f, attempts)
		}
		report := reports[0]
		if !report.Success {
			return done, &rehearsal.Failure{Code: report.FailureType, Reason: report.FailureMessage, Look: whereToLook(f, report)}
		}
		done.summary = report.Summary
		next := job.Next()
		if next == nil {
			done.variables = report.OutputVariables
			return done, nil
		}
		j.record.Tell(j.event(rehearsal.Progressed, report.Summary))
		if j.clock.Now().Sub(started) > actionLimit {
			return done, &rehearsal.Failure{Code: "JobFailed", Reason: "The action failed because it did not complete within 24 hours", Look: "the function " + f.ID}
		}
		j.clock.Skip(betweenJobs)
		job = next
	}
}

// whereToLook names where to look for the reason of a failure that a function has reported.
func whereToLook(f *Function, report fakeaws.Report) string {
	look := f.lookAtLog()
	if allowed := contract.VariableAllowDeletions + "=" + contract.AllowDeletionsYes; strings.Contains(report.FailureMessage, allowed) {
		return "what the build lacks, or allow it once: in a rehearsal with VARIABLES=" + allowed
	}
	if report.FailureType != "PermissionError" {
		return look
	}
	for _, role := range []*iam.Role{f.Assumes, f.Role} {
		if role != nil {
			look = role.WhereToLook() + "; " + look
		}
	}
	return look
}

// noReport returns the failure of a job about which the function reported nothing.
func noReport(f *Function, attempts []lambdaruntime.Result) error {
	return &rehearsal.Failure{
		Code: "JobFailed",
		Reason: fmt.Sprintf("The AWS Lambda function %s failed to return a result. Check the function to verify that it has permission to call the PutJobSuccessResult action and that it made a call to PutJobSuccessResult.",
			f.Name),
		Look: f.lookAtEnd(attempts) + "; on AWS its log group is " + f.LogGroup,
	}
}
