package show

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

func TestTerminalShowsARehearsal(t *testing.T) {
	for _, tc := range []struct {
		name          string
		play          func() ([]moment, rehearsal.Result)
		width, height int
		looks         []time.Duration
	}{
		{"terminal-succeeded", success, 80, 24, []time.Duration{1500 * ms, 5 * sec, 8 * sec, 11 * sec, 12 * sec}},
		{"terminal-failed", broken, 100, 24, nil},
		{"terminal-narrow", success, 40, 24, []time.Duration{8 * sec, 11 * sec}},
		{"terminal-site", site, 80, 24, []time.Duration{8 * sec, 11 * sec}},
		{"terminal-faults", stricken, 80, 24, []time.Duration{11 * sec}},
		{"terminal-short", success, 60, 6, []time.Duration{8 * sec, 11 * sec}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				vt := newTerminal(t, tc.width, tc.height)
				d := New(vt, Options{Terminal: true, Color: true, Width: tc.width, Height: tc.height})
				var got strings.Builder
				var looking sync.WaitGroup
				looking.Go(func() {
					start := time.Now()
					for _, at := range tc.looks {
						time.Sleep(time.Until(start.Add(at + ms)))
						fmt.Fprintf(&got, "=== after %s\n%s", at, vt)
					}
				})
				moments, r := tc.play()
				start := time.Now()
				play(d, moments, r.Faults...)
				looking.Wait()
				took := time.Since(start)
				d.Result(r)
				if limit := int(took/frameTime) + 3; vt.count() > limit {
					t.Errorf("the block was written %d times in %s, want at most %d", vt.count(), took, limit)
				}
				d.Close()
				fmt.Fprintf(&got, "=== at the end\n%s", vt)
				golden(t, tc.name, got.String())
			})
		})
	}
}

// The terminal of the tests reports lines that are too long, and a cursor that leaves the screen.
func TestTheBlockFitsATerminalOfAnySize(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {2, 2}, {7, 3}, {20, 2}, {39, 5}, {40, 8}, {81, 12}, {300, 100}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				vt := newTerminal(t, max(2, size[0]), size[1]) // A wide character fits in.
				d := New(vt, Options{Terminal: true, Width: size[0], Height: size[1], Verbose: size[0]%2 == 0})
				moments, r := success()
				play(d, moments)
				d.Result(r)
				d.Close()
			})
		})
	}
}

// TestAQuestionStandsWhereItsAnswerIsTyped asks the owner something while an action runs.
func TestAQuestionStandsWhereItsAnswerIsTyped(t *testing.T) {
	served := &rehearsal.Served{URL: "http://127.0.0.1:8080"}
	synctest.Test(t, func(t *testing.T) {
		vt := newTerminal(t, 80, 24)
		d := New(vt, Options{Terminal: true, Width: 80, Height: 24})
		r := begin(d)
		r.StartStage("Source")
		r.StartAction("Source", "GitHub")
		time.Sleep(sec)
		r.Change(func(r *rehearsal.Result) { r.Served = served })
		r.Tell(rehearsal.Event{Kind: rehearsal.Asked, Stage: "Source", Action: "GitHub", Text: "Go on? [Y/n]"})
		time.Sleep(sec)
		if got, end := vt.String(), "The site is at http://127.0.0.1:8080\nGo on? [Y/n]\n"; !strings.HasSuffix(got, end) {
			t.Errorf("while it asks the terminal ends in\n%s\nwant %q", got, end)
		}
		r.Tell(rehearsal.Event{Kind: rehearsal.Progressed, Stage: "Source", Action: "GitHub", Text: "going on"})
		time.Sleep(sec)
		if got := vt.String(); !strings.Contains(got, "Go on? [Y/n]\n") || !strings.Contains(got, "going on") {
			t.Errorf("then it has\n%s\nwant the block again", got)
		}
		d.Close()
	})
	var out bytes.Buffer
	d := New(&out, Options{})
	r := begin(d)
	r.Change(func(r *rehearsal.Result) { r.Served = served })
	r.Tell(rehearsal.Event{Kind: rehearsal.Asked, Stage: "Source", Action: "GitHub", Text: "Go on? [Y/n]"})
	d.Close()
	if want := heading + "Serving  http://127.0.0.1:8080\nSource  GitHub  Go on? [Y/n]\n"; out.String() != want {
		t.Errorf("plain lines are %q, want %q", &out, want)
	}
}

func TestABlockThatDoesNotMoveIsWrittenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vt := newTerminal(t, 80, 24)
		d := New(vt, Options{Terminal: true, Width: 80, Height: 24})
		begin(d)
		time.Sleep(10 * sec)
		if vt.count() != 1 {
			t.Errorf("a block that does not move was written %d times, want once", vt.count())
		}
		d.Close()
	})
}

func TestTheBlockFollowsAWindowThatIsResized(t *testing.T) {
	wide := []line{text(strings.Repeat("a", 100)), text("b"), nil}
	for _, tc := range []struct {
		name                string
		width, height, want int
	}{
		{"as it was", 101, 24, 3},
		{"exactly as wide", 100, 24, 3},
		{"narrower", 40, 24, 5},
		{"narrower and lower", 40, 4, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := screen{shown: wide}
			if got := s.rows(tc.width, tc.height); got != tc.want {
				t.Errorf("the block has %d rows, want %d", got, tc.want)
			}
		})
	}
	t.Run("the next frame has the new width", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			vt := newTerminal(t, 30, 24)
			var width atomic.Int64
			width.Store(80)
			d := New(vt, Options{Terminal: true, Width: 80, Height: 24, Size: func() (int, int) { return int(width.Load()), 24 }})
			width.Store(30)
			begin(d).Preparing("%s", strings.Repeat("準備", 30))
			time.Sleep(sec)
			d.Close()
		})
	})
}

// Some terminals of the Far East show "█" or "…" in two cells. The block is too wide then, and must still be replaced.
func TestTheBlockIsReplacedWhereSymbolsAreWide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vt := newTerminal(t, 70, 12)
		vt.Ambiguous = 2
		d := New(vt, Options{Terminal: true, Width: 70, Height: 12})
		moments, r := success()
		play(d, moments)
		d.Result(r)
		d.Close()
		for _, once := range []string{"✓ Source  ", "✓ Build   ", "✓ Deploy  ", "✓ Invalidate  "} {
			// The summary has it, too.
			if n := strings.Count(vt.String(), once); n != 2 {
				t.Errorf("%q stands on the screen %d times, want 2:\n%s", once, n, vt)
			}
		}
		if strings.ContainsAny(vt.String(), string(spinner)) {
			t.Errorf("something that runs still stands on the screen:\n%s", vt)
		}
		for _, gone := range []string{"BUILD", "· Deploy", "Reader"} {
			if strings.Contains(vt.String(), gone) {
				t.Errorf("%q of the block still stands on the screen:\n%s", gone, vt)
			}
		}
	})
}

func TestStagesAreShownInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vt := newTerminal(t, 80, 24)
		d := New(vt, Options{Terminal: true, Width: 80, Height: 24})
		r := rehearsal.Begin(rehearsal.Result{Name: "travel", Stages: []rehearsal.Stage{{Name: "First", Status: rehearsal.NotRun}, {Name: "Second", Status: rehearsal.NotRun}}}, d.Event)
		for _, happens := range []func(){
			func() { r.StartStage("First") },
			func() { r.StartStage("Second") },
			func() { r.EndStage("Second", rehearsal.Succeeded, sec) },
			func() { r.EndStage("First", rehearsal.Succeeded, 3*sec) },
		} {
			happens()
			time.Sleep(sec)
		}
		d.Close()
		want := "Rehearsing travel\n✓ First       3.0 s\n✓ Second      1.0 s\n"
		if vt.String() != want {
			t.Errorf("got\n%swant\n%s", vt, want)
		}
	})
}

func TestCloseShowsWhatRunsAsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vt := newTerminal(t, 80, 24)
		func() {
			d := New(vt, Options{Terminal: true, Width: 80, Height: 24})
			defer func() { _ = recover() }()
			defer d.Close()
			r := begin(d)
			r.StartStage("Source")
			r.StartAction("Source", "GitHub")
			r.Warn("Something to know.")
			time.Sleep(1501 * ms)
			panic("the rehearsal breaks")
		}()
		want := `Rehearsing travel  stack travel-blog, account 111122223333, ap-northeast-1
■ Source          1.5 s
  ■ GitHub  stopped
· Build                  not run
· Deploy                 not run
· Invalidate             not run

Warnings
  - Something to know.
`
		if vt.String() != want {
			t.Errorf("got\n%swant\n%s", vt, want)
		}
	})
}

func TestTheSiteIsServedBelowTheSummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vt := newTerminal(t, 80, 24)
		d := New(vt, Options{Terminal: true, Width: 80, Height: 24})
		result := rehearsal.Result{Visits: []rehearsal.Visit{{Path: "/"}}, Served: &rehearsal.Served{URL: "http://127.0.0.1:8080/"}}
		d.Event(rehearsal.Event{Kind: rehearsal.Visited, Result: &result})
		d.Event(rehearsal.Event{Kind: rehearsal.Ended, Result: &result})
		d.Result(rehearsal.Result{Name: "travel", Status: rehearsal.Succeeded})
		d.Event(rehearsal.Event{Kind: rehearsal.Serving, Result: &result})
		time.Sleep(201 * ms)
		summary := "\n✓ travel  succeeded in 0 ms\n"
		want := summary + "The site is at http://127.0.0.1:8080/\n⠹ Serving http://127.0.0.1:8080/  Ctrl-C ends it\n"
		if vt.String() != want {
			t.Errorf("while it serves: got\n%swant\n%s", vt, want)
		}
		d.Close()
		if want := summary + "The site is at http://127.0.0.1:8080/\n"; vt.String() != want {
			t.Errorf("after it: got\n%swant\n%s", vt, want)
		}
	})
}

func TestTheSiteIsServedByItsOwnNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served := rehearsal.Event{Kind: rehearsal.Serving, Result: &rehearsal.Result{Served: &rehearsal.Served{
			URL: "http://127.0.0.1:8080", SecureURL: "https://127.0.0.1:8443", Names: []string{"example.com", "d1.cloudfront.net"},
		}}}
		vt := newTerminal(t, 100, 24)
		d := New(vt, Options{Terminal: true, Width: 100, Height: 24})
		d.Event(served)
		d.Close()
		if want := "The site is at http://127.0.0.1:8080\nand as example.com, d1.cloudfront.net at https://127.0.0.1:8443  its certificate is made up\n"; vt.String() != want {
			t.Errorf("on a terminal: got\n%swant\n%s", vt, want)
		}
		var out bytes.Buffer
		d = New(&out, Options{})
		d.Event(served)
		d.Close()
		if want := "Serving  http://127.0.0.1:8080 https://127.0.0.1:8443\n"; out.String() != want {
			t.Errorf("in lines: got\n%swant\n%s", &out, want)
		}
	})
}
