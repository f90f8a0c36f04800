package show

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

// heading is the first line of a rehearsal that plays.
const heading = "Rehearsing travel  stack travel-blog, account 111122223333, ap-northeast-1\n"

func TestPlainLinesOfARehearsal(t *testing.T) {
	for _, tc := range []struct {
		name    string
		play    func() ([]moment, rehearsal.Result)
		verbose bool
	}{
		{"plain-succeeded", success, false},
		{"plain-failed", broken, false},
		{"plain-verbose", success, true},
		{"plain-site", site, false},
		{"plain-faults", stricken, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				d := New(&out, Options{Verbose: tc.verbose, Color: true, Width: 40})
				moments, r := tc.play()
				play(d, moments, r.Faults...)
				d.Result(r)
				d.Close()
				if i := strings.IndexFunc(out.String(), func(r rune) bool { return unicode.IsControl(r) && r != '\n' }); i >= 0 {
					t.Errorf("plain lines contain a control character: %q", out.String()[i:])
				}
				golden(t, tc.name, out.String())
			})
		})
	}
}

func TestPlainFailureShowsTheLastLines(t *testing.T) {
	var out bytes.Buffer
	d := New(&out, Options{})
	r := begin(d)
	for i := range 1000 {
		r.Tell(rehearsal.Event{Kind: rehearsal.Output, Stage: "Build", Action: "Hugo", Text: fmt.Sprint(i, strings.Repeat("長", 10000))})
	}
	r.EndAction("Build", rehearsal.Action{Name: "Hugo", Status: rehearsal.Failed})
	d.Close()
	lines := strings.Split(strings.TrimSpace(strings.TrimPrefix(out.String(), heading)), "\n")
	if len(lines) != keptLines+2 || lines[0] != "Build  Hugo  │ … 980 lines above; VERBOSE=1 shows all output" || !strings.HasPrefix(lines[1], "Build  Hugo  │ 980") {
		t.Errorf("got %d lines, the first %.70q; want how many are above, the last %d and the end", len(lines), lines[0], keptLines)
	}
	for _, l := range lines {
		if n := len([]rune(l)); n > keptRunes+30 {
			t.Errorf("a line of %d characters is shown, want about %d at most: %.30q", n, keptRunes, l)
		}
	}
}

func TestPlainLinesOfAStageWithoutAHook(t *testing.T) {
	var out bytes.Buffer
	d := New(&out, Options{})
	r := rehearsal.Begin(rehearsal.Result{Name: "shop", Stages: []rehearsal.Stage{{Name: "Install", Status: rehearsal.NotRun}}}, d.Event)
	r.StartStage("Install")
	r.EndStage("Install", rehearsal.Succeeded, 0)
	d.Close()
	if want := "Rehearsing shop\nInstall  no hook\n"; out.String() != want {
		t.Errorf("got %q, want %q", &out, want)
	}
}

func TestPlainLinesNameWhatRunsEachMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		d := New(&out, Options{})
		r := begin(d)
		r.StartAction("Build", "Hugo")
		r.Tell(rehearsal.Event{Kind: rehearsal.Output, Stage: "Build", Action: "Hugo", Phase: "INSTALL", Text: "npm ci"})
		time.Sleep(125*sec + ms)
		d.Close()
		want := heading + "Build  Hugo  started: CodeBuild travel-build\nBuild  Hugo  INSTALL\n" +
			"Build  Hugo  in progress for 1 min: INSTALL\nBuild  Hugo  in progress for 2 min: INSTALL\n"
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", &out, want)
		}
	})
}
