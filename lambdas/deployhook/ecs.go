package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"blog-deploy-pipeline/lambdas/internal/invocation"
)

// ecsEvent is ECS's event: a deployment has reached a lifecycle stage.
type ecsEvent struct {
	executionID, stage string
	deployment         string // ARN of the service deployment
	targetRevision     string // ARN of the service revision
	weights            string // of production traffic, in a canonical form
	// rollingBack is true if traffic returns from the revision that was being deployed.
	rollingBack bool
	details     json.RawMessage
	// malformed is what is wrong with the event's values.
	malformed error
}

// decodeECS never fails, because ECS takes an error of the function for a crash, and
// rolls back.
func decodeECS(fields map[string]json.RawMessage) *ecsEvent {
	e := ecsEvent{details: fields["hookDetails"]}
	var errs []error
	var execution map[string]json.RawMessage
	read := func(in map[string]json.RawMessage, name string, into any) {
		if raw := in[name]; raw != nil && json.Unmarshal(raw, into) != nil {
			errs = append(errs, fmt.Errorf("event's %s is of another type than ECS's", name))
		}
	}
	read(fields, "executionId", &e.executionID)
	read(fields, "lifecycleStage", &e.stage)
	read(fields, "resourceArn", &e.deployment)
	read(fields, "executionDetails", &execution)
	read(execution, "targetServiceRevisionArn", &e.targetRevision)
	if e.executionID == "" || e.stage == "" {
		errs = append(errs, errors.New("event's executionId or lifecycleStage is empty"))
	}
	e.weights = canonical(execution["productionTrafficWeights"])
	e.rollingBack = leaves(e.targetRevision, execution[shiftWeights[e.stage]])
	e.malformed = errors.Join(errs...)
	return &e
}

// shiftWeights names the field with the new traffic weights, for the stages that shift
// traffic. On a rollback ECS calls the hooks of these stages only.
var shiftWeights = map[string]string{
	"TEST_TRAFFIC_SHIFT":       "testTrafficWeights",
	"PRODUCTION_TRAFFIC_SHIFT": "productionTrafficWeights",
}

// leaves reports whether weights give all traffic to other revisions. As far as AWS
// documents it, the target revision of a rollback is still the one that was being
// deployed. If ECS named the old one, a rollback would look like a deployment of it.
func leaves(revision string, weights json.RawMessage) bool {
	var percent map[string]float64
	if weights == nil || json.Unmarshal(weights, &percent) != nil {
		return false
	}
	own, known := percent[revision]
	return known && own == 0 && len(percent) > 1
}

// canonical returns a JSON value in a form that does not depend on the order of fields or
// on the notation of numbers.
func canonical(raw json.RawMessage) string {
	var value any
	if raw == nil || json.Unmarshal(raw, &value) != nil {
		return ""
	}
	return string(mustMarshal(value))
}

// execution names this run of the hook. When ECS rolls back, it calls the hook for the
// same deployment, stage and revision, but with other weights.
func (e ecsEvent) execution() string {
	return "ecs/" + fingerprint(e.deployment, e.executionID, e.stage, e.targetRevision, e.weights)
}

func (e ecsEvent) log(log *slog.Logger) *slog.Logger {
	return log.With("deployment", e.deployment, "execution", e.executionID, "stage", e.stage)
}

// hookStatus is an answer that ECS accepts.
type hookStatus string

const (
	hookSucceeded  hookStatus = "SUCCEEDED"
	hookFailed     hookStatus = "FAILED"
	hookInProgress hookStatus = "IN_PROGRESS"
)

// hookAnswer is what ECS reads of the function's answer. The other two fields are only
// for a hook that is in progress.
//
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
type hookAnswer struct {
	Status hookStatus `json:"hookStatus"`
	// CallBackDelay is in seconds. ECS waits for 30 seconds without it.
	CallBackDelay int `json:"callBackDelay,omitempty"`
	// Details come back with the next call.
	Details json.RawMessage `json:"hookDetails,omitempty"`
}

// runForECS works for a while, and answers whether ECS has to call again. It never fails,
// because ECS takes an error for a crash, and rolls back.
func (h *handler) runForECS(ctx context.Context, log *slog.Logger, e ecsEvent) []byte {
	log = e.log(log)
	return mustMarshal(invocation.Guard(func() *slog.Logger { return log },
		func() hookAnswer { return h.clearInSeveralCalls(ctx, log, e) },
		func(message string) hookAnswer { return h.lastAnswer(log, e, refused(message)) }))
}

// clearInSeveralCalls continues the clearings of the previous calls.
func (h *handler) clearInSeveralCalls(ctx context.Context, log *slog.Logger, e ecsEvent) hookAnswer {
	err := h.ready()
	if err == nil {
		err = e.malformed
	}
	if err != nil {
		return h.lastAnswer(log, e, refused(err.Error()))
	}
	all, err := h.resume(log, e)
	if err != nil {
		return h.lastAnswer(log, e, refused(err.Error()))
	}
	h.advanceAll(ctx, log, h.settings.invalidation, all)
	if end, ended := summarise(all); ended {
		return h.lastAnswer(log, e, end)
	}
	delay := callBackDelay(all, time.Now())
	log.Info("continues", "callBackDelay", delay)
	return hookAnswer{Status: hookInProgress, CallBackDelay: delay, Details: encodeDetails(e, all)}
}

// lastAnswer returns the answer of a hook that has ended.
func (h *handler) lastAnswer(log *slog.Logger, e ecsEvent, end ending) hookAnswer {
	verdict := h.judge(end, e.rollingBack)
	answer := hookAnswer{Status: hookSucceeded}
	if !verdict.passes {
		answer.Status = hookFailed
	}
	h.logEnd(log, end, verdict, string(answer.Status))
	return answer
}

// maxCallBackDelay is short, because each call polls for longer than most invalidations
// need. The next call then notices the end of a slow one sooner than after ECS's own 30
// seconds.
const maxCallBackDelay = 5 * time.Second

// callBackDelay returns the whole seconds until the next call, which should not come
// later than at the first deadline.
func callBackDelay(all []clearing, now time.Time) int {
	delay := maxCallBackDelay
	for _, c := range all {
		if c.state == pending {
			delay = min(delay, c.progress.Deadline.Sub(now))
		}
	}
	// Rounded up, so that the call does not come before the deadline.
	return max(1, int((delay+time.Second-1)/time.Second))
}
