package publication

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"blog-deploy-pipeline/lambdas/internal/release"
)

const (
	// leaseTime is for how long the next publication waits after a crash.
	leaseTime = time.Minute
	// renewEvery leaves time for a second try before the lease is over.
	renewEvery = 20 * time.Second
	// spareTime is how much earlier than a lease its writes end, because the clock of the
	// next function may be fast, and S3 may be slow.
	spareTime = 10 * time.Second
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
	// end is when its lease ends at the latest, and spare how much earlier its writes do.
	end   time.Time
	spare time.Duration
}

// timesOf divides the time until ctx ends.
func timesOf(ctx context.Context) times {
	now := time.Now()
	deadline, ok := ctx.Deadline()
	if !ok { // not under Lambda
		deadline = now.Add(15 * time.Minute)
	}
	left := deadline.Sub(now)
	spare := min(spareTime, left/2)
	return times{stop: deadline.Add(-min(pauseTime, left/4)), end: deadline.Add(spare), spare: spare}
}

// until returns the end of a lease that begins now.
func (t times) until() time.Time {
	if until := time.Now().Add(leaseTime); until.Before(t.end) {
		return until
	}
	return t.end
}

// last returns a context for the last calls of a run, whose context may have ended.
func (t times) last(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(context.WithoutCancel(ctx), t.spare/2)
}

// claim takes the lease.
func (r *run) claim(ctx context.Context) (release.State, error) {
	return r.Releases.Update(ctx, func(s *release.State) error { return s.Claim(r.holder, time.Now(), r.times.until()) })
}

// errLeaseOver is why the context of a run ends whose lease could not be prolonged.
var errLeaseOver = errors.New("the lease could not be prolonged")

// hold prolongs a lease that ends at a time, until letGo is called. The context that it
// returns ends before the lease does.
func (r *run) hold(ctx context.Context, until time.Time) (held context.Context, letGo func()) {
	held, cancel := context.WithCancelCause(ctx)
	last := time.AfterFunc(time.Until(until)-r.times.spare, func() { cancel(errLeaseOver) })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(renewEvery)
		defer ticker.Stop()
		for {
			select {
			case <-held.Done():
				return
			case <-ticker.C:
			}
			until, err := r.renew(held)
			switch {
			case err == nil:
				last.Reset(time.Until(until) - r.times.spare)
			case errors.Is(err, release.ErrLeaseLost):
				cancel(err)
			case held.Err() == nil:
				r.log.Warn("lease not prolonged", "error", err.Error())
			}
		}
	}()
	return held, func() {
		last.Stop()
		cancel(context.Canceled)
		<-ended
	}
}

// renew prolongs the lease, unless the run does not have it any more.
func (r *run) renew(ctx context.Context) (time.Time, error) {
	state, err := r.Releases.Update(ctx, func(s *release.State) error {
		if (release.Holder{Job: s.Job, Run: s.Run}) != r.holder {
			return release.ErrLeaseLost
		}
		return s.Claim(r.holder, time.Now(), r.times.until())
	})
	return state.Until, err
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
