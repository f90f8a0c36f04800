package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	smithy "github.com/aws/smithy-go"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/lambdas/internal/redact"
	"blog-deploy-pipeline/rehearse/functiontest"
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

type world struct {
	pipeline *fakeCodePipeline
	edge     *invalidationtest.CloudFront
	handler  *handler
	log      invocationtest.Log
}

// newWorld returns a world in which CloudFront gives every invalidation this status.
func newWorld(status string) *world {
	w := &world{pipeline: &fakeCodePipeline{}}
	settings, _ := invalidation.ParseSettings(func(string) string { return "" })
	w.handler = &handler{
		codePipeline: w.pipeline,
		invalidator:  invalidation.Invalidator{Settings: settings, Words: words},
		log:          w.log.Logger(),
	}
	w.cloudFront(invalidationtest.Says(status))
	return w
}

// cloudFront replaces CloudFront.
func (w *world) cloudFront(edge *invalidationtest.CloudFront) {
	w.edge, w.handler.invalidator.CloudFront = edge, edge
}

func (w *world) invoke(t *testing.T, event []byte) error {
	t.Helper()
	_, err := invocationtest.Invoke(t, w.handler, invocationtest.Limit, event)
	return err
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
		{event: "first-with-unused-garbage", status: "Completed", wantText: "Cleared /posts/* /index.html in 0s", wantPaths: []string{"/index.html", "/posts/*"}},
		{event: "data-of-another-shape", wantFailure: types.FailureTypeConfigurationError, wantText: "decode job 11111111-abcd-1111-abcd-111111abcdef: CodePipeline.job.data is of the type string, and not what CodePipeline sends"},
	}
	for _, tt := range tests {
		t.Run(tt.event+" "+tt.status, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // starts at 2000-01-01, as the tokens in testdata do
				w := newWorld(tt.status)
				if err := w.invoke(t, invocationtest.Event(t, tt.event)); err != nil {
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
					if len(w.edge.Created()) != 0 {
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
				for _, in := range w.edge.Created() {
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
	if err := w.invoke(t, invocationtest.Event(t, "first-job")); err != nil {
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
		if err := w.invoke(t, invocationtest.Event(t, "continuation-late")); err != nil {
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
		err := w.invoke(t, invocationtest.Event(t, event))
		if err == nil || !strings.Contains(err.Error(), `"CodePipeline.job"`) {
			t.Errorf("%s: error is %v, want one that names what is missing", event, err)
		}
		if n := len(w.pipeline.success) + len(w.pipeline.failure) + len(w.edge.Created()); n != 0 {
			t.Errorf("%s: made %d calls, want none", event, n)
		}
	}
}

func TestPanicSendsFailure(t *testing.T) {
	w := newWorld("")
	w.cloudFront(invalidationtest.Panics("the sky is falling"))
	if err := w.invoke(t, invocationtest.Event(t, "first-job")); err != nil {
		t.Fatalf("Invoke: %v, want a report and no error", err)
	}
	if len(w.pipeline.failure) != 1 || len(w.pipeline.success) != 0 {
		t.Fatalf("sent %d failures and %d successes, want 1 failure", len(w.pipeline.failure), len(w.pipeline.success))
	}
	if got := *w.pipeline.failure[0].FailureDetails.Message; !strings.Contains(got, "the sky is falling") {
		t.Errorf("message is %q, want the panic's cause in it", got)
	}
	if !strings.Contains(w.log.String(), "handler.go") {
		t.Errorf("log has no stack: %s", w.log.String())
	}
}

func TestUnsentReportIsAnError(t *testing.T) {
	for name, event := range map[string]string{"success": "first-job", "failure": "parameters-empty"} {
		w := newWorld("Completed")
		broken := errors.New("connection reset by peer")
		w.pipeline.fail = func(context.Context) error { return broken }
		if err := w.invoke(t, invocationtest.Event(t, event)); !errors.Is(err, broken) {
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
	if err := w.invoke(t, invocationtest.Event(t, "first-job")); err != nil {
		t.Errorf("Invoke: %v, want none: the job has its report", err)
	}
	if strings.Contains(w.log.String(), "_aws") {
		t.Error("counted the same result twice")
	}
	// But of a failure it cannot tell whether anybody has counted it.
	if err := w.invoke(t, invocationtest.Event(t, "token-garbage")); err != nil {
		t.Errorf("Invoke: %v, want none: the job has its report", err)
	}
	if !strings.Contains(w.log.String(), `"InvalidationFailed":1`) {
		t.Error("a failure may go uncounted")
	}
}

// A message says what is wrong with an event, and not what type of Go's it is, nor all of
// the event.
func TestMessagesAboutEvents(t *testing.T) {
	if _, err := decodeID([]byte(`{"CodePipeline.job":[]}`)); err == nil || !strings.HasSuffix(err.Error(), "\nCodePipeline.job is of the type array, and not what CodePipeline sends") {
		t.Errorf("error is %v, want one that says what is wrong", err)
	}
	if _, err := decodeParameters(strings.Repeat("x", 100_000)); err == nil || len(err.Error()) > 2000 {
		t.Errorf("error is %v, want one that quotes the beginning", err)
	}
}

func TestUnknownJobIsAnError(t *testing.T) {
	w := newWorld("Completed")
	w.pipeline.fail = func(context.Context) error { return &types.JobNotFoundException{} }
	if err := w.invoke(t, invocationtest.Event(t, "first-job")); err == nil {
		t.Error("Invoke: no error, want one: nobody has the report")
	}
}

func TestMisconfiguredFunctionTellsTheJob(t *testing.T) {
	w := newWorld("Completed")
	w.handler.misconfigured = errors.New(`DEADLINE is "soon"`)
	if err := w.invoke(t, invocationtest.Event(t, "first-job")); err != nil {
		t.Fatal(err)
	}
	if len(w.pipeline.failure) != 1 || !strings.Contains(*w.pipeline.failure[0].FailureDetails.Message, "soon") {
		t.Errorf("reports are %v, want a failure that names the setting", w.pipeline.failure)
	}
}

// The report must go out before Lambda stops the function, however long the work
// would take.
func TestReportsBeforeLambdasDeadline(t *testing.T) {
	for _, limit := range invocationtest.Limits {
		t.Run(limit.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld("InProgress")
				w.handler.invalidator.Settings.PollFor = time.Hour
				start := time.Now()
				w.pipeline.fail = func(ctx context.Context) error {
					invocationtest.CheckReport(t, ctx, start, limit)
					return nil
				}
				if _, err := invocationtest.Invoke(t, w.handler, limit, invocationtest.Event(t, "first-job")); err != nil {
					t.Fatal(err)
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
	if err := w.invoke(t, invocationtest.Event(t, "first-job")); err != nil {
		t.Fatal(err)
	}
	// One for CloudFront and one for the report.
	w.log.CheckLines(t, 2, map[string]string{"job": "11111111-abcd-1111-abcd-111111abcdef", "blog": "my-blog", "distribution": "E2EXAMPLE", "invalidation": "I2J0I21PCUYOIK"})
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
		{"continued", "first-job", func(w *world) { w.cloudFront(invalidationtest.Says("InProgress")) }, "", ""},
		{"refused by CloudFront", "first-job", func(w *world) { w.cloudFront(invalidationtest.Refuses(denied)) }, "1 0 false", "ERROR"},
		{"refused by the function", "token-of-tomorrow", func(*world) {}, "1 0 false", "ERROR"},
		{"panic", "first-job", func(w *world) { w.cloudFront(invalidationtest.Panics("x")) }, "1 0 false", "ERROR"},
		{"late, to fail", "continuation-late", func(w *world) { w.cloudFront(invalidationtest.Says("InProgress")) }, "1 1 false", "ERROR"},
		{"late, to go on", "continuation-late", func(w *world) {
			w.cloudFront(invalidationtest.Says("InProgress"))
			w.handler.invalidator.Settings.AfterDeadline = invalidation.Warn
		}, "0 1 false", "WARN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld("Completed")
				tt.world(w)
				time.Sleep(time.Second) // so that there is a time to measure
				if err := w.invoke(t, invocationtest.Event(t, tt.event)); err != nil {
					t.Fatal(err)
				}
				got, level := invalidationtest.Counted(t, w.log.Lines(t))
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
	if err := w.invoke(t, invocationtest.Event(t, "first-job")); err != nil {
		t.Errorf("Invoke: %v, want the report without its variables", err)
	}
}

// Whatever comes, no credential is said, and what is said reads well.
func TestWhatIsSaidOfEachEvent(t *testing.T) {
	edges := map[string]*invalidationtest.CloudFront{
		"Completed": invalidationtest.Says("Completed"), "InProgress": invalidationtest.Says("InProgress"), "panic": invalidationtest.Panics("The sky is falling."),
		"refusal": invalidationtest.Refuses(invalidationtest.APIError(403, "AccessDenied", "No.")), "silence": {Hang: true},
	}
	for _, name := range invocationtest.Events(t) {
		for state, edge := range edges {
			t.Run(name+", "+state, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld("")
					w.cloudFront(edge)
					err := w.invoke(t, invocationtest.Event(t, name))
					w.log.CheckSecrets(t, []string{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "SESSIONTOKEN", "artifactCredentials"}, err)
					messages, bad := functiontest.Messages(w.log.String())
					if bad != nil {
						t.Error(bad)
					}
					for _, report := range w.pipeline.failure {
						messages = append(messages, *report.FailureDetails.Message)
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

// A report keeps CodePipeline's limits, which count an emoji as two, and has no
// credential in any of its texts.
func TestReportsAreFitForCodePipeline(t *testing.T) {
	const credential = "q3Rw9Zt0PsLm8vNa+2Ub6Ec1HdGfTjKoSiXWAIgB"
	redact.Learn(credential)
	client := &fakeCodePipeline{}
	check := func(what string, text *string, limit int) {
		t.Helper()
		if n := len(utf16.Encode([]rune(*text))); n < limit-1 || n > limit {
			t.Errorf("%s has %d characters, want %d or one less", what, n, limit)
		}
		if strings.Contains(*text, "q3Rw9Zt0") {
			t.Errorf("%s begins with a credential: %.50s", what, *text)
		}
	}
	long := credential + strings.Repeat("あ🎉", 3000)
	if err := (report{failure: types.FailureTypeJobFailed, message: long, invalidationID: long}).send(t.Context(), client, "job"); err != nil {
		t.Fatal(err)
	}
	check("message", client.failure[0].FailureDetails.Message, maxMessage)
	check("failure's external id", client.failure[0].FailureDetails.ExternalExecutionId, maxExternalExecutionID)
	if err := (report{summary: long, invalidationID: long}).send(t.Context(), client, "job"); err != nil {
		t.Fatal(err)
	}
	check("summary", client.success[0].ExecutionDetails.Summary, maxSummary)
	check("success's external id", client.success[0].ExecutionDetails.ExternalExecutionId, maxExternalExecutionID)
}

// FuzzInvoke: whatever comes, there is one report, or an error and no report.
func FuzzInvoke(f *testing.F) {
	invocationtest.Seed(f)
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
