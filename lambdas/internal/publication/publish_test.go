package publication

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

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
	jobs  int
}

const (
	site, releases, artifacts = "site", "releases", "artifacts"
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
	if err != nil {
		w.Fatalf("job %s: %v", job, err)
	}
	return result
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

func TestPublish(t *testing.T) {
	w := newWorld(t)
	got := w.must("one", blog)
	t.Logf("%+v %+v", got, w.calls)
	w.has(blog)
	got = w.must("two", blog)
	t.Logf("%+v %+v", got, w.calls)
	got = w.must("three", blog.with(files{"a/index.html": "new", "b/index.html": "", "images/photo.jpg": ""}))
	t.Logf("%+v %+v", got, w.calls)
	t.Logf("%+v", w.state())
	t.Log(w.log.String())
	_ = strings.TrimSpace
}
