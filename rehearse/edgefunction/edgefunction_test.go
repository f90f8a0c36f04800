package edgefunction

import (
	"net/http/httptest"
	"testing"
)

func BenchmarkViewerRequest(b *testing.B) {
	f, err := New("function handler(event) { return event.request; }")
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "https://blog.example.com/posts/hello?x=1", nil)
	for b.Loop() {
		if _, _, err := f.ViewerRequest(r, Context{}); err != nil {
			b.Fatal(err)
		}
	}
}
