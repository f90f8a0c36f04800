package show

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

func TestJSONHasTheWholeResult(t *testing.T) {
	_, want := stricken()
	var out bytes.Buffer
	if err := JSON(&out, want); err != nil {
		t.Fatal(err)
	}
	var got rehearsal.Result
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
	if err := JSON(&out, rehearsal.Result{Name: "a&b", Faults: []rehearsal.Fault{{}}, Stages: []rehearsal.Stage{{}}, Rollback: &rehearsal.Rollback{}}); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.Contains(s, "null") || !strings.Contains(s, "a&b") {
		t.Errorf("an empty result has null in place of [], or an escaped name:\n%s", s)
	}
	if err := JSON(failing{}, rehearsal.Result{}); err == nil {
		t.Error("an error of the writer is not returned")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }

// Names and output are somebody else's: nothing in them may reach the terminal as a command.
func TestHostileTextCommandsNoTerminal(t *testing.T) {
	hostile := "a\x1b[2Jb\x1b]0;title\x07c\x1bPq\x1b\\d\u009b31me\x00\x07\u202ef\xffg\x1b"
	synctest.Test(t, func(t *testing.T) {
		vt := newTerminal(t, 80, 24)
		var out bytes.Buffer
		for _, d := range []*Display{New(vt, Options{Terminal: true, Width: 80, Height: 24, Verbose: true}), New(&out, Options{Verbose: true})} {
			r := rehearsal.Result{Name: hostile, Stack: hostile, Account: hostile, Region: hostile, Execution: hostile, Status: rehearsal.Failed}
			a := rehearsal.Action{Name: hostile, Provider: hostile, Target: hostile, Status: rehearsal.Failed, Summary: hostile, Failure: rehearsal.Failure{Code: hostile, Reason: hostile + "\n" + hostile, Look: hostile}}
			r.Faults = []rehearsal.Fault{{Name: hostile, Effect: hostile, Strikes: []rehearsal.Strike{{Stage: hostile, Action: hostile, On: hostile}}}}
			r.Stages = []rehearsal.Stage{{Name: hostile, Status: rehearsal.Failed, Actions: []rehearsal.Action{a, {Name: "other", Status: rehearsal.Status(hostile), Summary: hostile}}}}
			r.Site = &rehearsal.Site{Bucket: hostile, CacheControl: hostile}
			r.Invalidations = []rehearsal.Invalidation{{ID: hostile, Distribution: hostile, Status: hostile, Paths: []string{hostile, hostile}}}
			v := rehearsal.Visit{When: rehearsal.When(hostile), Path: hostile, Cache: hostile, Edition: rehearsal.Edition(hostile), Wanted: rehearsal.Edition("x" + hostile)}
			whole := v
			whole.URL = hostile + hostile
			r.Visits = []rehearsal.Visit{whole, v}
			r.Permissions = []rehearsal.RolePermissions{{Role: hostile, Purpose: hostile, Actions: []rehearsal.Permission{{Action: hostile, Resource: hostile}}}}
			r.Served = &rehearsal.Served{URL: hostile, SecureURL: hostile, Names: []string{hostile}}
			r.Rollback = &rehearsal.Rollback{From: hostile, To: hostile, Releases: []string{hostile}, Said: []string{hostile}}
			r.Notes, r.Warnings = []string{hostile}, []string{hostile}
			for _, kind := range kinds {
				d.Event(rehearsal.Event{Kind: kind, Stage: hostile, Action: hostile, Phase: hostile, Text: hostile, Result: &r})
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

func TestNothingIsShownAfterClose(t *testing.T) {
	var out bytes.Buffer
	d := New(&out, Options{})
	d.Close()
	d.Event(rehearsal.Event{Kind: rehearsal.Preparing, Text: "too late"})
	d.Close()
	if out.Len() > 0 {
		t.Errorf("got %q after Close", &out)
	}
}

var kinds = []rehearsal.Kind{
	rehearsal.Started, rehearsal.Preparing, rehearsal.StageStarted, rehearsal.StageEnded, rehearsal.ActionStarted,
	rehearsal.ActionEnded, rehearsal.Asked, rehearsal.Output, rehearsal.Progressed, rehearsal.Struck, rehearsal.Visited, rehearsal.Noted, rehearsal.Warned,
	rehearsal.Serving, rehearsal.Ended, "Unknown",
}

func TestADisplayServesManyGoroutines(t *testing.T) {
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

// FuzzEvents shows events in any order, with results that contradict each other.
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
				e := rehearsal.Event{
					Kind: kinds[int(events[0])%len(kinds)], At: time.Now().Add(time.Duration(b-128) * sec),
					Stage: []string{"", "Source", "Build", "デプロイ"}[b%4], Action: []string{"", "GitHub", "ふたつめ"}[b%3],
					Text: strings.Repeat("進捗 x", b%20), Done: b - 50, Total: b%7*10 - 10, Bytes: int64(b-100) * 1e5,
				}
				if b%2 == 0 {
					r := plan()
					r.Visits = []rehearsal.Visit{{Path: "/あ/", Edition: rehearsal.Old, Wanted: rehearsal.New}}
					r.Warnings = make([]string, b%3)
					if b%8 == 0 {
						r.Served = &rehearsal.Served{URL: "http://127.0.0.1:8080"}
					}
					st := &r.Stages[b/4%4]
					st.Status, st.Started, st.Duration = rehearsal.Status([]string{"Failed", "Succeeded", "", "InProgress"}[b/2%4]), e.At, time.Duration(b-99)*sec
					st.Actions[0].Status, st.Actions[0].Reason = st.Status, strings.Repeat("なぜ\n", b%5)
					r.Stages = r.Stages[:4-b%3]
					e.Result = &r
				}
				for _, d := range displays {
					d.Event(e)
				}
				time.Sleep(time.Duration(b) * ms)
			}
			for _, d := range displays {
				d.Result(rehearsal.Result{})
				d.Close()
				d.Close()
				d.Event(rehearsal.Event{Kind: rehearsal.Preparing, Text: "too late"})
			}
		})
	})
}
