package releases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"blog-deploy-pipeline/lambdas/contract"
)

const (
	// searched is how many releases a rollback looks through.
	searched = 100
	// workWithin limits the work of one function, which itself waits an hour at most for another publication, and
	// Invalidate.Deadline for CloudFront.
	workWithin = 3 * time.Hour
)

// Rollback publishes an earlier release of a blog again.
type Rollback struct {
	Blog
	// To is the release, by the beginning of its id or of its commit; "" for the one before, or for that of a rollback
	// that has not come to its end.
	To string
	// By is the ARN of who asks, for the list of releases; "" if it is unknown.
	By string
	// Ask asks the owner a question that yes or no answers. Required.
	Ask func(ctx context.Context, question string) (yes bool, err error)
}

// Result is what came of a rollback.
type Result struct {
	// From was live before, and To has been published again. From has no ID if the publication before was not finished.
	From, To contract.Release
	// Difference and Clearing are what the owner has agreed to.
	Difference contract.Difference
	Clearing   contract.Clearing
	// Proof is what the function says that clears the cache: what it cleared, and whether readers have the release.
	Proof string
	Took  time.Duration
}

// Run finds the release, tells how it differs from the one that is live, asks, publishes it, and clears the cache. If To is
// live already, it completes what an interrupted publication has left. It publishes nothing if the release that the owner
// takes back is no longer live by then.
func (r Rollback) Run(ctx context.Context) (Result, error) {
	a, err := r.begin(ctx)
	if err != nil {
		return Result{}, err
	}
	if err := a.look(ctx); err != nil {
		return a.Result, err
	}
	if a.isNothing() {
		r.Tell("  that is what the bucket and CloudFront have: there is nothing to do")
		return a.Result, nil
	}
	switch yes, err := r.Ask(ctx, fmt.Sprintf("Publish %s again?", a.To.ID)); {
	case err != nil:
		return a.Result, err
	case !yes:
		return a.Result, errors.New("nothing was published, because the answer was no")
	}
	err = a.publishAndClear(ctx)
	return a.Result, err
}

// attempt is a rollback whose release is found.
type attempt struct {
	Result

	rollback            Rollback
	history             history
	publish, invalidate step
}

// step is what a function is asked for.
type step struct {
	function
	request contract.Direct
}

// begin finds the release.
func (r Rollback) begin(ctx context.Context) (*attempt, error) {
	publish, invalidate, err := r.functions(ctx)
	if err != nil {
		return nil, err
	}
	h, err := r.history(ctx, publish, searched)
	if err != nil {
		return nil, err
	}
	target, err := r.target(h)
	if err != nil {
		return nil, err
	}
	a := &attempt{rollback: r, history: h, Result: Result{To: *target}}
	if current := h.releases.Current(); current != nil {
		a.From = *current
	}
	a.publish = step{publish, contract.Direct{UserParameters: publish.parameters, Release: target.ID, By: r.By, Current: a.From.ID}}
	a.invalidate = step{invalidate, contract.Direct{UserParameters: invalidate.parameters}}
	return a, nil
}

// target returns the release to publish again.
func (r Rollback) target(h history) (*contract.Release, error) {
	if r.To != "" {
		return h.named(r.To)
	}
	if target := h.unfinished(); target != nil {
		r.Tell("  the rollback to " + target.ID + " is live, but its changes are not cleared yet: this goes on with it. TO= names another release")
		return target, nil
	}
	return h.previous()
}

// look tells what the rollback would do.
func (a *attempt) look(ctx context.Context) error {
	r, now := a.rollback, a.rollback.Now()
	if a.From.ID == "" {
		r.Tell("  live     parts of a release whose publication is not finished")
	} else {
		r.Tell("  live     " + a.history.describe(a.From, now))
	}
	r.Tell("  back to  " + a.history.describe(a.To, now))
	request := a.publish.request
	request.DryRun = true
	looked, err := r.ask(ctx, a.publish.function, request)
	switch {
	case err != nil:
		return err
	case looked.Difference == nil:
		return fmt.Errorf("the function %s does not say what it would do: run make deploy BLOG=%s, and then this again", a.publish.name, r.Name)
	}
	a.Difference = *looked.Difference
	r.Tell(fmt.Sprintf("  %s: %s", a.publish.stage, looked.Summary))
	request = a.invalidate.request
	request.DryRun, request.Touched = true, a.Difference.Touched
	looked, err = r.ask(ctx, a.invalidate.function, request)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil: // The pages come back even so.
		r.Tell(fmt.Sprintf("  what %s would clear is unknown: %v", a.invalidate.stage, err))
		a.Clearing.All = true
	case looked.Clearing == nil:
		r.Tell(fmt.Sprintf("  what %s would clear is unknown: the function %s does not say it", a.invalidate.stage, a.invalidate.name))
		a.Clearing.All = true
	default:
		a.Clearing = *looked.Clearing
		r.Tell(fmt.Sprintf("  %s: %s", a.invalidate.stage, looked.Summary))
	}
	if running := a.history.running(); running != "" {
		r.Tell("  the pipeline is running (" + running + "): if it publishes first, this publishes nothing")
	}
	return nil
}

// publishAndClear does it, and tells how to go on if it does not come to its end.
func (a *attempt) publishAndClear(ctx context.Context) error {
	r, began := a.rollback, a.rollback.Now()
	far := "What Deploy has put so far stays"
	_, err := r.work(ctx, a.publish, "publishing release "+a.To.ID)
	if err != nil && a.wasPublished(ctx) {
		r.say("%v; but the files of %s are published by now", err, a.To.ID)
		err = nil
	}
	if err == nil {
		far = "Deploy has published the release"
		var proof contract.DirectAnswer
		proof, err = r.work(ctx, a.invalidate, "clearing CloudFront's cache")
		a.Proof = proof.Summary
	}
	a.Took = r.Now().Sub(began)
	if err != nil {
		if ctx.Err() != nil {
			err, far = ctx.Err(), "Stopped, but the function that was called goes on"
		}
		r.Tell(fmt.Sprintf("%s. To go on with the rollback: make rollback BLOG=%s TO=%s", far, r.Name, a.To.ID))
		return err
	}
	r.Tell(fmt.Sprintf("%s is back at release %s, after %d s.", r.Name, a.To.ID, int(a.Took.Seconds())))
	undone := a.history.commit(a.From)
	if undone == "" || a.From.Origin() == a.To.Origin() { // It goes on with what an earlier rollback has begun.
		r.Tell("The next push publishes as usual. If it still has what you took back, that comes back: revert it, or mend it.")
	} else {
		r.Tell("The next push publishes as usual. If it still has the commit " + undone + ", what you took back comes back: revert it, or mend it.")
	}
	return nil
}

// wasPublished reports whether the release that the owner wants has been published since the look. A rollback that was
// stopped goes on by itself for a while, beside the next one.
func (a *attempt) wasPublished(ctx context.Context) bool {
	now, err := a.rollback.Current(ctx)
	return err == nil && now != nil && now.ID != a.From.ID && now.Origin() == a.To.Origin()
}

// isNothing reports whether the release is live already, and nothing is left to be cleared.
func (r Result) isNothing() bool {
	d, c := r.Difference, r.Clearing
	return d.Put == 0 && d.Removed == 0 && c.Items == 0 && !c.All
}

// work has a function do its work, and tells each step.
func (r Rollback) work(ctx context.Context, s step, what string) (contract.DirectAnswer, error) {
	f, d := s.function, s.request
	d.Job = uuid.NewString()
	r.say("%s: %s", f.stage, what)
	for began, told := r.Now(), ""; ; {
		answer, err := r.ask(ctx, f, d)
		switch {
		case err != nil:
			return answer, err
		case answer.Summary == "":
			return answer, fmt.Errorf("%s: the function %s does not say what it has done", f.stage, f.name)
		}
		if answer.Summary != told {
			told = answer.Summary
			r.say("%s: %s", f.stage, told)
		}
		switch d.Token = answer.Token; {
		case d.Token == "":
			return answer, nil
		case r.Now().Sub(began) > workWithin:
			return answer, fmt.Errorf("%s: the function %s has not ended within %s", f.stage, f.name, workWithin)
		}
		if err := r.Sleep(ctx, again); err != nil {
			return answer, err
		}
	}
}
