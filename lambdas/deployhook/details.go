package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/strictjson"
)

// detailsKey is where this function keeps its state in hookDetails. All other keys
// are the owner's own, from the service's definition.
const detailsKey = "blog-deploy-pipeline"

// detailsVersion changes whenever the state's meaning does.
const detailsVersion = 1

// hookState is what ECS keeps between two calls of one hook.
type hookState struct {
	Version int   `json:"v"`
	Marks   marks `json:"firing"`
	// Clearings by the distributions' ids.
	Clearings map[string]savedClearing `json:"distributions"`
}

// savedClearing is a clearing that goes on, as a token, or how one ended.
type savedClearing struct {
	Token          string        `json:"token,omitempty"`
	Ended          clearingState `json:"ended,omitempty"`
	InvalidationID string        `json:"invalidation,omitempty"`
	Milliseconds   int64         `json:"ms,omitempty"` // to Completed
}

// marks tell whether a state belongs to a firing.
type marks struct {
	Stage     string `json:"stage"` // with its deployment and revision
	Execution string `json:"execution"`
	Weights   string `json:"weights"`
}

func (f firing) marks() marks {
	return marks{
		Stage:     fingerprint(f.deployment, f.stage, f.targetRevision),
		Execution: fingerprint(f.executionID),
		Weights:   fingerprint(f.weights),
	}
}

// same allows for what ECS does not promise: that a hook's calls have one execution
// id, or that the weights stand still meanwhile. When a stage fires again on the
// way back, both differ.
func (m marks) same(other marks) bool {
	return m.Stage == other.Stage && (m.Execution == other.Execution || m.Weights == other.Weights)
}

// encodeDetails returns the owner's hookDetails with the clearings' state added.
func encodeDetails(f firing, all []clearing) json.RawMessage {
	state := hookState{Version: detailsVersion, Marks: f.marks(), Clearings: map[string]savedClearing{}}
	for _, c := range all {
		saved := savedClearing{Ended: c.state, InvalidationID: c.progress.InvalidationID, Milliseconds: c.took.Milliseconds()}
		if c.state == pending {
			saved = savedClearing{Token: invalidation.EncodeToken(c.execution, c.progress)}
		}
		state.Clearings[c.ID] = saved
	}
	details := ownDetails(f)
	details[detailsKey] = mustMarshal(state)
	return mustMarshal(details)
}

func mustMarshal(value any) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings, integers and what was decoded from JSON always encode
	}
	return text
}

// ownDetails returns the members of hookDetails. There are none where ECS sent
// nothing, null, or a value that is no object and so none of this function's.
func ownDetails(f firing) map[string]json.RawMessage {
	details := map[string]json.RawMessage{}
	if err := json.Unmarshal(f.details, &details); err != nil || details == nil {
		return map[string]json.RawMessage{}
	}
	return details
}

// resume returns the clearings where the hook's earlier calls left them, and fresh
// ones for the first call.
func (h *handler) resume(log *slog.Logger, f firing) ([]clearing, error) {
	all := start(h.settings.distributions, f.execution())
	saved, ok := ownDetails(f)[detailsKey]
	if !ok {
		return all, nil
	}
	state, err := decodeState(saved)
	if err != nil {
		return nil, fmt.Errorf("decode this function's state of %d characters in hookDetails: %w", len(saved), err)
	}
	if !state.Marks.same(f.marks()) {
		log.Warn("hookDetails hold the state of another firing; this one starts afresh")
		return all, nil
	}
	for i := range all {
		c := &all[i]
		// A distribution that the function has got since then starts afresh.
		saved, ok := state.Clearings[c.ID]
		if !ok {
			continue
		}
		if err := c.restore(saved); err != nil {
			return nil, fmt.Errorf("decode the state of %s in hookDetails: %w", c.ID, err)
		}
	}
	return all, nil
}

func decodeState(text json.RawMessage) (hookState, error) {
	var state hookState
	if err := strictjson.Decode(text, &state); err != nil {
		return state, err
	}
	if state.Version != detailsVersion {
		return state, fmt.Errorf("version is %d, this function knows %d", state.Version, detailsVersion)
	}
	if len(state.Clearings) == 0 {
		return state, errors.New("it has no distribution")
	}
	return state, nil
}

func (c *clearing) restore(saved savedClearing) (err error) {
	switch saved.Ended {
	case pending:
		c.execution, c.progress, err = invalidation.DecodeToken(saved.Token)
		return err
	case completed, created:
	case failed, late:
		c.message = "failed in an earlier call of this hook; its line in the log says why. To clear it, " + again(c.distribution)
	default:
		return errors.New("it has ended in a way that this function does not know")
	}
	c.state, c.progress.InvalidationID = saved.Ended, saved.InvalidationID
	c.took = time.Duration(saved.Milliseconds) * time.Millisecond
	return nil
}
