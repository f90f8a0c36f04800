package publication

import (
	"context"
	"slices"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/release"
)

const (
	// maxListed is how many keys a difference lists. With so many, everything is cleared.
	maxListed = 10_001
	// maxListedBytes limits the keys that a difference lists. Lambda answers with 6 MB at
	// most.
	maxListedBytes = 2 << 20
)

// Foreseen is what a publication would do.
type Foreseen struct {
	contract.Difference
	// Current is the id of the release that the bucket has; "" for none.
	Current string
	// Busy is until when a publication that is at work has the lease; zero if none is.
	Busy time.Time
}

// Foresee returns what Publish would do now. It writes nothing. The error is a
// [*failure.Failure]; if it is the refusal of a plan, the difference is that plan's.
func (p Publisher) Foresee(ctx context.Context, req Request) (Foreseen, error) {
	foreseen, err := p.foresee(ctx, req)
	if err != nil {
		err = explain(err, p.Again)
	}
	return foreseen, err
}

func (p Publisher) foresee(ctx context.Context, req Request) (foreseen Foreseen, err error) {
	if req, err = p.restored(ctx, req); err != nil {
		return foreseen, err
	}
	state, err := p.Releases.Load(ctx)
	if err != nil {
		return foreseen, err
	}
	foreseen.Current = state.Current
	if state.Job != "" && time.Now().Before(state.Until) {
		foreseen.Busy = state.Until
	}
	state.Target = release.NewID(time.Now(), req.Job)
	_, _, decided, err := p.decide(ctx, req, state)
	foreseen.Difference = decided.difference()
	return foreseen, err
}

// difference returns what a plan would do.
func (p plan) difference() contract.Difference {
	removals := p.removals()
	d := contract.Difference{Put: len(p.puts), Removed: len(removals)}
	keys := slices.Clone(removals)
	for _, put := range p.puts {
		d.Bytes += put.file.Size
		keys = append(keys, put.key)
	}
	slices.Sort(keys)
	size := 0
	for _, key := range keys[:min(len(keys), maxListed)] {
		if size += len(contract.JSON(key)); size > maxListedBytes {
			break
		}
		d.Touched = append(d.Touched, key)
	}
	return d
}
