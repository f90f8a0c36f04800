package edgefunction

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// fromCache returns a response before the viewer-response function.
func fromCache() *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: 701,
		Header: http.Header{
			"Content-Type": {"application/json"}, "Content-Length": {"701"}, "Vary": {"Origin", "Accept"}, "Server": {"AmazonS3"},
			"Set-Cookie": {"ID=id1234; Expires=Wed, 05 Apr 2021 07:28:00 GMT", "Cookie1=val1; Secure; Path=/", "Cookie1=val2"},
			"X-Cache":    {"Hit from cloudfront"},
		},
		Body: io.NopCloser(strings.NewReader("the origin's")),
	}
}

// respond runs a viewer-response function with the given body on a response.
func respond(t testing.TB, body string, response *http.Response) (*http.Response, error) {
	t.Helper()
	f, err := New("function handler(event) {\nconst response = event.response;\n" + body + "\n}")
	if err != nil {
		t.Fatal(err)
	}
	changed, err := f.ViewerResponse(get("/a.css?b=1"), response, Context{})
	if changed != nil {
		t.Cleanup(func() { changed.Body.Close() })
	}
	return changed, err
}

// TestResponseEvent checks the event against AWS's example: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html#functions-event-structure-example
func TestResponseEvent(t *testing.T) {
	tests := []struct {
		name     string
		response func(*http.Response)
		want     string
	}{
		{"all of it", func(*http.Response) {}, `{
			"statusCode": 200, "statusDescription": "OK",
			"headers": {
				"content-type": {"value": "application/json"}, "content-length": {"value": "701"}, "server": {"value": "AmazonS3"},
				"vary": {"value": "Origin", "multiValue": [{"value": "Origin"}, {"value": "Accept"}]}
			},
			"cookies": {
				"ID": {"value": "id1234", "attributes": "Expires=Wed, 05 Apr 2021 07:28:00 GMT"},
				"Cookie1": {"value": "val1", "attributes": "Secure; Path=/", "multiValue": [{"value": "val1", "attributes": "Secure; Path=/"}, {"value": "val2"}]}
			}
		}`},
		{"a description", func(r *http.Response) { r.Status, r.StatusCode, r.Header = "304 Unchanged", 304, nil }, `{
			"statusCode": 304, "statusDescription": "Unchanged", "headers": {}, "cookies": {}
		}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			response := fromCache()
			defer response.Body.Close()
			test.response(response)
			got, err := respond(t, `return { statusCode: 200, body: JSON.stringify({ context: event.context, uri: event.request.uri, query: event.request.rawQueryString(), response: response }) };`, response) //nolint:bodyclose // respond does.
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(got.Body)
			want := `{"context": {"eventType": "viewer-response"}, "uri": "/a.css", "query": "b=1", "response": ` + test.want + `}`
			if got, want := indent(t, body), indent(t, []byte(want)); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestResponsePassed(t *testing.T) {
	tests := []struct {
		name, body string
		status     string
		header     map[string][]string // the headers that the function changes; default: none
		content    string
	}{
		{"as it is", ``, "200 OK", nil, "the origin's"},
		{"a header", `response.headers['cache-control'] = { value: 'immutable' };`, "200 OK", map[string][]string{"Cache-Control": {"immutable"}}, "the origin's"},
		{"a header instead of several", `response.headers.vary = { value: 'Accept' };`, "200 OK", map[string][]string{"Vary": {"Accept"}}, "the origin's"},
		{"the first of several", `response.headers.vary.value = 'Cookie';`, "200 OK", map[string][]string{"Vary": {"Cookie", "Accept"}}, "the origin's"},
		{"the second of several", `response.headers.vary.multiValue[1].value = 'Cookie';`, "200 OK", map[string][]string{"Vary": {"Origin", "Cookie"}}, "the origin's"},
		{"a header less", `delete response.headers.server;`, "200 OK", map[string][]string{"Server": nil}, "the origin's"},
		{"a length that is not", `response.headers['content-length'].value = '1';`, "200 OK", nil, "the origin's"},
		{"cookies", `delete response.cookies.Cookie1;`, "200 OK", map[string][]string{"Set-Cookie": {"ID=id1234; Expires=Wed, 05 Apr 2021 07:28:00 GMT"}}, "the origin's"},
		{"no cookies", `delete response.cookies;`, "200 OK", map[string][]string{"Set-Cookie": nil}, "the origin's"},
		{"a status", `response.statusCode = 403; delete response.statusDescription;`, "403 Forbidden", nil, "the origin's"},
		{"a body", `response.body = 'its own';`, "200 OK", map[string][]string{"Content-Length": {"7"}}, "its own"},
		{"no body", `response.body = '';`, "200 OK", map[string][]string{"Content-Length": {"0"}}, ""},
		{"a body in base64", `response.body = { encoding: 'base64', data: 'AP8=' };`, "200 OK", map[string][]string{"Content-Length": {"2"}}, "\x00\xff"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			response, untouched := fromCache(), fromCache()
			defer response.Body.Close()
			defer untouched.Body.Close()
			got, err := respond(t, test.body+"return response;", response) //nolint:bodyclose // respond does.
			if err != nil {
				t.Fatal(err)
			}
			want := fromCache()
			defer want.Body.Close()
			for name, values := range test.header {
				delete(want.Header, name)
				if values != nil {
					want.Header[name] = values
				}
			}
			if got, want := dump(got.Header), dump(want.Header); got != want {
				t.Errorf("got headers %s, want %s", got, want)
			}
			if got.Status != test.status || !strings.HasPrefix(test.status, strconv.Itoa(got.StatusCode)) {
				t.Errorf("got status %q, want %q", got.Status, test.status)
			}
			if body, _ := io.ReadAll(got.Body); string(body) != test.content {
				t.Errorf("got body %q, want %q", body, test.content)
			}
			if dump(response.Header) != dump(untouched.Header) || response.StatusCode != http.StatusOK {
				t.Errorf("the response itself has become %d, %s", response.StatusCode, dump(response.Header))
			}
		})
	}
}

// A response that is compressed later has no length, even if a function sets one.
func TestResponseWithoutLength(t *testing.T) {
	response := fromCache()
	defer response.Body.Close()
	response.Header.Del("Content-Length")
	response.ContentLength = -1
	got, err := respond(t, "response.headers['content-length'] = { value: '1' }; return response;", response) //nolint:bodyclose // respond does.
	if err != nil {
		t.Fatal(err)
	}
	if length := got.Header.Get("Content-Length"); length != "" || got.ContentLength != -1 {
		t.Errorf("got Content-Length %q, %d; want none", length, got.ContentLength)
	}
}

// TestResponseFails has functions that fail, and functions whose results CloudFront refuses.
func TestResponseFails(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"throws", `throw new Error('on purpose');`, 503, "on purpose"},
		{"nothing", ``, 502, "returned undefined; it must return the response"},
		{"the request", `return event.request;`, 502, "returned an object; it must return the response, with its statusCode"},
		{"the event", `return event;`, 502, "it must return the response"},
		{"no status", `delete response.statusCode; return response;`, 502, "with its statusCode"},
		{"a status as text", `response.statusCode = '200'; return response;`, 502, `statusCode is "200"; it must be a number`},
		{"no such status", `response.statusCode = 600; return response;`, 502, "statusCode is 600"},
		{"a changed read-only header", `response.headers.via.value = '2'; return response;`, 502, "header via, which is read-only"},
		{"a deleted read-only header", `delete response.headers.via; return response;`, 502, "header via, which is read-only"},
		{"no headers", `return { statusCode: 200 };`, 502, "header via, which is read-only"},
		{"an added read-only header", `response.headers.warning = { value: '199 - x' }; return response;`, 502, "header warning, which is read-only"},
		{"a disallowed header", `response.headers['x-cache'] = { value: 'x' }; return response;`, 502, "x-cache, which functions may not add"},
		{"a header in capitals", `response.headers['Cache-Control'] = { value: 'x' }; return response;`, 502, "lower case"},
		{"a header as text", `response.headers['cache-control'] = 'x'; return response;`, 502, `"cache-control" is "x"`},
		{"a line break in a header", `response.headers['cache-control'] = { value: 'a\r\nb: c' }; return response;`, 502, "control character"},
		{"cookies among the headers", `response.headers['set-cookie'] = { value: 'a=b' }; return response;`, 502, "belongs in cookies"},
		{"a body that is not base64", `response.body = { encoding: 'base64', data: '%' }; return response;`, 502, "not base64"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			response := fromCache()
			defer response.Body.Close()
			response.Header.Set("Via", "1.1 x (CloudFront)")
			got, err := respond(t, test.body, response) //nolint:bodyclose // respond does.
			var failed *Error
			if got != nil || !errors.As(err, &failed) {
				t.Fatalf("got %v, error %v; want an *Error", got, err)
			}
			if failed.Status != test.status || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %d, %v; want %d, %s", failed.Status, err, test.status, test.want)
			}
		})
	}
}
