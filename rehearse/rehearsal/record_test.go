package rehearsal

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheResultOfAnEventDoesNotChange(t *testing.T) {
	var told []Event
	r := Begin(Result{Stages: []Stage{{Name: "S", Status: NotRun, Actions: []Action{{Name: "A", Status: NotRun}}}}}, func(e Event) { told = append(told, e) })
	r.StartStage("S")
	r.StartAction("S", "A")
	r.Warn("W")
	r.Visited(Visit{Path: "/"})
	r.EndAction("S", Action{Name: "A", Status: Succeeded})
	r.EndStage("S", Succeeded, time.Second)
	r.Warn("W")
	r.Warn("X")
	var got []string
	for _, e := range told {
		s := e.Result.Stages[0]
		got = append(got, fmt.Sprintf("%s %s %s %d %d", e.Kind, s.Status, s.Actions[0].Status, len(e.Result.Warnings), len(e.Result.Visits)))
	}
	want := []string{
		"Started NotRun NotRun 0 0", "StageStarted InProgress NotRun 0 0", "ActionStarted InProgress InProgress 0 0", "Warned InProgress InProgress 1 0",
		"Visited InProgress InProgress 1 1", "ActionEnded InProgress Succeeded 1 1", "StageEnded Succeeded Succeeded 1 1", "Warned Succeeded Succeeded 2 1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestStrikesOfAFaultAreCounted(t *testing.T) {
	var told []Event
	r := Begin(Result{
		Faults: []Fault{{Name: "lambda=crash"}, {Name: "build=fail"}},
		Stages: []Stage{{Name: "S", Actions: []Action{{Name: "A"}}}, {Name: "T", Actions: []Action{{Name: "B"}}}},
	}, func(e Event) { told = append(told, e) })
	r.StartAction("S", "A")
	r.Struck("lambda=crash", "call")
	r.Struck("lambda=crash", "call")
	r.EndAction("S", Action{Name: "A", Status: Succeeded})
	r.StartAction("T", "B")
	r.Struck("lambda=crash", "call")
	r.Struck("lambda=crash", "other")
	want := []Fault{{Name: "lambda=crash", Strikes: []Strike{{"S", "A", "call", 2}, {"T", "B", "call", 1}, {"T", "B", "other", 1}}}, {Name: "build=fail"}}
	if got := r.Result().Faults; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if again := told[3]; again.Text != "lambda=crash strikes call (2 times)" {
		t.Errorf("a second strike is told as %q", again.Text)
	}
	last := told[len(told)-1]
	if last.Kind != Struck || last.Stage != "T" || last.Action != "B" || last.Text != "lambda=crash strikes other" {
		t.Errorf("the last event is %+v", last)
	}
	if before := told[3].Result.Faults[0].Strikes; len(before) != 1 || before[0].Times != 2 {
		t.Errorf("the result of an earlier event has become %+v", before)
	}
}

func TestTheStopwatchStopsWhilePreparing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Begin(Result{}, func(Event) {})
		elapsed := r.Stopwatch()
		time.Sleep(time.Second)
		readied := r.Prepare()
		time.Sleep(time.Minute)
		readied()
		time.Sleep(time.Second)
		if got := elapsed(); got != 2*time.Second || r.Result().Preparation != time.Minute {
			t.Errorf("got %v, and %v of preparation, want 2s and 1m", got, r.Result().Preparation)
		}
	})
}

func TestALongStepIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []Event
		r := Begin(Result{}, func(e Event) { told = append(told, e) })
		told = nil
		r.Watch(Event{Text: "short"}, nil)()
		stop := r.Watch(Event{Stage: "Source", Action: "GitHub", Phase: "P", Text: "long"}, func() int64 { return int64(len(told) + 1) })
		time.Sleep(4*time.Second + time.Millisecond)
		stop()
		if len(told) != 3 || told[2].Text != "long" || told[2].Bytes != 3 || told[2].Stage != "Source" || told[2].Action != "GitHub" || told[2].Phase != "P" {
			t.Errorf("told is %+v", told)
		}
	})
}
