package publication

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
)

// slow lets each put of a file take a time.
func slow(d time.Duration) func(objecttest.Call) error {
	return func(c objecttest.Call) error {
		if c.Operation == "PutObject" && c.Bucket == site {
			time.Sleep(d)
		}
		return nil
	}
}

// within returns a context as a function has it.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// While one publishes, everybody else waits: another job, and the same job that was
// delivered a second time.
func TestPublishWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.before = slow(25 * time.Second) // 4 waves of 25 seconds
		var first sync.WaitGroup
		req := w.request("one", blog)
		first.Go(func() {
			if result, err := w.publish(within(t, 15*time.Minute), req); err != nil || result.Put != 7 {
				t.Errorf("the first one: %+v, %v", result, err)
			}
		})
		for range 8 { // 80 seconds: the lease is prolonged
			time.Sleep(10 * time.Second)
			for _, job := range []string{"one", "two"} {
				other := &world{T: t, s3: w.s3, settings: w.settings}
				result, err := other.publish(within(t, 15*time.Minute), other.request(job, blog))
				if left := time.Until(result.Busy); err != nil || left < leaseTime/6 || left > leaseTime || len(other.calls) != 1 {
					t.Errorf("job %s: %+v, %v after %d calls; busy for %v, want for less than a minute", job, result, err, len(other.calls), left)
				}
			}
		}
		first.Wait()
		w.before = nil
		w.result(w.must("two", blog), Result{Unchanged: 7})
	})
}

// The same job, delivered again, publishes once.
func TestPublishOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.must("one", blog)
		w.result(w.must("one", blog), first)
		if len(w.calls) != 2 {
			t.Errorf("%d calls, want the state and the manifest to be read: %v", len(w.calls), w.calls)
		}
		nothing := w.must("two", blog)
		w.result(w.must("two", blog), nothing)

		w.must("three", blog.with(files{"index.html": "three"}))
		w.result(w.must("one", blog), first)
		w.has(blog.with(files{"index.html": "three"}))
	})
}

// A job that comes back after another one has begun does not write over it.
func TestPublishTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.before, _, _ = strike(8, false, objecttest.ErrCrash)
		if _, err := w.publish(t.Context(), w.request("one", blog)); err == nil {
			t.Fatal("a process that has ended succeeds")
		}
		w.before = nil
		time.Sleep(leaseTime)
		build := blog.with(files{"index.html": "two"})
		w.must("two", build)
		_, err := w.publish(t.Context(), w.request("one", blog))
		known := (*failure.Failure)(nil)
		if !errors.As(err, &known) || known.Kind != failure.Other || !strings.Contains(err.Error(), "another publication has begun since") {
			t.Errorf("%v, want a failure that says so", err)
		}
		w.has(build)
	})
}

// A publication that cannot prolong its lease ends before another one may begin.
func TestPublishEndsBeforeItsLease(t *testing.T) {
	for _, tt := range []struct {
		name  string
		renew func(objecttest.Call) error
	}{
		{"the state is denied", func(objecttest.Call) error { return objecttest.Denies() }},
		{"the state does not answer", func(objecttest.Call) error { time.Sleep(time.Hour); return objecttest.ErrReset }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				begin := time.Now()
				w.before = func(c objecttest.Call) error {
					if since := time.Since(begin); c.Bucket == site && since > leaseTime*5/6 {
						t.Errorf("%v after %v, when the lease is as good as over", c, since)
					}
					if c.Bucket == releases && time.Since(begin) >= leaseTime/3 {
						return tt.renew(c)
					}
					return slow(15 * time.Second)(c)
				}
				build := blog.with(files{})
				for i := range 640 {
					build[fmt.Sprintf("%03d.png", i)] = "png"
				}
				result, err := w.publish(within(t, 15*time.Minute), w.request("one", build))
				if err == nil || !strings.Contains(err.Error(), errLeaseOver.Error()) {
					t.Errorf("%+v, %v, want a failure that says so", result, err)
				}
				w.before = nil
				time.Sleep(leaseTime)
				w.must("two", build)
				w.has(build)
			})
		})
	}
}

// A claim whose answer takes as long as the lease does not end the publication.
func TestPublishAfterASlowClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.after = func(c objecttest.Call) error {
			if c.N == 2 {
				time.Sleep(leaseTime - time.Second)
			}
			return nil
		}
		w.must("one", blog)
		w.has(blog)
	})
}

// A commit whose answer takes longer than the time to the next renewal of the lease is
// no lease that was lost.
func TestPublishWithASlowCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		writes := 0
		w.after = func(c objecttest.Call) error {
			if c.Operation == "PutObject" && c.Key == contract.ReleaseState {
				if writes++; writes == 3 { // after the claim and the intent
					time.Sleep(leaseTime * 5 / 12)
				}
			}
			return nil
		}
		w.must("one", blog)
		if writes != 3 {
			t.Errorf("wrote the state %d times, want 3 times, so that the last one is the commit", writes)
		}
		w.has(blog)
	})
}

// A blog that takes longer than one call goes on from where it was, and says in the end
// what all of them did.
func TestPublishInSeveralCalls(t *testing.T) {
	for _, tt := range []struct {
		name string
		// between is what happens after the first call.
		between func(w *world)
	}{
		{name: "as planned"},
		{name: "with a crash between them", between: func(w *world) {
			w.before, _, _ = strike(20, false, objecttest.ErrCrash)
			if _, err := w.publish(within(w.T, 5*time.Minute), Request{Job: "two", Bucket: artifacts, Key: "two.zip"}); err == nil {
				w.Error("a process that has ended succeeds")
			}
			time.Sleep(leaseTime)
		}},
		{name: "with an edit by hand between them", between: func(w *world) { w.s3.Set(site, "000.png", []byte("edited")) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.settings.MaxDeletePercent = 100
				w.must("one", firstBuild)
				build := files{"index.html": "home", "css/main.css": "css"}
				for i := range 640 {
					build[fmt.Sprintf("%03d.png", i)] = "png"
				}
				put := map[string]int{}
				var mu sync.Mutex
				pace := func(c objecttest.Call) error {
					if c.Operation == "PutObject" && c.Bucket == site {
						mu.Lock()
						put[c.Key]++
						mu.Unlock()
					}
					return slow(50 * time.Second)(c) // for 64 at a time
				}
				req := w.request("two", build)
				var got Result
				calls := 0
				for calls = 1; calls < 10; calls++ {
					w.before = pace
					var err error
					if got, err = w.publish(within(t, 5*time.Minute), req); err != nil {
						t.Fatalf("call %d: %v", calls, err)
					}
					if !got.Again {
						break
					}
					if tt.between != nil {
						if calls == 1 {
							tt.between(w)
						}
						continue
					}
					other := &world{T: t, s3: w.s3, settings: w.settings}
					if result, err := other.publish(t.Context(), other.request("three", build)); err != nil || result.Busy.IsZero() {
						t.Errorf("another job between the calls: %+v, %v, want it to wait", result, err)
					}
				}
				if calls < 3 {
					t.Errorf("%d calls, want several", calls)
				}
				retired := files{}
				for _, name := range []string{"images/photo.jpg", "js/app.1a2b3c4d5e6f7a8b.js", "old.png"} {
					retired[name] = firstBuild[name]
				}
				w.has(build.with(retired))
				if got.Removed != 4 || got.Retired != 3 || got.Put < 642 || got.Put > 650 || got.Bytes < 640*3+7 {
					t.Errorf("in the end: %+v, want 642 or a few more put, 4 removed and 3 retired", got)
				}
				if tt.between == nil {
					w.result(got, Result{IsNew: true, Put: 642, Removed: 4, Retired: 3, Bytes: 640*3 + 7, Reasons: map[Reason]int{New: 640, Content: 2}})
					for key, n := range put {
						if n != 1 {
							t.Errorf("%s was put %d times", key, n)
						}
					}
				}
				state := w.state()
				if len(state.Retired) != 3 || state.Job != "" || w.manifest(state.Current).Unfinished {
					t.Errorf("state is %+v, want that of a finished release", state)
				}
				// All files of one job have one tag.
				for key, object := range w.s3.Objects(site) {
					if build[key] != "" && object.Metadata[contract.MetadataCacheTag] != "r-"+got.Release {
						t.Errorf("%s has the metadata %v, want the tag of %s", key, object.Metadata, got.Release)
					}
				}
				w.before = nil
				w.result(w.must("two", build), got)
				w.result(w.must("four", build), Result{Unchanged: 642, Retired: 3})
			})
		})
	}
}

// The first publication, too, may take several calls. What it has put is not left behind
// if another build comes instead.
func TestPublishTheFirstTimeInSeveralCalls(t *testing.T) {
	for _, next := range []string{"one", "two"} {
		t.Run("then job "+next, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.settings.MaxDeletePercent, w.settings.Grace = 100, 0
				build := large(300, 300)
				w.before = slow(50 * time.Second)
				got, err := w.publish(within(t, 5*time.Minute), w.request("one", build))
				if err != nil || !got.Again || got.Put != 300 || got.Unchanged != 0 || w.state().ClearAll == 0 {
					t.Fatalf("%+v, %v, want 300 put and all to be cleared", got, err)
				}
				w.before = nil
				if next == "one" {
					w.result(w.must(next, build), Result{IsNew: true, Put: 601, Bytes: 300*5 + 300*4 + 4, Reasons: map[Reason]int{New: 601}})
				} else {
					build = files{"index.html": "home"}
					time.Sleep(continueWithin)
					w.must(next, build)
				}
				w.has(build)
			})
		})
	}
}

// A call may end among its removals, too.
func TestPublishRemovesInSeveralCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.settings.MaxDeletePercent = 100
		w.must("one", large(2*maxRemovals, 0))
		w.before = func(c objecttest.Call) error {
			if c.Operation == "DeleteObjects" && c.N > 0 {
				time.Sleep(4 * time.Minute)
			}
			return nil
		}
		req := w.request("two", files{"index.html": "home"})
		got, err := w.publish(within(t, 5*time.Minute), req)
		if err != nil || !got.Again || got.Removed != maxRemovals {
			t.Fatalf("%+v, %v, want half of the removals", got, err)
		}
		if got, err = w.publish(within(t, 5*time.Minute), req); err != nil {
			t.Fatal(err)
		}
		w.result(got, Result{IsNew: true, Unchanged: 1, Removed: 2 * maxRemovals})
		w.has(files{"index.html": "home"})
	})
}

// If the time is over before S3 has answered, nobody knows which headers an object has.
func TestPublishWhatIsUnsure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.must("one", blog)
		w.settings.Headers = []contract.HeaderRule{{Match: "*", CacheControl: "no-store"}}
		w.after = func(c objecttest.Call) error {
			if c.Key == "a/index.html" {
				time.Sleep(5 * time.Minute)
				return objecttest.ErrReset
			}
			return nil
		}
		got, err := w.publish(within(t, 5*time.Minute), w.request("two", blog))
		if err != nil || !got.Again || got.Put != 4 {
			t.Fatalf("%+v, %v, want what comes before and beside the page", got, err)
		}
		if page, _ := w.s3.Object(site, "a/index.html"); page.CacheControl != "no-store" {
			t.Fatalf("the page is %+v, want it to be put", page)
		}
		// The owner takes the rule back.
		w.after, w.settings.Headers = nil, nil
		time.Sleep(continueWithin)
		w.must("three", blog)
		if page, _ := w.s3.Object(site, "a/index.html"); page.CacheControl == "no-store" {
			t.Errorf("the page is %+v, want its old headers", page)
		}
	})
}

// A call without any progress does not go on for ever.
func TestPublishWithoutProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.before = func(c objecttest.Call) error {
			if c.Operation == "ListObjectsV2" {
				time.Sleep(14 * time.Minute)
			}
			return nil
		}
		_, err := w.publish(within(t, 15*time.Minute), w.request("one", blog))
		known := (*failure.Failure)(nil)
		if !errors.As(err, &known) || known.Kind != failure.Late || !strings.Contains(err.Error(), again) {
			t.Errorf("%v, want a failure that is late", err)
		}
	})
}
