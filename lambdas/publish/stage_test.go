package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob/pipelinejobtest"
	"blog-deploy-pipeline/lambdas/internal/publication"
	"blog-deploy-pipeline/rehearse/functiontest"
)

func TestEvents(t *testing.T) {
	const (
		firstJob = "11111111-abcd-1111-abcd-111111abcdef"
		build    = "my-blog-pipeline-builds/my-blog-pipeline/Site/4bTr9Qp"
		of       = " of 33333333-abcd-1111-abcd-333333abcdef at 0123456789abcdef0123456789abcdef01234567"
	)
	for event, want := range map[string]string{ // the request: job, build, execution and revision, and whether deletions are allowed
		"first-job":                 firstJob + " " + build + of + " false",
		"first-of-a-v1-pipeline":    firstJob + " " + build + " of  at  false",
		"first-with-unused-garbage": firstJob + " " + build + of + " false",
		"deletions-allowed":         firstJob + " " + build + of + " true",
		"continuation":              firstJob + " " + build + of + " false",
	} {
		t.Run(event, func(t *testing.T) {
			w := newWorld(some)
			if err := w.invoke(t, invocationtest.Event(t, event)); err != nil {
				t.Fatalf("Invoke: %v, want a report and no error", err)
			}
			var requests []string
			for _, r := range w.publisher.requests {
				requests = append(requests, fmt.Sprintf("%s %s/%s of %s at %s %v", r.Job, r.Bucket, r.Key, r.Execution, r.Revision, r.AllowDeletions))
			}
			if !slices.Equal(requests, []string{want}) || len(w.pipeline.Successes) != 1 || w.pipeline.Reports() != 1 {
				t.Errorf("published %q and reported %d successes, want %q and one", requests, len(w.pipeline.Successes), want)
			}
		})
	}
}

func TestRefusedEvents(t *testing.T) {
	refused := map[string][]string{
		"deletions-misspelt":  {"the pipeline's variable " + contract.VariableAllowDeletions + ` is "Yes, all": start the pipeline with yes or no`},
		"token-of-tomorrow":   {"version is 2, this function knows 1"},
		"token-garbage":       {"continuation token", "retry this stage to start again"},
		"parameters-not-json": {`decode UserParameters "my-blog"`, "must be JSON such as"},
		"parameters-misspelt": {`unknown field "Commit"`},
		"parameters-empty":    {"no PipelineName"},
		"no-input":            {"the action has 0 input artifacts: give it exactly one"},
		"input-without-place": {"no bucket or no key"},
	}
	pipelinejobtest.CheckRefused(t, refused, func() (invocationtest.Handler, *pipelinejobtest.CodePipeline, func() bool) {
		w := newWorld(some)
		return w.handler, w.pipeline, func() bool { return len(w.publisher.requests) > 0 }
	})
}

// What a publication came to is in the one report: CodePipeline accepts output variables
// with the last report of an action only.
func TestReports(t *testing.T) {
	with := func(change func(*publication.Result)) publication.Result {
		result := some
		change(&result)
		return result
	}
	for _, tt := range []struct {
		name    string
		result  publication.Result
		summary string
		token   bool
	}{
		{name: "published", result: some, summary: "Published release " + newRelease + ": 12 put (1.2 MB), 640 unchanged, 3 removed, 2 to be removed later."},
		{name: "nothing to remove", result: with(func(r *publication.Result) { r.Removed, r.Retired = 0, 0 }), summary: "Published release " + newRelease + ": 12 put (1.2 MB), 640 unchanged."},
		{name: "nothing changed", result: publication.Result{Release: newRelease, Unchanged: 652}, summary: "Nothing has changed since release " + newRelease + ": 652 unchanged."},
		{name: "only what was left is removed", result: publication.Result{Release: newRelease, Unchanged: 652, Removed: 1}, summary: "Nothing has changed since release " + newRelease + ": 652 unchanged, 1 removed."},
		{
			name: "notes and files of others", result: with(func(r *publication.Result) {
				r.Notes, r.Foreign = []string{"310 of 340 pages differ only in a build time."}, []string{"a", "b"}
			}),
			summary: "Published release " + newRelease + ": 12 put (1.2 MB), 640 unchanged, 3 removed, 2 to be removed later. 310 of 340 pages differ only in a build time. The bucket has 2 more, which this pipeline has not put and does not remove; the function's log names the first ones.",
		},
		{name: "not done", result: with(func(r *publication.Result) { r.Again = true }), summary: "Publishing release " + newRelease + ": 12 put (1.2 MB) so far.", token: true},
		{name: "another one publishes", result: publication.Result{Busy: time.Date(2000, 1, 1, 0, 15, 0, 0, time.UTC)}, summary: "Waiting for another publication of this blog.", token: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // starts at 2000-01-01
				w := newWorld(tt.result)
				if err := w.invoke(t, invocationtest.Event(t, "first-job")); err != nil {
					t.Fatal(err)
				}
				if len(w.pipeline.Successes) != 1 || w.pipeline.Reports() != 1 {
					t.Fatalf("sent %d successes and %d failures, want one success", len(w.pipeline.Successes), len(w.pipeline.Failures))
				}
				report := w.pipeline.Successes[0]
				if got := *report.ExecutionDetails.Summary; got != tt.summary {
					t.Errorf("summary is %q, want %q", got, tt.summary)
				}
				if slip := functiontest.Slip(*report.ExecutionDetails.Summary); slip != "" {
					t.Errorf("the summary has %s", slip)
				}
				if got := aws.ToString(report.ExecutionDetails.ExternalExecutionId); got != tt.result.Release {
					t.Errorf("external execution id is %q, want the release %q", got, tt.result.Release)
				}
				if tt.token {
					want := progress{job: "11111111-abcd-1111-abcd-111111abcdef", started: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), attempt: 1}
					if got := aws.ToString(report.ContinuationToken); got != want.encode() || report.OutputVariables != nil {
						t.Errorf("report has the token %q and the variables %v, want %q and none", got, report.OutputVariables, want.encode())
					}
					return
				}
				want := map[string]string{
					"Release": tt.result.Release, "Put": fmt.Sprint(tt.result.Put), "Unchanged": fmt.Sprint(tt.result.Unchanged),
					"Removed": fmt.Sprint(tt.result.Removed), "Retired": fmt.Sprint(tt.result.Retired), "Bytes": fmt.Sprint(tt.result.Bytes),
				}
				if report.ContinuationToken != nil || !maps.Equal(report.OutputVariables, want) {
					t.Errorf("output variables are %v, want %v and no token", report.OutputVariables, want)
				}
			})
		})
	}
}

func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want types.FailureType
		text string
	}{
		{"of the build", &failure.Failure{Kind: failure.Configuration, Message: "the build has no index.html. Check the blog's Build"}, types.FailureTypeConfigurationError, "the build has no index.html. Check the blog's Build"},
		{"of the role", &failure.Failure{Kind: failure.Permission, Message: "S3 refused"}, types.FailureTypePermissionError, "S3 refused"},
		{"of S3", &failure.Failure{Kind: failure.Unavailable, Message: "S3 did not answer"}, types.FailureTypeSystemUnavailable, "S3 did not answer"},
		{"that nobody expected", errUnexpected, types.FailureTypeJobFailed, errUnexpected.Error() + "; retry this stage"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorldThat(fails(tt.err))
			if err := w.invoke(t, invocationtest.Event(t, "first-job")); err != nil {
				t.Fatal(err)
			}
			if len(w.pipeline.Failures) != 1 || w.pipeline.Reports() != 1 {
				t.Fatalf("sent %d failures and %d successes, want one failure", len(w.pipeline.Failures), len(w.pipeline.Successes))
			}
			details := w.pipeline.Failures[0].FailureDetails
			if details.Type != tt.want || *details.Message != tt.text {
				t.Errorf("reported %s %q, want %s %q", details.Type, *details.Message, tt.want, tt.text)
			}
		})
	}
}

// A call waits for another publication, but not so long that it has no time for its own
// one.
func TestWaiting(t *testing.T) {
	for _, tt := range []struct {
		name        string
		lease       time.Duration // of another publication, which prolongs it
		ends        time.Duration // when it is done
		wantToken   bool
		want        time.Duration // that the call waits
		wantRequest int
	}{
		{"for one that goes on", time.Minute, time.Hour, true, 30 * time.Second, 4},
		{"for one that ends soon", time.Minute, 15 * time.Second, false, 20 * time.Second, 3},
		{"for one that has crashed", 13 * time.Second, 13 * time.Second, false, 13 * time.Second, 3},
		{"for one whose lease ends now", -time.Second, time.Nanosecond, false, time.Nanosecond, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				w := newWorldThat(func(context.Context, publication.Request) (publication.Result, error) {
					switch passed := time.Since(start); {
					case passed >= tt.ends:
						return some, nil
					case tt.lease < time.Minute:
						time.Sleep(time.Nanosecond) // S3 takes some time
						return publication.Result{Busy: start.Add(tt.lease)}, nil
					default:
						return publication.Result{Busy: time.Now().Add(tt.lease)}, nil
					}
				})
				if err := w.invoke(t, invocationtest.Event(t, "first-job")); err != nil {
					t.Fatal(err)
				}
				if got := time.Since(start).Truncate(time.Millisecond); got != tt.want.Truncate(time.Millisecond) || len(w.publisher.requests) != tt.wantRequest {
					t.Errorf("waited %v and looked %d times, want %v and %d", got, len(w.publisher.requests), tt.want, tt.wantRequest)
				}
				if len(w.pipeline.Successes) != 1 || (w.pipeline.Successes[0].ContinuationToken != nil) != tt.wantToken {
					t.Errorf("reported %v, want one success with a token: %v", w.pipeline.Successes, tt.wantToken)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(publication.Result{Busy: time.Now().Add(time.Hour)})
		if err := w.invoke(t, invocationtest.Event(t, "continuation-waited-too-long")); err != nil {
			t.Fatal(err)
		}
		if len(w.pipeline.Failures) != 1 {
			t.Fatal("reported no failure after an hour")
		}
		details := w.pipeline.Failures[0].FailureDetails
		if want := "another publication of this blog has not ended within 1h2m10s."; details.Type != types.FailureTypeSystemUnavailable || !strings.HasPrefix(*details.Message, want) {
			t.Errorf("reported %s %q, want SystemUnavailable %q", details.Type, *details.Message, want)
		}
	})
}

// The function reports before Lambda stops it, however long the work would take.
func TestReportsBeforeLambdasDeadline(t *testing.T) {
	pipelinejobtest.CheckDeadline(t, invocationtest.Event(t, "first-job"), func() (invocationtest.Handler, *pipelinejobtest.CodePipeline) {
		w := newWorldThat(hangs)
		return w.handler, w.pipeline
	})
}

// FuzzInvoke checks that each event has one report, or an error and no report, and that
// nothing is published for a job that is refused.
func FuzzInvoke(f *testing.F) {
	invocationtest.Seed(f)
	for _, d := range []contract.Direct{{List: 3}, {Release: oldRelease, DryRun: true}, {Release: oldRelease, Job: "j-1", By: "arn:me"}, {Job: "j-1"}} {
		d.UserParameters = ofPipeline
		f.Add([]byte(contract.JSON(contract.DirectEvent{Direct: d})))
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		w := newWorld(some)
		answer, err := invocationtest.Invoke(t, w.handler, invocationtest.Limit, event)
		direct := pipelinejobtest.CheckOneReport(t, answer, err, w.pipeline.Reports())
		if n := len(w.publisher.requests); direct == nil && n != len(w.pipeline.Successes) || direct != nil && n > 1 {
			t.Errorf("published %d times and reported %d successes", n, len(w.pipeline.Successes))
		}
		for _, r := range w.publisher.requests {
			if r.Job == "" || (r.Bucket == "" || r.Key == "") != (direct != nil) || (r.Restores == "") != (direct == nil) {
				t.Errorf("published %+v, want a job, and a build or a release", r)
			}
		}
	})
}

// An error about parameters quotes only their beginning.
func TestErrorsAboutParameters(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, text := range []string{long, contract.JSON(contract.PublishParameters{PipelineName: "my-blog", AllowDeletions: long})} {
		if _, err := decodeParameters(text); err == nil || len(err.Error()) > 2000 {
			t.Errorf("error is %v, want one that quotes the beginning", err)
		}
	}
}
