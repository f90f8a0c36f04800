package edge

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/edgefunction"
)

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html#DownloadDistValuesPathPattern
func TestPathPatterns(t *testing.T) {
	tests := []struct {
		name, pattern, path string
		want                bool
	}{
		{"all", "*", "/a/b.html", true},
		{"all, root", "*", "/", true},
		{"extension", "*.jpg", "/LOGO.jpg", true},
		{"extension in folders", "*.jpg", "/images/product1/logo.jpg", true},
		{"case counts", "*.jpg", "/LOGO.JPG", false},
		{"folder", "images/*.jpg", "/images/logo.jpg", true},
		{"folder, leading slash", "/images/*.jpg", "/images/logo.jpg", true},
		{"folder below", "images/*.jpg", "/images/product1/logo.jpg", true},
		{"other folder", "images/*.jpg", "/blog/images/logo.jpg", false},
		{"beginning", "a*.jpg", "/apple/pie.jpg", true},
		{"beginning, not further down", "a*.jpg", "/b/apple.jpg", false},
		{"one character each", "a??.jpg", "/ant.jpg", true},
		{"one character each, one too many", "a??.jpg", "/aunt.jpg", false},
		{"one character each, one too few", "a??.jpg", "/an.jpg", false},
		{"one character that is none", "*.doc?", "/a.doc", false},
		{"none or more characters", "*.doc*", "/a.docx", true},
		{"none of more characters", "*.doc*", "/a.doc", true},
		{"two stars", "/a*b*c", "/axbxbxc", true},
		{"two stars, no end", "/a*b*c", "/axbxbxd", false},
		{"exact", "/index.xml", "/index.xml", true},
		{"exact, more", "/index.xml", "/index.xml2", false},
		{"exact, less", "/index.xml", "/index.xm", false},
		{"encoded by the viewer", "/a.html", "/%61%2Ehtml", true},
		{"tilde", "/~me/*", "/~me/a", true},
		{"tilde, encoded by the viewer", "/~me/*", "/%7Eme/a", true},
		{"encoded slash is no slash", "/a/*", "/a%2Fb", false},
		{"question mark of the viewer is no wildcard", "/a?", "/a%3F", false},
		{"up, as AWS's example", "/a/b*", "/a/b/..", false},
		{"up, encoded", "/a/b*", "/a/b/%2e%2e", false},
		{"up and down", "/a/c", "/a/b/../c", true},
		{"above the root", "/c", "/../../c", true},
		{"dots", "/a/c", "/./a/./c", true},
		{"dots at the end", "/a/", "/a/.", true},
		{"double slashes", "/a/b*", "//a//b/c", true},
		{"slash at the end is kept", "/a", "/a/", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := matchesPattern(test.pattern, normal(test.path)); got != test.want {
				t.Errorf("%s and %s (%s): got %t, want %t", test.pattern, test.path, normal(test.path), got, test.want)
			}
		})
	}
}

// functionFunc is a viewer-request function in Go.
type functionFunc func(r *http.Request, context edgefunction.Context) (*http.Request, *http.Response, error)

func (f functionFunc) ViewerRequest(r *http.Request, context edgefunction.Context) (*http.Request, *http.Response, error) {
	return f(r, context)
}

// to returns a function that rewrites every path to one path.
func to(path string) functionFunc {
	return func(r *http.Request, _ edgefunction.Context) (*http.Request, *http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Path = path
		return r, nil, nil
	}
}

// answering returns a function that answers every request.
func answering(status int, body string, header http.Header) functionFunc {
	return func(*http.Request, edgefunction.Context) (*http.Request, *http.Response, error) {
		return nil, &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

func failing(err error) functionFunc {
	return func(*http.Request, edgefunction.Context) (*http.Request, *http.Response, error) { return nil, nil, err }
}

// function returns a viewer-request function in JavaScript with the given body.
func function(t *testing.T, body string) ViewerRequest {
	t.Helper()
	f, err := edgefunction.New("function handler(event) {\n" + body + "\n}")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// labelled returns a policy with a header that shows its effect.
func labelled(label string) HeadersPolicy {
	return HeadersPolicy{Set: []Header{{Name: "x-label", Value: label, Override: true}}}
}

func TestTheViewersPathPicksTheBehavior(t *testing.T) {
	w := newWorld(t, Distribution{DefaultRootObject: "index.html", Behaviors: []Behavior{
		{PathPattern: "/assets/*", ViewerProtocol: "allow-all", Headers: labelled("assets")},
		{PathPattern: "*.css", ViewerProtocol: "allow-all", Headers: labelled("css")},
		{PathPattern: "/to-css", ViewerProtocol: "allow-all", Headers: labelled("to-css"), ViewerRequest: to("/a.css")},
		{PathPattern: "/index.html", ViewerProtocol: "allow-all", Headers: labelled("home")},
		{PathPattern: "*", ViewerProtocol: "allow-all", Headers: labelled("default")},
	}})
	for _, path := range []string{"/index.html", "/assets/a.css", "/a.css", "/a.html", "/a/../b.html"} {
		w.put(path, path, "")
	}
	tests := []struct {
		name, path, label, content string
	}{
		{"by a pattern", "/a.css", "css", "/a.css"},
		{"by the first pattern", "/assets/a.css", "assets", "/assets/a.css"},
		{"by none", "/a.html", "default", "/a.html"},
		{"by case", "/a.CSS", "default", ""},
		{"by the path without its query", "/a.html?x=.css", "default", "/a.html"},
		{"not by what a function makes of it", "/to-css", "to-css", "/a.css"},
		{"the default root object by its file", "/", "home", "/index.html"},
		{"by the normal path, while the origin gets the raw one", "/a/../b.html", "default", "/a/../b.html"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.get(t, test.path)
			if label := got.Header().Get("X-Label"); label != test.label || test.content != "" && got.Body.String() != test.content {
				t.Errorf("GET %s: got %d %q by the behaviour %q, want %q by %q", test.path, got.Code, got.Body, label, test.content, test.label)
			}
		})
	}
}

// The cache contains an object under the path that a function returned, for all behaviours.
func TestRewrittenPathIsTheCacheKey(t *testing.T) {
	w := newWorld(t, Distribution{Behaviors: []Behavior{
		{PathPattern: "/short", ViewerProtocol: "allow-all", ViewerRequest: to("/a.html"), CachePolicy: CachePolicy{DefaultTTL: 1, MaxTTL: 1}},
		{PathPattern: "*", ViewerProtocol: "allow-all"},
	}})
	w.put("/a.html", "old", "")
	want(t, "rewritten", w.get(t, "/short"), 200, "old", "Miss")
	want(t, "by itself", w.get(t, "/a.html"), 200, "old", "Hit")
	w.advance(1)
	want(t, "expired by the policy of who asked first", w.get(t, "/a.html"), 200, "old", "RefreshHit")
	w.advance(1)
	want(t, "not expired by that of who asked last", w.get(t, "/short"), 200, "old", "Hit")
	w.put("/a.html", "new", "")
	w.invalidate("Completed", "/short")
	want(t, "invalidated as asked for", w.get(t, "/short"), 200, "old", "Hit")
	w.invalidate("Completed", "/a.html")
	want(t, "and as cached", w.get(t, "/short"), 200, "new", "Miss")
	w.put("/a.html", "newer", "")
	w.invalidate("Completed", "/a.html")
	want(t, "invalidated as cached", w.get(t, "/short"), 200, "new", "Hit")
	w.invalidate("Completed", "/short")
	want(t, "and as asked for", w.get(t, "/short"), 200, "newer", "Miss")
	w.wantAsked(t, "/a.html", `/a.html unless "old"`, "/a.html", "/a.html")
}

func TestFunctionSeesWhatTheViewerSent(t *testing.T) {
	var host, path, query string
	var context edgefunction.Context
	w := newWorld(t, Distribution{
		DomainName: "d1.cloudfront.net", Aliases: []string{"blog.example.com"}, DefaultRootObject: "home.html",
		Behaviors: []Behavior{{PathPattern: "*", ViewerProtocol: "redirect-to-https", ViewerRequest: functionFunc(func(r *http.Request, c edgefunction.Context) (*http.Request, *http.Response, error) {
			host, path, query, context = r.Host, r.URL.EscapedPath(), r.URL.RawQuery, c
			return r, nil, nil
		})}},
	})
	tests := []struct {
		name, url, host, path, query string
	}{
		{"alias", "https://blog.example.com/a%20b/?x=1", "blog.example.com", "/a%20b/", "x=1"},
		{"alias in capitals, port", "https://BLOG.example.com:8443/", "blog.example.com", "/home.html", ""},
		{"the distribution's own name", "https://d1.cloudfront.net/a/../b", "d1.cloudfront.net", "/a/../b", ""},
		{"loopback", "http://127.0.0.1:8080//evil.example", "blog.example.com", "//evil.example", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.visit(t, http.MethodGet, test.url)
			if host != test.host || path != test.path || query != test.query {
				t.Errorf("the function saw %s %s ?%s, want %s %s ?%s", host, path, query, test.host, test.path, test.query)
			}
			if context.DistributionDomainName != "d1.cloudfront.net" || context.DistributionID != "E1" || context.RequestID != got.Header().Get("X-Amz-Cf-Id") {
				t.Errorf("context: got %+v", context)
			}
		})
	}
}

func TestWhoIsServed(t *testing.T) {
	distribution := func(protocol string, names ...string) Distribution {
		return Distribution{DomainName: "d1.cloudfront.net", Aliases: names, Behaviors: []Behavior{{PathPattern: "*", ViewerProtocol: protocol, Headers: labelled("yes")}}}
	}
	nameless := distribution("https-only")
	nameless.DomainName = ""
	named := func(protocol string) Distribution {
		return distribution(protocol, "blog.example.com", "www.example.com")
	}
	long := "https://blog.example.com/" + strings.Repeat("x", 8192-len("https://blog.example.com/"))
	tests := []struct {
		name         string
		distribution Distribution
		method, url  string
		status       int
		cache        string
		location     string
		body         string
		noPolicy     bool
	}{
		{name: "https", distribution: named("redirect-to-https"), url: "https://blog.example.com/a", status: 200, cache: "Miss"},
		{name: "https by its own name", distribution: named("redirect-to-https"), url: "https://d1.cloudfront.net/a", status: 200, cache: "Miss"},
		{name: "https by an alias in capitals", distribution: named("redirect-to-https"), url: "https://WWW.Example.com/a", status: 200, cache: "Miss"},
		{name: "http", distribution: named("redirect-to-https"), url: "http://blog.example.com/a/?x=%20&y", status: 301, cache: "Redirect", location: "https://blog.example.com/a/?x=%20&y", body: "<h1>301 Moved Permanently</h1>"},
		{name: "http by its own name and a port", distribution: named("redirect-to-https"), url: "http://d1.cloudfront.net:8080/%E6%97%A5", status: 301, cache: "Redirect", location: "https://d1.cloudfront.net/%E6%97%A5"},
		{name: "http, double slash", distribution: named("redirect-to-https"), url: "http://blog.example.com//evil.example/", status: 301, cache: "Redirect", location: "https://blog.example.com//evil.example/"},
		{name: "http, default root object", distribution: named("redirect-to-https"), url: "http://blog.example.com/", status: 301, cache: "Redirect", location: "https://blog.example.com/"},
		{name: "HEAD by http", distribution: named("redirect-to-https"), method: "HEAD", url: "http://blog.example.com/a", status: 301, cache: "Redirect", location: "https://blog.example.com/a"},
		{name: "POST by http", distribution: named("redirect-to-https"), method: "POST", url: "http://blog.example.com/a", status: 307, cache: "Redirect", location: "https://blog.example.com/a"},
		{name: "http where both are allowed", distribution: named("allow-all"), url: "http://blog.example.com/a", status: 200, cache: "Miss"},
		{name: "http where only https is", distribution: named("https-only"), url: "http://blog.example.com/a", status: 403, cache: "Error", body: "accepts only HTTPS"},
		{name: "https where only https is", distribution: named("https-only"), url: "https://blog.example.com/a", status: 200, cache: "Miss"},
		{name: "loopback", distribution: named("redirect-to-https"), url: "http://127.0.0.1:8080/a", status: 200, cache: "Miss"},
		{name: "loopback, IPv6", distribution: named("redirect-to-https"), url: "http://[::1]:8080/a", status: 200, cache: "Miss"},
		{name: "localhost", distribution: named("https-only"), url: "http://localhost:8080/a", status: 200, cache: "Miss"},
		{name: "loopback by https", distribution: named("https-only"), url: "https://localhost/a", status: 200, cache: "Miss"},
		{name: "loopback without aliases", distribution: distribution("redirect-to-https"), url: "http://localhost:8080/a", status: 200, cache: "Miss"},
		{name: "an address that is not loopback", distribution: named("redirect-to-https"), url: "http://192.0.2.1/a", status: 403, cache: "Error", body: `the name "192.0.2.1"; this one has: blog.example.com, www.example.com, d1.cloudfront.net`, noPolicy: true},
		{name: "another's name", distribution: named("redirect-to-https"), url: "https://evil.example/a", status: 403, cache: "Error", body: `"evil.example"`, noPolicy: true},
		{name: "another's name by http", distribution: named("redirect-to-https"), url: "http://evil.example/a", status: 403, cache: "Error", noPolicy: true},
		{name: "a name below an alias", distribution: named("redirect-to-https"), url: "https://a.blog.example.com/a", status: 403, cache: "Error", noPolicy: true},
		{name: "any name, where it has none", distribution: Assumed("E1"), url: "http://evil.example/a", status: 200, cache: "Miss", noPolicy: true},
		{name: "https only, where it has no name", distribution: nameless, url: "http://localhost/a", status: 403, cache: "Error"},
		{name: "OPTIONS", distribution: named("redirect-to-https"), method: "OPTIONS", url: "https://blog.example.com/a", status: 403, cache: "Error", body: "cachable requests"},
		{name: "longest URL", distribution: named("redirect-to-https"), url: long, status: 403, cache: "Error", body: "AccessDenied"},
		{name: "too long a URL", distribution: named("redirect-to-https"), url: long + "x", status: 413, cache: "Error", body: "too long"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.distribution)
			w.put("/a", "a", "")
			if test.method == "" {
				test.method = http.MethodGet
			}
			got := w.visit(t, test.method, test.url)
			header := got.Header()
			if got.Code != test.status || header.Get("X-Cache") != test.cache+" from cloudfront" || header.Get("Location") != test.location || !strings.Contains(got.Body.String(), test.body) {
				t.Errorf("got %d, %v, %.300q; want %d, %s from cloudfront, Location %q, %q", got.Code, header, got.Body, test.status, test.cache, test.location, test.body)
			}
			if label := header.Get("X-Label"); (label == "") != test.noPolicy {
				t.Errorf("X-Label of the policy: got %q", label)
			}
			if test.method == http.MethodHead && got.Body.Len() > 0 {
				t.Errorf("HEAD has a body: %q", got.Body)
			}
		})
	}
}

func TestFunctionsThatAnswerOrFail(t *testing.T) {
	policy := HeadersPolicy{Set: []Header{{Name: "X-Frame-Options", Value: "DENY"}, {Name: "Cache-Control", Value: "no-cache", Override: true}}}
	tests := []struct {
		name     string
		function ViewerRequest
		method   string
		status   int
		cache    string
		body     string // in it; "-" for none
		header   map[string]string
	}{
		{"redirect", answering(301, "", http.Header{"Location": {"/a/"}}), "GET", 301, "FunctionGeneratedResponse", "-", map[string]string{"Location": "/a/", "Server": "CloudFront", "X-Frame-Options": "DENY", "Cache-Control": "no-cache"}},
		{"with a body", answering(418, "short and stout", nil), "GET", 418, "FunctionGeneratedResponse", "short and stout", map[string]string{"X-Frame-Options": "DENY"}},
		{"with a body, HEAD", answering(418, "short and stout", nil), "HEAD", 418, "FunctionGeneratedResponse", "-", nil},
		{"its own headers", answering(200, "", http.Header{"X-Frame-Options": {"SAMEORIGIN"}, "Cache-Control": {"max-age=60"}}), "GET", 200, "FunctionGeneratedResponse", "-", map[string]string{"X-Frame-Options": "SAMEORIGIN", "Cache-Control": "no-cache"}},
		{"an error that it makes is no error of the origin", answering(404, "mine", nil), "GET", 404, "FunctionGeneratedResponse", "mine", nil},
		{"throws, in its engine", function(t, "throw new Error('<oh>')"), "GET", 503, "FunctionExecutionError", "could not run: ", map[string]string{"X-Frame-Options": "DENY"}},
		{"returns nothing", function(t, "return"), "GET", 502, "FunctionValidationError", "returned an invalid value: ", map[string]string{"X-Frame-Options": "DENY", "Server": "CloudFront"}},
		{"answers with the path", function(t, "return { statusCode: 200, body: event.request.uri }"), "GET", 200, "FunctionGeneratedResponse", "/a.html", nil},
		{"throws", failing(errors.New("TypeError: <x> is undefined")), "GET", 503, "FunctionExecutionError", "could not run: TypeError: &lt;x&gt; is undefined", map[string]string{"X-Frame-Options": "DENY", "Server": "CloudFront"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, Distribution{
				Errors:    map[int]ErrorResponse{404: {PagePath: "/404.html", Status: 404}},
				Behaviors: []Behavior{{PathPattern: "*", ViewerProtocol: "allow-all", ViewerRequest: test.function, Headers: policy}},
			})
			w.put("/404.html", "not here", "")
			got := w.visit(t, test.method, "/a.html")
			wantAnswer(t, got, test.status, test.cache, test.body, test.header)
			w.wantAsked(t)
		})
	}
}

// A function sees the path of the default root object only for "/".
func TestFunctionAndTheDefaultRootObject(t *testing.T) {
	w := newWorld(t, Distribution{DefaultRootObject: "home.html", Behaviors: []Behavior{
		{PathPattern: "*", ViewerProtocol: "allow-all", ViewerRequest: function(t, "return { statusCode: 200, body: event.request.uri + '?' + event.request.rawQueryString() }")},
	}})
	for path, want := range map[string]string{"/?x=%20": "/home.html?x=%20", "/a/?x": "/a/?x", "//?x": "//?x"} {
		if got := w.get(t, path).Body.String(); got != want {
			t.Errorf("GET %s: the function saw %s, want %s", path, got, want)
		}
	}
}

func TestNewChecksItsOptions(t *testing.T) {
	w := &world{}
	behaviors := []Behavior{{PathPattern: "*", ViewerProtocol: "allow-all"}}
	tests := []struct {
		name string
		opts Options
		want string
	}{
		{"no origin", Options{Distribution: Assumed("E1")}, "create edge: no Origin given"},
		{"root object", Options{Origin: w, Distribution: Distribution{Behaviors: behaviors, DefaultRootObject: "/index.html"}}, `DefaultRootObject is "/index.html"`},
		{"error page", Options{Origin: w, Distribution: Distribution{Behaviors: behaviors, Errors: map[int]ErrorResponse{404: {PagePath: "404.html"}}}}, `the ResponsePagePath of error 404 is "404.html"`},
		{"status that is not an error", Options{Origin: w, Distribution: Distribution{Behaviors: behaviors, Errors: map[int]ErrorResponse{418: {}}}}, "CustomErrorResponses has the ErrorCode 418; CloudFront accepts only [400 403"},
		{"wildcard", Options{Origin: w, Distribution: Distribution{Behaviors: behaviors, Aliases: []string{"*.example.com"}}}, "the alias *.example.com is a wildcard"},
		{"no pattern", Options{Origin: w, Distribution: Distribution{Behaviors: append([]Behavior{{ViewerProtocol: "allow-all"}}, behaviors...)}}, "CacheBehaviors[0] has no PathPattern"},
		{"pattern that is not ASCII", Options{Origin: w, Distribution: Distribution{Behaviors: append([]Behavior{{PathPattern: "/日本/*", ViewerProtocol: "allow-all"}}, behaviors...)}}, `the PathPattern "/日本/*" has a space or a character that is not ASCII`},
		{"pattern twice", Options{Origin: w, Distribution: Distribution{Behaviors: []Behavior{{PathPattern: "*.css", ViewerProtocol: "allow-all"}, {PathPattern: "*.css", ViewerProtocol: "allow-all"}, behaviors[0]}}}, "two behaviours have the PathPattern *.css"},
		{"no behaviour", Options{Origin: w}, "the last of Behaviors must be the default one"},
		{"no default behaviour", Options{Origin: w, Distribution: Distribution{Behaviors: []Behavior{{PathPattern: "*.css", ViewerProtocol: "allow-all"}}}}, "the last of Behaviors must be the default one"},
		{"protocol", Options{Origin: w, Distribution: Distribution{Behaviors: []Behavior{{PathPattern: "*", ViewerProtocol: "http-only"}}}}, `ViewerProtocol of the behaviour * is "http-only"; CloudFront accepts allow-all, redirect-to-https and https-only`},
	}
	for _, test := range tests {
		if _, err := New(test.opts); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}

func TestAssumed(t *testing.T) {
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/a%2Fb/", nil)
	if changed, _, err := Assumed("E1").Behaviors[0].ViewerRequest.ViewerRequest(request, edgefunction.Context{}); err != nil || changed.URL.EscapedPath() != "/a%2Fb/index.html" { //nolint:bodyclose // There is none.
		t.Errorf("an encoded slash: got %v, %v", changed.URL, err)
	}
	w := newWorld(t, Assumed("E1"))
	for _, path := range []string{"/index.html", "/日本/a b/index.html", "/a.html"} {
		w.put(path, path, "")
	}
	for path, want := range map[string]string{
		"/": "/index.html", "/index.html": "/index.html", "/a.html": "/a.html", "/a": "",
		"/%E6%97%A5%E6%9C%AC/a%20b/": "/日本/a b/index.html", "/%E6%97%A5%E6%9C%AC%2Fa%20b/": "/日本/a b/index.html",
	} {
		if got := w.get(t, path); want != "" && got.Body.String() != want || want == "" && got.Code != 403 {
			t.Errorf("GET %s: got %d %q, want %q", path, got.Code, got.Body, want)
		}
	}
}
