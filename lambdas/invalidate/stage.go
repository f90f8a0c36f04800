package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
	"blog-deploy-pipeline/lambdas/internal/strictjson"
)

// words are the names in blogs.go and in CodePipeline's console.
var words = invalidation.Words{
	Distribution: "the blog's Invalidate.DistributionID",
	Paths:        "the blog's Invalidate.Paths",
	Deadline:     "the blog's Invalidate.Deadline",
	Again:        pipelinejob.Again,
}

// stage is the pipeline's Invalidate stage, which turns each job into a task.
type stage struct {
	invalidator invalidation.Invalidator
	onFailure   contract.OnFailure
}

// task is the invalidation of one job.
type task struct {
	*stage
	blog     string
	request  invalidation.Request
	progress invalidation.Progress
	// result is for the metrics. Only an invalidation that has ended has one.
	result invalidation.Result
	log    *slog.Logger
}

// read implements pipelinejob.Handler's Read.
func (s *stage) read(log *slog.Logger, job pipelinejob.Job) (pipelinejob.Task, error) {
	parameters, err := decodeParameters(job.UserParameters)
	t := &task{
		stage:   s,
		blog:    parameters.PipelineName,
		request: invalidation.Request{Distribution: parameters.Distribution, Execution: job.ID},
		log:     log.With(contract.DimensionBlog, parameters.PipelineName, "distribution", parameters.ID),
	}
	if err != nil || job.ContinuationToken == "" {
		return t, err
	}
	t.request.Execution, t.progress, err = invalidation.DecodeToken(job.ContinuationToken)
	if err != nil {
		err = fmt.Errorf("%w; %s to start again", err, pipelinejob.Again)
	}
	return t, err
}

func decodeParameters(text string) (contract.UserParameters, error) {
	var parameters contract.UserParameters
	if err := strictjson.Decode(text, &parameters); err != nil {
		example := contract.UserParameters{PipelineName: "my-blog", Distribution: contract.Distribution{ID: "E2EXAMPLE", Paths: []string{contract.AllPaths}}}
		return parameters, fmt.Errorf("decode UserParameters %.1000q: %w; must be JSON such as %s", text, err, contract.JSON(example))
	}
	var errs []error
	if parameters.PipelineName == "" {
		errs = append(errs, errors.New("UserParameters has no PipelineName"))
	}
	if parameters.ID == "" {
		errs = append(errs, errors.New("UserParameters has no DistributionId"))
	}
	if len(parameters.Paths) == 0 {
		parameters.Paths = []string{contract.AllPaths}
	}
	return parameters, errors.Join(errs...)
}

// Work implements pipelinejob.Task.
func (t *task) Work(ctx context.Context) pipelinejob.Report {
	progress, outcome, err := t.invalidator.Advance(ctx, t.log, t.request, t.progress)
	t.progress = progress
	took := time.Since(progress.Started)
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		t.result.Late = f.Kind == failure.Late
		if t.forgives(f) {
			return overdue(t.request, progress, took)
		}
		report := pipelinejob.Failed(f)
		report.ExternalID = progress.InvalidationID
		return report
	}
	if outcome == invalidation.Completed {
		t.result.Took = took
		return completed(t.request, progress, took)
	}
	return continued(t.request, progress)
}

// forgives reports whether the deployment succeeds in spite of a failure: CloudFront has
// accepted the invalidation and still works on it, and the owner lets that pass.
func (t *task) forgives(f *failure.Failure) bool {
	return t.onFailure == contract.OnFailureProceed && f.Kind == failure.Late && f.Err == nil
}

// Log implements pipelinejob.Task.
func (t *task) Log() *slog.Logger { return t.log.With("invalidation", t.progress.InvalidationID) }

// Metrics implements pipelinejob.Task.
func (t *task) Metrics(report pipelinejob.Report) slog.Attr {
	result := t.result
	result.Failed = report.Failed()
	return invalidation.Metrics(contract.DimensionBlog, t.blog, result)
}
