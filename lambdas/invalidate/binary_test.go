package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
)

func TestBinaryCompletesInOneInvocation(t *testing.T) {
	edge := fakeaws.Distribution{ID: distribution, CompleteAfter: 100 * time.Millisecond}
	d, err := scenario{edge: edge, env: map[string]string{contract.EnvPollFor: "2s"}}.deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if broken := brokenRules(d, edge); len(broken) > 0 {
		t.Error(broken)
	}
	if d.Jobs() != 1 || d.Ended() != "success" {
		t.Errorf("took %d jobs and ended as %s, want 1 and success\n%s", d.Jobs(), d.Ended(), d.Function.Logs())
	}
	report, _ := d.Last()
	inv := d.Cloud.Invalidations(distribution)[0]
	if report.OutputVariables["InvalidationId"] != inv.ID || report.OutputVariables["Paths"] != "/*" || report.ExternalExecutionID != inv.ID {
		t.Errorf("report is %+v, want the invalidation %s and its paths in it", report, inv.ID)
	}
	if creates := d.Count(functiontest.Calls("cloudfront:CreateInvalidation")); creates != 1 {
		t.Errorf("made %d requests to create, want 1", creates)
	}
}

// The function clears what has changed, and in the next execution nothing.
func TestBinaryClearsWhatHasChanged(t *testing.T) {
	edge := fakeaws.Distribution{ID: distribution, CompleteAfter: 400 * time.Millisecond}
	d, err := scenario{edge: edge, touched: []string{"main.css", "a/index.html"}, ended: func(d *functiontest.Action) error {
		if broken := brokenRules(d, edge); len(broken) > 0 {
			t.Error(broken)
		}
		report, _ := d.Last()
		if want := map[string]string{"InvalidationId": d.Cloud.Invalidations(distribution)[0].ID, "Seconds": report.OutputVariables["Seconds"], "Items": "2", "Needless": "0", "Release": releaseID}; !maps.Equal(report.OutputVariables, want) {
			t.Errorf("output variables are %v, want %v", report.OutputVariables, want)
		}
		if d.Jobs() < 2 || !strings.Contains(report.Summary, "for 2 changed files of release "+releaseID+"; 0 of 3 unchanged files evicted") {
			t.Errorf("ended after %d jobs with %q, want several and what was cleared", d.Jobs(), report.Summary)
		}
		next, err := d.Start(fakeaws.Action{FunctionName: "invalidate", UserParameters: parameters(distribution)})
		if err != nil {
			return err
		}
		if err := next.Deliver(t.Context()); err != nil {
			return err
		}
		if report, _ := next.Last(); !strings.HasPrefix(report.Summary, "Nothing to clear") {
			t.Errorf("the next execution ended with %q, want nothing to clear", report.Summary+report.FailureMessage)
		}
		return nil
	}}.deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if all := d.Cloud.Invalidations(distribution); len(all) != 1 || !slices.Equal(all[0].Paths, []string{"/a/*", "/main.css"}) {
		t.Errorf("invalidations are %+v, want one of /a/* and /main.css", all)
	}
}

// The function clears another account's distribution, and reports as itself.
func TestBinaryAssumesARole(t *testing.T) {
	edge := fakeaws.Distribution{ID: distribution, CompleteAfter: functiontest.Soon}
	d, err := scenario{edge: edge, role: edgeRole, env: functiontest.OneCall}.deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if broken := brokenRules(d, edge); len(broken) > 0 || d.Ended() != "success" || d.Jobs() < 2 {
		t.Errorf("ended as %s after %d jobs, broken rules %q, want success after several", d.Ended(), d.Jobs(), broken)
	}
	if n := d.Count(functiontest.Calls("sts:AssumeRole")); n != 1 {
		t.Errorf("assumed the role %d times, want once for all jobs of a process", n)
	}
	for _, call := range d.Cloud.Calls() {
		want := "arn:aws:sts::123456789012:assumed-role/functiontest/invalidate"
		if strings.HasPrefix(call.Action, "cloudfront:") {
			want = "arn:aws:sts::210987654321:assumed-role/clear-cache/invalidate"
		}
		if call.Principal != want {
			t.Errorf("%s was called by %s, want %s", call.Action, call.Principal, want)
		}
	}
}

func TestBinaryContinuesByToken(t *testing.T) {
	for _, keepID := range []bool{false, true} { // AWS does not document whether CodePipeline keeps a job's id
		edge := fakeaws.Distribution{ID: distribution, CompleteAfter: functiontest.Soon}
		d, err := scenario{edge: edge, keepJobID: keepID, env: functiontest.OneCall}.deliver(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if broken := brokenRules(d, edge); len(broken) > 0 {
			t.Errorf("same id %v: %v", keepID, broken)
		}
		if n := d.ReportedTwice(); n > 0 {
			t.Errorf("same id %v: rule 1: %d jobs were reported twice", keepID, n)
		}
		if d.Jobs() < 2 || d.Ended() != "success" {
			t.Errorf("same id %v: took %d jobs and ended as %s, want several and success", keepID, d.Jobs(), d.Ended())
		}
	}
}

func TestBinaryRefusals(t *testing.T) {
	tests := []struct {
		name, params string
		env          map[string]string
		edge         fakeaws.Distribution
		want         string
		wantText     string
	}{
		{name: "no such distribution", params: parameters("E1NOTTHERE0000"), want: "ConfigurationError", wantText: "Check the blog's Invalidate.DistributionID"},
		{name: "role that does not exist", env: map[string]string{contract.EnvRoleARN: "arn:aws:iam::210987654321:role/gone"}, want: "PermissionError",
			wantText: "STS refused: AccessDenied: User: arn:aws:sts::123456789012:assumed-role/functiontest/invalidate is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::210987654321:role/gone. There must be a role arn:aws:iam::210987654321:role/gone"},
		{name: "path that CloudFront refuses", params: parameters(distribution, "/a b"), want: "ConfigurationError", wantText: "Check the blog's Invalidate.Paths"},
		{name: "settings", env: map[string]string{contract.EnvDeadline: "soon"}, want: "ConfigurationError", wantText: contract.EnvDeadline + ` is "soon"`},
		{name: "late", env: map[string]string{contract.EnvDeadline: "300ms"}, edge: fakeaws.Distribution{CompleteAfter: time.Hour}, want: "JobFailed", wantText: "was not completed within"},
		{name: "late, and the owner lets that pass", env: map[string]string{contract.EnvDeadline: "300ms", contract.EnvOnFailure: string(contract.OnFailureProceed)}, edge: fakeaws.Distribution{CompleteAfter: time.Hour}, want: "success", wantText: "WARNING"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.edge.ID = distribution
			d, err := scenario{edge: tt.edge, env: tt.env, params: tt.params}.deliver(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			report, _ := d.Last()
			if got := d.Ended(); got != tt.want || !strings.Contains(report.FailureMessage+report.Summary, tt.wantText) {
				t.Errorf("ended as %s, %q, want %s with %q", got, report.FailureMessage+report.Summary, tt.want, tt.wantText)
			}
		})
	}
}

// The message has CloudFront's own words, not those of a context that ended.
func TestBinaryKeepsTheCause(t *testing.T) {
	for name, proceed := range map[string]bool{"cloudfront:CreateInvalidation": false, "cloudfront:GetInvalidation": true} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{contract.EnvDeadline: "1500ms"}
			if proceed { // which does not help: CloudFront did not say that the invalidation is in progress
				env[contract.EnvOnFailure] = string(contract.OnFailureProceed)
			}
			d, err := scenario{
				edge: fakeaws.Distribution{ID: distribution, CompleteAfter: time.Hour}, env: env,
				cloud: fakeaws.Options{Fault: func(call fakeaws.Call) fakeaws.Fault {
					if call.Action == name {
						return fakeaws.Fault{Kind: fakeaws.Throttle}
					}
					return fakeaws.Fault{}
				}},
			}.deliver(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if report, _ := d.Last(); report.Success || !strings.Contains(report.FailureMessage, "Throttling") {
				t.Errorf("ended as %s with %q, want a failure that says Throttling", d.Ended(), report.FailureMessage+report.Summary)
			}
		})
	}
}

// An answer that never ends is a failure of the call, and not the end of the process,
// which has 128 MB.
func TestBinaryBoundsWhatItReads(t *testing.T) {
	d, err := scenario{
		edge: fakeaws.Distribution{ID: distribution, CompleteAfter: time.Hour}, env: map[string]string{contract.EnvDeadline: "1500ms"},
		cloud: fakeaws.Options{Fault: func(call fakeaws.Call) fakeaws.Fault {
			if call.Action == "cloudfront:GetInvalidation" {
				return fakeaws.Fault{Kind: fakeaws.Endless}
			}
			return fakeaws.Fault{}
		}},
	}.deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if report, _ := d.Last(); d.Ended() != "JobFailed" || !strings.Contains(report.FailureMessage, "Last answer: operation error CloudFront: GetInvalidation, the answer is longer than 256 KiB") {
		t.Errorf("ended as %s with %q, want JobFailed and the reason", d.Ended(), report.FailureMessage)
	}
	const most = 40 << 10 // 40 MB; it needs 10 at rest
	for _, attempts := range d.Attempts() {
		for _, attempt := range attempts {
			if attempt.MaxRSSKB > most { // 0 if the system does not tell
				t.Errorf("took %d MB, want at most %d", attempt.MaxRSSKB>>10, most>>10)
			}
		}
	}
}

// The function waits if the quota of invalidations in progress is full.
func TestBinaryWaitsForTheQuota(t *testing.T) {
	edge := fakeaws.Distribution{ID: distribution, CompleteAfter: 400 * time.Millisecond, MaxWildcardPaths: 1}
	first, err := scenario{edge: edge, started: func(d *functiontest.Action) {
		other, err := d.Cloud.StartAction(fakeaws.Action{FunctionName: "invalidate", UserParameters: parameters(distribution)})
		if err != nil {
			t.Fatal(err)
		}
		d.Function.InvokeAsync(t.Context(), other.Event()) // fills the quota
	}}.deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first.Ended() != "success" {
		report, _ := first.Last()
		t.Errorf("ended as %s (%s), want success after waiting", first.Ended(), report.FailureMessage)
	}
	if first.Count(functiontest.Refused("TooManyInvalidationsInProgress")) == 0 {
		t.Error("the quota never refused, so the test shows nothing")
	}
}

// The same event, delivered again after the end, changes nothing.
func TestBinaryDeliveredAgainAfterTheEnd(t *testing.T) {
	edge := fakeaws.Distribution{ID: distribution, CompleteAfter: 50 * time.Millisecond}
	setup := functiontest.Setup{Binary: binary, Name: "invalidate", Distributions: []fakeaws.Distribution{edge}, Env: []map[string]string{{contract.EnvPollFor: "2s"}}}
	err := functiontest.With(setup, func(w *functiontest.World) error {
		job, err := w.Cloud.StartAction(fakeaws.Action{FunctionName: "invalidate", UserParameters: parameters(distribution)})
		if err != nil {
			return err
		}
		for delivery := range 2 {
			result, err := w.Function.Invoke(t.Context(), job.Event())
			if err != nil || result.Err != nil {
				t.Errorf("delivery %d: %v %v, want neither", delivery+1, err, result.Err)
			}
		}
		if n := len(w.Cloud.Invalidations(distribution)); n != 1 {
			t.Errorf("%d invalidations, want 1", n)
		}
		if n := len(job.Reports()); n != 1 {
			t.Errorf("%d reports, want 1", n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
