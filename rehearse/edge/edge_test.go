package edge

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

// world is an edge together with an origin, a clock and invalidations that a test controls.
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
	content, cacheControl, tags string
}

// newWorld returns a world for a distribution. A distribution without behaviours gets a default behaviour.
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
	w.objects[path] = object{content: content, cacheControl: cacheControl}
}

// tag sets the cache tags of an object.
func (w *world) tag(path, tags string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	tagged := w.objects[path]
	tagged.tags = tags
	w.objects[path] = tagged
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

// RoundTrip stands for the origin, S3 with origin access control.
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
			if found.tags != "" {
				recorder.Header().Set("X-Amz-Meta-Cache-Tag", found.tags)
			}
			_, _ = recorder.WriteString(found.content)
		}
	}
	return recorder.Result(), nil
}

// get sends a GET to the edge.
func (w *world) get(t *testing.T, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return w.visit(t, http.MethodGet, path, header...)
}

// visit sends a request for a path, by HTTP, or for a whole URL.
func (w *world) visit(t *testing.T, method, url string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, url, nil)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	request.TLS = nil
	if strings.HasPrefix(url, "https:") {
		request.TLS = &tls.ConnectionState{}
	}
	recorder := httptest.NewRecorder()
	w.edge.ServeHTTP(recorder, request)
	return recorder
}

// wantAnswer compares an answer of the edge: its status, X-Cache (without "from cloudfront"), a part of its body ("-" for
// none) and some of its headers.
func wantAnswer(t *testing.T, got *httptest.ResponseRecorder, status int, cache, part string, header map[string]string) {
	t.Helper()
	body := got.Body.String()
	if got.Code != status || got.Header().Get("X-Cache") != cache+" from cloudfront" || part == "-" && body != "" || part != "-" && !strings.Contains(body, part) {
		t.Errorf("got %d, %v, %q; want %d, %s from cloudfront, %q", got.Code, got.Header(), body, status, cache, part)
	}
	for name, value := range header {
		if got := got.Header().Get(name); got != value {
			t.Errorf("%s: got %q, want %q", name, got, value)
		}
	}
}

// want compares the status, the content and X-Cache (without "from cloudfront") of a response.
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
	head := w.visit(t, http.MethodHead, "/a.html")
	want(t, "HEAD", head, 200, "", "Hit")
	if got := head.Header().Get("Content-Length"); got != "7" {
		t.Errorf("Content-Length of HEAD: got %q, want 7", got)
	}
	want(t, "what the reader has", w.get(t, "/a.html", "If-None-Match", `"content"`), 304, "", "Hit")
	want(t, "what the reader had", w.get(t, "/a.html", "If-None-Match", `"older"`), 200, "content", "Hit")
	want(t, "range", w.get(t, "/a.html", "Range", "bytes=3-4"), 206, "te", "Hit")
	want(t, "a reader who insists", w.get(t, "/a.html", "Cache-Control", "no-cache", "Pragma", "no-cache"), 200, "content", "Hit")
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch} {
		if got := w.visit(t, method, "/a.html"); got.Code != 403 || !strings.Contains(got.Body.String(), "supports only cachable requests") {
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
