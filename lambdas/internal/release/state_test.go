package release

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

var (
	now  = time.Date(2026, 11, 27, 1, 30, 0, 0, time.UTC)
	soon = now.Add(time.Minute)
	late = soon.Add(time.Second) // after a lease until soon
)

func TestClaim(t *testing.T) {
	one, two := Holder{"one", "a"}, Holder{"two", "b"}
	oneAgain := Holder{"one", "c"}
	claimed := func(h Holder) State {
		state := State{Number: 4}
		if err := state.Claim(h, now, soon); err != nil {
			t.Fatal(err)
		}
		return state
	}
	left := func(until time.Time) State {
		state := claimed(one)
		state.Leave(one, until)
		return state
	}
	for _, tt := range []struct {
		name  string
		state State
		by    Holder
		at    time.Time
		want  error // a *Busy of any content is one of the other job
		past  string
	}{
		{name: "nobody has it", state: State{}, by: one, at: now},
		{name: "it has it already", state: claimed(one), by: one, at: now},
		{name: "it was slow, and nobody else came", state: claimed(one), by: one, at: late},
		{name: "another job has it", state: claimed(one), by: two, at: now, want: &Busy{}},
		{name: "another job had it", state: claimed(one), by: two, at: late, past: "one"},
		{name: "the same job, delivered twice", state: claimed(one), by: oneAgain, at: now, want: &Busy{}},
		{name: "the same job, after a crash", state: claimed(one), by: oneAgain, at: late},
		{name: "the same job goes on", state: left(soon), by: oneAgain, at: now},
		{name: "another job, while the first one pauses", state: left(soon), by: two, at: now, want: &Busy{}},
		{name: "another job, while the first one pauses for too long", state: left(soon), by: two, at: late, past: "one"},
		{name: "another job, after the first one has failed", state: left(time.Time{}), by: two, at: now, past: "one"},
		{name: "a job that has published", state: State{Past: []Past{{"one", "r"}, {"two", ""}}}, by: one, at: now, want: ErrFinished, past: "one two"},
		{name: "a job that another one has followed", state: State{Past: []Past{{"one", ""}, {"two", "r"}}}, by: one, at: now, want: ErrOvertaken, past: "one two"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			state := tt.state
			before := fmt.Sprintf("%+v", state)
			err := state.Claim(tt.by, tt.at, tt.at.Add(time.Minute))
			if busy := (*Busy)(nil); errors.As(err, &busy) {
				err = &Busy{}
				if busy.Job != tt.state.Job || !busy.Until.Equal(soon) {
					t.Errorf("busy with %+v, want %s until %v", busy, tt.state.Job, soon)
				}
			}
			if fmt.Sprintf("%T %v", err, err) != fmt.Sprintf("%T %v", tt.want, tt.want) {
				t.Fatalf("error is %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				if after := fmt.Sprintf("%+v", state); after != before {
					t.Errorf("a refusal changes the state from %s to %s", before, after)
				}
				return
			}
			if state.Job != tt.by.Job || state.Run != tt.by.Run || !state.Until.Equal(tt.at.Add(time.Minute)) {
				t.Errorf("the lease is %s, %s until %v", state.Job, state.Run, state.Until)
			}
			kept := tt.state.Job == tt.by.Job
			if !IsID(state.Target) || kept != (state.Target == tt.state.Target) {
				t.Errorf("target is %q, and was %q", state.Target, tt.state.Target)
			}
			if got := jobs(state); got != tt.past {
				t.Errorf("past has %q, want %q", got, tt.past)
			}
		})
	}
}

func jobs(s State) (text string) {
	for i, past := range s.Past {
		if i > 0 {
			text += " "
		}
		text += past.Job
	}
	return text
}

// The state forgets old jobs.
func TestPastIsBounded(t *testing.T) {
	var state State
	for n := range 3 * maxPast {
		h := Holder{fmt.Sprint(n), "run"}
		if err := errors.Join(state.Claim(h, now, soon), state.Commit(h, true, nil)); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := state.Finished(fmt.Sprint(2 * maxPast)); len(state.Past) != maxPast || !ok {
		t.Errorf("%d jobs are remembered: %+v", len(state.Past), state.Past)
	}
	if _, ok := state.Finished(fmt.Sprint(2*maxPast - 1)); ok {
		t.Error("an old job is remembered")
	}
}

// A publication from its claim to what an invalidation leaves of it.
func TestPublicationAndInvalidation(t *testing.T) {
	h := Holder{"job", "run"}
	state := State{
		Number: 4, Current: "20261101-000000-00000000",
		Touched: map[string]int64{"old": 4, "both": 3}, Retired: map[string]time.Time{"gone.png": now, "back.png": now},
	}
	step := func(name string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	step("claim", state.Claim(h, now, soon))
	target := state.Target
	intent := Intent{Touched: []string{"both", "new.html", "back.png"}, New: []string{"new.html", "back.png"}}
	for range 2 { // as Update may
		step("intend", state.Intend(h, intent))
	}
	if want := map[string]int64{"old": 4, "both": 5, "new.html": 5, "back.png": 5}; !maps.Equal(state.Touched, want) || state.Number != 4 {
		t.Errorf("touched are %v, want %v", state.Touched, want)
	}
	if want := map[string]time.Time{"gone.png": now, "back.png": {}, "new.html": {}}; !maps.Equal(state.Retired, want) {
		t.Errorf("retired are %v, want %v", state.Retired, want)
	}

	// The invalidation after the publication before is completed meanwhile.
	state.Clear(4)
	if want := []string{"back.png", "both", "new.html"}; !slices.Equal(slices.Sorted(maps.Keys(state.Touched)), want) {
		t.Errorf("touched are %v, want %v", state.Touched, want)
	}

	retired := map[string]time.Time{"gone.png": now}
	for range 2 {
		step("commit", state.Commit(h, true, retired))
	}
	if release, ok := state.Finished("job"); !ok || release != target || state.Current != target || state.Number != 5 || state.Job+state.Run+state.Target != "" || !state.Until.IsZero() {
		t.Errorf("after the commit: %+v, want %s as the fifth", state, target)
	}
	if !maps.Equal(state.Retired, retired) {
		t.Errorf("retired are %v, want %v", state.Retired, retired)
	}

	state.Clear(6) // by an invalidation of a state that was lost
	if len(state.Touched) != 3 {
		t.Errorf("touched are %v, want those of the publication", state.Touched)
	}
	state.Clear(5)
	if len(state.Touched) != 0 {
		t.Errorf("touched are %v, want none", state.Touched)
	}
}

// A publication of nothing leaves the release as it is, and is a publication.
func TestPublicationOfNothing(t *testing.T) {
	h := Holder{"job", "run"}
	state := State{Number: 4, Current: "r", Touched: map[string]int64{"of a crash": 5}}
	if err := errors.Join(state.Claim(h, now, soon), state.Commit(h, false, nil)); err != nil {
		t.Fatal(err)
	}
	release, ok := state.Finished("job")
	if state.Clear(state.Number); !ok || release != "r" || state.Current != "r" || state.Number != 5 || len(state.Touched) != 0 {
		t.Errorf("state is %+v", state)
	}
}

// Whoever has lost the lease changes nothing.
func TestWithoutTheLease(t *testing.T) {
	for name, change := range map[string]func(*State, Holder) error{
		"intend":   func(s *State, h Holder) error { return s.Intend(h, Intent{Touched: []string{"a"}, Everything: true}) },
		"commit":   func(s *State, h Holder) error { return s.Commit(h, true, nil) },
		"progress": func(s *State, h Holder) error { return s.Progress(h, "r", []string{"a"}) },
		"leave": func(s *State, h Holder) error {
			s.Leave(h, time.Time{})
			return ErrLeaseLost
		},
	} {
		for _, h := range []Holder{{"one", "other run"}, {"other job", "a"}} {
			state := State{}
			if err := state.Claim(Holder{"one", "a"}, now, soon); err != nil {
				t.Fatal(err)
			}
			before, _ := json.Marshal(state)
			err := change(&state, h)
			if after, _ := json.Marshal(state); !errors.Is(err, ErrLeaseLost) || string(after) != string(before) {
				t.Errorf("%s by %v: %v, and the state is %s, want %s", name, h, err, after, before)
			}
		}
	}
}

// Everything is cleared if the memory is lost, or if too much has changed to be listed.
func TestClearAll(t *testing.T) {
	h := Holder{"job", "run"}
	many := Intent{}
	for n := range maxTouched + 1 {
		many.Touched = append(many.Touched, fmt.Sprint(n))
	}
	for name, intent := range map[string]Intent{"no manifest": {Everything: true}, "many": many} {
		state := State{Number: 4}
		if err := errors.Join(state.Claim(h, now, soon), state.Intend(h, intent)); err != nil {
			t.Fatal(err)
		}
		if len(state.Touched) != len(intent.Touched) {
			t.Errorf("%s: before the commit %d keys are touched, want %d", name, len(state.Touched), len(intent.Touched))
		}
		state.Clear(4)
		if err := state.Commit(h, true, nil); err != nil || state.ClearAll != 5 || len(state.Touched) != 0 {
			t.Errorf("%s: %v, clears all since %d, and %d keys", name, err, state.ClearAll, len(state.Touched))
		}
		if state.Clear(5); state.ClearAll != 0 {
			t.Errorf("%s: clears all since %d, after that was done", name, state.ClearAll)
		}
	}
}

// A job that runs out of time leaves what it came to as a release, and goes on.
func TestProgress(t *testing.T) {
	h := Holder{"job", "run"}
	state := State{Number: 4}
	if err := errors.Join(state.Claim(h, now, soon), state.Intend(h, Intent{Touched: []string{"a", "b"}, New: []string{"a", "b"}})); err != nil {
		t.Fatal(err)
	}
	target := state.Target
	for range 2 {
		if err := state.Progress(h, "part", []string{"b"}); err != nil {
			t.Fatal(err)
		}
	}
	if want := map[string]int64{"a": 5, "b": 6}; state.Number != 5 || state.Current != "part" || state.Target != target || !maps.Equal(state.Touched, want) || len(state.Retired) != 2 {
		t.Errorf("state is %+v, want the part as the fifth", state)
	}
	if _, ok := state.Finished("job"); ok || state.Job != "job" {
		t.Error("the job is over")
	}
}

// What is stored is read as the same.
func TestStateAsText(t *testing.T) {
	want := State{
		Number: 7, Current: "20261127-013000-1a2b3c4d", Job: "j", Run: "r", Until: soon, Target: "20261127-013001-1a2b3c4d",
		Past: []Past{{"i", "20261127-013000-1a2b3c4d"}, {"h", ""}}, Touched: map[string]int64{"日本 \"<&>\\/index.html": 8}, ClearAll: 7,
		Retired: map[string]time.Time{"a": now, "b": {}},
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeState(text, `"e"`)
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(got)
	if err != nil || string(again) != string(text) || fmt.Sprintf("%+v", got.Retired) != fmt.Sprintf("%+v", want.Retired) {
		t.Errorf("%s becomes %s, %v", text, again, err)
	}
	if empty, _ := json.Marshal(State{}); string(empty) != `{"number":0}` {
		t.Errorf("nothing is stored as %s", empty)
	}
}
