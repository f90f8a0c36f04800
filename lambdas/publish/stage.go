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
	"blog-deploy-pipeline/lambdas/internal/strictjson"
)

const (
	// maxWait is how long a publication waits for others of the blog. One that has crashed
	// has its lease for a quarter of that.
	maxWait = time.Hour
	// maxNamed is how many files that are not the blog's the log names.
	maxNamed = 10
)

// publisher is a [publication.Publisher].
type publisher interface {
	Publish(context.Context, *slog.Logger, publication.Request) (publication.Result, error)
}

// stage is the pipeline's Deploy stage, which turns each job into a task.
type stage struct {
	publisher publisher
	// lookEvery is how long one call of the function waits for another publication.
	lookEvery time.Duration
}

// task is the publication of one job.
type task struct {
	*stage
	blog     string
	request  publication.Request
	progress progress
	result   publication.Result
	log      *slog.Logger
}

// read implements pipelinejob.Handler's Read.
func (s *stage) read(log *slog.Logger, job pipelinejob.Job) (pipelinejob.Task, error) {
	parameters, err := decodeParameters(job.UserParameters)
	t := &task{stage: s, blog: parameters.PipelineName, log: log.With(contract.DimensionBlog, parameters.PipelineName)}
	t.progress = progress{job: job.ID, started: time.Now()}
	if job.ContinuationToken != "" && err == nil {
		if t.progress, err = decodeToken(job.ContinuationToken); err != nil {
			err = fmt.Errorf("%w; %s to start again", err, pipelinejob.Again)
		}
	}
	build, noBuild := job.Input()
	t.request = publication.Request{
		Job:            t.progress.job,
		Execution:      parameters.Execution,
		Revision:       parameters.Revision,
		Bucket:         build.Bucket,
		Key:            build.Key,
		AllowDeletions: parameters.AllowDeletions == contract.AllowDeletionsYes,
	}
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
	t.progress.attempt++
	result, err := t.publisher.Publish(ctx, t.log.With("attempt", t.progress.attempt), t.request)
	t.result = result
	switch {
	case err != nil:
		return failed(err, result)
	case !result.Busy.IsZero():
		return t.wait(ctx)
	case result.Again:
		return continued(t.progress, result)
	}
	if n := len(result.Foreign); n > 0 {
		t.Log().Warn("the bucket has files that this pipeline has not put", "count", n, "first", result.Foreign[:min(n, maxNamed)])
	}
	return published(result)
}

// wait gives another publication some time, and returns the report.
func (t *task) wait(ctx context.Context) pipelinejob.Report {
	if waited := time.Since(t.progress.started); waited > maxWait {
		return pipelinejob.Failed(&failure.Failure{Kind: failure.Unavailable, Message: fmt.Sprintf(
			"another publication of this blog has not ended within %s. Look for another execution in the pipeline's Deploy stage, wait for its end, and %s",
			waited.Round(time.Second), pipelinejob.Again)})
	}
	timer := time.NewTimer(min(t.lookEvery, time.Until(t.result.Busy)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return waiting(t.progress, t.result.Busy)
}

// Log implements pipelinejob.Task.
func (t *task) Log() *slog.Logger {
	if t.result.Release == "" {
		return t.log
	}
	return t.log.With("release", t.result.Release)
}

// Metrics implements pipelinejob.Task.
func (t *task) Metrics(report pipelinejob.Report) slog.Attr {
	if report.Failed() {
		return slog.Attr{}
	}
	return metrics.Attr(contract.DimensionBlog, t.blog,
		metrics.Count(contract.MetricFilesPut, t.result.Put),
		metrics.Count(contract.MetricFilesRemoved, t.result.Removed),
		metrics.Bytes(contract.MetricBytesPut, t.result.Bytes),
		metrics.Seconds(contract.MetricPublishSeconds, time.Since(t.progress.started)))
}
