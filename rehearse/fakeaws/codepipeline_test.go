package fakeaws_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

func TestEventIsWhatCodePipelineSends(t *testing.T) {
	w := newWorld(t, fakeaws.Options{Account: "111122223333"})
	job := w.startAction(t)

	var event events.CodePipelineJobEvent
	if err := json.Unmarshal(job.Event(), &event); err != nil {
		t.Fatalf("decode event: %v", err)
	}
	got := event.CodePipelineJob
	if got.ID != job.ID() || !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(got.ID) {
		t.Errorf("id: got %q, want a lower-case UUID equal to the job's %q", got.ID, job.ID())
	}
	if want := "111122223333"; got.AccountID != want {
		t.Errorf("accountId: got %q, want %q", got.AccountID, want)
	}
	want := events.CodePipelineConfiguration{FunctionName: "invalidate", UserParameters: parameters}
	if got := got.Data.ActionConfiguration.Configuration; got != want {
		t.Errorf("configuration: got %+v, want %+v", got, want)
	}
	credentials := got.Data.ArtifactCredentials
	for _, secret := range []string{credentials.AccessKeyID, credentials.SecretAccessKey, credentials.SessionToken} {
		if len(secret) < 20 || !slices.Contains(w.cloud.Secrets(), secret) {
			t.Errorf("secret %q of the event: want 20 characters at least, and it among the cloud's %q", secret, w.cloud.Secrets())
		}
	}

	var raw struct {
		Job struct {
			Data map[string]json.RawMessage `json:"data"`
		} `json:"CodePipeline.job"`
	}
	if err := json.Unmarshal(job.Event(), &raw); err != nil {
		t.Fatalf("decode event: %v", err)
	}
	if _, ok := raw.Job.Data["continuationToken"]; ok {
		t.Error("the first event has a continuation token, want none")
	}
	for member, want := range map[string]string{
		"inputArtifacts":  "[]",
		"outputArtifacts": "[]",
		"encryptionKey":   `{"id":"arn:aws:kms:eu-west-1:111122223333:alias/aws/s3","type":"KMS"}`,
	} {
		if got := string(raw.Job.Data[member]); got != want {
			t.Errorf("%s: got %s, want %s", member, got, want)
		}
	}
	if !bytes.Contains(raw.Job.Data["artifactCredentials"], []byte(`"expirationTime":1`)) {
		t.Errorf("artifactCredentials: got no expirationTime in %d bytes", len(raw.Job.Data["artifactCredentials"]))
	}
	if !bytes.Equal(job.Event(), job.Event()) {
		t.Error("two deliveries of one job differ")
	}
}

func TestStartActionRefusesWhatAPipelineCannotHold(t *testing.T) {
	tests := []struct {
		name   string
		action fakeaws.Action
		wantOK bool
	}{
		{"no user parameters", fakeaws.Action{FunctionName: "f"}, true},
		{"1,000 characters", fakeaws.Action{FunctionName: "f", UserParameters: strings.Repeat("あ", 1000)}, true},
		{"1,001 characters", fakeaws.Action{FunctionName: "f", UserParameters: strings.Repeat("a", 1001)}, false},
		{"500 pairs of surrogates", fakeaws.Action{FunctionName: "f", UserParameters: strings.Repeat("😀", 500)}, true},
		{"501 pairs of surrogates", fakeaws.Action{FunctionName: "f", UserParameters: strings.Repeat("😀", 501)}, false},
		{"no function", fakeaws.Action{UserParameters: "{}"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			job, err := fakeaws.New(fakeaws.Options{}).StartAction(test.action)
			if got := err == nil; got != test.wantOK || (job != nil) != test.wantOK {
				t.Errorf("got job %v, error %v, want success %v", job, err, test.wantOK)
			}
		})
	}
}

func TestSuccessReportIsRecorded(t *testing.T) {
	now := newClock()
	w := newWorld(t, fakeaws.Options{Now: now.Now})
	job := w.startAction(t)
	if got := job.Reports(); len(got) != 0 {
		t.Errorf("reports before any: got %v, want none", got)
	}
	_, err := w.codePipeline.PutJobSuccessResult(t.Context(), &codepipeline.PutJobSuccessResultInput{
		JobId: aws.String(job.ID()),
		ExecutionDetails: &cptypes.ExecutionDetails{
			Summary: aws.String("done"), ExternalExecutionId: aws.String("I123"), PercentComplete: aws.Int32(100),
		},
		CurrentRevision: &cptypes.CurrentRevision{Revision: aws.String("r"), ChangeIdentifier: aws.String("c"), Created: aws.Time(now.Now())},
		OutputVariables: map[string]string{"InvalidationId": "I123", "a@-_9": ""},
	})
	if err != nil {
		t.Fatalf("PutJobSuccessResult: %v", err)
	}
	want := []fakeaws.Report{{
		Success: true, Summary: "done", ExternalExecutionID: "I123", PercentComplete: aws.Int(100),
		OutputVariables: map[string]string{"InvalidationId": "I123", "a@-_9": ""}, At: now.Now(),
	}}
	if got := job.Reports(); !reflect.DeepEqual(got, want) {
		t.Errorf("reports: got %+v, want %+v", got, want)
	}
	if got := job.Next(); got != nil {
		t.Errorf("next job after completion: got %v, want nil", got)
	}
}

func TestFailureReportIsRecorded(t *testing.T) {
	now := newClock()
	w := newWorld(t, fakeaws.Options{Now: now.Now})
	job := w.startAction(t)
	_, err := w.codePipeline.PutJobFailureResult(t.Context(), failure(job.ID(), nil))
	if err != nil {
		t.Fatalf("PutJobFailureResult: %v", err)
	}
	want := []fakeaws.Report{{FailureType: "JobFailed", FailureMessage: "broken", ExternalExecutionID: "I123", At: now.Now()}}
	if got := job.Reports(); !reflect.DeepEqual(got, want) {
		t.Errorf("reports: got %+v, want %+v", got, want)
	}
	if got := job.Next(); got != nil {
		t.Errorf("next job after failure: got %v, want nil", got)
	}
}

func TestContinuationTokenStartsTheNextJob(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprintf("KeepJobID=%v", keep), func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			first, err := w.cloud.StartAction(fakeaws.Action{FunctionName: "invalidate", UserParameters: "p", KeepJobID: keep})
			if err != nil {
				t.Fatalf("StartAction: %v", err)
			}
			if first.Next() != nil {
				t.Error("there is a next job before the first report")
			}
			if _, err := w.codePipeline.PutJobSuccessResult(t.Context(), success(first.ID(), withToken("token-1"))); err != nil {
				t.Fatalf("PutJobSuccessResult: %v", err)
			}
			second := first.Next()
			if second == nil || second != first.Next() {
				t.Fatalf("next job: got %p and %p, want the same job twice", second, first.Next())
			}
			if got := second.ID() == first.ID(); got != keep {
				t.Errorf("next job has the first one's id: got %v, want %v", got, keep)
			}
			var event events.CodePipelineJobEvent
			if err := json.Unmarshal(second.Event(), &event); err != nil {
				t.Fatalf("decode event: %v", err)
			}
			data := event.CodePipelineJob.Data
			if got, want := data.ContinuationToken, "token-1"; got != want {
				t.Errorf("token in the next event: got %q, want %q", got, want)
			}
			if got, want := data.ActionConfiguration.Configuration.UserParameters, "p"; got != want {
				t.Errorf("user parameters in the next event: got %q, want %q", got, want)
			}
			if got, want := len(w.cloud.Secrets()), 9; got != want {
				t.Errorf("secrets after two events and the caller's: got %d, want %d", got, want)
			}

			if _, err := w.codePipeline.PutJobSuccessResult(t.Context(), success(second.ID())); err != nil {
				t.Fatalf("PutJobSuccessResult for the second job: %v", err)
			}
			if got := first.Reports(); len(got) != 1 || got[0].ContinuationToken != "token-1" {
				t.Errorf("first job's reports: got %+v, want the continuation", got)
			}
			if got := second.Reports(); len(got) != 1 || got[0].ContinuationToken != "" {
				t.Errorf("second job's reports: got %+v, want the completion", got)
			}
			var statuses []string
			for _, call := range w.cloud.Calls() {
				statuses = append(statuses, call.Status)
			}
			if want := []string{"InProgress", "Succeeded"}; !slices.Equal(statuses, want) {
				t.Errorf("Call.Status: got %q, want %q", statuses, want)
			}
		})
	}
}

func TestEachJobIsReportedOnce(t *testing.T) {
	type put func(w *world, id string) error
	succeed := func(w *world, id string) error {
		_, err := w.codePipeline.PutJobSuccessResult(t.Context(), success(id))
		return err
	}
	proceed := func(w *world, id string) error {
		_, err := w.codePipeline.PutJobSuccessResult(t.Context(), success(id, withToken("t")))
		return err
	}
	fail := func(w *world, id string) error {
		_, err := w.codePipeline.PutJobFailureResult(t.Context(), failure(id, nil))
		return err
	}
	puts := map[string]put{"success": succeed, "continuation": proceed, "failure": fail}
	for firstName, first := range puts {
		for secondName, second := range puts {
			t.Run(firstName+" then "+secondName, func(t *testing.T) {
				w := newWorld(t, fakeaws.Options{})
				job := w.startAction(t)
				if err := first(w, job.ID()); err != nil {
					t.Fatalf("first report: %v", err)
				}
				if got, want := errorCode(second(w, job.ID())), "InvalidJobStateException"; got != want {
					t.Errorf("second report: got %q, want %q", got, want)
				}
				if got := len(job.Reports()); got != 1 {
					t.Errorf("reports: got %d, want 1", got)
				}
			})
		}
	}
	t.Run("unknown job", func(t *testing.T) {
		w := newWorld(t, fakeaws.Options{})
		for name, put := range puts {
			if got, want := errorCode(put(w, "01234567-89ab-cdef-0123-456789abcdef")), "JobNotFoundException"; got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
	})
}

func TestSuccessReportLimits(t *testing.T) {
	details := func(d cptypes.ExecutionDetails) change {
		return func(in *codepipeline.PutJobSuccessResultInput) { in.ExecutionDetails = &d }
	}
	revision := func(r cptypes.CurrentRevision) change {
		return func(in *codepipeline.PutJobSuccessResultInput) { in.CurrentRevision = &r }
	}
	variables := func(v map[string]string) change {
		return func(in *codepipeline.PutJobSuccessResultInput) { in.OutputVariables = v }
	}
	text := func(n int) *string { return aws.String(strings.Repeat("x", n)) }
	const validation, size = "ValidationException", "OutputVariablesSizeExceededException"
	tests := []struct {
		name    string
		changes []change
		want    string
	}{
		{"job id no UUID", []change{withID("job-1")}, validation},
		{"job id empty", []change{withID("")}, validation},
		{"job id upper case", []change{withID("01234567-89AB-CDEF-0123-456789ABCDEF")}, validation},
		{"job id with more around it", []change{withID("x01234567-89ab-cdef-0123-456789abcdef")}, validation},
		{"token empty", []change{withToken("")}, validation},
		{"token of 2,048", []change{withToken(*text(2048))}, ""},
		{"token of 2,049", []change{withToken(*text(2049))}, validation},
		{"token of 2,048 wide characters", []change{withToken(strings.Repeat("あ", 2048))}, ""},
		{"summary empty", []change{details(cptypes.ExecutionDetails{Summary: text(0)})}, validation},
		{"summary of 2,048", []change{details(cptypes.ExecutionDetails{Summary: text(2048)})}, ""},
		{"summary of 2,049", []change{details(cptypes.ExecutionDetails{Summary: text(2049)})}, validation},
		{"external id empty", []change{details(cptypes.ExecutionDetails{ExternalExecutionId: text(0)})}, validation},
		{"external id of 1,500", []change{details(cptypes.ExecutionDetails{ExternalExecutionId: text(1500)})}, ""},
		{"external id of 1,501", []change{details(cptypes.ExecutionDetails{ExternalExecutionId: text(1501)})}, validation},
		{"percent -1", []change{details(cptypes.ExecutionDetails{PercentComplete: aws.Int32(-1)})}, validation},
		{"percent 0", []change{details(cptypes.ExecutionDetails{PercentComplete: aws.Int32(0)})}, ""},
		{"percent 100", []change{details(cptypes.ExecutionDetails{PercentComplete: aws.Int32(100)})}, ""},
		{"percent 101", []change{details(cptypes.ExecutionDetails{PercentComplete: aws.Int32(101)})}, validation},
		{"revision of 1,501", []change{revision(cptypes.CurrentRevision{Revision: text(1501), ChangeIdentifier: text(1)})}, validation},
		{"change identifier of 101", []change{revision(cptypes.CurrentRevision{Revision: text(1), ChangeIdentifier: text(101)})}, validation},
		{"revision summary of 2,049", []change{revision(cptypes.CurrentRevision{Revision: text(1), ChangeIdentifier: text(1), RevisionSummary: text(2049)})}, validation},
		{"variable key empty", []change{variables(map[string]string{"": "v"})}, validation},
		{"variable key with a dot", []change{variables(map[string]string{"a.b": "v"})}, validation},
		{"variable key with a space", []change{variables(map[string]string{"a b": "v"})}, validation},
		{"variable key with a line break", []change{variables(map[string]string{"a\n": "v"})}, validation},
		{"variables and a token", []change{variables(map[string]string{"a": "v"}), withToken("t")}, validation},
		{"empty variables and a token", []change{variables(map[string]string{}), withToken("t")}, validation},
		{"variables of 122,880 bytes", []change{variables(map[string]string{"a": *text(122879)})}, ""},
		{"variables of 122,881 bytes", []change{variables(map[string]string{"a": *text(122880)})}, size},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			job := w.startAction(t)
			_, err := w.codePipeline.PutJobSuccessResult(t.Context(), success(job.ID(), test.changes...))
			checkReport(t, w, job, err, test.want)
		})
	}
}

func TestFailureReportLimits(t *testing.T) {
	text := func(n int) *string { return aws.String(strings.Repeat("x", n)) }
	const validation = "ValidationException"
	tests := []struct {
		name   string
		change func(*cptypes.FailureDetails)
		want   string
	}{
		{"message empty", func(d *cptypes.FailureDetails) { d.Message = text(0) }, validation},
		{"message of 5,000", func(d *cptypes.FailureDetails) { d.Message = text(5000) }, ""},
		{"message of 5,001", func(d *cptypes.FailureDetails) { d.Message = text(5001) }, validation},
		{"external id empty", func(d *cptypes.FailureDetails) { d.ExternalExecutionId = text(0) }, validation},
		{"external id of 1,500", func(d *cptypes.FailureDetails) { d.ExternalExecutionId = text(1500) }, ""},
		{"external id of 1,501", func(d *cptypes.FailureDetails) { d.ExternalExecutionId = text(1501) }, validation},
		{"type unknown", func(d *cptypes.FailureDetails) { d.Type = "Timeout" }, validation},
		{"type in other case", func(d *cptypes.FailureDetails) { d.Type = "jobFailed" }, validation},
	}
	for _, failureType := range cptypes.FailureType("").Values() {
		tests = append(tests, struct {
			name   string
			change func(*cptypes.FailureDetails)
			want   string
		}{"type " + string(failureType), func(d *cptypes.FailureDetails) { d.Type = failureType }, ""})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			job := w.startAction(t)
			_, err := w.codePipeline.PutJobFailureResult(t.Context(), failure(job.ID(), test.change))
			checkReport(t, w, job, err, test.want)
		})
	}
}

// TestReportsAreReadStrictly sends bodies that the SDK cannot send.
func TestReportsAreReadStrictly(t *testing.T) {
	const put, fail = "CodePipeline_20150709.PutJobSuccessResult", "CodePipeline_20150709.PutJobFailureResult"
	const jsonType = "application/x-amz-json-1.1"
	tests := []struct {
		name, target, contentType, path string
		body                            string // $ID stands for the job's id
		want                            string
	}{
		{"good", put, jsonType, "/", `{"jobId":"$ID"}`, ""},
		{"null members", put, jsonType, "/", `{"jobId":"$ID","continuationToken":null,"executionDetails":null,"outputVariables":null}`, ""},
		{"content type with a charset", put, jsonType + "; charset=utf-8", "/", `{"jobId":"$ID"}`, ""},
		{"space around", put, jsonType, "/", " {\"jobId\" : \"$ID\" }\n", ""},
		{"no content type", put, "", "/", `{"jobId":"$ID"}`, "UnknownOperationException"},
		{"no job id", put, jsonType, "/", `{}`, "ValidationException"},
		{"member in other case", put, jsonType, "/", `{"jobId":"$ID","ContinuationToken":"t"}`, "ValidationException"},
		{"nested member in other case", put, jsonType, "/", `{"jobId":"$ID","executionDetails":{"Summary":"s"}}`, "ValidationException"},
		{"unknown member", put, jsonType, "/", `{"jobId":"$ID","summary":"s"}`, "ValidationException"},
		{"unknown nested member", put, jsonType, "/", `{"jobId":"$ID","executionDetails":{"message":"m"}}`, "ValidationException"},
		{"revision without identifier", put, jsonType, "/", `{"jobId":"$ID","currentRevision":{"revision":"r"}}`, "ValidationException"},
		{"revision without revision", put, jsonType, "/", `{"jobId":"$ID","currentRevision":{"changeIdentifier":"c"}}`, "ValidationException"},
		{"percent a string", put, jsonType, "/", `{"jobId":"$ID","executionDetails":{"percentComplete":"5"}}`, "SerializationException"},
		{"percent a fraction", put, jsonType, "/", `{"jobId":"$ID","executionDetails":{"percentComplete":5.5}}`, "SerializationException"},
		{"variable no string", put, jsonType, "/", `{"jobId":"$ID","outputVariables":{"a":1}}`, "SerializationException"},
		{"no JSON", put, jsonType, "/", `jobId=$ID`, "SerializationException"},
		{"empty body", put, jsonType, "/", ``, "SerializationException"},
		{"two documents", put, jsonType, "/", `{"jobId":"$ID"}{}`, "SerializationException"},
		{"JSON 1.0", put, "application/x-amz-json-1.0", "/", `{"jobId":"$ID"}`, "UnknownOperationException"},
		{"another path", put, jsonType, "/x", `{"jobId":"$ID"}`, "UnknownOperationException"},
		{"another operation", "CodePipeline_20150709.PollForJobs", jsonType, "/", `{}`, "UnknownOperationException"},
		{"another version", "CodePipeline_20150710.PutJobSuccessResult", jsonType, "/", `{"jobId":"$ID"}`, "UnknownOperationException"},
		{"another service", "DynamoDB_20120810.PutItem", jsonType, "/", `{}`, "UnknownOperationException"},
		{"failure without details", fail, jsonType, "/", `{"jobId":"$ID"}`, "ValidationException"},
		{"failure without type", fail, jsonType, "/", `{"jobId":"$ID","failureDetails":{"message":"m"}}`, "ValidationException"},
		{"failure without message", fail, jsonType, "/", `{"jobId":"$ID","failureDetails":{"type":"JobFailed"}}`, "ValidationException"},
		{"failure without job id", fail, jsonType, "/", `{"failureDetails":{"type":"JobFailed","message":"m"}}`, "ValidationException"},
		{"failure with a token", fail, jsonType, "/", `{"jobId":"$ID","continuationToken":"t","failureDetails":{"type":"JobFailed","message":"m"}}`, "ValidationException"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fakeaws.Options{})
			job := w.startAction(t)
			status, answer, header := w.raw(t, http.MethodPost, test.path,
				map[string]string{"X-Amz-Target": test.target, "Content-Type": test.contentType},
				strings.ReplaceAll(test.body, "$ID", job.ID()), nil)
			if header.Get("X-Amzn-Requestid") == "" || header.Get("Content-Type") != jsonType {
				t.Errorf("header: got %v, want a request id and %s", header, jsonType)
			}
			if test.want == "" {
				if status != http.StatusOK || answer != "" || len(job.Reports()) != 1 {
					t.Errorf("got %d %s, %d reports, want 200 and one report", status, answer, len(job.Reports()))
				}
				return
			}
			var refusal struct {
				Type    string `json:"__type"`
				Message string `json:"message"`
			}
			if err := json.Unmarshal([]byte(answer), &refusal); err != nil {
				t.Fatalf("decode %q: %v", answer, err)
			}
			if status != http.StatusBadRequest || refusal.Type != test.want || refusal.Message == "" {
				t.Errorf("got %d %+v, want 400 %s and a message", status, refusal, test.want)
			}
			if got := job.Reports(); len(got) != 0 {
				t.Errorf("reports: got %+v, want none", got)
			}
		})
	}
}

func TestValidationExceptionNamesEveryMember(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	job := w.startAction(t)
	_, err := w.codePipeline.PutJobSuccessResult(t.Context(), success(job.ID(), withToken(""), withID("x")))
	for _, want := range []string{"2 validation errors detected", "'jobId'", "'continuationToken'"} {
		if got := errorMessage(err); !strings.Contains(got, want) {
			t.Errorf("message: got %q, want it to contain %q", got, want)
		}
	}
}

type change func(*codepipeline.PutJobSuccessResultInput)

func withID(id string) change {
	return func(in *codepipeline.PutJobSuccessResultInput) { in.JobId = &id }
}

func withToken(token string) change {
	return func(in *codepipeline.PutJobSuccessResultInput) { in.ContinuationToken = &token }
}

func success(id string, changes ...change) *codepipeline.PutJobSuccessResultInput {
	in := &codepipeline.PutJobSuccessResultInput{JobId: &id}
	for _, change := range changes {
		change(in)
	}
	return in
}

func failure(id string, change func(*cptypes.FailureDetails)) *codepipeline.PutJobFailureResultInput {
	details := &cptypes.FailureDetails{Type: cptypes.FailureTypeJobFailed, Message: aws.String("broken"), ExternalExecutionId: aws.String("I123")}
	if change != nil {
		change(details)
	}
	return &codepipeline.PutJobFailureResultInput{JobId: &id, FailureDetails: details}
}

// checkReport checks that a report was refused with the code want, or accepted if want is "". It also checks that the job has
// only an accepted report.
func checkReport(t *testing.T, w *world, job *fakeaws.Job, err error, want string) {
	t.Helper()
	if got := errorCode(err); got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	wantReports := 0
	if want == "" {
		wantReports = 1
	}
	if got := len(job.Reports()); got != wantReports {
		t.Errorf("reports: got %d, want %d", got, wantReports)
	}
	if want != "" && job.Next() != nil {
		t.Error("a refused report led to a next job")
	}
	if calls := w.cloud.Calls(); len(calls) != 1 || calls[0].Err != want {
		t.Errorf("calls: got %+v, want one with error %q", calls, want)
	}
}
