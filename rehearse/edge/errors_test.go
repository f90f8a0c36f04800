package edge

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

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
	if head := w.visit(t, http.MethodHead, "/missing"); head.Code != 404 || head.Body.Len() != 0 || head.Header().Get("Content-Length") != "8" {
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

	// If the error page itself is missing, readers get the error of that page.
	w = newWorld(t, Distribution{Errors: map[int]ErrorResponse{403: notFound, 503: notFound}})
	want(t, "no page", w.get(t, "/missing"), 403, "<Code>AccessDenied</Code>", "Error")
	w.before = func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.status = map[int]int{0: 503, 503: 500}[w.status]
	}
	want(t, "503, and then 500 for its page", w.get(t, "/failing"), 500, "", "Error")

	// A single-page application sends its start page with the status 200.
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

	// The edge cannot serve an object that is not in the cache.
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
	// A 4xx replaces an expired object.
	w.down = nil
	w.put("/d.html", "one", "max-age=60")
	want(t, "d", w.get(t, "/d.html"), 200, "one", "Miss")
	delete(w.objects, "/d.html")
	w.advance(time.Minute)
	want(t, "deleted and expired", w.get(t, "/d.html"), 403, "<Code>AccessDenied</Code>", "Error")
}
