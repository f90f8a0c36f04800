package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// hookEvent is the event of one of the two callers. The other field is nil.
type hookEvent struct {
	codeDeploy *codeDeployEvent
	ecs        *ecsEvent
}

// decodeEvent distinguishes the callers by the fields of their events. It returns an error
// for an event of neither caller or of both, because nobody waits for an answer then.
//
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
func decodeEvent(event []byte) (hookEvent, error) {
	var fields map[string]json.RawMessage // a struct would accept names in any case
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
		d, err := decodeCodeDeploy(fields)
		return hookEvent{codeDeploy: d}, err
	case isECS:
		return hookEvent{ecs: decodeECS(fields)}, nil
	default:
		return hookEvent{}, fmt.Errorf("event is neither CodeDeploy's nor ECS's; it has %s; %s", names(fields), expected)
	}
}

var expected = fmt.Sprintf("this function answers CodeDeploy's hooks (%s) and ECS's (%s, …) only",
	strings.Join(codeDeployFields, ", "), strings.Join(ecsFields, ", "))

// names returns the names of an event's fields, without their values.
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
