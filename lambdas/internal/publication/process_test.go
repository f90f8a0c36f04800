package publication

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"blog-deploy-pipeline/lambdas/internal/objecttest"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// process is the environment of one call of a function.
type process struct {
	*history
	name     string
	deadline time.Time
	mu       sync.Mutex
	dead     bool
	counts   map[string]int
}

func (h *history) process(name string, deadline time.Time) *process {
	return &process{history: h, name: name, deadline: deadline, counts: map[string]int{}}
}

// strike decides about a call before S3 or CloudFront gets it, or after.
func (p *process) strike(when, what string) error {
	p.mu.Lock()
	p.counts[when+what]++
	random := p.fate(p.name, when, what, p.counts[when+what])
	p.mu.Unlock()
	wait := time.Duration(random.IntN(400)) * time.Millisecond
	rate := p.rate
	if p.calm {
		rate = 0
	}
	if random.Float64() < rate/4 {
		wait += time.Duration(random.IntN(90_000)) * time.Millisecond
	}
	time.Sleep(wait)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = p.dead || !time.Now().Before(p.deadline)
	roll := random.Float64() / max(rate, 1e-9)
	switch {
	case p.dead:
	case roll < 0.2:
		p.dead = true
	case roll < 0.6:
		return objecttest.ErrReset
	case roll < 0.8:
		return objecttest.Throttles()
	case roll < 1 && when == "before":
		return objecttest.Denies()
	}
	if p.dead {
		return objecttest.ErrCrash
	}
	return nil
}

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// s3Client returns the process' client of S3.
func (p *process) s3Client() *objecttest.Client {
	name := func(call objecttest.Call) string { return call.Operation + " " + call.Bucket + "/" + call.Key }
	return &objecttest.Client{
		S3:     p.s3,
		Before: func(call objecttest.Call) error { return p.strike("before", name(call)) },
		After: func(call objecttest.Call) error {
			p.commits(call)
			return p.strike("after", name(call))
		},
		// The SDK has more, but a model has less time.
		Attempts: 2,
	}
}

// at notes that a function is at work, until the function that it returns is called.
func (h *history) at() (done func()) {
	h.mu.Lock()
	h.active++
	h.mu.Unlock()
	return func() {
		h.mu.Lock()
		h.active--
		h.last = time.Now()
		h.mu.Unlock()
	}
}

// outcome is how a call of a function ended.
type outcome int

const (
	succeeded outcome = iota
	failed
	goesOn
	crashed
)

// publish is a call of the function publish.
func (h *history) publish(j *job, call string) outcome {
	defer h.at()()
	limit := 15 * time.Minute
	random := h.fate("publish", j.id, call)
	if !h.calm && random.Float64() < h.rate*2 {
		limit = time.Duration(1+random.IntN(30_000)) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	p := h.process(j.id+call, time.Now().Add(limit))
	client := p.s3Client()
	settings := h.settings
	settings.Headers = j.rules
	publisher := Publisher{S3: client, Releases: release.Store{S3: client, Bucket: releases}, Settings: settings, Again: again}
	switch h.mutant {
	case noIntent:
		publisher.Releases = forgetful{publisher.Releases}
	case noLease:
		publisher.Releases = &selfish{Releases: publisher.Releases}
	case noPast:
		publisher.Releases = reckless{publisher.Releases}
	case noOrder:
		late := &lazy{Client: client, Releases: publisher.Releases}
		publisher.S3, publisher.Releases = late, late
	}
	var log bytes.Buffer
	request := Request{Job: j.id, Bucket: artifacts, Key: j.id + ".zip", AllowDeletions: true}
	if j.restores != "" {
		request.Bucket, request.Key, request.Restores = "", "", j.restores
	}
	result, err := publisher.Publish(ctx, slog.New(slog.NewJSONHandler(&log, nil)), request)
	switch {
	case p.isDead():
		return crashed
	case err != nil:
		if h.calm {
			h.problem("job %s fails: %v", j.id, err)
		}
		return failed
	case result.Again, !result.Busy.IsZero():
		return goesOn
	}
	return succeeded
}

// deploy is an action of the Deploy stage: Lambda calls the function, again after a crash,
// and CodePipeline again if it says so.
func (h *history) deploy(j *job) (got outcome, alone bool) {
	ends := h.deploys()
	got = h.calls(j)
	h.mu.Lock()
	j.published = got == succeeded
	h.mu.Unlock()
	return got, ends()
}

func (h *history) calls(j *job) outcome {
	crashes := 0
	for call := range 200 {
		switch got := h.publish(j, fmt.Sprintf("/%d", call)); got {
		case goesOn:
			time.Sleep(30 * time.Second)
		case crashed:
			if crashes++; crashes == 3 {
				return failed
			}
			time.Sleep(time.Duration(crashes) * time.Minute)
		default:
			return got
		}
	}
	h.problem("job %s never ends", j.id)
	return failed
}
