package pipeline

import (
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // Git's ids are such hashes; nothing is secured by it.
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"blog-deploy-pipeline/rehearse/checkout"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/readers"
	"blog-deploy-pipeline/rehearse/rehearsal"
	"blog-deploy-pipeline/rehearse/s3"
)

// executionID is the variable with the id of the execution.
const executionID = "PipelineExecutionId"

// execution is one run of a pipeline.
type execution struct {
	*world

	pipeline  *Pipeline
	artifacts map[string]artifact
	variables variables
	site      *readers.Site // the one that readers visit; nil until an action has published it
	// executions are those that have ended, the oldest first.
	executions []fakeaws.Execution
	// visitsEnded says that readers have visited the site after Invalidate, or that its cache is known not to be clear.
	visitsEnded bool
}

// open opens the owner's checkout.
func (p *Pipeline) open(ctx context.Context, w *world) (preparing string, err error) {
	w.checkout, err = checkout.Open(ctx, w.Source, w.SourceIsRepository)
	return "Starting S3 (versitygw), the policy evaluator and CloudFront's double; compiling the functions for this machine", err
}

// prepare starts S3, with a bucket for the artifacts, and with the others as the last rehearsal left them.
func (p *Pipeline) prepare(ctx context.Context, w *world) (err error) {
	if w.s3, err = s3.Start(ctx, s3.Options{Dir: w.Data, Region: w.template.Region}); err != nil {
		return err
	}
	w.onClose(w.s3.Close)
	if err := w.s3.CreateBucket(ctx, p.Store); err != nil {
		return err
	}
	return p.keptBuckets(w).load(ctx)
}

func (p *Pipeline) keptBuckets(w *world) keptBuckets {
	return keptBuckets{s3: w.s3, names: p.buckets(), dir: w.State, temp: w.dir}
}

// run runs the stages, one after the other.
func (p *Pipeline) run(ctx context.Context, w *world) (ending, error) {
	w.account.AddRole(p.Role, "pipeline")
	e := &execution{
		world: w, pipeline: p,
		artifacts: map[string]artifact{},
		variables: variables{"codepipeline": {executionID: w.id}, "variables": p.variables},
	}
	began, status := w.clock.Now(), rehearsal.Succeeded
	for _, stage := range p.Stages {
		if status == rehearsal.Succeeded && ctx.Err() != nil {
			status = rehearsal.Stopped
		}
		if status != rehearsal.Succeeded {
			break
		}
		status = e.stage(ctx, stage)
	}
	if status == rehearsal.Succeeded && len(p.after) > 0 {
		status = e.afterwards(ctx, began)
	}
	return ending{status, e.site}, p.save(ctx, w)
}

// remember remembers the execution, for the commands that list executions.
func (e *execution) remember(id string, began time.Time) {
	source := e.pipeline.actions()[0]
	commit := e.variables[source.Namespace]
	e.executions = append(e.executions, fakeaws.Execution{
		ID: id, Status: "Succeeded", TriggerType: "WebhookV2", Started: began, Updated: e.clock.Now(),
		Revisions: []fakeaws.SourceRevision{{ActionName: source.Name, RevisionID: commit[commitID], RevisionSummary: commit[commitMessage]}},
	})
}

// push begins an execution of the commit that is taken back.
func (e *execution) push(id string) {
	e.variables["codepipeline"] = map[string]string{executionID: id}
	namespace := e.pipeline.actions()[0].Namespace
	commit := maps.Clone(e.variables[namespace])
	if commit == nil {
		return // Nothing is known of any commit.
	}
	sum := sha1.Sum([]byte(id)) //nolint:gosec // See above.
	commit[commitID], commit[commitMessage] = hex.EncodeToString(sum[:]), mistake
	e.variables[namespace] = commit
}

// afterwards runs what comes after a pipeline that has succeeded.
func (e *execution) afterwards(ctx context.Context, began time.Time) rehearsal.Status {
	e.remember(e.id, began)
	began = e.clock.Now()
	id := uuid.NewString()
	e.push(id)
	for _, stage := range e.pipeline.after {
		if ctx.Err() != nil {
			return rehearsal.Stopped
		}
		if status := e.stage(ctx, stage); status != rehearsal.Succeeded {
			return status
		}
		if stage.Name == mistakeStage {
			e.remember(id, began)
		}
	}
	return rehearsal.Succeeded
}

// save keeps for the next rehearsal what the buckets have, and what the edge has besides.
func (p *Pipeline) save(ctx context.Context, w *world) error {
	err := p.keptBuckets(w).save(ctx)
	if err != nil || w.State == "" || w.visiting == nil || ctx.Err() != nil {
		return err
	}
	if err := w.visiting.Keep(ctx, w.keptCopies(w.visiting.DistributionID)); ctx.Err() == nil {
		return err
	}
	return nil // It was stopped, as the result says.
}

func (e *execution) stage(ctx context.Context, stage Stage) rehearsal.Status {
	elapsed := e.record.Stopwatch()
	e.record.StartStage(stage.Name)
	status := rehearsal.Succeeded
	for _, action := range stage.Actions {
		if status = e.action(ctx, action); status != rehearsal.Succeeded {
			break
		}
	}
	e.record.EndStage(stage.Name, status, elapsed())
	return status
}

// action runs an action, and has readers see what it has done.
func (e *execution) action(ctx context.Context, a *Action) rehearsal.Status {
	elapsed := e.record.Stopwatch()
	e.record.StartAction(a.Stage, a.Name)
	done, err := e.runAction(ctx, a)
	if err == nil {
		err = e.readersSee(ctx, a, done)
	}
	if a.Namespace != "" {
		e.variables[a.Namespace] = done.variables
	}
	result := a.result()
	result.Duration = elapsed()
	result.Overhead = max(0, result.Duration-done.work)
	if err == nil {
		result.Summary, result.Variables = done.summary, done.variables
		err = e.account.Err()
	}
	result.End(ctx, err)
	e.record.EndAction(a.Stage, result)
	return result.Status
}

// runAction runs an action by the role that it has.
func (e *execution) runAction(ctx context.Context, a *Action) (outcome, error) {
	if err := e.account.AssumeByService("CodePipeline", "codepipeline.amazonaws.com", e.pipeline.Role); err != nil {
		return outcome{}, err
	}
	if a.OwnRole {
		e.account.AddRole(a.Role, "action "+a.String())
		if err := e.account.Assume(e.pipeline.Role, a.Role, e.session); err != nil {
			return outcome{}, err
		}
	}
	configuration, err := e.variables.substitute(a)
	if err != nil {
		return outcome{}, err
	}
	j := &job{
		world: e.world, Action: a, pipeline: e.pipeline.Name, front: e.pipeline.frontOf(a), visited: e.site != nil, executions: e.executions,
		Configuration: configuration, input: map[string]artifact{}, output: map[string]artifact{},
	}
	for _, name := range a.Inputs {
		j.input[name] = e.artifacts[name]
	}
	for _, name := range a.Outputs {
		j.output[name] = e.newArtifact(name)
	}
	return a.kind.run(ctx, j)
}

// readersSee keeps what an action has passed back, and has readers come if it has cleared the cache of their site, or if
// it is the last and they have not come since.
func (e *execution) readersSee(ctx context.Context, a *Action, done outcome) error {
	maps.Copy(e.artifacts, done.artifacts)
	if done.site != nil {
		e.site = done.site
	}
	if e.site == nil {
		return nil
	}
	if done.invalidated == e.site.DistributionID {
		e.visitsEnded = true
		if done.cleared {
			return e.site.Visit(ctx, rehearsal.AfterInvalidate)
		}
	}
	actions := e.pipeline.actions()
	if a == actions[len(actions)-1] && !e.visitsEnded {
		e.visitsEnded = true
		return e.site.Visit(ctx, rehearsal.AfterInvalidate)
	}
	return nil
}

// newArtifact returns a place for an artifact. CodePipeline makes up the key of its object: it cuts the names, and the last
// part is random.
func (e *execution) newArtifact(name string) artifact {
	key := prefix(e.pipeline.Name, 20) + "/" + prefix(name, 10) + "/" + rand.Text()[:7]
	return artifact{
		bucket: e.pipeline.Store, key: key,
		arn: fmt.Sprintf("arn:%s:s3:::%s/%s", e.template.Partition, e.pipeline.Store, key),
		zip: filepath.Join(e.dir, "artifact-"+name+".zip"),
	}
}

func prefix(s string, n int) string { return s[:min(n, len(s))] }
