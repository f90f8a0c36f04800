package main

import (
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/rehearse/functiontest"
)

// The log has no secret, and its messages are whole sentences.
func TestLogOfEachEvent(t *testing.T) {
	edges := map[string]*invalidationtest.CloudFront{
		"Completed": invalidationtest.Says("Completed"), "InProgress": invalidationtest.Says("InProgress"), "panic": invalidationtest.Panics("The sky is falling."),
		"refusal": invalidationtest.Refuses(denied), "silence": {Hang: true},
	}
	for _, name := range invocationtest.Events(t) {
		for state, edge := range edges {
			t.Run(name+", "+state, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(edge, nil)
					_, err := w.invoke(t, invocationtest.Limit, invocationtest.Event(t, name))
					w.log.CheckSecrets(t, []string{"SECRET", "eyJlbmNyeXB0ZWREYXRhIjoi", "hookDetails\":", `"job":"`, "executionDetails\":", "LifecycleEventHookExecutionId\":"}, err)
					messages, bad := functiontest.Messages(w.log.String())
					if bad != nil {
						t.Error(bad)
					}
					for _, message := range messages {
						if slip := functiontest.Slip(message); slip != "" {
							t.Errorf("a message has %s: %s", slip, message)
						}
					}
				})
			})
		}
	}
}

func TestLogLinesNameTheirHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(invalidationtest.CompletesAfter(5*time.Second), nil)
		w.codeDeploy(t, "codedeploy")
		w.log.CheckLines(t, 3, map[string]string{contract.DimensionService: "shop", "deployment": "d-ABCDEF123"})
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(invalidationtest.CompletesAfter(time.Minute), nil)
		w.ecs(t, invocationtest.Event(t, "ecs-first"))
		w.log.CheckLines(t, 3, map[string]string{contract.DimensionService: "shop", "stage": "POST_PRODUCTION_TRAFFIC_SHIFT",
			"execution":  "a1b2c3d4-5678-90ab-cdef-111111111111",
			"deployment": "arn:aws:ecs:us-east-1:111122223333:service-deployment/production/shop/TM44erGFVBw1XNpdOMxpp"})
		lines := w.log.Lines(t)
		for _, line := range lines[:len(lines)-1] { // all but the last are about one distribution
			if line["distribution"] != "E2EXAMPLE" || line["invalidation"] != invalidationtest.ID {
				t.Errorf("line names no distribution or no invalidation: %v", line)
			}
		}
	})
}
