package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

const (
	edgeID   = "E2QWRUHAPOMQZL"
	edgeRole = "arn:aws:iam::210987654321:role/edge/clear-cache"
)

// scenario is the world that a deployment runs in.
type scenario struct {
	cloud   fakeaws.Options
	edges   []fakeaws.Distribution // default: one that takes 100 ms
	role    string                 // to take on; default: none
	env     map[string]string
	timeout time.Duration
	// started, where set, is called before each event is handed over.
	started func(w *functiontest.World, event []byte)
}

// setup is the function with all of the scenario's distributions in its environment.
func (s *scenario) setup() functiontest.Setup {
	if s.edges == nil {
		s.edges = []fakeaws.Distribution{{ID: edgeID, CompleteAfter: 100 * time.Millisecond}}
	}
	var list []map[string]string
	for _, edge := range s.edges {
		list = append(list, map[string]string{"DistributionId": edge.ID})
	}
	env := map[string]string{"SERVICE": "shop", "DISTRIBUTIONS": string(mustMarshal(list))}
	return functiontest.Setup{Binary: binary, Name: functionName, Cloud: s.cloud, Distributions: s.edges, Role: s.role, Env: []map[string]string{env, s.env}, Timeout: s.timeout}
}

func (s *scenario) handOver(w *functiontest.World, event []byte) {
	if s.started != nil {
		s.started(w, event)
	}
}

// deployed is a deployment that has come to its end, with what was recorded of it.
type deployed struct {
	*functiontest.World
	record functiontest.Record
	status string // the deployment's

	codeDeploy *fakeaws.Deployment
	ecs        *fakeaws.ServiceDeployment
}

// notCleared says whether the function has logged a failure.
func (d *deployed) notCleared() bool {
	return strings.Contains(d.Function.Logs(), `"msg":"not cleared"`)
}

// counted is how often each hook's end was counted.
func (d *deployed) counted() int { return strings.Count(d.Function.Logs(), `"_aws":`) }

// outcome is how the owner sees the deployment end.
func (d *deployed) outcome() string {
	if d.notCleared() {
		return d.status + ", not cleared"
	}
	return d.status
}

// byCodeDeploy runs a deployment with a hook at AfterAllowTraffic.
func (s scenario) byCodeDeploy(ctx context.Context) (*deployed, error) {
	d := &deployed{}
	setup := s.setup()
	d.record.Distributions = setup.Distributions
	err := functiontest.With(setup, func(w *functiontest.World) (err error) {
		d.World = w
		d.codeDeploy, err = w.Cloud.StartDeployment(fakeaws.DeploymentInput{Application: "shop", DeploymentGroup: "shop-blue-green", AutoRollback: true,
			Hooks: map[string]string{"AfterAllowTraffic": functionName}})
		if err != nil {
			return err
		}
		hook := d.codeDeploy.Next()
		s.handOver(w, hook.Event())
		attempts := w.Function.InvokeAsync(ctx, hook.Event())
		reports := hook.Reports()
		d.record.Requests = append(d.record.Requests, functiontest.Request{Attempts: attempts, Reports: len(reports)})
		for _, attempt := range attempts {
			d.record.Said = append(d.record.Said, string(attempt.Payload))
		}
		var event struct {
			HookExecution string `json:"LifecycleEventHookExecutionId"`
		}
		if err := json.Unmarshal(hook.Event(), &event); err != nil {
			return err
		}
		d.record.Secrets = []string{event.HookExecution, `"LifecycleEventHookExecutionId"`}
		if hook := d.codeDeploy.Next(); hook != nil {
			return fmt.Errorf("another hook at %s", hook.LifecycleEvent())
		}
		d.status = d.codeDeploy.Status()
		switch {
		case len(reports) == 0:
			d.status = "no report"
		case reports[0].Success && !d.notCleared():
			d.record.Success = reports[0].At
		}
		return nil
	})
	return d, err
}

// Names and values of a hook's own details; they are the owner's affair.
const ownDetail = "theOwnersOwnDetailEXAMPLE"

// byECS runs a deployment with the function at some stages and, where other is
// set, another function at the end, which answers that.
func (s scenario) byECS(ctx context.Context, input fakeaws.ServiceDeploymentInput, other string, stages ...string) (*deployed, error) {
	const otherARN = "arn:aws:lambda:us-east-1:123456789012:function:other"
	d := &deployed{}
	setup := s.setup()
	d.record.Distributions = setup.Distributions
	d.record.Secrets = []string{ownDetail, `"executionDetails"`}
	err := functiontest.With(setup, func(w *functiontest.World) (err error) {
		d.World = w
		input.Cluster, input.Service = "production", "shop"
		input.Hooks = []fakeaws.ServiceHook{{HookTargetARN: functionARN, RoleARN: roleARN, LifecycleStages: stages, HookDetails: json.RawMessage(`{"own":"` + ownDetail + `"}`)}}
		if other != "" {
			input.Hooks = append(input.Hooks, fakeaws.ServiceHook{HookTargetARN: otherARN, RoleARN: roleARN, LifecycleStages: []string{"POST_PRODUCTION_TRAFFIC_SHIFT"}})
		}
		if d.ecs, err = w.Cloud.StartServiceDeployment(input); err != nil {
			return err
		}
		for call := d.ecs.Next(); call != nil; call = d.ecs.Next() {
			if call.Function() == otherARN {
				if err := call.Answer([]byte(`{"hookStatus":"`+other+`"}`), nil); err != nil {
					return err
				}
				continue
			}
			if len(d.record.Requests) == 200 {
				return fmt.Errorf("still not done after %d calls", len(d.record.Requests))
			}
			time.Sleep(call.Delay() / 100)
			s.handOver(w, call.Event())
			result, err := w.Function.Invoke(ctx, call.Event())
			if err != nil {
				return err
			}
			d.answer(call, result)
		}
		d.status = d.ecs.Status()
		return nil
	})
	return d, err
}

// answer hands an answer to ECS and records it.
func (d *deployed) answer(call *fakeaws.HookCall, result lambdaruntime.Result) {
	request := functiontest.Request{Attempts: []lambdaruntime.Result{result}, Synchronous: true}
	var failure error
	if result.Err != nil {
		failure = result.Err
	}
	if call.Answer(result.Payload, failure) == nil {
		request.Reports = 1
	}
	d.record.Requests = append(d.record.Requests, request)

	var answer struct {
		HookStatus  string
		HookDetails map[string]json.RawMessage
	}
	_ = json.Unmarshal(result.Payload, &answer) // Answer has refused what cannot be read.
	if state := string(answer.HookDetails[detailsKey]); state != "" {
		d.record.Secrets = append(d.record.Secrets, state)
	}
	if answer.HookStatus == "SUCCEEDED" && !d.notCleared() {
		d.record.Success = time.Now()
	}
}

// The article's own flow: traffic has shifted, the hook runs, the invalidation goes
// from InProgress to Completed, CodeDeploy is told, and the deployment succeeds.
func TestBinaryTheArticlesFlow(t *testing.T) {
	s := scenario{edges: []fakeaws.Distribution{{ID: edgeID, CompleteAfterGets: 2}}, env: map[string]string{"ON_FAILURE": "roll-back"}}
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
	for _, want := range []string{`"status":"InProgress"`, `"status":"Completed"`, `"InvalidationFailed":0`} {
		if !strings.Contains(d.Function.Logs(), want) {
			t.Errorf("log has no %s:\n%s", want, d.Function.Logs())
		}
	}
	events := d.codeDeploy.Events()
	if last := events[len(events)-1]; d.status != "Succeeded" || last != (fakeaws.LifecycleEvent{Name: "AfterAllowTraffic", Status: "Succeeded"}) {
		t.Errorf("deployment is %s with %v at its end, want both to have succeeded", d.status, last)
	}
}

// And with the other choice, an invalidation that fails undoes the release.
func TestBinaryTheArticlesFlowFails(t *testing.T) {
	for choice, want := range map[string]string{"proceed": "Succeeded, not cleared", "roll-back": "Failed, not cleared"} {
		s := scenario{env: map[string]string{"ON_FAILURE": choice, "DISTRIBUTIONS": `[{"DistributionId":"E1NOTTHERE0000"}]`}}
		d, err := s.byCodeDeploy(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := d.outcome(); got != want {
			t.Errorf("%s: ended as %q, want %q", choice, got, want)
		}
		if got, want := d.codeDeploy.Rollback() != nil, choice == "roll-back"; got != want {
			t.Errorf("%s: rolled back: %v, want %v", choice, got, want)
		}
		if logs := d.Function.Logs(); d.counted() != 1 || !strings.Contains(logs, `"InvalidationFailed":1`) || !strings.Contains(logs, "aws cloudfront create-invalidation --distribution-id E1NOTTHERE0000") {
			t.Errorf("%s: log counts no failure, or does not say what to do:\n%s", choice, logs)
		}
	}
}

func TestBinaryWaitsForNoMoreThanTheCreation(t *testing.T) {
	s := scenario{edges: []fakeaws.Distribution{{ID: edgeID, CompleteAfter: time.Hour}}, env: map[string]string{"WAIT_FOR": "created", "ON_FAILURE": "roll-back"}}
	d, err := s.byCodeDeploy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d.outcome() != "Succeeded" || d.Count(functiontest.Calls("cloudfront:GetInvalidation")) != 0 {
		t.Errorf("ended as %q, want Succeeded without a poll\n%s", d.outcome(), d.Function.Logs())
	}
}

// All distributions are cleared, and the message carries CloudFront's own words for
// the one that was not.
func TestBinaryKeepsTheCause(t *testing.T) {
	const other = "E3ANOTHERONE000"
	s := scenario{
		edges: []fakeaws.Distribution{{ID: edgeID, CompleteAfter: 50 * time.Millisecond}, {ID: other}},
		env:   map[string]string{"DEADLINE": "1s", "ON_FAILURE": "roll-back"},
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

// A rollback's firing of the hook clears the cache once more: readers may have
// fetched pages of the release that is undone.
func TestBinaryECSAndItsRollback(t *testing.T) {
	for _, newIDs := range []bool{false, true} { // whether a hook's calls share an id is not documented
		s := scenario{edges: []fakeaws.Distribution{{ID: edgeID, CompleteAfter: 500 * time.Millisecond}}}
		d, err := s.byECS(t.Context(), fakeaws.ServiceDeploymentInput{NewExecutionIDs: newIDs}, "FAILED", "PRODUCTION_TRAFFIC_SHIFT")
		if err != nil {
			t.Fatal(err)
		}
		d.record.Firings = 2
		if broken := d.BrokenRules(d.record); len(broken) > 0 {
			t.Error(broken)
		}
		if d.outcome() != "ROLLBACK_SUCCESSFUL" || len(d.record.Requests) < 4 {
			t.Errorf("ended as %q after %d calls, want ROLLBACK_SUCCESSFUL after several for each firing", d.outcome(), len(d.record.Requests))
		}
		if n := len(d.Cloud.Invalidations(edgeID)); n != 2 {
			t.Errorf("%d invalidations, want one for the shift and one for the way back", n)
		}
		if n := d.counted(); n != 2 {
			t.Errorf("counted %d ends, want 2", n)
		}
	}
}

// The default events of an ECS service.
func TestBinaryECSContinues(t *testing.T) {
	s := scenario{
		edges: []fakeaws.Distribution{{ID: edgeID, CompleteAfter: 400 * time.Millisecond}, {ID: "E3ANOTHERONE000"}},
		// Each of its events comes twice.
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

// An event of neither caller is an error of Lambda's, and nobody is called.
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
