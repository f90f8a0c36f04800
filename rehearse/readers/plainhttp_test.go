package readers

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

func TestNothingSendsBrowsersToHTTPS(t *testing.T) {
	for _, tt := range []struct {
		name      string
		policies  []string
		want      []string
		noHeaders bool
	}{
		{name: "none"},
		{name: "a Site's", policies: []string{"upgrade-insecure-requests; object-src 'none'; base-uri 'self'"}, want: []string{"object-src 'none'; base-uri 'self'"}},
		{name: "in other words", policies: []string{" default-src 'self' ;Upgrade-Insecure-Requests ;"}, want: []string{"default-src 'self'"}},
		{name: "nothing else", policies: []string{"upgrade-insecure-requests"}},
		{name: "two", policies: []string{"upgrade-insecure-requests", "default-src 'self'"}, want: []string{"default-src 'self'"}},
		{name: "another", policies: []string{"default-src https://upgrade-insecure-requests.example"}, want: []string{"default-src https://upgrade-insecure-requests.example"}},
		{name: "an answer that begins with its body", policies: []string{"upgrade-insecure-requests"}, noHeaders: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			recorder := httptest.NewRecorder()
			byHTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Security-Policy"] = tt.policies
				w.Header().Set("Strict-Transport-Security", "max-age=1")
				w.Header().Set("X-Content-Type-Options", "nosniff")
				if !tt.noHeaders {
					w.WriteHeader(http.StatusNotFound)
				}
				_, _ = w.Write([]byte("body"))
			})).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
			got := recorder.Result()
			defer got.Body.Close()
			if policies := got.Header["Content-Security-Policy"]; !slices.Equal(policies, tt.want) {
				t.Errorf("got the policies %q, want %q", policies, tt.want)
			}
			if got.Header.Get("Strict-Transport-Security") != "" || got.Header.Get("X-Content-Type-Options") != "nosniff" || recorder.Body.String() != "body" {
				t.Errorf("got %v %q, want no HSTS, nosniff and the body", got.Header, recorder.Body)
			}
			if want := map[bool]int{false: http.StatusNotFound, true: http.StatusOK}[tt.noHeaders]; got.StatusCode != want {
				t.Errorf("got %s, want %d", got.Status, want)
			}
		})
	}
}
