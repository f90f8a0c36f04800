package edgefunction

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// run runs a viewer-request function with the given body on a request.
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

// answer runs a function that returns the value of an expression as JSON, and returns that value.
func answer(t testing.TB, expression string, r *http.Request) string {
	t.Helper()
	_, response, err := run(t, "return { statusCode: 200, body: '' + JSON.stringify("+expression+") };", r) //nolint:bodyclose // run does.
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	return string(body)
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

// TestNothingIsKept checks that a function keeps no state for later and for concurrent requests.
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

// BenchmarkViewerRequest measures the cost of a new runtime for each request.
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
