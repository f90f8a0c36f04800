package edge

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/edgefunction"
)

// responseFunc is a viewer-response function in Go.
type responseFunc func(r *http.Request, response *http.Response, context edgefunction.Context) (*http.Response, error)

func (f responseFunc) ViewerResponse(r *http.Request, response *http.Response, context edgefunction.Context) (*http.Response, error) {
	return f(r, response, context)
}

// onResponse returns a viewer-response function in JavaScript with the given body.
func onResponse(t *testing.T, body string) ViewerResponse {
	t.Helper()
	f, err := edgefunction.New("function handler(event) {\nconst response = event.response;\n" + body + "\n}")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const (
	ask       = "public, max-age=0, must-revalidate"
	immutable = "public, max-age=31536000, immutable"
)

// immutableWorld returns a world with a style sheet that never changes, on a distribution with two names.
func immutableWorld(t *testing.T, viewerResponse ViewerResponse) *world {
	t.Helper()
	policy := HeadersPolicy{Set: []Header{{Name: "Cache-Control", Value: ask, Override: true}, {Name: "X-Frame-Options", Value: "DENY", Override: true}}}
	canonicalHost := function(t, `
		if (event.request.headers.host.value === 'blog.example.com') { return event.request; }
		return { statusCode: 301, headers: { location: { value: 'https://blog.example.com' + event.request.uri } } };`)
	w := newWorld(t, Distribution{Aliases: []string{"blog.example.com", "www.example.com"}, DefaultRootObject: "index.html",
		Errors: map[int]ErrorResponse{403: {PagePath: "/404.html", Status: 404}, 400: {PagePath: "/404.html", Status: 200}},
		Behaviors: []Behavior{
			{PathPattern: "*.css", ViewerProtocol: "redirect-to-https", Headers: policy, ViewerRequest: canonicalHost, ViewerResponse: viewerResponse, Compress: true, CachePolicy: CachingOptimized},
			{PathPattern: "*", ViewerProtocol: "redirect-to-https", Headers: policy, ViewerRequest: canonicalHost},
		},
	})
	w.put("/404.html", "not here", immutable)
	w.put("/index.html", "home", "")
	w.put("/a.css", "a{}", "max-age=60")
	w.put("/long.css", strings.Repeat("a", 1000), "")
	return w
}

// The function would make every response immutable, so errors and redirects show whether it has run.
func TestFunctionOnViewerResponses(t *testing.T) {
	w := immutableWorld(t, onResponse(t, "response.headers['cache-control'] = { value: '"+immutable+"' }; return response;"))
	tests := []struct {
		name, method, url string
		header            []string
		status            int
		cache, keep       string
		body              string
	}{
		{"from the origin", "GET", "https://blog.example.com/a.css", nil, 200, "Miss", immutable, "a{}"},
		{"cached", "GET", "https://blog.example.com/a.css", nil, 200, "Hit", immutable, "a{}"},
		{"HEAD", "HEAD", "https://blog.example.com/a.css", nil, 200, "Hit", immutable, ""},
		{"not modified", "GET", "https://blog.example.com/a.css", []string{"If-None-Match", `"a{}"`}, 304, "Hit", immutable, ""},
		{"a part", "GET", "https://blog.example.com/a.css", []string{"Range", "bytes=0-0"}, 206, "Hit", immutable, "a"},
		{"a part that is not there", "GET", "https://blog.example.com/a.css", []string{"Range", "bytes=9-9"}, 416, "Hit", ask, "invalid range"},
		{"a path without the function", "GET", "https://blog.example.com/", nil, 200, "Miss", ask, "home"},
		{"missing", "GET", "https://blog.example.com/b.css", nil, 404, "Error", ask, "not here"},
		{"missing, cached", "GET", "https://blog.example.com/b.css", nil, 404, "Error", ask, "not here"},
		{"by its other name", "GET", "https://www.example.com/a.css", nil, 301, "FunctionGeneratedResponse", ask, ""},
		{"by http", "GET", "http://blog.example.com/a.css", nil, 301, "Redirect", ask, "Moved"},
		{"POST", "POST", "https://blog.example.com/a.css", nil, 403, "Error", ask, "method"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.visit(t, test.method, test.url, test.header...)
			header := got.Header()
			if got.Code != test.status || header.Get("X-Cache") != test.cache+" from cloudfront" || !strings.Contains(got.Body.String(), test.body) {
				t.Errorf("got %d, X-Cache %q, %q; want %d, %s from cloudfront, %q", got.Code, header.Get("X-Cache"), got.Body, test.status, test.cache, test.body)
			}
			if cache, frame := header.Get("Cache-Control"), header.Get("X-Frame-Options"); cache != test.keep || frame != "DENY" {
				t.Errorf("Cache-Control %q, X-Frame-Options %q; want %q, DENY", cache, frame, test.keep)
			}
		})
	}

	// The function does not run for an error page that is sent with the status 200, either.
	w.mu.Lock()
	w.status = 400
	w.before = func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.asked[len(w.asked)-1] == "/c.css" {
			w.status = 0 // The error page is there.
		}
	}
	w.mu.Unlock()
	if got := w.visit(t, http.MethodGet, "https://blog.example.com/c.css"); got.Code != http.StatusOK || got.Header().Get("Cache-Control") != ask || got.Body.String() != "not here" {
		t.Errorf("an error page with status 200: got %d, %v, %q; want the policy's %q", got.Code, got.Header(), got.Body, ask)
	}

	w.mu.Lock()
	w.down, w.before = errors.New("connection refused"), nil
	w.mu.Unlock()
	if got := w.visit(t, http.MethodGet, "https://blog.example.com/d.css"); got.Code != http.StatusBadGateway || got.Header().Get("Cache-Control") != ask {
		t.Errorf("origin down: got %d, %v; want the policy's %q", got.Code, got.Header(), ask)
	}
}

// A compressed response has no length before it is sent.
func TestFunctionOnCompressedResponses(t *testing.T) {
	w := immutableWorld(t, onResponse(t, "response.headers['cache-control'] = { value: '"+immutable+"' }; return response;"))
	w.mu.Lock()
	long := w.objects["/long.css"]
	w.mu.Unlock()
	plain := w.visit(t, http.MethodGet, "https://blog.example.com/long.css")
	if plain.Body.String() != long.content || plain.Header().Get("Content-Length") != "1000" {
		t.Errorf("got %v, %d bytes; want 1000 bytes", plain.Header(), plain.Body.Len())
	}
	compressed := w.visit(t, http.MethodGet, "https://blog.example.com/long.css", "Accept-Encoding", "gzip")
	if header := compressed.Header(); header.Get("Content-Encoding") != "gzip" || header.Get("Cache-Control") != immutable || compressed.Body.Len() >= 1000 {
		t.Errorf("got %v, %d bytes; want it compressed, and immutable", header, compressed.Body.Len())
	}
}

func TestFunctionsThatChangeOrFailAResponse(t *testing.T) {
	tests := []struct {
		name, method, body string
		status             int
		cache, content     string // in it; "-" for none
		header             map[string]string
	}{
		{"nothing", "GET", "return response;", 200, "Miss", "a{}", map[string]string{"Cache-Control": ask, "Content-Length": "3", "Content-Type": "text/html"}},
		{"another header, and one less", "GET", "response.headers = { 'x-a': { value: '1' } }; return response;", 200, "Miss", "a{}", map[string]string{"X-A": "1", "Cache-Control": "", "X-Frame-Options": "", "Content-Type": "", "Content-Length": "3"}},
		{"another status and body", "GET", "response.statusCode = 403; response.body = 'no'; return response;", 403, "Miss", "no", map[string]string{"Content-Length": "2"}},
		{"no body", "GET", "response.body = ''; return response;", 200, "Miss", "-", map[string]string{"Content-Length": "0"}},
		{"a body, HEAD", "HEAD", "response.body = 'no'; return response;", 200, "Miss", "-", map[string]string{"Content-Length": "2"}},
		{"sees the policy's header", "GET", "response.body = response.headers['cache-control'].value; return response;", 200, "Miss", ask, nil},
		{"sees what was asked for", "GET", "response.body = event.request.headers.host.value + event.request.uri + ' ' + event.context.distributionId; return response;", 200, "Miss", "blog.example.com/a.css E1", nil},
		{"throws", "GET", "throw new Error('<oh>');", 503, "FunctionExecutionError", "could not run: ", map[string]string{"Cache-Control": ask, "X-Frame-Options": "DENY", "Etag": "", "Server": "CloudFront"}},
		{"returns nothing", "GET", "", 502, "FunctionValidationError", "returned an invalid value: ", map[string]string{"Cache-Control": ask, "Etag": "", "Content-Type": "text/html"}},
		{"returns nothing, HEAD", "HEAD", "", 502, "FunctionValidationError", "-", map[string]string{"Cache-Control": ask}},
		{"changes what it must not", "GET", "response.headers.via = { value: 'x' }; return response;", 502, "FunctionValidationError", "via, which is read-only", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := immutableWorld(t, onResponse(t, test.body))
			got := w.visit(t, test.method, "https://blog.example.com/a.css")
			wantAnswer(t, got, test.status, test.cache, test.content, test.header)
			// What it did is none of the cache's business.
			again := w.visit(t, http.MethodGet, "https://blog.example.com/a.css", "If-None-Match", `"a{}"`)
			if result := again.Header().Get("X-Cache"); test.cache == "Miss" && result != "Hit from cloudfront" {
				t.Errorf("again: X-Cache %q", result)
			}
			w.wantAsked(t, "/a.css")
		})
	}
}

// A function that is not JavaScript may leave the body out.
func TestFunctionThatLeavesTheBodyOut(t *testing.T) {
	w := immutableWorld(t, responseFunc(func(_ *http.Request, response *http.Response, _ edgefunction.Context) (*http.Response, error) {
		return &http.Response{StatusCode: response.StatusCode, Header: response.Header}, nil
	}))
	if got := w.visit(t, http.MethodGet, "https://blog.example.com/a.css"); got.Code != http.StatusOK || got.Body.String() != "a{}" {
		t.Errorf("got %d %q; want the origin's content", got.Code, got.Body)
	}
}
