package stacks

import (
	"blog-deploy-pipeline/stacks/props"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestCleared: what belongs to a path is cleared with it, and nothing is paid for twice.
func TestCleared(t *testing.T) {
	tests := []struct {
		name, paths string
		want        string // of a Site that redirects
		rewrite     string // of one that rewrites, if it differs
	}{
		{"nothing: the function's default", "", "", ""},
		{"everything", "/*", "/*", ""},
		{"everything, and more", "/* / /a/ /b/*", "/*", ""},
		{"the README's", "/posts/* /", "/posts/* / /index.html", "/posts/* /posts / /index.html"},
		{"both of a pair", "/ /index.html", "/ /index.html", ""},
		{"a page twice", "/a/ /a/ /a", "/a/ /a/index.html", "/a/ /a/index.html /a"},
		{"a page below a wildcard", "/a/b/ /a/*", "/a/*", "/a/* /a"},
		{"a wildcard below another", "/a/b* /a/*", "/a/*", "/a/* /a"},
		{"the same wildcard twice", "/a* /a*", "/a*", ""},
		{"a folder and its wildcard", "/a/ /a/*", "/a/*", "/a /a/*"},
		{"files", "/a.css /b.js", "/a.css /b.js", ""},
		{"tags", "#posts / #home", "#posts / /index.html #home", ""},
		{"a plus", "/tags/c++/*", "/tags/c++/* /tags/c%2B%2B/*", "/tags/c++/* /tags/c%2B%2B/* /tags/c++ /tags/c%2B%2B"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := props.Invalidate{Paths: strings.Fields(tt.paths)}
			if got, want := i.Cleared(&props.Site{}), strings.Fields(tt.want); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if got, want := i.Cleared(&props.Site{MissingSlash: props.MissingSlashRewrite}), strings.Fields(cmp.Or(tt.rewrite, tt.want)); !slices.Equal(got, want) {
				t.Errorf("where pages are served without their slash: got %q, want %q", got, want)
			}
			if got := i.Cleared(nil); !slices.Equal(got, i.Paths) {
				t.Errorf("without a Site: got %q, want %q", got, i.Paths)
			}
		})
	}
}

// TestClearedIsWhatCounts: AWS's limits are for what is cleared, not for what was written.
func TestClearedIsWhatCounts(t *testing.T) {
	many := func(format string, n int) (paths []string) {
		for i := range n {
			paths = append(paths, fmt.Sprintf(format, i))
		}
		return paths
	}
	for _, tt := range []struct {
		name  string
		paths []string
		want  string // "" for none
	}{
		{"pages that fit", many("/posts/%02d/", 25), ""},
		{"pages that fit without their files only", many("/posts/%02d/", 60), "Invalidate.Paths is \"60 paths\": with 60 that belong to them (/a/ and /a/index.html) they make UserParameters"},
		{"covered by a wildcard", append(many("/posts/%02d/", 60), "/posts/*"), ""},
		{"fifteen wildcards", many("/%02d/*", 15), ""},
		{"eight wildcards with a plus", many("/c++/%02d/*", 8), "Invalidate.Paths is \"8 paths with *\": each with a + is cleared as %2B, too, which makes 16, and CloudFront clears at most 15"},
		{"a query", []string{"/a/?page=2"}, "Invalidate.Paths[0] is \"/a/?page=2\": has a query, which a Site's cache knows nothing of"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			given := bare
			given.Invalidate.Paths = tt.paths
			err := given.Validate()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
