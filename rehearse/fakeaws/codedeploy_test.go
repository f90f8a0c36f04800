package fakeaws_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

const (
	hookSucceeded = cdtypes.LifecycleEventStatusSucceeded
	hookFailed    = cdtypes.LifecycleEventStatusFailed
)

// startDeployment starts a deployment of the shop with a function at the given events. The deployment has a test listener and
// automatic rollback.
func startDeployment(t *testing.T, cloud *fakeaws.Cloud, events ...string) *fakeaws.Deployment {
	t.Helper()
	input := fakeaws.DeploymentInput{
		Application: "shop", DeploymentGroup: "blue-green", TestListener: true, AutoRollback: true, Hooks: map[string]string{},
	}
	for _, event := range events {
		input.Hooks[event] = hookName
	}
	d, err := cloud.StartDeployment(input)
	if err != nil {
		t.Fatalf("StartDeployment: %v", err)
	}
	return d
}

// hookReport returns the report of a function for the hook's event.
func hookReport(hook *fakeaws.DeploymentHook, status cdtypes.LifecycleEventStatus) *codedeploy.PutLifecycleEventHookExecutionStatusInput {
	var event struct {
		DeploymentID string `json:"DeploymentId"`
		HookID       string `json:"LifecycleEventHookExecutionId"`
	}
	if err := json.Unmarshal(hook.Event(), &event); err != nil {
		panic(err)
	}
	return &codedeploy.PutLifecycleEventHookExecutionStatusInput{
		DeploymentId: &event.DeploymentID, LifecycleEventHookExecutionId: &event.HookID, Status: status,
	}
}

func (w *world) report(t *testing.T, hook *fakeaws.DeploymentHook, status cdtypes.LifecycleEventStatus) error {
	t.Helper()
	_, err := w.codeDeploy.PutLifecycleEventHookExecutionStatus(t.Context(), hookReport(hook, status))
	return err
}

// states returns the lifecycle events of a deployment in one line.
func states(d *fakeaws.Deployment) string {
	var all []string
	for _, event := range d.Events() {
		all = append(all, event.Name+" "+event.Status)
	}
	return strings.Join(all, ", ")
}

func TestEventIsWhatCodeDeploySends(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	d := startDeployment(t, w.cloud, "AfterInstall", "AfterAllowTraffic")
	hook := d.Next()
	pattern := `^\{"DeploymentId":"(d-[A-Z0-9]{9})","LifecycleEventHookExecutionId":"([A-Za-z0-9+/]+)"\}$`
	match := regexp.MustCompile(pattern).FindSubmatch(hook.Event())
	if match == nil || string(match[1]) != d.ID() {
		t.Fatalf("event: got %s, want it to match %s with the id %s", hook.Event(), pattern, d.ID())
	}
	if again := hook.Event(); string(again) != string(hook.Event()) {
		t.Error("two deliveries of one hook differ")
	}
	if got, want := hook.Function()+" at "+hook.LifecycleEvent(), hookName+" at AfterInstall"; got != want {
		t.Errorf("hook: got %s, want %s", got, want)
	}
	if err := w.report(t, hook, hookSucceeded); err != nil {
		t.Fatalf("report: %v", err)
	}
	next := d.Next()
	if string(next.Event()) == string(hook.Event()) || *hookReport(next, "").DeploymentId != d.ID() {
		t.Errorf("event of the next hook: got %s, want another hook of the same deployment", next.Event())
	}
	if got := d.GroupARN(); got != groupARN {
		t.Errorf("GroupARN: got %s, want %s", got, groupARN)
	}
}

func TestLifecycle(t *testing.T) {
	all := []string{"BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"}
	tests := []struct {
		name           string
		hooks          []string
		noTestListener bool
		fail           string // the hook that reports Failed
		wantHooks      []string
		wantStatus     string
		wantEvents     string
	}{
		{"no hooks", nil, false, "", nil, "Succeeded",
			"BeforeInstall Succeeded, Install Succeeded, AfterInstall Succeeded, AllowTestTraffic Succeeded, AfterAllowTestTraffic Succeeded, BeforeAllowTraffic Succeeded, AllowTraffic Succeeded, AfterAllowTraffic Succeeded"},
		{"every hook", all, false, "", all, "Succeeded",
			"BeforeInstall Succeeded, Install Succeeded, AfterInstall Succeeded, AllowTestTraffic Succeeded, AfterAllowTestTraffic Succeeded, BeforeAllowTraffic Succeeded, AllowTraffic Succeeded, AfterAllowTraffic Succeeded"},
		{"no test listener", all, true, "", []string{"BeforeInstall", "AfterInstall", "BeforeAllowTraffic", "AfterAllowTraffic"}, "Succeeded",
			"BeforeInstall Succeeded, Install Succeeded, AfterInstall Succeeded, AllowTestTraffic Skipped, AfterAllowTestTraffic Skipped, BeforeAllowTraffic Succeeded, AllowTraffic Succeeded, AfterAllowTraffic Succeeded"},
		{"failed in the middle", all, false, "AfterAllowTestTraffic", all[:3], "Failed",
			"BeforeInstall Succeeded, Install Succeeded, AfterInstall Succeeded, AllowTestTraffic Succeeded, AfterAllowTestTraffic Failed, BeforeAllowTraffic Skipped, AllowTraffic Skipped, AfterAllowTraffic Skipped"},
		{"failed at the end", all[4:], false, "AfterAllowTraffic", all[4:], "Failed",
			"BeforeInstall Succeeded, Install Succeeded, AfterInstall Succeeded, AllowTestTraffic Succeeded, AfterAllowTestTraffic Succeeded, BeforeAllowTraffic Succeeded, AllowTraffic Succeeded, AfterAllowTraffic Failed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			hooks := map[string]string{}
			for _, event := range test.hooks {
				hooks[event] = "arn:aws:lambda:eu-west-1:123456789012:function:" + hookName
			}
			d, err := w.cloud.StartDeployment(fakeaws.DeploymentInput{Application: "shop", DeploymentGroup: "blue-green", Hooks: hooks, TestListener: !test.noTestListener})
			if err != nil {
				t.Fatalf("StartDeployment: %v", err)
			}
			var ran []string
			for hook := d.Next(); hook != nil; hook = d.Next() {
				ran = append(ran, hook.LifecycleEvent())
				if got, want := d.Status(), "InProgress"; got != want {
					t.Errorf("status at %s: got %s, want %s", hook.LifecycleEvent(), got, want)
				}
				status := hookSucceeded
				if hook.LifecycleEvent() == test.fail {
					status = hookFailed
				}
				if err := w.report(t, hook, status); err != nil {
					t.Fatalf("report at %s: %v", hook.LifecycleEvent(), err)
				}
			}
			if !slices.Equal(ran, test.wantHooks) {
				t.Errorf("hooks: got %q, want %q", ran, test.wantHooks)
			}
			if got := d.Status(); got != test.wantStatus {
				t.Errorf("status: got %s, want %s", got, test.wantStatus)
			}
			if got := states(d); got != test.wantEvents {
				t.Errorf("events:\n got %s\nwant %s", got, test.wantEvents)
			}
			if d.Rollback() != nil {
				t.Error("rolled back without automatic rollback")
			}
		})
	}
	t.Run("while a hook runs", func(t *testing.T) {
		d := startDeployment(t, fakeaws.New(fakeaws.Options{}), "AfterInstall")
		want := "BeforeInstall Succeeded, Install Succeeded, AfterInstall InProgress, AllowTestTraffic Pending, AfterAllowTestTraffic Pending, BeforeAllowTraffic Pending, AllowTraffic Pending, AfterAllowTraffic Pending"
		if got := states(d); got != want {
			t.Errorf("events:\n got %s\nwant %s", got, want)
		}
	})
}

func TestRollback(t *testing.T) {
	for event, want := range map[string]bool{
		"BeforeInstall": false, "AfterInstall": true, "AfterAllowTestTraffic": true, "BeforeAllowTraffic": true, "AfterAllowTraffic": true,
	} {
		t.Run(event, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			d := startDeployment(t, w.cloud, event)
			hook := d.Next()
			if d.Rollback() != nil {
				t.Error("rolled back before anything failed")
			}
			if err := w.report(t, hook, hookFailed); err != nil {
				t.Fatalf("report: %v", err)
			}
			rollback := d.Rollback()
			if got := rollback != nil; got != want {
				t.Fatalf("rolled back: got %v, want %v", got, want)
			}
			if !want {
				return
			}
			again := rollback.Next()
			if rollback.ID() == d.ID() || string(again.Event()) == string(hook.Event()) || rollback.GroupARN() != groupARN {
				t.Errorf("rollback %s runs %s: want a deployment of its own", rollback.ID(), again.Event())
			}
			if err := w.report(t, again, hookFailed); err != nil {
				t.Fatalf("report about the rollback: %v", err)
			}
			if rollback.Status() != "Failed" || rollback.Rollback() != nil {
				t.Errorf("rollback: got %s, rolled back %v, want Failed and no more", rollback.Status(), rollback.Rollback() != nil)
			}
		})
	}
}

func TestHookTimesOut(t *testing.T) {
	t.Run("after an hour", func(t *testing.T) {
		now := newClock()
		w := newWorld(t, fakeaws.Options{Now: now.Now})
		d := startDeployment(t, w.cloud, "AfterInstall", "AfterAllowTraffic")
		first := d.Next()
		now.advance(time.Hour - time.Second)
		if err := w.report(t, first, hookSucceeded); err != nil {
			t.Fatalf("report in the last second: %v", err)
		}
		second := d.Next() // It has an hour of its own.
		now.advance(time.Hour - time.Second)
		if got, want := d.Status(), "InProgress"; got != want {
			t.Errorf("status before the hour is over: got %s, want %s", got, want)
		}
		now.advance(time.Second)
		if got, want := errorCode(w.report(t, second, hookSucceeded)), "LifecycleEventAlreadyCompletedException"; got != want {
			t.Errorf("late report: got %q, want %q", got, want)
		}
		if d.Status() != "Failed" || d.Rollback() == nil || d.Next() != nil || len(second.Reports()) != 0 {
			t.Errorf("got %s, %s", d.Status(), states(d))
		}
	})
	t.Run("when the next one is asked for", func(t *testing.T) {
		w := newWorld(t, fakeaws.Options{})
		d := startDeployment(t, w.cloud, "AfterInstall", "AfterAllowTraffic")
		hook := d.Next()
		if next := d.Next(); next != nil {
			t.Errorf("next hook: got %s, want none", next.LifecycleEvent())
		}
		if d.Status() != "Failed" || !strings.Contains(states(d), "AfterInstall Failed") {
			t.Errorf("got %s, %s, want a failure of AfterInstall", d.Status(), states(d))
		}
		if got, want := errorCode(w.report(t, hook, hookSucceeded)), "LifecycleEventAlreadyCompletedException"; got != want {
			t.Errorf("late report: got %q, want %q", got, want)
		}
	})
}

func TestEachHookIsReportedOnce(t *testing.T) {
	for _, first := range []cdtypes.LifecycleEventStatus{hookSucceeded, hookFailed} {
		for _, second := range []cdtypes.LifecycleEventStatus{hookSucceeded, hookFailed} {
			t.Run(string(first)+" then "+string(second), func(t *testing.T) {
				now := newClock()
				w := newWorld(t, fakeaws.Options{Now: now.Now})
				d := startDeployment(t, w.cloud, "AfterInstall", "AfterAllowTraffic")
				hook := d.Next()
				if err := w.report(t, hook, first); err != nil {
					t.Fatalf("first report: %v", err)
				}
				before := states(d)
				err := w.report(t, hook, second)
				if _, ok := errors.AsType[*cdtypes.LifecycleEventAlreadyCompletedException](err); !ok {
					t.Errorf("second report: got %v, want LifecycleEventAlreadyCompletedException", err)
				}
				if got := hook.Reports(); len(got) != 1 || got[0].Success != (first == hookSucceeded) || !got[0].At.Equal(now.Now()) {
					t.Errorf("reports: got %+v, want the first", got)
				}
				if got := states(d); got != before {
					t.Errorf("events changed:\n got %s\nwant %s", got, before)
				}
			})
		}
	}
}

func TestHookReportIsReadStrictly(t *testing.T) {
	const otherHook = "eyJlbmNyeXB0ZWREYXRhIjoiAAAA"
	type input = codedeploy.PutLifecycleEventHookExecutionStatusInput
	tests := []struct {
		name   string
		change func(*input)
		want   string
	}{
		{"as it should be", func(*input) {}, ""},
		{"no deployment id", func(in *input) { in.DeploymentId = nil }, "DeploymentIdRequiredException"},
		{"deployment id empty", func(in *input) { in.DeploymentId = aws.String("") }, "DeploymentIdRequiredException"},
		{"deployment id of another form", func(in *input) { in.DeploymentId = aws.String("deployment-1") }, "InvalidDeploymentIdException"},
		{"deployment id in lower case", func(in *input) { in.DeploymentId = aws.String(strings.ToLower(*in.DeploymentId)) }, "InvalidDeploymentIdException"},
		{"deployment id with more behind it", func(in *input) { *in.DeploymentId += "\n" }, "InvalidDeploymentIdException"},
		{"unknown deployment", func(in *input) { in.DeploymentId = aws.String("d-AAAAAAAAA") }, "DeploymentDoesNotExistException"},
		{"no hook id", func(in *input) { in.LifecycleEventHookExecutionId = nil }, "InvalidLifecycleEventHookExecutionIdException"},
		{"hook id empty", func(in *input) { in.LifecycleEventHookExecutionId = aws.String("") }, "InvalidLifecycleEventHookExecutionIdException"},
		{"unknown hook", func(in *input) { in.LifecycleEventHookExecutionId = aws.String(otherHook) }, "InvalidLifecycleEventHookExecutionIdException"},
		{"hook id cut off", func(in *input) {
			in.LifecycleEventHookExecutionId = aws.String((*in.LifecycleEventHookExecutionId)[:100])
		}, "InvalidLifecycleEventHookExecutionIdException"},
		{"no status", func(in *input) { in.Status = "" }, "InvalidLifecycleEventHookExecutionStatusException"},
		{"status in other case", func(in *input) { in.Status = "succeeded" }, "InvalidLifecycleEventHookExecutionStatusException"},
		{"ECS's status", func(in *input) { in.Status = "SUCCEEDED" }, "InvalidLifecycleEventHookExecutionStatusException"},
	}
	for _, status := range cdtypes.LifecycleEventStatus("").Values() {
		want := "InvalidLifecycleEventHookExecutionStatusException"
		if status == hookSucceeded || status == hookFailed {
			want = ""
		}
		tests = append(tests, struct {
			name   string
			change func(*input)
			want   string
		}{"status " + string(status), func(in *input) { in.Status = status }, want})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			hook := startDeployment(t, w.cloud, "AfterAllowTraffic").Next()
			in := hookReport(hook, hookSucceeded)
			test.change(in)
			out, err := w.codeDeploy.PutLifecycleEventHookExecutionStatus(t.Context(), in)
			if got := errorCode(err); got != test.want {
				t.Fatalf("got %q (%v), want %q", got, err, test.want)
			}
			if test.want == "" {
				if got, want := *out.LifecycleEventHookExecutionId, *in.LifecycleEventHookExecutionId; got != want || len(hook.Reports()) != 1 {
					t.Errorf("got id %q, %d reports, want %q and one", got, len(hook.Reports()), want)
				}
				return
			}
			if httpStatus(err) != http.StatusBadRequest || errorMessage(err) == "" || len(hook.Reports()) != 0 {
				t.Errorf("got HTTP %d, message %q, %d reports, want 400, a message and none", httpStatus(err), errorMessage(err), len(hook.Reports()))
			}
			wantResource := groupARN
			if strings.Contains(test.want, "Deployment") {
				wantResource = "*"
			}
			if got := w.cloud.Calls()[0]; got.Resource != wantResource || got.Status != string(in.Status) || got.Err != test.want {
				t.Errorf("call: got %+v, want %q on %s, error %s", got, in.Status, wantResource, test.want)
			}
		})
	}

	t.Run("hook of another deployment", func(t *testing.T) {
		w := newWorld(t, fakeaws.Options{})
		in := hookReport(startDeployment(t, w.cloud, "AfterAllowTraffic").Next(), hookSucceeded)
		in.DeploymentId = aws.String(startDeployment(t, w.cloud, "AfterAllowTraffic").ID())
		_, err := w.codeDeploy.PutLifecycleEventHookExecutionStatus(t.Context(), in)
		if got, want := errorCode(err), "InvalidLifecycleEventHookExecutionIdException"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("deployment to EC2", func(t *testing.T) {
		w := newWorld(t, fakeaws.Options{})
		d, err := w.cloud.StartDeployment(fakeaws.DeploymentInput{Application: "shop", DeploymentGroup: "servers", Server: true})
		if err != nil {
			t.Fatalf("StartDeployment: %v", err)
		}
		_, err = w.codeDeploy.PutLifecycleEventHookExecutionStatus(t.Context(), &input{DeploymentId: aws.String(d.ID()), LifecycleEventHookExecutionId: aws.String(otherHook), Status: hookSucceeded})
		if got, want := errorCode(err), "UnsupportedActionForDeploymentTypeException"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestHookReportsAreReadStrictlyAsJSON sends bodies that the SDK cannot send.
func TestHookReportsAreReadStrictlyAsJSON(t *testing.T) {
	const put = "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus"
	const good = `{"deploymentId":"$D","lifecycleEventHookExecutionId":"$H","status":"Succeeded"}`
	tests := []struct{ name, target, body, want string }{
		{"good", put, good, ""},
		{"unknown member", put, `{"deploymentId":"$D","lifecycleEventHookExecutionId":"$H","status":"Succeeded","reason":"r"}`, "ValidationException"},
		{"status no string", put, `{"deploymentId":"$D","lifecycleEventHookExecutionId":"$H","status":1}`, "SerializationException"},
		{"no JSON", put, `deploymentId=$D`, "SerializationException"},
		{"empty body", put, ``, "SerializationException"},
		{"another operation", "CodeDeploy_20141006.CreateDeployment", `{}`, "UnknownOperationException"},
		{"another version", "CodeDeploy_20141007.PutLifecycleEventHookExecutionStatus", good, "UnknownOperationException"},
		{"no operation", "CodeDeploy_20141006", good, "UnknownOperationException"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			hook := startDeployment(t, w.cloud, "AfterAllowTraffic").Next()
			ids := hookReport(hook, "")
			status, answer, _ := w.raw(t, http.MethodPost, "/", map[string]string{"X-Amz-Target": test.target, "Content-Type": "application/x-amz-json-1.1"},
				strings.NewReplacer("$D", *ids.DeploymentId, "$H", *ids.LifecycleEventHookExecutionId).Replace(test.body), nil)
			if test.want == "" {
				if want := `{"lifecycleEventHookExecutionId":"` + *ids.LifecycleEventHookExecutionId + `"}`; status != http.StatusOK || answer != want {
					t.Errorf("got %d %s, want 200 %s", status, answer, want)
				}
				return
			}
			if status != http.StatusBadRequest || !strings.Contains(answer, `"__type":"`+test.want+`"`) || len(hook.Reports()) != 0 {
				t.Errorf("got %d %s, %d reports, want 400 %s and none", status, answer, len(hook.Reports()), test.want)
			}
			if calls := w.cloud.Calls(); len(calls) != 1 || calls[0].Err != test.want {
				t.Errorf("calls: got %+v, want one with %s", calls, test.want)
			}
		})
	}
}

func TestStartDeploymentRefusesWhatCodeDeployWould(t *testing.T) {
	input := func(hooks map[string]string) fakeaws.DeploymentInput {
		return fakeaws.DeploymentInput{Application: "shop", DeploymentGroup: "blue-green", Hooks: hooks}
	}
	tests := []struct {
		name  string
		input fakeaws.DeploymentInput
		want  []string // in the error
	}{
		{"unknown event", input(map[string]string{"AfterTraffic": "f"}), []string{`"AfterTraffic" is not a lifecycle event`}},
		{"event in other case", input(map[string]string{"afterAllowTraffic": "f"}), []string{"afterAllowTraffic"}},
		{"Install", input(map[string]string{"Install": "f"}), []string{`"Install": CodeDeploy handles this event itself`}},
		{"AllowTraffic", input(map[string]string{"AllowTraffic": "f"}), []string{`"AllowTraffic"`}},
		{"no function", input(map[string]string{"AfterInstall": ""}), []string{`"AfterInstall": ""`}},
		{"function of 65 characters", input(map[string]string{"AfterInstall": strings.Repeat("f", 65)}), []string{"neither the name nor the ARN"}},
		{"ARN of a role", input(map[string]string{"AfterInstall": "arn:aws:iam::123456789012:role/f"}), []string{"neither the name nor the ARN"}},
		{"nothing", fakeaws.DeploymentInput{}, []string{"Application", "DeploymentGroup"}},
		{"name of 101 characters", fakeaws.DeploymentInput{Application: strings.Repeat("a", 101), DeploymentGroup: "g"}, []string{`Application "` + strings.Repeat("a", 101)}},
		{"application with a slash", fakeaws.DeploymentInput{Application: "shop/a", DeploymentGroup: "g"}, []string{`Application "shop/a"`}},
		{"application with a space", fakeaws.DeploymentInput{Application: "my shop", DeploymentGroup: "g"}, []string{`Application "my shop"`}},
		{"application with more behind it", fakeaws.DeploymentInput{Application: "shop\n", DeploymentGroup: "g"}, []string{`Application "shop\n"`}},
		{"group beyond ASCII", fakeaws.DeploymentInput{Application: "a", DeploymentGroup: "é"}, []string{`DeploymentGroup "é"`}},
		{"two problems", input(map[string]string{"Install": "f", "Deploy": "f"}), []string{"Install", "Deploy"}},
		{"servers with hooks", fakeaws.DeploymentInput{Application: "a", DeploymentGroup: "g", Server: true, Hooks: map[string]string{"AfterInstall": "f"}}, []string{"EC2"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := fakeaws.New(fakeaws.Options{}).StartDeployment(test.input)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want an error with %q", err, want)
				}
			}
		})
	}
	for _, name := range []string{"a", strings.Repeat("a", 100), "A-z_0.9+=,@"} {
		if _, err := fakeaws.New(fakeaws.Options{}).StartDeployment(fakeaws.DeploymentInput{Application: name, DeploymentGroup: name}); err != nil {
			t.Errorf("name %s: got %v, want none", name, err)
		}
	}
	for _, function := range []string{"f", strings.Repeat("f", 64), "arn:aws:lambda:eu-west-1:123456789012:function:f", "arn:aws-cn:lambda:cn-north-1:123456789012:function:f:live"} {
		if _, err := fakeaws.New(fakeaws.Options{}).StartDeployment(input(map[string]string{"AfterInstall": function})); err != nil {
			t.Errorf("function %s: got %v, want none", function, err)
		}
	}
}
