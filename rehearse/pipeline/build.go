package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/rehearse/amount"
	"blog-deploy-pipeline/rehearse/checkout"
	"blog-deploy-pipeline/rehearse/codebuild"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// build is an action that starts a build of CodeBuild.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
type build struct{ project *project }

func readBuild(i *inspection, what string, a *Action) kind {
	if len(a.Inputs) != 1 {
		i.Problem("%s: it has %d input artifacts: a build with more than one source cannot be rehearsed", what, len(a.Inputs))
	}
	if a.Configuration["BatchEnabled"] == "true" {
		i.Problem("%s: BatchEnabled: a batch build cannot be rehearsed", what)
	}
	return build{i.project(what, a.Configuration["ProjectName"])}
}

func (build) target(configuration map[string]string) string { return configuration["ProjectName"] }

// run runs the project's buildspec on this machine.
func (b build) run(ctx context.Context, j *job) (done outcome, err error) {
	p := b.project
	for _, action := range []string{"codebuild:StartBuild", "codebuild:BatchGetBuilds"} {
		if err := j.allow(action, p.ARN); err != nil {
			return done, err
		}
	}
	input := j.input[j.Inputs[0]]
	if err := b.mayStart(j, input); err != nil {
		return done, err
	}
	source := input.clone
	if source == "" {
		source = filepath.Join(j.dir, "source-"+j.Stage+"-"+j.Name)
		stop := j.watch(codebuild.DownloadSource, "unpacking "+amount.Size(sizeOf(input.zip)), nil)
		err := checkout.Unzip(ctx, input.zip, source)
		stop()
		if err != nil {
			return done, err
		}
		defer func() { _ = os.RemoveAll(source) }() // The end of the rehearsal would remove it, too.
	}
	env, err := p.environment(j.Env, j.Configuration)
	if err != nil {
		return done, err
	}
	spec, where, err := p.buildspec(source)
	if err != nil {
		return done, err
	}
	if j.Faults["build"] == "fail" {
		addFailingCommand(spec)
	}
	hugo, err := newHugoFolder(j.world)
	if err != nil {
		return done, err
	}
	j.record.Preparing("The build's commands come from %s, and from what they install. They run on this machine, as you, in a folder of their own; that is no sandbox", where)

	copied := sync.OnceFunc(j.watch(codebuild.DownloadSource, "copying the source to the build", nil))
	result, err := codebuild.Run(ctx, codebuild.Build{
		Spec: spec, Source: source, Dir: filepath.Join(j.dir, "build"), Artifacts: j.dir,
		Path: hugo.dir + string(filepath.ListSeparator) + j.Path, Env: env,
		Prepare: hugo.provide, PrepareFrom: []string{buildspec.EnvHugoVersion, buildspec.EnvHugoExtended},
		Project: p.Name, Account: j.template.Account, Region: j.template.Region, Image: p.Image,
		Initiator: "codepipeline/" + j.pipeline, SourceVersion: input.commit, Timeout: p.Timeout,
		Output: func(l codebuild.Line) {
			copied() // The first line comes after the source was copied.
			if l.Text == failingCommandSays && !l.Agent {
				j.struck("build", "a command of the build phase")
			}
			j.warnOfBuild(l.Text)
			e := j.event(rehearsal.Output, l.Text)
			e.Phase, e.Service = l.Phase, l.Agent
			j.record.Tell(e)
		},
	})
	copied()
	for _, phase := range result.Phases {
		if phase.Name != codebuild.DownloadSource && phase.Name != codebuild.UploadArtifacts {
			done.work += phase.Duration
		}
	}
	for _, note := range result.Notes {
		j.record.Note("build: %s", note)
	}
	for _, warning := range result.Warnings {
		j.record.Warn("build: %s", warning)
	}
	if err != nil {
		return done, err
	}
	if failed := result.Failure(); failed != nil {
		return done, buildFailure(result.Status, *failed, where)
	}
	if err := b.passOn(j, result, &done); err != nil {
		return done, err
	}
	done.variables = result.Exported
	return done, nil
}

// allow asks whether the project's role may call AWS.
func (b build) allow(j *job, action, on string) error {
	return j.account.Allow(iam.Call{Role: b.project.Role, Session: "AWSCodeBuild-" + j.id, Action: action, On: on})
}

// mayStart checks the permissions that CodeBuild needs before the first phase.
func (b build) mayStart(j *job, input artifact) error {
	p, t := b.project, j.template
	j.account.AddRole(p.Role, "build project "+p.ID)
	if err := j.account.AssumeByService("CodeBuild", "codebuild.amazonaws.com", p.Role); err != nil {
		return err
	}
	if p.WritesLogs {
		stream := fmt.Sprintf("arn:%s:logs:%s:%s:log-group:%s:log-stream:%s", t.Partition, t.Region, t.Account, p.LogGroup, j.id)
		for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
			if err := b.allow(j, action, stream); err != nil {
				return deniedInPhase("PROVISIONING", "ACCESS_DENIED", "Service role "+p.Role.ARN+" does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build "+p.Name+". Error message: ", err)
			}
		}
	}
	if err := b.allow(j, "s3:GetObject", input.arn); err != nil {
		return deniedInPhase(codebuild.DownloadSource, "CLIENT_ERROR", "error while downloading the source artifact: ", err)
	}
	if input.connection != "" {
		if err := b.allow(j, useConnection(input.connection), input.connection); err != nil {
			return deniedInPhase(codebuild.DownloadSource, "CLIENT_ERROR", "", err)
		}
	}
	return nil
}

// passOn passes the build's artifacts on to later actions.
func (b build) passOn(j *job, result codebuild.Result, done *outcome) error {
	done.artifacts = map[string]artifact{}
	var files int
	var size int64
	for _, name := range j.Outputs {
		built := result.Artifact
		if len(j.Outputs) > 1 && result.Secondary[name] != nil {
			built = result.Secondary[name]
		}
		if built == nil {
			return &rehearsal.Failure{
				Code:   "JobFailed",
				Reason: terminationReason(codebuild.Failed, codebuild.UploadArtifacts, "CLIENT_ERROR", "no definition for the artifact "+name+" in buildspec"),
				Look:   "the buildspec's artifacts",
			}
		}
		out := j.output[name]
		if err := b.allow(j, "s3:PutObject", out.arn); err != nil {
			return deniedInPhase(codebuild.UploadArtifacts, "CLIENT_ERROR", "Error while uploading the artifacts: ", err)
		}
		out.zip, out.commit = built.Zip, j.input[j.Inputs[0]].commit
		_, n, err := measure(out.zip)
		if err != nil {
			return err
		}
		files, size = files+len(built.Files), size+n
		done.artifacts[name] = out
	}
	done.summary = fmt.Sprintf("%s, %s", amount.Count(files, "file"), amount.Size(size))
	return nil
}

// warnOfBuild repeats the warnings in the log of a recipe: nobody reads the log of a build that succeeds.
func (j *job) warnOfBuild(line string) {
	if text, ok := strings.CutPrefix(line, buildspec.Warning); ok {
		j.record.Warn("build: %s", text)
	}
	if strings.HasPrefix(line, buildspec.LeftOutFuture) {
		j.record.Warn("build: %s", strings.TrimPrefix(line, "==> "))
	}
}

// failingCommandSays is the line that the command of the fault build=fail writes before it fails.
const failingCommandSays = "This command fails, for the fault build=fail"

// addFailingCommand adds a command that fails to the end of the build phase.
func addFailingCommand(spec *codebuild.Buildspec) {
	if spec.Phases.Build == nil {
		spec.Phases.Build = &codebuild.Phase{}
	}
	phase := *spec.Phases.Build
	phase.Commands = append(slices.Clone(phase.Commands), "echo '"+failingCommandSays+"'; exit 1")
	spec.Phases.Build = &phase
}
