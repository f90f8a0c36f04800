package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/metrics"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
	"blog-deploy-pipeline/lambdas/internal/publication"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/lambdas/internal/strictjson"
)

const (
	// maxWait is how long a publication waits for others of the blog. The first one of a
	// large blog may take several calls of the function.
	maxWait = time.Hour
	// maxNamed is how many files that are not the blog's the log names.
	maxNamed = 10
)

// publisher is a [publication.Publisher].
type publisher interface {
	Publish(context.Context, *slog.Logger, publication.Request) (publication.Result, error)
	Foresee(context.Context, publication.Request) (publication.Foreseen, error)
}

// lister is a [release.Store].
type lister interface {
	List(ctx context.Context, n int) ([]release.Listed, error)
}

// stage is the pipeline's Deploy stage, which turns each job into a task.
type stage struct {
	publisher publisher
	releases  lister
	// lookEvery is how often the function looks whether another publication has ended.
	lookEvery time.Duration
}

// task is the publication of one job.
type task struct {
	*stage
	blog string
	// direct is what a direct request asks for; nil for a job of the pipeline.
	direct   *contract.Direct
	request  publication.Request
	progress progress
	result   publication.Result
	log      *slog.Logger
}

// read implements pipelinejob.Handler's Read.
func (s *stage) read(log *slog.Logger, job pipelinejob.Job) (pipelinejob.Task, error) {
	parameters, err := decodeParameters(job.UserParameters)
	t := &task{stage: s, blog: parameters.PipelineName, direct: job.Direct, log: log.With(contract.DimensionBlog, parameters.PipelineName)}
	t.progress = progress{job: job.ID, started: time.Now()}
	if job.ContinuationToken != "" && err == nil {
		if t.progress, err = decodeToken(job.ContinuationToken); err != nil {
			err = fmt.Errorf("%w; %s to start again", err, pipelinejob.Again)
		}
	}
	t.request = publication.Request{Job: t.progress.job, AllowDeletions: parameters.AllowDeletions == contract.AllowDeletionsYes}
	if d := job.Direct; d != nil {
		t.request.Restores, t.request.By, t.request.Current = d.Release, d.By, d.Current
		return t, errors.Join(err, checkDirect(*d))
	}
	build, noBuild := job.Input()
	t.request.Bucket, t.request.Key = build.Bucket, build.Key
	t.request.Execution, t.request.Revision = parameters.Execution, parameters.Revision
	return t, errors.Join(err, noBuild)
}

func decodeParameters(text string) (contract.PublishParameters, error) {
	var parameters contract.PublishParameters
	if err := strictjson.Decode(text, &parameters); err != nil {
		example := contract.PublishParameters{PipelineName: "my-blog", AllowDeletions: contract.AllowDeletionsNo}
		return parameters, fmt.Errorf("decode UserParameters %.1000q: %w; must be JSON such as %s", text, err, contract.JSON(example))
	}
	var errs []error
	if parameters.PipelineName == "" {
		errs = append(errs, errors.New("UserParameters has no PipelineName"))
	}
	switch parameters.AllowDeletions {
	case "", contract.AllowDeletionsNo, contract.AllowDeletionsYes:
	default: // a person has typed it
		errs = append(errs, fmt.Errorf("the pipeline's variable %s is %.100q: start the pipeline with %s or %s", contract.VariableAllowDeletions,
			parameters.AllowDeletions, contract.AllowDeletionsYes, contract.AllowDeletionsNo))
	}
	return parameters, errors.Join(errs...)
}

// Work implements pipelinejob.Task.
func (t *task) Work(ctx context.Context) pipelinejob.Report {
	switch d := t.direct; {
	case d == nil:
	case d.List > 0:
		return listed(t.releases.List(ctx, d.List))
	case d.DryRun:
		return looked(t.publisher.Foresee(ctx, t.request))
	}
	t.progress.attempt++
	err := t.publish(ctx)
	switch waited := time.Since(t.progress.started); {
	case err != nil:
		return failed(err)
	case t.isBusy() && waited > maxWait:
		return pipelinejob.Failed(&failure.Failure{Kind: failure.Unavailable, Message: fmt.Sprintf(
			"another publication of this blog has not ended within %s. Look for another execution in the pipeline's Deploy stage, wait for its end, and %s",
			waited.Round(time.Second), pipelinejob.Again)})
	case t.isBusy():
		return waiting(t.progress)
	case t.result.Again:
		return continued(t.progress, t.result)
	}
	if n := len(t.result.Foreign); n > 0 {
		t.Log().Warn("the bucket has files that this pipeline has not put", "count", n, "first", t.result.Foreign[:min(n, maxNamed)])
	}
	return published(t.result)
}

// publish publishes as far as one call can. It spends half of its time, at most, on
// waiting for another publication. An earlier run of the same job may have crashed: if
// this call did not wait for the end of its lease, but had CodePipeline call again, a
// function that always crashes would be called for ever, and not three times.
func (t *task) publish(ctx context.Context) (err error) {
	log := t.log.With("attempt", t.progress.attempt)
	giveUp := time.Now().Add(t.lookEvery)
	switch deadline, ok := ctx.Deadline(); {
	case t.direct != nil: // The caller sees a crash, and wants to see what it waits for.
		giveUp = giveUp.Add(t.lookEvery)
	case ok:
		giveUp = time.Now().Add(time.Until(deadline) / 2)
	}
	for {
		t.result, err = t.publisher.Publish(ctx, log, t.request)
		if err != nil || !t.isBusy() {
			return err
		}
		log.Info("another publication of this blog has the lease", "until", t.result.Busy.UTC().Format(time.RFC3339))
		wait := min(t.lookEvery, max(0, time.Until(t.result.Busy)))
		if time.Now().Add(wait).After(giveUp) {
			return nil
		}
		time.Sleep(wait)
	}
}

// isBusy reports whether nothing was done because of another publication.
func (t *task) isBusy() bool { return !t.result.Busy.IsZero() }

// Log implements pipelinejob.Task.
func (t *task) Log() *slog.Logger {
	if t.result.Release == "" {
		return t.log
	}
	return t.log.With("release", t.result.Release)
}

// Metrics implements pipelinejob.Task.
func (t *task) Metrics(report pipelinejob.Report) slog.Attr {
	if looks := t.direct != nil && (t.direct.DryRun || t.direct.List > 0); looks || report.Failed() {
		return slog.Attr{}
	}
	return metrics.Attr(contract.DimensionBlog, t.blog,
		metrics.Count(contract.MetricFilesPut, t.result.Put),
		metrics.Count(contract.MetricFilesRemoved, t.result.Removed),
		metrics.Bytes(contract.MetricBytesPut, t.result.Bytes),
		metrics.Seconds(contract.MetricPublishSeconds, time.Since(t.progress.started)))
}
