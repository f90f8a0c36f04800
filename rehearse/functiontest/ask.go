package functiontest

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

// Asked is what came of a direct request to a world's function.
type Asked struct {
	// Calls holds the calls of the function, each of which has one answer or has failed.
	Calls []Request
	// Answer is the last one. Answered is false if the function has failed too often.
	Answer   contract.DirectAnswer
	Answered bool

	said []string
}

const (
	// maxCalls ends a direct request that would never end.
	maxCalls = 300
	// askPause is how long who asks waits before the next call.
	askPause = 200 * time.Millisecond
)

// Ask asks the function directly, as the owner's commands do: with the token of each answer until there is none, and again
// after a crash, [Tries] times in all. onEvent gets each event before it is sent; it may be nil.
func (w *World) Ask(ctx context.Context, d contract.Direct, onEvent func(event []byte)) (Asked, error) {
	var a Asked
	crashes := 0
	for range maxCalls {
		event := []byte(contract.JSON(contract.DirectEvent{Direct: d}))
		if onEvent != nil {
			onEvent(event)
		}
		result, err := w.Function.Invoke(ctx, event)
		if err != nil {
			return a, err
		}
		call := Request{Attempts: []lambdaruntime.Result{result}, Synchronous: true}
		a.said = append(a.said, string(result.Payload))
		if result.Err != nil {
			a.Calls = append(a.Calls, call)
			if crashes++; crashes == Tries {
				return a, nil
			}
			continue
		}
		call.Reports = 1
		a.Calls, a.Answer = append(a.Calls, call), contract.DirectAnswer{}
		if err := json.Unmarshal(result.Payload, &a.Answer); err != nil {
			return a, fmt.Errorf("decode the answer %s: %w", result.Payload, err)
		}
		if d.Token = a.Answer.Token; d.Token == "" {
			a.Answered = true
			return a, nil
		}
		time.Sleep(askPause)
	}
	return a, fmt.Errorf("still not done after %d calls: %s", maxCalls, contract.JSON(a.Answer))
}

// Ended returns how the request ended, as an action does: "success", a failure type, or [NoReport].
func (a Asked) Ended() string {
	switch {
	case !a.Answered:
		return NoReport
	case a.Answer.Failure != "":
		return a.Answer.Failure
	}
	return "success"
}

// Record returns what [World.BrokenRules] checks of the request. killed says that the test has killed the process.
func (a Asked) Record(killed bool) Record {
	record := Record{Requests: a.Calls, Said: a.said}
	for i := range record.Requests {
		record.Requests[i].Killed = killed
	}
	return record
}
