package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/invocation"
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
	working, reporting, cancel := invocation.Split(ctx, time.Now())
	defer cancel()

	job, answer := h.handle(working, id, event)
	log := job.log(h.log).With("invalidation", answer.invalidationID)
	counts, err := invocation.Reported(log, answer.failure != "", answer.send(reporting, h.codePipeline, id))
	if err != nil {
		return nil, err
	}
	if counts {
		logReport(log, job, answer)
	}
	return ok, nil
}

// ok is what Lambda gets; nobody reads it.
var ok = []byte("null")

// handle does what the event asks for, and says how it ended: a panic is a way to
// end.
func (h *handler) handle(ctx context.Context, id string, event []byte) (job, report) {
	j := job{id: id}
	log := func() *slog.Logger { return j.log(h.log).With("invalidation", j.progress.InvalidationID) }
	answer := invocation.Guard(log, func() report {
		var err error
		j, err = decodeJob(id, event)
		if err == nil && h.misconfigured != nil {
			err = fmt.Errorf("the function's environment is wrong: %w", h.misconfigured)
		}
		if err != nil {
			return refused(err)
		}
		return h.work(ctx, j)
	}, panicked)
	return j, answer
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
	log = invalidation.Counting(log, "blog", job.blog, answer.result)
	switch {
	case answer.failure != "":
		log.Error("failed", "type", string(answer.failure), "message", answer.message)
	case answer.result.Late:
		log.Warn("late", "summary", answer.summary)
	default:
		log.Info("completed", "summary", answer.summary)
	}
}
