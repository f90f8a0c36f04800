package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/invocation"
)

// clearing is the invalidation of one distribution by one run of the hook.
type clearing struct {
	invalidation.Request
	progress invalidation.Progress
	state    clearingState
	// took is the time until the invalidation was completed; 0 if it was not.
	took time.Duration
	// message says what happened and what to do, if the clearing failed.
	message string
}

type clearingState string

const (
	pending   clearingState = "" // not completed, before the deadline
	completed clearingState = "completed"
	created   clearingState = "created" // the owner waits for no more
	failed    clearingState = "failed"
	late      clearingState = "late" // failed at the deadline
)

func (s clearingState) failed() bool { return s == failed || s == late }

// start returns the clearings at the start of a run of the hook.
func start(distributions []contract.Distribution, execution string) []clearing {
	var all []clearing
	for _, d := range distributions {
		all = append(all, clearing{Request: invalidation.Request{Distribution: d, Execution: execution}})
	}
	return all
}

// advanceAll advances all pending clearings at the same time. One that fails, or panics,
// does not keep the others from being completed.
func (h *hook) advanceAll(ctx context.Context, log *slog.Logger, settings invalidation.Settings, all []clearing) {
	var running sync.WaitGroup
	for i := range all {
		c := &all[i]
		if c.state != pending {
			continue
		}
		log := log.With("distribution", c.ID)
		running.Go(func() {
			named := func() *slog.Logger { return log.With("invalidation", c.progress.InvalidationID) }
			*c = invocation.Guard(named, func() clearing { return h.advance(ctx, log, settings, *c) }, func(message string) clearing {
				return h.fail(*c, failed, message)
			})
			if c.state.failed() {
				named().Error("not cleared", "message", c.message)
			}
		})
	}
	running.Wait()
}

// advance does as much of a clearing as one call of the function can.
func (h *hook) advance(ctx context.Context, log *slog.Logger, settings invalidation.Settings, c clearing) clearing {
	invalidator := invalidation.Invalidator{CloudFront: h.cloudFront, Settings: settings, Words: h.words(c.Distribution)}
	progress, outcome, err := invalidator.Advance(ctx, log, c.Request, c.progress)
	c.progress = progress
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		if f.Kind == failure.Late {
			return h.fail(c, late, f.Message)
		}
		return h.fail(c, failed, f.Message)
	}
	switch outcome {
	case invalidation.Completed:
		c.state, c.took = completed, time.Since(progress.Started)
	case invalidation.Created:
		c.state = created
	}
	return c
}

// fail returns the clearing as failed.
func (h *hook) fail(c clearing, state clearingState, message string) clearing {
	c.state, c.message = state, message
	// A message about an error of CloudFront's has other advice, but the cache is old
	// all the same.
	if again := h.again(c.Distribution); !strings.Contains(message, again) {
		c.message += "; then " + again
	}
	return c
}

// words are the names in services.go.
func (h *hook) words(d contract.Distribution) invalidation.Words {
	return invalidation.Words{
		Distribution: "the DistributionID in the service's Hook.Invalidations",
		Paths:        "the Paths in the service's Hook.Invalidations",
		Deadline:     "the service's Hook.Deadline",
		Again:        h.again(d),
	}
}

// maxCommandPaths keeps a command readable. With more paths, the command clears all.
const maxCommandPaths = 10

// again says how to clear a distribution after a failure: nobody can run a hook again by
// itself.
func (h *hook) again(d contract.Distribution) string {
	paths := d.Paths
	if len(paths) > maxCommandPaths {
		paths = []string{contract.AllPaths}
	}
	var quoted []string
	for _, path := range paths {
		quoted = append(quoted, "'"+strings.ReplaceAll(path, "'", `'\''`)+"'")
	}
	where := ""
	if account := h.settings.invalidation.RoleAccount(); account != "" {
		where = ", with credentials of the account " + account
	}
	return fmt.Sprintf("deploy the service again, or clear by hand%s: aws cloudfront create-invalidation --distribution-id %s --paths %s",
		where, d.ID, strings.Join(quoted, " "))
}

// summarise returns how a run of the hook ended, or false if a clearing is pending.
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
		end.result.Took = 0 // not every distribution is clear
	}
	end.message = strings.Join(append(problems, cleared...), "\n")
	return end, true
}
