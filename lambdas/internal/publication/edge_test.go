package publication

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/changes"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// locations is the number of edge locations.
const locations = 2

// edge is a distribution, with edge locations that keep what they get from the bucket.
type edge struct {
	h         *history
	mu        sync.Mutex
	cached    []map[string]*copied
	evictions []*eviction
}

// copied is what an edge location has for a URL.
type copied struct {
	content, tag string
	at           time.Time
	until        time.Time
}

type eviction struct {
	reference string
	items     []string
	done      time.Time
}

// objectOf returns the key that a URL stands for.
func (h *history) objectOf(url string) string {
	key := strings.TrimPrefix(url, "/")
	switch {
	case key == "" || strings.HasSuffix(key, "/"):
		key += "index.html"
	case h.addresses.Bare && !strings.Contains(key, "."):
		key += "/index.html"
	}
	return h.settings.prefix() + key
}

// get returns what a reader gets.
func (e *edge) get(location int, url string) copied {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if c := e.cached[location][url]; c != nil && now.Before(c.until) {
		return *c
	}
	c := &copied{at: now, until: now.Add(10 * time.Second)} // an error
	if object, ok := e.h.s3.Object(site, e.h.objectOf(url)); ok {
		c.content, c.tag, c.until = string(object.Content), object.Metadata[contract.MetadataCacheTag], now.Add(24*time.Hour)
	}
	e.cached[location][url] = c
	return *c
}

// evicts reports whether an item of an invalidation stands for a copy.
func evicts(item, url, tag string) bool {
	if name, ok := strings.CutPrefix(item, "#"); ok {
		return name == tag
	}
	if prefix, ok := strings.CutSuffix(item, "*"); ok {
		return strings.HasPrefix(url, prefix)
	}
	return item == url
}

// create begins an invalidation. It evicts what a location has got before, and no later
// than when it is completed.
func (e *edge) create(reference string, items []string) (id string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, before := range e.evictions {
		if before.reference == reference {
			if !slices.Equal(before.items, items) {
				return "", objecttest.Refuses(400, "InvalidationBatchAlreadyExists", "x")
			}
			return fmt.Sprint(i), nil
		}
	}
	now := time.Now()
	random := e.h.fate("invalidation", len(e.evictions))
	one := &eviction{reference, items, now.Add(time.Duration(random.IntN(90_000)) * time.Millisecond)}
	e.evictions = append(e.evictions, one)
	for i := range e.cached {
		wait := time.Duration(random.Int64N(int64(one.done.Sub(now)) + 1))
		e.h.wg.Go(func() {
			time.Sleep(wait)
			e.mu.Lock()
			defer e.mu.Unlock()
			maps.DeleteFunc(e.cached[i], func(url string, c *copied) bool {
				return !c.at.After(now) && slices.ContainsFunc(items, func(item string) bool { return evicts(item, url, c.tag) })
			})
		})
	}
	return fmt.Sprint(len(e.evictions) - 1), nil
}

func (e *edge) completed(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	var i int
	_, _ = fmt.Sscan(id, &i)
	return !time.Now().Before(e.evictions[i].done)
}

// check compares what edge locations have with the bucket.
func (e *edge) check() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, cached := range e.cached {
		for url, c := range cached {
			object, ok := e.h.s3.Object(site, e.h.objectOf(url))
			if c.content != string(object.Content) && time.Now().Before(c.until) && !e.h.isStrange(e.h.objectOf(url)) && (ok || c.content != "") {
				e.h.problem("location %d has %q for %s since %s, want %q", i, c.content, url, c.at.Sub(began), object.Content)
			}
		}
	}
}

// distribution is CloudFront's API for a process.
type distribution struct {
	*process
}

// CreateInvalidation implements invalidation.CloudFront.
func (d distribution) CreateInvalidation(_ context.Context, in *cloudfront.CreateInvalidationInput, _ ...func(*cloudfront.Options)) (*cloudfront.CreateInvalidationOutput, error) {
	if err := d.strike("before", "CreateInvalidation"); err != nil {
		return nil, err
	}
	id, err := d.edge.create(aws.ToString(in.InvalidationBatch.CallerReference), in.InvalidationBatch.Paths.Items)
	if err == nil {
		err = d.strike("after", "CreateInvalidation")
	}
	if err != nil {
		return nil, err
	}
	return &cloudfront.CreateInvalidationOutput{Invalidation: &types.Invalidation{Id: &id, Status: aws.String("InProgress")}}, nil
}

// GetInvalidation implements invalidation.CloudFront.
func (d distribution) GetInvalidation(_ context.Context, in *cloudfront.GetInvalidationInput, _ ...func(*cloudfront.Options)) (*cloudfront.GetInvalidationOutput, error) {
	if err := d.strike("before", "GetInvalidation"); err != nil {
		return nil, err
	}
	status := "InProgress"
	if d.edge.completed(aws.ToString(in.Id)) {
		status = "Completed"
	}
	return &cloudfront.GetInvalidationOutput{Invalidation: &types.Invalidation{Id: in.Id, Status: &status}}, nil
}

// invalidate is an action of the Invalidate stage. What its function does between its two
// parts is in package main, so it is here once more.
func (h *history) invalidate(j *job) (cleared bool) {
	defer h.at()()
	var plan changes.Plan
	var progress invalidation.Progress
	crashes := 0
	for call := range 100 {
		p := h.process(fmt.Sprintf("invalidate %s/%d", j.id, call), time.Now().Add(15*time.Minute))
		done, err := p.clear(j.id, &plan, &progress)
		switch {
		case p.isDead():
			if crashes++; crashes == 3 {
				return false
			}
			time.Sleep(time.Duration(crashes) * time.Minute)
		case err != nil:
			if h.calm {
				h.problem("the invalidation of %s fails: %v", j.id, err)
			}
			return false
		case done:
			return true
		default:
			time.Sleep(30 * time.Second)
		}
	}
	h.problem("the invalidation of %s never ends", j.id)
	return false
}

// clear is a call of the function invalidate. If it ends, Lambda calls it again with what
// it was called with.
func (p *process) clear(job string, token *changes.Plan, progress *invalidation.Progress) (done bool, err error) {
	ctx := context.Background()
	finder := changes.Finder{Releases: release.Store{S3: p.s3Client(), Bucket: releases}, Settings: changes.Settings{KeyPrefix: p.settings.KeyPrefix, Addresses: p.addresses, MaxPaths: 10}}
	plan := *token
	if len(plan.Items) == 0 {
		if plan, err = finder.Find(ctx); err != nil || len(plan.Items) == 0 {
			return true, err
		}
	}
	if p.mutant == noMemory {
		if err := finder.Done(ctx, plan.Number); err != nil {
			return false, err
		}
	}
	invalidator := invalidation.Invalidator{
		CloudFront: distribution{p},
		Settings:   invalidation.Settings{PollFor: 40 * time.Second, PollEvery: 2 * time.Second, Deadline: 30 * time.Minute},
	}
	request := invalidation.Request{Distribution: contract.Distribution{ID: "E1", Paths: plan.Items}, Execution: fmt.Sprint(job, plan.Number)}
	next, outcome, err := invalidator.Advance(ctx, slog.New(slog.DiscardHandler), request, *progress)
	if err == nil && outcome == invalidation.Completed {
		if p.mutant == noNumbers {
			_, err := finder.Releases.Update(ctx, func(s *release.State) error {
				s.Touched, s.ClearAll = nil, 0
				return nil
			})
			return true, err
		}
		return true, finder.Done(ctx, plan.Number)
	}
	if !p.isDead() {
		*token, *progress = plan, next
	}
	return false, err
}
