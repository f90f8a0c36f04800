package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
	"blog-deploy-pipeline/rehearse/s3"
)

// envBuilds makes a world have a bucket of CodePipeline's, for the builds.
const envBuilds = "BUILDS"

// build is the content of a blog's files by their names.
type build map[string]string

// with returns the build with files of another one. A file without content is left out.
func (b build) with(others build) build {
	all := maps.Clone(b)
	maps.Copy(all, others)
	maps.DeleteFunc(all, func(_, content string) bool { return content == "" })
	return all
}

func page(title, style string) string {
	return `<!doctype html><link rel="stylesheet" href="/css/` + style + `"><h1>` + title + `</h1>`
}

const (
	oldStyle = "main.0123456789abcdef0123456789abcdef.css"
	newStyle = "main.fedcba9876543210fedcba9876543210.css"
)

var (
	// firstBuild and secondBuild are two states of a blog. From one to the other a style
	// gets another name, a page and the home page change, a page is new and one leaves.
	firstBuild = build{
		"index.html":         page("Home", oldStyle),
		"posts/a/index.html": page("A", oldStyle),
		"old/index.html":     page("Old", oldStyle),
		"css/" + oldStyle:    "h1{color:red}",
		"img/logo.svg":       "<svg/>",
	}
	secondBuild = firstBuild.with(build{
		"index.html":         page("Home, with B", newStyle),
		"posts/a/index.html": page("A", newStyle),
		"posts/b/index.html": page("B", newStyle),
		"old/index.html":     "",
		"css/" + oldStyle:    "",
		"css/" + newStyle:    "h1{color:blue}",
	})
	// both is what the bucket has after both builds: the old style stays for readers
	// of old pages.
	both = secondBuild.with(build{"css/" + oldStyle: firstBuild["css/"+oldStyle], foreign: "not the blog's"})
)

// foreign is a file that somebody else has put into the blog's bucket.
const foreign = "google1234.html"

// site is a world with a blog's buckets and the function that publishes the blog.
type site struct{ *functiontest.World }

// withSite opens a site, lets work work in it and closes it.
func withSite(cloud fakeaws.Options, timeout time.Duration, work func(site) error) error {
	setup := functiontest.Setup{
		Binary: binary, Name: "publish", Cloud: cloud, Timeout: timeout,
		Buckets: []string{contract.EnvSiteBucket, contract.EnvReleases, envBuilds},
	}
	return functiontest.With(setup, func(w *functiontest.World) error { return work(site{w}) })
}

// parameters are the UserParameters of the blog's action.
func parameters() contract.PublishParameters {
	return contract.PublishParameters{PipelineName: "my-blog", Execution: "e-1", Revision: "0123456", AllowDeletions: contract.AllowDeletionsNo}
}

// start starts the publication of a build.
func (s site) start(ctx context.Context, b build) (*functiontest.Action, error) {
	key, err := s.store(ctx, b.zip())
	if err != nil {
		return nil, err
	}
	return s.startFrom(key, parameters())
}

// startFrom starts the publication of the build with a key.
func (s site) startFrom(key string, p contract.PublishParameters) (*functiontest.Action, error) {
	return s.Start(fakeaws.Action{
		FunctionName: "publish", UserParameters: contract.JSON(p),
		Input: fakeaws.Artifact{Name: "Site", Bucket: s.Buckets[envBuilds], Key: key},
	})
}

// publish publishes a build.
func (s site) publish(ctx context.Context, b build) (*functiontest.Action, error) {
	action, err := s.start(ctx, b)
	if err != nil {
		return nil, err
	}
	return action, action.Deliver(ctx)
}

// store stores an archive as CodePipeline does, and returns its key.
func (s site) store(ctx context.Context, archive []byte) (key string, err error) {
	objects, err := s.S3.Objects(ctx, s.Buckets[envBuilds])
	if err != nil {
		return "", err
	}
	key = fmt.Sprintf("my-blog/Site/%d", len(objects))
	return key, s.put(ctx, envBuilds, key, archive)
}

// put puts an object into one of the buckets, past the cloud.
func (s site) put(ctx context.Context, bucket, key string, content []byte) error {
	return s.S3.PutObject(ctx, s.Buckets[bucket], s3.Object{Key: key, Size: int64(len(content))}, bytes.NewReader(content))
}

func (b build) zip() []byte {
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for _, name := range slices.Sorted(maps.Keys(b)) {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write([]byte(b[name]))
		}
		if err != nil {
			panic(err) // memory does not fail
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return archive.Bytes()
}

// files returns what one of the buckets has.
func (s site) files(ctx context.Context, bucket string) (build, error) {
	objects, err := s.S3.Objects(ctx, s.Buckets[bucket])
	if err != nil {
		return nil, err
	}
	files := build{}
	for _, object := range objects {
		_, content, err := s.S3.Object(ctx, s.Buckets[bucket], object.Key)
		if err != nil {
			return nil, err
		}
		files[object.Key] = string(content)
	}
	return files, nil
}

// state returns the state of the releases.
func (s site) state(ctx context.Context) (state release.State, err error) {
	_, content, err := s.S3.Object(ctx, s.Buckets[contract.EnvReleases], contract.ReleaseState)
	if err != nil {
		return state, err
	}
	return state, json.Unmarshal(content, &state)
}

var style = regexp.MustCompile(`href="/([^"]+)"`)

// broken returns what must never be: a page whose style is missing, or a file of others
// that is gone.
func (b build) broken() (all []string) {
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if match := style.FindStringSubmatch(b[name]); match != nil && b[match[1]] == "" {
			all = append(all, fmt.Sprintf("the page %s misses %s", name, match[1]))
		}
	}
	if b[foreign] == "" {
		all = append(all, "the file of others is gone")
	}
	return all
}

// differs returns how the bucket differs from what it has to have; "" if it does not.
func (b build) differs(from build) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(b.with(from))) {
		if b[name] != from[name] {
			all = append(all, fmt.Sprintf("%s is %.100q, want %.100q", name, b[name], from[name]))
		}
	}
	return strings.Join(all, "; ")
}

// commits returns how many publications were committed.
func commits(state release.State) (n int) {
	for _, past := range state.Past {
		if past.Release != "" {
			n++
		}
	}
	return n
}

// brokenRules checks the rules that never bend on all that was recorded. committed is how
// many publications the blog must have if the action succeeded: rule 2 is that the same
// job, delivered twice, publishes once.
func (s site) brokenRules(ctx context.Context, action *functiontest.Action, committed int) (broken []string, err error) {
	broken = s.BrokenRules(action.Record())
	files, err := s.files(ctx, contract.EnvSiteBucket)
	if err != nil {
		return nil, err
	}
	broken = append(broken, files.broken()...)
	if action.Ended() != "success" {
		return broken, nil
	}
	state, err := s.state(ctx)
	if err != nil {
		return nil, err
	}
	if n := commits(state); n != committed {
		broken = append(broken, fmt.Sprintf("rule 2: %d publications were committed, want %d", n, committed))
	}
	if state.Job != "" {
		broken = append(broken, "the lease was not given back")
	}
	report, _ := action.Last()
	kept, err := s.files(ctx, contract.EnvReleases)
	if err != nil {
		return nil, err
	}
	id := report.OutputVariables["Release"]
	if state.Current != id || kept[contract.ReleaseManifests+id+".json.gz"] == "" {
		broken = append(broken, fmt.Sprintf("rule 3: reported the release %q, and %q with its manifest is the current one", id, state.Current))
	}
	return broken, nil
}
