package publication

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"

	"blog-deploy-pipeline/lambdas/internal/archive"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// Publish publishes a build, as far as it can before ctx ends. The error is a
// [*failure.Failure].
func (p Publisher) Publish(ctx context.Context, log *slog.Logger, req Request) (Result, error) {
	req, err := p.restored(ctx, req)
	if err != nil {
		return Result{}, explain(err, p.Again)
	}
	r := &run{Publisher: p, Request: req, holder: release.Holder{Job: req.Job, Run: rand.Text()}, times: timesOf(ctx), log: log}
	result, err := r.publish(ctx)
	if err != nil {
		return Result{}, explain(err, p.Again)
	}
	return result, nil
}

func (r *run) publish(ctx context.Context) (Result, error) {
	state, err := r.claim(ctx)
	if busy := (*release.Busy)(nil); errors.As(err, &busy) {
		return Result{Busy: busy.Until}, nil
	}
	if errors.Is(err, release.ErrFinished) {
		return r.finished(ctx, state)
	}
	if err != nil {
		return Result{}, err
	}
	r.log = r.log.With("release", state.Target)
	held, letGo := r.hold(ctx, state.Until)
	done := false
	defer func() { // also after a panic
		letGo()
		if !done {
			r.leave(ctx)
		}
	}()
	result, err := r.work(held, state)
	done = err == nil
	if lost := context.Cause(held); err != nil && (errors.Is(lost, errLeaseOver) || errors.Is(lost, release.ErrLeaseLost)) {
		err = fmt.Errorf("%w: %w", lost, err)
	}
	return result, err
}

// decide looks, and returns what to do and on what it is based. With a refusal it returns
// the plan that is refused.
func (p Publisher) decide(ctx context.Context, req Request, state release.State) (s situation, build *archive.Archive, decided plan, err error) {
	if s, build, err = p.look(ctx, req, state); err != nil {
		return s, build, decided, err
	}
	decided = s.plan()
	if refusal := s.refuse(decided, req.AllowDeletions); refusal != nil {
		return s, build, decided, refusal
	}
	if len(decided.unsure) > 0 {
		if s.hashes, err = hashes(ctx, build, decided.unsure); err != nil {
			return s, build, decided, err
		}
		decided = s.plan()
	}
	return s, build, decided, nil
}

// work publishes while the run has the lease.
func (r *run) work(ctx context.Context, state release.State) (Result, error) {
	s, build, p, err := r.decide(ctx, r.Request, state)
	if err != nil {
		return Result{}, err
	}
	r.log.Info("planned", "put", len(p.puts), "keep", len(p.kept), "remove", len(p.removals()), "retire", len(p.retired), "foreign", len(p.foreign),
		"first", p.first())

	kept := func() string { return "" }
	if p.isRelease(s.manifest) {
		var cancel func()
		kept, cancel = r.keepBuild(ctx, s.state.Target)
		defer cancel()
	}
	if p.writes() {
		intent := p.intent(s)
		if s.state, err = r.Releases.UpdateFrom(ctx, s.state, func(s *release.State) error { return s.Intend(r.holder, intent) }); err != nil {
			return Result{}, err
		}
	}
	w := &writer{S3: r.S3, bucket: r.Settings.Bucket, tag: release.CacheTag(s.state.Target), stop: r.times.stop}
	err = w.write(ctx, build, p)
	switch {
	case w.done() && (errors.Is(err, errNoTime) || ctx.Err() != nil):
		return r.pause(ctx, s, p, w)
	case errors.Is(err, errNoTime):
		return Result{}, &failure.Failure{Kind: failure.Late, Message: "the time of the function was over before it could put a file; " + r.Again}
	case err != nil:
		return Result{}, err
	}
	result, err := r.commit(ctx, s, p, w, r.compare(ctx, s, p, build))
	if note := kept(); note != "" && err == nil {
		result.Notes = append(result.Notes, note)
	}
	return result, err
}
