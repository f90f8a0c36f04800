package edge

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html
func TestCompression(t *testing.T) {
	big := strings.Repeat("0123456789", 100)
	tests := []struct {
		name        string
		accept      string
		http10      bool
		contentType string
		encoding    string
		content     string
		etag        string
		off, noGzip bool // of the behaviour, of the cache policy
		status      int
		want        bool
		wantETag    string
	}{
		{name: "HTML", want: true},
		{name: "charset", contentType: "text/css; charset=utf-8", want: true},
		{name: "capitals", contentType: "Text/HTML", want: true},
		{name: "an image of text", contentType: "image/svg+xml", want: true},
		{name: "an image", contentType: "image/png"},
		{name: "a font that is compressed", contentType: "font/woff2"},
		{name: "no type", contentType: "-"},
		{name: "smallest", content: big[:1000], want: true},
		{name: "too small", content: big[:999]},
		{name: "biggest", content: strings.Repeat("x", 10_000_000), want: true},
		{name: "too big", content: strings.Repeat("x", 10_000_001)},
		{name: "viewer accepts nothing", accept: "-"},
		{name: "viewer accepts Brotli, too", accept: "br, gzip", want: true},
		{name: "viewer accepts Brotli only", accept: "br"},
		{name: "viewer accepts gzip, with a weight", accept: "deflate, GZIP;q=0.5", want: true},
		{name: "viewer does not accept gzip", accept: "gzip;q=0, identity"},
		{name: "viewer does not accept gzip, with a space", accept: "gzip; q=0.000"},
		{name: "something like it", accept: "x-gzip2"},
		{name: "HTTP/1.0", http10: true},
		{name: "off", off: true},
		{name: "not in the cache policy", noGzip: true},
		{name: "compressed by the origin", encoding: "zstd"},
		{name: "weak ETag", etag: `W/"x"`, want: true, wantETag: `W/"x"`},
		{name: "invalid ETag", etag: "x", want: true, wantETag: "-"},
		{name: "403", status: 403, want: true},
		{name: "404", status: 404, want: true},
		{name: "500", status: 500},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			or := func(s, otherwise string) string {
				return map[bool]string{true: otherwise, false: strings.Trim(s, "-")}[s == ""]
			}
			content, etag := or(test.content, big), or(test.etag, `"x"`)
			policy := CachePolicy{DefaultTTL: time.Hour, MaxTTL: time.Hour, Gzip: !test.noGzip}
			e, err := New(Options{
				Distribution: Distribution{Behaviors: []Behavior{{PathPattern: "*", ViewerProtocol: "allow-all", Compress: !test.off, CachePolicy: policy}}},
				Origin: roundTripper(func(r *http.Request) (*http.Response, error) {
					recorder := httptest.NewRecorder()
					recorder.Header()["Content-Type"] = []string{or(test.contentType, "text/html")}
					recorder.Header().Set("Etag", etag)
					if test.encoding != "" {
						recorder.Header().Set("Content-Encoding", test.encoding)
					}
					if test.status != 0 {
						recorder.WriteHeader(test.status)
					}
					_, _ = recorder.WriteString(content)
					return recorder.Result(), nil
				}),
			})
			if err != nil {
				t.Fatal(err)
			}
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/a", nil)
			request.Header.Set("Accept-Encoding", or(test.accept, "gzip"))
			if test.http10 {
				request.Proto, request.ProtoMinor = "HTTP/1.0", 0
			}
			for _, cache := range []string{"Miss", "Hit"} {
				got := httptest.NewRecorder()
				e.ServeHTTP(got, request)
				if test.status == 0 && got.Header().Get("X-Cache") != cache+" from cloudfront" {
					t.Errorf("X-Cache: got %q, want %s", got.Header().Get("X-Cache"), cache)
				}
				if !test.want {
					if got.Body.String() != content || got.Header().Get("Content-Encoding") != test.encoding || got.Header().Get("Etag") != etag || got.Header().Get("Vary") != "" {
						t.Errorf("%s: got %d bytes, %v; want it as it is", cache, got.Body.Len(), got.Header())
					}
					continue
				}
				wantETag := strings.Trim(or(test.wantETag, `W/"x"`), "-")
				if header := got.Header(); header.Get("Content-Encoding") != "gzip" || header.Get("Vary") != "Accept-Encoding" || header.Get("Etag") != wantETag {
					t.Errorf("%s: got %v, want gzip, Vary and the ETag %s", cache, header, wantETag)
				}
				unzipped, err := gzip.NewReader(got.Body)
				if err != nil {
					t.Fatal(err)
				}
				if plain, err := io.ReadAll(unzipped); err != nil || string(plain) != content {
					t.Errorf("%s: unzipped: %d bytes, %v, want %d", cache, len(plain), err, len(content))
				}
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The cache key contains whether a viewer accepts gzip, and the origin confirms an object by its own ETag.
func TestCompressedObjectsInTheCache(t *testing.T) {
	w := newWorld(t, Distribution{
		Errors: map[int]ErrorResponse{403: {PagePath: "/404.html", Status: 404}},
		Behaviors: []Behavior{
			{PathPattern: "/404.html", ViewerProtocol: "allow-all", Compress: true},
			{PathPattern: "/plain/*", ViewerProtocol: "allow-all"},
			{PathPattern: "*", ViewerProtocol: "allow-all", Compress: true},
		},
	})
	old := strings.Repeat("o", 1000)
	w.put("/a", old, "max-age=60")
	get := func(path string, header ...string) *httptest.ResponseRecorder {
		return w.get(t, path, append([]string{"Accept-Encoding", "gzip"}, header...)...)
	}
	wantCache := func(what string, got *httptest.ResponseRecorder, status int, encoding, cache string) {
		t.Helper()
		if got.Code != status || got.Header().Get("Content-Encoding") != encoding || got.Header().Get("X-Cache") != cache+" from cloudfront" {
			t.Errorf("%s: got %d, %v; want %d, encoding %q, %s", what, got.Code, got.Header(), status, encoding, cache)
		}
	}
	wantCache("compressed", get("/a"), 200, "gzip", "Miss")
	wantCache("plain", w.get(t, "/a"), 200, "", "Miss")
	wantCache("compressed again", get("/a"), 200, "gzip", "Hit")
	wantCache("plain again", w.get(t, "/a"), 200, "", "Hit")
	wantCache("what the viewer has", get("/a", "If-None-Match", `W/"`+old+`"`), 304, "", "Hit")
	w.advance(time.Minute)
	refreshed := get("/a")
	wantCache("confirmed", refreshed, 200, "gzip", "RefreshHit")
	if etag := refreshed.Header().Get("Etag"); etag != `W/"`+old+`"` {
		t.Errorf("ETag of what the origin confirmed: got %.10s…, want a weak one", etag)
	}
	w.invalidate("Completed", "/a")
	wantCache("invalidated, compressed", get("/a"), 200, "gzip", "Miss")
	wantCache("invalidated, plain", w.get(t, "/a"), 200, "", "Miss")

	w.put("/404.html", old, "")
	wantCache("error page, as the behaviour of its path says", get("/plain/missing"), 404, "gzip", "Error")
	wantCache("error page, plain", w.get(t, "/missing"), 404, "", "Error")
	w.wantAsked(t, "/a", "/a", `/a unless "`+old+`"`, "/a", "/a", "/plain/missing", "/404.html", "/missing", "/404.html")
}
