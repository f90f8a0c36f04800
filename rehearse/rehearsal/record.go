// Package rehearsal defines what a rehearsal tells: events while it runs, and its [Result]. A [Record] makes both.
package rehearsal

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Record keeps the result of a rehearsal that runs, and tells each step of it. Several goroutines may use it.
type Record struct {
	mu     sync.Mutex // for result, and so that one event is told at a time
	tell   func(Event)
	result *Result // is replaced, never changed: events point to it
}

// Begin starts the record of a rehearsal, and tells Started.
func Begin(planned Result, tell func(Event)) *Record {
	planned.Started = time.Now()
	r := &Record{tell: tell, result: &planned}
	r.Tell(Event{Kind: Started})
	return r
}

// Result returns the result so far.
func (r *Record) Result() Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return *r.result
}

// Change changes the result.
func (r *Record) Change(change func(*Result)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.change(change)
}

func (r *Record) change(change func(*Result)) {
	result := *r.result
	result.Stages = slices.Clone(result.Stages)
	for i := range result.Stages {
		result.Stages[i].Actions = slices.Clone(result.Stages[i].Actions)
	}
	result.Faults = slices.Clone(result.Faults)
	for i := range result.Faults {
		result.Faults[i].Strikes = slices.Clone(result.Faults[i].Strikes)
	}
	// Changes only append to these lists. Without spare capacity, an append makes a copy.
	result.Visits, result.Warnings, result.Notes = slices.Clip(result.Visits), slices.Clip(result.Warnings), slices.Clip(result.Notes)
	change(&result)
	r.result = &result
}

// Tell tells an event that changes nothing.
func (r *Record) Tell(e Event) { r.tellOf(e, nil) }

// tellOf changes the result, and tells the event about it.
func (r *Record) tellOf(e Event, change func(*Result)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if change != nil {
		r.change(change)
	}
	r.send(e)
}

func (r *Record) send(e Event) {
	e.At, e.Result = time.Now(), r.result
	r.tell(e)
}

// Preparing tells what is being made ready.
func (r *Record) Preparing(format string, args ...any) {
	r.Tell(Event{Kind: Preparing, Text: fmt.Sprintf(format, args...)})
}

// Note tells the owner, once, where the rehearsal knows or does less than AWS.
func (r *Record) Note(format string, args ...any) {
	r.remark(Noted, func(result *Result) *[]string { return &result.Notes }, format, args)
}

// Warn tells the owner, once, what to look at although nothing failed.
func (r *Record) Warn(format string, args ...any) {
	r.remark(Warned, func(result *Result) *[]string { return &result.Warnings }, format, args)
}

func (r *Record) remark(kind Kind, list func(*Result) *[]string, format string, args []any) {
	text := fmt.Sprintf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(*list(r.result), text) {
		return
	}
	r.change(func(result *Result) {
		remarks := list(result)
		*remarks = append(*remarks, text)
	})
	r.send(Event{Kind: kind, Text: text})
}

// Struck tells that a fault of the result strikes something while an action runs.
func (r *Record) Struck(fault, on string) {
	stage, action := r.Running()
	r.mu.Lock()
	defer r.mu.Unlock()
	text := fault + " strikes " + on
	r.change(func(result *Result) {
		i := slices.IndexFunc(result.Faults, func(f Fault) bool { return f.Name == fault })
		if times := result.Faults[i].add(Strike{Stage: stage, Action: action, On: on}); times > 1 {
			text += fmt.Sprintf(" (%d times)", times)
		}
	})
	r.send(Event{Kind: Struck, Stage: stage, Action: action, Text: text})
}

// Visited tells of a reader's visit.
func (r *Record) Visited(v Visit) {
	r.tellOf(Event{Kind: Visited}, func(result *Result) { result.Visits = append(result.Visits, v) })
}

// StartStage says that a stage has started.
func (r *Record) StartStage(name string) {
	r.tellOf(Event{Kind: StageStarted, Stage: name}, func(result *Result) {
		stage := result.Stage(name)
		stage.Status, stage.Started = InProgress, time.Now()
	})
}

// EndStage says how a stage ended.
func (r *Record) EndStage(name string, status Status, took time.Duration) {
	r.tellOf(Event{Kind: StageEnded, Stage: name}, func(result *Result) {
		stage := result.Stage(name)
		stage.Status, stage.Duration = status, took
	})
}

// StartAction says that an action has started.
func (r *Record) StartAction(stage, name string) {
	r.tellOf(Event{Kind: ActionStarted, Stage: stage, Action: name}, func(result *Result) {
		action := result.Stage(stage).Action(name)
		action.Status, action.Started = InProgress, time.Now()
	})
}

// EndAction says how an action ended.
func (r *Record) EndAction(stage string, ended Action) {
	r.tellOf(Event{Kind: ActionEnded, Stage: stage, Action: ended.Name}, func(result *Result) {
		action := result.Stage(stage).Action(ended.Name)
		ended.Started = action.Started
		*action = ended
	})
}

// Running returns the stage and the action that runs; "" if none does.
func (r *Record) Running() (stage, action string) {
	for _, s := range r.Result().Stages {
		for _, a := range s.Actions {
			if a.Status == InProgress {
				return s.Name, a.Name
			}
		}
	}
	return "", ""
}

// End completes the result, and tells Ended.
func (r *Record) End(complete func(*Result)) Result {
	r.tellOf(Event{Kind: Ended}, func(result *Result) {
		complete(result)
		result.Duration = time.Since(result.Started) - result.Preparation
	})
	return r.Result()
}

// Prepare counts the time until done is called as preparation.
func (r *Record) Prepare() (done func()) {
	began := time.Now()
	return func() {
		r.Change(func(result *Result) { result.Preparation += time.Since(began) })
	}
}

// Stopwatch measures time, without what counts as preparation.
func (r *Record) Stopwatch() (elapsed func() time.Duration) {
	began, before := time.Now(), r.Result().Preparation
	return func() time.Duration { return time.Since(began) - (r.Result().Preparation - before) }
}

// Watch tells the event of a step that takes long, after two seconds and then each second until stop is called.
// size returns the number of bytes that are done; it may be nil.
func (r *Record) Watch(step Event, size func() int64) (stop func()) {
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for next := time.After(2 * time.Second); ; next = time.After(time.Second) {
			select {
			case <-done:
				return
			case <-next:
			}
			if size != nil {
				step.Bytes = size()
			}
			step.Kind = Progressed
			r.Tell(step)
		}
	})
	return func() { close(done); watching.Wait() }
}
