package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
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
	// malformed lists the values of the event that are not as ECS sends them.
	malformed error
}

// ecsFields are the fields by which decodeEvent recognises the event.
var ecsFields = []string{"executionId", "lifecycleStage"}

// decodeECS never fails, because ECS treats an error of the function as a crash, and
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
