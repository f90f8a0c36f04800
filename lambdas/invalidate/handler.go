package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
)

// lambda.StartWithOptions takes any value, and finds out only when it runs.
var _ lambda.Handler = (*handler)(nil)

// words are those of CodePipeline's console and of blogs.go.
var words = invalidation.Words{
	Distribution: "the blog's Invalidate.DistributionID",
	Paths:        "the blog's Invalidate.Paths",
	Deadline:     "the blog's Invalidate.Deadline",
	Again:        again,
}

// again is what to do after every failure.
const again = "retry this stage"

// handler turns CodePipeline's jobs into invalidations, and every way that one can
// end into exactly one report.
type handler struct {
	codePipeline  codePipeline
	invalidator   invalidation.Invalidator
	misconfigured error
	log           *slog.Logger
}

// Invoke implements lambda.Handler. It takes the raw event, because an event that
// cannot be decoded still names a job that waits for an answer.
//
// The only error it returns is a report that could not be sent: Lambda then
// delivers the event again, and the invalidation is found instead of repeated.
func (h *handler) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	id, err := decodeID(event)
	if err != nil {
		h.log.Error("event refused", "error", err.Error())
		return nil, err
	}
	working, reporting, cancel := split(ctx, time.Now())
	defer cancel()

	job, answer := h.handle(working, id, event)
	log := job.log(h.log).With("invalidation", answer.invalidationID)
	err = answer.send(reporting, h.codePipeline, id)
	switch {
	case errors.Is(err, errReportedBefore):
		log.Info("reported before; this delivery changes nothing")
		return ok, nil
	case err != nil:
		log.Error("report not sent", "error", err.Error())
		return nil, err
	}
	logReport(log, job, answer)
	return ok, nil
}

// ok is what Lambda gets; nobody reads it.
var ok = []byte("null")

// handle does what the event asks for, and says how it ended: a panic is a way to
// end.
func (h *handler) handle(ctx context.Context, id string, event []byte) (job job, answer report) {
	defer func() {
		if cause := recover(); cause != nil {
			job.id = id
			job.log(h.log).Error("panic", "invalidation", job.progress.InvalidationID, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			answer = panicked(cause)
		}
	}()
	job, err := decodeJob(id, event)
	if err == nil && h.misconfigured != nil {
		err = fmt.Errorf("the function's environment is wrong: %w", h.misconfigured)
	}
	if err != nil {
		return job, refused(err)
	}
	return job, h.work(ctx, job)
}

// work takes the invalidation as far as this call can.
func (h *handler) work(ctx context.Context, job job) report {
	progress, outcome, err := h.invalidator.Advance(ctx, job.log(h.log), job.request, job.progress)
	if failure := (*invalidation.Failure)(nil); errors.As(err, &failure) {
		return failed(failure, progress)
	}
	switch outcome {
	case invalidation.Completed:
		return succeeded(job, progress)
	case invalidation.Overdue:
		return overdue(job, progress)
	default:
		return continued(job, progress)
	}
}

// logReport logs what CodePipeline was told, with the metrics of an action that has
// come to its end.
func logReport(log *slog.Logger, job job, answer report) {
	if !answer.final() {
		log.Info("continues", "summary", answer.summary)
		return
	}
	// Without a name there is no metric to count it under.
	if job.blog != "" {
		log = log.With(invalidation.Metrics("blog", answer.result))
	}
	switch {
	case answer.failure != "":
		log.Error("failed", "type", string(answer.failure), "message", answer.message)
	case answer.result.Late:
		log.Warn("late", "summary", answer.summary)
	default:
		log.Info("completed", "summary", answer.summary)
	}
}

// maxReportTime is enough for a report with a few retries.
const maxReportTime = 15 * time.Second

// split divides the time until Lambda stops the function: the last quarter, at
// most 15 seconds, is for the report. The second context does not end with the
// first, and ends a little before Lambda's patience, so that a report that cannot
// be sent is still logged.
func split(ctx context.Context, now time.Time) (working, reporting context.Context, cancel func()) {
	deadline, limited := ctx.Deadline()
	if !limited { // not under Lambda
		deadline = now.Add(time.Minute)
	}
	keep := min(deadline.Sub(now)/4, maxReportTime)
	working, cancelWorking := context.WithDeadline(ctx, deadline.Add(-keep))
	reporting, cancelReporting := context.WithDeadline(context.WithoutCancel(ctx), deadline.Add(-keep/10))
	return working, reporting, func() { cancelWorking(); cancelReporting() }
}
