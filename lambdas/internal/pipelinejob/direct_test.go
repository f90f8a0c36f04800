package pipelinejob

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/lambdas/internal/redact"
)

// direct invokes the handler directly, and returns the answer.
func (w *world) direct(t *testing.T, event string) contract.DirectAnswer {
	t.Helper()
	text, err := invocationtest.Invoke(t, w.handler, invocationtest.Limit, []byte(event))
	if err != nil {
		t.Fatalf("Invoke: %v, want an answer", err)
	}
	var answer contract.DirectAnswer
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("the answer is %s: %v", text, err)
	}
	if n := w.pipeline.Reports(); n != 0 {
		t.Errorf("sent %d reports to CodePipeline, want none: no action waits", n)
	}
	return answer
}

// Who asks directly gets what CodePipeline would.
func TestDirectAnswers(t *testing.T) {
	found := contract.DirectAnswer{Difference: &contract.Difference{Put: 3}}
	for _, tt := range []struct {
		name    string
		report  Report
		want    contract.DirectAnswer
		level   string
		counted string
	}{
		{"success", succeeds(), contract.DirectAnswer{Summary: "Done.", Variables: map[string]string{"Name": "value"}}, "INFO", "true"},
		{"warning", Report{Summary: "Done, but late.", Warning: true}, contract.DirectAnswer{Summary: "Done, but late."}, "WARN", "true"},
		{"continuation", Report{Summary: "Waiting.", ContinuationToken: "token-2"}, contract.DirectAnswer{Summary: "Waiting.", Token: "token-2"}, "INFO", "<nil>"},
		{"look", Report{Summary: "Would put 3.", Found: found}, contract.DirectAnswer{Summary: "Would put 3.", Difference: found.Difference}, "INFO", "true"},
		{
			"failure", Report{Failure: types.FailureTypePermissionError, Message: "Not allowed. Then " + Again},
			contract.DirectAnswer{Failure: "PermissionError", Message: "Not allowed. Then run the command again"}, "ERROR", "true",
		},
		{"refused plan", Report{Failure: types.FailureTypeConfigurationError, Message: "No.", Found: found}, contract.DirectAnswer{Failure: "ConfigurationError", Message: "No.", Difference: found.Difference}, "ERROR", "true"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(func() Report { return tt.report })
			got := w.direct(t, `{"direct":{"job":"j-1","userParameters":"{\"A\":\"#{variables.A}\",\"B\":\"#{codepipeline.PipelineExecutionId}, x\"}","token":"token-1","release":"r","by":"arn:me","touched":["a"]}}`)
			if contract.JSON(got) != contract.JSON(tt.want) {
				t.Errorf("answered %s, want %s", contract.JSON(got), contract.JSON(tt.want))
			}
			if len(w.jobs) != 1 {
				t.Fatalf("read %d jobs, want 1", len(w.jobs))
			}
			job := w.jobs[0]
			if job.ID != "j-1" || job.UserParameters != `{"A":"","B":", x"}` || job.ContinuationToken != "token-1" || job.Direct == nil || job.Direct.Release != "r" || len(job.Direct.Touched) != 1 {
				t.Errorf("job is %+v", job)
			}
			lines := w.log.Lines(t)
			if last := lines[len(lines)-1]; last["level"] != tt.level || fmt.Sprint(last["counted"]) != tt.counted {
				t.Errorf("logged %v, want %s and counted %s", last, tt.level, tt.counted)
			}
			w.log.CheckLines(t, 1, map[string]string{"job": "j-1", "by": "arn:me", "task": "fake"})
		})
	}
}

func TestDirectRefusals(t *testing.T) {
	for _, tt := range []struct{ name, event, want string }{
		{"no job", `{"direct":{"userParameters":"p"}}`, "has no job: give it an id"},
		{"nothing", `{"direct":null}`, "has no job"},
		{"a job of another alphabet", `{"direct":{"job":"a b"}}`, `has the job "a b": give it an id of 1 to 100`},
		{"a long job", `{"direct":{"job":"` + strings.Repeat("x", 101) + `"}}`, "give it an id of 1 to 100"},
		{"a field of tomorrow", `{"direct":{"job":"j","to":"x"}}`, `unknown field "to"; use the commands and the functions of one version`},
		{"another type", `{"direct":{"job":"j","list":"all"}}`, "direct.list is of the type string, and not what this function knows"},
		{"a look that goes on", `{"direct":{"dryRun":true,"token":"x"}}`, "has a token, which a dry run or a list does not go on with"},
		{"no object", `{"direct":"x"}`, "direct is of the type string"},
		{"more beside it", `{"direct":{"job":"j"},"x":1}`, `unknown field "x"`},
		{"its parameters", `{"direct":{"job":"j"}}`, "UserParameters is empty"},
	} {
		w := newWorld(succeeds)
		if got := w.direct(t, tt.event); got.Failure != "ConfigurationError" || !strings.Contains(got.Message, tt.want) || strings.Contains(got.Message, "Go ") {
			t.Errorf("%s: answered %+v, want a ConfigurationError with %q", tt.name, got, tt.want)
		}
	}
	w := newWorld(succeeds)
	w.handler.Misconfigured = errors.New("the environment is wrong")
	if got := w.direct(t, `{"direct":{"job":"j","userParameters":"p"}}`); got.Message != "the environment is wrong" {
		t.Errorf("answered %+v, want what is wrong with the environment", got)
	}
	// Each line of the log names who asks.
	w = newWorld(succeeds)
	w.direct(t, `{"direct":{"job":"j","userParameters":"p","by":"me\u001b[2J`+strings.Repeat("e", 1<<20)+`"}}`)
	if got := w.jobs[0].Direct.By; len(got) > maxBy+len("…") || !strings.HasPrefix(got, "me [2Jeee") {
		t.Errorf("asked by %.20q of %d bytes, want one that fits into a line", got, len(got))
	}
	// A look needs no job.
	for _, look := range []string{`"dryRun":true`, `"list":3`} {
		if got := newWorld(succeeds).direct(t, `{"direct":{"userParameters":"p",`+look+`}}`); got.Summary != "Done." {
			t.Errorf("%s: answered %+v, want success", look, got)
		}
	}
}

func TestPanicIsAnswered(t *testing.T) {
	w := newWorld(func() Report { panic("the sky is falling") })
	got := w.direct(t, `{"direct":{"job":"j","userParameters":"p"}}`)
	if got.Failure != "JobFailed" || !strings.Contains(got.Message, "the sky is falling") || !strings.HasSuffix(got.Message, "; run the command again") {
		t.Errorf("answered %+v, want the panic's cause and what to do", got)
	}
}

// A job of CodePipeline's has its report, whatever else the event has.
func TestJobComesBeforeDirect(t *testing.T) {
	w := newWorld(succeeds)
	if err := w.invoke(t, []byte(`{"direct":{"job":"j"},`+string(event("p", ""))[1:])); err != nil || w.pipeline.Reports() != 1 || w.jobs[0].Direct != nil {
		t.Errorf("%v, %d reports for %+v, want one for CodePipeline's job", err, w.pipeline.Reports(), w.jobs)
	}
}

// An answer is short, and has no credential.
func TestDirectAnswersKeepTheLimits(t *testing.T) {
	const credential = "q3Rw9Zt0PsLm8vNa+2Ub6Ec1HdGfTjKoSiXWAIgC"
	redact.Learn(credential)
	long := credential + strings.Repeat("あ", 9000)
	for _, report := range []Report{{Summary: long}, {Failure: types.FailureTypeJobFailed, Message: long}} {
		if got := string(report.answer()); len(got) > 3*maxMessage+100 || strings.Contains(got, "q3Rw9Zt0") {
			t.Errorf("the answer has %d bytes, and begins with %.60s", len(got), got)
		}
	}
}
