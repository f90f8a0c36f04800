package publication

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// publisher returns a publisher of the world's blog.
func (w *world) publisher() (Publisher, *objecttest.Client) {
	client := &objecttest.Client{S3: w.s3, Before: w.before, Attempts: 3}
	return Publisher{S3: client, Releases: release.Store{S3: client, Bucket: releases}, Settings: w.settings, Again: again}, client
}

// restore publishes a release again.
func (w *world) restore(job, id string) (Result, error) {
	w.Helper()
	return w.publish(w.Context(), Request{Job: job, Restores: id, By: "me"})
}

// mustRestore publishes a release again, which must succeed.
func (w *world) mustRestore(job, id string) Result {
	w.Helper()
	result, err := w.restore(job, id)
	if err != nil || result.Again || !result.Busy.IsZero() {
		w.Fatalf("job %s: %+v, %v, want it to publish %s", job, result, err, id)
	}
	return result
}

// refuses checks that a publication fails with a message, and that nothing was written to
// the site.
func (w *world) refuses(err error, kind failure.Kind, want string) {
	w.Helper()
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok || f.Kind != kind || !strings.Contains(f.Message, want) {
		w.Errorf("got %v, want a failure of kind %v with %q", err, kind, want)
	}
}

// A release is published again as a release of its own, from the build that was kept. The
// next push goes on as always.
func TestRestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.must("one", blog)
		time.Sleep(time.Hour)
		bad := blog.with(files{"index.html": "broken", "b/index.html": "", "new/index.html": "new", "images/photo.jpg": ""})
		second := w.must("two", bad)
		if err := w.clear(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)

		back := w.mustRestore("back", first.Release)
		if back.Release == first.Release || back.Restores != first.Release || !back.IsNew || back.Put != 3 || back.Removed != 1 {
			t.Errorf("the result is %+v, want a new release that puts 3 and removes 1", back)
		}
		w.has(blog)
		manifest, state := w.manifest(back.Release), w.state()
		if manifest.Restores != first.Release || manifest.By != "me" || manifest.Revision != "revision-one" || manifest.Execution != "" || manifest.Number != 3 {
			t.Errorf("the manifest says %+v", manifest)
		}
		if state.Current != back.Release || len(state.Touched) != 4 || state.Job != "" {
			t.Errorf("the state is %+v, want the restored release and 4 keys to clear", state)
		}
		if tag := manifest.Files["index.html"].Tag; tag != "r-"+back.Release {
			t.Errorf("the home page has the tag %s, want that of the new release", tag)
		}
		if manifest.Files["index.html"].Replaced != "r-"+second.Release {
			t.Errorf("the home page replaces %q, want what readers have", manifest.Files["index.html"].Replaced)
		}
		if _, kept := w.s3.Object(releases, contract.ReleaseArtifacts+back.Release+".zip"); !kept {
			t.Error("the build of the new release is not kept")
		}

		// Delivered again, also after the builds are gone, it tells the same.
		w.s3.Delete(releases, contract.ReleaseArtifacts+first.Release+".zip")
		if again := w.mustRestore("back", first.Release); !reflect.DeepEqual(again, back) || len(w.calls) > 3 {
			t.Errorf("the second delivery: %+v with %v, want %+v", again, w.calls, back)
		}
		// Another request by the same job would be told what it has not asked for.
		_, err := w.restore("two", first.Release)
		w.refuses(err, failure.Configuration, "the job two has published something else before, as release "+second.Release)
		// The release that was restored can be restored, and leads to the first one.
		time.Sleep(time.Hour)
		w.must("three", bad)
		time.Sleep(time.Hour)
		twice := w.mustRestore("back again", back.Release)
		if twice.Restores != first.Release || w.manifest(twice.Release).Revision != "revision-one" {
			t.Errorf("restored %s, want the origin %s", twice.Restores, first.Release)
		}
		w.has(blog)
		// The same once more changes nothing, and is no release.
		nothing := w.mustRestore("nothing", twice.Release)
		w.result(nothing, Result{Release: twice.Release, Unchanged: 7})
		next := w.must("four", bad)
		w.result(next, Result{IsNew: true, Put: 2, Unchanged: 4, Removed: 1, Retired: 1, Bytes: 9, Reasons: map[Reason]int{Content: 1, New: 1}})
	})
}

func TestRestoreRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.must("one", blog)
		time.Sleep(time.Hour)
		w.must("two", blog.with(files{"index.html": "broken"}))
		part := *w.manifest(first.Release)
		part.ID, part.Unfinished = release.NewID(time.Now(), "part"), true
		store := release.Store{S3: &objecttest.Client{S3: w.s3}, Bucket: releases}
		if err := store.PutManifest(t.Context(), &part); err != nil {
			t.Fatal(err)
		}
		unknown := release.NewID(time.Now(), "unknown")
		before := w.s3.Objects(site)
		for _, tt := range []struct{ id, want string }{
			{"../state", `"../state" is no id of a release, such as 2000`},
			{unknown, "there is no release " + unknown + ". Choose one from the list of releases"},
			{part.ID, "only a part of a build"},
		} {
			_, err := w.restore("back", tt.id)
			w.refuses(err, failure.Configuration, tt.want)
			p, _ := w.publisher()
			_, err = p.Foresee(t.Context(), Request{Restores: tt.id})
			w.refuses(err, failure.Configuration, tt.want)
		}
		w.s3.Delete(releases, contract.ReleaseArtifacts+first.Release+".zip")
		_, err := w.restore("back", first.Release)
		w.refuses(err, failure.Configuration, contract.ReleaseArtifacts+first.Release+".zip is not there any more: builds are kept for the blog's Deploy.KeepDays")
		if !reflect.DeepEqual(w.s3.Objects(site), before) {
			t.Error("a refused request changes the site")
		}
		if state := w.state(); time.Now().Before(state.Until) {
			t.Errorf("after the refusals the lease is %+v, want none", state)
		}
		w.must("three", blog)
	})
}

// A job that names the release that it takes back leaves any other one alone, and still goes
// on with its own work.
func TestRestoreInPlaceOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.must("one", blog)
		time.Sleep(time.Hour)
		bad := w.must("two", blog.with(files{"index.html": "broken"}))
		time.Sleep(time.Hour)
		w.must("three", blog.with(files{"index.html": "mended"}))
		before := w.s3.Objects(releases)
		_, err := w.publish(t.Context(), Request{Job: "late", Restores: first.Release, Current: bad.Release})
		w.refuses(err, failure.Other, "by now, and not "+bad.Release+" any more")
		if !reflect.DeepEqual(before, w.s3.Objects(releases)) {
			t.Error("a refused job claims the lease")
		}
		time.Sleep(time.Hour)
		bad = w.must("four", blog.with(files{"index.html": "broken again"}))
		request := Request{Job: "back", Restores: first.Release, Current: bad.Release}
		w.before = func(call objecttest.Call) error { // The first call dies at its commit.
			if call.Operation == "PutObject" && strings.HasPrefix(call.Key, contract.ReleaseManifests) {
				return objecttest.ErrCrash
			}
			return nil
		}
		if _, err := w.publish(t.Context(), request); err == nil {
			t.Fatal("a call that dies succeeds")
		}
		w.before = nil
		time.Sleep(time.Hour)
		for range 2 {
			if got, err := w.publish(t.Context(), request); err != nil || got.Restores != first.Release {
				t.Fatalf("afterwards: %+v, %v, want the release", got, err)
			}
		}
		w.has(blog)
	})
}

// A job that needs several calls goes on, although the bucket has another release than the
// one that it takes back as soon as it has paused.
func TestRestoreInPlaceOfGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		build := large(300, 300)
		first := w.must("one", build)
		time.Sleep(time.Hour)
		broken := files{}
		for name, content := range build {
			broken[name] = content + "!"
		}
		bad := w.must("two", broken)
		request := Request{Job: "back", Restores: first.Release, Current: bad.Release}
		w.before = slow(50 * time.Second)
		got, err := w.publish(within(t, 5*time.Minute), request)
		if err != nil || !got.Again || w.state().Current == bad.Release {
			t.Fatalf("%+v, %v, want a part that is noted as a release", got, err)
		}
		w.before = nil
		if got, err = w.publish(t.Context(), request); err != nil || got.Again || got.Restores != first.Release {
			t.Fatalf("afterwards: %+v, %v, want the release", got, err)
		}
		w.has(build)
	})
}

// A look tells what the publication then does, and writes nothing.
func TestForesee(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.must("one", blog)
		time.Sleep(time.Hour)
		second := w.must("two", blog.with(files{"index.html": "broken", "b/index.html": "", "new/index.html": "new"}))
		if err := w.clear(); err != nil {
			t.Fatal(err)
		}
		foresee := func(req Request) (Foreseen, error) {
			t.Helper()
			before, state := w.s3.Objects(site), w.s3.Objects(releases)
			p, client := w.publisher()
			foreseen, err := p.Foresee(t.Context(), req)
			if !reflect.DeepEqual(before, w.s3.Objects(site)) || !reflect.DeepEqual(state, w.s3.Objects(releases)) {
				t.Error("a look writes")
			}
			for _, call := range client.Calls() {
				if call.Operation != "GetObject" && call.Operation != "ListObjectsV2" {
					t.Errorf("a look calls %s", call)
				}
			}
			return foreseen, err
		}
		got, err := foresee(Request{Restores: first.Release})
		want := Foreseen{Difference: contract.Difference{Put: 2, Removed: 1, Bytes: 23, Touched: []string{"b/index.html", "index.html", "new/index.html"}}, Current: second.Release}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("foresees %+v, %v, want %+v", got, err, want)
		}
		if got, err = foresee(Request{Restores: second.Release}); err != nil || got.Put+got.Removed != 0 || got.Current != second.Release {
			t.Errorf("of the current release it foresees %+v, %v, want nothing", got, err)
		}

		// While another publication is at work, it says so.
		store := release.Store{S3: &objecttest.Client{S3: w.s3}, Bucket: releases}
		until := time.Now().Add(time.Minute)
		_, err = store.Update(t.Context(), func(s *release.State) error {
			return s.Claim(release.Holder{Job: "other", Run: "1"}, time.Now(), until)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err = foresee(Request{Restores: first.Release}); err != nil || !got.Busy.Equal(until) || got.Put != 2 {
			t.Errorf("beside another publication it foresees %+v, %v, want it busy until %s", got, err, until)
		}
		time.Sleep(2 * time.Minute)
		done := w.mustRestore("back", first.Release)
		if done.Put != 2 || done.Removed != 1 || done.Bytes != 23 {
			t.Errorf("published %+v, which is not what was foreseen", done)
		}
		if touched := w.state().Touched; !reflect.DeepEqual(slices.Sorted(maps.Keys(touched)), want.Touched) {
			t.Errorf("touched %v, want %v", touched, want.Touched)
		}
	})
}

// A refused plan is shown, too.
func TestForeseeRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		few := w.must("one", blog)
		many := files{}
		for i := range 30 {
			many[fmt.Sprintf("posts/%d/index.html", i)] = "post"
		}
		time.Sleep(time.Hour)
		w.must("two", blog.with(many))
		p, _ := w.publisher()
		got, err := p.Foresee(t.Context(), Request{Restores: few.Release})
		w.refuses(err, failure.Configuration, "30 of the blog's 36 files")
		if got.Removed != 30 || len(got.Touched) != 30 {
			t.Errorf("foresees %+v, want 30 to be removed", got)
		}
		if got, err := p.Foresee(t.Context(), Request{Restores: few.Release, AllowDeletions: true}); err != nil || got.Removed != 30 {
			t.Errorf("with deletions allowed it foresees %+v, %v", got, err)
		}
		w.before = func(objecttest.Call) error { return objecttest.Denies() }
		p, _ = w.publisher()
		_, err = p.Foresee(context.Background(), Request{Restores: few.Release})
		w.refuses(err, failure.Permission, "The function's role must allow this")
	})
}

// A difference fits into an answer.
func TestDifferenceIsLimited(t *testing.T) {
	var p plan
	for i := range 12_000 {
		p.puts = append(p.puts, put{key: fmt.Sprintf("%05d", i)})
	}
	if d := p.difference(); d.Put != 12_000 || len(d.Touched) != maxListed || d.Touched[0] != "00000" {
		t.Errorf("lists %d of %d, want %d", len(d.Touched), d.Put, maxListed)
	}
	for i := range p.puts {
		p.puts[i].key = strings.Repeat("あ", 300) + p.puts[i].key
	}
	if text := contract.JSON(p.difference()); len(text) > maxListedBytes+maxListed+100 || len(text) < maxListedBytes/2 {
		t.Errorf("the difference has %d bytes", len(text))
	}
}
