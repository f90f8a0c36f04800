package publication

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/release"
)

const (
	// leaseTime is for how long the next publication waits after a crash.
	leaseTime = time.Minute
	// pauseTime is kept for noting how far a publication came.
	pauseTime = 75 * time.Second
	// continueWithin is for how long only the job that has paused may go on.
	continueWithin = 5 * time.Minute
)

// run is one call of Publish.
type run struct {
	Publisher
	Request
	holder release.Holder
	times  times
	log    *slog.Logger
}

// times are those of a call.
type times struct {
	// stop is when it begins no other write.
	stop time.Time
	// lease is the length of its lease. A third of it passes before it is prolonged, which
	// leaves time for a second try.
	lease time.Duration
	// spare is how much earlier than the lease the writes end, because the clock of the next
	// function may be fast, and S3 may be slow.
	spare time.Duration
}

// timesOf divides the time until ctx ends.
func timesOf(ctx context.Context) times {
	left := 15 * time.Minute // not under Lambda
	if deadline, ok := ctx.Deadline(); ok {
		left = time.Until(deadline)
	}
	lease := min(leaseTime, max(2*time.Second, left/4))
	return times{stop: time.Now().Add(left - min(pauseTime, left/4)), lease: lease, spare: lease / 6}
}

// until returns the end of a lease that begins now.
func (t times) until() time.Time { return time.Now().Add(t.lease) }

// last returns a context for the last calls of a run, whose context may have ended.
func (t times) last(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(context.WithoutCancel(ctx), t.spare)
}

// claim takes the lease.
func (r *run) claim(ctx context.Context) (state release.State, err error) {
	for range 2 {
		state, err = r.Releases.Update(ctx, func(s *release.State) error {
			if err := r.stillCurrent(*s); err != nil {
				return err
			}
			return s.Claim(r.holder, time.Now(), r.times.until())
		})
		if err != nil || time.Until(state.Until) >= r.times.lease/2 {
			break
		}
		// The call was slow.
	}
	return state, err
}

// stillCurrent returns an error if the job must not begin, because the bucket has another
// release than the request names.
func (r *run) stillCurrent(s release.State) error {
	if _, done := s.Finished(r.Job); done || s.Job == r.Job || r.Current == "" || r.Current == s.Current {
		return nil
	}
	return &failure.Failure{Kind: failure.Other, Message: fmt.Sprintf("nothing was published: the bucket has the release %s by now, and not %s any more", s.Current, r.Current)}
}

// errLeaseOver is why the context of a run ends whose lease could not be prolonged.
var errLeaseOver = errors.New("the lease could not be prolonged")

// hold prolongs a lease that ends at a time, until letGo is called. The context that it
// returns ends before the lease does.
func (r *run) hold(ctx context.Context, until time.Time) (held context.Context, letGo func()) {
	held, cancel := context.WithCancelCause(ctx)
	end := time.AfterFunc(time.Until(until)-r.times.spare, func() { cancel(errLeaseOver) })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(r.times.lease / 3)
		defer ticker.Stop()
		for {
			select {
			case <-held.Done():
				return
			case <-ticker.C:
			}
			state, err := r.renew(held)
			switch {
			case err == nil:
				end.Reset(time.Until(state.Until) - r.times.spare)
			case errors.Is(err, errGivenBack):
				return
			case errors.Is(err, release.ErrLeaseLost):
				cancel(err)
			case held.Err() == nil:
				r.log.Warn("lease not prolonged", "error", err.Error())
			}
		}
	}()
	return held, func() {
		end.Stop()
		cancel(context.Canceled)
		<-ended
	}
}

// errGivenBack is the error of a renewal that finds the lease given back, by a commit or a
// pause whose answer is still on its way.
var errGivenBack = errors.New("the lease was given back")

// renew prolongs the lease, unless the run does not have it any more.
func (r *run) renew(ctx context.Context) (release.State, error) {
	return r.Releases.Update(ctx, func(s *release.State) error {
		_, committed := s.Finished(r.Job)
		switch {
		case release.Holder{Job: s.Job, Run: s.Run} == r.holder:
			return s.Claim(r.holder, time.Now(), r.times.until())
		case committed, s.Job == r.Job && s.Run == "":
			return errGivenBack
		}
		return release.ErrLeaseLost
	})
}

// leave gives the lease back, so that a retry need not wait.
func (r *run) leave(ctx context.Context) {
	ctx, cancel := r.times.last(ctx)
	defer cancel()
	_, err := r.Releases.Update(ctx, func(s *release.State) error {
		s.Leave(r.holder, time.Time{})
		return nil
	})
	if err != nil {
		r.log.Warn("lease not given back; it ends within a minute", "error", err.Error())
	}
}
