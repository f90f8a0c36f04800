package status

import (
	"slices"
	"strings"
	"testing"
)

func TestFold(t *testing.T) {
	const id = "20261127-120300-00000003"
	for _, tt := range []struct {
		line  string
		limit int
		want  []string
	}{
		{"  Deploy      succeeded 4 h ago: Published a release", 0, []string{"  Deploy      succeeded 4 h ago: Published a release"}},
		{"  Deploy      succeeded 4 h ago: Published", 40, []string{"  Deploy      succeeded 4 h ago:", "              Published"}},
		{"  Deploy      succeeded 4 h ago: Published", 42, []string{"  Deploy      succeeded 4 h ago: Published"}},
		{"              hugo: there is no theme", 30, []string{"              hugo: there is", "              no theme"}},
		{"12:00:00  Deploy: three put", 22, []string{"12:00:00  Deploy:", "          three put"}},
		{"  back to  " + id + ", Add a post", 36, []string{"  back to  " + id + ",", "           Add a post"}},
		{"  Deploy: put 3, remove 2", 16, []string{"  Deploy: put 3,", "    remove 2"}},
		{"  Live        はじめての 記事を書く", 28, []string{"  Live        はじめての", "              記事を書く"}},
		{"  Live        https://example.com/a/b/c/d/e/f/g is live", 28, []string{"  Live", "              https://example.com/a/b/c/d/e/f/g", "              is live"}},
		{"  " + id + "  4 h ago  12  2  push", 20, []string{"  " + id + "  4 h ago  12  2  push"}},
		{"The next push publishes as usual.", 20, []string{"The next push", "publishes as usual."}},
		{"The next push publishes as usual.", 0, []string{"The next push publishes as usual."}},
		{"", 20, []string{""}},
	} {
		if got := Fold(tt.line, tt.limit); !slices.Equal(got, tt.want) {
			t.Errorf("%q in %d cells: got\n%s\nwant\n%s", tt.line, tt.limit, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}
