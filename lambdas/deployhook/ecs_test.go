package main

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
)

func TestECSEvents(t *testing.T) {
	tests := []struct {
		event       string
		wantStatus  string // with OnFailureFail
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
		{"ecs-state-garbage", "FAILED", "state in hookDetails, of length 13", 0},
		{"ecs-state-null", "FAILED", "version is 0, this function knows 1", 0},
	}
	for _, tt := range tests {
		for choice, want := range map[string]string{proceed: "SUCCEEDED", fail: tt.wantStatus} {
			t.Run(tt.event+", "+choice, func(t *testing.T) {
				w := newWorld(invalidationtest.Says("Completed"), map[string]string{contract.EnvOnFailure: choice})
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

func TestOneInvalidationForEachRunOfAHook(t *testing.T) {
	w := newWorld(invalidationtest.Says("Completed"), nil)
	call := func(event []byte) int {
		w.ecs(t, event)
		return len(slices.Compact(slices.Sorted(slices.Values(w.references("E2EXAMPLE")))))
	}
	shift := invocationtest.Event(t, "ecs-shift")
	if n := call(shift); n != 1 {
		t.Fatalf("%d references, want 1", n)
	}
	for _, again := range []string{"ecs-shift", "ecs-shift-written-otherwise"} {
		if n := call(invocationtest.Event(t, again)); n != 1 {
			t.Errorf("%s: the same event delivered again made %d references, want 1", again, n)
		}
	}
	if n := call(invocationtest.Event(t, "ecs-shift-back")); n != 2 {
		t.Errorf("the rollback made it %d references, want 2", n)
	}
	// Each of these changes makes another run of the hook.
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
		if n := call(edit(t, shift, change)); n != 3+i {
			t.Errorf("change %d: %d references, want %d", i, n, 3+i)
		}
	}
}

// A hook that fails does not stop a deployment that is rolling back.
func TestFailureDuringARollback(t *testing.T) {
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
		{"deployment", shift, "FAILED"},
		{"rollback", invocationtest.Event(t, "ecs-shift-back"), "SUCCEEDED"},
		{"rollback of the test traffic", testShift, "SUCCEEDED"},
		{"after the shift", edit(t, testShift, func(f map[string]any) { f["lifecycleStage"] = "POST_TEST_TRAFFIC_SHIFT" }), "FAILED"},
		{"no weights", edit(t, shift, func(f map[string]any) {
			f["executionDetails"].(map[string]any)["productionTrafficWeights"] = map[string]any{}
		}), "FAILED"},
	} {
		w := newWorld(invalidationtest.Refuses(denied), map[string]string{contract.EnvOnFailure: fail})
		if got := w.ecs(t, tt.event); got.HookStatus != tt.want {
			t.Errorf("%s: answered %s, want %s", tt.name, got.HookStatus, tt.want)
		}
		if counted, level := invalidationtest.Counted(t, w.log.Lines(t)); counted != "1 0 false" || level != "ERROR" {
			t.Errorf("%s: counted %q at %q, want a failure", tt.name, counted, level)
		}
	}
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

// The function answers ECS before Lambda stops it.
func TestAnswersBeforeLambdasDeadline(t *testing.T) {
	for _, limit := range invocationtest.Limits {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(&invalidationtest.CloudFront{Hang: true}, map[string]string{contract.EnvPollFor: "1h"})
			start := time.Now()
			payload, err := w.invoke(t, limit, invocationtest.Event(t, "ecs-first"))
			if left := limit - time.Since(start); err != nil || left <= 0 {
				t.Errorf("%v: error %v with %v left", limit, err, left)
			}
			readAnswer(t, payload)
		})
	}
}
