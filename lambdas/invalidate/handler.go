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
	job, err := decodeJob(event)
	if job.id == "" {
		h.log.Error("event refused", "error", err.Error())
		return nil, err
	}
	log := h.log.With("job", job.id, "blog", job.blog, "distribution", job.request.DistributionID)
	if err == nil && h.misconfigured != nil {
		err = fmt.Errorf("the function's environment is wrong: %w", h.misconfigured)
	}

	working, reporting, cancel := split(ctx, time.Now())
	defer cancel()
	var answer report
	if err != nil {
		answer = refused(err)
	} else {
		answer = h.work(working, log, job)
	}

	log = log.With("invalidation", answer.invalidationID)
	err = answer.send(reporting, h.codePipeline, job.id)
	switch {
	case errors.Is(err, errReportedBefore):
		log.Info("reported before; this delivery changes nothing")
		return ok, nil
	case err != nil:
		log.Error("report not sent; Lambda delivers the event again", "error", err.Error())
		return nil, err
	}
	logReport(log, job, answer)
	return ok, nil
}

// ok is what Lambda gets; nobody reads it.
var ok = []byte("null")

// work does what the job asks for, and says how it ended: a panic is a way to end.
func (h *handler) work(ctx context.Context, log *slog.Logger, job job) (answer report) {
	defer func() {
		if cause := recover(); cause != nil {
			log.Error("panic", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			answer = panicked(cause)
		}
	}()

	progress, outcome, err := h.invalidator.Advance(ctx, log, job.request, job.progress)
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
	switch {
	case !answer.final():
		log.Info("continues", "summary", answer.summary)
		return
	case answer.failure != "":
		log = log.With("failure", string(answer.failure), "message", answer.message)
	default:
		log = log.With("summary", answer.summary)
	}
	// Without a name there is no metric to count it under.
	if job.blog != "" {
		log = log.With(invalidation.Metrics("blog", answer.result))
	}
	log.Info("finished")
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
