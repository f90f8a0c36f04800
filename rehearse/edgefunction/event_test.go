package edgefunction

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// TestEvent checks the event against AWS's example: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html#functions-event-structure-example
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

// TestPathAsSent uses a request that a server received and a request that a client would send.
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

// TestLatin1Passed checks that the function sees UTF-8, and that parts that it does not change keep their bytes.
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

// TestHost uses a request that a server received and a request that a client would send.
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
