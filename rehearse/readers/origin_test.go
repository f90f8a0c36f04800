package readers

import (
	"archive/zip"
	"strings"
	"testing"
)

func TestAnErrorPageOfTheBuildIsNamed(t *testing.T) {
	for _, tt := range []struct {
		name string
		keys []string
		want string
	}{
		{"none", []string{"index.html", "404/photo.jpg", "posts/http-404.html"}, "make one (Hugo's is layouts/404.html), or name yours in Site.NotFoundPage"},
		{"one for each language", []string{"ja/404.html", "en/404.html", "index.html"}, "set Site.NotFoundPage to a page of the build: /en/404.html or /ja/404.html"},
		{"a folder's", []string{"c++/404/index.html"}, "set Site.NotFoundPage to a page of the build: /c%2B%2B/404/index.html"},
		{"many", []string{"de/404.html", "en/404.html", "fr/404.html", "zh-hant/404.html"}, "such as /de/404.html, or one of 3 others"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &Build{files: map[string]*zip.File{}}
			for _, key := range tt.keys {
				b.files[key] = nil
			}
			if got := b.errorPageToName(); !strings.HasSuffix(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
