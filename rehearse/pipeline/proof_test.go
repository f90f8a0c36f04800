package pipeline

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// TestTheFunctionLooksAtTheEdgeOfTheRehearsal publishes a blog, whose address is not there, and then a page that has changed.
func TestTheFunctionLooksAtTheEdgeOfTheRehearsal(t *testing.T) {
	t.Parallel()
	source, state := blog(t), filepath.Join(t.TempDir(), "state")
	publish := func(name, live string) rehearsed {
		t.Helper()
		r := rehearse(t, t.Context(), read(t, template(t, "modern-pipeline", lookingAt(t, "https://blog.invalid"))), Options{Source: source, State: state}, nil)
		if r.err != nil || r.statuses() != allSucceeded {
			t.Fatalf("%s: stages end as %s (%v): %+v", name, r.statuses(), r.err, r.failed())
		}
		if a := r.Stages[3].Actions[0]; !strings.Contains(a.Summary, live+" of "+live+" live at ZZZ50-P1") || a.Variables["Live"] != live {
			t.Errorf("%s: Invalidate says %q, with the variables %v, want %s live", name, a.Summary, a.Variables, live)
		}
		if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, "looks at the edge of this rehearsal in place of https://blog.invalid") {
			t.Errorf("%s: the notes are\n%s", name, notes)
		}
		return r
	}
	publish("first", "5")
	write(t, source, map[string]string{"site/about/index.html": "<h1>about us</h1>"})
	second := publish("second", "2")
	if got := second.editions(rehearsal.AfterInvalidate)["/about/"]; got != rehearsal.New {
		t.Errorf("readers get %s", got)
	}
	if copies := second.Copies; copies == nil || copies.Held != 5 || copies.Needless != 0 {
		t.Errorf("the edge's copies are %+v, want 5, none of them cleared needlessly", copies)
	}
}

func TestAFunctionLooksAtNoRealSite(t *testing.T) {
	w := &world{record: rehearsal.Begin(rehearsal.Result{}, func(rehearsal.Event) {})}
	env := map[string]string{contract.EnvVerify: "https://blog.example.com"}
	w.lookHere(&Function{ID: "F"}, env)
	if notes := w.record.Result().Notes; len(env) > 0 || len(notes) != 1 || !strings.Contains(notes[0], "readers visit no site") {
		t.Errorf("the function has the variables %v, and the notes are %q", env, notes)
	}
}

// TestTheFunctionSeesAnEdgeThatKeepsItsCopies clears the cache for nothing.
func TestTheFunctionSeesAnEdgeThatKeepsItsCopies(t *testing.T) {
	t.Parallel()
	source, state := blog(t), filepath.Join(t.TempDir(), "state")
	publish := func(faults Faults) rehearsed {
		t.Helper()
		return rehearse(t, t.Context(), read(t, template(t, "modern-pipeline", lookingAt(t, "https://blog.example.com"))), Options{Source: source, State: state, Faults: faults}, nil)
	}
	if first := publish(nil); first.err != nil || first.statuses() != allSucceeded {
		t.Fatalf("first: %s (%v): %+v", first.statuses(), first.err, first.failed())
	}
	write(t, source, map[string]string{"site/about/index.html": "<h1>about us</h1>"})
	time.Sleep(time.Second) // The ids of releases are in the order of the seconds in which they began.
	r := publish(Faults{"edge": "stale"})
	want := "readers do not have what was published"
	if failed := r.failed(); r.err != nil || failed.Name != "Invalidate" || failed.Code != "JobFailed" || !strings.Contains(failed.Reason, want) || !strings.Contains(failed.Reason, "https://blog.example.com/about/") {
		t.Errorf("it ends as %s (%v): %+v, want that %s", r.statuses(), r.err, failed, want)
	}
	if again := publish(nil); again.err != nil || again.statuses() != allSucceeded || again.Site.Uploaded != 0 || len(again.Invalidations) != 1 {
		t.Errorf("the next execution ends as %s (%v), with %+v and the invalidations %+v, want one of what is stale: %+v", again.statuses(), again.err, again.Site, again.Invalidations, again.failed())
	}
}

// goingBack has the function of modern-pipeline publish the release before again if readers do not get what was published.
func goingBack(t *testing.T) edit {
	t.Helper()
	clears := `            {
              "Action": [
                "cloudfront:CreateInvalidation",`
	return both(
		replace(t, variable(contract.EnvOnFailure, string(contract.OnFailureFail)), variable(contract.EnvOnFailure, string(contract.OnFailureRollBack))+`, "`+contract.EnvPublishFunction+`": {"Ref": "Publish2E9BDF73"}`),
		replace(t, clears, `{"Action": "lambda:InvokeFunction", "Effect": "Allow", "Resource": {"Fn::GetAtt": ["Publish2E9BDF73", "Arn"]}},`+clears),
	)
}

// TestTheFunctionGoesBackByItself has the function of Invalidate call that of Deploy, because the edge keeps its copies.
func TestTheFunctionGoesBackByItself(t *testing.T) {
	t.Parallel()
	source, state := blog(t), filepath.Join(t.TempDir(), "state")
	publish := func(faults Faults) rehearsed {
		t.Helper()
		return rehearse(t, t.Context(), read(t, template(t, "modern-pipeline", lookingAt(t, "https://blog.example.com"), goingBack(t))), Options{Source: source, State: state, Faults: faults}, nil)
	}
	if first := publish(nil); first.err != nil || first.statuses() != allSucceeded {
		t.Fatalf("first: %s (%v): %+v", first.statuses(), first.err, first.failed())
	}
	write(t, source, map[string]string{"site/about/index.html": "<h1>about us</h1>"})
	time.Sleep(time.Second) // The ids of releases are in the order of the seconds in which they began.
	r := publish(Faults{"edge": "stale"})
	if failed := r.failed(); r.err != nil || failed.Name != "Invalidate" || !strings.Contains(failed.Reason, "was published again, as ") || strings.Contains(failed.Reason, "but: ") {
		t.Errorf("it ends as %s (%v): %+v, want that an earlier release, which readers still have, was published again", r.statuses(), r.err, failed)
	}
	if again := publish(nil); again.err != nil || again.statuses() != allSucceeded || again.Site.Uploaded != 1 || again.Site.Changed != 1 {
		t.Errorf("the next push ends as %s (%v), with %+v, want the page that was taken back: %+v", again.statuses(), again.err, again.Site, again.failed())
	}
}
