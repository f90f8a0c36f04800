package pipelinejob

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob/pipelinejobtest"
	"blog-deploy-pipeline/lambdas/internal/redact"
)

const id = "11111111-abcd-1111-abcd-111111abcdef"

// event returns the event of a job with the parts that the package reads.
func event(parameters, token string) []byte {
	return fmt.Appendf(nil, `{"CodePipeline.job":{"id":%q,"data":{"actionConfiguration":{"configuration":{"FunctionName":"f","UserParameters":%q}},"continuationToken":%q}}}`, id, parameters, token)
}

// fakeTask reports what its function returns, and counts each report as one.
type fakeTask struct {
	log  *slog.Logger
	work func() Report
}

func (f fakeTask) Work(context.Context) Report { return f.work() }

func (f fakeTask) Log() *slog.Logger { return f.log.With("task", "fake") }

func (f fakeTask) Metrics(r Report) slog.Attr {
	return slog.Group("", slog.Bool("counted", true), slog.Bool("isFailure", r.Failed()))
}

type world struct {
	pipeline pipelinejobtest.CodePipeline
	handler  Handler
	log      invocationtest.Log
	jobs     []Job
}

// newWorld returns a handler whose tasks work so.
func newWorld(work func() Report) *world {
	w := &world{}
	w.handler = Handler{CodePipeline: &w.pipeline, Log: w.log.Logger(), Read: func(log *slog.Logger, job Job) (Task, error) {
		w.jobs = append(w.jobs, job)
		var err error
		if job.UserParameters == "" {
			err = errors.New("UserParameters is empty")
		}
		return fakeTask{log, work}, err
	}}
	return w
}

func succeeds() Report {
	return Report{Summary: "Done.", Variables: map[string]string{"Name": "value"}, ExternalID: "X1"}
}

func (w *world) invoke(t *testing.T, event []byte) error {
	t.Helper()
	answer, err := invocationtest.Invoke(t, w.handler, invocationtest.Limit, event)
	if err == nil && string(answer) != "null" {
		t.Errorf("answer is %s, want null", answer)
	}
	return err
}

func TestReports(t *testing.T) {
	for _, tt := range []struct {
		name   string
		report Report
		// want is the report's type, or "success".
		want, level, counted string
	}{
		{"success", succeeds(), "success", "INFO", "true false"},
		{"warning", Report{Summary: "Done, but late.", Warning: true}, "success", "WARN", "true false"},
		{"continuation", Report{Summary: "Waiting.", ContinuationToken: "token-2"}, "success", "INFO", "<nil> <nil>"},
		{"failure", Report{Failure: types.FailureTypePermissionError, Message: "not allowed"}, "PermissionError", "ERROR", "true true"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(func() Report { return tt.report })
			if err := w.invoke(t, event("p", "token-1")); err != nil {
				t.Fatal(err)
			}
			if want := (Job{ID: id, UserParameters: "p", ContinuationToken: "token-1"}); len(w.jobs) != 1 || !reflect.DeepEqual(w.jobs[0], want) {
				t.Errorf("jobs are %v, want %v", w.jobs, want)
			}
			if w.pipeline.Reports() != 1 {
				t.Fatalf("sent %d reports, want exactly 1", w.pipeline.Reports())
			}
			got := "success"
			if len(w.pipeline.Failures) == 1 {
				got = string(w.pipeline.Failures[0].FailureDetails.Type)
			} else if token := w.pipeline.Successes[0].ContinuationToken; (token != nil) != (tt.report.ContinuationToken != "") {
				t.Errorf("the report has a token: %v, want %v", token != nil, token == nil)
			}
			lines := w.log.Lines(t)
			last := lines[len(lines)-1]
			if counted := fmt.Sprint(last["counted"], " ", last["isFailure"]); got != tt.want || last["level"] != tt.level || counted != tt.counted {
				t.Errorf("reported %s, logged %v and counted %q, want %s, %s and %q", got, last["level"], counted, tt.want, tt.level, tt.counted)
			}
			w.log.CheckLines(t, 1, map[string]string{"job": id, "task": "fake"})
		})
	}
}

func TestNoJobNoReport(t *testing.T) {
	for _, event := range []string{`{"CodePipeline.job":{"data":{}}}`, `{"DeploymentId":"d-ABCDEF123"}`, `x`} {
		w := newWorld(succeeds)
		err := w.invoke(t, []byte(event))
		if err == nil || !strings.Contains(err.Error(), `"CodePipeline.job"`) {
			t.Errorf("%s: error is %v, want one that names what is missing", event, err)
		}
		if n := w.pipeline.Reports() + len(w.jobs); n != 0 {
			t.Errorf("%s: read or reported %d jobs, want none", event, n)
		}
	}
}

// Whatever is wrong before the work begins, the job gets a report.
func TestRefusedJobs(t *testing.T) {
	for name, tt := range map[string]struct {
		event         []byte
		misconfigured error
		want          string
	}{
		"job of another shape": {[]byte(`{"CodePipeline.job":{"id":"` + id + `","data":"x"}}`), nil, "decode job " + id + ": CodePipeline.job.data is of the type string, and not what CodePipeline sends"},
		"parameters":           {event("", ""), nil, "UserParameters is empty"},
		"environment":          {event("p", ""), errors.New("the environment is wrong"), "the environment is wrong"},
	} {
		w := newWorld(succeeds)
		w.handler.Misconfigured = tt.misconfigured
		if err := w.invoke(t, tt.event); err != nil {
			t.Fatal(err)
		}
		if len(w.pipeline.Failures) != 1 || w.pipeline.Reports() != 1 {
			t.Fatalf("%s: sent %d failures and %d successes, want 1 failure", name, len(w.pipeline.Failures), len(w.pipeline.Successes))
		}
		if details := w.pipeline.Failures[0].FailureDetails; details.Type != types.FailureTypeConfigurationError || *details.Message != tt.want {
			t.Errorf("%s: reported %s %q, want ConfigurationError %q", name, details.Type, *details.Message, tt.want)
		}
	}
}

// An action has one input artifact if it needs one. A job of an action that needs none is
// read whatever the artifacts look like.
func TestInput(t *testing.T) {
	const site = `{"name":"Site","location":{"type":"S3","s3Location":{"bucketName":"artifacts","objectKey":"my-blog/Site/x1"}}}`
	for name, tt := range map[string]struct {
		artifacts string
		want      Location
		wantErr   string
	}{
		"one":                 {artifacts: "[" + site + "]", want: Location{"artifacts", "my-blog/Site/x1"}},
		"none":                {artifacts: "[]", wantErr: "has 0 input artifacts: give it exactly one"},
		"null":                {artifacts: "null", wantErr: "has 0 input artifacts"},
		"several":             {artifacts: "[" + site + "," + site + "]", wantErr: "has 2 input artifacts"},
		"no place":            {artifacts: `[{"name":"Site"}]`, wantErr: "no bucket or no key"},
		"no key":              {artifacts: `[{"location":{"s3Location":{"bucketName":"artifacts"}}}]`, wantErr: "no bucket or no key"},
		"of another shape":    {artifacts: `{"name":"Site"}`, wantErr: "decode job " + id + ": CodePipeline.job.data.inputArtifacts is of the type object, and not what CodePipeline sends"},
		"key that is no text": {artifacts: `[{"location":{"s3Location":{"objectKey":7}}}]`, wantErr: "CodePipeline.job.data.inputArtifacts.location.s3Location.objectKey is of the type number"},
	} {
		job, err := decode(id, []byte(`{"CodePipeline.job":{"id":"`+id+`","data":{"inputArtifacts":`+tt.artifacts+`}}}`))
		if err != nil {
			t.Errorf("%s: %v, want a job", name, err)
			continue
		}
		got, err := job.Input()
		if got != tt.want || (err == nil) != (tt.wantErr == "") || err != nil && !strings.Contains(err.Error(), tt.wantErr) {
			t.Errorf("%s: %+v, %v, want %+v and the error %q", name, got, err, tt.want, tt.wantErr)
		}
	}
	if _, err := (Job{}).Input(); err == nil {
		t.Error("a job without data has an input")
	}
}

// Each kind of failure has its type.
func TestFailed(t *testing.T) {
	for kind := failure.Other; kind <= failure.Late; kind++ {
		got := Failed(&failure.Failure{Kind: kind, Message: "m"})
		if !got.Failed() || got.Message != "m" {
			t.Errorf("%v: report is %+v, want a failure with its message", kind, got)
		}
	}
}

func TestPanicSendsFailure(t *testing.T) {
	w := newWorld(func() Report { panic("the sky is falling") })
	if err := w.invoke(t, event("p", "")); err != nil {
		t.Fatalf("Invoke: %v, want a report and no error", err)
	}
	if len(w.pipeline.Failures) != 1 || w.pipeline.Reports() != 1 {
		t.Fatalf("sent %d failures and %d successes, want 1 failure", len(w.pipeline.Failures), len(w.pipeline.Successes))
	}
	if got := *w.pipeline.Failures[0].FailureDetails.Message; !strings.Contains(got, "the sky is falling") || !strings.HasSuffix(got, "; "+Again) {
		t.Errorf("message is %q, want the panic's cause and what to do", got)
	}
	if !strings.Contains(w.log.String(), "handler.go") {
		t.Errorf("log has no stack: %s", w.log.String())
	}
}

func TestUnsentReportIsAnError(t *testing.T) {
	for name, broken := range map[string]error{"connection": errors.New("connection reset by peer"), "unknown job": &types.JobNotFoundException{}} {
		for _, parameters := range []string{"p", ""} {
			w := newWorld(succeeds)
			w.pipeline.Fail = func(context.Context) error { return broken }
			if err := w.invoke(t, event(parameters, "")); !errors.Is(err, broken) {
				t.Errorf("%s: error is %v, want the one of the report, so that Lambda tries again", name, err)
			}
			if strings.Contains(w.log.String(), "counted") {
				t.Errorf("%s: counted a result that was not reported", name)
			}
		}
	}
}

func TestSecondReportIsHarmless(t *testing.T) {
	w := newWorld(succeeds)
	w.pipeline.Fail = func(context.Context) error { return &types.InvalidJobStateException{} }
	if err := w.invoke(t, event("p", "")); err != nil {
		t.Errorf("Invoke: %v, want none: the job has its report", err)
	}
	if strings.Contains(w.log.String(), "counted") {
		t.Error("counted the same result twice")
	}
	// Nobody knows whether an earlier failure was counted.
	if err := w.invoke(t, event("", "")); err != nil {
		t.Errorf("Invoke: %v, want none: the job has its report", err)
	}
	if !strings.Contains(w.log.String(), `"isFailure":true`) {
		t.Error("a failure may not be counted")
	}
}

func TestVariablesThatDoNotFitAreLeftOut(t *testing.T) {
	w := newWorld(succeeds)
	w.pipeline.Fail = func(context.Context) error {
		if w.pipeline.Successes[len(w.pipeline.Successes)-1].OutputVariables != nil {
			return &types.OutputVariablesSizeExceededException{}
		}
		return nil
	}
	if err := w.invoke(t, event("p", "")); err != nil {
		t.Errorf("Invoke: %v, want the report without its variables", err)
	}
}

// An error about an event does not name Go's types.
func TestErrorsAboutEvents(t *testing.T) {
	if _, err := decodeID([]byte(`{"CodePipeline.job":[]}`)); err == nil || !strings.HasSuffix(err.Error(), "\nCodePipeline.job is of the type array, and not what CodePipeline sends") {
		t.Errorf("error is %v, want one that says what is wrong", err)
	}
}

// A report keeps CodePipeline's limits, which count an emoji as two characters, and has no
// credential in any of its texts.
func TestReportsKeepCodePipelinesLimits(t *testing.T) {
	const credential = "q3Rw9Zt0PsLm8vNa+2Ub6Ec1HdGfTjKoSiXWAIgB"
	redact.Learn(credential)
	client := &pipelinejobtest.CodePipeline{}
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
	if err := (Report{Failure: types.FailureTypeJobFailed, Message: long, ExternalID: long}).send(t.Context(), client, "job"); err != nil {
		t.Fatal(err)
	}
	check("message", client.Failures[0].FailureDetails.Message, maxMessage)
	check("failure's external id", client.Failures[0].FailureDetails.ExternalExecutionId, maxExternalExecutionID)
	if err := (Report{Summary: long, ExternalID: long}).send(t.Context(), client, "job"); err != nil {
		t.Fatal(err)
	}
	check("summary", client.Successes[0].ExecutionDetails.Summary, maxSummary)
	check("success's external id", client.Successes[0].ExecutionDetails.ExternalExecutionId, maxExternalExecutionID)
}
