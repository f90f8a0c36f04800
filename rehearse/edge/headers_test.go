package edge

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestHeadersPolicy(t *testing.T) {
	tests := []struct {
		name   string
		policy HeadersPolicy
		http   bool // and not https
		origin http.Header
		want   map[string]string // "" for none
	}{
		{"none", HeadersPolicy{}, false, http.Header{"X-A": {"origin"}, "Server": {"AmazonS3"}}, map[string]string{"X-A": "origin", "Server": "AmazonS3"}},
		{"set", HeadersPolicy{Set: []Header{{Name: "x-a", Value: "policy"}}}, false, nil, map[string]string{"X-A": "policy"}},
		{"set, and the origin has it", HeadersPolicy{Set: []Header{{Name: "x-a", Value: "policy"}}}, false, http.Header{"X-A": {"origin"}}, map[string]string{"X-A": "origin"}},
		{"override", HeadersPolicy{Set: []Header{{Name: "x-a", Value: "policy", Override: true}}}, false, nil, map[string]string{"X-A": "policy"}},
		{"override, and the origin has it twice", HeadersPolicy{Set: []Header{{Name: "x-a", Value: "policy", Override: true}}}, false, http.Header{"X-A": {"origin", "again"}}, map[string]string{"X-A": "policy"}},
		{"remove", HeadersPolicy{Remove: []string{"x-a"}}, false, http.Header{"X-A": {"origin", "again"}}, map[string]string{"X-A": ""}},
		{"remove what is not there", HeadersPolicy{Remove: []string{"x-a"}}, false, nil, map[string]string{"X-A": ""}},
		{"remove and set", HeadersPolicy{Remove: []string{"X-A"}, Set: []Header{{Name: "x-a", Value: "policy"}}}, false, http.Header{"X-A": {"origin"}}, map[string]string{"X-A": "policy"}},
		{"remove CloudFront's own", HeadersPolicy{Remove: []string{"Server", "Date"}}, false, http.Header{"Server": {"AmazonS3"}, "Date": {"Sat, 31 Oct 2026 00:00:00 GMT"}}, map[string]string{"Server": "CloudFront", "Date": "Sun, 01 Nov 2026 12:00:00 GMT"}},
		{"HSTS by https", HeadersPolicy{Set: []Header{{Name: "Strict-Transport-Security", Value: "max-age=1", Override: true}}}, false, nil, map[string]string{"Strict-Transport-Security": "max-age=1"}},
		{"HSTS by http", HeadersPolicy{Set: []Header{{Name: "strict-transport-security", Value: "max-age=1", Override: true}}}, true, nil, map[string]string{"Strict-Transport-Security": ""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			header := maps.Clone(test.origin)
			if header == nil {
				header = http.Header{}
			}
			test.policy.apply(header, !test.http, noon)
			for name, want := range test.want {
				if got := strings.Join(header.Values(name), ", "); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

// "CloudFront adds these headers to every response that it returns to viewers."
func TestHeadersPolicyIsForEveryResponse(t *testing.T) {
	policy := HeadersPolicy{Set: []Header{
		{Name: "Cache-Control", Value: "no-cache", Override: true},
		{Name: "Content-Type", Value: "text/x-of-the-policy"},
		{Name: "Strict-Transport-Security", Value: "max-age=1", Override: true},
	}, Remove: []string{"Last-Modified"}}
	w := newWorld(t, Distribution{Aliases: []string{"blog.example.com"}, DefaultRootObject: "index.html",
		Errors: map[int]ErrorResponse{404: {PagePath: "/404.html", Status: 404}},
		Behaviors: []Behavior{
			{PathPattern: "/404.html", ViewerProtocol: "redirect-to-https", Headers: labelled("of the error page's path")},
			{PathPattern: "*", ViewerProtocol: "redirect-to-https", Headers: policy},
		},
	})
	w.status = 404
	w.before = func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if slices.Contains(w.asked, "/missing") {
			w.status = 0 // The error page is there.
		}
	}
	w.put("/404.html", "not here", "")
	w.put("/a.html", "a", "max-age=60")
	tests := []struct {
		name, method, url string
		header            []string
		status            int
		cache             string
		secure            bool
	}{
		{"error page", "GET", "https://blog.example.com/missing", nil, 404, "Error", true},
		{"error page, cached", "GET", "https://blog.example.com/missing", nil, 404, "Error", true},
		{"from the origin", "GET", "https://blog.example.com/a.html", nil, 200, "Miss", true},
		{"cached", "GET", "https://blog.example.com/a.html", nil, 200, "Hit", true},
		{"cached, HEAD", "HEAD", "https://blog.example.com/a.html", nil, 200, "Hit", true},
		{"cached, loopback", "GET", "http://localhost/a.html", nil, 200, "Hit", true},
		{"not modified", "GET", "https://blog.example.com/a.html", []string{"If-None-Match", `"a"`}, 304, "Hit", true},
		{"a part", "GET", "https://blog.example.com/a.html", []string{"Range", "bytes=0-0"}, 206, "Hit", true},
		{"a part that is not there", "GET", "https://blog.example.com/a.html", []string{"Range", "bytes=9-9"}, 416, "Hit", true},
		{"redirect to https", "GET", "http://blog.example.com/a.html", nil, 301, "Redirect", false},
		{"method", "POST", "https://blog.example.com/a.html", nil, 403, "Error", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.visit(t, test.method, test.url, test.header...)
			header := got.Header()
			if got.Code != test.status || header.Get("X-Cache") != test.cache+" from cloudfront" {
				t.Errorf("got %d, X-Cache %q; want %d, %s from cloudfront", got.Code, header.Get("X-Cache"), test.status, test.cache)
			}
			if cache, modified, label := header.Get("Cache-Control"), header.Get("Last-Modified"), header.Get("X-Label"); cache != "no-cache" || modified != "" || label != "" {
				t.Errorf("Cache-Control %q, Last-Modified %q, X-Label %q; want the policy of the requested path", cache, modified, label)
			}
			if contentType := header.Get("Content-Type"); got.Code != http.StatusNotModified && contentType == "text/x-of-the-policy" {
				t.Errorf("Content-Type: got %q, want the origin's", contentType)
			}
			if hsts := header.Get("Strict-Transport-Security"); (hsts != "") != test.secure {
				t.Errorf("Strict-Transport-Security: got %q", hsts)
			}
		})
	}
	w.wantAsked(t, "/missing", "/404.html", "/a.html")

	w.down = errors.New("connection refused")
	down := w.visit(t, http.MethodGet, "https://blog.example.com/b.html")
	if down.Code != 502 || down.Header().Get("Cache-Control") != "no-cache" || !strings.Contains(down.Body.String(), "connection refused") {
		t.Errorf("origin down: got %d, %v, %q; want 502 with the policy, and why", down.Code, down.Header(), down.Body)
	}
}

// A policy changes only what viewers get, not what the edge caches and for how long.
func TestHeadersPolicyLeavesTheCacheAlone(t *testing.T) {
	w := newWorld(t, Distribution{Behaviors: []Behavior{
		{PathPattern: "/bare", ViewerProtocol: "allow-all", ViewerRequest: to("/a.html")},
		{PathPattern: "*", ViewerProtocol: "allow-all", Headers: HeadersPolicy{
			Set: []Header{{Name: "Cache-Control", Value: "no-store", Override: true}}, Remove: []string{"Etag"},
		}},
	}})
	w.put("/a.html", "a", "max-age=60")
	want(t, "first", w.get(t, "/a.html"), 200, "a", "Miss")
	w.advance(59e9)
	want(t, "within the origin's max-age", w.get(t, "/a.html"), 200, "a", "Hit")
	bare := w.get(t, "/bare")
	want(t, "without the policy", bare, 200, "a", "Hit")
	if cache, etag := bare.Header().Get("Cache-Control"), bare.Header().Get("Etag"); cache != "max-age=60" || etag != `"a"` {
		t.Errorf("without the policy: Cache-Control %q, ETag %q; want the origin's", cache, etag)
	}
	w.advance(1e9)
	want(t, "after it", w.get(t, "/a.html"), 200, "a", "RefreshHit")
}
