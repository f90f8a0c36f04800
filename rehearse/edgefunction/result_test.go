package edgefunction

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

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

// TestFails has functions that fail, and functions whose results CloudFront refuses.
func TestFails(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"throws", `throw new Error('on purpose');`, 503, "on purpose at handler (function.js:3"},
		{"reads of undefined", `return request.headers.missing.value;`, 503, "TypeError"},
		{"never ends", `for (;;) {}`, 503, "it still runs after"},
		{"a getter never ends", `return { get statusCode() { for (;;) {} } };`, 503, "it still runs after"},
		{"a getter throws", `return { get statusCode() { throw new Error('late'); } };`, 503, "late"},
		{"calls itself", `return handler(event);`, 503, "nested deeper than 1000: at handler"},
		{"is not settled", `return new Promise(function () {});`, 503, "never settled"},
		{"rejects", `return Promise.reject(new Error('on purpose'));`, 503, "on purpose"},
		{"rejects with what throws", `return Promise.reject({ toString() { throw new Error('late'); } });`, 503, "late"},
		{"evaluates", `return eval('request');`, 503, "eval is not defined"},
		{"makes a function", `return new Function('return 1')();`, 503, "not supported"},
		{"makes a function another way", `return handler.constructor('return 1')();`, 503, "not supported"},
		{"waits", `setTimeout(function () {}, 1);`, 503, "setTimeout is not defined"},
		{"requires", `const crypto = require('crypto');`, 503, `the rehearsal does not support require("crypto")`},
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
