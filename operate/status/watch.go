package status

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"blog-deploy-pipeline/lambdas/contract"
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

// Watcher follows a pipeline until its execution ends, or the deployment of an existing service.
type Watcher struct {
	Client CodePipeline
	// Services reads the deployments of a service. A blog needs none.
	Services Services
	Pipeline contract.Pipeline
	// Tell gets a line for each change.
	Tell func(line string)
	// Now and Sleep stand for the clock. Required.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// Watch follows the newest execution or deployment, and waits for one to begin if the newest is older than the owner's push
// can be. It returns an error unless that succeeds.
func (w Watcher) Watch(ctx context.Context) error {
	began := w.Now() // by AWS's clock, after the first look
	var before *view
	var followed string
	var over time.Time // when the watch has first seen the end
	for misses := 0; ; {
		now, err := w.look(ctx)
		if err != nil {
			if misses++; misses == maxMisses || followed == "" || ctx.Err() != nil {
				return err
			}
			w.say("%v: trying again", err)
		} else {
			misses = 0
			if before == nil {
				began = began.Add(now.ahead)
			}
			w.changes(before, now, &followed, began)
			before = &now
			if now.id == "" || now.id != followed || now.running || now.superseded {
				over = time.Time{}
			} else {
				if over.IsZero() {
					over = w.Now()
				}
				if mayBeOwn(now, began) || w.Now().Sub(over) >= laterWithin {
					return now.end()
				}
			}
			if followed == "" && w.Now().Add(now.ahead).Sub(began) >= beginsWithin {
				return fmt.Errorf("no %s of %s has begun for %s: %s", w.kind(), w.Pipeline.Name, Span(beginsWithin), w.advice())
			}
		}
		if err := w.Sleep(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// look returns what there is to see. A pipeline that deploys a service shows the service's deployment, too.
func (w Watcher) look(ctx context.Context) (view, error) {
	if w.Pipeline.Existing() {
		d, err := w.Services.Read(ctx, w.Pipeline)
		return d.view(), err
	}
	s, err := Read(ctx, w.Client, w.Pipeline.Name)
	if err != nil || w.Pipeline.Service == nil || s.Newest == nil {
		return s.view(), err
	}
	v := s.view()
	d, err := w.Services.Read(ctx, w.Pipeline)
	if d != nil && d.Started.After(v.began) {
		v.steps = append(v.steps, d.steps(v.id)...)
	}
	return v, err
}

func (w Watcher) kind() string {
	if w.Pipeline.Existing() {
		return "deployment"
	}
	return "execution"
}

func (w Watcher) advice() string {
	if w.Pipeline.Existing() {
		return "follow it once it has"
	}
	return "does the pipeline watch the branch that you have pushed?"
}

// mayBeOwn reports whether what a watch sees may be of the owner's push.
func mayBeOwn(v view, began time.Time) bool {
	return v.began.After(began.Add(-ownWithin))
}

// changes tells what has changed since the last look, if there was one. What is followed becomes the newest, unless that
// had ended before the owner can have pushed.
func (w Watcher) changes(before *view, now view, followed *string, began time.Time) {
	switch {
	case now.id != "" && now.id != *followed && (now.running || mayBeOwn(now, began)):
		*followed = now.id
		w.say("%s began %s%s", now.name, At(now.began, w.Now()), said(now.about))
	case *followed == "" && before == nil:
		w.say("waiting for %s to begin", map[string]string{"execution": "an execution", "deployment": "a deployment"}[w.kind()])
	}
	for _, s := range now.steps {
		if s.of == *followed && *followed != "" && (before == nil || !slices.Contains(before.steps, s)) {
			w.say("%s %s", s.name, s.words)
		}
	}
}

func (w Watcher) say(format string, args ...any) {
	w.Tell(w.Now().Local().Format("15:04:05") + "  " + fmt.Sprintf(format, args...))
}

// view is what a watch sees of a pipeline.
func (s Status) view() view {
	e := s.Newest
	if e == nil {
		return view{ahead: s.Ahead}
	}
	v := view{
		id: e.ID, ahead: s.Ahead, name: "execution " + Short(e.ID), about: e.words(), began: e.Started, running: e.Running(),
		superseded: e.Status == string(types.PipelineExecutionStatusSuperseded),
		end: func() error {
			if e.Status == string(types.PipelineExecutionStatusSucceeded) {
				return nil
			}
			return failed("execution "+Short(e.ID), e.Status, e.Updated.Sub(e.Started), e.Reasons)
		},
	}
	for _, stage := range s.Stages {
		if stage.Status != "" {
			v.steps = append(v.steps, step{stage.Execution, stage.Name, verb(stage.Status) + said(stage.said())})
		}
	}
	return v
}
