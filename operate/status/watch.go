package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

const (
	// lookEvery is the time between two looks. CodePipeline allows 20 of them a second in an account.
	lookEvery = 3 * time.Second
	// ownWithin is how long before the watch an execution may have begun to be that of the commit which the owner has just
	// pushed. It begins some seconds after the push.
	ownWithin = time.Minute
	// laterWithin is how long the watch waits for a newer execution after an older one has ended.
	laterWithin = 30 * time.Second
	// beginsWithin is how long the watch waits for an execution to begin.
	beginsWithin = 2 * time.Minute
	// maxMisses limits the looks in a row that fail. The SDK has tried each of them three times.
	maxMisses = 5
)

// Watcher follows a pipeline until its execution ends.
type Watcher struct {
	Client CodePipeline
	Name   string
	// Tell gets a line for each change.
	Tell func(line string)
	// Now and Sleep stand for the clock. Required.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// Watch follows the newest execution, and waits for one to begin if the newest is older than the owner's push can be. It
// returns an error unless the execution succeeds.
func (w Watcher) Watch(ctx context.Context) error {
	began := w.Now()
	var before Status
	var followed string
	var over time.Time // when the watch has first seen the end of the execution
	for misses := 0; ; {
		s, err := Read(ctx, w.Client, w.Name)
		if err != nil {
			if misses++; misses == maxMisses || followed == "" || ctx.Err() != nil {
				return err
			}
			w.say("%v: trying again", err)
		} else {
			misses = 0
			w.changes(before, s, &followed, began)
			before = s
			// An execution that is superseded makes room for a newer one, which the next look finds.
			if e := s.Newest; e == nil || e.ID != followed || e.Running() || e.Status == string(types.PipelineExecutionStatusSuperseded) {
				over = time.Time{}
			} else {
				if over.IsZero() {
					over = w.Now()
				}
				if mayBeOwn(e, began) || w.Now().Sub(over) >= laterWithin {
					return ended(s)
				}
			}
			if followed == "" && w.Now().Sub(began) >= beginsWithin {
				return fmt.Errorf("no execution of %s has begun for %s: does the pipeline watch the branch that you have pushed?", w.Name, Span(beginsWithin))
			}
		}
		if err := w.Sleep(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// mayBeOwn reports whether an execution may be that of the owner's push.
func mayBeOwn(e *Execution, began time.Time) bool {
	return e.Started.After(began.Add(-ownWithin))
}

// changes tells what has changed since the last look. The execution that is followed becomes the newest one, unless that
// had ended before the owner can have pushed.
func (w Watcher) changes(before, now Status, followed *string, began time.Time) {
	e := now.Newest
	first := before.Stages == nil
	switch {
	case e != nil && e.ID != *followed && (e.Running() || mayBeOwn(e, began)):
		*followed = e.ID
		w.say("execution %s began %s: %s", Short(e.ID), At(e.Started, w.Now()), e.words())
	case *followed == "" && first:
		w.say("waiting for an execution to begin")
	}
	if *followed == "" {
		return
	}
	last := map[string]Stage{}
	for _, stage := range before.Stages {
		last[stage.Name] = stage
	}
	for _, stage := range now.Stages {
		if stage.Execution != *followed {
			continue
		}
		if was := last[stage.Name]; was.Execution != stage.Execution || was.Status != stage.Status || was.said() != stage.said() {
			words := verb(stage.Status)
			if said := stage.said(); said != "" {
				words += ": " + said
			}
			w.say("%s %s", stage.Name, words)
		}
	}
}

func (w Watcher) say(format string, args ...any) {
	w.Tell(w.Now().Local().Format("15:04:05") + "  " + fmt.Sprintf(format, args...))
}

// ended returns an error unless the newest execution has succeeded.
func ended(s Status) error {
	e := s.Newest
	if e.Status == string(types.PipelineExecutionStatusSucceeded) {
		return nil
	}
	errs := []error{fmt.Errorf("execution %s %s after %s", Short(e.ID), verb(e.Status), Span(e.Updated.Sub(e.Started)))}
	for _, reason := range e.Reasons {
		errs = append(errs, errors.New(reason))
	}
	return errors.Join(errs...)
}
