package edge

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

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
