package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/changes"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/metrics"
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
	// changes finds what to clear for jobs that do not say it. If it is nil, they clear
	// everything.
	changes finder
}

// task is the invalidation of one job.
type task struct {
	*stage
	blog     string
	request  invalidation.Request
	progress invalidation.Progress
	// clearing is set if the invalidation clears what has changed. plan is only set in the
	// call that has found that.
	clearing *clearing
	plan     changes.Plan
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
	if err == nil && job.ContinuationToken != "" {
		t.request.Execution, t.progress, t.clearing, err = decodeToken(job.ContinuationToken)
		if err != nil {
			err = fmt.Errorf("%w; %s to start again", err, pipelinejob.Again)
		}
	}
	if len(t.request.Paths) == 0 && t.clearing == nil && (s.changes == nil || t.progress.InvalidationID != "") {
		t.request.Paths = []string{contract.AllPaths}
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
	return parameters, errors.Join(errs...)
}

// Work implements pipelinejob.Task.
func (t *task) Work(ctx context.Context) pipelinejob.Report {
	if len(t.request.Paths) == 0 && t.clearing == nil {
		if f := t.find(ctx); f != nil {
			return pipelinejob.Failed(f)
		}
		if len(t.request.Paths) == 0 {
			return t.nothing()
		}
	}
	outcome, err := t.advance(ctx)
	took := time.Since(t.progress.Started)
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		t.result.Late = f.Kind == failure.Late
		if t.forgives(f) {
			return t.overdue(took)
		}
		report := pipelinejob.Failed(f)
		report.ExternalID = t.progress.InvalidationID
		return report
	}
	if outcome != invalidation.Completed {
		return t.continued()
	}
	t.result.Took = took
	if t.clearing == nil {
		return t.completed(took)
	}
	if err := t.changes.Done(ctx, t.clearing.Number); err != nil {
		if ctx.Err() != nil { // the next call finds it completed, too
			return t.continued()
		}
		return t.notNoted(took, err)
	}
	return t.completed(took)
}

// forgives reports whether the deployment succeeds in spite of a failure: CloudFront has
// accepted the invalidation and still works on it, and the owner lets that pass.
func (t *task) forgives(f *failure.Failure) bool {
	return t.onFailure == contract.OnFailureProceed && f.Kind == failure.Late && f.Err == nil
}

// Log implements pipelinejob.Task.
func (t *task) Log() *slog.Logger {
	log := t.log.With("invalidation", t.progress.InvalidationID)
	if t.clearing != nil {
		log = log.With("release", t.clearing.Release)
	}
	return log
}

// Metrics implements pipelinejob.Task.
func (t *task) Metrics(report pipelinejob.Report) slog.Attr {
	result := t.result
	result.Failed = report.Failed()
	if t.clearing == nil || result.Failed {
		return invalidation.Metrics(contract.DimensionBlog, t.blog, result)
	}
	return invalidation.Metrics(contract.DimensionBlog, t.blog, result,
		metrics.Count(contract.MetricInvalidationItems, t.clearing.Items),
		metrics.Count(contract.MetricNeedlessEvictions, t.clearing.Needless))
}
