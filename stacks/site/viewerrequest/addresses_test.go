package viewerrequest_test

import (
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/site/viewerrequest"
)

func TestAddresses(t *testing.T) {
	tests := []struct {
		name, path string
		want       string // with Redirect
		more       string // besides, with Rewrite
	}{
		{"home", "/", "/ /index.html", ""},
		{"home's file", "/index.html", "/ /index.html", ""},
		{"a page", "/a/", "/a/ /a/index.html", "/a"},
		{"a page's file", "/a/index.html", "/a/ /a/index.html", "/a"},
		{"a page without its slash", "/a/b", "/a/b/ /a/b/index.html", "/a/b"},
		{"a page with a dot", "/v1.0", "/v1.0/ /v1.0/index.html", "/v1.0"},
		{"a page with a file's extension", "/tags/hls.js/", "/tags/hls.js/ /tags/hls.js/index.html", ""},
		{"a file", "/css/main.css", "/css/main.css", ""},
		{"a file in capitals", "/LICENSE", "/LICENSE", ""},
		{"another page of a folder", "/a/other-index.html", "/a/other-index.html", ""},
		{"everything", "/*", "/*", ""},
		{"all of a folder", "/a/*", "/a/*", "/a"},
		{"a folder's file and its like", "/a/in*", "/a/in* /a/", "/a"},
		{"home's file and its like", "/index*", "/index* /", ""},
		{"whatever begins so", "/a/b*", "/a/b*", ""},
		{"Japanese", "/%E6%97%A5/", "/%E6%97%A5/ /%E6%97%A5/index.html", "/%E6%97%A5"},
		{"a plus", "/c++/", "/c++/ /c%2B%2B/ /c++/index.html /c%2B%2B/index.html", "/c++ /c%2B%2B"},
		{"a plus, encoded", "/c%2b%2B/", "/c++/ /c%2B%2B/ /c++/index.html /c%2B%2B/index.html", "/c++ /c%2B%2B"},
		{"a plus in a file", "/a+b.txt", "/a+b.txt /a%2Bb.txt", ""},
		{"a plus and a star", "/c++*", "/c++* /c%2B%2B*", ""},
		{"well-known", "/.well-known/a/", "/.well-known/a/", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := viewerrequest.Settings{MissingSlash: viewerrequest.Redirect}.Addresses(test.path)
			if want := strings.Fields(test.want); !slices.Equal(got, want) {
				t.Errorf("redirect: got %q, want %q", got, want)
			}
			got = viewerrequest.Settings{MissingSlash: viewerrequest.Rewrite}.Addresses(test.path)
			if want := strings.Fields(test.want + " " + test.more); !slices.Equal(got, want) {
				t.Errorf("rewrite: got %q, want %q", got, want)
			}
		})
	}
}

// TestAddressesAreWhatIsCached checks that the addresses of a path have both the path that readers request
// and the one that the function makes of it.
func TestAddressesAreWhatIsCached(t *testing.T) {
	upper := strings.NewReplacer("%2b", "%2B")
	for _, mode := range []string{viewerrequest.Redirect, viewerrequest.Rewrite} {
		f := newFunction(t, settings(mode))
		for _, c := range cases {
			path, _, _ := strings.Cut(c.target, "?")
			got := ask(t, f, c.host, path)
			if encoded(path) != path || strings.ContainsAny(path, `\#*`) || strings.HasPrefix(path, "//") || got.status != 0 {
				continue
			}
			addresses := settings(mode).Addresses(path)
			for _, want := range []string{path, got.uri} {
				if !slices.Contains(addresses, upper.Replace(want)) {
					t.Errorf("%s: Addresses(%q) is %q, without %q", mode, path, addresses, want)
				}
			}
		}
	}
}
