package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
)

// hook calls the function as ECS does until the hook has ended. It returns the last answer
// and the number of calls.
func (w *world) hook(t *testing.T, event []byte, between func(call int, event []byte) []byte) (last answer, calls int) {
	t.Helper()
	for call := event; calls < 100; {
		calls++
		last = w.ecs(t, call)
		if last.HookStatus != "IN_PROGRESS" {
			return last, calls
		}
		time.Sleep(time.Duration(*last.CallBackDelay) * time.Second)
		call = next(t, event, last)
		if between != nil {
			call = between(calls, call)
		}
	}
	t.Fatal("still in progress after 100 calls")
	return last, calls
}

func TestContinuation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(invalidationtest.CompletesAfter(100*time.Second), nil)
		start := time.Now()
		got, calls := w.hook(t, invocationtest.Event(t, "ecs-first-own-details"), func(_ int, event []byte) []byte {
			// The owner's own details must stay as they are.
			if want := `"limits":{"b":[1,2.5,1000.0],"a":null},"team":"SECRETteam"`; !strings.Contains(string(event), want) {
				t.Errorf("next event is %s, want %s in it", event, want)
			}
			return event
		})
		if got.HookStatus != "SUCCEEDED" || calls != 3 {
			t.Errorf("answered %s after %d calls, want SUCCEEDED after 3", got.HookStatus, calls)
		}
		if took := time.Since(start); took < 100*time.Second || took > 115*time.Second {
			t.Errorf("took %v, want it soon after 100 s", took)
		}
		if n := len(w.edge.Created()); n != 1 {
			t.Errorf("created %d times, want once", n)
		}
		// The time is counted over all calls.
		for _, line := range w.log.Lines(t) {
			if seconds, ok := line[contract.MetricSeconds].(float64); ok && seconds < 100 {
				t.Errorf("counted %v seconds, want all of them", seconds)
			}
		}
	})
}

// ECS promises neither one execution id for all calls of a hook nor weights that stay the
// same. One of them may change.
func TestContinuationWhenTheEventChanges(t *testing.T) {
	for name, change := range map[string]func(call int, fields map[string]any){
		"execution id": func(call int, fields map[string]any) { fields["executionId"] = fmt.Sprint("another-", call) },
		"weights": func(call int, fields map[string]any) {
			fields["executionDetails"].(map[string]any)["productionTrafficWeights"] = map[string]any{"a": call}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(invalidationtest.CompletesAfter(100*time.Second), nil)
				got, _ := w.hook(t, invocationtest.Event(t, "ecs-shift"), func(call int, event []byte) []byte {
					return edit(t, event, func(fields map[string]any) { change(call, fields) })
				})
				if n := len(w.edge.Created()); got.HookStatus != "SUCCEEDED" || n != 1 {
					t.Errorf("answered %s and created %d times, want SUCCEEDED and once", got.HookStatus, n)
				}
			})
		})
	}
}

// If CloudFront does not accept an invalidation in the first call, the next calls send the
// same batch.
func TestContinuationBeforeTheCreation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(invalidationtest.Refuses(invalidationtest.APIError(400, "Throttling", "Rate exceeded")), map[string]string{contract.EnvDeadline: "3m"})
		got, calls := w.hook(t, invocationtest.Event(t, "ecs-first"), nil)
		if got.HookStatus != "SUCCEEDED" || calls < 3 || len(w.references("E2EXAMPLE")) != 1 {
			t.Errorf("answered %s after %d calls with the references %q, want one", got.HookStatus, calls, w.references("E2EXAMPLE"))
		}
	})
}

// A failed clearing is not tried again, and does not stop the other one.
func TestContinuationAfterAFailure(t *testing.T) {
	for choice, want := range map[string]string{proceed: "SUCCEEDED", fail: "FAILED"} {
		synctest.Test(t, func(t *testing.T) {
			env := map[string]string{contract.EnvOnFailure: choice, contract.EnvDistributions: two[contract.EnvDistributions]}
			w := newWorld(invalidationtest.Each(map[string]*invalidationtest.CloudFront{
				"E2EXAMPLE": invalidationtest.Refuses(denied), "E3EXAMPLE": invalidationtest.CompletesAfter(time.Minute),
			}), env)
			got, calls := w.hook(t, invocationtest.Event(t, "ecs-first"), nil)
			if got.HookStatus != want || calls != 2 {
				t.Errorf("answered %s after %d calls, want %s after 2", got.HookStatus, calls, want)
			}
			if n := len(w.edge.Created()); n != 2 {
				t.Errorf("asked %d times to create, want once for each", n)
			}
			w.checkEnd(t, false, "1 0 false", want, []string{"E2EXAMPLE: failed in an earlier call of this hook", "E3EXAMPLE: invalidation I2J0I21PCUYOIK is completed"})
		})
	}
}

// The function may be deployed with another distribution while a hook is in progress.
func TestDistributionAddedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(invalidationtest.Each(map[string]*invalidationtest.CloudFront{
			"E2EXAMPLE": invalidationtest.CompletesAfter(time.Minute), "E3EXAMPLE": invalidationtest.CompletesAfter(0),
		}), nil)
		got, _ := w.hook(t, invocationtest.Event(t, "ecs-first"), func(_ int, event []byte) []byte {
			w.handler.settings, _ = readSettings(variables(two))
			return event
		})
		if got.HookStatus != "SUCCEEDED" || len(w.references("E2EXAMPLE")) != 1 || len(w.references("E3EXAMPLE")) != 1 {
			t.Errorf("answered %s, want both cleared once", got.HookStatus)
		}
	})
}

// The owner's own details come back byte for byte.
func TestOwnDetailsStayAsTheyAre(t *testing.T) {
	own := `{"limits":{"b":[1,2.50,1E3],"a":null},"team":"x"}`
	details := decodeDetails(ecsEvent{details: encodeDetails(ecsEvent{details: json.RawMessage(own)}, nil)})
	if got := string(details["limits"]); got != `{"b":[1,2.50,1E3],"a":null}` {
		t.Errorf("limits are %s, want them as they came", got)
	}
	if len(details) != 3 {
		t.Errorf("details have %d members, want the owner's two and ours: %v", len(details), details)
	}
}

// A deployment that is rolled back while its hook is in progress clears the cache again,
// although ECS hands over the state of the earlier run.
func TestStateOfAnotherRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(invalidationtest.Says("InProgress"), nil)
		there := w.ecs(t, invocationtest.Event(t, "ecs-shift"))
		w.ecs(t, next(t, invocationtest.Event(t, "ecs-shift-back"), there))
		if got := w.references("E2EXAMPLE"); len(got) != 2 {
			t.Errorf("references are %q, want one for each run", got)
		}
	})
}

func TestRefusedStates(t *testing.T) {
	event := invocationtest.Event(t, "ecs-first")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(invalidationtest.Says("InProgress"), map[string]string{contract.EnvOnFailure: fail})
		good := string(w.ecs(t, event).HookDetails[detailsKey])
		for name, bad := range map[string]string{
			"unknown field":     strings.Replace(good, `"v":1`, `"v":1,"w":2`, 1),
			"no version":        strings.Replace(good, `"v":1,`, ``, 1),
			"token":             strings.Replace(good, `\"v\":1`, `\"v\":9`, 1),
			"no token":          strings.Replace(good, `"token"`, `"invalidation"`, 1),
			"unknown end":       strings.Replace(good, `"token"`, `"ended"`, 1),
			"no distributions":  good[:strings.Index(good, `,"distributions"`)] + "}",
			"list":              `[]`,
			"distribution null": `{"v":1,"run":` + string(mustMarshal(decodeECSEvent(t, event).marks())) + `,"distributions":{"E2EXAMPLE":null}}`,
		} {
			if bad == good {
				t.Fatalf("%s: nothing was changed", name)
			}
			details := map[string]json.RawMessage{detailsKey: json.RawMessage(bad)}
			if got := w.ecs(t, next(t, event, answer{HookDetails: details})); got.HookStatus != "FAILED" {
				t.Errorf("%s: answered %s, want FAILED", name, got.HookStatus)
			}
		}
	})
}

func decodeECSEvent(t *testing.T, event []byte) *ecsEvent {
	t.Helper()
	decoded, err := decodeEvent(event)
	if err != nil {
		t.Fatal(err)
	}
	return decoded.ecs
}
