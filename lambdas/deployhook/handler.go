package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/invocation"
)

// lambda.StartWithOptions takes any value, and finds out only when it runs.
var _ lambda.Handler = (*handler)(nil)

// handler clears a service's distributions when a hook asks for it, and turns every
// way that this can end into the one answer that the hook's caller waits for.
type handler struct {
	codeDeploy    codeDeploy
	cloudFront    invalidation.CloudFront
	settings      settings
	misconfigured error
	log           *slog.Logger
}

// Invoke implements lambda.Handler. It takes the raw event, because an event that
// cannot be decoded may still have somebody waiting for an answer.
//
// The only errors it returns are an event that nobody can be told of, and a report
// to CodeDeploy that could not be sent: Lambda then delivers the event again, and
// the invalidations are found instead of repeated. ECS would take an error for a
// crash, and roll back.
func (h *handler) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	log := h.log.With("service", h.settings.service)
	hook, err := decodeEvent(event)
	if err != nil {
		log.Error("event refused", "error", err.Error())
		return nil, err
	}
	working, reporting, cancel := invocation.Split(ctx, time.Now())
	defer cancel()
	if hook.codeDeploy != nil {
		return nothing, h.runForCodeDeploy(working, reporting, log, *hook.codeDeploy)
	}
	return h.runForECS(working, log, *hook.ecs), nil
}

// nothing is what Lambda gets where nobody reads the answer.
var nothing = []byte("null")

// ready returns why the hook can do nothing at all, if so.
func (h *handler) ready() error {
	if h.misconfigured != nil {
		return fmt.Errorf("the function's environment is wrong: %w; deploy the service's stack again", h.misconfigured)
	}
	return nil
}

// verdict is what an end does to the deployment.
type verdict struct {
	passes bool
	// consequence is for the log of an end that is a failure.
	consequence string
}

// judge applies the owner's choice. A deployment that is on its way back cannot be
// sent back once more; a failure there would leave it in between.
func (h *handler) judge(end ending, wayBack bool) verdict {
	switch {
	case !end.result.Failed:
		return verdict{passes: true}
	case wayBack:
		return verdict{true, "The deployment is on its way back already, so it goes on, and readers may see the pages of the release that is undone. "}
	case h.settings.onFailure == rollBack:
		return verdict{false, "ON_FAILURE is roll-back, so the deployment fails. "}
	default:
		return verdict{true, "ON_FAILURE is proceed, so the release stands, and readers may see old pages. "}
	}
}

// logEnd logs how the hook ended and what its caller was told, with its metrics.
func (h *handler) logEnd(log *slog.Logger, end ending, v verdict, told string) {
	// Without a name there is no metric to count it under.
	if h.settings.service != "" {
		log = log.With(invalidation.Metrics("service", end.result))
	}
	if end.result.Failed {
		log.Error("failed", "told", told, "message", v.consequence+end.message)
		return
	}
	log.Info("ended", "told", told, "message", end.message)
}
