package publication

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // S3's ETags
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/archive/archivetest"
	"blog-deploy-pipeline/lambdas/internal/changes"
	"blog-deploy-pipeline/lambdas/internal/filetype"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// The model runs a blog's pipeline through histories of days in virtual time: publications
// and invalidations whose calls fail, whose answers get lost and whose processes end
// anywhere, deliveries twice and late, two executions at once, builds of the past, changes
// by hand, a lost state, and readers who fill the edge locations and find each page's
// files. What is right is asked of the buckets and the edge locations alone.
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
}

// mutant turns one safeguard off.
type mutant string

const (
	sound     mutant = ""
	noIntent  mutant = "no intent"
	noLease   mutant = "no lease"
	noOrder   mutant = "no order"
	noGrace   mutant = "no grace"
	noMemory  mutant = "no memory of what was not cleared"
	noNumbers mutant = "no numbers of what was cleared"
	noPast    mutant = "no past"
)

// job is a job of the Deploy stage.
type job struct {
	id    string
	build files
	rules []contract.HeaderRule
	// published is true if the Deploy stage has succeeded, and the state knows that.
	published bool
}

func newHistory(tb testing.TB, seed uint64, rate float64, mutant mutant) *history {
	h := &history{
		TB: tb, seed: seed, random: rand.New(rand.NewPCG(seed, 1)), rate: rate, mutant: mutant,
		s3:       objecttest.New(site, releases, artifacts),
		settings: Settings{Bucket: site, Grace: 24 * time.Hour, MaxDeletePercent: 30},
		theirs:   files{}, strange: map[string]bool{},
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

// process is the environment of one call of a function.
type process struct {
	*history
	name     string
	deadline time.Time
	mu       sync.Mutex
	dead     bool
	counts   map[string]int
}

func (h *history) process(name string, deadline time.Time) *process {
	return &process{history: h, name: name, deadline: deadline, counts: map[string]int{}}
}

// strike decides about a call before S3 or CloudFront gets it, or after.
func (p *process) strike(when, what string) error {
	p.mu.Lock()
	p.counts[when+what]++
	random := p.fate(p.name, when, what, p.counts[when+what])
	p.mu.Unlock()
	wait := time.Duration(random.IntN(400)) * time.Millisecond
	rate := p.rate
	if p.calm {
		rate = 0
	}
	if random.Float64() < rate/4 {
		wait += time.Duration(random.IntN(90_000)) * time.Millisecond
	}
	time.Sleep(wait)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = p.dead || !time.Now().Before(p.deadline)
	roll := random.Float64() / max(rate, 1e-9)
	switch {
	case p.dead:
	case roll < 0.2:
		p.dead = true
	case roll < 0.6:
		return objecttest.ErrReset
	case roll < 0.8:
		return objecttest.Throttles()
	case roll < 1 && when == "before":
		return objecttest.Denies()
	}
	if p.dead {
		return objecttest.ErrCrash
	}
	return nil
}

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// s3Client returns the process' client of S3.
func (p *process) s3Client() *objecttest.Client {
	name := func(call objecttest.Call) string { return call.Operation + " " + call.Bucket + "/" + call.Key }
	return &objecttest.Client{
		S3:     p.s3,
		Before: func(call objecttest.Call) error { return p.strike("before", name(call)) },
		After:  func(call objecttest.Call) error { return p.strike("after", name(call)) },
		// The SDK has more, but a model has less time.
		Attempts: 2,
	}
}

// at notes that a function is at work, until the function that it returns is called.
func (h *history) at() (done func()) {
	h.mu.Lock()
	h.active++
	h.mu.Unlock()
	return func() {
		h.mu.Lock()
		h.active--
		h.last = time.Now()
		h.mu.Unlock()
	}
}

// outcome is how a call of a function ended.
type outcome int

const (
	succeeded outcome = iota
	failed
	goesOn
	crashed
)

// publish is a call of the function publish.
func (h *history) publish(j *job, call string) outcome {
	defer h.at()()
	limit := 15 * time.Minute
	random := h.fate("publish", j.id, call)
	if !h.calm && random.Float64() < h.rate*2 {
		limit = time.Duration(1+random.IntN(30_000)) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	p := h.process(j.id+call, time.Now().Add(limit))
	client := p.s3Client()
	settings := h.settings
	settings.Headers = j.rules
	publisher := Publisher{S3: client, Releases: release.Store{S3: client, Bucket: releases}, Settings: settings, Again: again}
	switch h.mutant {
	case noIntent:
		publisher.Releases = forgetful{publisher.Releases}
	case noLease:
		publisher.Releases = &selfish{Releases: publisher.Releases}
	case noPast:
		publisher.Releases = reckless{publisher.Releases}
	case noOrder:
		late := &lazy{Client: client, Releases: publisher.Releases}
		publisher.S3, publisher.Releases = late, late
	}
	var log bytes.Buffer
	result, err := publisher.Publish(ctx, slog.New(slog.NewJSONHandler(&log, nil)), Request{Job: j.id, Bucket: artifacts, Key: j.id + ".zip", AllowDeletions: true})
	switch {
	case p.isDead():
		return crashed
	case err != nil:
		if h.calm {
			h.problem("job %s fails: %v", j.id, err)
		}
		return failed
	case result.Again, !result.Busy.IsZero():
		return goesOn
	}
	return succeeded
}

// deploy is an action of the Deploy stage: Lambda calls the function, again after a crash,
// and CodePipeline again if it says so.
func (h *history) deploy(j *job) (got outcome, alone bool) {
	ends := h.deploys()
	got = h.calls(j)
	h.mu.Lock()
	j.published = got == succeeded
	h.mu.Unlock()
	return got, ends()
}

func (h *history) calls(j *job) outcome {
	crashes := 0
	for call := range 200 {
		switch got := h.publish(j, fmt.Sprintf("/%d", call)); got {
		case goesOn:
			time.Sleep(30 * time.Second)
		case crashed:
			if crashes++; crashes == 3 {
				return failed
			}
			time.Sleep(time.Duration(crashes) * time.Minute)
		default:
			return got
		}
	}
	h.problem("job %s never ends", j.id)
	return failed
}

// newJob makes a job that publishes a build.
func (h *history) newJob(build files) *job {
	j := &job{id: fmt.Sprintf("job%d", len(h.jobs)), build: maps.Clone(build)}
	if h.random.IntN(4) == 0 { // a new version of the function has other headers
		h.rules = []contract.HeaderRule{{Match: "*.jpg", CacheControl: fmt.Sprintf("max-age=%d", h.random.IntN(3))}}
	}
	j.rules = h.rules
	h.s3.Set(artifacts, j.id+".zip", archivetest.Zip(build).Data)
	h.jobs = append(h.jobs, j)
	return j
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
		switch h.random.IntN(6) {
		case 0: // a publication of nothing
		case 1: // an older build, if there is one
			if len(h.jobs) > 0 {
				build = h.jobs[h.random.IntN(len(h.jobs))].build
			}
		default:
			build = h.change(build, n)
		}
		h.blog = build
		h.stage(h.newJob(build), build, n)
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
	switch key := fmt.Sprintf("%sp%d/index.html", h.settings.prefix(), h.random.IntN(9)); h.random.IntN(4) {
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

// read is the life of a reader, who looks at a page and then loads its files.
func (h *history) read(n int) {
	random := h.fate("reader", n)
	for {
		h.mu.Lock()
		over, busy := h.over, h.active > 0 || time.Since(h.last) < 2*time.Minute
		h.mu.Unlock()
		if over {
			return
		}
		if busy {
			time.Sleep(time.Duration(random.IntN(4000)) * time.Millisecond)
		} else {
			time.Sleep(time.Duration(random.IntN(3*3600)) * time.Second)
		}
		location := random.IntN(locations)
		url := "/"
		if i := random.IntN(10); i < 9 {
			url = fmt.Sprintf("/p%d", i) + []string{"", "/", "/index.html"}[random.IntN(3)]
		}
		page := h.edge.get(location, url)
		_, needs, _ := strings.Cut(page.content, " needs ")
		if h.isStrange(h.objectOf(url)) {
			continue // nobody knows any more whether it is still there, and what it needs
		}
		seen := time.Now()
		for name := range strings.FieldsSeq(needs) {
			time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
			// A page of an edge location's may be a day old, and then its files may go.
			if time.Since(page.at) > h.settings.Grace-time.Minute && h.mutant != noGrace {
				break
			}
			if got := h.edge.get(location, "/"+name); got.content == "" {
				h.problem("broken view: %s of %s, which was asked for at %s, and which the edge location has since %s", name, url, seen.Sub(began), page.at.Sub(began))
			}
		}
	}
}

func (h *history) isStrange(key string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.strange[key]
}

// locations is the number of edge locations.
const locations = 2

// edge is a distribution, with edge locations that keep what they get from the bucket.
type edge struct {
	h         *history
	mu        sync.Mutex
	cached    []map[string]*copied
	evictions []*eviction
}

// copied is what an edge location has for a URL.
type copied struct {
	content, tag string
	at           time.Time
	until        time.Time
}

type eviction struct {
	reference string
	items     []string
	done      time.Time
}

// objectOf returns the key that a URL stands for.
func (h *history) objectOf(url string) string {
	key := strings.TrimPrefix(url, "/")
	switch {
	case key == "" || strings.HasSuffix(key, "/"):
		key += "index.html"
	case h.addresses.Bare && !strings.Contains(key, "."):
		key += "/index.html"
	}
	return h.settings.prefix() + key
}

// get returns what a reader gets.
func (e *edge) get(location int, url string) copied {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if c := e.cached[location][url]; c != nil && now.Before(c.until) {
		return *c
	}
	c := &copied{at: now, until: now.Add(10 * time.Second)} // an error
	if object, ok := e.h.s3.Object(site, e.h.objectOf(url)); ok {
		c.content, c.tag, c.until = string(object.Content), object.Metadata[contract.MetadataCacheTag], now.Add(24*time.Hour)
	}
	e.cached[location][url] = c
	return *c
}

// evicts reports whether an item of an invalidation stands for a copy.
func evicts(item, url, tag string) bool {
	if name, ok := strings.CutPrefix(item, "#"); ok {
		return name == tag
	}
	if prefix, ok := strings.CutSuffix(item, "*"); ok {
		return strings.HasPrefix(url, prefix)
	}
	return item == url
}

// create begins an invalidation. It evicts what a location has got before, and no later
// than when it is completed.
func (e *edge) create(reference string, items []string) (id string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, before := range e.evictions {
		if before.reference == reference {
			if !slices.Equal(before.items, items) {
				return "", objecttest.Refuses(400, "InvalidationBatchAlreadyExists", "x")
			}
			return fmt.Sprint(i), nil
		}
	}
	now := time.Now()
	random := e.h.fate("invalidation", len(e.evictions))
	one := &eviction{reference, items, now.Add(time.Duration(random.IntN(90_000)) * time.Millisecond)}
	e.evictions = append(e.evictions, one)
	for i := range e.cached {
		wait := time.Duration(random.Int64N(int64(one.done.Sub(now)) + 1))
		e.h.wg.Go(func() {
			time.Sleep(wait)
			e.mu.Lock()
			defer e.mu.Unlock()
			maps.DeleteFunc(e.cached[i], func(url string, c *copied) bool {
				return !c.at.After(now) && slices.ContainsFunc(items, func(item string) bool { return evicts(item, url, c.tag) })
			})
		})
	}
	return fmt.Sprint(len(e.evictions) - 1), nil
}

func (e *edge) completed(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	var i int
	_, _ = fmt.Sscan(id, &i)
	return !time.Now().Before(e.evictions[i].done)
}

// check compares what edge locations have with the bucket.
func (e *edge) check() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, cached := range e.cached {
		for url, c := range cached {
			object, ok := e.h.s3.Object(site, e.h.objectOf(url))
			if c.content != string(object.Content) && time.Now().Before(c.until) && !e.h.isStrange(e.h.objectOf(url)) && (ok || c.content != "") {
				e.h.problem("location %d has %q for %s since %s, want %q", i, c.content, url, c.at.Sub(began), object.Content)
			}
		}
	}
}

// distribution is CloudFront's API for a process.
type distribution struct {
	*process
}

// CreateInvalidation implements invalidation.CloudFront.
func (d distribution) CreateInvalidation(_ context.Context, in *cloudfront.CreateInvalidationInput, _ ...func(*cloudfront.Options)) (*cloudfront.CreateInvalidationOutput, error) {
	if err := d.strike("before", "CreateInvalidation"); err != nil {
		return nil, err
	}
	id, err := d.edge.create(aws.ToString(in.InvalidationBatch.CallerReference), in.InvalidationBatch.Paths.Items)
	if err == nil {
		err = d.strike("after", "CreateInvalidation")
	}
	if err != nil {
		return nil, err
	}
	return &cloudfront.CreateInvalidationOutput{Invalidation: &types.Invalidation{Id: &id, Status: aws.String("InProgress")}}, nil
}

// GetInvalidation implements invalidation.CloudFront.
func (d distribution) GetInvalidation(_ context.Context, in *cloudfront.GetInvalidationInput, _ ...func(*cloudfront.Options)) (*cloudfront.GetInvalidationOutput, error) {
	if err := d.strike("before", "GetInvalidation"); err != nil {
		return nil, err
	}
	status := "InProgress"
	if d.edge.completed(aws.ToString(in.Id)) {
		status = "Completed"
	}
	return &cloudfront.GetInvalidationOutput{Invalidation: &types.Invalidation{Id: in.Id, Status: &status}}, nil
}

// invalidate is an action of the Invalidate stage. What its function does between its two
// parts is in package main, so it is here once more.
func (h *history) invalidate(j *job) (cleared bool) {
	defer h.at()()
	var plan changes.Plan
	var progress invalidation.Progress
	crashes := 0
	for call := range 100 {
		p := h.process(fmt.Sprintf("invalidate %s/%d", j.id, call), time.Now().Add(15*time.Minute))
		done, err := p.clear(j.id, &plan, &progress)
		switch {
		case p.isDead():
			if crashes++; crashes == 3 {
				return false
			}
			time.Sleep(time.Duration(crashes) * time.Minute)
		case err != nil:
			if h.calm {
				h.problem("the invalidation of %s fails: %v", j.id, err)
			}
			return false
		case done:
			return true
		default:
			time.Sleep(30 * time.Second)
		}
	}
	h.problem("the invalidation of %s never ends", j.id)
	return false
}

// clear is a call of the function invalidate. If it ends, Lambda calls it again with what
// it was called with.
func (p *process) clear(job string, token *changes.Plan, progress *invalidation.Progress) (done bool, err error) {
	ctx := context.Background()
	finder := changes.Finder{Releases: release.Store{S3: p.s3Client(), Bucket: releases}, Settings: changes.Settings{KeyPrefix: p.settings.KeyPrefix, Addresses: p.addresses, MaxPaths: 10}}
	plan := *token
	if len(plan.Items) == 0 {
		if plan, err = finder.Find(ctx); err != nil || len(plan.Items) == 0 {
			return true, err
		}
	}
	if p.mutant == noMemory {
		if err := finder.Done(ctx, plan.Number); err != nil {
			return false, err
		}
	}
	invalidator := invalidation.Invalidator{
		CloudFront: distribution{p},
		Settings:   invalidation.Settings{PollFor: 40 * time.Second, PollEvery: 2 * time.Second, Deadline: 30 * time.Minute},
	}
	request := invalidation.Request{Distribution: contract.Distribution{ID: "E1", Paths: plan.Items}, Execution: fmt.Sprint(job, plan.Number)}
	next, outcome, err := invalidator.Advance(ctx, slog.New(slog.DiscardHandler), request, *progress)
	if err == nil && outcome == invalidation.Completed {
		if p.mutant == noNumbers {
			_, err := finder.Releases.Update(ctx, func(s *release.State) error {
				s.Touched, s.ClearAll = nil, 0
				return nil
			})
			return true, err
		}
		return true, finder.Done(ctx, plan.Number)
	}
	if !p.isDead() {
		*token, *progress = plan, next
	}
	return false, err
}

// forgetful are releases without an intent.
type forgetful struct{ Releases }

// UpdateFrom implements Releases.
func (f forgetful) UpdateFrom(ctx context.Context, _ release.State, change func(*release.State) error) (release.State, error) {
	return f.Update(ctx, change)
}

// Update implements Releases.
func (f forgetful) Update(ctx context.Context, change func(*release.State) error) (release.State, error) {
	return f.Releases.Update(ctx, func(s *release.State) error {
		number, touched, retired, all := s.Number, maps.Clone(s.Touched), maps.Clone(s.Retired), s.ClearAll
		if err := change(s); err != nil {
			return err
		}
		if s.Number == number {
			s.Touched, s.Retired, s.ClearAll = touched, retired, all
		}
		return nil
	})
}

// selfish are releases without a lease: each run believes that it has it.
type selfish struct {
	Releases
	mu               sync.Mutex
	job, run, target string
}

// UpdateFrom implements Releases.
func (f *selfish) UpdateFrom(ctx context.Context, _ release.State, change func(*release.State) error) (release.State, error) {
	return f.Update(ctx, change)
}

// Update implements Releases.
func (f *selfish) Update(ctx context.Context, change func(*release.State) error) (release.State, error) {
	return f.Releases.Update(ctx, func(s *release.State) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		s.Job, s.Run, s.Target = f.job, f.run, f.target
		if err := change(s); err != nil {
			return err
		}
		if s.Job != "" {
			f.job, f.run, f.target = s.Job, s.Run, s.Target
		}
		return nil
	})
}

// reckless are releases that do not know which jobs are over.
type reckless struct{ Releases }

// UpdateFrom implements Releases.
func (r reckless) UpdateFrom(ctx context.Context, _ release.State, change func(*release.State) error) (release.State, error) {
	return r.Update(ctx, change)
}

// Update implements Releases.
func (r reckless) Update(ctx context.Context, change func(*release.State) error) (release.State, error) {
	return r.Releases.Update(ctx, func(s *release.State) error {
		s.Past = nil
		return change(s)
	})
}

// lazy are an S3 and the releases of one publication, in which what is no page comes last.
type lazy struct {
	*objecttest.Client
	Releases
	mu   sync.Mutex
	late []func()
}

// PutObject implements S3.
func (l *lazy) PutObject(ctx context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	if filetype.ClassOf(*in.Key).IsPage() {
		return l.Client.PutObject(ctx, in)
	}
	content, err := io.ReadAll(in.Body)
	late := *in
	late.Body = bytes.NewReader(content)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.late = append(l.late, func() { _, _ = l.Client.PutObject(ctx, &late) })
	return &s3.PutObjectOutput{ETag: aws.String(fmt.Sprintf("%q", fmt.Sprintf("%x", md5.Sum(content))))}, err //nolint:gosec // as above
}

// PutManifest implements Releases.
func (l *lazy) PutManifest(ctx context.Context, m *release.Manifest) error {
	time.Sleep(time.Second)
	for _, put := range l.late {
		put()
	}
	return l.Releases.PutManifest(ctx, m)
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
