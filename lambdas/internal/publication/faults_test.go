package publication

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithy "github.com/aws/smithy-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// Two builds: the first one is published, the second one breaks off.
var (
	firstBuild  = blog.with(files{"old/index.html": "old", "old.png": "old"})
	secondBuild = blog.with(files{"index.html": "second", "css/main.css": "second", "new/index.html": "new", "new.png": "new", "images/photo.jpg": ""})
)

// strike returns hooks that let the n-th call fail, before or after S3 has done it, and
// the operation of that call.
func strike(n int64, after bool, fault error) (before, later func(objecttest.Call) error, operation *atomic.Value) {
	var calls atomic.Int64
	operation = &atomic.Value{}
	hook := func(c objecttest.Call) error {
		if c.N > 0 && calls.Add(1) == n {
			operation.Store(c.Operation)
			return fault
		}
		return nil
	}
	if after {
		return nil, hook, operation
	}
	return hook, nil, operation
}

// Whatever happens to any call, the next publication leaves the bucket as it should be,
// and all that has changed is noted for the invalidation.
func TestPublishAfterAnyFault(t *testing.T) {
	for _, fault := range []struct {
		name  string
		err   error
		after bool
		// survives is true if the publication that is struck succeeds.
		survives bool
	}{
		{name: "crash before", err: objecttest.ErrCrash},
		{name: "crash after", err: objecttest.ErrCrash, after: true},
		{name: "reset before", err: objecttest.ErrReset, survives: true},
		{name: "reset after", err: objecttest.ErrReset, after: true, survives: true},
		{name: "throttled", err: objecttest.Throttles(), survives: true},
		{name: "denied", err: objecttest.Denies()},
	} {
		for _, next := range []struct {
			name  string
			job   string
			build files
		}{
			{"the same job", "two", secondBuild},
			{"another job with the same build", "three", secondBuild},
			{"another job with the first build", "three", firstBuild},
			{"another job with a third build", "three", files{"index.html": "third", "a/index.html": "third"}},
		} {
			t.Run(fault.name+"/"+next.name, func(t *testing.T) {
				for n := int64(1); ; n++ {
					if !publishAndStrike(t, n, fault.err, fault.after, fault.survives, next.job, next.build) {
						if n < 10 {
							t.Fatalf("there are only %d calls", n-1)
						}
						break
					}
				}
			})
		}
	}
}

// publishAndStrike returns false if there is no n-th call.
func publishAndStrike(t *testing.T, n int64, fault error, after, survives bool, job string, build files) (struck bool) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		foreign := files{"theirs.html": "theirs", "new/theirs.png": "theirs"}
		for key, content := range foreign {
			w.s3.Set(site, key, []byte(content))
		}
		w.settings.MaxDeletePercent = 100
		w.must("one", firstBuild)
		if err := w.clear(); err != nil {
			t.Fatal(err)
		}
		before := w.s3.Objects(site)
		time.Sleep(time.Hour)

		var operation *atomic.Value
		w.before, w.after, operation = strike(n, after, fault)
		_, err := w.publish(t.Context(), w.request("two", secondBuild))
		struck = operation.Load() != nil
		w.before, w.after = nil, nil
		known := (*failure.Failure)(nil)
		// The build is copied beside all else. If that call is the last one, the rest is done
		// before the process ends.
		crashed := struck && errors.Is(fault, objecttest.ErrCrash) && operation.Load() != "CopyObject"
		switch {
		case err != nil && !errors.As(err, &known):
			t.Fatalf("call %d: %v, want a failure", n, err)
		case survives && err != nil:
			t.Fatalf("call %d: %v, want success", n, err)
		case crashed && err == nil:
			t.Fatalf("call %d: a process that has ended succeeds", n)
		}
		if err != nil && errors.Is(fault, objecttest.Denies()) {
			if known.Kind != failure.Permission {
				t.Errorf("call %d: kind %v, want permission: %v", n, known.Kind, err)
			}
		}
		finished := w.finished("two")

		time.Sleep(leaseTime)
		if _, err := w.publish(t.Context(), w.request(job, build)); err != nil {
			t.Fatalf("call %d: the next publication: %v", n, err)
		}
		want := build
		if finished && job == "two" {
			want = secondBuild
		}
		// Pages that have left are gone, and other files that were there are kept for a while.
		got := files{}
		for key, object := range w.s3.Objects(site) {
			got[key] = string(object.Content)
		}
		state := w.state()
		for key := range state.Retired {
			if want[key] != "" || strings.HasSuffix(key, ".html") {
				t.Errorf("call %d: %s is retired", n, key)
			}
			delete(got, key)
		}
		if !maps.Equal(got, want.with(foreign)) {
			t.Errorf("call %d: the bucket has %v, want %v", n, got, want.with(foreign))
		}
		// All that is another object now, or none, is to be cleared.
		now := w.s3.Objects(site)
		for key := range maps.Keys(merged(before, now)) {
			if fmt.Sprint(before[key]) != fmt.Sprint(now[key]) && state.Touched[key] == 0 && state.ClearAll == 0 && before[key].ETag != "" {
				t.Errorf("call %d: %s has changed and is not noted", n, key)
			}
		}
		// The manifest says what is there.
		for key, file := range w.manifest(state.Current).Files {
			if now[key].ETag != file.ETag || now[key].CacheControl != file.Headers.CacheControl || now[key].Metadata[contract.MetadataCacheTag] != file.Tag {
				t.Errorf("call %d: the manifest has %s as %+v, and it is %+v", n, key, file, now[key])
			}
		}
	})
	return struck
}

func merged(a, b map[string]objecttest.Object) map[string]objecttest.Object {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// clear notes that the cache was cleared.
func (w *world) clear() error {
	_, err := release.Store{S3: &objecttest.Client{S3: w.s3}, Bucket: releases}.Update(w.Context(), func(s *release.State) error {
		s.Clear(s.Number)
		return nil
	})
	return err
}

// finished reports whether a job has committed.
func (w *world) finished(job string) bool {
	state := w.state()
	_, ok := state.Finished(job)
	return ok
}

// A failure says what happened to which object, and what to do. Nothing was written before
// a refusal, and the next publication need not wait for a lease.
func TestPublishFails(t *testing.T) {
	on := func(operation, bucket, key string, err error) func(*world, *Request) {
		return func(w *world, _ *Request) {
			w.before = func(c objecttest.Call) error {
				if c.Operation == operation && c.Bucket == bucket && strings.HasPrefix(c.Key, key) {
					return err
				}
				return nil
			}
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*world, *Request)
		kind   failure.Kind
		want   []string
		// untouched is true if nothing of the site is written.
		untouched bool
	}{
		{name: "no archive", change: func(_ *world, r *Request) { r.Key = "gone.zip" }, kind: failure.Configuration, want: []string{"open the build s3://builds/gone.zip", "NoSuchKey"}, untouched: true},
		{name: "no right to the archive", change: on("GetObject", artifacts, "", objecttest.Denies()), kind: failure.Permission, want: []string{"open the build s3://builds/two.zip", "AccessDenied", "role"}, untouched: true},
		{name: "no archive but a text", change: func(w *world, r *Request) { w.s3.Set(artifacts, r.Key, []byte("<html>")) }, kind: failure.Configuration, want: []string{"nothing was published: the build's archive"}, untouched: true},
		{name: "a hostile archive", change: func(w *world, r *Request) { *r = w.request(r.Job, secondBuild.with(files{"../../etc/passwd": "x"})) }, kind: failure.Configuration, want: []string{`nothing was published: the build's archive has "../../etc/passwd"`}, untouched: true},
		{name: "an archive that lies", change: func(w *world, r *Request) {
			w.s3.Set(artifacts, r.Key, bytes.Replace(stored(t, secondBuild), []byte("second"), []byte("secone"), 1))
		}, kind: failure.Configuration, want: []string{`only a part of the build may be published: the build's archive has "css/main.css"`}},
		{name: "an empty build", change: func(w *world, r *Request) { *r = w.request(r.Job, files{"a.html": "a"}) }, kind: failure.Configuration, want: []string{"no index.html"}, untouched: true},
		{name: "no bucket", change: func(w *world, _ *Request) { w.settings.Bucket = "no-such-bucket" }, kind: failure.Configuration, want: []string{"list s3://no-such-bucket/", "NoSuchBucket", "Check the blog's Deploy.Bucket"}, untouched: true},
		{name: "no right to list", change: on("ListObjectsV2", site, "", objecttest.Denies()), kind: failure.Permission, want: []string{"list s3://site/", "AccessDenied"}, untouched: true},
		{name: "no right to put", change: on("PutObject", site, "css/", objecttest.Denies()), kind: failure.Permission, want: []string{"put s3://site/css/main.css", "AccessDenied", "the blog's Deploy.EncryptionKeyARN"}},
		{name: "no right to remove", change: on("DeleteObjects", site, "old/", objecttest.Denies()), kind: failure.Permission, want: []string{"remove old/index.html from s3://site", "Access Denied"}},
		{name: "throttled all the time", change: on("PutObject", site, "index.html", objecttest.Throttles()), kind: failure.Unavailable, want: []string{"put s3://site/index.html", "SlowDown", again}},
		{name: "throttled within an answer", change: on("DeleteObjects", site, "old/", objecttest.Throttles()), kind: failure.Unavailable, want: []string{"remove old/index.html from s3://site: SlowDown", again}},
		{name: "no connection", change: on("PutObject", site, "index.html", objecttest.ErrReset), kind: failure.Unavailable, want: []string{"put s3://site/index.html", "connection reset", again}},
		{name: "no right to the state", change: on("PutObject", releases, contract.ReleaseState, objecttest.Denies()), kind: failure.Permission, want: []string{"write s3://releases/" + contract.ReleaseState, "AccessDenied"}, untouched: true},
		{name: "no right to the manifests", change: on("PutObject", releases, contract.ReleaseManifests, objecttest.Denies()), kind: failure.Permission, want: []string{"write s3://releases/" + contract.ReleaseManifests, "AccessDenied"}},
		{name: "a broken manifest", change: func(w *world, _ *Request) {
			w.s3.Set(releases, contract.ReleaseManifests+w.state().Current+".json.gz", []byte("{}"))
		}, want: []string{"decode s3://releases/" + contract.ReleaseManifests, "Delete this object"}, kind: failure.Unavailable, untouched: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.must("one", firstBuild)
				settings, before := w.settings, w.s3.Objects(site)
				req := w.request("two", secondBuild)
				tt.change(w, &req)
				_, err := w.publish(t.Context(), req)
				known := (*failure.Failure)(nil)
				if !errors.As(err, &known) || known.Kind != tt.kind {
					t.Fatalf("%v, want a failure of the kind %v", err, tt.kind)
				}
				for _, want := range tt.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("the failure is %q, want %q in it", err, want)
					}
				}
				if same := fmt.Sprint(before) == fmt.Sprint(w.s3.Objects(site)); same != tt.untouched {
					t.Errorf("nothing was written: %v, want %v", same, tt.untouched)
				}
				if tt.name == "a broken manifest" || tt.name == "no right to the state" {
					return // which the next publication meets, too
				}
				w.before, w.settings = nil, settings
				w.must("three", secondBuild)
			})
		})
	}
}

// never is a releases bucket to which S3 never copies.
type never struct{ release.Store }

func (never) KeepBuild(ctx context.Context, _, _, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

// The build could not be copied, which is no reason to fail.
func TestPublishWithoutKeepingTheBuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.before = func(c objecttest.Call) error {
			if c.Operation == "CopyObject" {
				return objecttest.Denies()
			}
			return nil
		}
		got := w.must("one", blog)
		if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "cannot be published again: copy s3://builds/one.zip") {
			t.Errorf("notes are %q, want one about the build", got.Notes)
		}

		begin, client := time.Now(), &objecttest.Client{S3: w.s3}
		p := Publisher{S3: client, Releases: never{release.Store{S3: client, Bucket: releases}}, Settings: w.settings, Again: again}
		got, err := p.Publish(within(t, 15*time.Minute), slog.New(slog.DiscardHandler), w.request("two", secondBuild))
		if err != nil || len(got.Notes) != 1 || time.Since(begin) != keepTime {
			t.Errorf("without an answer: %+v, %v after %v, want a note after %v", got, err, time.Since(begin), keepTime)
		}
	})
}

// garbage is an S3 whose first answers are not S3's.
type garbage struct {
	*objecttest.Client
	puts, removals, lists int
}

func (g *garbage) PutObject(ctx context.Context, in *s3.PutObjectInput, options ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	if *in.Key == "index.html" && g.puts > 0 {
		g.puts--
		_, err := io.Copy(io.Discard, in.Body)
		return &s3.PutObjectOutput{}, err
	}
	return g.Client.PutObject(ctx, in, options...)
}

func (g *garbage) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput, options ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error) {
	if g.removals > 0 {
		g.removals--
		return &s3.DeleteObjectsOutput{}, nil
	}
	return g.Client.DeleteObjects(ctx, in, options...)
}

func (g *garbage) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, options ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	if g.lists > 0 {
		g.lists--
		if g.lists%2 == 0 {
			return &s3.ListObjectsV2Output{}, nil
		}
		return nil, &smithy.DeserializationError{Err: io.ErrUnexpectedEOF}
	}
	return g.Client.ListObjectsV2(ctx, in, options...)
}

// An answer with status 200 that is not S3's is not believed.
func TestPublishDoesNotBelieveOtherAnswers(t *testing.T) {
	for _, tt := range []struct {
		name  string
		s3    garbage
		fails string
	}{
		{name: "once", s3: garbage{puts: 1, removals: 1, lists: 2}},
		{name: "puts", s3: garbage{puts: 9}, fails: "put s3://site/index.html: the answer has no ETag"},
		{name: "removals", s3: garbage{removals: 9}, fails: "remove old/index.html from s3://site: S3 does not say that it has"},
		{name: "lists", s3: garbage{lists: 9}, fails: "list s3://site/: the answer counts no keys, so it is not S3's"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.must("one", firstBuild)
				tt.s3.Client = &objecttest.Client{S3: w.s3}
				p := Publisher{S3: &tt.s3, Releases: release.Store{S3: tt.s3.Client, Bucket: releases}, Settings: w.settings, Again: again}
				_, err := p.Publish(t.Context(), slog.New(slog.DiscardHandler), w.request("two", secondBuild))
				if tt.fails == "" {
					if err != nil {
						t.Fatal(err)
					}
					w.has(secondBuild.with(files{"images/photo.jpg": "photo", "old.png": "old"}))
					return
				}
				known := (*failure.Failure)(nil)
				if !errors.As(err, &known) || known.Kind != failure.Unavailable || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("%v, want a failure with %q", err, tt.fails)
				}
			})
		})
	}
}
