package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// hookEvent is the event of one of the two callers; the other is nil.
type hookEvent struct {
	codeDeploy *deployment
	ecs        *firing
}

// deployment is CodeDeploy's event. It does not say which lifecycle event the hook
// belongs to.
type deployment struct {
	id string
	// hookExecution is an encrypted token of CodeDeploy's; it is not logged.
	hookExecution string
}

// execution names this run of the hook: Lambda's retries and duplicates carry the
// same ids, every other hook and deployment has others.
func (d deployment) execution() string { return "codedeploy/" + fingerprint(d.id, d.hookExecution) }

func (d deployment) log(log *slog.Logger) *slog.Logger { return log.With("deployment", d.id) }

// firing is ECS's event: a lifecycle stage that fires the hook.
type firing struct {
	executionID, stage string
	deployment         string // ARN of the service deployment
	targetRevision     string // ARN of the service revision
	weights            string // of production traffic, in a canonical form
	// wayBack says that traffic returns from the revision that was being deployed.
	wayBack bool
	details json.RawMessage
	// malformed is what is wrong with the event, beyond its shape.
	malformed error
}

// execution names this firing. On the way back ECS fires a stage for the same
// deployment and revision; the weights tell it from the way there.
func (f firing) execution() string {
	return "ecs/" + fingerprint(f.deployment, f.executionID, f.stage, f.targetRevision, f.weights)
}

func (f firing) log(log *slog.Logger) *slog.Logger {
	return log.With("deployment", f.deployment, "execution", f.executionID, "stage", f.stage)
}

// The fields that an event of each caller has.
var (
	codeDeployFields = []string{"DeploymentId", "LifecycleEventHookExecutionId"}
	ecsFields        = []string{"executionId", "lifecycleStage"}
)

// decodeEvent tells the two shapes apart by their fields. An event of neither
// shape, or of both, is an error: there is nobody to tell.
//
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
func decodeEvent(event []byte) (hookEvent, error) {
	var fields map[string]json.RawMessage // a struct would take names in any case
	if err := json.Unmarshal(event, &fields); err != nil {
		return hookEvent{}, errors.New("event is not a JSON object: " + expected)
	}
	has := func(names []string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return fields[name] == nil })
	}
	isCodeDeploy, isECS := has(codeDeployFields), has(ecsFields)
	switch {
	case isCodeDeploy && isECS:
		return hookEvent{}, fmt.Errorf("event has the fields of both CodeDeploy and ECS: %s; %s", names(fields), expected)
	case isCodeDeploy:
		d, err := decodeDeployment(fields)
		return hookEvent{codeDeploy: d}, err
	case isECS:
		return hookEvent{ecs: decodeFiring(fields)}, nil
	default:
		return hookEvent{}, fmt.Errorf("event is neither CodeDeploy's nor ECS's; it has %s; %s", names(fields), expected)
	}
}

var expected = fmt.Sprintf("this function answers CodeDeploy's hooks (%s) and ECS's (%s, …) only",
	strings.Join(codeDeployFields, ", "), strings.Join(ecsFields, ", "))

// names lists an event's fields, without their values.
func names(fields map[string]json.RawMessage) string {
	if len(fields) == 0 {
		return "no fields"
	}
	const maxNames, maxLength = 20, 60
	var list []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if len(list) == maxNames {
			list = append(list, "…")
			break
		}
		list = append(list, fmt.Sprintf("%.*q", maxLength, name))
	}
	return "the fields " + strings.Join(list, ", ")
}

func decodeDeployment(fields map[string]json.RawMessage) (*deployment, error) {
	var d deployment
	for i, into := range []*string{&d.id, &d.hookExecution} {
		if err := json.Unmarshal(fields[codeDeployFields[i]], into); err != nil || *into == "" {
			return nil, fmt.Errorf("event's %s is empty or no string: without it nobody can be told", codeDeployFields[i])
		}
	}
	return &d, nil
}

// decodeFiring never fails: ECS takes an error for a crash, and rolls back.
func decodeFiring(fields map[string]json.RawMessage) *firing {
	f := firing{details: fields["hookDetails"]}
	var errs []error
	var execution map[string]json.RawMessage
	read := func(in map[string]json.RawMessage, name string, into any) {
		if raw := in[name]; raw != nil && json.Unmarshal(raw, into) != nil {
			errs = append(errs, fmt.Errorf("event's %s is of another type than ECS's", name))
		}
	}
	read(fields, "executionId", &f.executionID)
	read(fields, "lifecycleStage", &f.stage)
	read(fields, "resourceArn", &f.deployment)
	read(fields, "executionDetails", &execution)
	read(execution, "targetServiceRevisionArn", &f.targetRevision)
	if f.executionID == "" || f.stage == "" {
		errs = append(errs, errors.New("event's executionId or lifecycleStage is empty"))
	}
	f.weights = canonical(execution["productionTrafficWeights"])
	f.wayBack = leaves(f.targetRevision, execution[shiftWeights[f.stage]])
	f.malformed = errors.Join(errs...)
	return &f
}

// shiftWeights are the fields that say where a stage is shifting traffic to. On a
// rollback ECS fires these stages alone.
var shiftWeights = map[string]string{
	"TEST_TRAFFIC_SHIFT":       "testTrafficWeights",
	"PRODUCTION_TRAFFIC_SHIFT": "productionTrafficWeights",
}

// leaves says whether weights give all traffic to others than the revision, which on
// the way back is still the one that was being deployed, as far as AWS documents it.
// If ECS named the old one there, the way back would look like a deployment of it.
func leaves(revision string, weights json.RawMessage) bool {
	var percent map[string]float64
	if weights == nil || json.Unmarshal(weights, &percent) != nil {
		return false
	}
	own, known := percent[revision]
	return known && own == 0 && len(percent) > 1
}

// canonical returns a JSON value in the one form that does not depend on the order
// of fields or on how numbers are written.
func canonical(raw json.RawMessage) string {
	var value any
	if raw == nil || json.Unmarshal(raw, &value) != nil {
		return ""
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // what was decoded from JSON always encodes
	}
	return string(text)
}

// fingerprint is a short name for its parts.
func fingerprint(parts ...string) string {
	text, err := json.Marshal(parts)
	if err != nil {
		panic(err) // strings always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
