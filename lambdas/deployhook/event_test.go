package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
)

func TestRefusedEvents(t *testing.T) {
	tests := map[string][]string{
		"codedeploy-no-hook-id":      {`"DeploymentId", "Secret"`, "neither"},
		"codedeploy-empty-id":        {"DeploymentId is empty"},
		"codedeploy-number-id":       {"DeploymentId is empty or no string"},
		"codedeploy-in-another-case": {`"deploymentId", "lifecycleEventHookExecutionId"`, "neither"},
		"codepipeline-job":           {`"CodePipeline.job"`, "neither"},
		"both":                       {`"DeploymentId"`, `"executionId"`, "both"},
		"not-an-object":              {"not a JSON object"},
		"null":                       {"no fields"},
	}
	for event, wants := range tests {
		t.Run(event, func(t *testing.T) {
			w := newWorld(invalidationtest.Says("Completed"), nil)
			_, err := w.invoke(t, invocationtest.Limit, invocationtest.Event(t, event))
			if err == nil {
				t.Fatal("no error, want one that says what came")
			}
			for _, want := range wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error is %q, want %q in it", err, want)
				}
			}
			if n := len(w.deploy.reports) + len(w.edge.Created()); n != 0 {
				t.Errorf("made %d calls, want none", n)
			}
		})
	}
}

// FuzzInvoke checks that each event has one report to CodeDeploy, one valid answer to
// ECS, or an error and no call.
func FuzzInvoke(f *testing.F) {
	invocationtest.Seed(f)
	f.Fuzz(func(t *testing.T, event []byte) {
		w := newWorld(invalidationtest.Says("Completed"), map[string]string{contract.EnvOnFailure: fail})
		payload, err := w.invoke(t, invocationtest.Limit, event)
		var fields map[string]json.RawMessage
		isObject := json.Unmarshal(event, &fields) == nil
		has := func(names ...string) bool {
			return isObject && !slices.ContainsFunc(names, func(name string) bool { return fields[name] == nil })
		}
		isCodeDeploy, isECS := has("DeploymentId", "LifecycleEventHookExecutionId"), has("executionId", "lifecycleStage")
		switch reports := len(w.deploy.reports); {
		case isECS && !isCodeDeploy:
			if err != nil || reports != 0 {
				t.Fatalf("error %v and %d reports for ECS, want neither", err, reports)
			}
			if a := readAnswer(t, payload); a.HookStatus != "SUCCEEDED" && a.HookStatus != "FAILED" {
				t.Errorf("answered %s", payload)
			}
		case isCodeDeploy && !isECS && err == nil:
			if reports != 1 || string(payload) != "null" {
				t.Errorf("%d reports and %s, want one report", reports, payload)
			}
		case err == nil || reports != 0 || len(w.edge.Created()) != 0:
			t.Errorf("error %v, %d reports and %d invalidations, want an error and no call", err, reports, len(w.edge.Created()))
		}
	})
}
