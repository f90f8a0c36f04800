package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
)

func TestECSEvents(t *testing.T) {
	tests := []struct {
		event       string
		wantStatus  string // with roll-back
		wantText    string // in the log
		wantCreated int
	}{
		{"ecs-first", "SUCCEEDED", "is completed", 1},
		{"ecs-first-null", "SUCCEEDED", "is completed", 1},
		{"ecs-first-own-details", "SUCCEEDED", "is completed", 1},
		{"ecs-first-text-details", "SUCCEEDED", "is completed", 1},
		{"ecs-shift", "SUCCEEDED", "is completed", 1},
		{"ecs-bare", "SUCCEEDED", "is completed", 1},
		{"ecs-wrong-types", "FAILED", "executionDetails is of another type", 0},
		{"ecs-empty-execution", "FAILED", "executionId or lifecycleStage is empty", 0},
		{"ecs-state-of-tomorrow", "FAILED", "version is 2, this function knows 1", 0},
		{"ecs-state-garbage", "FAILED", "state of 13 characters in hookDetails", 0},
		{"ecs-state-null", "FAILED", "version is 0, this function knows 1", 0},
	}
	for _, tt := range tests {
		for choice, want := range map[onFailure]string{proceed: "SUCCEEDED", rollBack: tt.wantStatus} {
			t.Run(tt.event+", "+string(choice), func(t *testing.T) {
				w := newWorld(invalidationtest.Says("Completed"), map[string]string{"ON_FAILURE": string(choice)})
				if got := w.ecs(t, invocationtest.Event(t, tt.event)); got.HookStatus != want {
					t.Errorf("answered %s, want %s", got.HookStatus, want)
				}
				if !strings.Contains(w.log.String(), tt.wantText) {
					t.Errorf("log has no %q:\n%s", tt.wantText, w.log.String())
				}
				if got := len(w.edge.Created()); got != tt.wantCreated {
					t.Errorf("created %d invalidations, want %d", got, tt.wantCreated)
				}
				counted, _ := invalidationtest.Counted(t, w.log.Lines(t))
				if failed := strings.HasPrefix(counted, "1 0"); failed != (tt.wantStatus == "FAILED") {
					t.Errorf("counted %q, want a failure: %v", counted, tt.wantStatus == "FAILED")
				}
			})
		}
	}
}

// hook plays ECS's calls of one hook until it has ended, and returns their number.
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
			// The owner's keys come back as they were.
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
			if seconds, ok := line["InvalidationSeconds"].(float64); ok && seconds < 100 {
				t.Errorf("counted %v seconds, want all of them", seconds)
			}
		}
	})
}

// The owner's members are handed back byte for byte.
func TestOwnDetailsStayAsTheyAre(t *testing.T) {
	own := `{"limits":{"b":[1,2.50,1E3],"a":null},"team":"x"}`
	details := ownDetails(firing{details: encodeDetails(firing{details: json.RawMessage(own)}, nil)})
	if got := string(details["limits"]); got != `{"b":[1,2.50,1E3],"a":null}` {
		t.Errorf("limits are %s, want them as they came", got)
	}
	if len(details) != 3 {
		t.Errorf("details have %d members, want the owner's two and ours: %v", len(details), details)
	}
}

// What ECS does not promise: one execution id for all calls of a hook, weights that
// stand still meanwhile. Either alone may change.
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

// CloudFront may take its time to accept, over several calls: always the same batch.
func TestContinuationBeforeTheCreation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(invalidationtest.Refuses(invalidationtest.APIError(400, "Throttling", "Rate exceeded")), map[string]string{"DEADLINE": "3m"})
		got, calls := w.hook(t, invocationtest.Event(t, "ecs-first"), nil)
		if got.HookStatus != "SUCCEEDED" || calls < 3 || len(w.references("E2EXAMPLE")) != 1 {
			t.Errorf("answered %s after %d calls with the references %q, want one", got.HookStatus, calls, w.references("E2EXAMPLE"))
		}
	})
}

func TestOneReferenceForEachFiring(t *testing.T) {
	w := newWorld(invalidationtest.Says("Completed"), nil)
	fire := func(event []byte) int {
		w.ecs(t, event)
		return len(slices.Compact(slices.Sorted(slices.Values(w.references("E2EXAMPLE")))))
	}
	shift := invocationtest.Event(t, "ecs-shift")
	if n := fire(shift); n != 1 {
		t.Fatalf("%d references, want 1", n)
	}
	for _, again := range []string{"ecs-shift", "ecs-shift-written-otherwise"} {
		if n := fire(invocationtest.Event(t, again)); n != 1 {
			t.Errorf("%s: the same firing delivered again made %d references, want 1", again, n)
		}
	}
	if n := fire(invocationtest.Event(t, "ecs-shift-back")); n != 2 {
		t.Errorf("the way back made it %d references, want 2", n)
	}
	// Each of these alone makes another firing.
	for i, change := range []func(map[string]any){
		func(f map[string]any) { f["executionId"] = "another" },
		func(f map[string]any) { f["lifecycleStage"] = "POST_SCALE_UP" },
		func(f map[string]any) { f["resourceArn"] = "arn:another" },
		func(f map[string]any) {
			f["executionDetails"].(map[string]any)["targetServiceRevisionArn"] = "arn:another"
		},
		func(f map[string]any) {
			f["executionDetails"].(map[string]any)["productionTrafficWeights"] = map[string]any{"a": 50, "b": 50}
		},
	} {
		if n := fire(edit(t, shift, change)); n != 3+i {
			t.Errorf("change %d: %d references, want %d", i, n, 3+i)
		}
	}
}

// A state that a firing left behind is not the next one's: the way back of a
// deployment that was rolled back while it waited must clear the cache again.
func TestStateOfAnotherFiring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(invalidationtest.Says("InProgress"), nil)
		there := w.ecs(t, invocationtest.Event(t, "ecs-shift"))
		w.ecs(t, next(t, invocationtest.Event(t, "ecs-shift-back"), there))
		if got := w.references("E2EXAMPLE"); len(got) != 2 {
			t.Errorf("references are %q, want one for each firing", got)
		}
	})
}

// A hook that fails while the deployment is on its way back must not stop it there.
func TestFailureOnTheWayBack(t *testing.T) {
	shift := invocationtest.Event(t, "ecs-shift")
	testShift := edit(t, shift, func(f map[string]any) {
		f["lifecycleStage"] = "TEST_TRAFFIC_SHIFT"
		details := f["executionDetails"].(map[string]any)
		details["testTrafficWeights"] = map[string]any{details["targetServiceRevisionArn"].(string): 0, "another": 100}
	})
	for _, tt := range []struct {
		name  string
		event []byte
		want  string
	}{
		{"way there", shift, "FAILED"},
		{"way back", invocationtest.Event(t, "ecs-shift-back"), "SUCCEEDED"},
		{"way back of the test traffic", testShift, "SUCCEEDED"},
		{"after the shift", edit(t, testShift, func(f map[string]any) { f["lifecycleStage"] = "POST_TEST_TRAFFIC_SHIFT" }), "FAILED"},
		{"no weights", edit(t, shift, func(f map[string]any) {
			f["executionDetails"].(map[string]any)["productionTrafficWeights"] = map[string]any{}
		}), "FAILED"},
	} {
		w := newWorld(invalidationtest.Refuses(denied), map[string]string{"ON_FAILURE": "roll-back"})
		if got := w.ecs(t, tt.event); got.HookStatus != tt.want {
			t.Errorf("%s: answered %s, want %s", tt.name, got.HookStatus, tt.want)
		}
		if counted, level := invalidationtest.Counted(t, w.log.Lines(t)); counted != "1 0 false" || level != "ERROR" {
			t.Errorf("%s: counted %q at %q, want a failure", tt.name, counted, level)
		}
	}
}

// One that failed stays failed, is not asked for again, and does not stop the other.
func TestContinuationOfTheOther(t *testing.T) {
	for choice, want := range map[string]string{"proceed": "SUCCEEDED", "roll-back": "FAILED"} {
		synctest.Test(t, func(t *testing.T) {
			env := map[string]string{"ON_FAILURE": choice, "DISTRIBUTIONS": two["DISTRIBUTIONS"]}
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

// The function may be deployed with other distributions while a hook waits.
func TestDistributionAddedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(invalidationtest.Each(map[string]*invalidationtest.CloudFront{
			"E2EXAMPLE": invalidationtest.CompletesAfter(time.Minute), "E3EXAMPLE": invalidationtest.CompletesAfter(0),
		}), nil)
		got, _ := w.hook(t, invocationtest.Event(t, "ecs-first"), func(_ int, event []byte) []byte {
			w.handler.settings, _ = parseSettings(theService(two))
			return event
		})
		if got.HookStatus != "SUCCEEDED" || len(w.references("E2EXAMPLE")) != 1 || len(w.references("E3EXAMPLE")) != 1 {
			t.Errorf("answered %s, want both cleared once", got.HookStatus)
		}
	})
}

func TestSpoiltStates(t *testing.T) {
	event := invocationtest.Event(t, "ecs-first")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(invalidationtest.Says("InProgress"), map[string]string{"ON_FAILURE": "roll-back"})
		good := string(w.ecs(t, event).HookDetails[detailsKey])
		for name, bad := range map[string]string{
			"unknown field":     strings.Replace(good, `"v":1`, `"v":1,"w":2`, 1),
			"no version":        strings.Replace(good, `"v":1,`, ``, 1),
			"token":             strings.Replace(good, `\"v\":1`, `\"v\":9`, 1),
			"no token":          strings.Replace(good, `"token"`, `"invalidation"`, 1),
			"unknown end":       strings.Replace(good, `"token"`, `"ended"`, 1),
			"no distributions":  good[:strings.Index(good, `,"distributions"`)] + "}",
			"list":              `[]`,
			"distribution null": `{"v":1,"firing":` + string(mustMarshal(decodeFiringOf(t, event).marks())) + `,"distributions":{"E2EXAMPLE":null}}`,
		} {
			if bad == good {
				t.Fatalf("%s: nothing was spoilt", name)
			}
			details := map[string]json.RawMessage{detailsKey: json.RawMessage(bad)}
			if got := w.ecs(t, next(t, event, answer{HookDetails: details})); got.HookStatus != "FAILED" {
				t.Errorf("%s: answered %s, want FAILED", name, got.HookStatus)
			}
		}
	})
}

func decodeFiringOf(t *testing.T, event []byte) *firing {
	t.Helper()
	decoded, err := decodeEvent(event)
	if err != nil {
		t.Fatal(err)
	}
	return decoded.ecs
}

func TestCallBackDelay(t *testing.T) {
	now := time.Now()
	for left, want := range map[time.Duration]int{time.Hour: 5, 5 * time.Second: 5, 3200 * time.Millisecond: 4, 0: 1, -time.Minute: 1} {
		waiting := clearing{}
		waiting.progress.Deadline = now.Add(left)
		if got := callBackDelay([]clearing{waiting, {state: failed}}, now); got != want {
			t.Errorf("%v before the deadline: %d s, want %d", left, got, want)
		}
	}
}

// ECS's call ends in time for an answer, too.
func TestAnswersBeforeLambdasDeadline(t *testing.T) {
	for _, limit := range invocationtest.Limits {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(&invalidationtest.CloudFront{Hang: true}, map[string]string{"POLL_FOR": "1h"})
			start := time.Now()
			payload, err := w.invoke(t, limit, invocationtest.Event(t, "ecs-first"))
			if left := limit - time.Since(start); err != nil || left <= 0 {
				t.Errorf("%v: error %v with %v left", limit, err, left)
			}
			readAnswer(t, payload)
		})
	}
}
