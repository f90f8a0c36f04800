package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/rehearse/codebuild"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/s3"
)

// source makes the source artifact of the owner's checkout.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
func (r *rehearsal) source(ctx context.Context, a *Action, configuration map[string]string) (outcome, error) {
	connection := configuration["ConnectionArn"]
	if connection != "" {
		if err := r.as(a.Role, useConnection(connection), connection); err != nil {
			return outcome{}, err
		}
	}
	out := r.newArtifact(a.Outputs[0])
	if err := r.checkout.explain(ctx, r.WorkingTree, r.warn); err != nil {
		return outcome{}, err
	}
	var summary string
	if configuration["OutputArtifactFormat"] == "CODEBUILD_CLONE_REF" {
		out.zip, out.clone = "", filepath.Join(r.dir, "clone-"+a.Outputs[0])
		cloned := r.watch(a, "", "cloning the repository", nil)
		err := r.checkout.clone(ctx, r.WorkingTree, out.clone, r.warn)
		cloned()
		if err != nil {
			return outcome{}, err
		}
		summary = "a clone"
	} else {
		packed := r.watch(a, "", "packing the source", func() int64 { return sizeOf(out.zip) })
		err := r.checkout.pack(ctx, r.WorkingTree, out.zip, r.warn)
		packed()
		if err != nil {
			return outcome{}, err
		}
		if size := sizeOf(out.zip); size > sourceLimit {
			r.warn("the source is a zip file of %s, and CodePipeline takes 1 GB at most from GitHub; with FullClone the build clones the repository instead", Size(size))
		}
		files, size, err := zipSize(out.zip)
		if err != nil {
			return outcome{}, err
		}
		summary = fmt.Sprintf("%s, %s", Count(files, "file"), Size(size))
	}
	if err := r.as(a.Role, "s3:PutObject", r.object(out)); err != nil {
		return outcome{}, err
	}
	r.artifacts[a.Outputs[0]] = out
	if commit := r.checkout.commit; commit != "" && !r.WorkingTree {
		subject, _, _ := strings.Cut(r.checkout.message, "\n")
		summary += fmt.Sprintf(", commit %.7s: %s", commit, subject)
	} else {
		summary += ", as on disk"
	}
	branch := cmp.Or(configuration["BranchName"], configuration["Branch"])
	repository := cmp.Or(configuration["FullRepositoryId"], configuration["Owner"]+"/"+configuration["Repo"])
	variables := map[string]string{
		"AuthorDate": r.checkout.date, "BranchName": branch, "CommitId": r.checkout.commit, "CommitMessage": r.checkout.message,
	}
	if connection != "" {
		variables["ConnectionArn"], variables["FullRepositoryName"], variables["AuthorDisplayName"] = connection, repository, r.checkout.author
	} else {
		variables["RepositoryName"], variables["CommitterDate"] = configuration["Repo"], r.checkout.date
		variables["CommitUrl"] = "https://github.com/" + repository + "/commit/" + r.checkout.commit
	}
	return outcome{summary: summary, variables: variables}, nil
}

// useConnection is the permission for a connection: its ARN tells which of the two names AWS checks.
func useConnection(arn string) string {
	if strings.Contains(arn, ":codestar-connections:") {
		return "codestar-connections:UseConnection"
	}
	return "codeconnections:UseConnection"
}

// build runs a project's buildspec on this machine.
func (r *rehearsal) build(ctx context.Context, a *Action, configuration map[string]string) (outcome, error) {
	project, t := a.Project, r.plan.Template
	for _, action := range []string{"codebuild:StartBuild", "codebuild:BatchGetBuilds"} {
		if err := r.as(a.Role, action, project.ARN); err != nil {
			return outcome{}, err
		}
	}
	input := r.artifacts[a.Inputs[0]]
	if err := r.startBuild(project, input); err != nil {
		return outcome{}, err
	}

	src := input.clone
	if src == "" {
		src = filepath.Join(r.dir, "source-"+a.Stage+"-"+a.Name)
		unpacked := r.watch(a, codebuild.DownloadSource, "unpacking "+Size(sizeOf(input.zip)), nil)
		err := unzip(ctx, input.zip, src)
		unpacked()
		if err != nil {
			return outcome{}, err
		}
		defer func() { _ = os.RemoveAll(src) }() // Else the rehearsal's end removes it.
	}
	env, err := r.buildEnvironment(project, configuration)
	if err != nil {
		return outcome{}, err
	}
	spec, where, err := buildspecOf(project, src)
	if err != nil {
		return outcome{}, err
	}
	if r.Faults["build"] == "fail" {
		fail(spec)
	}
	hugo, err := r.hugo()
	if err != nil {
		return outcome{}, err
	}
	r.preparing("The build's commands come from %s, and from what they install. They run on this machine, as you, in a folder of their own; that is no sandbox", where)

	copied := sync.OnceFunc(r.watch(a, codebuild.DownloadSource, "copying the source to the build", nil))
	result, err := codebuild.Run(ctx, codebuild.Build{
		Spec: spec, Source: src, Dir: filepath.Join(r.dir, "build"), Artifacts: r.dir,
		Path: hugo.dir + string(filepath.ListSeparator) + r.Path, Env: env,
		Prepare: hugo.provide, PrepareFrom: []string{buildspec.EnvHugoVersion, buildspec.EnvHugoExtended},
		Project: project.Name, Account: t.Account, Region: t.Region, Image: project.Image,
		Initiator: "codepipeline/" + r.plan.Name, SourceVersion: r.checkout.commit, Timeout: project.Timeout,
		Output: func(l codebuild.Line) {
			copied() // The first line comes after it.
			r.warnOfBuild(l.Text)
			r.emit(Event{Kind: Output, Stage: a.Stage, Action: a.Name, Phase: l.Phase, Text: l.Text, Service: l.Agent})
		},
	})
	copied()
	var done outcome
	for _, phase := range result.Phases {
		if phase.Name != codebuild.DownloadSource && phase.Name != codebuild.UploadArtifacts {
			done.work += phase.Duration
		}
	}
	for _, note := range result.Notes {
		r.note("build: %s", note)
	}
	for _, warning := range result.Warnings {
		r.warn("build: %s", warning)
	}
	if err != nil {
		return done, err
	}
	if failed := result.Failure(); failed != nil {
		return done, buildFailure(result.Status, *failed, where)
	}
	files, size, err := r.keepBuilt(a, project, result)
	if err != nil {
		return done, err
	}
	done.summary = fmt.Sprintf("%s, %s", Count(files, "file"), Size(size))
	done.variables = result.Exported
	return done, nil
}

// warnOfBuild shows what the recipe's log says to an owner who reads it, and who does not read that of a
// green build.
func (r *rehearsal) warnOfBuild(line string) {
	if text, ok := strings.CutPrefix(line, buildspec.Warning); ok {
		r.warn("build: %s", text)
	}
	if strings.HasPrefix(line, buildspec.LeftOutFuture) {
		r.warn("build: %s", strings.TrimPrefix(line, "==> "))
	}
}

// startBuild is what CodeBuild does before the first phase, as far as it needs permissions.
func (r *rehearsal) startBuild(project *Project, input artifact) error {
	t := r.plan.Template
	role := project.Role
	r.account.use(role, "build project "+project.ID)
	if err := r.account.serve("CodeBuild", "codebuild.amazonaws.com", role); err != nil {
		return err
	}
	byProject := func(action, on string) error {
		return r.account.allow(call{role: role, session: "AWSCodeBuild-" + r.execution, action: action, on: on})
	}
	if project.WritesLogs {
		stream := fmt.Sprintf("arn:%s:logs:%s:%s:log-group:%s:log-stream:%s", t.Partition, t.Region, t.Account, project.LogGroup, r.execution)
		for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
			if err := byProject(action, stream); err != nil {
				return inPhase("PROVISIONING", "ACCESS_DENIED", "Service role "+role.ARN+" does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build "+project.Name+". Error message: ", err)
			}
		}
	}
	if err := byProject("s3:GetObject", r.object(input)); err != nil {
		return inPhase(codebuild.DownloadSource, "CLIENT_ERROR", "error while downloading the source artifact: ", err)
	}
	if input.clone != "" {
		for _, stage := range r.plan.Stages {
			for _, source := range stage.Actions {
				if arn := source.Configuration["ConnectionArn"]; arn != "" && r.artifacts[source.Outputs[0]].clone == input.clone {
					if err := byProject(useConnection(arn), arn); err != nil {
						return inPhase(codebuild.DownloadSource, "CLIENT_ERROR", "", err)
					}
				}
			}
		}
	}
	return nil
}

// inPhase words the denial of a call of CodeBuild's as CodePipeline shows it.
func inPhase(phase, code, message string, err error) error {
	denied := (*failure)(nil)
	if !errors.As(err, &denied) {
		return err
	}
	return &failure{Code: "JobFailed", Look: denied.Look, Reason: terminated(codebuild.Failed, phase, code, message+denied.Reason)}
}

// terminated is CodePipeline's sentence about a build that failed.
func terminated(status codebuild.Status, phase, code, message string) string {
	return fmt.Sprintf("Build terminated with state: %s. Phase: %s, Code: %s, Message: %s", status, phase, code, message)
}

// buildEnvironment is what the project, the action and this machine set.
func (r *rehearsal) buildEnvironment(project *Project, configuration map[string]string) (map[string]string, error) {
	env := maps.Clone(r.Env)
	if env == nil {
		env = map[string]string{}
	}
	maps.Copy(env, project.Env)
	for _, name := range slices.Sorted(maps.Keys(project.Secrets)) {
		return nil, fmt.Errorf("project %s: the variable %s comes from %q, which only AWS has: it cannot be rehearsed", project.Name, name, project.Secrets[name])
	}
	var added []struct{ Name, Value, Type string }
	if text := configuration["EnvironmentVariables"]; text != "" {
		if err := json.Unmarshal([]byte(text), &added); err != nil {
			return nil, &failure{Code: "InvalidActionConfiguration", Reason: "EnvironmentVariables is not valid JSON: " + err.Error(), Look: "the action's EnvironmentVariables"}
		}
	}
	for _, v := range added {
		if v.Type != "" && v.Type != "PLAINTEXT" {
			return nil, fmt.Errorf("the variable %s comes from %q, which only AWS has: it cannot be rehearsed", v.Name, v.Value)
		}
		env[v.Name] = v.Value
	}
	return env, nil
}

// buildspecOf reads the buildspec: the project's own, or the one in the source.
func buildspecOf(project *Project, src string) (_ *codebuild.Buildspec, where string, err error) {
	text, where := project.Buildspec, "the buildspec of the project "+project.ID+" in the template"
	broken := func(message string) error {
		return &failure{Code: "JobFailed", Reason: terminated(codebuild.Failed, codebuild.DownloadSource, "YAML_FILE_ERROR", message), Look: where}
	}
	if text == "" {
		where = project.BuildspecPath + " in the source"
		root, err := os.OpenRoot(src)
		if err != nil {
			return nil, where, err
		}
		defer func() { _ = root.Close() }() // It was only read.
		content, err := root.ReadFile(filepath.Clean(project.BuildspecPath))
		if err != nil { // Not there, or a link that leads out.
			return nil, where, broken(project.BuildspecPath + ": no such file or directory")
		}
		text = string(content)
	}
	spec, err := codebuild.Parse(text)
	if err != nil {
		return nil, where, broken(err.Error())
	}
	return spec, where, nil
}

// fail adds a command that fails.
func fail(spec *codebuild.Buildspec) {
	if spec.Phases.Build == nil {
		spec.Phases.Build = &codebuild.Phase{}
	}
	phase := *spec.Phases.Build
	phase.Commands = append(slices.Clone(phase.Commands), "echo 'the fault build=fail'; exit 1")
	spec.Phases.Build = &phase
}

func buildFailure(status codebuild.Status, phase codebuild.PhaseResult, where string) error {
	message, look := phase.Message, "the build's output in phase "+phase.Name+", and "+where
	if phase.Name == codebuild.DownloadSource {
		look = "runtime-versions in " + where + ": take a version that the image has, or one in full, such as 22.12.0, which CodeBuild downloads"
	}
	if c := phase.Command; c != nil {
		text := strings.TrimSpace(c.Text)
		// A script of many lines says nothing in a sentence.
		if strings.Contains(text, "\n") {
			message = strings.Replace(message, text, gist(text)+" …", 1)
		}
		look = fmt.Sprintf("the build's output in phase %s, and %s of %s", phase.Name, c, where)
	}
	return &failure{Code: "JobFailed", Reason: terminated(status, phase.Name, phase.Code, message), Cause: phase.Cause, Look: look}
}

// gist is the first line of a script that does something.
func gist(script string) string {
	var first string
	var inFunction bool
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		first = cmp.Or(first, line)
		switch {
		case inFunction:
			inFunction = line != "}"
		case strings.Contains(line, "() {"):
			inFunction = !strings.HasSuffix(line, "}")
		case line != "" && line != "(" && line != "{" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "set -"):
			return line
		}
	}
	return first
}

// keepBuilt hands the build's artifacts on.
func (r *rehearsal) keepBuilt(a *Action, project *Project, result codebuild.Result) (files int, size int64, err error) {
	for _, name := range a.Outputs {
		built := result.Artifact
		if len(a.Outputs) > 1 && result.Secondary[name] != nil {
			built = result.Secondary[name]
		}
		if built == nil {
			return 0, 0, &failure{
				Code:   "JobFailed",
				Reason: terminated(codebuild.Failed, codebuild.UploadArtifacts, "CLIENT_ERROR", "no definition for the artifact "+name+" in buildspec"),
				Look:   "the buildspec's artifacts",
			}
		}
		out := r.newArtifact(name)
		if err := r.account.allow(call{role: project.Role, session: "AWSCodeBuild-" + r.execution, action: "s3:PutObject", on: r.object(out)}); err != nil {
			return 0, 0, inPhase(codebuild.UploadArtifacts, "CLIENT_ERROR", "Error while uploading the artifacts: ", err)
		}
		out.zip = built.Zip
		_, n, err := zipSize(out.zip)
		if err != nil {
			return 0, 0, err
		}
		files, size = files+len(built.Files), size+n
		r.artifacts[name] = out
	}
	return files, size, nil
}

// deploy uploads an artifact to the bucket, and has readers visit before and after.
func (r *rehearsal) deploy(ctx context.Context, a *Action, configuration map[string]string) (outcome, error) {
	input := r.artifacts[a.Inputs[0]]
	if err := r.as(a.Role, "s3:GetObject", r.object(input)); err != nil {
		return outcome{}, err
	}
	site, err := r.expectReaders(ctx, a, configuration, input)
	if err != nil {
		return outcome{}, err
	}
	if err := r.visit(ctx, BeforeDeploy); err != nil {
		return outcome{}, err
	}

	began := time.Now()
	result, err := s3.Deploy(ctx, r.s3.Client(), s3.Action{
		Configuration: configuration,
		Authorize:     func(action, on string) error { return r.as(a.Role, action, on) },
		Progress: func(p s3.Progress) {
			r.emit(Event{Kind: Progressed, Stage: a.Stage, Action: a.Name, Text: p.Key, Done: p.Objects, Total: p.Total, Bytes: p.Bytes})
		},
	}, input.zip)
	done := outcome{work: time.Since(began)}
	for _, note := range result.Types {
		r.note("%s", note)
	}
	for _, warning := range result.Warnings {
		r.warn("%s", warning)
	}
	if err != nil {
		return done, errors.Join(deployFailure(err, a), r.removeStandIns(ctx))
	}
	site.Uploaded, site.Bytes = result.Objects, result.Bytes
	r.result.Site = &site
	done.summary = fmt.Sprintf("%s, %s", Count(result.Objects, "object"), Size(result.Bytes))
	return done, r.visit(ctx, AfterDeploy)
}

// deployFailure words why an upload failed.
func deployFailure(err error, a *Action) error {
	if denied := (*failure)(nil); errors.As(err, &denied) {
		return denied
	}
	if refused := (*s3.Error)(nil); errors.As(err, &refused) {
		return &failure{Code: refused.Code, Reason: refused.Message, Look: "the configuration of the action " + a.String() + " in the template, and the artifact " + a.Inputs[0]}
	}
	return err
}

// invoked is a function while an action invokes it.
type invoked struct {
	function *Function
	runtime  *lambdaruntime.Runtime
}

const (
	// replyLimit is how long CodePipeline waits for a function's report, from each invocation.
	// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
	replyLimit = 20 * time.Minute
	// betweenJobs stands for the time before CodePipeline invokes a function again that has answered with
	// a continuation token. AWS publishes no figure.
	betweenJobs = 5 * time.Second
	// actionLimit is for how long a function can go on with continuation tokens.
	actionLimit = 24 * time.Hour
)

// invoke runs the function by CodePipeline's job protocol.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
func (r *rehearsal) invoke(ctx context.Context, a *Action, configuration map[string]string) (_ outcome, err error) {
	f := a.Function
	if err := r.as(a.Role, "lambda:InvokeFunction", f.ARN); err != nil {
		return outcome{}, err
	}
	id := distributionOf(configuration["UserParameters"])
	if id != "" && r.cloud.Invalidations(id) == nil {
		r.addDistribution(id, f)
	}
	made := len(r.cloud.Invalidations(id))

	runtime, stop, err := r.startFunction(a.Stage, a.Name, f)
	if err != nil {
		return outcome{}, err
	}
	defer func() { err = errors.Join(err, stop()) }()

	job, err := r.cloud.StartAction(fakeaws.Action{FunctionName: f.Name, UserParameters: configuration["UserParameters"]})
	if err != nil {
		return outcome{}, &failure{Code: "InvalidActionConfiguration", Reason: err.Error(), Look: "the configuration of the action " + a.String() + " in the template"}
	}
	var done outcome
	for started := r.clock.Now(); ; {
		invokedAt := r.clock.Now()
		attempts := runtime.InvokeAsync(ctx, job.Event())
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		for _, attempt := range attempts {
			done.work += attempt.Duration + attempt.InitDuration
		}
		reports := job.Reports()
		if len(reports) == 0 {
			r.clock.Skip(replyLimit - r.clock.Now().Sub(invokedAt))
			return done, noReport(f, attempts)
		}
		report := reports[0]
		if !report.Success {
			look := f.log()
			if report.FailureType == "PermissionError" {
				if f.TakesOn != nil {
					look = lookAtRole(f.TakesOn) + "; " + look
				}
				look = lookAtRole(f.Role) + "; " + look
			}
			return done, &failure{Code: report.FailureType, Reason: report.FailureMessage, Look: look}
		}
		done.summary = report.Summary
		next := job.Next()
		if next == nil {
			done.variables = report.OutputVariables
			break
		}
		r.emit(Event{Kind: Progressed, Stage: a.Stage, Action: a.Name, Text: report.Summary})
		if r.clock.Now().Sub(started) > actionLimit {
			return done, &failure{Code: "JobFailed", Reason: "The action failed because it did not complete within 24 hours", Look: "the function " + f.ID}
		}
		r.clock.Skip(betweenJobs)
		job = next
	}
	uncleared := id != "" && !r.cleared(id, made)
	if uncleared {
		done.summary += although([]string{id})
		r.warn("no invalidation of the distribution %s is completed: its readers may get old pages, and the pipeline goes on, as the action is set up", id)
	}
	if r.readers != nil && r.readers.distribution == id {
		r.readers.proved = true
		if !uncleared { // Else nothing was promised to them.
			return done, r.visit(ctx, AfterInvalidate)
		}
	}
	return done, nil
}

// credentialsLast is longer than a rehearsal runs; Lambda renews a function's credentials by itself.
const credentialsLast = 12 * time.Hour

// startFunction readies a function for invocations; stop ends it.
func (r *rehearsal) startFunction(stage, action string, f *Function) (_ *lambdaruntime.Runtime, stop func() error, err error) {
	r.account.use(f.Role, "function "+f.ID)
	if err := r.account.serve("Lambda", "lambda.amazonaws.com", f.Role); err != nil {
		return nil, nil, err
	}
	r.writeLogs(f)
	if f.TakesOn != nil {
		r.account.use(f.TakesOn, "taken on by function "+f.ID)
		if r.Faults["sts"] != noRole {
			r.cloud.AddRole(f.TakesOn.ARN)
		}
	}
	settings, timeout, notes := r.Faults.settings(f.Timeout)
	for _, note := range notes {
		r.note("%s", note)
	}
	env := maps.Clone(f.Env)
	maps.Copy(env, settings)
	maps.Copy(env, r.cloud.Issue(principal(f.Role, f.Name), credentialsLast).Env())
	env["AWS_ENDPOINT_URL"], env["AWS_REGION"] = r.cloudURL, r.plan.Template.Region
	output := &lines{emit: func(line string) {
		r.emit(Event{Kind: Output, Stage: stage, Action: action, Text: line})
	}}
	runtime, err := lambdaruntime.Start(lambdaruntime.Function{
		Binary: r.binaries[f], Name: f.Name, Env: env, Timeout: timeout, MemoryMB: f.MemoryMB, Retries: f.Retries, Log: output,
		RetryDelay: func(attempt int) time.Duration {
			wait := time.Duration(attempt) * time.Minute
			r.clock.Skip(wait)
			r.emit(Event{Kind: Progressed, Stage: stage, Action: action, Text: fmt.Sprintf("the invocation failed; Lambda tries again after %v, which are skipped here", wait)})
			return 0
		},
	})
	if err != nil {
		return nil, nil, err
	}
	r.function.Store(&invoked{function: f, runtime: runtime})
	return runtime, func() error {
		r.function.Store(nil)
		err := runtime.Close()
		output.close()
		return err
	}, nil
}

// addDistribution makes a distribution, where the function clears it.
func (r *rehearsal) addDistribution(id string, f *Function) {
	d := r.Faults.distribution(id, r.CompleteAfter)
	d.Account = f.account()
	r.cloud.AddDistribution(d)
}

// log says where a function's log is.
func (f *Function) log() string {
	return "the log of the function " + f.ID + ", shown by `make rehearse VERBOSE=1`; on AWS in the log group " + f.LogGroup
}

// noReport words that a job was never reported.
func noReport(f *Function, attempts []lambdaruntime.Result) error {
	look := "the function " + f.ID
	if last := attempts[len(attempts)-1].Err; last != nil {
		look = fmt.Sprintf("the function %s: it was invoked %d times, and ended with %v", f.ID, len(attempts), last)
	}
	return &failure{
		Code: "JobFailed",
		Reason: fmt.Sprintf("The AWS Lambda function %s failed to return a result. Check the function to verify that it has permission to call the PutJobSuccessResult action and that it made a call to PutJobSuccessResult.",
			f.Name),
		Look: look + "; on AWS its log group is " + f.LogGroup,
	}
}

// writeLogs asks for what Lambda needs to keep a function's log. A function works without.
func (r *rehearsal) writeLogs(f *Function) {
	t := r.plan.Template
	stream := fmt.Sprintf("arn:%s:logs:%s:%s:log-group:%s:log-stream:%s", t.Partition, t.Region, t.Account, f.LogGroup, r.execution)
	for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
		if err := r.account.allow(call{role: f.Role, session: f.Name, action: action, on: stream}); err != nil {
			r.warn("the function %s would run without a log: %v", f.ID, err)
			return // Whatever the other permission is like.
		}
	}
}

// distributionOf is the distribution in an action's UserParameters, or "".
func distributionOf(userParameters string) string {
	var parameters struct {
		DistributionID string `json:"DistributionId"`
	}
	_ = json.Unmarshal([]byte(userParameters), &parameters) // Another function's are of another kind.
	return parameters.DistributionID
}

// lines cuts what is written into lines.
type lines struct {
	emit func(string)
	rest []byte
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		if line := strings.TrimRight(string(l.rest[:i]), "\r"); line != "" {
			l.emit(line)
		}
		l.rest = l.rest[i+1:]
	}
}

func (l *lines) close() {
	if len(l.rest) > 0 {
		l.emit(string(l.rest))
		l.rest = nil
	}
}
