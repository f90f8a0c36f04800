package rehearsal

import (
	"fmt"
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
