package show

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"blog-deploy-pipeline/rehearse/pipeline"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s\n(go test ./rehearse/show -update writes it anew)", file, got, want)
	}
}

func TestPlain(t *testing.T) {
	for _, tc := range []struct {
		name    string
		play    func() ([]moment, pipeline.Result)
		verbose bool
	}{
		{"plain-succeeded", success, false},
		{"plain-failed", broken, false},
		{"plain-verbose", success, true},
		{"plain-site", site, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				d := New(&out, Options{Verbose: tc.verbose, Color: true, Width: 40})
				moments, r := tc.play()
				play(d, moments)
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

func TestTerminal(t *testing.T) {
	for _, tc := range []struct {
		name          string
		play          func() ([]moment, pipeline.Result)
		width, height int
		looks         []time.Duration
	}{
		{"terminal-succeeded", success, 80, 24, []time.Duration{1500 * ms, 5 * sec, 8 * sec, 11 * sec, 12 * sec}},
		{"terminal-failed", broken, 100, 24, nil},
		{"terminal-narrow", success, 40, 24, []time.Duration{8 * sec, 11 * sec}},
		{"terminal-site", site, 80, 24, []time.Duration{8 * sec, 11 * sec}},
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
				play(d, moments)
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

// The terminal of the test reports lines that are too long and a cursor that leaves the screen.
func TestTerminalOfAnySize(t *testing.T) {
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

func TestNothingIsWrittenWhenNothingMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vt := newTerminal(t, 80, 24)
		d := New(vt, Options{Terminal: true, Width: 80, Height: 24})
		d.Event(pipeline.Event{Kind: pipeline.Started, Result: plan()})
		time.Sleep(10 * sec)
		if vt.count() != 1 {
			t.Errorf("a block that does not move was written %d times, want once", vt.count())
		}
		d.Close()
	})
}

func TestResize(t *testing.T) {
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
				t.Errorf("the block takes up %d rows, want %d", got, tc.want)
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
			d.Event(pipeline.Event{Kind: pipeline.Preparing, Text: strings.Repeat("準備", 30)})
			time.Sleep(sec)
			d.Close()
		})
	})
}

// Some terminals of the Far East show "█" or "…" in two cells: the block is too wide then, but stays one.
func TestTerminalWithWideSymbols(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vt := newTerminal(t, 70, 12)
		vt.Ambiguous = 2
		d := New(vt, Options{Terminal: true, Width: 70, Height: 12})
		moments, r := success()
		play(d, moments)
		d.Result(r)
		d.Close()
		for _, once := range []string{"✓ Source  ", "✓ Build   ", "✓ Deploy  ", "✓ Invalidate  "} {
			// Twice with the summary's.
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

func TestStagesStayInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vt := newTerminal(t, 80, 24)
		d := New(vt, Options{Terminal: true, Width: 80, Height: 24})
		for _, e := range []pipeline.Event{
			{Kind: pipeline.StageStarted, Stage: "First"},
			{Kind: pipeline.StageStarted, Stage: "Second"},
			{Kind: pipeline.StageEnded, Stage: "Second"},
			{Kind: pipeline.StageEnded, Stage: "First"},
		} {
			d.Event(e)
			time.Sleep(sec)
		}
		d.Close()
		want := "✓ First       3.0 s\n✓ Second      1.0 s\n"
		if vt.String() != want {
			t.Errorf("got\n%swant\n%s", vt, want)
		}
	})
}

func TestFailureShowsTheLastLines(t *testing.T) {
	var out bytes.Buffer
	d := New(&out, Options{})
	for i := range 1000 {
		d.Event(pipeline.Event{Kind: pipeline.Output, Stage: "Build", Action: "Hugo", Text: fmt.Sprint(i, strings.Repeat("長", 10000))})
	}
	d.Event(pipeline.Event{Kind: pipeline.ActionEnded, Stage: "Build", Action: "Hugo", ActionResult: &pipeline.ActionResult{Status: pipeline.Failed}})
	d.Close()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != keptLines+2 || lines[0] != "Build  Hugo  │ … 980 lines above; VERBOSE=1 shows all output" || !strings.HasPrefix(lines[1], "Build  Hugo  │ 980") {
		t.Errorf("got %d lines, the first %.70q; want how many are above, the last %d and the end", len(lines), lines[0], keptLines)
	}
	for _, l := range lines {
		if n := len([]rune(l)); n > keptRunes+30 {
			t.Errorf("a line of %d characters is shown, want about %d at most: %.30q", n, keptRunes, l)
		}
	}
}

func TestQuietBuildIsHeardOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		d := New(&out, Options{})
		d.Event(pipeline.Event{Kind: pipeline.ActionStarted, Stage: "Build", Action: "Hugo"})
		d.Event(pipeline.Event{Kind: pipeline.Output, Stage: "Build", Action: "Hugo", Phase: "INSTALL", Text: "npm ci"})
		time.Sleep(125*sec + ms)
		d.Close()
		want := "Build  Hugo  started\nBuild  Hugo  INSTALL\n" +
			"Build  Hugo  in progress for 1 min: INSTALL\nBuild  Hugo  in progress for 2 min: INSTALL\n"
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", &out, want)
		}
	})
}

// The site is served after the end, below the summary, until the rehearsal is cancelled.
func TestServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vt := newTerminal(t, 80, 24)
		d := New(vt, Options{Terminal: true, Width: 80, Height: 24})
		d.Event(pipeline.Event{Kind: pipeline.Visited, Visit: &pipeline.Visit{Path: "/"}})
		d.Event(pipeline.Event{Kind: pipeline.Ended})
		d.Result(pipeline.Result{Name: "travel", Status: pipeline.Succeeded})
		d.Event(pipeline.Event{Kind: pipeline.Serving, Served: pipeline.Served{URL: "http://127.0.0.1:8080/"}})
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

func TestServingByItsOwnNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served := pipeline.Event{Kind: pipeline.Serving, Served: pipeline.Served{
			URL: "http://127.0.0.1:8080", SecureURL: "https://127.0.0.1:8443", Names: []string{"example.com", "d1.cloudfront.net"},
		}}
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

// A rehearsal that breaks off, as one that is cancelled or panics, leaves what it did.
func TestCloseEndsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vt := newTerminal(t, 80, 24)
		func() {
			d := New(vt, Options{Terminal: true, Width: 80, Height: 24})
			defer func() { _ = recover() }()
			defer d.Close()
			d.Event(pipeline.Event{Kind: pipeline.Started, Result: plan()})
			d.Event(pipeline.Event{Kind: pipeline.ActionStarted, Stage: "Source", Action: "GitHub"})
			d.Event(pipeline.Event{Kind: pipeline.Warned, Text: "Something to know."})
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

func TestNothingIsShownAfterClose(t *testing.T) {
	var out bytes.Buffer
	d := New(&out, Options{})
	d.Close()
	d.Event(pipeline.Event{Kind: pipeline.Preparing, Text: "too late"})
	d.Close()
	if out.Len() > 0 {
		t.Errorf("got %q after Close", &out)
	}
}

func TestWarningsAreToldOnce(t *testing.T) {
	for _, closeFirst := range []bool{false, true} {
		var out bytes.Buffer
		d := New(&out, Options{})
		d.Event(pipeline.Event{Kind: pipeline.Warned, Text: "Something to know."})
		if closeFirst {
			d.Close()
		}
		d.Result(pipeline.Result{Warnings: []string{"Something to know.", "Something else."}})
		d.Close()
		for _, warning := range []string{"Something to know.", "Something else."} {
			if n := strings.Count(out.String(), warning); n != 1 {
				t.Errorf("closed first %t: %q is told %d times, want once:\n%s", closeFirst, warning, n, &out)
			}
		}
	}
}

func TestSummary(t *testing.T) {
	for _, tc := range []struct {
		name    string
		result  pipeline.Result
		want    []string
		not     []string
		verbose bool
	}{
		{"nothing", pipeline.Result{}, []string{"ended in 0 ms"}, []string{"Stages", "Published", "readers", "note", "VERBOSE", "✗"}, false},
		{"no rehearsal", pipeline.Result{Name: "blog", Status: pipeline.Failed, Error: "SOURCE is x, and there is no such folder"},
			[]string{"\n✗ SOURCE is x, and there is no such folder\n\n✗ blog  failed in 0 ms\n"}, nil, false},
		{"first publish", pipeline.Result{Site: &pipeline.Site{Bucket: "b", Uploaded: 1, Bytes: 1, New: 1, First: true}},
			[]string{"1 object, 1 byte to b", "the first time"}, []string{"changed", "left"}, false},
		{"a reader who got the wrong page, then the right one",
			pipeline.Result{Status: pipeline.Failed, Visits: []pipeline.Visit{
				visit(pipeline.AfterInvalidate, "/日本語/", pipeline.Old, pipeline.New, "Hit"),
				visit(pipeline.AfterInvalidate, "/日本語/", pipeline.New, pipeline.New, "Miss"),
			}},
			[]string{"✗ /日本語/", "old (Hit), wanted new", "✗ Readers did not get what they should\n  /日本語/  after Invalidate  old (Hit), wanted new\n"},
			[]string{"new (Miss)", "✓"}, false},
		{"a reader who knows the whole address",
			pipeline.Result{Status: pipeline.Failed, Visits: []pipeline.Visit{
				{When: pipeline.AfterInvalidate, Path: "/a/", URL: "https://blog.example.com/a/", Status: 200, Cache: "Hit", Edition: pipeline.Old, Wanted: pipeline.New},
			}},
			[]string{"What readers see", "\n  at https://blog.example.com\n  ✗ /a/ ", "\n  https://blog.example.com/a/  after Invalidate  old (Hit), wanted new\n"}, nil, false},
		{"a page that was not there",
			pipeline.Result{Visits: []pipeline.Visit{
				{When: pipeline.AfterInvalidate, Path: "/a/", Status: 200, Cache: "Miss", Edition: pipeline.New},
				{When: pipeline.BeforeDeploy, Path: "/b/", Status: 404, Cache: "Error", Edition: pipeline.Missing},
			}},
			[]string{"before Deploy", "/a/            –                   → new (Miss)\n", "/b/            404 missing (Error) → –\n"}, []string{"after Deploy"}, false},
		{"links that work", pipeline.Result{Links: &pipeline.Links{Followed: 3, Found: 3}}, []string{"  ✓ 3 links of the home page followed\n"}, nil, false},
		{"no links", pipeline.Result{Links: &pipeline.Links{}}, nil, []string{"followed"}, false},
		{"links that do not", pipeline.Result{Links: &pipeline.Links{Followed: 30, Found: 30, Broken: append([]pipeline.BrokenLink{{Link: "/%zz"}, {Link: "/tags/c++/", Status: 404, Built: "tags/c++/index.html"}}, make([]pipeline.BrokenLink, 10)...)}},
			[]string{"  30 links of the home page followed, 12 broken:\n    /%zz (no address)\n    /tags/c++/ (404)\n", "\n    … and 2 more\n"}, []string{"✓"}, false},
		{"many paths", pipeline.Result{Invalidations: []pipeline.Invalidation{{ID: "I", Distribution: "E", Status: "InProgress", Paths: strings.Fields(strings.Repeat("/a ", 1234))}}},
			[]string{"E  I  InProgress  1,234 paths", "… and 1,224 more"}, []string{"InProgress in "}, false},
		{"a permission on several resources", pipeline.Result{Status: pipeline.Succeeded, Permissions: []pipeline.RolePermissions{{Role: "R", Purpose: "action A/B", Actions: []pipeline.Permission{{Action: "a:B", Resource: "arn:1 arn:2"}}}}},
			[]string{"\n  R  action A/B\n    a:B\n      on arn:1\n      on arn:2\n"}, []string{"VERBOSE"}, true},
		{"a role that used everything", pipeline.Result{Status: pipeline.Succeeded, Permissions: []pipeline.RolePermissions{{Role: "R", Actions: []pipeline.Permission{{Action: "a:B", Resource: "*", Used: 1}}}}},
			nil, []string{"Granted", "granted"}, true},
		{"what is only counted", pipeline.Result{Name: "b", Status: pipeline.Succeeded, Notes: []string{"N"}, Warnings: []string{"W"}, Permissions: []pipeline.RolePermissions{{Role: "R", Actions: []pipeline.Permission{{Action: "a:B"}, {Action: "a:C"}}}}},
			[]string{"\nWarnings\n  - W\n\n  1 note on what is not rehearsed, 2 permissions granted and not used: VERBOSE=1 shows them\n✓ b  succeeded in 0 ms\n"}, []string{"- N", "a:B"}, false},
		{"permissions of a pipeline that has failed", pipeline.Result{Status: pipeline.Failed, Permissions: []pipeline.RolePermissions{{Role: "R", Actions: []pipeline.Permission{{Action: "a:B"}}}}},
			nil, []string{"ranted", "a:B"}, true},
		{"preparation", pipeline.Result{Name: "b", Status: pipeline.Succeeded, Duration: 2 * sec, Preparation: 3 * time.Minute},
			[]string{"\n✓ b  succeeded in 2.0 s, after 3 min of preparation\n"}, nil, false},
		{"a stage that failed without an action", pipeline.Result{Status: pipeline.Failed, Stages: []pipeline.StageResult{{Name: "Build", Status: pipeline.Failed}}},
			[]string{"\n✗ Build  failed\n"}, nil, false},
		{"a code within the reason, on two lines", pipeline.Result{Status: pipeline.Failed, Stages: []pipeline.StageResult{{Name: "Deploy", Status: pipeline.Failed, Actions: []pipeline.ActionResult{
			{Name: "S3", Status: pipeline.Failed, Code: "AccessDenied", Reason: "AccessDenied: no\r\nPolicy: p", Look: "stacks/deploy.go"}}}}},
			[]string{"\n✗ Deploy  S3  failed\n  AccessDenied: no\n  Policy: p\n  Look at stacks/deploy.go\n"}, nil, false},
		{"what a build said of its failure", pipeline.Result{Name: "b", Status: pipeline.Failed, Stages: []pipeline.StageResult{{Name: "Build", Status: pipeline.Failed, Actions: []pipeline.ActionResult{
			{Name: "Hugo", Status: pipeline.Failed, Code: "JobFailed", Reason: "Build terminated", Cause: "Error: no theme\nERROR: hugo failed", Look: "L"}}}}},
			[]string{"\n✗ Build  Hugo  failed\n  Error: no theme\n  ERROR: hugo failed\n  JobFailed: Build terminated\n  Look at L\n\n✗ b  failed in 0 ms\n"}, nil, false},
		{"cancelled", pipeline.Result{Status: pipeline.Stopped, Duration: sec, Stages: []pipeline.StageResult{{Name: "Build", Status: pipeline.Stopped, Actions: []pipeline.ActionResult{{Name: "Hugo", Status: pipeline.Stopped}}}}},
			[]string{"stopped after 1.0 s", "\n■ Build  Hugo  stopped\n"}, nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := render(summary(tc.result, 0, tc.verbose), false, "\n")
			for _, want := range tc.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is missing in\n%s", want, got)
				}
			}
			for _, not := range tc.not {
				if strings.Contains(got, not) {
					t.Errorf("%q is in\n%s", not, got)
				}
			}
		})
	}
}

// Names and output are other people's: nothing in them may reach the terminal as a command.
func TestHostileText(t *testing.T) {
	hostile := "a\x1b[2Jb\x1b]0;title\x07c\x1bPq\x1b\\d\u009b31me\x00\x07\u202ef\xffg\x1b"
	synctest.Test(t, func(t *testing.T) {
		vt := newTerminal(t, 80, 24)
		var out bytes.Buffer
		for _, d := range []*Display{New(vt, Options{Terminal: true, Width: 80, Height: 24, Verbose: true}), New(&out, Options{Verbose: true})} {
			r := pipeline.Result{Name: hostile, Stack: hostile, Account: hostile, Region: hostile, Execution: hostile, Status: pipeline.Failed}
			a := pipeline.ActionResult{Name: hostile, Provider: hostile, Target: hostile, Status: pipeline.Failed, Summary: hostile, Code: hostile, Reason: hostile + "\n" + hostile, Look: hostile}
			r.Stages = []pipeline.StageResult{{Name: hostile, Status: pipeline.Failed, Actions: []pipeline.ActionResult{a, {Name: "other", Status: pipeline.Status(hostile), Summary: hostile}}}}
			r.Site = &pipeline.Site{Bucket: hostile, CacheControl: hostile}
			r.Invalidations = []pipeline.Invalidation{{ID: hostile, Distribution: hostile, Status: hostile, Paths: []string{hostile, hostile}}}
			v := pipeline.Visit{When: pipeline.When(hostile), Path: hostile, Cache: hostile, Edition: pipeline.Edition(hostile), Wanted: pipeline.Edition("x" + hostile)}
			whole := v
			whole.URL = hostile + hostile
			r.Visits = []pipeline.Visit{whole, v}
			r.Permissions = []pipeline.RolePermissions{{Role: hostile, Purpose: hostile, Actions: []pipeline.Permission{{Action: hostile, Resource: hostile}}}}
			r.Notes, r.Warnings = []string{hostile}, []string{hostile}
			for _, kind := range kinds {
				d.Event(pipeline.Event{Kind: kind, Stage: hostile, Action: hostile, Phase: hostile, Text: hostile, Served: pipeline.Served{URL: hostile, SecureURL: hostile, Names: []string{hostile}}, Visit: &whole, Result: &r, ActionResult: &a, StageResult: &r.Stages[0]})
				time.Sleep(frameTime)
			}
			d.Result(r)
			d.Close()
		}
		if i := strings.IndexFunc(out.String(), func(r rune) bool {
			return unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Bidi_Control, r)
		}); i >= 0 {
			t.Errorf("plain lines contain a control character: %.40q", out.String()[i:])
		}
		// The terminal checks what it gets.
	})
}

func TestJSON(t *testing.T) {
	_, want := success()
	var out bytes.Buffer
	if err := JSON(&out, want); err != nil {
		t.Fatal(err)
	}
	var got pipeline.Result
	decoder := json.NewDecoder(&out)
	if err := decoder.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if decoder.More() {
		t.Error("JSON writes more than one document")
	}
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		// Pointers are compared by what they point to.
		got.Site, want.Site = nil, nil
		if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
			t.Errorf("got\n%s\nwant\n%s", g, w)
		}
	}

	out.Reset()
	if err := JSON(&out, pipeline.Result{Name: "a&b", Stages: []pipeline.StageResult{{}}}); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.Contains(s, "null") || !strings.Contains(s, "a&b") {
		t.Errorf("an empty result has null in place of [], or an escaped name:\n%s", s)
	}
	if err := JSON(failing{}, pipeline.Result{}); err == nil {
		t.Error("an error of the writer is not returned")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestDetect(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	if got := Detect(w, func(string) string { return "" }); got.Terminal || got.Color {
		t.Errorf("a pipe is taken for a terminal: %+v", got)
	}
	for _, tc := range []struct {
		name, key, value string
		want             bool
	}{
		{"as usual", "TERM", "xterm-256color", true},
		{"TERM=dumb", "TERM", "dumb", false},
		{"CI", "CI", "true", false},
		{"CI=false", "CI", "false", true},
		{"NO_COLOR alone", "NO_COLOR", "1", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := wantsBlock(func(key string) string {
				if key == tc.key {
					return tc.value
				}
				return ""
			})
			if got != tc.want {
				t.Errorf("got %t, want %t", got, tc.want)
			}
		})
	}
}

var kinds = []pipeline.Kind{
	pipeline.Started, pipeline.Preparing, pipeline.StageStarted, pipeline.StageEnded, pipeline.ActionStarted,
	pipeline.ActionEnded, pipeline.Output, pipeline.Progressed, pipeline.Visited, pipeline.Noted,
	pipeline.Serving, pipeline.Ended, "Unheard",
}

func TestFromManyGoroutines(t *testing.T) {
	for _, isTerminal := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			d := New(newTerminal(t, 60, 10), Options{Terminal: isTerminal, Width: 60, Height: 10})
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					moments, r := success()
					play(d, moments)
					d.Result(r)
				})
			}
			all.Go(func() { time.Sleep(9 * sec); d.Close() })
			all.Wait()
			d.Close()
		})
	}
}

// FuzzEvents plays events in any order, with anything missing.
func FuzzEvents(f *testing.F) {
	f.Add([]byte{0, 0, 2, 0, 4, 8, 6, 9, 7, 200, 5, 1, 3, 255, 11, 0}, uint8(80), uint8(24))
	f.Add([]byte{5, 0, 3, 1, 4, 2, 4, 2, 11, 3, 2, 9, 8, 8, 10, 1, 1, 1}, uint8(3), uint8(2))
	f.Fuzz(func(t *testing.T, events []byte, width, height uint8) {
		events = events[:min(len(events), 200)]
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			w, h := max(2, int(width)), max(1, int(height))
			displays := []*Display{
				New(newTerminal(t, w, h), Options{Terminal: true, Width: w, Height: h, Color: width%2 == 0, Verbose: height%2 == 0}),
				New(&out, Options{}),
			}
			for ; len(events) >= 2; events = events[2:] {
				b := int(events[1])
				e := pipeline.Event{
					Kind: kinds[int(events[0])%len(kinds)], At: time.Now().Add(time.Duration(b-128) * sec),
					Stage: []string{"", "Source", "Build", "デプロイ"}[b%4], Action: []string{"", "A", "ふたつめ"}[b%3],
					Text: strings.Repeat("進捗 x", b%20), Done: b - 50, Total: b%7*10 - 10, Bytes: int64(b-100) * 1e5,
				}
				if b%2 == 0 {
					e.Result, e.Visit = plan(), &pipeline.Visit{Path: "/あ/", Edition: pipeline.Old, Wanted: pipeline.New}
					e.StageResult = &pipeline.StageResult{Status: pipeline.Status([]string{"Failed", "Succeeded", "", "InProgress"}[b/2%4]), Duration: time.Duration(b-99) * sec, Actions: []pipeline.ActionResult{{Name: "A"}}}
					e.ActionResult = &pipeline.ActionResult{Status: e.StageResult.Status, Reason: strings.Repeat("なぜ\n", b%5)}
				}
				for _, d := range displays {
					d.Event(e)
				}
				time.Sleep(time.Duration(b) * ms)
			}
			for _, d := range displays {
				d.Result(pipeline.Result{})
				d.Close()
				d.Close()
				d.Event(pipeline.Event{Kind: pipeline.Preparing, Text: "too late"})
			}
		})
	})
}
