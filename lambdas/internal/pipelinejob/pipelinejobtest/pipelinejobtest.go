// Package pipelinejobtest has a CodePipeline for tests of handlers, in the process and
// without a network, and the checks that all handlers of jobs share. Package
// rehearse/fakeaws has a CodePipeline for compiled functions.
package pipelinejobtest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invocation"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
)

// CodePipeline keeps the reports that it gets, and returns what Fail returns.
type CodePipeline struct {
	Successes []*codepipeline.PutJobSuccessResultInput
	Failures  []*codepipeline.PutJobFailureResultInput
	// Fail returns the error of a call. Default: the error of the call's context, because
	// a report must be sent on a context that has not ended.
	Fail func(context.Context) error
}

func (f *CodePipeline) answer(ctx context.Context) error {
	if f.Fail != nil {
		return f.Fail(ctx)
	}
	return ctx.Err()
}

// Reports returns the number of reports.
func (f *CodePipeline) Reports() int { return len(f.Successes) + len(f.Failures) }

// PutJobSuccessResult implements pipelinejob.Client.
func (f *CodePipeline) PutJobSuccessResult(ctx context.Context, in *codepipeline.PutJobSuccessResultInput, _ ...func(*codepipeline.Options)) (*codepipeline.PutJobSuccessResultOutput, error) {
	f.Successes = append(f.Successes, in)
	return &codepipeline.PutJobSuccessResultOutput{}, f.answer(ctx)
}

// PutJobFailureResult implements pipelinejob.Client.
func (f *CodePipeline) PutJobFailureResult(ctx context.Context, in *codepipeline.PutJobFailureResultInput, _ ...func(*codepipeline.Options)) (*codepipeline.PutJobFailureResultOutput, error) {
	f.Failures = append(f.Failures, in)
	return &codepipeline.PutJobFailureResultOutput{}, f.answer(ctx)
}

// CheckDeadline checks that a handler reports before Lambda stops it, however long the work
// would take, and that the report continues the action. newHandler makes a handler whose
// work for the event never ends, in a bubble of synctest.
func CheckDeadline(t *testing.T, event []byte, newHandler func() (invocationtest.Handler, *CodePipeline)) {
	t.Helper()
	for _, limit := range invocationtest.Limits {
		t.Run(limit.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handler, pipeline := newHandler()
				start := time.Now()
				pipeline.Fail = func(ctx context.Context) error {
					invocationtest.CheckReport(t, ctx, start, limit)
					return nil
				}
				if _, err := invocationtest.Invoke(t, handler, limit, event); err != nil {
					t.Fatal(err)
				}
				if len(pipeline.Successes) != 1 || pipeline.Reports() != 1 || pipeline.Successes[0].ContinuationToken == nil {
					t.Errorf("want one continuation, got %v %v", pipeline.Successes, pipeline.Failures)
				}
			})
		})
	}
}

// CheckRefused checks that a handler refuses the jobs of events in testdata. refused has the
// texts that the message of each must have. newHandler makes a handler, and a function that
// reports whether it has done any work.
func CheckRefused(t *testing.T, refused map[string][]string, newHandler func() (_ invocationtest.Handler, _ *CodePipeline, worked func() bool)) {
	t.Helper()
	for name, texts := range refused {
		t.Run(name, func(t *testing.T) {
			handler, pipeline, worked := newHandler()
			if _, err := invocationtest.Invoke(t, handler, invocationtest.Limit, invocationtest.Event(t, name)); err != nil {
				t.Fatalf("Invoke: %v, want a report and no error", err)
			}
			if len(pipeline.Failures) != 1 || pipeline.Reports() != 1 {
				t.Fatalf("sent %d failures and %d successes, want 1 failure", len(pipeline.Failures), len(pipeline.Successes))
			}
			details := pipeline.Failures[0].FailureDetails
			for _, text := range texts {
				if details.Type != types.FailureTypeConfigurationError || !strings.Contains(*details.Message, text) {
					t.Errorf("reported %s %q, want ConfigurationError with %q", details.Type, *details.Message, text)
				}
			}
			if worked() {
				t.Error("works on a job that is refused")
			}
		})
	}
}

// CheckOneReport checks that an event has one report, or an answer with either a summary or a
// failure, or an error. It returns the answer to a direct request; nil for another event.
func CheckOneReport(t *testing.T, answer []byte, err error, reports int) *contract.DirectAnswer {
	t.Helper()
	if err != nil || string(answer) == string(invocation.NoAnswer) {
		if (err == nil) != (reports == 1) || reports > 1 {
			t.Errorf("error %v and %d reports", err, reports)
		}
		return nil
	}
	direct := &contract.DirectAnswer{}
	if err := json.Unmarshal(answer, direct); err != nil || reports != 0 || (direct.Failure == "") == (direct.Summary == "") || (direct.Failure == "") != (direct.Message == "") {
		t.Errorf("answered %s, %v, with %d reports, want a summary or a failure, and no report", answer, err, reports)
	}
	return direct
}
