package edge

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/edgefunction"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/stacks/viewerrequest"
)

// world is an edge with an origin, a clock and invalidations that a test sets.
type world struct {
	mu            sync.Mutex
	now           time.Time
	invalidations []fakeaws.Invalidation
	objects       map[string]object // by path
	asked         []string          // what the origin was asked for
	down          error             // the origin cannot be reached
	status        int               // the origin answers this to everything
	before        func()            // the origin does this before it answers

	edge *Edge
}

type object struct {
	content, cacheControl string
}

// newWorld makes one of a distribution; one without behaviours gets a default one that does nothing.
func newWorld(t *testing.T, d Distribution) *world {
	t.Helper()
	w := &world{now: noon, objects: make(map[string]object)}
	d.ID = "E1"
	if d.Behaviors == nil {
		d.Behaviors = []Behavior{{PathPattern: "*", ViewerProtocol: "allow-all"}}
	}
	var err error
	if w.edge, err = New(Options{Distribution: d, Origin: w, Invalidations: w, Now: w.Now}); err != nil {
		t.Fatalf("New: %v", err)
	}
	return w
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) put(path, content, cacheControl string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.objects[path] = object{content, cacheControl}
}

func (w *world) invalidate(status string, paths ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.invalidations = append(w.invalidations, fakeaws.Invalidation{ID: "I" + strings.Repeat("x", len(w.invalidations)), Status: status, Paths: paths, Created: w.now})
}

func (w *world) Invalidations(id string) []fakeaws.Invalidation {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id != "E1" {
		return nil
	}
	return slices.Clone(w.invalidations)
}

// RoundTrip is the origin: S3 with origin access control.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	before := w.before
	w.mu.Unlock()
	if before != nil {
		before()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	question, match := r.URL.Path, r.Header.Get("If-None-Match")
	if match != "" {
		question += " unless " + match
	}
	w.asked = append(w.asked, question)
	recorder := httptest.NewRecorder()
	found, ok := w.objects[r.URL.Path]
	switch {
	case w.down != nil:
		return nil, w.down
	case w.status != 0:
		recorder.WriteHeader(w.status)
	case !ok:
		recorder.Header().Set("Content-Type", "application/xml")
		recorder.WriteHeader(http.StatusForbidden)
		_, _ = recorder.WriteString("<Code>AccessDenied</Code>")
	default:
		etag := `"` + found.content + `"`
		recorder.Header().Set("Etag", etag)
		recorder.Header().Set("Content-Type", "text/html")
		recorder.Header().Set("Last-Modified", "Sun, 01 Nov 2026 00:00:00 GMT")
		if found.cacheControl != "" {
			recorder.Header().Set("Cache-Control", found.cacheControl)
		}
		if match == etag {
			recorder.WriteHeader(http.StatusNotModified)
		} else {
			_, _ = recorder.WriteString(found.content)
		}
	}
	return recorder.Result(), nil
}

// get asks the edge as a reader does.
func (w *world) get(t *testing.T, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return w.do(t, http.MethodGet, path, header...)
}

func (w *world) do(t *testing.T, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	w.edge.ServeHTTP(recorder, request)
	return recorder
}

// want compares a response's status, content and X-Cache without "from cloudfront".
func want(t *testing.T, what string, got *httptest.ResponseRecorder, status int, content, cache string) {
	t.Helper()
	result, ok := strings.CutSuffix(got.Header().Get("X-Cache"), " from cloudfront")
	if got.Code != status || got.Body.String() != content || !ok || result != cache {
		t.Errorf("%s: got %d %q, X-Cache %q; want %d %q, %s from cloudfront", what, got.Code, got.Body, got.Header().Get("X-Cache"), status, content, cache)
	}
}

func (w *world) wantAsked(t *testing.T, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.asked, want) {
		t.Errorf("origin was asked for:\n got %q\nwant %q", w.asked, want)
	}
}

func TestEdgeCachesRefreshesAndAges(t *testing.T) {
	w := newWorld(t, Distribution{})
	w.put("/a.html", "one", "max-age=60")

	want(t, "first", w.get(t, "/a.html"), 200, "one", "Miss")
	w.advance(59 * time.Second)
	hit := w.get(t, "/a.html?utm=x")
	want(t, "before the end of its time, with a query string", hit, 200, "one", "Hit")
	for name, value := range map[string]string{
		"Age": "59", "Date": "Sun, 01 Nov 2026 12:00:00 GMT", "Content-Type": "text/html", "Etag": `"one"`,
		"Cache-Control": "max-age=60", "Last-Modified": "Sun, 01 Nov 2026 00:00:00 GMT", "Content-Length": "3",
	} {
		if got := hit.Header().Get(name); got != value {
			t.Errorf("%s: got %q, want %q", name, got, value)
		}
	}
	w.advance(time.Second)
	refreshed := w.get(t, "/a.html")
	want(t, "expired and unchanged", refreshed, 200, "one", "RefreshHit")
	if age := refreshed.Header().Get("Age"); age != "" {
		t.Errorf("Age after the origin confirmed it: got %q, want none", age)
	}
	w.advance(3 * time.Second)
	again := w.get(t, "/a.html")
	want(t, "again", again, 200, "one", "Hit")
	if age := again.Header().Get("Age"); age != "3" {
		t.Errorf("Age 3 s after the origin confirmed it: got %q, want 3", age)
	}

	w.put("/a.html", "two", "max-age=5")
	want(t, "changed and not expired", w.get(t, "/a.html"), 200, "one", "Hit")
	w.advance(time.Minute)
	want(t, "changed and expired", w.get(t, "/a.html"), 200, "two", "Miss")
	w.advance(5 * time.Second)
	w.put("/a.html", "two", "max-age=600")
	want(t, "expired, same content, other header", w.get(t, "/a.html"), 200, "two", "RefreshHit")
	w.advance(time.Minute)
	want(t, "the new header counts", w.get(t, "/a.html"), 200, "two", "Hit")
	w.wantAsked(t, "/a.html", `/a.html unless "one"`, `/a.html unless "one"`, `/a.html unless "two"`)
}

func TestEdgeCachesByDefaultForADay(t *testing.T) {
	w := newWorld(t, Distribution{})
	w.put("/a.html", "one", "")
	want(t, "first", w.get(t, "/a.html"), 200, "one", "Miss")
	w.put("/a.html", "two", "")
	w.advance(24*time.Hour - time.Nanosecond)
	want(t, "within a day", w.get(t, "/a.html"), 200, "one", "Hit")
	w.advance(time.Nanosecond)
	want(t, "after a day", w.get(t, "/a.html"), 200, "two", "Miss")
}

func TestEdgeAndWhatShouldNotBeCached(t *testing.T) {
	for _, cacheControl := range []string{"no-store", "private", "no-cache", "public, max-age=0, must-revalidate"} {
		t.Run(cacheControl, func(t *testing.T) {
			// AWS: with a minimum TTL above 0, CloudFront caches it for that time.
			w := newWorld(t, Distribution{})
			w.put("/a.html", "one", cacheControl)
			want(t, "CachingOptimized, first", w.get(t, "/a.html"), 200, "one", "Miss")
			want(t, "CachingOptimized, at once", w.get(t, "/a.html"), 200, "one", "Hit")
			w.advance(time.Second)
			w.put("/a.html", "two", cacheControl)
			want(t, "CachingOptimized, a second later", w.get(t, "/a.html"), 200, "two", "Miss")

			w = newWorld(t, Distribution{Behaviors: []Behavior{{PathPattern: "*", ViewerProtocol: "allow-all", CachePolicy: CachePolicy{DefaultTTL: time.Hour, MaxTTL: time.Hour}}}})
			w.put("/a.html", "one", cacheControl)
			want(t, "minimum 0, first", w.get(t, "/a.html"), 200, "one", "Miss")
			second := "RefreshHit"
			if cacheControl == "no-store" || cacheControl == "private" {
				second = "Miss"
			}
			want(t, "minimum 0, at once", w.get(t, "/a.html"), 200, "one", second)
		})
	}
}

func TestEdgeObeysInvalidations(t *testing.T) {
	w := newWorld(t, Distribution{DefaultRootObject: "index.html"})
	w.put("/index.html", "old", "")
	w.put("/posts/日本/", "old", "")
	home, post := "/", "/posts/%E6%97%A5%E6%9C%AC/"
	want(t, "home", w.get(t, home), 200, "old", "Miss")
	want(t, "home as a file", w.get(t, "/index.html"), 200, "old", "Hit")
	want(t, "post", w.get(t, post), 200, "old", "Miss")
	want(t, "post in another spelling", w.get(t, strings.ToLower(post)), 200, "old", "Hit")
	w.put("/index.html", "new", "")
	w.put("/posts/日本/", "new", "")

	// Time stands still: which came first is not a matter of clocks.
	w.invalidate("InProgress", "/*")
	want(t, "in progress", w.get(t, home), 200, "old", "Hit")
	w.invalidations[0].Status = "Completed"
	want(t, "completed", w.get(t, home), 200, "new", "Miss")
	want(t, "and cached again", w.get(t, home), 200, "new", "Hit")
	want(t, "completed, other object", w.get(t, post), 200, "new", "Miss")

	w.put("/index.html", "newer", "")
	w.invalidate("Completed", "/posts/*", "/INDEX.html")
	want(t, "other paths", w.get(t, home), 200, "new", "Hit")
	w.invalidate("Completed", "/index.html")
	want(t, "the default root object by its file", w.get(t, home), 200, "newer", "Miss")
	want(t, "the same object", w.get(t, "/index.html"), 200, "newer", "Hit")
	w.invalidate("Completed", "/")
	want(t, "the default root object, but not by its file", w.get(t, home), 200, "newer", "Hit")

	// Somebody else's, and one from before.
	w.edge.opts.Distribution.ID = "E2"
	w.put("/index.html", "newest", "")
	w.invalidate("Completed", "/*")
	want(t, "another distribution's", w.get(t, home), 200, "newer", "Hit")
}

func TestEdgeForgetsErrorsByInvalidationToo(t *testing.T) {
	w := newWorld(t, Distribution{})
	want(t, "missing", w.get(t, "/new.html"), 403, "<Code>AccessDenied</Code>", "Error")
	w.put("/new.html", "new", "")
	want(t, "published, error still cached", w.get(t, "/new.html"), 403, "<Code>AccessDenied</Code>", "Error")
	w.invalidate("Completed", "/new.html")
	want(t, "invalidated", w.get(t, "/new.html"), 200, "new", "Miss")
}

func TestEdgeAfterARewriteWantsBothPathsInvalidated(t *testing.T) {
	w := newWorld(t, Assumed("E1"))
	w.put("/a/index.html", "old", "")
	want(t, "pretty", w.get(t, "/a/"), 200, "old", "Miss")
	want(t, "as a file", w.get(t, "/a/index.html"), 200, "old", "Hit")
	w.put("/a/index.html", "new", "")
	w.invalidate("Completed", "/a/")
	want(t, "only the pretty one invalidated", w.get(t, "/a/"), 200, "old", "Hit")
	w.invalidate("Completed", "/a/index.html")
	want(t, "both invalidated", w.get(t, "/a/"), 200, "new", "Miss")
}

// TestSiteIsClearedByWhatBelongsTogether: readers of all addresses of a page get the new one, whichever of them
// its owner names, and with fewer than all of its paths somebody gets the old one.
func TestSiteIsClearedByWhatBelongsTogether(t *testing.T) {
	for _, tt := range []struct {
		settings viewerrequest.Settings
		object   string
		asked    []string
	}{
		{viewerrequest.Settings{}, "/index.html", []string{"/", "/index.html"}},
		{viewerrequest.Settings{}, "/a/index.html", []string{"/a/", "/a/index.html"}},
		{viewerrequest.Settings{}, "/tags/c++/index.html", []string{"/tags/c++/", "/tags/c%2B%2B/", "/tags/c++/index.html"}},
		{viewerrequest.Settings{}, "/a+b.txt", []string{"/a+b.txt", "/a%2Bb.txt"}},
		{viewerrequest.Settings{MissingSlash: viewerrequest.Rewrite}, "/go-1.21/index.html", []string{"/go-1.21", "/go-1.21/", "/go-1.21/index.html"}},
	} {
		function, err := edgefunction.New(viewerrequest.Code(tt.settings))
		if err != nil {
			t.Fatal(err)
		}
		for _, named := range tt.asked {
			w := newWorld(t, Distribution{DefaultRootObject: "index.html", Behaviors: []Behavior{{PathPattern: "*", ViewerProtocol: "allow-all", ViewerRequest: function}}})
			w.put(tt.object, "old", "")
			for _, asked := range tt.asked {
				w.get(t, asked)
			}
			w.put(tt.object, "new", "")
			w.invalidate("Completed", named)
			stale := ""
			for _, asked := range tt.asked {
				if w.get(t, asked).Body.String() == "old" {
					stale = asked
				}
			}
			if stale == "" && named != "/index.html" { // The default root object has one path to everybody.
				t.Errorf("%s alone clears %s", named, tt.object)
			}
			w.invalidate("Completed", tt.settings.Addresses(named)...)
			for _, asked := range tt.asked {
				if got := w.get(t, asked).Body.String(); got != "new" {
					t.Errorf("what belongs to %s leaves %s at %s", named, got, asked)
				}
			}
		}
	}
}

func TestEdgeCachesErrorsForTenSeconds(t *testing.T) {
	w := newWorld(t, Distribution{})
	want(t, "missing", w.get(t, "/a.html"), 403, "<Code>AccessDenied</Code>", "Error")
	w.put("/a.html", "one", "")
	w.advance(10*time.Second - time.Nanosecond)
	cached := w.get(t, "/a.html")
	want(t, "within 10 s", cached, 403, "<Code>AccessDenied</Code>", "Error")
	if got := cached.Header().Get("Age"); got != "9" {
		t.Errorf("Age of a cached error: got %q, want 9", got)
	}
	w.advance(time.Nanosecond)
	want(t, "after 10 s", w.get(t, "/a.html"), 200, "one", "Miss")
	w.wantAsked(t, "/a.html", "/a.html")
}

func TestEdgeErrorPages(t *testing.T) {
	notFound := ErrorResponse{PagePath: "/404.html", Status: 404}
	w := newWorld(t, Distribution{Errors: map[int]ErrorResponse{403: notFound, 404: notFound, 500: {MinTTL: -1}}})
	w.put("/404.html", "not here", "max-age=600")
	missing := w.get(t, "/missing")
	want(t, "missing", missing, 404, "not here", "Error")
	if got := missing.Header().Get("Content-Type"); got != "text/html" {
		t.Errorf("Content-Type: got %q, want the page's", got)
	}
	want(t, "the page itself", w.get(t, "/404.html"), 200, "not here", "Miss")
	if head := w.do(t, http.MethodHead, "/missing"); head.Code != 404 || head.Body.Len() != 0 || head.Header().Get("Content-Length") != "8" {
		t.Errorf("HEAD: got %d, %d bytes, Content-Length %q; want 404, none, 8", head.Code, head.Body.Len(), head.Header().Get("Content-Length"))
	}
	w.put("/missing", "here", "")
	w.advance(10 * time.Second)
	want(t, "published", w.get(t, "/missing"), 200, "here", "Miss")

	w.status = 500
	want(t, "500, not to be cached", w.get(t, "/b"), 500, "", "Error")
	w.status = 0
	w.put("/b", "back", "")
	want(t, "at once after it", w.get(t, "/b"), 200, "back", "Miss")

	// A page that is missing itself: its own error is what readers get.
	w = newWorld(t, Distribution{Errors: map[int]ErrorResponse{403: notFound, 503: notFound}})
	want(t, "no page", w.get(t, "/missing"), 403, "<Code>AccessDenied</Code>", "Error")
	w.before = func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.status = map[int]int{0: 503, 503: 500}[w.status]
	}
	want(t, "503, and then 500 for its page", w.get(t, "/failing"), 500, "", "Error")

	// A single-page application's.
	w = newWorld(t, Distribution{Errors: map[int]ErrorResponse{403: {PagePath: "/index.html", Status: 200}}})
	w.put("/index.html", "app", "")
	want(t, "page with status 200", w.get(t, "/route"), 200, "app", "Error")
	w.advance(time.Minute)
	want(t, "again, asked anew", w.get(t, "/route"), 200, "app", "Error")
	w.wantAsked(t, "/route", "/index.html", "/route", "/index.html")
}

func TestEdgeServesStaleWhenTheOriginFails(t *testing.T) {
	w := newWorld(t, Distribution{})
	w.put("/a.html", "one", "max-age=60")
	want(t, "first", w.get(t, "/a.html"), 200, "one", "Miss")
	w.advance(time.Minute)
	w.down = errors.New("connection refused")
	stale := w.get(t, "/a.html")
	want(t, "expired, origin down", stale, 200, "one", "Hit")
	if got := stale.Header().Get("Age"); got != "60" {
		t.Errorf("Age: got %q, want 60", got)
	}
	w.down, w.status = nil, 503
	w.put("/a.html", "two", "max-age=60")
	want(t, "within 10 s", w.get(t, "/a.html"), 200, "one", "Hit")
	w.advance(10 * time.Second)
	want(t, "after 10 s, still failing", w.get(t, "/a.html"), 200, "one", "Hit")
	w.status = 0
	w.advance(10 * time.Second)
	want(t, "origin back", w.get(t, "/a.html"), 200, "two", "Miss")

	// What is not in the cache, or no longer, cannot be served.
	w.status = 503
	w.invalidate("Completed", "/*")
	want(t, "invalidated", w.get(t, "/a.html"), 503, "", "Error")
	w.status, w.down = 0, context.DeadlineExceeded
	if got := w.get(t, "/b.html"); got.Code != 504 {
		t.Errorf("origin that does not answer: got %d, want 504", got.Code)
	}
	w.down = errors.New("connection refused")
	if got := w.get(t, "/c.html"); got.Code != 502 || !strings.Contains(got.Body.String(), "connection refused") {
		t.Errorf("origin down: got %d %q, want 502 and why", got.Code, got.Body)
	}
	// A 4xx replaces what has expired.
	w.down = nil
	w.put("/d.html", "one", "max-age=60")
	want(t, "d", w.get(t, "/d.html"), 200, "one", "Miss")
	delete(w.objects, "/d.html")
	w.advance(time.Minute)
	want(t, "deleted and expired", w.get(t, "/d.html"), 403, "<Code>AccessDenied</Code>", "Error")
}

func TestEdgeHeadersAndMethods(t *testing.T) {
	w := newWorld(t, Distribution{})
	w.put("/a.html", "content", "")
	first, second := w.get(t, "/a.html"), w.get(t, "/a.html")
	if via := first.Header().Get("Via"); !regexp.MustCompile(`^1\.1 [a-z0-9]+\.cloudfront\.net \(CloudFront\)$`).MatchString(via) || via != second.Header().Get("Via") {
		t.Errorf("Via: got %q and %q, want CloudFront's, twice the same", via, second.Header().Get("Via"))
	}
	if id := first.Header().Get("X-Amz-Cf-Id"); !regexp.MustCompile(`^[A-Za-z0-9_-]{54}==$`).MatchString(id) || id == second.Header().Get("X-Amz-Cf-Id") {
		t.Errorf("X-Amz-Cf-Id: got %q and %q, want two different ones", id, second.Header().Get("X-Amz-Cf-Id"))
	}
	if got := first.Header().Get("Age"); got != "" {
		t.Errorf("Age of a miss: got %q, want none", got)
	}
	head := w.do(t, http.MethodHead, "/a.html")
	want(t, "HEAD", head, 200, "", "Hit")
	if got := head.Header().Get("Content-Length"); got != "7" {
		t.Errorf("Content-Length of HEAD: got %q, want 7", got)
	}
	want(t, "what the reader has", w.get(t, "/a.html", "If-None-Match", `"content"`), 304, "", "Hit")
	want(t, "what the reader had", w.get(t, "/a.html", "If-None-Match", `"older"`), 200, "content", "Hit")
	want(t, "range", w.get(t, "/a.html", "Range", "bytes=3-4"), 206, "te", "Hit")
	want(t, "a reader who insists", w.get(t, "/a.html", "Cache-Control", "no-cache", "Pragma", "no-cache"), 200, "content", "Hit")
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch} {
		if got := w.do(t, method, "/a.html"); got.Code != 403 || !strings.Contains(got.Body.String(), "supports only cachable requests") {
			t.Errorf("%s: got %d %q, want 403", method, got.Code, got.Body)
		}
	}
	w.wantAsked(t, "/a.html")
}

func TestEdgeRootWithoutDefaultObject(t *testing.T) {
	w := newWorld(t, Distribution{})
	w.put("/index.html", "home", "")
	want(t, "root", w.get(t, "/"), 403, "<Code>AccessDenied</Code>", "Error")
	w = newWorld(t, Distribution{DefaultRootObject: "index.html"})
	w.put("/a/index.html", "a", "")
	want(t, "a folder has no default object", w.get(t, "/a/"), 403, "<Code>AccessDenied</Code>", "Error")
}

func TestEdgeAsksTheOriginOnceForManyReaders(t *testing.T) {
	w := newWorld(t, Distribution{})
	w.put("/a.html", "one", "")
	release := make(chan struct{})
	entered := make(chan struct{}, 100)
	w.before = func() { entered <- struct{}{}; <-release }

	const readers = 20
	results := make(chan string, readers)
	read := func() { results <- w.get(t, "/a.html").Header().Get("X-Cache") }
	go read()
	<-entered
	for range readers - 1 {
		go read()
	}
	time.Sleep(50 * time.Millisecond) // For the others to come and wait; too short only makes the test easier.
	close(release)
	counts := make(map[string]int)
	for range readers {
		counts[<-results]++
	}
	if counts["Miss from cloudfront"] != 1 || counts["Hit from cloudfront"] != readers-1 {
		t.Errorf("X-Cache: got %v, want 1 miss and %d hits", counts, readers-1)
	}
	w.wantAsked(t, "/a.html")
}

// A fetch that is under way when an invalidation completes may bring the old object: neither may a
// later reader wait for it, nor may it stay in the cache.
func TestEdgeWithAnInvalidationDuringAFetch(t *testing.T) {
	w := newWorld(t, Distribution{})
	w.put("/a.html", "new", "")
	entered, release := make(chan struct{}), make(chan struct{})
	var slow atomic.Bool
	w.before = func() {
		if slow.CompareAndSwap(false, true) { // The first question only.
			close(entered)
			<-release
		}
	}
	old := make(chan string)
	go func() { old <- w.get(t, "/a.html").Body.String() }()
	<-entered
	w.invalidate("Completed", "/*")
	w.put("/a.html", "new", "")
	want(t, "a reader after the invalidation", w.get(t, "/a.html"), 200, "new", "Miss")
	w.put("/a.html", "old", "")
	close(release)
	if got := <-old; got != "old" {
		t.Errorf("the reader before it: got %q, want old", got)
	}
	w.put("/a.html", "new", "")
	want(t, "what the slow answer left in the cache is gone", w.get(t, "/a.html"), 200, "new", "Miss")
	want(t, "and then", w.get(t, "/a.html"), 200, "new", "Hit")
}

func TestEdgeOutlivesAReaderWhoLeaves(t *testing.T) {
	w := newWorld(t, Distribution{})
	w.put("/a.html", "one", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	recorder := httptest.NewRecorder()
	w.edge.ServeHTTP(recorder, httptest.NewRequestWithContext(ctx, http.MethodGet, "/a.html", nil))
	want(t, "for the others", w.get(t, "/a.html"), 200, "one", "Hit")
}

func TestEdgeUnderManyReaders(t *testing.T) {
	w := newWorld(t, Assumed("E1"))
	paths := []string{"/", "/a/", "/b.html", "/missing"}
	for _, path := range []string{"/index.html", "/a/index.html", "/b.html"} {
		w.put(path, "x", "max-age=1")
	}
	var readers sync.WaitGroup
	for i := range 8 {
		readers.Go(func() {
			for j := range 100 {
				if got := w.get(t, paths[(i+j)%len(paths)]); got.Code != 200 && got.Code != 403 {
					t.Errorf("got %d", got.Code)
				}
				w.advance(100 * time.Millisecond)
				if j%25 == 0 {
					w.invalidate("Completed", "/*")
				}
			}
		})
	}
	readers.Wait()
}
