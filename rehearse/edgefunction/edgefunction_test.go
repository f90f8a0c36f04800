package edgefunction

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// run gives a function, the body of a handler, a request.
func run(t testing.TB, body string, r *http.Request) (*http.Request, *http.Response, error) {
	t.Helper()
	f, err := New("function handler(event) {\nconst request = event.request;\n" + body + "\n}")
	if err != nil {
		t.Fatal(err)
	}
	request, response, err := f.ViewerRequest(r, Context{})
	if response != nil {
		t.Cleanup(func() { response.Body.Close() })
	}
	return request, response, err
}

func get(target string) *http.Request {
	return httptest.NewRequestWithContext(context.Background(), http.MethodGet, "https://blog.example.com"+target, nil)
}

// answer runs a function that answers with an expression's value, as JSON, and returns it.
func answer(t testing.TB, expression string, r *http.Request) string {
	t.Helper()
	_, response, err := run(t, "return { statusCode: 200, body: '' + JSON.stringify("+expression+") };", r) //nolint:bodyclose // run does.
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	return string(body)
}

// TestEvent: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html#functions-event-structure-example
func TestEvent(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/media/index.mpd?ID=42&NoValue&querymv=val1&querymv=val2%2Cval3&caf%C3%A9=%20", nil)
	r.Host, r.RemoteAddr = "video.example.com", "198.51.100.11:4711"
	r.Header = http.Header{
		"Accept":            {"application/json", "application/xml"},
		"Accept-Language":   {"en-GB,en;q=0.5"},
		"Cookie":            {"Cookie1=value1; cookiemv=a=b", "cookiemv=value4"},
		"Connection":        {"close"},
		"X-Edge-Anything":   {"hidden"},
		"X-Forwarded-Proto": {"hidden"},
	}
	f, err := New("function handler(event) { return { statusCode: 200, body: JSON.stringify(event) }; }")
	if err != nil {
		t.Fatal(err)
	}
	_, response, err := f.ViewerRequest(r, Context{DistributionDomainName: "d111111abcdef8.cloudfront.net", DistributionID: "EDFDVBD6EXAMPLE", RequestID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	const want = `{
		"version": "1.0",
		"context": {
			"distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
			"eventType": "viewer-request", "requestId": "x"
		},
		"viewer": {"ip": "198.51.100.11"},
		"request": {
			"method": "GET", "uri": "/media/index.mpd",
			"querystring": {
				"ID": {"value": "42"}, "NoValue": {"value": ""}, "caf%C3%A9": {"value": "%20"},
				"querymv": {"value": "val1", "multiValue": [{"value": "val1"}, {"value": "val2%2Cval3"}]}
			},
			"headers": {
				"accept": {"value": "application/json", "multiValue": [{"value": "application/json"}, {"value": "application/xml"}]},
				"accept-language": {"value": "en-GB,en;q=0.5"}, "host": {"value": "video.example.com"}
			},
			"cookies": {
				"Cookie1": {"value": "value1"},
				"cookiemv": {"value": "a=b", "multiValue": [{"value": "a=b"}, {"value": "value4"}]}
			}
		}
	}`
	body, _ := io.ReadAll(response.Body)
	if got, want := indent(t, body), indent(t, []byte(want)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func indent(t *testing.T, text []byte) string {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	sorted, _ := json.MarshalIndent(value, "", "  ")
	return string(sorted)
}

func TestRawQueryString(t *testing.T) {
	for target, want := range map[string]string{
		"/page": "undefined", "/page?": `""`, "/page?b=2&a=1&b=%20": `"b=2&a=1&b=%20"`, "/?q=a?b": `"q=a?b"`,
	} {
		if got := answer(t, "request.rawQueryString()", get(target)); got != want {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
}

// TestPathAsSent: a request that a server read, and one that a client would send.
func TestPathAsSent(t *testing.T) {
	tests := []struct {
		name string
		r    *http.Request
		want string
	}{
		{"encoded", get("/%E6%97%a5/a%2Fb"), `"/%E6%97%a5/a%2Fb"`},
		{"not normalised", get("//a/../b"), `"//a/../b"`},
		{"of a client", &http.Request{URL: &url.URL{Path: "/日", RawQuery: "x"}}, `"/%E6%97%A5"`},
		{"of a client, home", &http.Request{URL: &url.URL{Host: "blog.example.com"}}, `"/"`},
		{"Latin-1", &http.Request{RequestURI: "/caf\xe9", URL: &url.URL{}}, `"/café"`},
		{"by a proxy", &http.Request{RequestURI: "https://blog.example.com/a", URL: &url.URL{Path: "/a"}}, `"/a"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := answer(t, "request.uri", test.r); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestLatin1Passed: the function sees UTF-8; what it leaves alone goes on as it came.
func TestLatin1Passed(t *testing.T) {
	const target = "/caf\xe9?\xe9=1"
	r := &http.Request{RequestURI: target, URL: &url.URL{}}
	got, _, err := run(t, "if (request.uri === '/café' && request.querystring['é'].value === '1') return request;", r) //nolint:bodyclose // There is none.
	if err != nil {
		t.Fatal(err)
	}
	if got.RequestURI != target {
		t.Errorf("got %q, want %q", got.RequestURI, target)
	}
}

// TestHost: of a server's request and of a client's.
func TestHost(t *testing.T) {
	for _, r := range []*http.Request{
		{Host: "blog.example.com", URL: &url.URL{Host: "10.0.0.1"}},
		{URL: &url.URL{Host: "blog.example.com"}},
	} {
		if got, want := answer(t, "request.headers.host.value", r), `"blog.example.com"`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestRequestPassed(t *testing.T) {
	const target = "/p%61th/%E6%97%A5?b=2&a=1&b"
	header := func() http.Header {
		return http.Header{"Accept": {"a", "b"}, "Cookie": {"b=2; a=1", "a=3"}, "Connection": {"close"}}
	}
	tests := []struct {
		name, body, uri string
		header          http.Header
	}{
		{"as it is", ``, target, header()},
		{"another path", `request.uri = '/%E6%97%A5/index.html';`, "/%E6%97%A5/index.html?b=2&a=1&b", header()},
		{"another query", `request.querystring = { z: { value: '1' }, m: { value: 'x', multiValue: [{ value: 'x' }, { value: 'y' }] } };`, "/p%61th/%E6%97%A5?m=x&m=y&z=1", header()},
		{"a query as text", `request.querystring = 'x=1';`, "/p%61th/%E6%97%A5?x=1", header()},
		{"no query", `request.querystring = {};`, "/p%61th/%E6%97%A5", header()},
		{"the first of several", `request.querystring.b.value = '7';`, "/p%61th/%E6%97%A5?a=1&b=7&b=", header()},
		{"several", `request.headers.accept.multiValue[1].value = 'c'; request.headers.accept.value = 'ignored';`, target,
			http.Header{"Accept": {"a", "c"}, "Cookie": {"b=2; a=1", "a=3"}, "Connection": {"close"}}},
		{"headers", `delete request.headers.accept; request.headers['x-b'] = { value: '1' };`, target,
			http.Header{"X-B": {"1"}, "Cookie": {"b=2; a=1", "a=3"}, "Connection": {"close"}}},
		{"cookies", `delete request.cookies.a;`, target, http.Header{"Accept": {"a", "b"}, "Cookie": {"b=2"}, "Connection": {"close"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := get(target)
			r.Header = header()
			got, _, err := run(t, test.body+"return request;", r) //nolint:bodyclose // There is none.
			if err != nil {
				t.Fatal(err)
			}
			if got.RequestURI != test.uri || got.URL.RequestURI() != test.uri {
				t.Errorf("got %s and %s, want %s", got.RequestURI, got.URL.RequestURI(), test.uri)
			}
			if got, want := dump(got.Header), dump(test.header); got != want {
				t.Errorf("got headers %s, want %s", got, want)
			}
			if got.Host != r.Host {
				t.Errorf("got host %s, want %s", got.Host, r.Host)
			}
			if r.RequestURI != "https://blog.example.com"+target || dump(r.Header) != dump(header()) {
				t.Errorf("the request itself has become %s, %s", r.RequestURI, dump(r.Header))
			}
		})
	}
}

func dump(value any) string {
	text, _ := json.Marshal(value)
	return string(text)
}

func TestResponse(t *testing.T) {
	tests := []struct {
		name, body string
		status     string
		header     http.Header
		content    string
	}{
		{"least", `return { statusCode: 404 };`, "404 Not Found", http.Header{}, ""},
		{"redirect", `return { statusCode: 301, statusDescription: 'Moved', headers: { location: { value: '/a/' }, 'x-y': { value: '1', multiValue: [{ value: '1' }, { value: '2' }] } } };`,
			"301 Moved", http.Header{"Location": {"/a/"}, "X-Y": {"1", "2"}}, ""},
		{"cookies", `return { statusCode: 200, cookies: { b: { value: '1', attributes: 'Secure; Path=/' }, a: { value: '2' } } };`,
			"200 OK", http.Header{"Set-Cookie": {"a=2", "b=1; Secure; Path=/"}}, ""},
		{"text", `return { statusCode: 200, body: 'größer' };`, "200 OK", http.Header{}, "größer"},
		{"text, in full", `return { statusCode: 200, body: { encoding: 'text', data: 'x' } };`, "200 OK", http.Header{}, "x"},
		{"base64", `return { statusCode: 200, body: { encoding: 'base64', data: 'AP8=' } };`, "200 OK", http.Header{}, "\x00\xff"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request, response, err := run(t, test.body, get("/")) //nolint:bodyclose // run does.
			if err != nil {
				t.Fatal(err)
			}
			if request != nil {
				t.Error("got a request, too")
			}
			if response.Status != test.status {
				t.Errorf("got status %q, want %q", response.Status, test.status)
			}
			if got, want := dump(response.Header), dump(test.header); got != want {
				t.Errorf("got headers %s, want %s", got, want)
			}
			if body, _ := io.ReadAll(response.Body); string(body) != test.content || response.ContentLength != int64(len(body)) {
				t.Errorf("got body %q of %d bytes, want %q", body, response.ContentLength, test.content)
			}
		})
	}
}

func TestAsync(t *testing.T) {
	f, err := New(`
		async function name() { return 'async'; }
		async function handler(event) { event.request.uri = '/' + await name(); return event.request; }`)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := f.ViewerRequest(get("/"), Context{}) //nolint:bodyclose // There is none.
	if err != nil {
		t.Fatal(err)
	}
	if got.URL.Path != "/async" {
		t.Errorf("got path %q, want /async", got.URL.Path)
	}
}

// TestFails: the function does not come to an end, or returns what CloudFront refuses.
func TestFails(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"throws", `throw new Error('on purpose');`, 503, "on purpose at handler (function.js:3"},
		{"reads of undefined", `return request.headers.missing.value;`, 503, "TypeError"},
		{"never ends", `for (;;) {}`, 503, "not at its end after"},
		{"a getter never ends", `return { get statusCode() { for (;;) {} } };`, 503, "not at its end after"},
		{"a getter throws", `return { get statusCode() { throw new Error('late'); } };`, 503, "late"},
		{"calls itself", `return handler(event);`, 503, "nested deeper than 1000: at handler"},
		{"is not settled", `return new Promise(function () {});`, 503, "never settled"},
		{"rejects", `return Promise.reject(new Error('on purpose'));`, 503, "on purpose"},
		{"rejects with what throws", `return Promise.reject({ toString() { throw new Error('late'); } });`, 503, "late"},
		{"evaluates", `return eval('request');`, 503, "eval is not defined"},
		{"makes a function", `return new Function('return 1')();`, 503, "not supported"},
		{"makes a function another way", `return handler.constructor('return 1')();`, 503, "not supported"},
		{"waits", `setTimeout(function () {}, 1);`, 503, "setTimeout is not defined"},
		{"requires", `const crypto = require('crypto');`, 503, `require("crypto") is not rehearsed`},
		{"newer methods", `return [1].flat();`, 503, "flat"},
		{"newer objects", `return new Map();`, 503, "Map is not defined"},
		{"is not strict", `undeclared = 1; return request;`, 503, "undeclared is not defined"},
		{"refers to itself", `request.self = request; return request;`, 503, "circular"},

		{"nothing", ``, 502, "returned undefined; it must return the request or a response"},
		{"null", `return null;`, 502, "returned undefined"},
		{"text", `return '/a/';`, 502, `returned "/a/"`},
		{"the event", `return event;`, 502, "whose method is undefined"},
		{"another method", `request.method = 'POST'; return request;`, 502, `method is "POST"; it was "GET" and is read-only`},
		{"a path without a slash", `request.uri = 'a'; return request;`, 502, `uri is "a"; it must begin with a slash`},
		{"a URL", `request.uri = 'https://evil.example/'; return request;`, 502, "must begin with a slash"},
		{"no path", `delete request.uri; return request;`, 502, "uri is undefined"},
		{"a long path", `request.uri = '/' + 'a'.repeat(8191); return request;`, 502, "has 8192 bytes"},
		{"a line break in the path", `request.uri = '/\r\n'; return request;`, 502, "control character"},
		{"a space in the query", `request.querystring = 'a b'; return request;`, 502, "cannot include spaces"},
		{"a fragment in the query", `request.querystring = { a: { value: '#' } }; return request;`, 502, "cannot include spaces or #"},
		{"a query that is no object", `request.querystring = 1; return request;`, 502, "returned querystring that are 1"},
		{"another host", `request.headers.host = { value: 'evil.example' }; return request;`, 502, "header host, which is read-only"},
		{"no host", `delete request.headers.host; return request;`, 502, "header host, which is read-only"},
		{"no headers", `return { method: 'GET', uri: '/' };`, 502, "header host, which is read-only"},
		{"a read-only header", `request.headers.via = { value: 'x' }; return request;`, 502, "header via, which is read-only"},
		{"a disallowed header", `request.headers['x-edge-x'] = { value: 'x' }; return request;`, 502, "x-edge-x, which functions may not add"},
		{"a header in capitals", `request.headers['X-A'] = { value: 'x' }; return request;`, 502, "lower case"},
		{"a header as text", `request.headers['x-a'] = 'x'; return request;`, 502, `"x-a" is "x"; it must be an object like {value: 'text'}`},
		{"a header as number", `request.headers['x-a'] = { value: 1 }; return request;`, 502, `"x-a" is an object; it must`},
		{"a line break in a header", `request.headers['x-a'] = { value: 'a\r\nb: c' }; return request;`, 502, "control character"},
		{"several that are none", `request.headers['x-a'] = { value: 'a', multiValue: 'b' }; return request;`, 502, "must be an array"},
		{"several with a number", `request.headers['x-a'] = { value: 'a', multiValue: [1] }; return request;`, 502, `"x-a" is 1`},
		{"cookies among the headers", `request.headers.cookie = { value: 'a=b' }; return request;`, 502, "belongs in cookies"},

		{"a status as text", `return { statusCode: '301' };`, 502, `statusCode is "301"; it must be a number`},
		{"half a status", `return { statusCode: 301.5 };`, 502, "statusCode is 301.5"},
		{"no such status", `return { statusCode: 99 };`, 502, "statusCode is 99"},
		{"a description of two lines", `return { statusCode: 301, statusDescription: 'a\nb' };`, 502, "statusDescription"},
		{"a disallowed header of a response", `return { statusCode: 301, headers: { connection: { value: 'close' } } };`, 502, "connection, which functions may not add"},
		{"a read-only header of a response", `return { statusCode: 200, headers: { 'content-length': { value: '0' } } };`, 502, "content-length, which is read-only"},
		{"a Location in capitals", `return { statusCode: 301, headers: { Location: { value: '/' } } };`, 502, "lower case"},
		{"a line break in a Location", `return { statusCode: 301, headers: { location: { value: '/\r\nset-cookie: a=b' } } };`, 502, "control character"},
		{"a body in another encoding", `return { statusCode: 200, body: { encoding: 'hex', data: '' } };`, 502, `encoding is "hex"`},
		{"a body that is not base64", `return { statusCode: 200, body: { encoding: 'base64', data: '%' } };`, 502, "not base64"},
		{"a body that is a number", `return { statusCode: 200, body: 1 };`, 502, "body that is 1"},
		{"a body without data", `return { statusCode: 200, body: { encoding: 'text' } };`, 502, "data is undefined"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := New("function handler(event) {\nconst request = event.request;\n" + test.body + "\n}")
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(test.body, "for (;;)") {
				f.patience = 20 * time.Millisecond
			}
			request, response, err := f.ViewerRequest(get("/"), Context{}) //nolint:bodyclose // There is none.
			if request != nil || response != nil {
				t.Errorf("got %v, %v besides an error", request, response)
			}
			var failed *Error
			if !errors.As(err, &failed) {
				t.Fatalf("got error %v, want an *Error", err)
			}
			if failed.Status != test.status || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %d, %v; want %d, %s", failed.Status, err, test.status, test.want)
			}
		})
	}
}

// TestNewTakesCommentsForComments: a word at the beginning of a line is not yet an import.
func TestNewTakesCommentsForComments(t *testing.T) {
	code := "/*\nimport nothing from nowhere\n*/\nfunction handler(event) { return event.request; }"
	if _, err := New(code); err != nil {
		t.Error(err)
	}
}

// TestNewRefuses: what CloudFront would not make, or AWS does not list for runtime 2.0.
func TestNewRefuses(t *testing.T) {
	const handler = "function handler(event) { return event.request; }\n"
	tests := []struct{ name, code, want string }{
		{"too long", handler + "//" + strings.Repeat("x", 10*1024), "CloudFront takes 10240, comments included"},
		{"not JavaScript", "function handler(", "function.js: Line 2:1"},
		{"an import", "import cf from 'cloudfront';\n" + handler, `"import cf from 'cloudfront';": imports are not rehearsed`},
		{"a class", handler + "class A {}", "line 2 uses a class"},
		{"for…of", handler + "\nfor (const x of []) {}", "line 3 uses for…of"},
		{"destructuring", "const { a } = {};" + handler, "line 1 uses destructuring"},
		{"destructuring of an array", "const [a] = [];" + handler, "destructuring"},
		{"destructuring of parameters", "function a({ b }) {}" + handler, "destructuring"},
		{"spread", "const a = [...[]];" + handler, "spread"},
		{"spread in a call", "function a() { Math.max(...[]); }" + handler, "spread"},
		{"optional chaining", handler + "const a = {}; a?.b;", "optional chaining"},
		{"??", handler + "const a = null ?? 1;", "??"},
		{"logical assignment", handler + "let a; a ||= 1;", "logical assignment"},
		{"generators", "function* a() { yield 1; }" + handler, "a generator"},
		{"default values", "function a(b = 1) {}" + handler, "a parameter's default value"},
		{"default values of an arrow function", "const a = (b = 1) => b;" + handler, "a parameter's default value"},
		{"tagged templates", "const a = String.raw`x`;" + handler, "a tagged template"},
		{"an async arrow function", "const a = async () => 1;" + handler, "an async arrow function"},
		{"an async function inside", "function a() { async function b() {} }" + handler, "an async function inside of another"},
		{"new.target", "function a() { return new.target; }" + handler, "new.target"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := New(test.code); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want %s", err, test.want)
			}
		})
	}
}

// TestLanguage: what AWS lists for runtime 2.0 works.
func TestLanguage(t *testing.T) {
	tests := []struct{ expression, want string }{
		{"(() => { let a = 1; const b = 2; var c = 3; return a + b + c; })()", "6"},
		{"((...rest) => rest.length)(1, 2)", "2"},
		{"`a${1 + 1}\nb`", `"a2\nb"`},
		{"2 ** 10", "1024"},
		{"1_000", "1000"},
		{"'a-b'.replaceAll('-', '+')", `"a+b"`},
		{"'x'.padStart(3).trimStart() + 'a'.charCodeAt(0)", `"x97"`},
		{"/(?<year>\\d{4})/.exec('in 2024').groups.year", `"2024"`},
		{"Object.entries({ a: 1 })", `[["a",1]]`},
		{"[3, 1].sort().includes(3)", "true"},
		{"(() => { try { null.x; } catch (e) { return e instanceof TypeError; } finally {} })()", "true"},
		{"(() => { const keys = []; for (const k in { a: 1, b: 2 }) keys.push(k); return keys; })()", `["a","b"]`},
		{"(() => { const start = Date.now(); for (let i = 0; i < 300000; i++) {} return Date.now() - start; })()", "0"},
		{"console.log('x') === undefined", "true"},
		{"typeof Buffer + typeof structuredClone + typeof setInterval", `"undefinedundefinedundefined"`},
		{"encodeURIComponent('日') + decodeURIComponent('%E6%97%A5')", `"%E6%97%A5日"`},
	}
	for _, test := range tests {
		if got := answer(t, test.expression, get("/")); got != test.want {
			t.Errorf("%s: got %s, want %s", test.expression, got, test.want)
		}
	}
}

// TestNothingIsKept: neither from one request to the next, nor to another at the same time.
func TestNothingIsKept(t *testing.T) {
	f, err := New(`
		let count = 0;
		function handler(event) {
			count++;
			Object.prototype.seen = String.prototype.seen = (Object.prototype.seen || 0) + 1;
			globalThis.total = (globalThis.total || 0) + 1;
			return { statusCode: 200, body: '' + count + {}.seen + globalThis.total };
		}`)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			_, response, err := f.ViewerRequest(get("/"), Context{})
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			if body, _ := io.ReadAll(response.Body); string(body) != "111" {
				t.Errorf("got %s, want 111", body)
			}
		})
	}
	group.Wait()
}

func TestNoHandler(t *testing.T) {
	f, err := New("const handler = 1;")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.ViewerRequest(get("/"), Context{}); err == nil || !strings.Contains(err.Error(), "no function named handler") { //nolint:bodyclose // There is none.
		t.Errorf("got error %v", err)
	}
}

// BenchmarkViewerRequest is what a runtime of its own costs each request.
func BenchmarkViewerRequest(b *testing.B) {
	f, err := New("function handler(event) { return event.request; }")
	if err != nil {
		b.Fatal(err)
	}
	r := get("/posts/hello?x=1")
	for b.Loop() {
		if _, _, err := f.ViewerRequest(r, Context{}); err != nil { //nolint:bodyclose // There is none.
			b.Fatal(err)
		}
	}
}
