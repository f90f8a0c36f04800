package viewerrequest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"blog-deploy-pipeline/rehearse/edgefunction"
	"blog-deploy-pipeline/stacks/site/viewerrequest"
)

const (
	domain = "blog.example.com"
	other  = "www.example.com"
	own    = "d111111abcdef8.cloudfront.net"
)

func settings(missingSlash string) viewerrequest.Settings {
	return viewerrequest.Settings{Domain: domain, RedirectFrom: []string{other, "example.net"}, MissingSlash: missingSlash}
}

func newFunction(t testing.TB, settings viewerrequest.Settings) *edgefunction.Function {
	t.Helper()
	f, err := edgefunction.New(viewerrequest.Code(settings))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// result is what the function made of a request: either the uri of a request, with its query, or a
// response.
type result struct {
	uri      string
	status   int
	location string
}

// ask calls the function with a request as it comes over the wire.
func ask(t testing.TB, f *edgefunction.Function, host, target string) result {
	t.Helper()
	r := &http.Request{Method: http.MethodGet, Host: host, RequestURI: target, URL: &url.URL{Path: "/"}}
	request, response, err := f.ViewerRequest(r, edgefunction.Context{})
	if err != nil {
		t.Fatalf("%q of %q: %v", target, host, err)
	}
	if request != nil {
		return result{uri: request.RequestURI}
	}
	response.Body.Close()
	return result{status: response.StatusCode, location: response.Header.Get("Location")}
}

// cases are run in both modes, and also compare the two engines. What each wants is the URI that CloudFront
// looks up, or "301 " and a Location.
var cases = []struct {
	name, host, target string
	redirect, rewrite  string // An empty rewrite is the same as redirect.
}{
	// Pages, as Hugo makes them.
	{"home", domain, "/", "/index.html", ""},
	{"a page", domain, "/posts/hello/", "/posts/hello/index.html", ""},
	{"a page without its slash", domain, "/posts/hello", "301 /posts/hello/", "/posts/hello/index.html"},
	{"at the top", domain, "/about", "301 /about/", "/about/index.html"},
	{"its query", domain, "/about?b=2&a=1&b=3", "301 /about/?b=2&a=1&b=3", "/about/index.html?b=2&a=1&b=3"},
	{"an empty query", domain, "/about?", "301 /about/?", "/about/index.html?"},
	{"a query with slashes and a question mark", domain, "/about?u=//evil.example/?x", "301 /about/?u=//evil.example/?x", "/about/index.html?u=//evil.example/?x"},
	{"an encoded query", domain, "/about?q=%E5%AE%B6+%26", "301 /about/?q=%E5%AE%B6+%26", "/about/index.html?q=%E5%AE%B6+%26"},
	{"a query with backslash", domain, `/about?q=\a`, `301 /about/?q=\a`, `/about/index.html?q=\a`},
	{"a query with a dot", domain, "/about?v=1.2", "301 /about/?v=1.2", "/about/index.html?v=1.2"},
	{"the query of a page", domain, "/posts/?page=2", "/posts/index.html?page=2", ""},
	{"the distribution's own name", own, "/about", "301 /about/", "/about/index.html"},
	{"a folder with a dot", domain, "/v1.2/", "/v1.2/index.html", ""},
	{"a page in a folder with a dot", domain, "/v1.2/notes", "301 /v1.2/notes/", "/v1.2/notes/index.html"},
	{"no host", "", "/about", "301 /about/", "/about/index.html"},

	// Files.
	{"a file", domain, "/css/main.3f2a.css", "/css/main.3f2a.css", ""},
	{"a file with a query", domain, "/feed.xml?x=1&x=2", "/feed.xml?x=1&x=2", ""},
	{"index.html itself", domain, "/posts/hello/index.html", "/posts/hello/index.html", ""},
	{"a hidden file", domain, "/.nojekyll", "/.nojekyll", ""},
	{"a file of JavaScript, and perhaps a tag's page", domain, "/tags/hls.js", "/tags/hls.js", ""},
	{"a tag's page with a file's extension", domain, "/tags/hls.js/", "/tags/hls.js/index.html", ""},
	{"a page with a file's extension", domain, "/page.html/", "/page.html/index.html", ""},
	{"an extension in capitals", domain, "/IMG_1.JPG", "/IMG_1.JPG", ""},
	{"several extensions", domain, "/a/blog-1.2.tar.gz", "/a/blog-1.2.tar.gz", ""},
	{"a file named after its content", domain, "/css/main.6600d71a.css", "/css/main.6600d71a.css", ""},
	{"the index of a search", domain, "/pagefind/fragment/en_3f2a.pf_fragment", "/pagefind/fragment/en_3f2a.pf_fragment", ""},
	{"a file with an encoded space", domain, "/my%20photo%2Ejpg", "/my%20photo%2Ejpg", ""},
	{"an encoded extension", domain, "/photo.%6ap%67", "/photo.%6ap%67", ""},
	{"a Japanese file", domain, "/%E7%94%BB%E5%83%8F.PNG", "/%E7%94%BB%E5%83%8F.PNG", ""},
	{"a plus in a file", domain, "/files/a+b.txt", "/files/a%2Bb.txt", ""},
	{"a plus in a file, encoded", domain, "/files/a%2Bb.txt", "/files/a%2Bb.txt", ""},
	{"the root's feed", domain, "/feed.xml", "/feed.xml", ""},

	// Files without an extension.
	{"the licence", domain, "/LICENSE", "/LICENSE", ""},
	{"source code", domain, "/code/Main.hs", "/code/Main.hs", ""},
	{"what a network said", domain, "/dump.pcap", "/dump.pcap", ""},
	{"the licence, encoded", domain, "/%4cICENSE", "/%4cICENSE", ""},
	{"a page of that name", domain, "/license", "301 /license/", "/license/index.html"},
	{"a page that begins so", domain, "/README-first", "301 /README-first/", "/README-first/index.html"},
	{"a page of capitals", domain, "/FAQ", "301 /FAQ/", "/FAQ/index.html"},
	{"a licence's folder", domain, "/LICENSE/", "/LICENSE/index.html", ""},
	{"GitHub's file for the domain", domain, "/CNAME", "/CNAME", ""},
	{"checksums in a folder", domain, "/download/SHA256SUMS", "/download/SHA256SUMS", ""},
	{"Apple's file at the top", domain, "/apple-app-site-association", "/apple-app-site-association", ""},

	// Pages with a dot.
	{"a version", domain, "/posts/go-1.21.3", "301 /posts/go-1.21.3/", "/posts/go-1.21.3/index.html"},
	{"nothing but a version", domain, "/1.0", "301 /1.0/", "/1.0/index.html"},
	{"a version's next try", domain, "/v2.0-rc.1?x", "301 /v2.0-rc.1/?x", "/v2.0-rc.1/index.html?x"},
	{"an encoded dot in a version", domain, "/v1%2e0", "301 /v1%2e0/", "/v1%2e0/index.html"},
	{"PHP", domain, "/2012/05/old.php", "301 /2012/05/old.php/", "/2012/05/old.php/index.html"},
	{"PHP in capitals", domain, "/OLD.PHP?p=12", "301 /OLD.PHP/?p=12", "/OLD.PHP/index.html?p=12"},
	{"ASP.NET", domain, "/archive/show.aspx", "301 /archive/show.aspx/", "/archive/show.aspx/index.html"},
	{"a path below PHP", domain, "/index.php/archives/12", "301 /index.php/archives/12/", "/index.php/archives/12/index.html"},
	{"a host's name", domain, "/tags/asp.net", "301 /tags/asp.net/", "/tags/asp.net/index.html"},
	{"a dot in front", domain, "/tags/.net", "301 /tags/.net/", "/tags/.net/index.html"},
	{"a dot at the end", domain, "/posts/etc.", "301 /posts/etc./", "/posts/etc./index.html"},
	{"dots at the end", domain, "/posts/and-so-on...", "301 /posts/and-so-on.../", "/posts/and-so-on.../index.html"},
	{"an extension and more", domain, "/photo.jpg-large", "301 /photo.jpg-large/", "/photo.jpg-large/index.html"},
	{"an extension without a dot", domain, "/posts/html", "301 /posts/html/", "/posts/html/index.html"},
	{"an extension in another folder", domain, "/a.html/b", "301 /a.html/b/", "/a.html/b/index.html"},
	{"a Japanese page with a dot", domain, "/日記/第1.5話", "301 /%E6%97%A5%E8%A8%98/%E7%AC%AC1.5%E8%A9%B1/", "/%E6%97%A5%E8%A8%98/%E7%AC%AC1.5%E8%A9%B1/index.html"},
	{"a long s, which is no s", domain, "/a.jſ", "301 /a.j%C5%BF/", "/a.j%C5%BF/index.html"},
	{"a version by another name", other, "/v1.0", "301 https://blog.example.com/v1.0/", "301 https://blog.example.com/v1.0"},
	{"a name of JavaScript as an extension", domain, "/a.constructor", "301 /a.constructor/", "/a.constructor/index.html"},
	{"an encoded dot", domain, "/photo%2Ejpg", "/photo%2Ejpg", ""},
	{"an encoded dot in lower case", domain, "/photo%2ejpg", "/photo%2ejpg", ""},

	// .well-known.
	{"well-known without a dot", domain, "/.well-known/apple-app-site-association", "/.well-known/apple-app-site-association", ""},
	{"well-known with a slash", domain, "/.well-known/acme-challenge/", "/.well-known/acme-challenge/", ""},
	{"well-known by another name", other, "/.well-known/acme-challenge/abc?x", "301 https://blog.example.com/.well-known/acme-challenge/abc?x", ""},
	{"well-known itself", domain, "/.well-known", "/.well-known", ""},
	{"not well-known", domain, "/.well-known-not/a", "301 /.well-known-not/a/", "/.well-known-not/a/index.html"},
	{"well-known in a folder", domain, "/a/.well-known/b", "301 /a/.well-known/b/", "/a/.well-known/b/index.html"},

	// Beyond ASCII.
	{"Japanese, encoded", domain, "/posts/%E6%97%A5%E6%9C%AC/", "/posts/%E6%97%A5%E6%9C%AC/index.html", ""},
	{"Japanese, encoded, without its slash", domain, "/posts/%e6%97%a5%e6%9c%ac", "301 /posts/%e6%97%a5%e6%9c%ac/", "/posts/%e6%97%a5%e6%9c%ac/index.html"},
	{"Japanese as it is", domain, "/posts/日本", "301 /posts/%E6%97%A5%E6%9C%AC/", "/posts/%E6%97%A5%E6%9C%AC/index.html"},
	{"a Japanese file as it is", domain, "/画像.png", "/%E7%94%BB%E5%83%8F.png", ""},
	{"beyond the 16-bit plane", domain, "/😀", "301 /%F0%9F%98%80/", "/%F0%9F%98%80/index.html"},
	{"Latin-1", domain, "/caf\xe9", "301 /caf%C3%A9/", "/caf%C3%A9/index.html"},
	{"a Japanese query as it is", domain, "/a?q=家", "301 /a/?q=%E5%AE%B6", "/a/index.html?q=家"},
	{"an encoded space", domain, "/a%20b", "301 /a%20b/", "/a%20b/index.html"},
	{"a plus", domain, "/a+b", "301 /a+b/", "/a%2Bb/index.html"},
	{"a plus in a folder", domain, "/tags/c++/", "/tags/c%2B%2B/index.html", ""},
	{"a plus, encoded", domain, "/tags/c%2b%2B/", "/tags/c%2b%2B/index.html", ""},
	{"a plus, encoded, without its slash", domain, "/tags/c%2B%2B", "301 /tags/c%2B%2B/", "/tags/c%2B%2B/index.html"},
	{"a plus in the query", domain, "/a/?q=c++", "/a/index.html?q=c++", ""},
	{"a plus by another name", other, "/tags/c++/?q=a+b", "301 https://blog.example.com/tags/c++/?q=a+b", ""},
	{"reserved characters", domain, "/a;b=c,d:e@f!$&'()*", "301 /a;b=c,d:e@f!$&'()*/", "/a;b=c,d:e@f!$&'()*/index.html"},

	// Other names of the blog, with one redirect.
	{"home by another name", other, "/", "301 https://blog.example.com/", ""},
	{"home by another name, as the default root object", other, "/index.html?a=1", "301 https://blog.example.com/?a=1", ""},
	{"a page's file by another name", other, "/posts/index.html", "301 https://blog.example.com/posts/index.html", ""},
	{"a page by another name", other, "/posts/hello/?a=1", "301 https://blog.example.com/posts/hello/?a=1", ""},
	{"a page by another name, without its slash", other, "/posts/hello?a=1", "301 https://blog.example.com/posts/hello/?a=1", "301 https://blog.example.com/posts/hello?a=1"},
	{"a file by another name", other, "/a.css?v=1", "301 https://blog.example.com/a.css?v=1", ""},
	{"the second of the other names", "example.net", "/a/", "301 https://blog.example.com/a/", ""},
	{"another name in capitals", "WWW.Example.COM", "/a/", "301 https://blog.example.com/a/", ""},
	{"another name with a port", other + ":443", "/a/", "301 https://blog.example.com/a/", ""},
	{"another name with its last dot", other + ".", "/a/", "301 https://blog.example.com/a/", ""},
	{"a longer name", "x" + other, "/a/", "/a/index.html", ""},
	{"a name that is none of ours", "evil.example", "/a", "301 /a/", "/a/index.html"},
	{"hostile path by another name", other, "//evil.example/a", "301 https://blog.example.com/evil.example/a/", "301 https://blog.example.com/evil.example/a"},
	{"user information by another name", other, "/@evil.example/a/", "301 https://blog.example.com/@evil.example/a/", ""},

	// Attempts to lead a browser to another host.
	{"two slashes", domain, "//evil.example", "301 /evil.example/", "/evil.example/index.html"},
	{"two slashes and a page", domain, "//evil/a", "301 /evil/a/", "/evil/a/index.html"},
	{"two slashes and a folder", domain, "//evil/", "/evil/index.html", ""},
	{"three slashes", domain, "///evil", "301 /evil/", "/evil/index.html"},
	{"only slashes", domain, "///", "/index.html", ""},
	{"a slash and a backslash", domain, `/\evil`, "301 /evil/", "/evil/index.html"},
	{"slashes and backslashes", domain, `/\/\/evil`, "301 /evil/", "/evil/index.html"},
	{"a backslash inside", domain, `/a\evil`, "301 /a%5Cevil/", "/a%5Cevil/index.html"},
	{"an encoded backslash", domain, "/%5cevil", "301 /%5cevil/", "/%5cevil/index.html"},
	{"an encoded slash", domain, "/%2fevil", "301 /%2fevil/", "/%2fevil/index.html"},
	{"an encoded slash and a host", domain, "/%2F%2Fevil.example", "301 /%2F%2Fevil.example/", "/%2F%2Fevil.example/index.html"},
	{"a tab", domain, "/\t/evil", "301 /%09/evil/", "/%09/evil/index.html"},
	{"a line break", domain, "/\r\nSet-Cookie:a=b", "301 /%0D%0ASet-Cookie:a=b/", "/%0D%0ASet-Cookie:a=b/index.html"},
	{"an encoded line break", domain, "/%0d%0aSet-Cookie:a=b", "301 /%0d%0aSet-Cookie:a=b/", "/%0d%0aSet-Cookie:a=b/index.html"},
	{"nothing", domain, "/\x00", "301 /%00/", "/%00/index.html"},
	{"a space", domain, "/ /evil", "301 /%20/evil/", "/%20/evil/index.html"},
	{"a dot and two slashes", domain, "/.//evil", "301 /.//evil/", "/.//evil/index.html"},
	{"an encoded dot and two slashes", domain, "/%2e//evil", "301 /%2e//evil/", "/%2e//evil/index.html"},
	{"two dots and two slashes", domain, "/..//evil", "301 /..//evil/", "/..//evil/index.html"},
	{"upwards", domain, "/../../etc/passwd", "301 /../../etc/passwd/", "/../../etc/passwd/index.html"},
	{"upwards at the end", domain, "/a/..", "/a/..", ""},
	{"upwards, encoded, at the end", domain, "/a/%2e%2E", "/a/%2e%2E", ""},
	{"a scheme", domain, "/https://evil", "301 /https://evil/", "/https://evil/index.html"},
	{"a script", domain, "/javascript:alert(1)", "301 /javascript:alert(1)/", "/javascript:alert(1)/index.html"},
	{"a fragment", domain, "/a#b", "301 /a%23b/", "/a%23b/index.html"},
	{"a stray percent sign", domain, "/100%", "301 /100%/", "/100%/index.html"},
	{"names of JavaScript", domain, "/__proto__?__proto__=1&constructor=2", "301 /__proto__/?__proto__=1&constructor=2", "/__proto__/index.html?__proto__=1&constructor=2"},
	{"patterns of replacement", domain, "/$&$1$$", "301 /$&$1$$/", "/$&$1$$/index.html"},
	{"long", domain, "/" + strings.Repeat("a", 7900), "301 /" + strings.Repeat("a", 7900) + "/", "/" + strings.Repeat("a", 7900) + "/index.html"},
	{"long, and longer when encoded", domain, "/" + strings.Repeat("日", 2000), "414", ""},
	{"long, and longer for S3", domain, "/" + strings.Repeat("+", 3000), "414", ""},
	{"very long", domain, "/" + strings.Repeat("a", 8190), "414", ""},
	{"a very long query", domain, "/?" + strings.Repeat("a", 8000), "414", ""},
}

func TestViewerRequest(t *testing.T) {
	for _, mode := range []string{viewerrequest.Redirect, viewerrequest.Rewrite} {
		f := newFunction(t, settings(mode))
		for _, c := range cases {
			t.Run(mode+"/"+c.name, func(t *testing.T) {
				want := c.redirect
				if mode == viewerrequest.Rewrite && c.rewrite != "" {
					want = c.rewrite
				}
				got := ask(t, f, c.host, c.target)
				if got.String() != want {
					t.Errorf("%s%s: got %q, want %q", c.host, c.target, got, want)
				}
				check(t, f, mode, c.host, c.target)
			})
		}
	}
}

// String returns a result in the form of the cases.
func (r result) String() string {
	switch r.status {
	case 0:
		return r.uri
	case http.StatusMovedPermanently:
		return "301 " + r.location
	case http.StatusRequestURITooLong:
		return "414"
	}
	return http.StatusText(r.status)
}

// TestDefaults checks the function of a Site without a Domain: it has no other names, and redirects pages.
func TestDefaults(t *testing.T) {
	f := newFunction(t, viewerrequest.Settings{})
	if got, want := ask(t, f, own, "/about?x").String(), "301 /about/?x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := ask(t, f, "", "/").String(), "/index.html"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOnlyThePathIsChanged checks that the function leaves everything else of a request alone.
func TestOnlyThePathIsChanged(t *testing.T) {
	f := newFunction(t, settings(viewerrequest.Rewrite))
	r := &http.Request{Method: http.MethodHead, Host: domain, RequestURI: "/a?b=2&a=1&b=1", URL: &url.URL{Path: "/a", RawQuery: "b=2&a=1&b=1"}, Header: http.Header{
		"Accept": {"text/html", "*/*"}, "Cookie": {"b=2; a=1; b=1"}, "If-None-Match": {`"x"`},
	}}
	request, _, err := f.ViewerRequest(r, edgefunction.Context{}) //nolint:bodyclose // There is none.
	if err != nil {
		t.Fatal(err)
	}
	got, want := request.Clone(t.Context()), r.Clone(t.Context())
	want.RequestURI, want.URL.Path = "/a/index.html?b=2&a=1&b=1", "/a/index.html"
	if got, want := dump(got), dump(want); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func dump(r *http.Request) string {
	text, _ := json.MarshalIndent([]any{r.Method, r.Host, r.RequestURI, r.URL, r.Header}, "", "  ")
	return string(text)
}

// check asserts what must hold for every request.
func check(t testing.TB, f *edgefunction.Function, mode, host, target string) {
	t.Helper()
	_, query, hasQuery := strings.Cut(target, "?")
	if hasQuery {
		query = "?" + query
	}
	got := ask(t, f, host, target)
	switch {
	case got.status == http.StatusRequestURITooLong && len(encoded(target))+2*strings.Count(target, "+") > 7900:
		return
	case got.status == 0:
		path := strings.TrimSuffix(got.uri, query)
		if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\#?+") || encoded(path) != path {
			t.Errorf("%s%q: goes on as %q", host, target, got.uri)
		}
		if !strings.HasSuffix(got.uri, query) || strings.Count(path, "?") > 0 {
			t.Errorf("%s%q: goes on as %q, with another query than %q", host, target, got.uri, query)
		}
		return
	case got.status != http.StatusMovedPermanently:
		t.Fatalf("%s%q: got %s", host, target, got)
	}

	if encoded(got.location) != got.location {
		t.Errorf("%s%q: Location %q is not all printable ASCII", host, target, got.location)
	}
	_, gotQuery, gotHasQuery := strings.Cut(got.location, "?")
	if gotHasQuery != hasQuery || gotHasQuery && "?"+gotQuery != encoded(query) {
		t.Errorf("%s%q: Location %q has another query", host, target, got.location)
	}
	wantHost := "reader.example" // The host in the browser's address, whatever the Host header said.
	if strings.HasPrefix(got.location, "https:") {
		wantHost = domain
	}
	gotHost, gotTarget := resolve("reader.example", got.location)
	if gotHost != wantHost {
		t.Fatalf("%s%q: a browser follows Location %q to %q", host, target, got.location, gotHost)
	}
	base := &url.URL{Scheme: "https", Host: "reader.example", Path: "/some/page"}
	if u, err := base.Parse(got.location); err == nil && (u.Host != wantHost || u.Scheme != "https" || u.User != nil) {
		t.Errorf("%s%q: net/url follows Location %q to %q", host, target, got.location, u)
	}
	// A browser resolves "/.well-known/../a" to another path.
	if next := ask(t, f, gotHost, gotTarget); next.status != 0 && next.status != http.StatusRequestURITooLong &&
		mode == viewerrequest.Redirect && !strings.Contains(strings.ToLower(strings.ReplaceAll(target, "%2e", ".")), ".well-known") {
		t.Errorf("%s%q: Location %q leads to %s once more", host, target, got.location, next)
	}
}

// TestIsPage checks that Go tells pages from files as the function does.
func TestIsPage(t *testing.T) {
	f := newFunction(t, viewerrequest.Settings{})
	for _, c := range cases {
		checkIsPage(t, f, c.target)
	}
}

func checkIsPage(t testing.TB, f *edgefunction.Function, target string) {
	t.Helper()
	path, _, _ := strings.Cut(target, "?")
	if encoded(path) != path || strings.ContainsAny(path, `\#`) || strings.HasPrefix(path, "//") || len(target) > 2000 {
		return // The function changes such a path before it looks at it.
	}
	got := ask(t, f, domain, path)
	if want := got.status == http.StatusMovedPermanently; viewerrequest.IsPage(path) != want {
		t.Errorf("IsPage(%q): got %t, and the function's answer is %q", path, !want, got)
	}
	if want := !strings.HasSuffix(path, "index.html") && strings.HasSuffix(got.uri, "/index.html"); viewerrequest.IsFolder(path) != want {
		t.Errorf("IsFolder(%q): got %t, and the function's answer is %q", path, !want, got)
	}
}

// encoded returns s with every character encoded that is not printable ASCII.
func encoded(s string) string {
	var b strings.Builder
	for _, r := range latin1(s) {
		if '!' <= r && r <= '~' {
			b.WriteRune(r)
		} else {
			b.WriteString(url.PathEscape(string(r)))
		}
	}
	return b.String()
}

// latin1 returns s as CloudFront reads it: as ISO-8859-1 if it is not UTF-8.
func latin1(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteRune(rune(c))
	}
	return b.String()
}

var scheme = regexp.MustCompile(`^(?i)([a-z][a-z0-9+.-]*):`)

// resolve returns the host to which a browser follows a Location, and the target that it requests there.
// The rules are those of https://url.spec.whatwg.org for special schemes: a backslash is a slash; tabs, line
// breaks and spaces around are removed; ".." and "%2e%2e" are resolved.
func resolve(base, location string) (host, target string) {
	location = strings.TrimFunc(location, func(r rune) bool { return r <= ' ' })
	location = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(location)
	rest, fragment, _ := strings.Cut(location, "#")
	_ = fragment
	rest, query, hasQuery := strings.Cut(rest, "?")
	if hasQuery {
		query = "?" + query
	}
	rest = strings.ReplaceAll(rest, `\`, "/")
	host = base
	if found := scheme.FindStringSubmatch(rest); found != nil {
		if !strings.EqualFold(found[1], "https") {
			return found[0], location
		}
		rest = "//" + strings.TrimLeft(rest[len(found[0]):], "/")
	}
	if strings.HasPrefix(rest, "//") {
		host, rest, _ = strings.Cut(strings.TrimLeft(rest, "/"), "/")
		host = host[strings.LastIndex(host, "@")+1:]
		rest = "/" + rest
	}
	if !strings.HasPrefix(rest, "/") {
		rest = "/some/" + rest
	}

	var segments []string
	parts := strings.Split(rest[1:], "/")
	for i, part := range parts {
		last := i == len(parts)-1
		switch strings.ReplaceAll(strings.ToLower(part), "%2e", ".") {
		case "..":
			segments = segments[:max(0, len(segments)-1)]
			if last {
				segments = append(segments, "")
			}
		case ".":
			if last {
				segments = append(segments, "")
			}
		default:
			segments = append(segments, part)
		}
	}
	return host, "/" + strings.Join(segments, "/") + query
}

func TestResolve(t *testing.T) {
	for location, want := range map[string]string{
		"/a/?x":               "base /a/?x",
		"//evil/a":            "evil /a",
		`/\evil/a`:            "evil /a",
		"/\t/evil":            "evil /",
		"\\\\evil":            "evil /",
		"https:evil/a":        "evil /a",
		"https://x@evil/../a": "evil /a",
		"javascript:alert(1)": "javascript: javascript:alert(1)",
		"/a/../b/.":           "base /b/",
		"/a/%2E./b/%2e%2e":    "base /",
		"/.//evil":            "base //evil",
		"evil":                "base /some/evil",
	} {
		host, target := resolve("base", location)
		if got := host + " " + target; got != want {
			t.Errorf("%q: got %q, want %q", location, got, want)
		}
	}
}

// TestNode runs the cases in Node.js, so that no peculiarity of the engine of the other tests hides an error,
// and checks with its URL parser where each Location leads.
func TestNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("%v: run `make build` (or `npm ci`, and put node_modules/.bin on PATH)", err)
	}
	type request struct {
		Host  string  `json:"host"`
		URI   string  `json:"uri"`
		Query *string `json:"query"`
	}
	for _, mode := range []string{viewerrequest.Redirect, viewerrequest.Rewrite} {
		var requests []request
		for _, c := range cases {
			r := request{Host: c.host}
			var query string
			var hasQuery bool
			if r.URI, query, hasQuery = strings.Cut(latin1(c.target), "?"); hasQuery {
				r.Query = &query
			}
			requests = append(requests, r)
		}
		input, err := json.Marshal(map[string]any{
			"code": viewerrequest.Code(settings(mode)), "base": "https://reader.example/some/page", "requests": requests,
		})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), node, "testdata/node.mjs")
		cmd.Stdin = bytes.NewReader(input)
		output, err := cmd.Output()
		if err != nil {
			t.Fatalf("node: %v", err)
		}
		var results []struct {
			URI, Location, LeadsTo string
			Status                 int
		}
		if err := json.Unmarshal(output, &results); err != nil {
			t.Fatal(err)
		}

		f := newFunction(t, settings(mode))
		for i, c := range cases {
			here, there := ask(t, f, c.host, c.target), result{results[i].URI, results[i].Status, results[i].Location}
			if _, query, found := strings.Cut(c.target, "?"); found && there.status == 0 {
				there.uri += "?" + query
			}
			if here != there {
				t.Errorf("%s, %s: here %q, in Node.js %q", mode, c.name, here, there)
			}
			leadsTo := ""
			if here.location != "" {
				leadsTo, _ = resolve("reader.example", here.location)
			}
			if results[i].LeadsTo != leadsTo {
				t.Errorf("%s, %s: Location %q leads to %q in Node.js, not to %q", mode, c.name, here.location, results[i].LeadsTo, leadsTo)
			}
		}
	}
}

// TestCode checks that the settings are one line of code with the same meaning, whatever the names are, and
// that the code has room for the longest names.
func TestCode(t *testing.T) {
	longest := strings.Repeat(strings.Repeat("a", 63)+".", 4)[:253]
	tests := []struct {
		name     string
		settings viewerrequest.Settings
	}{
		{"none", viewerrequest.Settings{}},
		{"quotes", viewerrequest.Settings{Domain: `a"';}//`, RedirectFrom: []string{"\\", "`${x}`"}}},
		{"line breaks", viewerrequest.Settings{Domain: "a\nb\r\u2028c\u2029", RedirectFrom: []string{"\n"}}},
		{"markup", viewerrequest.Settings{Domain: "</script><!--", RedirectFrom: []string{"-->"}}},
		{"__proto__", viewerrequest.Settings{Domain: "__proto__", RedirectFrom: []string{"__proto__", "constructor"}}},
		// Without a higher quota, ACM makes a certificate for at most 10 names.
		{"the longest names", viewerrequest.Settings{Domain: longest, RedirectFrom: slices.Repeat([]string{longest}, 9)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code := viewerrequest.Code(test.settings)
			if got, most := len(code), 10*1024; got > most {
				t.Errorf("the code has %d bytes; CloudFront accepts at most %d", got, most)
			}
			line, _, _ := strings.Cut(code, "\n")
			text := strings.TrimSuffix(strings.TrimPrefix(line, "const settings = "), ";")
			var got viewerrequest.Settings
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			want := test.settings
			want.MissingSlash = viewerrequest.Redirect
			if want.RedirectFrom == nil {
				want.RedirectFrom = []string{}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got settings %q, want %q", got, want)
			}
			if strings.ContainsAny(line, "<>\u2028\u2029\r") {
				t.Errorf("%q has characters that may end it early", line)
			}
			f := newFunction(t, test.settings)
			for _, name := range test.settings.RedirectFrom {
				if strings.ContainsAny(name, "\n") {
					continue // It cannot be in a Host header.
				}
				if got, want := ask(t, f, name, "/a/").location, "https://"+test.settings.Domain+"/a/"; name == longest && got != want {
					t.Errorf("%q leads to %q, want %q", name, got, want)
				}
			}
		})
	}
}

// FuzzViewerRequest checks with any host and target that CloudFront looks up a path of this host, or the
// reader is redirected to one, or the path is too long.
func FuzzViewerRequest(f *testing.F) {
	for _, c := range cases {
		f.Add(c.host, c.target, true)
		f.Add(c.host, c.target, false)
	}
	functions := map[string]*edgefunction.Function{}
	for _, mode := range []string{viewerrequest.Redirect, viewerrequest.Rewrite} {
		functions[mode] = newFunction(f, settings(mode))
	}
	f.Fuzz(func(t *testing.T, host, target string, redirect bool) {
		// A path may be anything. A query with spaces, line breaks or "#" is not possible in a request, and
		// neither is such a host.
		target = "/" + strings.TrimPrefix(target, "/")
		if _, query, _ := strings.Cut(target, "?"); strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' }) {
			t.Skip()
		}
		if strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			t.Skip()
		}
		mode := viewerrequest.Rewrite
		if redirect {
			mode = viewerrequest.Redirect
		}
		check(t, functions[mode], mode, host, target)
		checkIsPage(t, functions[viewerrequest.Redirect], target)
	})
}

func BenchmarkViewerRequest(b *testing.B) {
	f := newFunction(b, settings(viewerrequest.Redirect))
	for b.Loop() {
		ask(b, f, domain, "/posts/hello/?x=1")
	}
}
