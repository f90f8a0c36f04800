package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/invocation"
)

// handler clears a service's distributions when a hook calls it, and gives the caller
// exactly one answer, whatever happens.
type handler struct {
	codeDeploy codeDeployClient
	cloudFront invalidation.CloudFront
	settings   settings
	// misconfigured is what is wrong with the function's environment. The function
	// reports it, because a function that does not start leaves a deployment waiting, or
	// rolls it back.
	misconfigured error
	log           *slog.Logger
}

// lambda.StartWithOptions accepts any value and checks it only when it runs.
var _ lambda.Handler = (*handler)(nil)

// Invoke implements lambda.Handler. It needs the raw event, because the caller waits for
// an answer even if the event cannot be decoded.
//
// The only errors it returns are an event of no known caller and a report to CodeDeploy
// that could not be sent. Lambda then delivers the event again, and the function finds
// the invalidations that it has created. ECS must get no error: it would take one for a
// crash, and roll back.
func (h *handler) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	log := h.log.With(contract.DimensionService, h.settings.service)
	hook, err := decodeEvent(event)
	if err != nil {
		log.Error("event refused", "error", err.Error())
		return nil, err
	}
	working, reporting, cancel := invocation.Split(ctx, time.Now())
	defer cancel()
	if hook.codeDeploy != nil {
		return invocation.NoAnswer, h.runForCodeDeploy(working, reporting, log, *hook.codeDeploy)
	}
	return h.runForECS(working, log, *hook.ecs), nil
}

// ready returns an error if the function can do nothing at all.
func (h *handler) ready() error {
	if h.misconfigured != nil {
		return fmt.Errorf("%w; deploy the service's stack again", h.misconfigured)
	}
	return nil
}

// verdict is the consequence of a hook's end for the deployment.
type verdict struct {
	passes bool
	// consequence explains it in the log, if the hook failed.
	consequence string
}

// judge applies the owner's choice. A deployment that is rolling back cannot roll back
// once more; a failure would leave it in between.
func (h *handler) judge(end ending, rollingBack bool) verdict {
	choice := fmt.Sprintf("%s is %s, so ", contract.EnvOnFailure, h.settings.onFailure)
	switch {
	case !end.result.Failed:
		return verdict{passes: true}
	case rollingBack:
		return verdict{true, "The deployment is rolling back already, so it goes on, and readers may see pages of the release that is undone. "}
	case h.settings.onFailure == contract.OnFailureFail:
		return verdict{false, choice + "the deployment fails. "}
	default:
		return verdict{true, choice + "the release stands, and readers may see old pages. "}
	}
}

// logEnd logs how the hook ended and what its caller was told, with the metrics.
func (h *handler) logEnd(log *slog.Logger, end ending, v verdict, told string) {
	log = log.With(invalidation.Metrics(contract.DimensionService, h.settings.service, end.result))
	if end.result.Failed {
		log.Error("failed", "told", told, "message", v.consequence+end.message)
		return
	}
	log.Info("ended", "told", told, "message", end.message)
}
