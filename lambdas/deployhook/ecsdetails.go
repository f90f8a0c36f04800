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

// detailsKey is the key of this function's state in hookDetails. All other keys are the
// owner's own, from the definition of the service.
const detailsKey = "blog-deploy-pipeline"

// detailsVersion changes whenever the meaning of the state does.
const detailsVersion = 1

// hookState is the state that ECS keeps between two calls of one run of the hook.
type hookState struct {
	Version int   `json:"v"`
	Marks   marks `json:"run"`
	// Clearings have the ids of the distributions as keys.
	Clearings map[string]savedClearing `json:"distributions"`
}

// savedClearing is a pending clearing, as a token, or how a clearing ended.
type savedClearing struct {
	Token          string        `json:"token,omitempty"`
	Ended          clearingState `json:"ended,omitempty"`
	InvalidationID string        `json:"invalidation,omitempty"`
	Milliseconds   int64         `json:"ms,omitempty"` // until it was completed
}

// marks show whether a state belongs to the run of the hook that an event is about.
type marks struct {
	Stage     string `json:"stage"` // with its deployment and revision
	Execution string `json:"execution"`
	Weights   string `json:"weights"`
}

func (e ecsEvent) marks() marks {
	return marks{
		Stage:     fingerprint(e.deployment, e.stage, e.targetRevision),
		Execution: fingerprint(e.executionID),
		Weights:   fingerprint(e.weights),
	}
}

// same reports whether two events are about the same run of the hook. ECS promises
// neither that all calls of a run have one execution id nor that the weights stay the
// same, so one of them may differ. When a stage comes again on a rollback, both differ.
func (m marks) same(other marks) bool {
	return m.Stage == other.Stage && (m.Execution == other.Execution || m.Weights == other.Weights)
}

// encodeDetails returns the owner's hookDetails together with the state of the clearings.
func encodeDetails(e ecsEvent, all []clearing) json.RawMessage {
	state := hookState{Version: detailsVersion, Marks: e.marks(), Clearings: map[string]savedClearing{}}
	for _, c := range all {
		saved := savedClearing{Ended: c.state, InvalidationID: c.progress.InvalidationID, Milliseconds: c.took.Milliseconds()}
		if c.state == pending {
			saved = savedClearing{Token: invalidation.EncodeToken(c.Execution, c.progress)}
		}
		state.Clearings[c.ID] = saved
	}
	details := decodeDetails(e)
	details[detailsKey] = mustMarshal(state)
	return mustMarshal(details)
}

// decodeDetails returns the members of hookDetails. It returns none if ECS sent nothing,
// null, or a value that is no object and so not this function's.
func decodeDetails(e ecsEvent) map[string]json.RawMessage {
	details := map[string]json.RawMessage{}
	if err := json.Unmarshal(e.details, &details); err != nil || details == nil {
		return map[string]json.RawMessage{}
	}
	return details
}

// resume returns the clearings as the previous calls left them, or new ones for the first
// call.
func (h *hook) resume(log *slog.Logger, e ecsEvent) ([]clearing, error) {
	all := start(h.settings.distributions, e.execution())
	saved, ok := decodeDetails(e)[detailsKey]
	if !ok {
		return all, nil
	}
	state, err := decodeState(saved)
	if err != nil {
		return nil, fmt.Errorf("decode this function's state in hookDetails, of length %d: %w", len(saved), err)
	}
	if !state.Marks.same(e.marks()) {
		log.Warn("hookDetails has the state of another run of the hook; this run starts from the beginning")
		return all, nil
	}
	for i := range all {
		c := &all[i]
		saved, ok := state.Clearings[c.ID]
		if !ok {
			continue // the function was deployed with another distribution meanwhile
		}
		if err := h.restore(c, saved); err != nil {
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

func (h *hook) restore(c *clearing, saved savedClearing) (err error) {
	switch saved.Ended {
	case pending:
		c.Execution, c.progress, err = invalidation.DecodeToken(saved.Token)
		return err
	case completed, created:
	case failed, late:
		c.message = "failed in an earlier call of this hook; its line in the log says why. To clear it, " + h.again(c.Distribution)
	default:
		return errors.New("it has ended in a way that this function does not know")
	}
	c.state, c.progress.InvalidationID = saved.Ended, saved.InvalidationID
	c.took = time.Duration(saved.Milliseconds) * time.Millisecond
	return nil
}
