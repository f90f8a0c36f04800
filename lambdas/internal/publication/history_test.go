package publication

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/archive/archivetest"
	"blog-deploy-pipeline/lambdas/internal/filetype"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// job is a job of the Deploy stage, or a direct request.
type job struct {
	id    string
	build files
	rules []contract.HeaderRule
	// restores is the release that is published again; "" for a build of the pipeline.
	restores string
	// published is true if the Deploy stage has succeeded, and the state knows that.
	published bool
}

// newJob makes a job that publishes a build.
func (h *history) newJob(build files) *job {
	j := &job{build: maps.Clone(build)}
	h.add(j)
	h.s3.Set(artifacts, j.id+".zip", archivetest.Zip(build).Data)
	return j
}

// add adds a job to the history.
func (h *history) add(j *job) {
	j.id = fmt.Sprintf("job%d", len(h.jobs))
	if h.random.IntN(4) == 0 { // a new version of the function has other headers
		h.rules = []contract.HeaderRule{{Match: "*.jpg", CacheControl: fmt.Sprintf("max-age=%d", h.random.IntN(3))}}
	}
	j.rules = h.rules
	h.jobs = append(h.jobs, j)
}

// rollback makes a job that publishes a release of the list again. It returns nil if there
// is none.
func (h *history) rollback() *job {
	listed := h.list()
	listed = slices.DeleteFunc(listed, func(l release.Listed) bool { return !l.Kept })
	if len(listed) == 0 {
		return nil
	}
	one := listed[h.random.IntN(len(listed))]
	i := slices.IndexFunc(h.jobs, func(j *job) bool { return j.id == one.Job })
	j := &job{build: h.jobs[i].build, restores: one.ID}
	h.add(j)
	return j
}

// list returns the releases that can be listed. It compares them with what was committed,
// while nobody publishes.
func (h *history) list() []release.Listed {
	quiet := h.quiet()
	h.mu.Lock()
	idle := h.active+h.deploying == 0
	h.mu.Unlock()
	listed, err := release.Store{S3: &objecttest.Client{S3: h.s3}, Bucket: releases}.List(context.Background(), 1000)
	if err != nil {
		h.Fatal(err)
	}
	if !idle || !quiet() || h.state().Current == "" {
		return listed
	}
	h.mu.Lock()
	committed, numbered := maps.Clone(h.committed), !h.unnumbered
	h.mu.Unlock()
	for _, one := range listed {
		if !committed[one.ID] {
			h.problem("the list has the release %s of %s, which was never committed", one.ID, one.Job)
		}
		delete(committed, one.ID)
	}
	for id := range committed {
		m, err := release.Store{S3: &objecttest.Client{S3: h.s3}, Bucket: releases}.Manifest(context.Background(), id)
		if err == nil && m != nil && !m.Unfinished && numbered {
			h.problem("the list does not have the release %s of %s", id, m.Job)
		}
	}
	return listed
}

// commits notes the current release whenever the state is written.
func (h *history) commits(call objecttest.Call) {
	if call.Operation != "PutObject" || call.Bucket != releases || call.Key != contract.ReleaseState {
		return
	}
	if id := h.state().Current; id != "" {
		h.mu.Lock()
		h.committed[id] = true
		h.mu.Unlock()
	}
}

// run lets the history happen.
func (h *history) run() {
	h.blog = h.change(files{}, 0)
	for n := range 6 + h.random.IntN(6) {
		switch h.random.IntN(12) {
		case 0, 1:
			h.byHand(n)
		case 2:
			h.lose()
		}
		build := h.blog
		var j *job
		switch h.random.IntN(7) {
		case 0: // a publication of nothing
		case 2:
			if j = h.rollback(); j != nil {
				build = j.build
			}
		case 1: // an older build, if there is one
			if len(h.jobs) > 0 {
				build = h.jobs[h.random.IntN(len(h.jobs))].build
			}
		default:
			build = h.change(build, n)
		}
		h.blog = build
		if j == nil {
			j = h.newJob(build)
		}
		h.stage(j, build, n)
		h.pass()
	}
	h.wg.Wait()
	h.end()
}

// stage runs an execution, and sometimes another one beside it.
func (h *history) stage(j *job, build files, n int) {
	if h.random.IntN(4) == 0 { // delivered twice
		h.later(h.random.IntN(10), func() {
			defer h.deploys()()
			h.publish(j, "/twice")
		})
	}
	if h.random.IntN(6) == 0 { // two executions at once
		other := h.newJob(h.change(build, n+1000))
		h.later(h.random.IntN(10), func() {
			if got, _ := h.deploy(other); got == succeeded {
				h.invalidate(other)
			}
		})
		h.blog = other.build // though nobody knows which one is the last
	}
	got, alone := h.deploy(j)
	quiet := func() bool { return false }
	if got == succeeded && alone {
		h.check(j)
		quiet = h.quiet()
	}
	if got == succeeded || h.random.IntN(3) == 0 {
		// The next Deploy may begin meanwhile.
		h.later(h.random.IntN(5), func() {
			if h.invalidate(j) && quiet() {
				h.edge.check()
			}
		})
	}
	if old := h.jobs[h.random.IntN(len(h.jobs))]; h.random.IntN(5) == 0 { // very late
		h.later(h.random.IntN(100_000), func() { h.late(old, n) })
	}
}

// late delivers a job once more. If it has published before, this changes nothing.
func (h *history) late(j *job, n int) {
	alone := h.deploys()
	published, before := h.published(j), h.s3.Objects(site)
	h.publish(j, fmt.Sprintf("/late%d", n))
	if after := h.s3.Objects(site); alone() && published && !reflect.DeepEqual(before, after) {
		h.problem("%s is delivered again, and changes the bucket", j.id)
	}
}

func (h *history) published(j *job) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return j.published
}

// deploys notes that somebody begins to change the bucket. The function that it returns
// notes the end, and whether nobody else has done so meanwhile.
func (h *history) deploys() (ends func() (alone bool)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.deploying
	h.deploying++
	h.begun++
	begun := h.begun
	return func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.deploying--
		return before == 0 && begun == h.begun
	}
}

// quiet returns a function that reports whether nobody has changed the bucket since.
func (h *history) quiet() func() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	begun := h.begun
	return func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return begun == h.begun
	}
}

// later does something in some seconds.
func (h *history) later(seconds int, do func()) {
	h.wg.Go(func() {
		time.Sleep(time.Duration(seconds) * time.Second)
		do()
	})
}

// pass lets time pass.
func (h *history) pass() {
	switch h.random.IntN(6) {
	case 0: // another push at once
	case 1, 2, 3: // while the cache is cleared
		time.Sleep(time.Duration(h.random.IntN(100_000)) * time.Millisecond)
	case 4:
		time.Sleep(time.Duration(h.random.IntN(1200)) * time.Second)
	case 5:
		time.Sleep(time.Duration(h.random.IntN(30*3600)) * time.Second)
	}
}

// change returns the next build of a blog.
func (h *history) change(blog files, n int) files {
	source := files{} // without what each page needs
	for name, content := range blog {
		source[name], _, _ = strings.Cut(content, " needs ")
	}
	if len(source) == 0 {
		source["index.html"], source["style"], source["index.xml"], source["robots.txt"], source["css/main.css"] = "home", "first", "feed", "robots", "main"
		for i := range 6 {
			source[fmt.Sprintf("p%d/index.html", i)], source[fmt.Sprintf("images/%d.jpg", i)] = "page", "photo"
		}
	}
	source["index.html"], source["index.xml"] = fmt.Sprint("home ", n), fmt.Sprint("feed ", n)
	for range 1 + h.random.IntN(4) {
		page, image := fmt.Sprintf("p%d/index.html", h.random.IntN(9)), fmt.Sprintf("images/%d.jpg", h.random.IntN(9))
		switch h.random.IntN(6) {
		case 0:
			source[page] = fmt.Sprint("page ", n)
		case 1:
			delete(source, page)
		case 2:
			source[image] = fmt.Sprint("photo ", n)
		case 3:
			delete(source, image)
		case 4:
			source["style"] = fmt.Sprint("style ", n)
		case 5:
			source["css/main.css"] = fmt.Sprint("main ", n)
		}
	}
	sum := sha256.Sum256([]byte(source["style"]))
	style := "css/app." + hex.EncodeToString(sum[:8]) + ".css"
	build := files{}
	images := slices.DeleteFunc(slices.Sorted(maps.Keys(source)), func(name string) bool { return !strings.HasSuffix(name, ".jpg") })
	for name, content := range source {
		if strings.HasSuffix(name, ".html") {
			content += " needs " + style
			for _, image := range images {
				if (len(name)*7+len(image)+int(image[7]))%2 == 0 {
					content += " " + image
				}
			}
		}
		if !strings.HasPrefix(name, "css/app.") {
			build[name] = content
		}
	}
	build[style] = source["style"]
	return build
}

// byHand does what people do to a bucket.
func (h *history) byHand(n int) {
	defer h.deploys()()
	switch key := fmt.Sprintf("%sp%d/index.html", h.settings.prefix(), h.random.IntN(9)); h.random.IntN(5) {
	case 0, 1: // in the blog's folder and elsewhere
		key, content := fmt.Sprintf("%stheirs/%d.html", []string{"", h.settings.prefix()}[h.random.IntN(2)], h.random.IntN(3)), fmt.Sprint("theirs ", n)
		h.s3.Set(site, key, []byte(content))
		h.theirs[key] = content
	case 2:
		if _, ok := h.s3.Object(site, key); ok {
			h.s3.Set(site, key, fmt.Appendf(nil, "defaced %d", n))
		}
	case 3:
		h.s3.Delete(site, key)
	case 4: // A build expires.
		for _, key := range h.s3.Keys(releases) {
			if strings.HasPrefix(key, contract.ReleaseArtifacts) && h.random.IntN(3) == 0 {
				h.s3.Delete(releases, key)
			}
		}
	}
}

// lose loses the memory of what was published, while nobody publishes.
func (h *history) lose() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.active+h.deploying > 0 {
		return
	}
	for _, key := range h.s3.Keys(site) {
		h.strange[key] = true
	}
	if state := h.state(); h.random.IntN(2) == 0 && state.Current != "" {
		h.s3.Delete(releases, contract.ReleaseManifests+state.Current+".json.gz")
	} else {
		h.s3.Delete(releases, contract.ReleaseState)
		h.unnumbered = true
		for _, j := range h.jobs {
			j.published = false
		}
	}
}

func (h *history) state() release.State {
	state, err := release.Store{S3: &objecttest.Client{S3: h.s3}, Bucket: releases}.Load(context.Background())
	if err != nil {
		h.Fatal(err)
	}
	return state
}

// check compares the bucket with what a job has published.
func (h *history) check(j *job) {
	objects, state := h.s3.Objects(site), h.state()
	settings := h.settings
	settings.Headers = j.rules
	for name, content := range j.build {
		object, ok := objects[h.settings.prefix()+name]
		switch headers := settings.headers(name); {
		case !ok:
			h.problem("%s: %s is missing", j.id, name)
		case string(object.Content) != content:
			h.problem("%s: %s is %q, want %q", j.id, name, object.Content, content)
		case object.CacheControl != headers.CacheControl || object.ContentType != headers.ContentType:
			h.problem("%s: %s has the headers %q, %q, want %+v", j.id, name, object.CacheControl, object.ContentType, headers)
		}
	}
	for key := range objects {
		since, retired := state.Retired[key]
		name := strings.TrimPrefix(key, h.settings.prefix())
		switch {
		case j.build[name] != "", h.theirs[key] != "", h.strange[key]:
		case !retired:
			h.problem("%s: %s is left in the bucket", j.id, key)
		case filetype.ClassOf(name).IsPage():
			h.problem("%s: the page %s is still there, since %v", j.id, key, since)
		}
	}
	for key, content := range h.theirs {
		if object, ok := objects[key]; !ok || string(object.Content) != content {
			h.problem("%s: %s, which another tool has put, is %q, want %q", j.id, key, object.Content, content)
		}
	}
}

// end publishes once more, without a fault, and again after the grace. Then all is right.
func (h *history) end() {
	h.calm = true
	time.Sleep(10 * time.Minute)
	h.list()
	for range 2 {
		last := h.newJob(h.blog)
		if got, _ := h.deploy(last); got == succeeded {
			h.check(last)
		}
		h.invalidate(last)
		h.edge.check()
		time.Sleep(25 * time.Hour)
	}
	state := h.state()
	if len(state.Touched)+len(state.Retired) != 0 || state.ClearAll != 0 || state.Job != "" {
		h.problem("in the end the state is %+v", state)
	}
	h.mu.Lock()
	h.over = true
	h.mu.Unlock()
}
