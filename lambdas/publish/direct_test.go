package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/lambdas/internal/publication"
	"blog-deploy-pipeline/lambdas/internal/release"
)

const oldRelease = "19991231-000000-1a2b3c4d"

// ofPipeline are the UserParameters as CodePipeline's GetPipeline returns them.
var ofPipeline = contract.JSON(contract.PublishParameters{
	PipelineName: "my-blog", Execution: "#{codepipeline.PipelineExecutionId}", Revision: "#{Source.CommitId}",
	AllowDeletions: "#{variables." + contract.VariableAllowDeletions + "}",
})

// direct asks the function directly, and returns its answer.
func (w *world) direct(t *testing.T, d contract.Direct) contract.DirectAnswer {
	t.Helper()
	if d.UserParameters == "" {
		d.UserParameters = ofPipeline
	}
	text, err := invocationtest.Invoke(t, w.handler, invocationtest.Limit, []byte(contract.JSON(contract.DirectEvent{Direct: d})))
	if err != nil {
		t.Fatalf("Invoke: %v, want an answer", err)
	}
	var answer contract.DirectAnswer
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("the answer is %s: %v", text, err)
	}
	return answer
}

func TestDirectPublishes(t *testing.T) {
	result := some
	result.Restores = oldRelease
	w := newWorld(result)
	got := w.direct(t, contract.Direct{Job: "j-1", Release: oldRelease, By: "arn:me", Current: newRelease})
	want := "Published release " + oldRelease + " again, as " + newRelease + ": 12 put (1.2 MB), 640 unchanged, 3 removed, 2 to be removed later."
	if got.Summary != want || got.Failure != "" || got.Token != "" || got.Variables["Release"] != newRelease {
		t.Errorf("answered %+v, want %q", got, want)
	}
	request := publication.Request{Job: "j-1", Restores: oldRelease, By: "arn:me", Current: newRelease}
	if len(w.publisher.requests) != 1 || w.publisher.requests[0] != request {
		t.Errorf("published %+v, want %+v", w.publisher.requests, request)
	}
	if !strings.Contains(w.log.String(), contract.MetricFilesPut) {
		t.Error("the publication is not counted")
	}
	w.log.CheckLines(t, 2, map[string]string{"job": "j-1", "by": "arn:me", contract.DimensionBlog: "my-blog"})

	w.direct(t, contract.Direct{Job: "j-2", Release: oldRelease, UserParameters: contract.JSON(contract.PublishParameters{PipelineName: "my-blog", AllowDeletions: contract.AllowDeletionsYes})})
	if last := w.publisher.requests[1]; !last.AllowDeletions {
		t.Errorf("published %+v, want deletions to be allowed", last)
	}
}

// Who asks directly sees after a short time what the publication waits for, and goes on
// with the token.
func TestDirectWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := newWorldThat(func(context.Context, publication.Request) (publication.Result, error) {
			if time.Since(start) < time.Minute {
				return publication.Result{Busy: time.Now().Add(time.Minute)}, nil
			}
			return some, nil
		})
		ask := contract.Direct{Job: "j-1", Release: oldRelease}
		for range 10 {
			before := time.Now()
			got := w.direct(t, ask)
			if took := time.Since(before); took < w.stage.lookEvery && got.Token != "" || took > 2*w.stage.lookEvery {
				t.Errorf("a call took %v, want about the %v between two looks", took, w.stage.lookEvery)
			}
			if ask.Token = got.Token; ask.Token == "" {
				if got.Variables["Release"] != newRelease {
					t.Errorf("answered %+v, want the release", got)
				}
				break
			}
			if got.Summary != "Waiting for another publication of this blog." {
				t.Errorf("answered %+v, want what it waits for", got)
			}
		}
		if ask.Token != "" {
			t.Error("never ends")
		}
		for _, request := range w.publisher.requests {
			if request.Job != "j-1" || request.Restores != oldRelease {
				t.Errorf("published %+v, want the same each time", request)
			}
		}
	})
}

func TestDirectLooks(t *testing.T) {
	w := newWorld(some)
	d := contract.Difference{Put: 3, Removed: 1, Bytes: 1200, Touched: []string{"a", "b"}}
	w.publisher.foreseen = publication.Foreseen{Difference: d, Current: newRelease}
	got := w.direct(t, contract.Direct{Release: oldRelease, DryRun: true})
	if want := "Would put 3 (1.2 kB) and remove 1 in place of release " + newRelease + "."; got.Summary != want || contract.JSON(got.Difference) != contract.JSON(d) {
		t.Errorf("answered %s, want %q", contract.JSON(got), want)
	}
	w.publisher.foreseen.Busy = time.Date(2000, 1, 1, 0, 15, 0, 0, time.UTC)
	w.publisher.foreseen.Current, w.publisher.foreseen.Difference = "", contract.Difference{}
	if got = w.direct(t, contract.Direct{Release: oldRelease, DryRun: true}); !strings.HasPrefix(got.Summary, "Would change nothing: what the bucket has is the same. Another publication of this blog is at work, until 00:15:00") {
		t.Errorf("answered %q, want it to name the other publication", got.Summary)
	}
	w.publisher.foreseen.Difference = d
	w.publisher.refusal = &failure.Failure{Kind: failure.Configuration, Message: "too many would be removed"}
	if got = w.direct(t, contract.Direct{Release: oldRelease, DryRun: true}); got.Failure != "ConfigurationError" || got.Message != "too many would be removed" || got.Difference == nil || got.Difference.Put != 3 {
		t.Errorf("answered %+v, want the refusal and the difference", got)
	}
	if len(w.publisher.requests) != 0 || len(w.publisher.looks) != 3 || w.publisher.looks[0].Restores != oldRelease {
		t.Errorf("looked at %+v and published %+v, want looks only", w.publisher.looks, w.publisher.requests)
	}
	if strings.Contains(w.log.String(), contract.MetricFilesPut) {
		t.Error("a look is counted as a publication")
	}
}

func TestDirectLists(t *testing.T) {
	w := newWorld(some)
	at := time.Date(2026, 11, 27, 1, 30, 0, 0, time.UTC)
	w.stage.releases = fakeReleases{listed: []release.Listed{
		{Manifest: release.Manifest{ID: newRelease, Time: at, Revision: "0123", Restores: oldRelease, By: "me", Put: 3, Removed: 1, Bytes: 7}, Count: 9, Current: true, Pending: true, Kept: true},
		{Manifest: release.Manifest{ID: oldRelease, Time: at, Execution: "e-1", Put: 9}, Count: 9},
	}}
	got := w.direct(t, contract.Direct{List: 20})
	want := []contract.Release{
		{ID: newRelease, Time: at, Revision: "0123", Restores: oldRelease, By: "me", Files: 9, Put: 3, Removed: 1, Bytes: 7, Current: true, Pending: true, Kept: true},
		{ID: oldRelease, Time: at, Execution: "e-1", Files: 9, Put: 9},
	}
	if contract.JSON(got.Releases) != contract.JSON(want) {
		t.Errorf("listed %s, want %s", contract.JSON(got.Releases), contract.JSON(want))
	}
	if got = w.direct(t, contract.Direct{List: 1}); len(got.Releases) != 1 {
		t.Errorf("listed %d, want 1", len(got.Releases))
	}
	w.stage.releases = fakeReleases{err: errors.New("read the weather: clouds")}
	if got = w.direct(t, contract.Direct{List: 1}); got.Failure != "SystemUnavailable" || !strings.Contains(got.Message, "list the releases: read the weather: clouds") {
		t.Errorf("answered %+v, want a failure", got)
	}
	if len(w.publisher.requests)+len(w.publisher.looks) != 0 {
		t.Error("a list publishes")
	}
}

func TestDirectRefusals(t *testing.T) {
	for _, tt := range []struct {
		name string
		ask  contract.Direct
		want string
	}{
		{"no release", contract.Direct{Job: "j"}, "names no release"},
		{"a dry run of nothing", contract.Direct{DryRun: true}, "names no release"},
		{"too long a list", contract.Direct{List: 101}, "asks for a list of 101 releases: ask for 1 to 100"},
		{"a list of less than nothing", contract.Direct{Job: "j", List: -1}, "asks for a list of -1"},
		{"a token of nobody", contract.Direct{Job: "j", Release: oldRelease, Token: "x"}, "continuation token"},
		{"parameters", contract.Direct{Job: "j", Release: oldRelease, UserParameters: "my-blog"}, `decode UserParameters "my-blog"`},
	} {
		w := newWorld(some)
		if got := w.direct(t, tt.ask); got.Failure != "ConfigurationError" || !strings.Contains(got.Message, tt.want) {
			t.Errorf("%s: answered %+v, want a ConfigurationError with %q", tt.name, got, tt.want)
		}
		if n := len(w.publisher.requests) + len(w.publisher.looks); n > 0 {
			t.Errorf("%s: published or looked %d times", tt.name, n)
		}
	}
	w := newWorldThat(fails(errUnexpected))
	if got, want := w.direct(t, contract.Direct{Job: "j", Release: oldRelease}), fmt.Sprint(errUnexpected, "; run the command again"); got.Message != want {
		t.Errorf("answered %q, want %q", got.Message, want)
	}
}
