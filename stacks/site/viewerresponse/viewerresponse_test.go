package viewerresponse_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/edgefunction"
	"blog-deploy-pipeline/stacks/site/viewerresponse"
)

const immutable = "public, max-age=31536000, immutable"

// keeps are the statuses of answers that a browser may keep.
var keeps = []int{http.StatusOK, http.StatusPartialContent, http.StatusNotModified}

func newFunction(t testing.TB, code string) *edgefunction.Function {
	t.Helper()
	f, err := edgefunction.New(code)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// sent is a response as the function returns it.
type sent struct {
	status int
	header http.Header
	body   string
}

// send calls the function with a response of CloudFront.
func send(f *edgefunction.Function, status int, header http.Header) (sent, error) {
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/css/main.css"}, Host: "blog.example.com"}
	response, err := f.ViewerResponse(r, &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader("body"))}, edgefunction.Context{})
	if err != nil {
		return sent{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return sent{response.StatusCode, response.Header, string(body)}, err
}

// headers are those that a response may have already, from the bucket and from the response headers policy.
var headers = map[string]http.Header{
	"nothing":        {"Content-Type": {"text/css"}},
	"of the policy":  {"Content-Type": {"text/css"}, "Cache-Control": {"public, max-age=0, must-revalidate"}, "X-Frame-Options": {"DENY"}},
	"on two lines":   {"Content-Type": {"text/css"}, "Cache-Control": {"no-cache", "no-store"}},
	"with cookies":   {"Cache-Control": {"no-cache"}, "Set-Cookie": {"b=2; Secure", "a=1"}},
	"of every other": {"Cache-Control": {"no-cache"}, "Etag": {`"x"`}, "Vary": {"Accept-Encoding"}, "Via": {"1.1 x (CloudFront)"}, "Content-Length": {"4"}},
	"none":           {},
}

// violation returns the first thing that a function does wrong with any status and headers, or "".
func violation(f *edgefunction.Function) string {
	for _, what := range slices.Sorted(maps.Keys(headers)) {
		for status := 200; status < 600; status++ {
			want := sent{status, headers[what].Clone(), "body"}
			if slices.Contains(keeps, status) {
				want.header.Set("Cache-Control", immutable)
			}
			got, err := send(f, status, headers[what].Clone())
			if err != nil {
				return what + ": " + err.Error()
			}
			if got, want := dump(got), dump(want); got != want {
				return what + ": got " + got + ", want " + want
			}
		}
	}
	return ""
}

func dump(s sent) string {
	text, _ := json.Marshal([]any{s.status, s.header, s.body})
	return string(text)
}

func TestViewerResponse(t *testing.T) {
	if found := violation(newFunction(t, viewerresponse.Code(immutable))); found != "" {
		t.Error(found)
	}
}

// TestMutants checks that violation notices each way in which the function could be wrong.
func TestMutants(t *testing.T) {
	code := viewerresponse.Code(immutable)
	for _, mutant := range []struct{ name, old, new string }{
		{"for every answer", "if ([200, 206, 304].indexOf(response.statusCode) >= 0)", "if (true)"},
		{"for none", ">= 0", ">= 3"},
		{"not for the first", ">= 0", "> 0"},
		{"for 404, too", "[200, 206, 304]", "[200, 206, 304, 404]"},
		{"for redirects, too", "[200, 206, 304]", "[200, 206, 301, 304]"},
		{"not for parts", "[200, 206, 304]", "[200, 304]"},
		{"not for what a browser has", "[200, 206, 304]", "[200, 206]"},
		{"for all but errors", "[200, 206, 304].indexOf(response.statusCode) >= 0", "response.statusCode < 400"},
		{"only if there is none", ".indexOf(response.statusCode) >= 0", ".indexOf(response.statusCode) >= 0 && !response.headers['cache-control']"},
		{"another header", "['cache-control']", "['x-cache-control']"},
		{"in capitals", "['cache-control']", "['Cache-Control']"},
		{"a second value", "= { value: cacheControl }", "= { value: cacheControl, multiValue: [{ value: 'a' }, { value: 'b' }] }"},
		{"as text", "{ value: cacheControl }", "cacheControl"},
		{"no other header", "response.headers['cache-control'] = { value: cacheControl }", "response.headers = { 'cache-control': { value: cacheControl } }"},
		{"the request", "return response;", "return event.request;"},
		{"nothing", "return response;", ""},
		{"a value of its own", "{ value: cacheControl }", "{ value: 'immutable' }"},
	} {
		t.Run(mutant.name, func(t *testing.T) {
			if !strings.Contains(code, mutant.old) {
				t.Fatalf("the function has no %q", mutant.old)
			}
			f, err := edgefunction.New(strings.ReplaceAll(code, mutant.old, mutant.new))
			if err == nil && violation(f) == "" {
				t.Error("nothing notices")
			}
		})
	}
}

// TestCode checks that the header is one line of code with the same meaning, whatever it is.
func TestCode(t *testing.T) {
	for _, value := range []string{immutable, `a"';}//`, "</script>\u2028", ""} {
		got, err := send(newFunction(t, viewerresponse.Code(value)), http.StatusOK, http.Header{})
		if err != nil || got.header.Get("Cache-Control") != value {
			t.Errorf("%q: got %q, %v", value, got.header.Get("Cache-Control"), err)
		}
	}
	if got, most := len(viewerresponse.Code(immutable)), 10*1024; got > most {
		t.Errorf("the code has %d bytes; CloudFront accepts at most %d", got, most)
	}
}

// TestNode runs the function in Node.js, so that no peculiarity of the engine of the other tests hides an error.
func TestNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("%v: run `make build` (or `npm ci`, and put node_modules/.bin on PATH)", err)
	}
	const script = `
		const kept = [];
		for (let status = 200; status < 600; status++) {
			const response = handler({ response: { statusCode: status, headers: { etag: { value: 'x' } } } });
			if (response.headers['cache-control']) { kept.push([response.statusCode, response.headers['cache-control'].value]); }
		}
		console.log(JSON.stringify(kept));`
	cmd := exec.CommandContext(t.Context(), node, "--input-type=module", "-")
	cmd.Stdin = strings.NewReader(viewerresponse.Code(immutable) + script)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, &stderr)
	}
	want, _ := json.Marshal([][]any{{keeps[0], immutable}, {keeps[1], immutable}, {keeps[2], immutable}})
	if got := strings.TrimSpace(string(output)); got != string(want) {
		t.Errorf("in Node.js: got %s, want %s", got, want)
	}
}
