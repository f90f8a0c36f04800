package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	smithy "github.com/aws/smithy-go"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
)

// fakeCodePipeline keeps the reports it gets, and answers with what fail says.
type fakeCodePipeline struct {
	success []*codepipeline.PutJobSuccessResultInput
	failure []*codepipeline.PutJobFailureResultInput
	fail    func(context.Context) error
}

func (f *fakeCodePipeline) answer(ctx context.Context) error {
	if f.fail != nil {
		return f.fail(ctx)
	}
	return ctx.Err() // a report must come on a context that is alive
}

func (f *fakeCodePipeline) PutJobSuccessResult(ctx context.Context, in *codepipeline.PutJobSuccessResultInput, _ ...func(*codepipeline.Options)) (*codepipeline.PutJobSuccessResultOutput, error) {
	f.success = append(f.success, in)
	return &codepipeline.PutJobSuccessResultOutput{}, f.answer(ctx)
}

func (f *fakeCodePipeline) PutJobFailureResult(ctx context.Context, in *codepipeline.PutJobFailureResultInput, _ ...func(*codepipeline.Options)) (*codepipeline.PutJobFailureResultOutput, error) {
	f.failure = append(f.failure, in)
	return &codepipeline.PutJobFailureResultOutput{}, f.answer(ctx)
}

// fakeCloudFront answers every call with the same status or error, or does what
// panics says.
type fakeCloudFront struct {
	status  string
	err     error
	panics  any
	created []*cloudfront.CreateInvalidationInput
}

func (f *fakeCloudFront) answer() (*cftypes.Invalidation, error) {
	if f.panics != nil {
		panic(f.panics)
	}
	return &cftypes.Invalidation{Id: aws.String("I2J0I21PCUYOIK"), Status: aws.String(f.status)}, f.err
}

func (f *fakeCloudFront) CreateInvalidation(_ context.Context, in *cloudfront.CreateInvalidationInput, _ ...func(*cloudfront.Options)) (*cloudfront.CreateInvalidationOutput, error) {
	f.created = append(f.created, in)
	inv, err := f.answer()
	return &cloudfront.CreateInvalidationOutput{Invalidation: inv}, err
}

func (f *fakeCloudFront) GetInvalidation(context.Context, *cloudfront.GetInvalidationInput, ...func(*cloudfront.Options)) (*cloudfront.GetInvalidationOutput, error) {
	inv, err := f.answer()
	return &cloudfront.GetInvalidationOutput{Invalidation: inv}, err
}

type world struct {
	pipeline *fakeCodePipeline
	edge     *fakeCloudFront
	handler  *handler
	log      *strings.Builder
}

func newWorld(status string) *world {
	w := &world{pipeline: &fakeCodePipeline{}, edge: &fakeCloudFront{status: status}, log: &strings.Builder{}}
	settings, _ := invalidation.ParseSettings(func(string) string { return "" })
	w.handler = &handler{
		codePipeline: w.pipeline,
		invalidator:  invalidation.Invalidator{CloudFront: w.edge, Settings: settings, Words: words},
		log:          slog.New(slog.NewJSONHandler(w.log, nil)),
	}
	return w
}

// invoke is one invocation with Lambda's deadline, 80 seconds from now.
func (w *world) invoke(t *testing.T, event []byte) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 80*time.Second)
	defer cancel()
	_, err := w.handler.Invoke(ctx, event)
	return err
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	event, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return event
}

func TestEvents(t *testing.T) {
	tests := []struct {
		event       string
		status      string // CloudFront's
		wantFailure types.FailureType
		wantText    string // in the failure's message or the summary
		wantToken   bool
		wantPaths   []string // of a created invalidation
	}{
		{event: "first-job", status: "Completed", wantText: "Cleared /posts/* /index.html in 0s", wantPaths: []string{"/index.html", "/posts/*"}},
		{event: "first-article", status: "Completed", wantText: "Cleared /* in 0s", wantPaths: []string{"/*"}},
		{event: "first-job", status: "InProgress", wantText: "Waiting for invalidation I2J0I21PCUYOIK", wantToken: true, wantPaths: []string{"/index.html", "/posts/*"}},
		{event: "continuation", status: "Completed", wantText: "Cleared /posts/* /index.html"},
		{event: "continuation", status: "InProgress", wantText: "Waiting for invalidation", wantToken: true},
		{event: "continuation-not-created", status: "Completed", wantText: "Cleared", wantPaths: []string{"/index.html", "/posts/*"}},
		{event: "token-of-tomorrow", wantFailure: types.FailureTypeConfigurationError, wantText: "version is 2, this function knows 1"},
		{event: "token-of-the-article", wantFailure: types.FailureTypeConfigurationError, wantText: "continuation token"},
		{event: "token-garbage", wantFailure: types.FailureTypeConfigurationError, wantText: "retry this stage to start afresh"},
		{event: "parameters-not-json", wantFailure: types.FailureTypeConfigurationError, wantText: `decode UserParameters "E2EXAMPLE"`},
		{event: "parameters-misspelt", wantFailure: types.FailureTypeConfigurationError, wantText: `unknown field "Path"`},
		{event: "parameters-empty", wantFailure: types.FailureTypeConfigurationError, wantText: "no DistributionId"},
		{event: "data-of-another-shape", wantFailure: types.FailureTypeConfigurationError, wantText: "decode job 11111111"},
	}
	for _, tt := range tests {
		t.Run(tt.event+" "+tt.status, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // starts at 2000-01-01, as the tokens in testdata do
				w := newWorld(tt.status)
				if err := w.invoke(t, read(t, tt.event)); err != nil {
					t.Fatalf("Invoke: %v, want a report and no error", err)
				}
				if got := len(w.pipeline.success) + len(w.pipeline.failure); got != 1 {
					t.Fatalf("sent %d reports, want exactly 1", got)
				}
				if tt.wantFailure != "" {
					if len(w.pipeline.failure) != 1 {
						t.Fatalf("reported success, want failure %s", tt.wantFailure)
					}
					details := w.pipeline.failure[0].FailureDetails
					if details.Type != tt.wantFailure || !strings.Contains(*details.Message, tt.wantText) {
						t.Errorf("reported %s %q, want %s with %q", details.Type, *details.Message, tt.wantFailure, tt.wantText)
					}
					if len(w.edge.created) != 0 {
						t.Errorf("created an invalidation for a job that is refused")
					}
					return
				}
				if len(w.pipeline.success) != 1 {
					t.Fatalf("reported failure %q, want success", *w.pipeline.failure[0].FailureDetails.Message)
				}
				report := w.pipeline.success[0]
				if got := *report.ExecutionDetails.Summary; !strings.Contains(got, tt.wantText) {
					t.Errorf("summary is %q, want %q in it", got, tt.wantText)
				}
				if got := report.ContinuationToken != nil; got != tt.wantToken {
					t.Errorf("report has a continuation token: %v, want %v", got, tt.wantToken)
				}
				// CodePipeline takes output variables with the last report only.
				if got := report.OutputVariables != nil; got == tt.wantToken {
					t.Errorf("report has output variables: %v, want %v", got, !tt.wantToken)
				}
				var paths []string
				for _, in := range w.edge.created {
					paths = in.InvalidationBatch.Paths.Items
				}
				if !slices.Equal(paths, tt.wantPaths) {
					t.Errorf("invalidated %q, want %q", paths, tt.wantPaths)
				}
			})
		})
	}
}

func TestFinalReportCarriesVariables(t *testing.T) {
	w := newWorld("Completed")
	if err := w.invoke(t, read(t, "first-job")); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"InvalidationId": "I2J0I21PCUYOIK", "Seconds": "0", "Paths": "/posts/* /index.html"}
	if got := w.pipeline.success[0].OutputVariables; !maps.Equal(got, want) {
		t.Errorf("output variables are %v, want %v", got, want)
	}
	if got := aws.ToString(w.pipeline.success[0].ExecutionDetails.ExternalExecutionId); got != "I2J0I21PCUYOIK" {
		t.Errorf("external execution id is %q, want the invalidation's", got)
	}
}

// A failure, too, says which invalidation to look at.
func TestFailureNamesTheInvalidation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("InProgress")
		if err := w.invoke(t, read(t, "continuation-late")); err != nil {
			t.Fatal(err)
		}
		if got := aws.ToString(w.pipeline.failure[0].FailureDetails.ExternalExecutionId); got != "I2J0I21PCUYOIK" {
			t.Errorf("external execution id is %q, want the invalidation's", got)
		}
	})
}

func TestNoJobNoReport(t *testing.T) {
	for _, event := range []string{"no-job-id", "codedeploy-hook"} {
		w := newWorld("Completed")
		err := w.invoke(t, read(t, event))
		if err == nil || !strings.Contains(err.Error(), `"CodePipeline.job"`) {
			t.Errorf("%s: error is %v, want one that names what is missing", event, err)
		}
		if n := len(w.pipeline.success) + len(w.pipeline.failure) + len(w.edge.created); n != 0 {
			t.Errorf("%s: made %d calls, want none", event, n)
		}
	}
}

func TestPanicSendsFailure(t *testing.T) {
	w := newWorld("")
	w.edge.panics = "the sky is falling"
	if err := w.invoke(t, read(t, "first-job")); err != nil {
		t.Fatalf("Invoke: %v, want a report and no error", err)
	}
	if len(w.pipeline.failure) != 1 || len(w.pipeline.success) != 0 {
		t.Fatalf("sent %d failures and %d successes, want 1 failure", len(w.pipeline.failure), len(w.pipeline.success))
	}
	if got := *w.pipeline.failure[0].FailureDetails.Message; !strings.Contains(got, "the sky is falling") {
		t.Errorf("message is %q, want the panic's cause in it", got)
	}
	if !strings.Contains(w.log.String(), "handler.go") {
		t.Errorf("log has no stack: %s", w.log)
	}
}

func TestUnsentReportIsAnError(t *testing.T) {
	for name, event := range map[string]string{"success": "first-job", "failure": "parameters-empty"} {
		w := newWorld("Completed")
		broken := errors.New("connection reset by peer")
		w.pipeline.fail = func(context.Context) error { return broken }
		if err := w.invoke(t, read(t, event)); !errors.Is(err, broken) {
			t.Errorf("%s: error is %v, want the one of the report, so that Lambda tries again", name, err)
		}
		if strings.Contains(w.log.String(), "_aws") {
			t.Errorf("%s: counted a result that nobody has heard of", name)
		}
	}
}

func TestSecondReportIsHarmless(t *testing.T) {
	w := newWorld("Completed")
	w.pipeline.fail = func(context.Context) error { return &types.InvalidJobStateException{} }
	if err := w.invoke(t, read(t, "first-job")); err != nil {
		t.Errorf("Invoke: %v, want none: the job has its report", err)
	}
	if strings.Contains(w.log.String(), "_aws") {
		t.Error("counted the same result twice")
	}
}

func TestUnknownJobIsAnError(t *testing.T) {
	w := newWorld("Completed")
	w.pipeline.fail = func(context.Context) error { return &types.JobNotFoundException{} }
	if err := w.invoke(t, read(t, "first-job")); err == nil {
		t.Error("Invoke: no error, want one: nobody has the report")
	}
}

func TestMisconfiguredFunctionTellsTheJob(t *testing.T) {
	w := newWorld("Completed")
	w.handler.misconfigured = errors.New(`DEADLINE is "soon"`)
	if err := w.invoke(t, read(t, "first-job")); err != nil {
		t.Fatal(err)
	}
	if len(w.pipeline.failure) != 1 || !strings.Contains(*w.pipeline.failure[0].FailureDetails.Message, "soon") {
		t.Errorf("reports are %v, want a failure that names the setting", w.pipeline.failure)
	}
}

// The report must go out before Lambda stops the function, however long the work
// would take.
func TestReportsBeforeLambdasDeadline(t *testing.T) {
	for _, lambda := range []time.Duration{2 * time.Second, 20 * time.Second, 80 * time.Second, 15 * time.Minute} {
		t.Run(lambda.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld("InProgress")
				w.handler.invalidator.Settings.PollFor = time.Hour
				w.pipeline.fail = func(ctx context.Context) error {
					if ctx.Err() != nil {
						t.Errorf("the report's context is over: %v", ctx.Err())
					}
					if deadline, ok := ctx.Deadline(); !ok || !deadline.Before(time.Now().Add(lambda)) {
						t.Errorf("the report's context has no deadline before Lambda's")
					}
					return nil
				}
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), lambda)
				defer cancel()
				if _, err := w.handler.Invoke(ctx, read(t, "first-job")); err != nil {
					t.Fatal(err)
				}
				if left := lambda - time.Since(start); left < min(lambda/5, 10*time.Second) {
					t.Errorf("reported %v before Lambda's deadline, want some time for retries", left)
				}
				if len(w.pipeline.success) != 1 || w.pipeline.success[0].ContinuationToken == nil {
					t.Errorf("want one continuation, got %v %v", w.pipeline.success, w.pipeline.failure)
				}
			})
		})
	}
}

func TestLogLinesNameTheirJob(t *testing.T) {
	w := newWorld("Completed")
	if err := w.invoke(t, read(t, "first-job")); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(strings.NewReader(w.log.String()))
	n := 0
	for ; lines.Scan(); n++ {
		var line map[string]any
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("line is no JSON: %s", lines.Text())
		}
		for key, want := range map[string]string{"job": "11111111-abcd-1111-abcd-111111abcdef", "blog": "my-blog", "distribution": "E2EXAMPLE", "invalidation": "I2J0I21PCUYOIK"} {
			if line[key] != want {
				t.Errorf("line has %s %v, want %s: %s", key, line[key], want, lines.Text())
			}
		}
	}
	if n < 2 {
		t.Errorf("logged %d lines, want one for CloudFront and one for the report", n)
	}
}

// TestWhatIsCounted: alarms live on these numbers.
func TestWhatIsCounted(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}
	tests := []struct {
		name  string
		event string
		world func(*world)
		want  string // InvalidationFailed, InvalidationLate and whether there are seconds; "" for nothing
		level string
	}{
		{"completed", "continuation", func(*world) {}, "0 0 true", "INFO"},
		{"continued", "first-job", func(w *world) { w.edge.status = "InProgress" }, "", ""},
		{"refused by CloudFront", "first-job", func(w *world) { w.edge.err = denied }, "1 0 false", "ERROR"},
		{"refused by the function", "token-of-tomorrow", func(*world) {}, "1 0 false", "ERROR"},
		{"panic", "first-job", func(w *world) { w.edge.panics = "x" }, "1 0 false", "ERROR"},
		{"late, to fail", "continuation-late", func(w *world) { w.edge.status = "InProgress" }, "1 1 false", "ERROR"},
		{"late, to go on", "continuation-late", func(w *world) {
			w.edge.status, w.handler.invalidator.Settings.AfterDeadline = "InProgress", invalidation.Warn
		}, "0 1 false", "WARN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld("Completed")
				tt.world(w)
				time.Sleep(time.Second) // so that there is a time to measure
				if err := w.invoke(t, read(t, tt.event)); err != nil {
					t.Fatal(err)
				}
				got, level := "", ""
				for text := range strings.Lines(w.log.String()) {
					var line map[string]any
					if err := json.Unmarshal([]byte(text), &line); err != nil {
						t.Fatal(err)
					}
					if line["_aws"] == nil {
						continue
					}
					if got != "" {
						t.Error("counted twice")
					}
					got = fmt.Sprint(line["InvalidationFailed"], " ", line["InvalidationLate"], " ", line["InvalidationSeconds"] != nil)
					level = line["level"].(string)
				}
				if got != tt.want || level != tt.level {
					t.Errorf("counted %q at level %q, want %q at %q", got, level, tt.want, tt.level)
				}
			})
		})
	}
}

func TestVariablesThatDoNotFitAreLeftOut(t *testing.T) {
	w := newWorld("Completed")
	w.pipeline.fail = func(context.Context) error {
		if w.pipeline.success[len(w.pipeline.success)-1].OutputVariables != nil {
			return &types.OutputVariablesSizeExceededException{}
		}
		return nil
	}
	if err := w.invoke(t, read(t, "first-job")); err != nil {
		t.Errorf("Invoke: %v, want the report without its variables", err)
	}
}

func TestNoCredentialIsLogged(t *testing.T) {
	events, err := filepath.Glob("testdata/*.json")
	if err != nil || len(events) == 0 {
		t.Fatal("no events", err)
	}
	for _, path := range events {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		w := newWorld("Completed")
		// Lambda logs an error that the function returns.
		logged := fmt.Sprintln(w.invoke(t, read(t, name))) + w.log.String()
		for _, secret := range []string{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "SESSIONTOKEN", "artifactCredentials"} {
			if strings.Contains(logged, secret) {
				t.Errorf("%s: log has %q", name, secret)
			}
		}
	}
}

func TestReportsKeepCodePipelinesLimits(t *testing.T) {
	client := &fakeCodePipeline{}
	long := strings.Repeat("あ", 6000)
	if err := (report{failure: types.FailureTypeJobFailed, message: long}).send(t.Context(), client, "job"); err != nil {
		t.Fatal(err)
	}
	if got := utf8.RuneCountInString(*client.failure[0].FailureDetails.Message); got != maxMessage {
		t.Errorf("message has %d characters, want %d", got, maxMessage)
	}
	if err := (report{summary: long}).send(t.Context(), client, "job"); err != nil {
		t.Fatal(err)
	}
	if got := utf8.RuneCountInString(*client.success[0].ExecutionDetails.Summary); got != maxSummary {
		t.Errorf("summary has %d characters, want %d", got, maxSummary)
	}
}

// FuzzInvoke: whatever comes, there is one report, or an error and no report.
func FuzzInvoke(f *testing.F) {
	events, _ := filepath.Glob("testdata/*.json")
	for _, path := range events {
		event, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(event)
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		w := newWorld("Completed")
		err := w.invoke(t, event)
		reports := len(w.pipeline.success) + len(w.pipeline.failure)
		if (err == nil) != (reports == 1) || reports > 1 {
			t.Errorf("error %v and %d reports", err, reports)
		}
		if len(w.pipeline.success) == 1 && w.pipeline.success[0].ContinuationToken != nil {
			t.Error("continued a completed invalidation")
		}
	})
}
