package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/invocation"
)

// clearing is one distribution on its way to being clear.
type clearing struct {
	distribution
	// execution names the run of the hook that asked first.
	execution string
	progress  invalidation.Progress
	state     clearingState
	// took is the time to Completed; 0 if it was not completed.
	took time.Duration
	// message is what happened and what to do, where it failed.
	message string
}

type clearingState string

const (
	pending   clearingState = "" // neither CloudFront nor the deadline is done
	completed clearingState = "completed"
	created   clearingState = "created" // which is enough for the owner
	failed    clearingState = "failed"
	late      clearingState = "late" // failed at the deadline
)

func (s clearingState) failed() bool { return s == failed || s == late }

// start returns the clearings of a run of the hook that begins.
func start(distributions []distribution, execution string) []clearing {
	var all []clearing
	for _, d := range distributions {
		all = append(all, clearing{distribution: d, execution: execution})
	}
	return all
}

// fail ends a clearing that did not come to its end.
func (c *clearing) fail(state clearingState, message string) {
	c.state, c.message = state, message
	// What CloudFront refuses has its own advice; the cache is old even so.
	if again := again(c.distribution); !strings.Contains(message, again) {
		c.message += "; then " + again
	}
}

// advanceAll takes all clearings that go on as far as this call can, together: one
// that fails, or panics, keeps no other from being created and completed.
func (h *handler) advanceAll(ctx context.Context, log *slog.Logger, settings invalidation.Settings, all []clearing) {
	var running sync.WaitGroup
	for i := range all {
		c := &all[i]
		if c.state != pending {
			continue
		}
		log := log.With("distribution", c.ID)
		running.Go(func() {
			guarded := func() *slog.Logger { return log.With("invalidation", c.progress.InvalidationID) }
			*c = invocation.Guard(guarded, func() clearing { return h.advance(ctx, log, settings, *c) }, func(message string) clearing {
				panicked := *c
				panicked.fail(failed, message)
				return panicked
			})
			if c.state.failed() {
				guarded().Error("not cleared", "message", c.message)
			}
		})
	}
	running.Wait()
}

func (h *handler) advance(ctx context.Context, log *slog.Logger, settings invalidation.Settings, c clearing) clearing {
	invalidator := invalidation.Invalidator{CloudFront: h.cloudFront, Settings: settings, Words: words(c.distribution)}
	request := invalidation.Request{DistributionID: c.ID, Paths: c.Paths, Execution: c.execution}
	progress, outcome, err := invalidator.Advance(ctx, log, request, c.progress)
	c.progress = progress
	if failure := (*invalidation.Failure)(nil); errors.As(err, &failure) {
		state := failed
		if failure.Kind == invalidation.Late {
			state = late
		}
		c.fail(state, failure.Message)
		return c
	}
	switch outcome {
	case invalidation.Completed:
		c.state, c.took = completed, time.Since(progress.Started)
	case invalidation.Created:
		c.state = created
	}
	return c
}

// ending is how a run of the hook ended.
type ending struct {
	message string
	result  invalidation.Result
}

// refused is a run of the hook that could not do its work.
func refused(message string) ending {
	return ending{message: message + "; then deploy the service again, or clear its distributions by hand", result: invalidation.Result{Failed: true}}
}

// summarise returns how a run of the hook ended, or false if a clearing goes on.
func summarise(all []clearing) (ending, bool) {
	var end ending
	var cleared, problems []string
	for _, c := range all {
		switch {
		case c.state == pending:
			return ending{}, false
		case c.state.failed():
			end.result.Failed = true
			end.result.Late = end.result.Late || c.state == late
			problems = append(problems, c.ID+": "+c.message)
		default:
			cleared = append(cleared, fmt.Sprintf("%s: invalidation %s is %s", c.ID, c.progress.InvalidationID, c.state))
			end.result.Took = max(end.result.Took, c.took)
		}
	}
	if end.result.Failed {
		// Some distributions are not clear, however long the others took.
		end.result.Took = 0
	}
	end.message = strings.Join(append(problems, cleared...), "\n")
	return end, true
}
