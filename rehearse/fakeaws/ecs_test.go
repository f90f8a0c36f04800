package fakeaws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

const (
	hookFunction = "arn:aws:lambda:us-east-1:123456789012:function:" + hookName
	hookRole     = "arn:aws:iam::123456789012:role/invoke-hook"
)

var allStages = []string{
	"RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
	"PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT",
}

// hookAt returns a hook at the given stages.
func hookAt(function string, stages ...string) fakeaws.ServiceHook {
	return fakeaws.ServiceHook{HookTargetARN: function, RoleARN: hookRole, LifecycleStages: stages}
}

func startService(t *testing.T, cloud *fakeaws.Cloud, change func(*fakeaws.ServiceDeploymentInput), hooks ...fakeaws.ServiceHook) *fakeaws.ServiceDeployment {
	t.Helper()
	input := fakeaws.ServiceDeploymentInput{Cluster: "production", Service: "shop", Hooks: hooks}
	if change != nil {
		change(&input)
	}
	d, err := cloud.StartServiceDeployment(input)
	if err != nil {
		t.Fatalf("StartServiceDeployment: %v", err)
	}
	return d
}

// serviceEvent is the part of an event that a function reads.
type serviceEvent struct {
	ExecutionID      string `json:"executionId"`
	LifecycleStage   string `json:"lifecycleStage"`
	ResourceARN      string `json:"resourceArn"`
	ExecutionDetails struct {
		ServiceARN               string         `json:"serviceArn"`
		TargetServiceRevisionARN string         `json:"targetServiceRevisionArn"`
		TestTrafficWeights       map[string]int `json:"testTrafficWeights"`
		ProductionTrafficWeights map[string]int `json:"productionTrafficWeights"`
	} `json:"executionDetails"`
	HookDetails json.RawMessage `json:"hookDetails"`
}

func readServiceEvent(t *testing.T, call *fakeaws.HookCall) serviceEvent {
	t.Helper()
	var event serviceEvent
	if err := json.Unmarshal(call.Event(), &event); err != nil {
		t.Fatalf("decode event: %v", err)
	}
	return event
}

func answer(t *testing.T, call *fakeaws.HookCall, payload string) {
	t.Helper()
	if err := call.Answer([]byte(payload), nil); err != nil {
		t.Fatalf("Answer %s: %v", payload, err)
	}
}

// TestEventIsWhatECSSends compares the event with the example in AWS's documentation, except for the ids.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
func TestEventIsWhatECSSends(t *testing.T) {
	d := startService(t, fakeaws.New(fakeaws.Options{}), nil, hookAt(hookFunction, "PRODUCTION_TRAFFIC_SHIFT"))
	call := d.Next()
	const ecs = `arn:aws:ecs:us-east-1:123456789012:`
	pattern := `^\{"executionId":"[0-9a-f-]{36}","lifecycleStage":"PRODUCTION_TRAFFIC_SHIFT",` +
		`"resourceArn":"` + ecs + `service-deployment/production/shop/[A-Za-z0-9]{21}",` +
		`"executionDetails":\{"serviceArn":"` + ecs + `service/production/shop",` +
		`"targetServiceRevisionArn":"` + ecs + `service-revision/production/shop/\d{19}",` +
		`"testTrafficWeights":\{\},"productionTrafficWeights":\{("` + ecs + `service-revision/production/shop/\d{19}":(100|0),?){2}\}\}\}$`
	if !regexp.MustCompile(pattern).Match(call.Event()) {
		t.Errorf("event: got %s, want it to match %s", call.Event(), pattern)
	}
	event := readServiceEvent(t, call)
	if event.ResourceARN != d.ARN() {
		t.Errorf("resourceArn: got %s, want %s", event.ResourceARN, d.ARN())
	}
	if again := call.Event(); string(again) != string(call.Event()) {
		t.Error("two deliveries of one call differ")
	}
	if call.Function() != hookFunction || call.Role() != hookRole || call.Delay() != 0 || call.Rollback() {
		t.Errorf("call: got %s with %s after %v, rollback %v", call.Function(), call.Role(), call.Delay(), call.Rollback())
	}
}

// weights returns where the traffic goes, such as "test to green" or "production to blue", or "" if it does not shift.
func weights(event serviceEvent) string {
	var moves []string
	for _, side := range []struct {
		name    string
		weights map[string]int
	}{{"test", event.ExecutionDetails.TestTrafficWeights}, {"production", event.ExecutionDetails.ProductionTrafficWeights}} {
		for revision, percent := range side.weights {
			if percent != 100 {
				continue
			}
			to := "blue"
			if revision == event.ExecutionDetails.TargetServiceRevisionARN {
				to = "green"
			}
			moves = append(moves, side.name+" to "+to)
		}
	}
	return strings.Join(moves, ", ")
}

func TestServiceStages(t *testing.T) {
	forward := []string{
		"PRE_SCALE_UP ", "POST_SCALE_UP ", "TEST_TRAFFIC_SHIFT test to green", "POST_TEST_TRAFFIC_SHIFT ",
		"PRE_PRODUCTION_TRAFFIC_SHIFT production to blue", "PRODUCTION_TRAFFIC_SHIFT production to green", "POST_PRODUCTION_TRAFFIC_SHIFT ",
	}
	reconcile := "RECONCILE_SERVICE test to green, production to green"
	const productionBack, testBack = "back PRODUCTION_TRAFFIC_SHIFT production to blue", "back TEST_TRAFFIC_SHIFT test to blue"
	back := func(n int, stages ...string) []string { return slices.Concat(forward[:n], stages) }
	tests := []struct {
		name       string
		reconcile  bool
		fail       string // the stage that fails, with "back " in a rollback
		want       []string
		wantStatus string
	}{
		{"all goes well", false, "", forward, "SUCCESSFUL"},
		{"several revisions at the start", true, "", slices.Concat([]string{reconcile}, forward), "SUCCESSFUL"},
		{"failed at RECONCILE_SERVICE", true, "RECONCILE_SERVICE", []string{reconcile}, "ROLLBACK_SUCCESSFUL"},
		{"failed before any traffic", false, "POST_SCALE_UP", back(2), "ROLLBACK_SUCCESSFUL"},
		{"failed with test traffic", false, "TEST_TRAFFIC_SHIFT", back(3, testBack), "ROLLBACK_SUCCESSFUL"},
		{"failed after test traffic", false, "POST_TEST_TRAFFIC_SHIFT", back(4, testBack), "ROLLBACK_SUCCESSFUL"},
		{"failed before production traffic", false, "PRE_PRODUCTION_TRAFFIC_SHIFT", back(5, testBack), "ROLLBACK_SUCCESSFUL"},
		{"failed with production traffic", false, "PRODUCTION_TRAFFIC_SHIFT", back(6, productionBack, testBack), "ROLLBACK_SUCCESSFUL"},
		{"failed at the end", false, "POST_PRODUCTION_TRAFFIC_SHIFT", back(7, productionBack, testBack), "ROLLBACK_SUCCESSFUL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := startService(t, fakeaws.New(fakeaws.Options{}), func(in *fakeaws.ServiceDeploymentInput) { in.Reconcile = test.reconcile }, hookAt(hookFunction, allStages...))
			var got, ids []string
			target := ""
			for call := d.Next(); call != nil; call = d.Next() {
				event := readServiceEvent(t, call)
				prefix, wantStatus := "", "IN_PROGRESS"
				if call.Rollback() {
					prefix, wantStatus = "back ", "ROLLBACK_IN_PROGRESS"
				}
				got = append(got, prefix+call.Stage()+" "+weights(event))
				ids = append(ids, event.ExecutionID)
				if status := d.Status(); status != wantStatus {
					t.Errorf("status at %s%s: got %s, want %s", prefix, call.Stage(), status, wantStatus)
				}
				if target != "" && event.ExecutionDetails.TargetServiceRevisionARN != target {
					t.Errorf("target at %s%s: got %s, want %s throughout", prefix, call.Stage(), event.ExecutionDetails.TargetServiceRevisionARN, target)
				}
				target = event.ExecutionDetails.TargetServiceRevisionARN
				if event.LifecycleStage != call.Stage() || event.ResourceARN != d.ARN() {
					t.Errorf("event: got %s of %s, want %s of %s", event.LifecycleStage, event.ResourceARN, call.Stage(), d.ARN())
				}
				if prefix+call.Stage() == test.fail {
					answer(t, call, `{"hookStatus":"FAILED"}`)
				} else {
					answer(t, call, `{"hookStatus":"SUCCEEDED"}`)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("calls:\n got %q\nwant %q", got, test.want)
			}
			if slices.Sort(ids); len(slices.Compact(ids)) != len(got) {
				t.Errorf("execution ids: got %q, want one for each call", ids)
			}
			if got := d.Status(); got != test.wantStatus {
				t.Errorf("status: got %s, want %s", got, test.wantStatus)
			}
		})
	}
}

func TestServiceStagesAreRecorded(t *testing.T) {
	d := startService(t, fakeaws.New(fakeaws.Options{}), nil, hookAt(hookFunction, "PRODUCTION_TRAFFIC_SHIFT"))
	answer(t, d.Next(), `{"hookStatus":"FAILED"}`)
	if got, want := d.Next().Stage(), "PRODUCTION_TRAFFIC_SHIFT"; got != want {
		t.Fatalf("on the way back: got %s, want %s", got, want)
	}
	var got []string
	for _, stage := range d.Stages() {
		got = append(got, fmt.Sprintf("%s %s %v", stage.Name, stage.Status, stage.Rollback))
	}
	want := []string{
		"PRE_SCALE_UP SUCCEEDED false", "POST_SCALE_UP SUCCEEDED false", "TEST_TRAFFIC_SHIFT SUCCEEDED false", "POST_TEST_TRAFFIC_SHIFT SUCCEEDED false",
		"PRE_PRODUCTION_TRAFFIC_SHIFT SUCCEEDED false", "PRODUCTION_TRAFFIC_SHIFT FAILED false", "PRODUCTION_TRAFFIC_SHIFT IN_PROGRESS true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("stages:\n got %q\nwant %q", got, want)
	}
}

func TestFailureDuringRollback(t *testing.T) {
	d := startService(t, fakeaws.New(fakeaws.Options{}), nil, hookAt(hookFunction, "TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"))
	answer(t, d.Next(), `{"hookStatus":"SUCCEEDED"}`)
	answer(t, d.Next(), `{"hookStatus":"FAILED"}`)
	answer(t, d.Next(), `{"hookStatus":"FAILED"}`)
	if call := d.Next(); call != nil || d.Status() != "ROLLBACK_FAILED" {
		t.Errorf("got another call: %v, status %s, want none and ROLLBACK_FAILED", call != nil, d.Status())
	}
}

func TestHooksOfOneStageRunInOrder(t *testing.T) {
	second := hookFunction + "2"
	d := startService(t, fakeaws.New(fakeaws.Options{}), nil,
		hookAt(hookFunction, "PRODUCTION_TRAFFIC_SHIFT"), hookAt(second, "POST_SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT"))
	var got []string
	for call := d.Next(); call != nil; call = d.Next() {
		got = append(got, call.Stage()+" "+strings.TrimPrefix(call.Function(), hookFunction))
		answer(t, call, `{"hookStatus":"SUCCEEDED"}`)
	}
	if want := []string{"POST_SCALE_UP 2", "PRODUCTION_TRAFFIC_SHIFT ", "PRODUCTION_TRAFFIC_SHIFT 2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := len(d.Stages()); got != 7 {
		t.Errorf("stages: got %d, want 7: a stage with two hooks is one", got)
	}
}

// TestHookDetails checks the details in all calls of a hook, and in the next hook.
func TestHookDetails(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		t.Run(fmt.Sprintf("new execution ids %v", fresh), func(t *testing.T) {
			hook := hookAt(hookFunction, "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT")
			hook.HookDetails = json.RawMessage(`{"bucket": "b", "n": 0}`)
			d := startService(t, fakeaws.New(fakeaws.Options{}), func(in *fakeaws.ServiceDeploymentInput) { in.NewExecutionIDs = fresh }, hook)
			calls := []struct {
				answer      string
				wantDetails string // before the answer
				wantDelay   time.Duration
			}{
				{`{"hookStatus":"IN_PROGRESS","hookDetails":{"n":1,"state":{"a":[1]}}}`, `{"bucket":"b","n":0}`, 0},
				{`{"hookStatus":"IN_PROGRESS","callBackDelay":5,"hookDetails":{"n":2}}`, `{"bucket":"b","n":1,"state":{"a":[1]}}`, 30 * time.Second},
				{`{"hookStatus":"IN_PROGRESS","callBackDelay":0}`, `{"bucket":"b","n":2,"state":{"a":[1]}}`, 5 * time.Second},
				{`{"hookStatus":"SUCCEEDED","hookDetails":{"n":9}}`, `{"bucket":"b","n":2,"state":{"a":[1]}}`, 0},
				{`{"hookStatus":"SUCCEEDED"}`, `{"bucket":"b","n":0}`, 0}, // The next stage has the original details.
			}
			ids := map[string]bool{}
			for i, want := range calls {
				call := d.Next()
				event := readServiceEvent(t, call)
				ids[event.ExecutionID] = true
				if got := string(event.HookDetails); got != want.wantDetails {
					t.Errorf("details of call %d: got %s, want %s", i, got, want.wantDetails)
				}
				if got := call.Delay(); got != want.wantDelay {
					t.Errorf("delay of call %d: got %v, want %v", i, got, want.wantDelay)
				}
				answer(t, call, want.answer)
			}
			wantIDs := 2
			if fresh {
				wantIDs = 5
			}
			if len(ids) != wantIDs || d.Next() != nil || d.Status() != "SUCCESSFUL" {
				t.Errorf("got %d execution ids, status %s, want %d and SUCCESSFUL", len(ids), d.Status(), wantIDs)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		call := startService(t, fakeaws.New(fakeaws.Options{}), nil, hookAt(hookFunction, "PRE_SCALE_UP")).Next()
		if strings.Contains(string(call.Event()), "hookDetails") {
			t.Errorf("event: got %s, want no hookDetails", call.Event())
		}
	})
}

func TestAnswersAreReadStrictly(t *testing.T) {
	tests := []struct {
		name, payload string
		err           error
		want          string // a part of the error; "" for a valid answer
	}{
		{"succeeded", `{"hookStatus":"SUCCEEDED"}`, nil, ""},
		{"succeeded with details", ` {"hookStatus":"SUCCEEDED","hookDetails":{}} `, nil, ""},
		{"in progress", `{"hookStatus":"IN_PROGRESS"}`, nil, ""},
		{"in progress, long delay", `{"hookStatus":"IN_PROGRESS","callBackDelay":86400,"hookDetails":{"a":null}}`, nil, ""},
		{"error", ``, errors.New("exit status 2"), "exit status 2"},
		{"error and a good answer", `{"hookStatus":"SUCCEEDED"}`, errors.New("timed out"), "timed out"},
		{"nothing", ``, nil, "not a JSON object"},
		{"null", `null`, nil, "not a JSON object"},
		{"a string", `"SUCCEEDED"`, nil, "not a JSON object"},
		{"a list", `[{"hookStatus":"SUCCEEDED"}]`, nil, "not a JSON object"},
		{"a string of JSON", `"{\"hookStatus\":\"SUCCEEDED\"}"`, nil, "not a JSON object"},
		{"two objects", `{"hookStatus":"SUCCEEDED"}{}`, nil, "not a JSON object"},
		{"an error object", `{"errorMessage":"m","errorType":"e"}`, nil, `no member "errorMessage"`},
		{"no status", `{}`, nil, `hookStatus ""`},
		{"status null", `{"hookStatus":null}`, nil, `hookStatus ""`},
		{"status no string", `{"hookStatus":1}`, nil, "hookStatus 1"},
		{"CodeDeploy's status", `{"hookStatus":"Succeeded"}`, nil, `hookStatus "Succeeded"`},
		{"member in other case", `{"HookStatus":"SUCCEEDED"}`, nil, `no member "HookStatus"`},
		{"unknown member", `{"hookStatus":"SUCCEEDED","reason":"r"}`, nil, `no member "reason"`},
		{"delay misspelt", `{"hookStatus":"IN_PROGRESS","callbackDelay":5}`, nil, `no member "callbackDelay"`},
		{"delay of a fraction", `{"hookStatus":"IN_PROGRESS","callBackDelay":1.5}`, nil, "callBackDelay 1.5"},
		{"delay of 30.0", `{"hookStatus":"IN_PROGRESS","callBackDelay":30.0}`, nil, "callBackDelay 30.0"},
		{"delay negative", `{"hookStatus":"IN_PROGRESS","callBackDelay":-1}`, nil, "callBackDelay -1"},
		{"delay a string", `{"hookStatus":"IN_PROGRESS","callBackDelay":"30"}`, nil, "callBackDelay"},
		{"delay null", `{"hookStatus":"IN_PROGRESS","callBackDelay":null}`, nil, "callBackDelay"},
		{"delay and success", `{"hookStatus":"SUCCEEDED","callBackDelay":30}`, nil, "callBackDelay is for IN_PROGRESS"},
		{"delay and failure", `{"hookStatus":"FAILED","callBackDelay":30}`, nil, "callBackDelay is for IN_PROGRESS"},
		{"details a list", `{"hookStatus":"IN_PROGRESS","hookDetails":[]}`, nil, "hookDetails [] is not a JSON object"},
		{"details a string", `{"hookStatus":"IN_PROGRESS","hookDetails":"{}"}`, nil, "is not a JSON object"},
		{"details null", `{"hookStatus":"IN_PROGRESS","hookDetails":null}`, nil, "hookDetails null"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := startService(t, fakeaws.New(fakeaws.Options{}), nil, hookAt(hookFunction, "POST_SCALE_UP"))
			err := d.Next().Answer([]byte(test.payload), test.err)
			if test.want == "" {
				if err != nil || strings.HasPrefix(d.Status(), "ROLLBACK") {
					t.Errorf("got %v, status %s, want a good answer", err, d.Status())
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "POST_SCALE_UP") {
				t.Errorf("got %v, want an error with %q and the stage", err, test.want)
			}
			if test.err != nil && !errors.Is(err, test.err) {
				t.Errorf("got %v, want it to wrap %v", err, test.err)
			}
			if got, want := d.Status(), "ROLLBACK_SUCCESSFUL"; got != want {
				t.Errorf("status: got %s, want %s", got, want)
			}
		})
	}
}

// TestHookFiresTwice delivers the event of a call twice. Both invocations answer, and only one answer counts.
func TestHookFiresTwice(t *testing.T) {
	for first, want := range map[string]string{"SUCCEEDED": "SUCCESSFUL", "IN_PROGRESS": "IN_PROGRESS", "FAILED": "ROLLBACK_SUCCESSFUL"} {
		for _, second := range []string{"SUCCEEDED", "IN_PROGRESS", "FAILED"} {
			t.Run(first+" then "+second, func(t *testing.T) {
				d := startService(t, fakeaws.New(fakeaws.Options{}), nil, hookAt(hookFunction, "POST_SCALE_UP"))
				call := d.Next()
				answer(t, call, `{"hookStatus":"`+first+`"}`)
				answer(t, call, `{"hookStatus":"`+second+`"}`)
				if got := d.Status(); got != want {
					t.Errorf("status: got %s, want %s", got, want)
				}
			})
		}
	}
	d := startService(t, fakeaws.New(fakeaws.Options{}), nil, hookAt(hookFunction, "POST_SCALE_UP"))
	call := d.Next()
	answer(t, call, `{"hookStatus":"SUCCEEDED"}`)
	if err := call.Answer([]byte(`{}`), nil); err == nil || d.Status() != "SUCCESSFUL" {
		t.Errorf("bad second answer: got %v, status %s, want an error and SUCCESSFUL", err, d.Status())
	}
}

func TestServiceHookTimesOut(t *testing.T) {
	t.Run("after a day of progress", func(t *testing.T) {
		now := newClock()
		d := startService(t, fakeaws.New(fakeaws.Options{Now: now.Now}), nil, hookAt(hookFunction, "PRODUCTION_TRAFFIC_SHIFT"))
		calls := 0
		for !strings.HasPrefix(d.Status(), "ROLLBACK") {
			call := d.Next()
			now.advance(call.Delay())
			answer(t, call, `{"hookStatus":"IN_PROGRESS","callBackDelay":3600}`)
			if calls++; calls > 30 {
				t.Fatal("no end after 30 hours")
			}
		}
		if want := 25; calls != want { // The first call is at 0:00. The last one, at 24:00, is too late.
			t.Errorf("calls: got %d, want %d", calls, want)
		}
		answer(t, d.Next(), `{"hookStatus":"SUCCEEDED"}`)
		if got, want := d.Status(), "ROLLBACK_SUCCESSFUL"; got != want {
			t.Errorf("status: got %s, want %s", got, want)
		}
	})
	t.Run("when the next call is asked for", func(t *testing.T) {
		d := startService(t, fakeaws.New(fakeaws.Options{}), nil, hookAt(hookFunction, "POST_PRODUCTION_TRAFFIC_SHIFT"))
		d.Next()
		if call := d.Next(); call != nil || d.Status() != "ROLLBACK_SUCCESSFUL" {
			t.Errorf("got another call: %v, status %s, want none and a rollback", call != nil, d.Status())
		}
	})
}

func TestStartServiceDeploymentRefusesWhatECSWould(t *testing.T) {
	good := hookAt(hookFunction, "PRE_SCALE_UP")
	with := func(change func(*fakeaws.ServiceHook)) []fakeaws.ServiceHook {
		hook := good
		change(&hook)
		return []fakeaws.ServiceHook{good, hook}
	}
	tests := map[string]struct {
		hooks []fakeaws.ServiceHook
		want  string
	}{
		"function by name":      {with(func(h *fakeaws.ServiceHook) { h.HookTargetARN = hookName }), "hook 1: hookTargetArn"},
		"no role":               {with(func(h *fakeaws.ServiceHook) { h.RoleARN = "" }), `hook 1: roleArn ""`},
		"no stages":             {with(func(h *fakeaws.ServiceHook) { h.LifecycleStages = nil }), "hook 1: lifecycleStages is empty"},
		"BAKE_TIME":             {with(func(h *fakeaws.ServiceHook) { h.LifecycleStages = []string{"PRE_SCALE_UP", "BAKE_TIME"} }), `"BAKE_TIME"`},
		"CodeDeploy's event":    {with(func(h *fakeaws.ServiceHook) { h.LifecycleStages = []string{"AfterAllowTraffic"} }), `"AfterAllowTraffic"`},
		"details not an object": {with(func(h *fakeaws.ServiceHook) { h.HookDetails = json.RawMessage(`"{}"`) }), "hookDetails"},
	}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		t.Run(name, func(t *testing.T) {
			_, err := fakeaws.New(fakeaws.Options{}).StartServiceDeployment(fakeaws.ServiceDeploymentInput{Cluster: "c", Service: "s", Hooks: tests[name].hooks})
			if want := tests[name].want; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want an error with %q", err, want)
			}
		})
	}
	for _, name := range []string{"", "my shop", "cluster/shop", "shop.", strings.Repeat("s", 256)} {
		_, err := fakeaws.New(fakeaws.Options{}).StartServiceDeployment(fakeaws.ServiceDeploymentInput{Cluster: name, Service: name})
		for _, want := range []string{fmt.Sprintf("Cluster %q", name), fmt.Sprintf("Service %q", name)} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("named %q: got %v, want an error with %s", name, err, want)
			}
		}
	}
	// ServiceHook has the JSON names of the API and of CloudFormation.
	var hook fakeaws.ServiceHook
	for _, definition := range []string{
		`{"hookTargetArn":"` + hookFunction + `","roleArn":"` + hookRole + `","lifecycleStages":["PRE_SCALE_UP"],"hookDetails":{"a":1}}`,
		`{"HookTargetArn":"` + hookFunction + `","RoleArn":"` + hookRole + `","LifecycleStages":["PRE_SCALE_UP"],"HookDetails":{"a":1}}`,
	} {
		if err := json.Unmarshal([]byte(definition), &hook); err != nil {
			t.Fatal(err)
		}
		call := startService(t, fakeaws.New(fakeaws.Options{}), nil, hook).Next()
		if got, want := string(readServiceEvent(t, call).HookDetails), `{"a":1}`; got != want || call.Function() != hookFunction {
			t.Errorf("got %s with %s, want %s with %s", call.Function(), got, hookFunction, want)
		}
	}
}
