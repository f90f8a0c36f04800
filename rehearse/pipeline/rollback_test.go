package pipeline

import (
	"context"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

// withRollback reads the plan of a pipeline with a rollback at its end.
func withRollback(t *testing.T, golden string, edits ...edit) *Plan {
	t.Helper()
	plan := read(t, template(t, golden, edits...))
	if err := plan.AddRollback(); err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestAReleaseIsTakenBack(t *testing.T) {
	t.Parallel()
	source, state := blog(t), filepath.Join(t.TempDir(), "state")
	r := rehearse(t, t.Context(), withRollback(t, "modern-pipeline", lookingAt(t, "https://blog.example.com")), Options{Source: source, State: state}, nil)
	if want := allSucceeded + " Succeeded Succeeded"; r.err != nil || r.statuses() != want {
		t.Fatalf("stages end as %s (%v), want %s: %+v", r.statuses(), r.err, want, r.failed())
	}
	if got := r.editions(rehearsal.AfterMistake); !maps.Equal(got, map[string]rehearsal.Edition{"/": rehearsal.Broken}) {
		t.Errorf("after the mistake readers get %v", got)
	}
	if got, want := r.editions(rehearsal.AfterRollback), r.editions(rehearsal.AfterInvalidate); !maps.Equal(got, want) || got["/"] != rehearsal.New {
		t.Errorf("after the rollback readers get %v, want %v", got, want)
	}
	if len(r.Invalidations) != 3 || r.Invalidations[2].Status != "Completed" || !slices.Contains(r.Invalidations[2].Paths, "/") {
		t.Errorf("the invalidations are %+v, want three, the last one of the home page", r.Invalidations)
	}
	if site := r.Site; site == nil || !site.First || site.Uploaded != 5 {
		t.Errorf("published is %+v, want what the pipeline has published, and not what came after it", site)
	}
	if got := r.Stages[5].Actions[0]; !strings.Contains(got.Summary, "1 of 1 live at ") {
		t.Errorf("the rollback's summary is %q, want the proof", got.Summary)
	}
	taken := r.Rollback
	if taken == nil || taken.To >= taken.From || taken.Took <= 0 {
		t.Fatalf("the rollback is %+v, want one from the later release to the earlier one", taken)
	}
	table, said := strings.Join(taken.Releases, "\n"), strings.Join(taken.Said, "\n")
	if want := `(?s)^  RELEASE .*\n  ` + taken.From + ` .* push .*live .*` + mistake + `\n  ` + taken.To + ` .* push`; !regexp.MustCompile(want).MatchString(table) {
		t.Errorf("make releases says\n%s\nwant\n%s", table, want)
	}
	for _, want := range []string{"live     " + taken.From, "back to  " + taken.To, "back at release " + taken.To} {
		if !strings.Contains(said, want) {
			t.Errorf("make rollback says\n%s\nwant %q in it", said, want)
		}
	}

	again := rehearse(t, t.Context(), read(t, template(t, "modern-pipeline")), Options{Source: source, State: state}, nil)
	if again.err != nil || again.statuses() != allSucceeded || again.Site.Uploaded != 0 || len(again.Invalidations) != 0 {
		t.Errorf("the next push of the same ends as %s (%v), with %+v and %+v, want that nothing is left to do: %+v", again.statuses(), again.err, again.Site, again.Invalidations, again.failed())
	}
}

func TestTheOwnerIsAskedBeforeARollback(t *testing.T) {
	t.Parallel()
	var asked []string
	no := func(_ context.Context, question string) (bool, error) {
		asked = append(asked, question)
		return false, nil
	}
	r := rehearse(t, t.Context(), withRollback(t, "modern-pipeline"), Options{Source: blog(t), Ask: no}, nil)
	if failed := r.failed(); r.err != nil || len(asked) != 1 || failed.Code != "RollbackFailed" || !strings.Contains(failed.Reason, "the answer was no") {
		t.Errorf("asked %q, and it ends as %s, %v: %+v", asked, r.Status, r.err, failed)
	}
	i := slices.IndexFunc(r.events, func(e rehearsal.Event) bool { return e.Kind == rehearsal.Asked })
	if i < 0 || !strings.Contains(r.events[i].Text, asked[0]) || r.events[i].Stage != rollbackStage {
		t.Errorf("event %d of %d asks", i, len(r.events))
	}
	if got := r.editions(rehearsal.AfterMistake)["/"]; got != rehearsal.Broken || len(r.editions(rehearsal.AfterRollback)) > 0 {
		t.Errorf("readers get %s", got)
	}
}

func TestARollbackIsStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	nobody := func(ctx context.Context, _ string) (bool, error) {
		<-ctx.Done()
		return false, ctx.Err()
	}
	r := rehearse(t, ctx, withRollback(t, "modern-pipeline"), Options{Source: blog(t), Ask: nobody}, func(e rehearsal.Event) {
		if e.Kind == rehearsal.Asked {
			cancel()
		}
	})
	if want := allSucceeded + " Succeeded Stopped"; r.err != nil || r.statuses() != want || r.Status != rehearsal.Stopped {
		t.Errorf("it ends as %s, with the stages %s (%v), want %s", r.Status, r.statuses(), r.err, want)
	}
}

func TestAPipelineThatFailsHasNoRollback(t *testing.T) {
	t.Parallel()
	r := rehearse(t, t.Context(), withRollback(t, "modern-pipeline"), Options{Source: blog(t), Faults: Faults{"cloudfront": "denied"}}, nil)
	if want := "Succeeded Succeeded Succeeded Failed NotRun NotRun"; r.statuses() != want || r.Rollback != nil {
		t.Errorf("stages end as %s, want %s", r.statuses(), want)
	}
}

func TestWhatHasNoReleasesHasNoRollback(t *testing.T) {
	service, err := ReadDeployment(template(t, "api-hook"))
	if err != nil {
		t.Fatal(err)
	}
	for want, plan := range map[string]*Plan{
		"keeps no releases": read(t, template(t, "uploaded-pipeline")),
		"is a service":      service,
	} {
		if err := plan.AddRollback(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", plan.Name, err, want)
		}
	}
}
