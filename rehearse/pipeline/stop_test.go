package pipeline

import (
	"context"
	"os"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

func TestARehearsalStopsAtAnyMoment(t *testing.T) {
	moments := map[string]func(rehearsal.Event) bool{
		"at once":           func(rehearsal.Event) bool { return true },
		"while it prepares": func(e rehearsal.Event) bool { return e.Kind == rehearsal.Preparing },
		"in the source":     func(e rehearsal.Event) bool { return e.Kind == rehearsal.ActionStarted && e.Stage == "Source" },
		"before the build":  func(e rehearsal.Event) bool { return e.Kind == rehearsal.ActionStarted && e.Stage == "Build" },
		"in the build":      func(e rehearsal.Event) bool { return e.Kind == rehearsal.Output && e.Text == "sleeping" },
		"before the upload": func(e rehearsal.Event) bool { return e.Kind == rehearsal.ActionStarted && e.Stage == "Deploy" },
		"in the upload":     func(e rehearsal.Event) bool { return e.Kind == rehearsal.Progressed && e.Stage == "Deploy" },
		"while readers visit": func(e rehearsal.Event) bool {
			return e.Kind == rehearsal.Visited && e.Result.Visits[len(e.Result.Visits)-1].When == rehearsal.AfterDeploy
		},
		"before the function": func(e rehearsal.Event) bool { return e.Kind == rehearsal.ActionStarted && e.Stage == "Invalidate" },
		"in the function":     func(e rehearsal.Event) bool { return e.Kind == rehearsal.Output && e.Stage == "Invalidate" },
	}
	for name, moment := range moments {
		t.Run(name, func(t *testing.T) {
			source := blog(t)
			if name == "in the build" {
				write(t, source, map[string]string{"buildspec/hugo.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - echo sleeping; (sleep " + nap + " & sleep " + nap + ")\nartifacts:\n  files: ['**/*']\n"})
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var cancelled time.Time
			state := t.TempDir()
			r := rehearse(t, ctx, read(t, template(t, "uploaded-pipeline")), Options{Source: source, State: state, CompleteAfter: time.Minute}, func(e rehearsal.Event) {
				if cancelled.IsZero() && moment(e) {
					cancelled = time.Now()
					cancel()
				}
			})
			if took := time.Since(cancelled); cancelled.IsZero() || took > 5*time.Second {
				t.Errorf("it took %v to stop", took)
			}
			if r.err != nil || r.Status != rehearsal.Stopped {
				t.Errorf("it ends as %s, %v, want Stopped", r.Status, r.err)
			}
			if kept, err := os.ReadDir(state); err != nil || len(kept) > 0 {
				t.Errorf("it keeps %v, %v", kept, err)
			}
		})
	}
}
