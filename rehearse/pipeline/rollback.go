package pipeline

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"blog-deploy-pipeline/operate/releases"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

const (
	// mistakeStage and rollbackStage are the stages of a rehearsal that takes a release back, after those of the pipeline.
	mistakeStage, rollbackStage = "Mistake", "Rollback"
	// mistake is the message of the commit that is taken back.
	mistake = "Break the home page"
	// homeFile is the home page in a build.
	homeFile = "index.html"
)

// mistaken is the home page that is taken back.
const mistaken = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A broken home page</title>
<h1>A broken home page</h1>
<p>The rehearsal has published this page in place of yours, as a commit would that breaks it. The rollback takes it back.
`

// AddRollback adds to the rehearsal of a pipeline what comes after a push that was a mistake: a second execution publishes
// the same build with a broken home page, and `make rollback` publishes the release before. It returns an error for a
// pipeline that keeps no releases.
func (p *Plan) AddRollback() error {
	if p.Pipeline == nil {
		return fmt.Errorf("%s is a service, and ROLLBACK=1 rehearses a rollback of a blog: of a service, CodeDeploy or ECS takes back what fails", p.Name)
	}
	var publish, invalidate *Action
	for _, a := range p.Pipeline.actions() {
		switch {
		case a.Publishes != "" && a.Remembers != "":
			publish = a
		case a.Clears != "":
			invalidate = a
		}
	}
	if publish == nil || invalidate == nil {
		return fmt.Errorf("%s keeps no releases to go back to: ROLLBACK=1 needs a Deploy stage of this project's function, which is the default (Deploy.By), and an Invalidate stage", p.Name)
	}
	stage := func(name string, actions ...*Action) {
		for _, a := range actions {
			a.Stage = name
		}
		p.Pipeline.after = append(p.Pipeline.after, Stage{Name: name, Actions: actions})
	}
	again := func(a Action) *Action {
		a.kind = afresh{a.kind.(invocation)}
		return &a
	}
	stage(mistakeStage,
		&Action{Name: "Build", Provider: "Rehearsal", Inputs: publish.Inputs, Outputs: publish.Inputs, Role: p.Pipeline.Role, kind: breaking{}},
		again(*publish), again(*invalidate),
	)
	stage(rollbackStage, &Action{Name: "Rollback", Provider: "make rollback", Role: p.Pipeline.Role, kind: takeBack{p}})
	return nil
}

// breaking stands for the build of a commit that breaks the home page.
type breaking struct{}

func (breaking) target(map[string]string) string { return mistake }

// run makes the artifact of the build before with another home page.
func (breaking) run(ctx context.Context, j *job) (done outcome, err error) {
	name := j.Outputs[0]
	out := j.output[name]
	out.zip = strings.TrimSuffix(out.zip, ".zip") + "-mistake.zip"
	// The id of a release has the second in which it was begun, and releases are in the order of their ids.
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return done, ctx.Err()
	}
	if err := breakHome(j.input[name].zip, out.zip); err != nil {
		return done, fmt.Errorf("break the home page of the build: %w", err)
	}
	done.artifacts = map[string]artifact{name: out}
	done.summary = "the same build, with a broken home page"
	return done, nil
}

// breakHome copies an archive with another home page.
func breakHome(from, to string) (err error) {
	in, err := zip.OpenReader(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // It was only read.
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	archive := zip.NewWriter(file)
	for _, f := range in.File {
		if f.Name == homeFile {
			continue
		}
		if err := archive.Copy(f); err != nil {
			return err
		}
	}
	w, err := archive.Create(homeFile)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, mistaken); err != nil {
		return err
	}
	return archive.Close()
}

// afresh invokes the function of an action once more. Readers come when it has cleared the cache.
type afresh struct{ invocation }

func (again afresh) run(ctx context.Context, j *job) (done outcome, err error) {
	input, err := again.pass(ctx, j)
	if err != nil {
		return done, err
	}
	if done, err = again.clear(ctx, j, input); err != nil || done.invalidated == "" || j.visiting == nil {
		return done, err
	}
	done.invalidated = "" // Readers do not come as after the pipeline's own Invalidate.
	return done, j.visiting.VisitMistake(ctx, []byte(mistaken))
}

// takeBack takes a release back as `make rollback` does.
type takeBack struct{ plan *Plan }

func (t takeBack) target(map[string]string) string { return t.plan.Name }

// run calls the functions of the pipeline as the owner's commands do.
func (t takeBack) run(ctx context.Context, j *job) (done outcome, err error) {
	if err := t.deploy(j); err != nil {
		return done, err
	}
	worked := j.answered.Load()
	defer func() { done.work = time.Duration(j.answered.Load() - worked) }()
	key := j.cloud.Issue(j.ownerARN(), 0)
	config := aws.Config{
		Region: j.template.Region, BaseEndpoint: aws.String(j.endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, key.SessionToken),
	}
	taken := &rehearsal.Rollback{}
	blog := releases.Blog{
		CodePipeline: codepipeline.NewFromConfig(config), Lambda: lambda.NewFromConfig(config), Name: t.plan.Pipeline.Name,
		Tell: func(line string) {
			taken.Said = append(taken.Said, line)
			j.record.Tell(j.event(rehearsal.Progressed, strings.TrimSpace(line)))
		},
		Now: time.Now,
		Sleep: func(ctx context.Context, d time.Duration) error {
			j.clock.Skip(d)
			return ctx.Err()
		},
	}
	if err = blog.List(ctx); err == nil {
		taken.Releases, taken.Said = taken.Said, nil
		var result releases.Result
		result, err = releases.Rollback{Blog: blog, By: j.ownerARN(), Ask: j.ask}.Run(ctx)
		taken.From, taken.To, taken.Took, done.summary = result.From.ID, result.To.ID, result.Took, result.Proof
	}
	j.record.Change(func(r *rehearsal.Result) { r.Rollback = taken })
	if err != nil && ctx.Err() == nil {
		return done, &rehearsal.Failure{Code: "RollbackFailed", Reason: err.Error(), Look: "the log of the functions, shown by `make rehearse VERBOSE=1`"}
	}
	if err != nil || j.visiting == nil {
		return done, err
	}
	return done, j.visiting.Visit(ctx, rehearsal.AfterRollback)
}

// deploy has the double of AWS know the pipeline and its executions.
func (t takeBack) deploy(j *job) error {
	p := t.plan.Pipeline
	declared := fakeaws.Pipeline{Name: p.Name, RoleARN: p.Role.ARN, ArtifactStore: fakeaws.ArtifactStore{Location: p.Store}}
	for _, stage := range p.Stages {
		s := fakeaws.PipelineStage{Name: stage.Name}
		for _, a := range stage.Actions {
			s.Actions = append(s.Actions, fakeaws.PipelineAction{
				Name: a.Name, ActionTypeID: fakeaws.ActionTypeID{Category: a.Category, Provider: a.Provider}, RunOrder: a.RunOrder,
				Configuration: a.Configuration, InputArtifacts: named(a.Inputs), OutputArtifacts: named(a.Outputs), Namespace: a.Namespace,
			})
		}
		declared.Stages = append(declared.Stages, s)
	}
	if err := j.cloud.AddPipeline(declared); err != nil {
		return err
	}
	for _, e := range j.executions {
		if err := j.cloud.SetExecution(p.Name, e); err != nil {
			return err
		}
	}
	return nil
}

func named(artifacts []string) (names []fakeaws.ArtifactName) {
	for _, name := range artifacts {
		names = append(names, fakeaws.ArtifactName{Name: name})
	}
	return names
}

// ask asks the owner.
func (j *job) ask(ctx context.Context, question string) (yes bool, err error) {
	if j.Ask == nil {
		return true, nil
	}
	if j.visiting != nil && j.Serve {
		served := j.visiting.Served()
		j.record.Change(func(r *rehearsal.Result) { r.Served = &served })
	}
	j.record.Tell(j.event(rehearsal.Asked, question+" Readers have the broken page now. [Y/n]"))
	return j.Ask(ctx, question)
}
