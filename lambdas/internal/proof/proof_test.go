package proof

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/andybalholm/brotli"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/changes"
	"blog-deploy-pipeline/lambdas/internal/release"
)

const (
	before = "20261126-090000-0a0a0a0a"
	now    = "20261127-090000-0b0b0b0b"
	after  = "20261127-100000-0c0c0c0c"
)

// file is a file of the release now.
func file(content, contentType string) release.File {
	sum := sha256.Sum256([]byte(content))
	return release.File{
		Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Tag: release.CacheTag(now),
		Headers: release.Headers{ContentType: contentType, CacheControl: "max-age=0"},
	}
}

const html = "text/html; charset=utf-8"

// blog is what was published: a home page, a page and a style have changed, and a page has
// left.
func blog() changes.Published {
	return changes.Published{
		Release: now,
		Files: map[string]release.File{
			"index.html": file("home", html), "a/index.html": file("page", html), "main.css": file("style", "text/css"), "404.html": file("nothing here", html),
		},
		Changed: []string{"a/index.html", "main.css"},
		Removed: []string{"gone/index.html"},
	}
}

// site is what answers for the blog. A request without an answer gets 404 as from S3.
type site map[string]http.HandlerFunc

func (s site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Amz-Cf-Pop", "FRA56-P4")
	if answer := s[r.URL.EscapedPath()]; answer != nil {
		answer(w, r)
		return
	}
	status(404, "Server", "AmazonS3", "X-Cache", "Error from cloudfront")(w, r)
}

// serves answers with a content as CloudFront does, with further headers.
func serves(content, contentType string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		set(w, append([]string{"Content-Type", contentType, "Cache-Control", "max-age=0", "X-Cache", "Miss from cloudfront"}, headers...))
		_, _ = io.WriteString(w, content)
	}
}

func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { set(w, headers); w.WriteHeader(code) }
}

func set(w http.ResponseWriter, headers []string) {
	for i := 0; i < len(headers); i += 2 {
		w.Header().Set(headers[i], headers[i+1])
	}
}

// of is the header with the cache tag of a release.
func of(id string) []string { return []string{"X-Amz-Meta-Cache-Tag", "mine," + release.CacheTag(id)} }

// live is a site at which readers have what blog returns.
func live() site {
	return site{
		"/": serves("home", html, of(now)...), "/a/": serves("page", html, of(now)...), "/main.css": serves("style", "text/css", of(now)...),
	}
}

// look makes one look at a site over HTTP.
func look(t *testing.T, handler http.Handler, published changes.Published, settings changes.Settings) Result {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	s := Settings{Site: "https://example.com", At: server.Listener.Addr().String()}
	p := Prover{Settings: s, Blog: settings, PollEvery: time.Millisecond, Client: NewClient(s)}
	return p.Prove(t.Context(), slog.New(slog.DiscardHandler), published, time.Now().Add(-time.Minute), time.Now())
}

func TestKinds(t *testing.T) {
	bomb := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		for zeros := make([]byte, 4<<10); ; {
			if _, err := z.Write(zeros); err != nil || z.Flush() != nil {
				return
			}
		}
	}
	// nothings answers with compressed contents without end, each of which is empty.
	nothings := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		var nothing bytes.Buffer
		_ = gzip.NewWriter(&nothing).Close()
		for many := bytes.Repeat(nothing.Bytes(), 1000); ; {
			if _, err := w.Write(many); err != nil {
				return
			}
		}
	}
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for page := []byte(strings.Repeat("page", 1<<10)); ; {
			if _, err := w.Write(page); err != nil {
				return
			}
		}
	}
	zipped := func(w http.ResponseWriter, r *http.Request) {
		set(w, append(of(now), "Content-Encoding", "gzip", "Content-Type", html))
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, "page")
		_ = z.Close()
	}
	// packed answers with a content that is compressed with Brotli.
	packed := func(content string, headers ...string) http.HandlerFunc {
		var text strings.Builder
		z := brotli.NewWriter(&text)
		_, _ = io.WriteString(z, content)
		_ = z.Close()
		return serves(text.String(), html, append(headers, "Content-Encoding", "br")...)
	}
	// differs answers those who accept compression otherwise than those who do not.
	differs := func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			serves("old", html, "Age", "3600")(w, r)
			return
		}
		serves("page", html)(w, r)
	}
	breaks := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "4")
		_, _ = io.WriteString(w, "pa")
		panic(http.ErrAbortHandler)
	}
	long := strings.Repeat("x", 10_000)
	tests := []struct {
		name   string
		path   string // whose answer it is; default: "/a/"
		answer http.HandlerFunc
		want   Kind
		says   string // in the answer
	}{
		{name: "live", answer: serves("page", html, of(now)...), want: Live},
		{name: "live, by other spellings", answer: serves("page", "Text/HTML;charset=UTF-8", of(now)...), want: Live},
		{name: "live, by a distribution that hides the tag", answer: serves("page", html), want: Live},
		{name: "live, with a policy for browsers", answer: serves("page", html, append(of(now), "Cache-Control", "no-store")...), want: Live},
		{name: "live, although compressed", answer: zipped, want: Live},
		{name: "live, although compressed with Brotli", answer: packed("page", of(now)...), want: Live},
		{name: "a later release that is packed", answer: packed("", of(after)...), want: Newer},
		{name: "a later release", answer: serves("paged", html, of(after)...), want: Newer},

		{name: "an earlier release", answer: serves("old page", html, of(before)...), want: Stale, says: "answered 200 with the file of release " + before + " (Miss from cloudfront, at FRA56-P4)"},
		{name: "the same file of an earlier release, as after a rollback", answer: serves("page", html, of(before)...), want: Live},
		{name: "the same bytes of an earlier release, with another caching", answer: serves("page", html, append(of(before), "Cache-Control", "no-store")...), want: Stale, says: "of release " + before},
		{name: "the same bytes of an earlier release, with a header that is gone", answer: serves("page", html, append(of(before), "Content-Disposition", "attachment")...), want: Stale, says: "of release " + before},
		{name: "an earlier release that is packed", answer: packed("old page", of(before)...), want: Stale, says: "of release " + before},
		{name: "an earlier copy for all readers", answer: differs, want: Stale, says: "200 with 3 bytes in place of 4 (Miss from cloudfront, Age 3600 s"},
		{name: "cached before the clearing", answer: serves("old", html, "Age", "3600", "X-Cache", "Hit from cloudfront"), want: Stale, says: "answered 200 with 3 bytes in place of 4 (Hit from cloudfront, Age 3600 s, at FRA56-P4)"},
		{name: "an error cached before the clearing", answer: status(404, "Age", "3600"), want: Stale, says: "answered 404 Not Found (Age 3600 s"},

		{name: "another length", answer: serves("pag", html), want: Wrong, says: "200 with 3 bytes in place of 4"},
		{name: "other content", answer: serves("cage", html, of(now)...), want: Wrong, says: "200 with other content of 4 bytes"},
		{name: "other content that is packed", answer: packed("cage", of(now)...), want: Wrong, says: "200 with other content of 4 bytes"},
		{name: "an error cached after the clearing", answer: status(404, "Age", "5"), want: Wrong, says: "answered 404 Not Found (Age 5 s"},
		{name: "an age that is none", answer: serves("pag", html, "Age", "-3600"), want: Wrong, says: "200 with 3 bytes in place of 4"},
		{name: "an age of centuries", answer: serves("pag", html, "Age", "9223372036854775807"), want: Stale, says: "200 with 3 bytes in place of 4"},
		{name: "another type", answer: serves("page", "text/plain"), want: Wrong, says: `200 with the Content-Type "text/plain" in place of "text/html; charset=utf-8"`},
		{name: "another caching, of an object without a tag", answer: serves("page", html, "Cache-Control", "no-store"), want: Wrong, says: `200 with the Cache-Control "no-store" in place of "max-age=0"`},
		{name: "nothing", answer: status(404, "Server", "AmazonS3"), want: Wrong, says: "answered 404 Not Found (at FRA56-P4)"},
		{name: "nothing, as S3 says it to strangers", answer: status(403, "Server", "AmazonS3"), want: Wrong, says: "403 Forbidden"},
		{name: "without end", answer: endless, want: Wrong, says: "200 with more than the file's 4 bytes"},
		{name: "compressed without end", answer: bomb, want: Wrong, says: "200 with more than the file's 4 bytes"},
		{name: "compressed with Brotli, and much longer", answer: packed(strings.Repeat("0", 16<<20)), want: Wrong, says: "200 with more than the file's 4 bytes"},
		{name: "compressed without an end or a byte", answer: nothings, want: Unreachable, says: "gave no whole answer: it broke off"},

		{name: "a redirect to another host", answer: status(301, "Location", "https://elsewhere.example/a/"), want: Redirected, says: `answered 301 Moved Permanently to "https://elsewhere.example/a/"`},
		{name: "a redirect with a secret", answer: status(302, "Location", "https://me:word@login.example/a?token=secret#part"), want: Redirected, says: `302 Found to "https://login.example/a" (at`},
		{name: "a redirect to no address", answer: status(302, "Location", "%zz"), want: Unreachable, says: "gave no whole answer: failed to parse Location header"},
		{name: "long headers", answer: status(302, "Location", "https://a.example/"+long, "X-Cache", long, "Age", long, "X-Amz-Cf-Pop", long), want: Redirected, says: "xxx…"},
		{name: "a long order of a web ACL", answer: status(202, "X-Amzn-Waf-Action", long), want: Blocked, says: `xxx…" of a web ACL`},
		{name: "a long compression", answer: serves("page", html, "Content-Encoding", long), want: Unreachable, says: "xxx…, which nobody asked for"},
		{name: "a redirect to nowhere", answer: status(302), want: Redirected, says: `302 Found to "none"`},
		{name: "a password", answer: status(401, "WWW-Authenticate", "Basic"), want: Private, says: "401 Unauthorized"},
		{name: "a password, by a function", answer: status(403, "WWW-Authenticate", "Basic"), want: Private, says: "403 Forbidden"},
		{name: "a web ACL that blocks", answer: status(403, "Server", "CloudFront"), want: Blocked, says: "403 Forbidden"},
		{name: "a web ACL that challenges", answer: status(202, "X-Amzn-Waf-Action", "challenge"), want: Blocked, says: `answered 202 Accepted and the "challenge" of a web ACL`},
		{name: "a web ACL that asks for a captcha", answer: status(405, "X-Amzn-Waf-Action", "captcha"), want: Blocked, says: `the "captcha" of a web ACL`},
		{name: "a method that is not allowed", answer: status(405), want: Blocked, says: "405 Method Not Allowed"},
		{name: "a status that is none", answer: status(599), want: Unreachable, says: "answered 599 (at"},
		{name: "too many requests", answer: status(429), want: Busy, says: "429 Too Many Requests"},
		{name: "unavailable", answer: status(503), want: Busy, says: "503 Service Unavailable"},
		{name: "an error of a server", answer: status(502), want: Unreachable, says: "answered 502 Bad Gateway"},
		{name: "broken off", answer: breaks, want: Unreachable, says: "gave no whole answer: it broke off"},
		{name: "a compression that nobody asked for", answer: serves("page", html, "Content-Encoding", "zstd"), want: Unreachable, says: "gave no whole answer: the Content-Encoding is zstd, which nobody asked for"},
		{name: "compressed, it says", answer: serves("page", html, "Content-Encoding", "gzip"), want: Unreachable, says: "gave no whole answer: it broke off"},
		{name: "compressed with Brotli, it says", answer: serves("page", html, "Content-Encoding", "br"), want: Unreachable, says: "gave no whole answer: it broke off"},
		{name: "a header without end", answer: func(w http.ResponseWriter, r *http.Request) {
			serves("page", html, "X-Long", strings.Repeat("x", 2*maxHeader))(w, r)
		}, want: Unreachable, says: "server response headers exceeded"},

		{name: "gone", path: "/gone/", answer: status(404), want: Live},
		{name: "gone, as S3 says it to strangers", path: "/gone/", answer: status(403), want: Live},
		{name: "gone, with a redirect", path: "/gone/", answer: status(301, "Location", "/"), want: Live},
		{name: "gone, with the status of a page", path: "/gone/", answer: serves("nothing here", html, of(now)...), want: Live},
		{name: "gone, and back", path: "/gone/", answer: serves("back", html, of(after)...), want: Newer},
		{name: "still in a cache", path: "/gone/", answer: serves("secret", html, of(before)...), want: Stale, says: "answered 200 with a file that has left the blog (Miss"},
		{name: "still in a cache that hides the tag", path: "/gone/", answer: serves("secret", html, "Age", "3600"), want: Stale, says: "200 with a file that has left the blog (Miss"},
		{name: "still there", path: "/gone/", answer: serves("secret", html), want: Wrong, says: "200 with a file that has left the blog"},
		{name: "still there under its own name", path: "/gone/index.html", answer: serves("secret", html), want: Wrong, says: "200 with a file that has left the blog"},
		{name: "still there, and packed", path: "/gone/", answer: packed("secret"), want: Wrong, says: "200 with a file that has left the blog"},
		{name: "still there, without end", path: "/gone/", answer: endless, want: Wrong, says: "200 with a file that has left the blog"},
		{name: "gone behind a password", path: "/gone/", answer: status(401), want: Private, says: "401 Unauthorized"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := live()
			if tt.path == "" {
				tt.path = "/a/"
			}
			s[tt.path] = tt.answer
			got := look(t, s, blog(), changes.Settings{})
			if got.Checked() != 4 && tt.want != Newer || len(got.Sights) != 4 {
				t.Fatalf("looked at %d of %d addresses, want 4", got.Checked(), len(got.Sights))
			}
			first, bad := got.First()
			if bad != (tt.want > Newer) || bad && (first.Kind != tt.want || first.Address != "https://example.com"+tt.path) || !got.Has(tt.want) {
				t.Errorf("saw %s at %q, want %s", first.Kind, first.Address, tt.want)
			}
			if len(first.Answer) > 600 || len(first.Edge) > 60 {
				t.Errorf("it says %d bytes of %d bytes, which do not fit into a message", len(first.Answer), len(first.Edge))
			}
			if !strings.Contains(first.Answer, tt.says) {
				t.Errorf("it %q, want %q in it", first.Answer, tt.says)
			}
			if tt.want == Live && (got.Live() != 4 || got.Edge() != "FRA56-P4") {
				t.Errorf("%d are live at %q, want 4 at FRA56-P4", got.Live(), got.Edge())
			}
		})
	}
}

// A distribution without a function serves a page under its own name only. A Site must
// serve it at the readers' address.
func TestPagesWithoutAFunction(t *testing.T) {
	s := live()
	s["/a/index.html"], s["/index.html"] = s["/a/"], s["/"]
	delete(s, "/")
	s["/a/"] = status(301, "Location", "/a")
	if got := look(t, s, blog(), changes.Settings{Addresses: contract.Addresses{Bare: true}}); got.Live() != 4 {
		t.Errorf("%d are live, want 4: %+v", got.Live(), got.Sights)
	}
	got := look(t, s, blog(), changes.Settings{Addresses: contract.Addresses{Tags: true}})
	if first, _ := got.First(); got.Live() != 2 || first.Kind != Wrong {
		t.Errorf("of a Site %d are live, want 2: %+v", got.Live(), got.Sights)
	}
}

// A site that answers by its own policies only is no mistake of the blog's.
func TestSitesHaveTheirOwnCacheControl(t *testing.T) {
	s := live()
	s["/a/"] = serves("page", html, "Cache-Control", "no-store")
	if got := look(t, s, blog(), changes.Settings{Addresses: contract.Addresses{Tags: true}}); got.Live() != 4 {
		t.Errorf("%d are live, want 4: %+v", got.Live(), got.Sights)
	}
}

// The requests say who asks, follow no redirect and carry nothing.
func TestRequests(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	var mu sync.Mutex
	var wrong []string
	s := live()
	s["/a/"] = status(302, "Location", other.URL+"/a/", "Set-Cookie", "a=b")
	look(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.Host != "example.com" || r.UserAgent() != UserAgent || r.Header.Get("Accept-Encoding") != asReaders || len(r.Cookies()) > 0 || len(r.Header) != 3 {
			mu.Lock()
			wrong = append(wrong, fmt.Sprint(r.Method, r.Host, r.Header))
			mu.Unlock()
		}
		s.ServeHTTP(w, r)
	}), blog(), changes.Settings{})
	if len(wrong) > 0 {
		t.Errorf("requests are %q", wrong)
	}
	if proxy := NewClient(Settings{At: "127.0.0.1:1"}).Transport.(*http.Transport).Proxy; proxy != nil {
		t.Error("a loopback address is asked through a proxy")
	}
	if elsewhere.Load() > 0 {
		t.Error("followed a redirect to another host")
	}
}

// The certificate must be the site's.
func TestCertificates(t *testing.T) {
	server := httptest.NewTLSServer(live())
	defer server.Close()
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	prove := func(client *http.Client) Result {
		p := Prover{Settings: Settings{Site: server.URL}, PollEvery: time.Millisecond, Client: client}
		return p.Prove(t.Context(), slog.New(slog.DiscardHandler), blog(), time.Now(), time.Now())
	}
	got := prove(NewClient(Settings{Site: server.URL}))
	if first, _ := got.First(); got.Live() != 0 || first.Kind != Unreachable || !strings.Contains(first.Answer, "certificate") {
		t.Errorf("saw %+v, want no answer because of the certificate", first)
	}
	trusting := NewClient(Settings{Site: server.URL})
	trusting.Transport.(*http.Transport).TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
	if got := prove(trusting); got.Live() != 4 {
		t.Errorf("%d are live, want 4: %+v", got.Live(), got.Sights)
	}
}

// fake answers without a network, so that time can be skipped.
type fake func(*http.Request) *http.Response

func (f fake) RoundTrip(r *http.Request) (*http.Response, error) {
	if response := f(r); response != nil {
		return response, nil
	}
	<-r.Context().Done() // It never answers.
	return nil, r.Context().Err()
}

// from returns a fake that answers as a handler does.
func from(handler http.Handler) fake {
	return func(r *http.Request) *http.Response {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Result()
	}
}

func TestProve(t *testing.T) {
	// changing answers a path in another way with each request; the last one stays.
	changing := func(path string, answers ...http.HandlerFunc) fake {
		s := live()
		n := 0
		s[path] = func(w http.ResponseWriter, r *http.Request) {
			answers[min(n, len(answers)-1)](w, r)
			n++
		}
		return from(s)
	}
	stale, wrong, right := serves("old", html, of(before)...), status(404), serves("page", html, of(now)...)
	tests := []struct {
		name     string
		site     fake
		want     Kind
		took     string
		requests int // of the path
	}{
		{name: "live", site: changing("/a/", right), want: Live, took: "0s", requests: 1},
		{name: "live at the third look", site: changing("/a/", stale, stale, right), want: Live, took: "5s", requests: 3},
		{name: "stale until the end", site: changing("/a/", stale), want: Stale, took: "40s", requests: 8},
		{name: "wrong once", site: changing("/main.css", wrong, serves("style", "text/css", of(now)...)), want: Live, took: "2s", requests: 2},
		{name: "wrong", site: changing("/main.css", wrong), want: Wrong, took: "5s", requests: 3},
		{name: "blocked", site: changing("/a/", status(403)), want: Blocked, took: "0s", requests: 2},
		{name: "busy for a while", site: changing("/a/", status(429), status(503), right), want: Live, took: "5s", requests: 5}, // each time also under its own name
		{name: "no answer", site: func(*http.Request) *http.Response { return nil }, want: Unreachable, took: "49.5s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				requests := 0
				client := &http.Client{Transport: fake(func(r *http.Request) *http.Response {
					mu.Lock()
					defer mu.Unlock()
					if p := r.URL.Path; p != "/" && !strings.HasPrefix(p, "/gone") && p != "/index.html" {
						requests++
					}
					return tt.site(r)
				}), CheckRedirect: nil}
				p := Prover{Settings: Settings{Site: "https://example.com"}, PollEvery: 2 * time.Second, Client: client}
				start := time.Now()
				got := p.Prove(t.Context(), slog.New(slog.DiscardHandler), blog(), start, start.Add(40*time.Second))
				if first, _ := got.First(); first.Kind != tt.want {
					t.Errorf("saw %s, want %s", first.Kind, tt.want)
				}
				if took := time.Since(start); took.String() != tt.took {
					t.Errorf("took %s, want %s", took, tt.took)
				}
				if want := tt.requests + 1; tt.requests > 0 && requests != want { // and one of the other file
					t.Errorf("made %d requests, want %d", requests, want)
				}
			})
		})
	}
}

// The end of a call ends the looks, and what was not answered is not live.
func TestProveEndsWithItsCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		p := Prover{Settings: Settings{Site: "https://example.com"}, PollEvery: 2 * time.Second, Client: &http.Client{Transport: fake(func(*http.Request) *http.Response { return nil })}}
		start := time.Now()
		got := p.Prove(ctx, slog.New(slog.DiscardHandler), blog(), start, start.Add(time.Hour))
		if took := time.Since(start); took != 3*time.Second || got.Live() != 0 || got.Checked() != 4 {
			t.Errorf("took %s with %d of %d live, want 3s with none of 4", took, got.Live(), got.Checked())
		}
	})
}

// However many addresses do not answer, the looks have an end.
func TestLooksHaveAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		published := blog()
		for i := range 100 {
			key := fmt.Sprintf("%d.css", i)
			published.Changed = append(published.Changed, key)
			published.Files[key] = file("style", "text/css")
		}
		p := Prover{Settings: Settings{Site: "https://example.com"}, PollEvery: 2 * time.Second, Client: &http.Client{Transport: fake(func(*http.Request) *http.Response { return nil })}}
		start := time.Now()
		got := p.Prove(t.Context(), slog.New(slog.DiscardHandler), published, start, start)
		if took := time.Since(start); took != 35*time.Second || got.Checked() != maxFiles+2 || got.Live() != 0 {
			t.Errorf("took %s with %d of %d live, want 35s with none of %d", took, got.Live(), got.Checked(), maxFiles+2)
		}
	})
}

// What a later publication changes meanwhile says nothing about this one.
func TestOvertaken(t *testing.T) {
	s := live()
	s["/a/"], s["/gone/"] = serves("newer page", html), serves("back", html)
	got := look(t, s, blog(), changes.Settings{})
	if first, _ := got.First(); first.Kind != Wrong {
		t.Fatalf("saw %s, want wrong", first.Kind)
	}
	if same := got.Overtaken(blog()); same.Checked() != 4 || same.Live() != 2 {
		t.Errorf("without another publication %d of %d are live, want 2 of 4", same.Live(), same.Checked())
	}
	later := blog()
	delete(later.Files, "a/index.html")
	later.Removed = nil
	if rest := got.Overtaken(later); rest.Checked() != 2 || rest.Live() != 2 {
		t.Errorf("%d of %d are live, want 2 of 2", rest.Live(), rest.Checked())
	}
	later = blog()
	again := later.Files["a/index.html"]
	again.Tag = release.CacheTag(after)
	later.Files["a/index.html"] = again
	if rest := got.Overtaken(later); rest.Checked() != 3 || rest.Live() != 2 {
		t.Errorf("after the same file was put again, %d of %d are live, want 2 of 3", rest.Live(), rest.Checked())
	}
	later = blog()
	later.Files["a/index.html"], later.Files["gone/index.html"] = file("newer page", html), file("back", html)
	if rest := got.Overtaken(later); rest.Checked() != 2 || rest.Live() != 2 {
		t.Errorf("%d of %d are live, want 2 of 2", rest.Live(), rest.Checked())
	}
}

// A release that this blog does not have is another blog's, although it is later.
func TestAnotherBlogsReleaseIsWrong(t *testing.T) {
	s := live()
	s["/a/"], s["/gone/"] = serves("theirs", html, of(after)...), serves("theirs", html, of(after)...)
	got := look(t, s, blog(), changes.Settings{})
	if first, _ := got.First(); first.Kind != Newer || got.Checked() != 2 {
		t.Fatalf("saw %s of %d, want newer of 2 before another look at the releases", first.Kind, got.Checked())
	}
	got = got.Overtaken(blog())
	first, _ := got.First()
	if want := "answered 200 with the file of release " + after; got.Live() != 2 || got.Checked() != 4 || first.Kind != Wrong || !strings.HasPrefix(first.Answer, want) {
		t.Errorf("%d of %d are live, and the first is %s and %q, want 2 of 4, wrong and %q", got.Live(), got.Checked(), first.Kind, first.Answer, want)
	}
}
