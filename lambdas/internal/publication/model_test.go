package publication

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
)

// The model runs a blog's pipeline through histories of days in virtual time: publications
// and invalidations whose calls fail, whose answers get lost and whose processes end
// anywhere, deliveries twice and late, two executions at once, rollbacks, builds of the
// past and builds that expire, changes by hand, a lost state, and readers who fill the edge
// locations and find each page's files. What is right is asked of the buckets and the edge
// locations alone.
//
// Nothing but the seed decides what happens to a call, so that a history can be run again:
// go test -run 'TestModel/seed_7$'. Calls at the same time may still change places.

// history is one of them.
type history struct {
	testing.TB
	seed   uint64
	random *rand.Rand // for what happens one after the other
	// rate is how probable it is that something happens to a call.
	rate float64
	// mutant turns a safeguard off.
	mutant mutant

	s3       *objecttest.S3
	edge     *edge
	settings Settings
	// addresses are those of the distribution.
	addresses contract.Addresses

	mu       sync.Mutex
	problems []string
	// active is the number of functions at work, and last is when one was.
	active int
	last   time.Time
	// deploying is the number of those who change the bucket, and begun that of all so far.
	deploying, begun int
	over             bool
	calm             bool // no faults any more

	wg     sync.WaitGroup
	jobs   []*job
	blog   files // the last build
	rules  []contract.HeaderRule
	theirs files // what other tools have put
	// strange are the keys of objects that may be left in the bucket, because the manifest
	// that listed them was lost.
	strange map[string]bool
	// committed has the releases that were the current one at a time. unnumbered is true if
	// the state that numbered them was lost.
	committed  map[string]bool
	unnumbered bool
}

func newHistory(tb testing.TB, seed uint64, rate float64, mutant mutant) *history {
	h := &history{
		TB: tb, seed: seed, random: rand.New(rand.NewPCG(seed, 1)), rate: rate, mutant: mutant,
		s3:       objecttest.New(site, releases, artifacts),
		settings: Settings{Bucket: site, Grace: 24 * time.Hour, MaxDeletePercent: 30},
		theirs:   files{}, strange: map[string]bool{}, committed: map[string]bool{},
	}
	h.s3.OwnETags = seed%3 == 0
	if seed%4 == 0 {
		h.settings.KeyPrefix = "blog"
	}
	h.addresses = contract.Addresses{Bare: seed%2 == 0, Tags: seed%5 != 0}
	h.s3.Page = 7
	h.edge = &edge{h: h}
	for range locations {
		h.edge.cached = append(h.edge.cached, map[string]*copied{})
	}
	if mutant == noGrace {
		h.settings.Grace = 0
	}
	return h
}

// problem notes that something is not right.
func (h *history) problem(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.problems = append(h.problems, fmt.Sprintf("%s: ", time.Since(began).Round(time.Millisecond))+fmt.Sprintf(format, args...))
}

// began is when time begins in a bubble of synctest.
var began = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// fate is what happens to a call of a process. It depends on nothing else.
func (h *history) fate(parts ...any) *rand.Rand {
	sum := fnv.New64a()
	_, _ = fmt.Fprint(sum, parts...)
	return rand.New(rand.NewPCG(h.seed, sum.Sum64()))
}

// TestModel runs sound histories. Each ends with the right bucket and the right edge
// locations, and no reader ever misses a page's file.
func TestModel(t *testing.T) {
	seeds := uint64(100)
	if testing.Short() {
		seeds = 20
	}
	for _, rate := range []float64{0, 0.02, 0.1} {
		for seed := range seeds {
			t.Run(fmt.Sprintf("%v of calls/seed %d", rate, seed), func(t *testing.T) {
				for _, problem := range model(t, seed, rate, sound) {
					t.Error(problem)
				}
			})
		}
	}
}

// model runs one history, and returns what was not right.
func model(t *testing.T, seed uint64, rate float64, mutant mutant) []string {
	t.Helper()
	var h *history
	synctest.Test(t, func(t *testing.T) {
		h = newHistory(t, seed, rate, mutant)
		var readers sync.WaitGroup
		for n := range 4 {
			readers.Go(func() { h.read(n) })
		}
		h.run()
		readers.Wait()
	})
	return h.problems
}

// TestModelSees turns one safeguard after the other off. The model must see that.
func TestModelSees(t *testing.T) {
	for _, mutant := range []mutant{noIntent, noLease, noOrder, noGrace, noMemory, noNumbers, noPast} {
		t.Run(string(mutant), func(t *testing.T) {
			for seed := range uint64(200) {
				if problems := model(t, seed, 0.05, mutant); len(problems) > 0 {
					t.Logf("seed %d: %s", seed, problems[0])
					return
				}
			}
			t.Error("no history shows that this is missing")
		})
	}
}
