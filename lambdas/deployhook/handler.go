package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invocation"
)

// handler clears a service's distributions when a hook calls it, and gives the caller
// exactly one answer, whatever happens.
type handler struct {
	hook

	codeDeploy codeDeployClient
	log        *slog.Logger
}

// lambda.StartWithOptions accepts any value and checks it only when it runs.
var _ lambda.Handler = (*handler)(nil)

// Invoke implements lambda.Handler. It needs the raw event, because the caller waits for
// an answer even if the event cannot be decoded.
//
// The only errors it returns are an event of no known caller and a report to CodeDeploy
// that could not be sent. Lambda then delivers the event again, and the function finds
// the invalidations that it has created. ECS must get no error, because it
// treats one as a crash, and rolls back.
func (h *handler) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	log := h.log.With(contract.DimensionService, h.settings.service)
	e, err := decodeEvent(event)
	if err != nil {
		log.Error("event refused", "error", err.Error())
		return nil, err
	}
	working, reporting, cancel := invocation.Split(ctx, time.Now())
	defer cancel()
	if e.codeDeploy != nil {
		return invocation.NoAnswer, h.runForCodeDeploy(working, reporting, h.codeDeploy, log, *e.codeDeploy)
	}
	return h.runForECS(working, log, *e.ecs), nil
}
