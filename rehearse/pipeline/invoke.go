package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/rehearsal"
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
	if len(a.Inputs)+len(a.Outputs) > 0 {
		i.Problem("%s: its function has input or output artifacts (%s), which cannot be rehearsed", what, strings.Join(slices.Concat(a.Inputs, a.Outputs), ", "))
	}
	a.Clears = distributionOf(a.Configuration)
	return invocation{i.functions.named(what, a.Configuration["FunctionName"])}
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

// run invokes the function by CodePipeline's job protocol.
func (in invocation) run(ctx context.Context, j *job) (done outcome, err error) {
	f := in.function
	if err := j.allow("lambda:InvokeFunction", f.ARN); err != nil {
		return done, err
	}
	id := distributionOf(j.Configuration)
	if id != "" && j.cloud.Invalidations(id) == nil {
		j.addDistribution(id, f)
	}
	before := len(j.cloud.Invalidations(id))
	runtime, stop, err := j.startFunction(f)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if done, err = j.invoke(ctx, f, runtime); err != nil || id == "" {
		return done, err
	}
	done.invalidated, done.cleared = id, j.cleared(id, before)
	if !done.cleared {
		done.summary += butNotClear([]string{id})
		j.record.Warn("no invalidation of the distribution %s is completed: its readers may get old pages, and the pipeline goes on, as the action is set up", id)
	}
	return done, nil
}

// invoke gives the function a job, and more of them as long as it returns continuation tokens.
func (j *job) invoke(ctx context.Context, f *Function, runtime *lambdaruntime.Runtime) (done outcome, err error) {
	job, err := j.cloud.StartAction(fakeaws.Action{FunctionName: f.Name, UserParameters: j.Configuration["UserParameters"]})
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
