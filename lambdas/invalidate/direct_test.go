package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
)

var ofPipeline = parameters("E1")

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

// A direct request clears as the action does, over several calls, and counts as such.
func TestDirectClears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("InProgress")
		r := newReleases(t, w)
		r.touch("a/index.html")
		ask := contract.Direct{Job: "j-1"}
		got := w.direct(t, ask)
		if got.Token == "" || !strings.HasPrefix(got.Summary, "Waiting for invalidation") {
			t.Fatalf("answered %+v, want it to go on", got)
		}
		first := w.edge
		w.cloudFront(invalidationtest.Says(invalidationtest.Completed))
		ask.Token = got.Token
		got = w.direct(t, ask)
		if !strings.HasPrefix(got.Summary, "Cleared 1 item") || got.Token != "" || got.Variables["Items"] != "1" || got.Failure != "" {
			t.Errorf("answered %+v, want one item to be cleared", got)
		}
		if n := len(first.Created()) + len(w.edge.Created()); n != 1 || w.pipeline.Reports() != 0 {
			t.Errorf("created %d invalidations and sent %d reports, want 1 and none", n, w.pipeline.Reports())
		}
		if !strings.Contains(w.log.String(), contract.MetricInvalidationItems) {
			t.Error("the invalidation is not counted")
		}
		if got = w.direct(t, contract.Direct{Job: "j-2"}); !strings.HasPrefix(got.Summary, "Nothing to clear") {
			t.Errorf("afterwards it answers %+v, want nothing to clear", got)
		}
	})
}

// A look adds what a publication would touch to what is to be cleared already. It changes
// nothing, and does not ask CloudFront.
func TestDirectLooks(t *testing.T) {
	w := newWorld("Completed")
	r := newReleases(t, w)
	r.touch("a/index.html")
	for _, tt := range []struct {
		touched []string
		want    contract.Clearing
		summary string
	}{
		{nil, contract.Clearing{Items: 1}, "Would clear 1 item; 0 files evicted that have not changed."},
		{[]string{"main.css", "gone.html"}, contract.Clearing{Items: 3}, "Would clear 3 items; 0 files evicted that have not changed."},
		{[]string{"index.html", "a/index.html", "b/index.html", "main.css", "feed.xml"}, contract.Clearing{Items: 1, All: true}, "Would clear everything."},
	} {
		got := w.direct(t, contract.Direct{DryRun: true, Touched: tt.touched})
		if got.Clearing == nil || *got.Clearing != tt.want || got.Summary != tt.summary {
			t.Errorf("%q: answered %s, want %+v and %q", tt.touched, contract.JSON(got), tt.want, tt.summary)
		}
	}
	many := make([]string, 10_001)
	for i := range many {
		many[i] = fmt.Sprint(i, ".html")
	}
	if got := w.direct(t, contract.Direct{DryRun: true, Touched: many}); !got.Clearing.All || got.Summary != "Would clear everything." {
		t.Errorf("of many: answered %+v, want everything", got)
	}
	if len(w.edge.Created()) != 0 || strings.Contains(w.log.String(), contract.MetricInvalidationItems) {
		t.Error("a look clears")
	}
	if got := r.left(); got != "a/index.html" {
		t.Errorf("after the looks there is %q to clear, want what there was", got)
	}
	r.client.Before = func(objecttest.Call) error { return objecttest.Denies() }
	if got := w.direct(t, contract.Direct{DryRun: true}); got.Failure != "PermissionError" || !strings.Contains(got.Message, "find what has changed") || strings.Contains(got.Message, "retry this stage") {
		t.Errorf("without permission: answered %+v", got)
	}

	// Actions with paths, and those that have no releases, clear these.
	w.stage.changes = nil
	for parameters, want := range map[string]contract.Clearing{
		parameters("E1"):              {Items: 1, All: true},
		parameters("E1", "/a", "/b*"): {Items: 2},
	} {
		if got := w.direct(t, contract.Direct{DryRun: true, UserParameters: parameters}); got.Clearing == nil || *got.Clearing != want {
			t.Errorf("%s: answered %s, want %+v", parameters, contract.JSON(got), want)
		}
	}
}

func TestDirectRefusals(t *testing.T) {
	for _, ask := range []contract.Direct{{Job: "j", Release: releaseID}, {List: 3}} {
		w := newWorld("Completed")
		if got := w.direct(t, ask); got.Failure != "ConfigurationError" || !strings.Contains(got.Message, "this is the function of the Invalidate stage") {
			t.Errorf("%+v: answered %+v, want a refusal", ask, got)
		}
		if len(w.edge.Created()) != 0 {
			t.Errorf("%+v: cleared", ask)
		}
	}
}
