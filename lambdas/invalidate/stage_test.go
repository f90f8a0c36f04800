package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob/pipelinejobtest"
)

func TestEvents(t *testing.T) {
	tests := []struct {
		event     string
		status    string // CloudFront's
		wantText  string // in the summary
		wantToken bool
		wantPaths []string // of a created invalidation
	}{
		{event: "first-job", status: "Completed", wantText: "Cleared /posts/* /index.html in 0s", wantPaths: []string{"/index.html", "/posts/*"}},
		{event: "first-article", status: "Completed", wantText: "Cleared /* in 0s", wantPaths: []string{"/*"}},
		{event: "first-job", status: "InProgress", wantText: "Waiting for invalidation I2J0I21PCUYOIK", wantToken: true, wantPaths: []string{"/index.html", "/posts/*"}},
		{event: "continuation", status: "Completed", wantText: "Cleared /posts/* /index.html"},
		{event: "continuation", status: "InProgress", wantText: "Waiting for invalidation", wantToken: true},
		{event: "continuation-not-created", status: "Completed", wantText: "Cleared", wantPaths: []string{"/index.html", "/posts/*"}},
		{event: "continuation-changed", status: "Completed", wantText: "Cleared 2 items in 0s for 3 changed files of release 20261127-013000-1a2b3c4d; 1 of 640 unchanged files evicted: invalidation I2J0I21PCUYOIK is completed"},
		{event: "continuation-changed", status: "InProgress", wantText: "Waiting for invalidation", wantToken: true},
		{event: "first-with-unused-garbage", status: "Completed", wantText: "Cleared /posts/* /index.html in 0s", wantPaths: []string{"/index.html", "/posts/*"}},
	}
	for _, tt := range tests {
		t.Run(tt.event+" "+tt.status, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // starts at 2000-01-01, the time of the tokens in testdata
				w := newWorld(tt.status)
				if err := w.invoke(t, invocationtest.Event(t, tt.event)); err != nil {
					t.Fatalf("Invoke: %v, want a report and no error", err)
				}
				if got := w.pipeline.Reports(); got != 1 {
					t.Fatalf("sent %d reports, want exactly 1", got)
				}
				if len(w.pipeline.Successes) != 1 {
					t.Fatalf("reported failure %q, want success", *w.pipeline.Failures[0].FailureDetails.Message)
				}
				report := w.pipeline.Successes[0]
				if got := *report.ExecutionDetails.Summary; !strings.Contains(got, tt.wantText) {
					t.Errorf("summary is %q, want %q in it", got, tt.wantText)
				}
				if got := report.ContinuationToken != nil; got != tt.wantToken {
					t.Errorf("report has a continuation token: %v, want %v", got, tt.wantToken)
				}
				// CodePipeline accepts output variables with the last report only.
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

func TestRefusedEvents(t *testing.T) {
	refused := map[string][]string{
		"token-changed-without-items": {"a field is missing or out of range; retry this stage to start again"},
		"token-of-tomorrow":           {"version is 2, this function knows 1"},
		"token-of-the-article":        {"continuation token"},
		"token-garbage":               {"retry this stage to start again"},
		"parameters-not-json":         {`decode UserParameters "E2EXAMPLE"`},
		"parameters-misspelt":         {`unknown field "Path"`},
		"parameters-empty":            {"no DistributionId"},
	}
	pipelinejobtest.CheckRefused(t, refused, func() (invocationtest.Handler, *pipelinejobtest.CodePipeline, func() bool) {
		w := newWorld("Completed")
		return w.handler, w.pipeline, func() bool { return len(w.edge.Created()) > 0 }
	})
}

func TestFinalReportCarriesVariables(t *testing.T) {
	w := newWorld("Completed")
	if err := w.invoke(t, invocationtest.Event(t, "first-job")); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"InvalidationId": "I2J0I21PCUYOIK", "Seconds": "0", "Paths": "/posts/* /index.html"}
	if got := w.pipeline.Successes[0].OutputVariables; !maps.Equal(got, want) {
		t.Errorf("output variables are %v, want %v", got, want)
	}
	if got := aws.ToString(w.pipeline.Successes[0].ExecutionDetails.ExternalExecutionId); got != "I2J0I21PCUYOIK" {
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
		if got := aws.ToString(w.pipeline.Failures[0].FailureDetails.ExternalExecutionId); got != "I2J0I21PCUYOIK" {
			t.Errorf("external execution id is %q, want the invalidation's", got)
		}
	})
}

// The function reports before Lambda stops it, however long the work would take.
func TestReportsBeforeLambdasDeadline(t *testing.T) {
	pipelinejobtest.CheckDeadline(t, invocationtest.Event(t, "first-job"), func() (invocationtest.Handler, *pipelinejobtest.CodePipeline) {
		w := newWorld("InProgress")
		w.stage.invalidator.Settings.PollFor = time.Hour
		return w.handler, w.pipeline
	})
}

// FuzzInvoke checks that each event has one report, or an error and no report.
func FuzzInvoke(f *testing.F) {
	invocationtest.Seed(f)
	for _, d := range []contract.Direct{{DryRun: true, Touched: []string{"a.html"}}, {Job: "j-1", By: "arn:me"}, {List: 3}} {
		d.UserParameters = ofPipeline
		f.Add([]byte(contract.JSON(contract.DirectEvent{Direct: d})))
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		w := newWorld("Completed")
		if len(event)%2 == 0 {
			w.stage.changes = found{Number: 7, Release: releaseID, Items: []string{"/a", "/b*"}, Changed: 2}
		}
		answer, err := invocationtest.Invoke(t, w.handler, invocationtest.Limit, event)
		pipelinejobtest.CheckOneReport(t, answer, err, w.pipeline.Reports())
		if len(w.pipeline.Successes) == 1 && w.pipeline.Successes[0].ContinuationToken != nil {
			t.Error("continued a completed invalidation")
		}
	})
}

// An error about parameters quotes only their beginning.
func TestErrorsAboutParameters(t *testing.T) {
	if _, err := decodeParameters(strings.Repeat("x", 100_000)); err == nil || len(err.Error()) > 2000 {
		t.Errorf("error is %v, want one that quotes the beginning", err)
	}
}
