// Package proof looks at a blog's own address whether readers have what was published: the
// home page, and some of what has changed. It compares what comes with the release's
// manifest.
package proof

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	smithytime "github.com/aws/smithy-go/time"

	"blog-deploy-pipeline/lambdas/internal/changes"
)

const (
	// lookTime limits all requests of one look. What has not answered by then is looked at
	// once more.
	lookTime = 10 * time.Second
	// firmLooks is how often an address is asked before its answer decides, if another one
	// could come at any moment: an edge location may answer with an error once.
	firmLooks = 3
	// maxWait limits the wait between two looks. The first wait is PollEvery.
	maxWait = 10 * time.Second
)

// Prover looks at one blog.
type Prover struct {
	Settings Settings
	// Blog says at which addresses the distribution serves the blog.
	Blog changes.Settings
	// PollEvery is the first wait between two looks.
	PollEvery time.Duration
	// Client makes the requests. [NewClient] returns the one for the function.
	Client *http.Client
}

// Prove looks at what was published until readers have it, until nothing that comes can
// change, or until stop. It looks at least once, unless ctx ends. cleared is when the
// invalidation began: what edge locations have cached before is not of the release.
func (p Prover) Prove(ctx context.Context, log *slog.Logger, published changes.Published, cleared, stop time.Time) Result {
	defer p.Client.CloseIdleConnections()
	targets := choose(published, p.Blog)
	r := Result{Sights: make([]Sight, len(targets))}
	pending := make([]int, len(targets)) // the indexes of those that are looked at
	for i := range targets {
		pending[i] = i
	}
	compare := newComparison(published, p.Blog)
	wait := p.PollEvery
	for looks := 1; len(pending) > 0; looks++ {
		p.look(ctx, targets, pending, r.Sights, compare, cleared)
		r.At = time.Now()
		first, _ := r.First()
		log.Info("looked at the blog", "live", r.Live(), "of", r.Checked(), "edge", r.Edge(), "kind", first.Kind.String(), "address", first.Address, "answer", first.Answer)

		pending = slices.DeleteFunc(pending, func(i int) bool { return !r.Sights[i].Kind.mayChange() })
		wrong := func(i int) bool { return r.Sights[i].Kind == Wrong }
		if looks >= firmLooks && (slices.ContainsFunc(pending, wrong) || !r.At.Before(stop)) {
			break // it is settled, or the time is over
		}
		firm := func(i int) bool { return r.Sights[i].Kind != Stale }
		if !r.At.Before(stop) && !slices.ContainsFunc(pending, firm) {
			break // What is stale may be looked at in another call.
		}
		pause := wait
		if left := stop.Sub(r.At); left > 0 {
			pause = min(wait, left) // The last look comes at the end, not after it.
		}
		if len(pending) > 0 && smithytime.SleepWithContext(ctx, pause) != nil {
			break
		}
		wait = max(min(wait*3/2, maxWait), p.PollEvery)
	}
	return r
}

// look asks the addresses of some targets once, and writes what it sees to sights.
func (p Prover) look(ctx context.Context, targets []target, pending []int, sights []Sight, compare comparison, cleared time.Time) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	var looking sync.WaitGroup
	next := make(chan int)
	for range min(atOnce, len(pending)) {
		looking.Go(func() {
			for i := range next {
				sights[i] = p.see(ctx, targets[i], compare, cleared)
			}
		})
	}
	for _, i := range pending {
		next <- i
	}
	close(next)
	looking.Wait()
}

// see returns what readers get of one target.
func (p Prover) see(ctx context.Context, t target, compare comparison, cleared time.Time) Sight {
	ask := func(path string) Sight {
		a := fetch(ctx, p.Client, p.Settings, path, t)
		s := compare.sight(t, a, time.Since(cleared))
		s.Address, s.Key, s.target, s.status = p.Settings.Site+path, t.key, t, a.status
		return s
	}
	seen := ask(t.paths[0])
	switch {
	case len(t.paths) == 1:
	case t.removed && seen.Kind == Live: // It must be gone from both.
		return ask(t.paths[1])
	case !t.removed && seen.status != 0 && seen.status != http.StatusOK:
		// Many distributions serve a page at "/a/index.html" only.
		if other := ask(t.paths[1]); other.status == http.StatusOK {
			return other
		}
	}
	return seen
}
