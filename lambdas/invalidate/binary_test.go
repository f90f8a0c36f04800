package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

// binary is this command, compiled for the machine that runs the tests.
var binary string

func TestMain(m *testing.M) { os.Exit(functiontest.Main(m, &binary)) }

const (
	distribution = "E2QWRUHAPOMQZL"
	edgeRole     = "arn:aws:iam::210987654321:role/edge/clear-cache"
)

// delivery plays one action of a pipeline: CodePipeline, CloudFront, and Lambda
// with the compiled function.
type delivery struct {
	*functiontest.World
	attempts [][]lambdaruntime.Result // for each job

	mu   sync.Mutex
	jobs []*fakeaws.Job
}

// scenario is the world that an action runs in.
type scenario struct {
	cloud     fakeaws.Options
	edge      fakeaws.Distribution
	role      string // to take on; default: none
	env       map[string]string
	params    string // default: params
	keepJobID bool
	// started, where set, is called before the first job is handed over.
	started func(*delivery)
}

// deliver runs an action until a job of it has a final report, or none at all.
func (s scenario) deliver(ctx context.Context) (*delivery, error) {
	d := &delivery{}
	setup := functiontest.Setup{Binary: binary, Name: "invalidate", Cloud: s.cloud, Distributions: []fakeaws.Distribution{s.edge}, Role: s.role, Env: []map[string]string{s.env}}
	return d, functiontest.With(setup, func(w *functiontest.World) error {
		d.World = w
		job, err := d.Cloud.StartAction(fakeaws.Action{FunctionName: "invalidate", UserParameters: cmp.Or(s.params, params), KeepJobID: s.keepJobID})
		if err != nil {
			return err
		}
		if s.started != nil {
			s.started(d)
		}
		for ; job != nil; job = job.Next() {
			if len(d.jobs) == 200 {
				return fmt.Errorf("still not done after %d jobs", len(d.jobs))
			}
			d.mu.Lock()
			d.jobs = append(d.jobs, job)
			d.mu.Unlock()
			d.attempts = append(d.attempts, d.Function.InvokeAsync(ctx, job.Event()))
		}
		return nil
	})
}

// again hands the current job over once more, while the first delivery is at work.
func (d *delivery) again(ctx context.Context) {
	d.mu.Lock()
	job := d.jobs[len(d.jobs)-1]
	d.mu.Unlock()
	d.Again(ctx, job.Event())
}

// last returns the report of the last job.
func (d *delivery) last() (fakeaws.Report, bool) {
	reports := d.jobs[len(d.jobs)-1].Reports()
	if len(reports) == 0 {
		return fakeaws.Report{}, false
	}
	return reports[len(reports)-1], true
}

// outcome is how the pipeline sees the action end.
func (d *delivery) outcome() string {
	switch report, ok := d.last(); {
	case !ok:
		return "no report"
	case report.Success:
		return "success"
	default:
		return report.FailureType
	}
}

// brokenRules checks the rules that never bend on all that was recorded.
func (d *delivery) brokenRules(edge fakeaws.Distribution) []string {
	record := functiontest.Record{
		Distributions: []fakeaws.Distribution{edge},
		Secrets:       []string{"artifactCredentials"},
	}
	for i, job := range d.jobs {
		reports := job.Reports()
		record.Requests = append(record.Requests, functiontest.Request{Attempts: d.attempts[i], Reports: len(reports)})
		for _, attempt := range d.attempts[i] {
			record.Said = append(record.Said, string(attempt.Payload))
		}
		for _, report := range reports {
			record.Said = append(record.Said, report.Summary, report.FailureMessage)
			if report.ContinuationToken != "" {
				record.Secrets = append(record.Secrets, report.ContinuationToken)
			}
		}
	}
	if report, ok := d.last(); ok && report.Success {
		record.Success = report.At
	}
	return d.BrokenRules(record)
}

// reportedTwice counts the reports for jobs that already had one.
func (d *delivery) reportedTwice() int {
	return d.Count(functiontest.Refused("InvalidJobStateException"))
}

const params = `{"PipelineName":"my-blog","DistributionId":"` + distribution + `"}`

func TestBinaryCompletesInOneInvocation(t *testing.T) {
	edge := fakeaws.Distribution{ID: distribution, CompleteAfter: 100 * time.Millisecond}
	d, err := scenario{edge: edge, env: map[string]string{"POLL_FOR": "2s"}}.deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if broken := d.brokenRules(edge); len(broken) > 0 {
		t.Error(broken)
	}
	if len(d.jobs) != 1 || d.outcome() != "success" {
		t.Errorf("took %d jobs and ended as %s, want 1 and success\n%s", len(d.jobs), d.outcome(), d.Function.Logs())
	}
	report, _ := d.last()
	inv := d.Cloud.Invalidations(distribution)[0]
	if report.OutputVariables["InvalidationId"] != inv.ID || report.OutputVariables["Paths"] != "/*" || report.ExternalExecutionID != inv.ID {
		t.Errorf("report is %+v, want the invalidation %s and its paths in it", report, inv.ID)
	}
	if creates := d.Count(functiontest.Calls("cloudfront:CreateInvalidation")); creates != 1 {
		t.Errorf("made %d requests to create, want 1", creates)
	}
}

// The function clears another account's distribution, and reports as itself.
func TestBinaryTakesOnARole(t *testing.T) {
	edge := fakeaws.Distribution{ID: distribution, CompleteAfter: 500 * time.Millisecond}
	d, err := scenario{edge: edge, role: edgeRole}.deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if broken := d.brokenRules(edge); len(broken) > 0 || d.outcome() != "success" || len(d.jobs) < 2 {
		t.Errorf("ended as %s after %d jobs, broken rules %q, want success after several", d.outcome(), len(d.jobs), broken)
	}
	if n := d.Count(functiontest.Calls("sts:AssumeRole")); n != 1 {
		t.Errorf("took the role on %d times, want once for all jobs of a process", n)
	}
	for _, call := range d.Cloud.Calls() {
		want := "arn:aws:sts::123456789012:assumed-role/trial/invalidate"
		if strings.HasPrefix(call.Action, "cloudfront:") {
			want = "arn:aws:sts::210987654321:assumed-role/clear-cache/invalidate"
		}
		if call.Principal != want {
			t.Errorf("%s was called by %s, want %s", call.Action, call.Principal, want)
		}
	}
}

func TestBinaryContinuesByToken(t *testing.T) {
	for _, keepID := range []bool{false, true} { // whether CodePipeline keeps a job's id is not documented
		edge := fakeaws.Distribution{ID: distribution, CompleteAfter: 500 * time.Millisecond}
		d, err := scenario{edge: edge, keepJobID: keepID}.deliver(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if broken := d.brokenRules(edge); len(broken) > 0 {
			t.Errorf("same id %v: %v", keepID, broken)
		}
		if n := d.reportedTwice(); n > 0 {
			t.Errorf("same id %v: rule 1: %d jobs were reported twice", keepID, n)
		}
		if len(d.jobs) < 2 || d.outcome() != "success" {
			t.Errorf("same id %v: took %d jobs and ended as %s, want several and success", keepID, len(d.jobs), d.outcome())
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
		{name: "no such distribution", params: `{"PipelineName":"my-blog","DistributionId":"E1NOTTHERE0000"}`, want: "ConfigurationError", wantText: "Check the blog's Invalidate.DistributionID"},
		{name: "role that is not there", params: params, env: map[string]string{"ROLE_ARN": "arn:aws:iam::210987654321:role/gone"}, want: "PermissionError",
			wantText: "STS refused: AccessDenied: User: arn:aws:sts::123456789012:assumed-role/trial/invalidate is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::210987654321:role/gone. There must be a role arn:aws:iam::210987654321:role/gone"},
		{name: "path that CloudFront refuses", params: `{"PipelineName":"my-blog","DistributionId":"` + distribution + `","Paths":["/a b"]}`, want: "ConfigurationError", wantText: "Check the blog's Invalidate.Paths"},
		{name: "settings", params: params, env: map[string]string{"DEADLINE": "soon"}, want: "ConfigurationError", wantText: `DEADLINE is "soon"`},
		{name: "late", params: params, env: map[string]string{"DEADLINE": "300ms"}, edge: fakeaws.Distribution{CompleteAfter: time.Hour}, want: "JobFailed", wantText: "was not completed within"},
		{name: "late, and the owner goes on", params: params, env: map[string]string{"DEADLINE": "300ms", "AFTER_DEADLINE": "warn"}, edge: fakeaws.Distribution{CompleteAfter: time.Hour}, want: "success", wantText: "WARNING"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.edge.ID = distribution
			d, err := scenario{edge: tt.edge, env: tt.env, params: tt.params}.deliver(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			report, _ := d.last()
			if got := d.outcome(); got != tt.want || !strings.Contains(report.FailureMessage+report.Summary, tt.wantText) {
				t.Errorf("ended as %s, %q, want %s with %q", got, report.FailureMessage+report.Summary, tt.want, tt.wantText)
			}
		})
	}
}

// The message must carry CloudFront's own words, not those of a context that ended.
func TestBinaryKeepsTheCause(t *testing.T) {
	for name, warn := range map[string]bool{"cloudfront:CreateInvalidation": false, "cloudfront:GetInvalidation": true} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{"DEADLINE": "1500ms"}
			if warn { // CloudFront has not said that it is in progress: no choice of the owner's
				env["AFTER_DEADLINE"] = "warn"
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
			if report, _ := d.last(); report.Success || !strings.Contains(report.FailureMessage, "Throttling") {
				t.Errorf("ended as %s with %q, want a failure that says Throttling", d.outcome(), report.FailureMessage+report.Summary)
			}
		})
	}
}

// An answer that never ends is a fault like others, and not the end of the process, which
// has 128 MB.
func TestBinaryBoundsWhatItReads(t *testing.T) {
	d, err := scenario{
		edge: fakeaws.Distribution{ID: distribution, CompleteAfter: time.Hour}, env: map[string]string{"DEADLINE": "1500ms"},
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
	if report, _ := d.last(); d.outcome() != "JobFailed" || !strings.Contains(report.FailureMessage, "Last answer: operation error CloudFront: GetInvalidation, the answer is longer than 256 KiB") {
		t.Errorf("ended as %s with %q, want JobFailed and why", d.outcome(), report.FailureMessage)
	}
	const most = 40 << 10 // 40 MB; it takes 10 at rest
	for _, attempts := range d.attempts {
		for _, attempt := range attempts {
			if attempt.MaxRSSKB > most { // 0 where that cannot be known
				t.Errorf("took %d MB, want at most %d", attempt.MaxRSSKB>>10, most>>10)
			}
		}
	}
}

// A quota that is full is no failure: somebody else's invalidations have to end first.
func TestBinaryWaitsForTheQuota(t *testing.T) {
	edge := fakeaws.Distribution{ID: distribution, CompleteAfter: 400 * time.Millisecond, MaxWildcardPaths: 1}
	first, err := scenario{edge: edge, started: func(d *delivery) {
		other, err := d.Cloud.StartAction(fakeaws.Action{FunctionName: "invalidate", UserParameters: `{"PipelineName":"another","DistributionId":"` + distribution + `"}`})
		if err != nil {
			t.Fatal(err)
		}
		d.Function.InvokeAsync(t.Context(), other.Event()) // takes the only place
	}}.deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first.outcome() != "success" {
		report, _ := first.last()
		t.Errorf("ended as %s (%s), want success after waiting", first.outcome(), report.FailureMessage)
	}
	if first.Count(functiontest.Refused("TooManyInvalidationsInProgress")) == 0 {
		t.Error("the quota never refused, so the test shows nothing")
	}
}

// The same event, delivered again when all is over, changes nothing.
func TestBinaryDeliveredAgainAfterTheEnd(t *testing.T) {
	edge := fakeaws.Distribution{ID: distribution, CompleteAfter: 50 * time.Millisecond}
	setup := functiontest.Setup{Binary: binary, Name: "invalidate", Distributions: []fakeaws.Distribution{edge}, Env: []map[string]string{{"POLL_FOR": "2s"}}}
	err := functiontest.With(setup, func(w *functiontest.World) error {
		job, err := w.Cloud.StartAction(fakeaws.Action{FunctionName: "invalidate", UserParameters: params})
		if err != nil {
			return err
		}
		for delivery := range 2 {
			result, err := w.Function.Invoke(t.Context(), job.Event())
			if err != nil || result.Err != nil {
				t.Errorf("delivery %d: %v %v, want neither: Lambda would try for nothing", delivery+1, err, result.Err)
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
