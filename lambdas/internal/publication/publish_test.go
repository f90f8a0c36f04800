package publication

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/archive/archivetest"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// world is a blog's buckets, for any number of publications.
type world struct {
	*testing.T
	s3       *objecttest.S3
	settings Settings
	// before and after are hooks of the next publications.
	before, after func(objecttest.Call) error
	// calls are those of the last publication.
	calls []objecttest.Call
	log   bytes.Buffer
}

const (
	site, releases, artifacts = "site", "releases", "builds"
	again                     = "do it again"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{T: t, s3: objecttest.New(site, releases, artifacts), settings: Settings{Bucket: site, Grace: 24 * time.Hour, MaxDeletePercent: 30}}
}

// files are those of a build.
type files map[string]string

// with returns the files with others; those of "" are left out.
func (f files) with(others files) files {
	all := maps.Clone(f)
	maps.Copy(all, others)
	maps.DeleteFunc(all, func(_, content string) bool { return content == "" })
	return all
}

var blog = files{
	"index.html":                 "<h1>home</h1>",
	"a/index.html":               "<h1>a</h1>",
	"b/index.html":               "<h1>b</h1>",
	"index.xml":                  "<rss/>",
	"css/main.css":               "body{}",
	"images/photo.jpg":           "photo",
	"js/app.1a2b3c4d5e6f7a8b.js": "app",
}

// request puts a build into the artifact bucket.
func (w *world) request(job string, build files) Request {
	w.s3.Set(artifacts, job+".zip", archivetest.Zip(build).Data)
	return Request{Job: job, Execution: "execution-" + job, Revision: "revision-" + job, Bucket: artifacts, Key: job + ".zip"}
}

// publish runs a publication.
func (w *world) publish(ctx context.Context, req Request) (Result, error) {
	client := &objecttest.Client{S3: w.s3, Attempts: 3}
	if before := w.before; before != nil {
		client.Before = before
	}
	if after := w.after; after != nil {
		client.After = after
	}
	p := Publisher{S3: client, Releases: release.Store{S3: client, Bucket: releases}, Settings: w.settings, Again: again}
	result, err := p.Publish(ctx, slog.New(slog.NewJSONHandler(&w.log, nil)), req)
	w.calls = client.Calls()
	return result, err
}

// must runs a publication that must succeed.
func (w *world) must(job string, build files) Result {
	w.Helper()
	result, err := w.publish(w.Context(), w.request(job, build))
	if err != nil || result.Again || !result.Busy.IsZero() {
		w.Fatalf("job %s: %+v, %v, want it to publish", job, result, err)
	}
	return result
}

// result compares what a publication says with what is wanted of it. It compares no
// release if none is wanted.
func (w *world) result(got, want Result) {
	w.Helper()
	if want.Release == "" {
		want.Release = got.Release
	}
	if want.Reasons == nil {
		want.Reasons = map[Reason]int{}
	}
	if got.Reasons == nil {
		got.Reasons = map[Reason]int{}
	}
	if !reflect.DeepEqual(got, want) {
		w.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// manifest returns a manifest.
func (w *world) manifest(id string) *release.Manifest {
	w.Helper()
	manifest, err := release.Store{S3: &objecttest.Client{S3: w.s3}, Bucket: releases}.Manifest(context.Background(), id)
	if err != nil || manifest == nil {
		w.Fatalf("manifest of %s: %v, %v", id, manifest, err)
	}
	return manifest
}

// state returns the state.
func (w *world) state() release.State {
	w.Helper()
	state, err := release.Store{S3: &objecttest.Client{S3: w.s3}, Bucket: releases}.Load(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	return state
}

// has checks what is in the site's bucket.
func (w *world) has(want files) {
	w.Helper()
	got := files{}
	for key, object := range w.s3.Objects(site) {
		got[key] = string(object.Content)
	}
	if !maps.Equal(got, want) {
		w.Errorf("the bucket has %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// A publication tells what it did, and an observer of the bucket sees the same.
func TestPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.s3.Set(site, "logs/1.gz", []byte("of another tool"))
		foreign := files{"logs/1.gz": "of another tool"}
		got := w.must("one", blog)
		w.result(got, Result{IsNew: true, Put: 7, Bytes: 53, Reasons: map[Reason]int{New: 7}, Foreign: []string{"logs/1.gz"}})
		w.has(blog.with(foreign))
		if state := w.state(); state.Number != 1 || state.Current != got.Release || state.ClearAll != 1 || len(state.Touched)+len(state.Retired) != 0 || state.Job != "" {
			t.Errorf("state is %+v, want that of the first release, which clears all", state)
		}
		if _, ok := w.s3.Object(releases, contract.ReleaseArtifacts+got.Release+".zip"); !ok {
			t.Error("the build is not kept")
		}
		first := w.manifest(got.Release)
		if first.Execution != "execution-one" || first.Revision != "revision-one" || first.Number != 1 || first.Job != "one" || !first.Time.Equal(time.Now()) {
			t.Errorf("the manifest says %+v", first)
		}

		time.Sleep(time.Hour)
		nothing := w.must("two", blog)
		w.result(nothing, Result{Release: got.Release, Unchanged: 7, Foreign: []string{"logs/1.gz"}})
		if state := w.state(); state.Number != 2 || state.Current != got.Release {
			t.Errorf("after nothing: state is %+v, want the same release", state)
		}

		if err := w.clear(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		changed := blog.with(files{"a/index.html": "new", "b/index.html": "", "images/photo.jpg": "", "c.png": "c"})
		got = w.must("three", changed)
		w.result(got, Result{IsNew: true, Release: got.Release, Put: 2, Unchanged: 4, Removed: 1, Retired: 1, Bytes: 4, Reasons: map[Reason]int{New: 1, Content: 1}, Foreign: []string{"logs/1.gz"}})
		w.has(changed.with(foreign).with(files{"images/photo.jpg": "photo"}))
		state := w.state()
		if want := map[string]int64{"a/index.html": 3, "b/index.html": 3, "c.png": 3}; !maps.Equal(state.Touched, want) {
			t.Errorf("touched are %v, want %v", state.Touched, want)
		}
		if !state.Retired["images/photo.jpg"].Equal(time.Now()) || len(state.Retired) != 1 {
			t.Errorf("retired are %v, want the photo", state.Retired)
		}
		for _, want := range []string{"put c.png: new", "put a/index.html: content", "remove b/index.html"} {
			if !strings.Contains(w.log.String(), want) {
				t.Errorf("the log is %s, want %q in it", &w.log, want)
			}
		}
		manifest := w.manifest(got.Release)
		if file := manifest.Files["index.html"]; !reflect.DeepEqual(file, first.Files["index.html"]) {
			t.Errorf("a file that was kept is %+v, want what it was: %+v", file, first.Files["index.html"])
		}
		if file := manifest.Files["a/index.html"]; file.Tag != "r-"+got.Release || file.Replaced != "r-"+first.ID {
			t.Errorf("a file that was put is %+v, want the release's tag, and that of the first one", file)
		}

		time.Sleep(24*time.Hour - time.Second)
		w.result(w.must("four", changed), Result{Release: got.Release, Unchanged: 6, Retired: 1, Foreign: []string{"logs/1.gz"}})
		w.has(changed.with(foreign).with(files{"images/photo.jpg": "photo"}))
		time.Sleep(time.Second)
		w.result(w.must("five", changed), Result{Release: got.Release, Unchanged: 6, Removed: 1, Foreign: []string{"logs/1.gz"}})
		w.has(changed.with(foreign))
		if state := w.state(); state.Touched["images/photo.jpg"] != 5 || len(state.Retired) != 0 || state.Current != got.Release {
			t.Errorf("after the grace: state is %+v, want the photo touched", state)
		}
	})
}

// A file that comes back while it waits for its removal stays.
func TestPublishWhatComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.must("one", blog)
		w.must("two", blog.with(files{"images/photo.jpg": ""}))
		time.Sleep(23 * time.Hour)
		w.must("three", blog)
		time.Sleep(23 * time.Hour)
		w.must("four", blog)
		w.has(blog)
		if state := w.state(); len(state.Retired) != 0 {
			t.Errorf("retired are %v, want none", state.Retired)
		}
	})
}

// What a page needs stays if the page could not be removed.
func TestPublishRemovesPagesFirst(t *testing.T) {
	w := newWorld(t)
	w.settings.Grace = 0
	w.must("one", blog)
	w.before = func(call objecttest.Call) error {
		if call.Operation == "DeleteObjects" && call.Key == "b/index.html" {
			return objecttest.Denies()
		}
		return nil
	}
	less := blog.with(files{"b/index.html": "", "images/photo.jpg": ""})
	if _, err := w.publish(t.Context(), w.request("two", less)); err == nil || !strings.Contains(err.Error(), "remove b/index.html") {
		t.Errorf("error is %v, want that of the page", err)
	}
	w.has(blog)
	w.before = nil
	w.must("three", less)
	w.has(less)
}

// Objects have the headers of the rules, the release's tag, and a checksum.
func TestPublishHeaders(t *testing.T) {
	w := newWorld(t)
	w.settings.Headers = []contract.HeaderRule{{Match: "*.jpg", CacheControl: "max-age=60", ContentLanguage: "ja", ContentDisposition: "inline", ContentType: "image/x", Metadata: map[string]string{"owner": "me"}}}
	got := w.must("one", blog)
	tag := "r-" + got.Release
	photo, _ := w.s3.Object(site, "images/photo.jpg")
	if photo.CacheControl != "max-age=60" || photo.ContentLanguage != "ja" || photo.ContentDisposition != "inline" || photo.ContentType != "image/x" ||
		!maps.Equal(photo.Metadata, map[string]string{"owner": "me", contract.MetadataCacheTag: tag}) || photo.SHA256 == "" {
		t.Errorf("the photo is %+v", photo)
	}
	page, _ := w.s3.Object(site, "index.html")
	if page.ContentType != "text/html; charset=utf-8" || page.CacheControl == "" || page.SHA256 == "" {
		t.Errorf("the page is %+v", page)
	}

	// A change of headers alone is a change.
	w.settings.Headers[0].CacheControl = "max-age=61"
	w.result(w.must("two", blog), Result{IsNew: true, Put: 1, Unchanged: 6, Bytes: 5, Reasons: map[Reason]int{Headers: 1}})
	if photo, _ = w.s3.Object(site, "images/photo.jpg"); photo.CacheControl != "max-age=61" {
		t.Errorf("the photo is %+v, want its new headers", photo)
	}
}

// What somebody does to the bucket by hand is repaired, but for what is not the blog's.
func TestPublishRepairs(t *testing.T) {
	w := newWorld(t)
	w.must("one", blog)
	w.s3.Set(site, "index.html", []byte("defaced"))
	w.s3.Delete(site, "css/main.css")
	w.s3.Set(site, "theirs.html", []byte("theirs"))
	w.result(w.must("two", blog), Result{IsNew: true, Put: 2, Unchanged: 5, Bytes: 19, Reasons: map[Reason]int{Edited: 1, Missing: 1}, Foreign: []string{"theirs.html"}})
	w.has(blog.with(files{"theirs.html": "theirs"}))
}

// A tool that puts the same content leaves the ETag as it was, and neither the headers nor
// the cache tag.
func TestPublishRepairsHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.must("one", blog)
		before, _ := w.s3.Object(site, "index.html")
		time.Sleep(time.Hour)
		w.s3.Set(site, "index.html", before.Content)
		w.result(w.must("two", blog), Result{IsNew: true, Put: 1, Unchanged: 6, Bytes: int64(len(before.Content)), Reasons: map[Reason]int{Edited: 1}})
		if after, _ := w.s3.Object(site, "index.html"); after.ContentType != before.ContentType || after.Metadata[contract.MetadataCacheTag] == "" {
			t.Errorf("the home page is %+v, want its headers and a cache tag", after)
		}
		time.Sleep(time.Hour)
		w.result(w.must("three", blog), Result{Unchanged: 7})
	})
}

// In a bucket whose ETags are no hashes, such as one that KMS encrypts, unchanged files
// are found, too.
func TestPublishWithOtherETags(t *testing.T) {
	w := newWorld(t)
	w.s3.OwnETags = true
	w.must("one", blog)
	w.result(w.must("two", blog), Result{Unchanged: 7})
}

// A listing in several pages, and keys that its XML has to encode.
func TestPublishWithALongListing(t *testing.T) {
	w := newWorld(t)
	w.s3.Page = 2
	odd := blog.with(files{"a b+c%20d/日本語 ~&'.html": "odd", "日本語.png": "odd"})
	w.must("one", odd)
	w.has(odd)
	w.result(w.must("two", odd), Result{Unchanged: 9})
}

// A blog in a folder leaves alone what is outside of it.
func TestPublishInAFolder(t *testing.T) {
	w := newWorld(t)
	w.settings.KeyPrefix = "blog"
	w.settings.Grace = 0
	w.s3.Set(site, "index.html", []byte("of another blog"))
	w.s3.Set(site, "blog2/index.html", []byte("of another blog"))
	w.must("one", blog)
	w.result(w.must("two", blog.with(files{"b/index.html": "", "images/photo.jpg": ""})), Result{IsNew: true, Unchanged: 5, Removed: 2})
	want := files{"index.html": "of another blog", "blog2/index.html": "of another blog"}
	for name, content := range blog.with(files{"b/index.html": "", "images/photo.jpg": ""}) {
		want["blog/"+name] = content
	}
	w.has(want)

	// In another folder it is a new blog. Nothing of the old one is removed.
	w.settings.KeyPrefix = "other"
	got := w.must("three", files{"index.html": "home"})
	want["other/index.html"] = "home"
	w.has(want)
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "another bucket or folder") {
		t.Errorf("notes are %q, want one that says so", got.Notes)
	}
	if state := w.state(); state.ClearAll != state.Number {
		t.Errorf("state is %+v, want all to be cleared", state)
	}
}

// The state is lost: everything is put, nothing is removed, all is cleared.
func TestPublishWithoutState(t *testing.T) {
	w := newWorld(t)
	w.must("one", blog)
	for _, key := range w.s3.Keys(releases) {
		w.s3.Delete(releases, key)
	}
	small := files{"index.html": "home"}
	w.result(w.must("two", small), Result{IsNew: true, Put: 1, Bytes: 4, Reasons: map[Reason]int{New: 1}, Foreign: slices.Sorted(maps.Keys(blog.with(files{"index.html": ""})))})
	w.has(blog.with(small))
	if state := w.state(); state.ClearAll != 1 {
		t.Errorf("state is %+v, want all to be cleared", state)
	}
}

// Files that are not in memory are streamed.
func TestPublishALargeFile(t *testing.T) {
	w := newWorld(t)
	film := blog.with(files{"film.mp4": strings.Repeat("film", 5<<20)})
	w.must("one", film)
	w.has(film)
	w.result(w.must("two", film), Result{Unchanged: 8})
}

// If the archive's files were only packed anew, their contents are compared.
func TestPublishWhatWasPackedAnew(t *testing.T) {
	w := newWorld(t)
	w.must("one", blog)
	req := w.request("two", blog)
	w.s3.Set(artifacts, req.Key, stored(t, blog))
	got, err := w.publish(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	w.result(got, Result{IsNew: true, Unchanged: 7})
	req = w.request("three", blog)
	w.s3.Set(artifacts, req.Key, stored(t, blog))
	if got, err = w.publish(t.Context(), req); err != nil || len(w.calls) > 7 {
		t.Errorf("the next time: %+v, %v after %d calls, want no contents read", got, err, len(w.calls))
	}
}

// stored packs files without compression.
func stored(t *testing.T, build files) []byte {
	t.Helper()
	var data bytes.Buffer
	archive := zip.NewWriter(&data)
	for _, name := range slices.Sorted(maps.Keys(build)) {
		f, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = f.Write([]byte(build[name]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

// The order of the writes: what is meant, what pages need, pages, what leads to them, what
// has left, the manifest, the state.
func TestPublishInOrder(t *testing.T) {
	w := newWorld(t)
	old := blog.with(files{"old/index.html": "old"})
	w.must("one", old)
	w.must("two", files{"index.html": "2", "a/index.html": "2", "b/index.html": "2", "index.xml": "2", "css/main.css": "2", "images/photo.jpg": "2", "js/app.ffffffffffffff01.js": "2"})
	var writes []string
	for _, call := range w.calls {
		if call.Operation != "GetObject" && call.Operation != "ListObjectsV2" && call.Operation != "CopyObject" {
			writes = append(writes, call.Operation+" "+call.Key)
		}
	}
	stages := [][]string{
		{"PutObject " + contract.ReleaseState}, {"PutObject " + contract.ReleaseState},
		{"PutObject images/photo.jpg", "PutObject js/app.ffffffffffffff01.js"},
		{"PutObject css/main.css"},
		{"PutObject a/index.html", "PutObject b/index.html"},
		{"PutObject index.html", "PutObject index.xml"},
		{"DeleteObjects "},
		{"PutObject " + contract.ReleaseManifests + w.state().Current + ".json.gz"}, {"PutObject " + contract.ReleaseState},
	}
	at := 0
	for _, want := range stages {
		end := min(len(writes), at+len(want))
		if got := slices.Sorted(slices.Values(writes[at:end])); !slices.Equal(got, want) {
			t.Fatalf("writes %d to %d are %s, want %s; all are\n%s", at, end, got, want, strings.Join(writes, "\n"))
		}
		at = end
	}
	if at != len(writes) {
		t.Errorf("more is written: %s", writes[at:])
	}
}

// A publication of a blog of 2,019 files needs few requests.
func TestPublishWithFewRequests(t *testing.T) {
	w := newWorld(t)
	build := files{"index.html": "home"}
	for i := range 2018 / 2 {
		build[fmt.Sprintf("posts/%04d/index.html", i)] = noise(i, 500)
		build[fmt.Sprintf("posts/%04d/photo.jpg", i)] = noise(-i, 3000)
	}
	w.must("one", build)
	w.must("two", build)
	t.Logf("nothing changed: %d requests", len(w.calls))
	if len(w.calls) > 10 {
		t.Errorf("nothing changed: %d requests, want at most 10: %v", len(w.calls), w.calls)
	}
	changed := files{}
	for i := range 86 {
		changed[fmt.Sprintf("posts/%04d/index.html", i*11)] = noise(i, 501)
	}
	w.result(w.must("three", build.with(changed)), Result{IsNew: true, Put: 86, Unchanged: 1933, Bytes: 86 * 501, Reasons: map[Reason]int{Content: 86}})
	t.Logf("86 changed: %d requests", len(w.calls))
	if len(w.calls) > 104 {
		t.Errorf("86 changed: %d requests, want at most 104", len(w.calls))
	}
}

// noise returns text that does not pack.
func noise(seed, size int) string {
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	text := make([]byte, size)
	for i := range text {
		text[i] = byte(random.Uint32())
	}
	return string(text)
}
