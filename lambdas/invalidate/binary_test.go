package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

// binary is this command, compiled for the machine that runs the tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "invalidate")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "bootstrap")
		build := exec.CommandContext(context.Background(), "go", "build", "-tags", "lambda.norpc", "-o", binary, ".")
		if out, err := build.CombinedOutput(); err != nil {
			panic(fmt.Sprintf("compile the function: %v\n%s", err, out))
		}
		return m.Run()
	}())
}

const distribution = "E2QWRUHAPOMQZL"

// quick are the function's settings in these tests: everything AWS takes seconds
// for takes milliseconds.
var quick = map[string]string{
	"POLL_FOR":       "150ms",
	"POLL_EVERY":     "50ms",
	"DEADLINE":       "30s",
	"AFTER_DEADLINE": "fail",

	"AWS_SECRET_ACCESS_KEY": roleSecrets[0],
	"AWS_SESSION_TOKEN":     roleSecrets[1],
}

// roleSecrets are the credentials of the function's role.
var roleSecrets = []string{"wJalrXUtnFEMI/K7MDENG/theRolesEXAMPLEKEY", "theRolesSessionTokenEXAMPLE=="}

// delivery plays one action of a pipeline: CodePipeline, CloudFront, and Lambda
// with the compiled function.
type delivery struct {
	cloud    *fakeaws.Cloud
	function *lambdaruntime.Runtime
	attempts [][]lambdaruntime.Result // for each job

	mu         sync.Mutex
	jobs       []*fakeaws.Job
	duplicates sync.WaitGroup
}

// scenario is the world that an action runs in.
type scenario struct {
	cloud     fakeaws.Options
	edge      fakeaws.Distribution
	env       map[string]string // besides quick
	params    string            // default: params
	keepJobID bool
	// started, where set, is called before the first job is handed over.
	started func(*delivery)
}

// deliver runs an action until a job of it has a final report, or none at all.
func (s scenario) deliver(ctx context.Context) (d *delivery, err error) {
	d = &delivery{cloud: fakeaws.New(s.cloud)}
	d.cloud.AddDistribution(s.edge)
	server := httptest.NewServer(d.cloud)
	defer server.Close()

	env := map[string]string{"AWS_ENDPOINT_URL": server.URL}
	maps.Copy(env, quick)
	maps.Copy(env, s.env)
	d.function, err = lambdaruntime.Start(lambdaruntime.Function{
		Binary: binary, Name: "invalidate", Env: env, Timeout: 4 * time.Second,
		Retries: 2, RetryDelay: func(int) time.Duration { return 50 * time.Millisecond },
	})
	if err != nil {
		return nil, err
	}
	function := d.function
	defer func() { err = errors.Join(err, function.Close()) }()

	job, err := d.cloud.StartAction(fakeaws.Action{FunctionName: "invalidate", UserParameters: cmp.Or(s.params, params), KeepJobID: s.keepJobID})
	if err != nil {
		return nil, err
	}
	if s.started != nil {
		s.started(d)
	}
	for ; job != nil; job = job.Next() {
		if len(d.jobs) == 200 {
			return nil, fmt.Errorf("still not done after %d jobs", len(d.jobs))
		}
		d.mu.Lock()
		d.jobs = append(d.jobs, job)
		d.mu.Unlock()
		d.attempts = append(d.attempts, d.function.InvokeAsync(ctx, job.Event()))
	}
	d.duplicates.Wait()
	return d, nil
}

// again hands the current job over once more, while the first delivery is at work.
func (d *delivery) again(ctx context.Context) {
	d.mu.Lock()
	job := d.jobs[len(d.jobs)-1]
	d.mu.Unlock()
	d.duplicates.Go(func() { d.function.InvokeAsync(ctx, job.Event()) })
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
func (d *delivery) brokenRules(edge fakeaws.Distribution) (broken []string) {
	add := func(rule int, format string, args ...any) {
		broken = append(broken, fmt.Sprintf("rule %d: ", rule)+fmt.Sprintf(format, args...))
	}
	for i, job := range d.jobs {
		reports := job.Reports()
		if len(reports) > 1 {
			add(1, "job %d has %d reports, want 1", i+1, len(reports))
		}
		for n, attempt := range d.attempts[i] {
			if attempt.Err == nil && len(reports) == 0 {
				add(1, "invocation %d of job %d ended well without a report", n+1, i+1)
			}
		}
		if len(reports) == 0 && len(d.attempts[i]) != 3 {
			add(4, "job %d has no report, and Lambda tried %d times, want 3", i+1, len(d.attempts[i]))
		}
	}
	invalidations := d.cloud.Invalidations(edge.ID)
	if len(invalidations) > 1 {
		add(2, "%d invalidations, want 1", len(invalidations))
	}
	if report, ok := d.last(); ok && report.Success {
		switch {
		case len(invalidations) == 0:
			add(3, "success without an invalidation")
		case report.At.Before(invalidations[0].Created.Add(edge.CompleteAfter)):
			add(3, "success before the invalidation was completed")
		}
	}
	said := d.function.Logs()
	secrets := append(append(d.cloud.Secrets(), roleSecrets...), "artifactCredentials")
	for i, job := range d.jobs {
		for _, attempt := range d.attempts[i] {
			said += string(attempt.Payload)
		}
		for _, report := range job.Reports() {
			said += report.Summary + report.FailureMessage
			if report.ContinuationToken != "" {
				secrets = append(secrets, report.ContinuationToken)
			}
		}
	}
	said += strings.ReplaceAll(said, `\"`, `"`) // JSON within JSON
	for _, secret := range secrets {
		if strings.Contains(said, secret) {
			add(5, "the log, an answer or a report has a credential, a token or the whole event")
		}
	}
	return broken
}

// reportedTwice counts the reports for jobs that already had one.
func (d *delivery) reportedTwice() (n int) {
	for _, call := range d.cloud.Calls() {
		if call.Err == "InvalidJobStateException" {
			n++
		}
	}
	return n
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
		t.Errorf("took %d jobs and ended as %s, want 1 and success\n%s", len(d.jobs), d.outcome(), d.function.Logs())
	}
	report, _ := d.last()
	inv := d.cloud.Invalidations(distribution)[0]
	if report.OutputVariables["InvalidationId"] != inv.ID || report.OutputVariables["Paths"] != "/*" || report.ExternalExecutionID != inv.ID {
		t.Errorf("report is %+v, want the invalidation %s and its paths in it", report, inv.ID)
	}
	var creates int
	for _, call := range d.cloud.Calls() {
		if call.Action == "cloudfront:CreateInvalidation" {
			creates++
		}
	}
	if creates != 1 {
		t.Errorf("made %d requests to create, want 1", creates)
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

// A quota that is full is no failure: somebody else's invalidations have to end first.
func TestBinaryWaitsForTheQuota(t *testing.T) {
	edge := fakeaws.Distribution{ID: distribution, CompleteAfter: 400 * time.Millisecond, MaxWildcardPaths: 1}
	first, err := scenario{edge: edge, started: func(d *delivery) {
		other, err := d.cloud.StartAction(fakeaws.Action{FunctionName: "invalidate", UserParameters: `{"PipelineName":"another","DistributionId":"` + distribution + `"}`})
		if err != nil {
			t.Fatal(err)
		}
		d.function.InvokeAsync(t.Context(), other.Event()) // takes the only place
	}}.deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first.outcome() != "success" {
		report, _ := first.last()
		t.Errorf("ended as %s (%s), want success after waiting", first.outcome(), report.FailureMessage)
	}
	refusals := 0
	for _, call := range first.cloud.Calls() {
		if call.Err == "TooManyInvalidationsInProgress" {
			refusals++
		}
	}
	if refusals == 0 {
		t.Error("the quota never refused, so the test shows nothing")
	}
}

// The same event, delivered again when all is over, changes nothing.
func TestBinaryDeliveredAgainAfterTheEnd(t *testing.T) {
	edge := fakeaws.Distribution{ID: distribution, CompleteAfter: 50 * time.Millisecond}
	d, err := scenario{edge: edge, env: map[string]string{"POLL_FOR": "2s"}}.deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(d.cloud)
	defer server.Close()
	function, err := lambdaruntime.Start(lambdaruntime.Function{Binary: binary, Name: "invalidate", Timeout: 4 * time.Second,
		Env: map[string]string{"AWS_ENDPOINT_URL": server.URL, "POLL_FOR": "2s", "POLL_EVERY": "50ms"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := function.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}()
	result, err := function.Invoke(t.Context(), d.jobs[0].Event())
	if err != nil || result.Err != nil {
		t.Errorf("second delivery: %v %v, want neither: Lambda would try for nothing", err, result.Err)
	}
	if n := len(d.cloud.Invalidations(distribution)); n != 1 {
		t.Errorf("%d invalidations, want 1", n)
	}
	if n := len(d.jobs[0].Reports()); n != 1 {
		t.Errorf("%d reports, want 1", n)
	}
}
