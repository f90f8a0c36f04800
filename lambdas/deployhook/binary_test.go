package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
)

// The flow of the article: traffic has shifted, the hook runs, the invalidation goes from
// InProgress to Completed, the function reports to CodeDeploy, and the deployment succeeds.
func TestBinaryTheArticlesFlow(t *testing.T) {
	s := scenario{edges: []fakeaws.Distribution{{ID: edgeID, CompleteAfterGets: 2}}, env: map[string]string{contract.EnvOnFailure: fail}}
	d, err := s.byCodeDeploy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if broken := d.BrokenRules(d.record); len(broken) > 0 {
		t.Error(broken)
	}
	var calls []string
	for _, call := range d.Cloud.Calls() {
		calls = append(calls, strings.TrimSpace(call.Action+" "+call.Status))
	}
	want := []string{"cloudfront:CreateInvalidation", "cloudfront:GetInvalidation", "cloudfront:GetInvalidation", "codedeploy:PutLifecycleEventHookExecutionStatus Succeeded"}
	if !slices.Equal(calls, want) {
		t.Errorf("calls are %q, want %q", calls, want)
	}
	for _, want := range []string{`"status":"InProgress"`, `"status":"Completed"`, `"` + contract.MetricFailed + `":0`} {
		if !strings.Contains(d.Function.Logs(), want) {
			t.Errorf("log has no %s:\n%s", want, d.Function.Logs())
		}
	}
	events := d.codeDeploy.Events()
	if last := events[len(events)-1]; d.status != "Succeeded" || last != (fakeaws.LifecycleEvent{Name: "AfterAllowTraffic", Status: "Succeeded"}) {
		t.Errorf("deployment is %s with %v at its end, want both to have succeeded", d.status, last)
	}
}

// A failed invalidation rolls the release back, if that is the owner's choice.
func TestBinaryTheArticlesFlowFails(t *testing.T) {
	for choice, want := range map[string]string{proceed: "Succeeded, not cleared", fail: "Failed, not cleared"} {
		s := scenario{env: map[string]string{contract.EnvOnFailure: choice, contract.EnvDistributions: distributions(contract.Distribution{ID: "E1NOTTHERE0000"})}}
		d, err := s.byCodeDeploy(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := d.outcome(); got != want {
			t.Errorf("%s: ended as %q, want %q", choice, got, want)
		}
		if got, want := d.codeDeploy.Rollback() != nil, choice == fail; got != want {
			t.Errorf("%s: rolled back: %v, want %v", choice, got, want)
		}
		if logs := d.Function.Logs(); d.counted() != 1 || !strings.Contains(logs, `"`+contract.MetricFailed+`":1`) || !strings.Contains(logs, "aws cloudfront create-invalidation --distribution-id E1NOTTHERE0000") {
			t.Errorf("%s: log counts no failure, or does not say what to do:\n%s", choice, logs)
		}
	}
}

func TestBinaryWaitsForTheCreationOnly(t *testing.T) {
	s := scenario{edges: []fakeaws.Distribution{{ID: edgeID, CompleteAfter: time.Hour}}, env: map[string]string{contract.EnvWaitFor: string(contract.WaitForCreated), contract.EnvOnFailure: fail}}
	d, err := s.byCodeDeploy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d.outcome() != "Succeeded" || d.Count(functiontest.Calls("cloudfront:GetInvalidation")) != 0 {
		t.Errorf("ended as %q, want Succeeded without a poll\n%s", d.outcome(), d.Function.Logs())
	}
}

// The other distributions are cleared, and the message has CloudFront's own words for the
// one that is not.
func TestBinaryKeepsTheCause(t *testing.T) {
	const other = "E3ANOTHERONE000"
	s := scenario{
		edges: []fakeaws.Distribution{{ID: edgeID, CompleteAfter: 50 * time.Millisecond}, {ID: other}},
		env:   map[string]string{contract.EnvDeadline: "1s", contract.EnvOnFailure: fail},
		cloud: fakeaws.Options{Fault: func(call fakeaws.Call) fakeaws.Fault {
			if strings.HasSuffix(call.Resource, other) {
				return fakeaws.Fault{Kind: fakeaws.Throttle}
			}
			return fakeaws.Fault{}
		}},
	}
	d, err := s.byCodeDeploy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	logs := d.Function.Logs()
	if d.outcome() != "Failed, not cleared" || !strings.Contains(logs, other+": CloudFront accepted no invalidation") || !strings.Contains(logs, "Throttling") {
		t.Errorf("ended as %q, want a failure that says Throttling\n%s", d.outcome(), logs)
	}
	if n := len(d.Cloud.Invalidations(edgeID)); n != 1 {
		t.Errorf("%d invalidations of the other distribution, want 1", n)
	}
}

// The hook clears the cache again on a rollback, because readers may have fetched pages of
// the release that is undone.
func TestBinaryECSAndItsRollback(t *testing.T) {
	for _, newIDs := range []bool{false, true} { // whether a hook's calls share an id is not documented
		s := scenario{edges: []fakeaws.Distribution{{ID: edgeID, CompleteAfter: functiontest.Soon}}, env: functiontest.OneCall}
		d, err := s.byECS(t.Context(), fakeaws.ServiceDeploymentInput{NewExecutionIDs: newIDs}, "FAILED", "PRODUCTION_TRAFFIC_SHIFT")
		if err != nil {
			t.Fatal(err)
		}
		d.record.Firings = 2
		if broken := d.BrokenRules(d.record); len(broken) > 0 {
			t.Error(broken)
		}
		if d.outcome() != "ROLLBACK_SUCCESSFUL" || len(d.record.Requests) < 4 {
			t.Errorf("ended as %q after %d calls, want ROLLBACK_SUCCESSFUL after several for each run of the hook", d.outcome(), len(d.record.Requests))
		}
		if n := len(d.Cloud.Invalidations(edgeID)); n != 2 {
			t.Errorf("%d invalidations, want one for the shift and one for the rollback", n)
		}
		if n := d.counted(); n != 2 {
			t.Errorf("counted %d ends, want 2", n)
		}
	}
}

// The hook continues at both default stages of an ECS service.
func TestBinaryECSContinues(t *testing.T) {
	s := scenario{
		edges: []fakeaws.Distribution{{ID: edgeID, CompleteAfter: 400 * time.Millisecond}, {ID: "E3ANOTHERONE000"}},
		// ECS delivers each event twice.
		started: func(w *functiontest.World, event []byte) { w.Again(t.Context(), event) },
	}
	d, err := s.byECS(t.Context(), fakeaws.ServiceDeploymentInput{}, "", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT")
	if err != nil {
		t.Fatal(err)
	}
	d.record.Firings = 2
	if broken := d.BrokenRules(d.record); len(broken) > 0 {
		t.Error(broken)
	}
	if d.outcome() != "SUCCESSFUL" || len(d.record.Requests) < 4 {
		t.Errorf("ended as %q after %d calls, want SUCCESSFUL after several for each stage\n%s", d.outcome(), len(d.record.Requests), d.Function.Logs())
	}
	for _, id := range []string{edgeID, "E3ANOTHERONE000"} {
		if n := len(d.Cloud.Invalidations(id)); n != 2 {
			t.Errorf("%d invalidations of %s, want one for each stage", n, id)
		}
	}
}

// The function returns an error for an event of neither caller, and calls nobody.
func TestBinaryRefusesOtherEvents(t *testing.T) {
	s := scenario{}
	err := functiontest.With(s.setup(), func(w *functiontest.World) error {
		result, err := w.Function.Invoke(t.Context(), []byte(`{"DeploymentId":"d-ABCDEF123","Secret":"`+ownDetail+`"}`))
		if err != nil {
			return err
		}
		if result.Err == nil || !strings.Contains(result.Err.ErrorMessage, `"DeploymentId", "Secret"`) {
			t.Errorf("result is %v, want an error that names the fields", result.Err)
		}
		if said := w.Function.Logs() + string(result.Payload); strings.Contains(said, ownDetail) {
			t.Errorf("it says a field's value: %s", said)
		}
		if n := len(w.Cloud.Calls()); n != 0 {
			t.Errorf("made %d calls, want none", n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
