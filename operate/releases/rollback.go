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
	var result Result
	publish, invalidate, err := r.functions(ctx)
	if err != nil {
		return result, err
	}
	h, err := r.history(ctx, publish, searched)
	if err != nil {
		return result, err
	}
	target, err := r.target(h)
	if err != nil {
		return result, err
	}
	result.To = *target
	if current := h.releases.Current(); current != nil {
		result.From = *current
	}
	work := contract.Direct{UserParameters: publish.parameters, Release: target.ID, By: r.By, Current: result.From.ID}
	clearing := contract.Direct{UserParameters: invalidate.parameters}
	if err := r.look(ctx, &result, h, publish, invalidate, work, clearing); err != nil {
		return result, err
	}
	if result.isNothing() {
		r.Tell("  that is what the bucket and CloudFront have: there is nothing to do")
		return result, nil
	}
	switch yes, err := r.Ask(ctx, fmt.Sprintf("Publish %s again?", target.ID)); {
	case err != nil:
		return result, err
	case !yes:
		return result, errors.New("nothing was published, because the answer was no")
	}

	began := r.Now()
	far := "What Deploy has put so far stays"
	_, err = r.work(ctx, publish, "publishing release "+target.ID, work)
	if err != nil && r.wasPublished(ctx, result) {
		r.say("%v; but the files of %s are published by now", err, target.ID)
		err = nil
	}
	if err == nil {
		far = "Deploy has published the release"
		var proof contract.DirectAnswer
		proof, err = r.work(ctx, invalidate, "clearing CloudFront's cache", clearing)
		result.Proof = proof.Summary
	}
	result.Took = r.Now().Sub(began)
	if err != nil {
		if ctx.Err() != nil {
			err, far = ctx.Err(), "Stopped, but the function that was called goes on"
		}
		r.Tell(fmt.Sprintf("%s. To go on with the rollback: make rollback BLOG=%s TO=%s", far, r.Name, target.ID))
		return result, err
	}
	r.Tell(fmt.Sprintf("%s is back at release %s, after %d s.", r.Name, target.ID, int(result.Took.Seconds())))
	if undone := h.commit(result.From); undone != "" {
		r.Tell("The next push publishes as usual. If it still has the commit " + undone + ", what you took back comes back: revert it, or mend it.")
	}
	return result, nil
}

// wasPublished reports whether the release that the owner wants has been published since the look. A rollback that was
// stopped goes on by itself for a while, beside the next one.
func (r Rollback) wasPublished(ctx context.Context, since Result) bool {
	now, err := r.Current(ctx)
	return err == nil && now != nil && now.ID != since.From.ID && now.Origin() == since.To.Origin()
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
func (r Rollback) look(ctx context.Context, result *Result, h history, publish, invalidate function, work, clearing contract.Direct) error {
	work.DryRun, clearing.DryRun = true, true
	now := r.Now()
	if result.From.ID == "" {
		r.Tell("  live     parts of a release whose publication is not finished")
	} else {
		r.Tell("  live     " + h.describe(result.From, now))
	}
	r.Tell("  back to  " + h.describe(result.To, now))
	looked, err := r.ask(ctx, publish, work)
	switch {
	case err != nil:
		return err
	case looked.Difference == nil:
		return fmt.Errorf("the function %s does not say what it would do: run make deploy BLOG=%s, and then this again", publish.name, r.Name)
	}
	result.Difference = *looked.Difference
	r.Tell(fmt.Sprintf("  %s: %s", publish.stage, looked.Summary))
	clearing.Touched = looked.Difference.Touched
	cleared, err := r.ask(ctx, invalidate, clearing)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil || cleared.Clearing == nil: // The pages come back even so.
		r.Tell(fmt.Sprintf("  what %s would clear is unknown: %v", invalidate.stage, err))
		result.Clearing.All = true
	default:
		result.Clearing = *cleared.Clearing
		r.Tell(fmt.Sprintf("  %s: %s", invalidate.stage, cleared.Summary))
	}
	if running := h.running(); running != "" {
		r.Tell("  the pipeline is running (" + running + "): if it publishes first, this publishes nothing")
	}
	return nil
}

// isNothing reports whether the release is live already, and nothing is left to be cleared.
func (r Result) isNothing() bool {
	d, c := r.Difference, r.Clearing
	return d.Put == 0 && d.Removed == 0 && c.Items == 0 && !c.All
}

// work has a function do its work, and tells each step.
func (r Rollback) work(ctx context.Context, f function, what string, d contract.Direct) (contract.DirectAnswer, error) {
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
			if answer.Warning {
				r.say("%s: warning: %s", f.stage, told)
			} else {
				r.say("%s: %s", f.stage, told)
			}
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
