package readers

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

func TestTheFrontPageIsWhereAnAliasLeads(t *testing.T) {
	alias := `<!DOCTYPE html><meta http-equiv="refresh" content="0; url=/en/">`
	for _, tt := range []struct {
		name  string
		built map[string]string
		key   string
	}{
		{"the home page", map[string]string{"index.html": "home", "en/index.html": "english"}, "index.html"},
		{"an alias, to the first language's", map[string]string{"index.html": alias, "en/index.html": "english"}, "en/index.html"},
		{"an alias, to what was not built", map[string]string{"index.html": alias}, "index.html"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &Site{built: map[string]bool{}}
			for key := range tt.built {
				s.built[key] = true
			}
			front, err := s.frontPage(built(t, tt.built), home)
			if err != nil || front.key != tt.key || string(front.built) != tt.built[tt.key] {
				t.Errorf("got %s %q, %v; want %s", front.key, front.built, err, tt.key)
			}
		})
	}
	t.Run("an alias, to what cannot be read", func(t *testing.T) {
		build := built(t, map[string]string{"index.html": alias, "en/index.html": "english"})
		build.files["en/index.html"].CRC32++
		s := &Site{built: map[string]bool{"index.html": true, "en/index.html": true}}
		if _, err := s.frontPage(build, home); err == nil || !strings.Contains(err.Error(), "en/index.html") {
			t.Errorf("got %v; want an error that names the page", err)
		}
	})
}

func TestFollowEndsAtTheLastRedirectOfTheSite(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		location, redirects := map[string]string{
			"/page": "/page/", "/own": "https://blog.example/page/", "/www": "https://www.blog.example/missing",
			"/away": "https://elsewhere.invalid/missing", "/round": "/round", "/nowhere": "",
		}[r.URL.Path]
		switch {
		case redirects:
			if location != "" {
				w.Header().Set("Location", location)
			}
			w.WriteHeader(http.StatusFound)
		case r.URL.Path != "/page/":
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer site.Close()
	s := &Site{
		url: site.URL, served: rehearsal.Served{Names: []string{"blog.example", "www.blog.example"}},
		client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	for path, want := range map[string]int{
		"/page/": 200, "/page": 200, "/own": 200, "/www": 404, "/away": 200, "/round": 302, "/nowhere": 302, "/missing": 404,
	} {
		to := &url.URL{Scheme: "https", Host: "blog.example", Path: path}
		if got, err := s.follow(t.Context(), to, to.Host); err != nil || got != want {
			t.Errorf("%s: got %d, %v; want %d", path, got, err, want)
		}
	}
	if got, err := s.follow(t.Context(), nil, ""); err != nil || got != 0 {
		t.Errorf("no address: got %d, %v; want 0", got, err)
	}
	if got, err := s.follow(t.Context(), &url.URL{Scheme: "https", Opaque: "%zz"}, ""); err != nil || got != 0 {
		t.Errorf("what cannot be asked for: got %d, %v; want 0", got, err)
	}
}
