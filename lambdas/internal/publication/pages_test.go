package publication

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/archive"
	"blog-deploy-pipeline/lambdas/internal/objecttest"
)

func TestIsSame(t *testing.T) {
	for _, tt := range []struct {
		name, a, b string
		same       bool
	}{
		{"a time of ISO 8601", `<meta content="2026-11-27T01:30:00Z">`, `<meta content="2026-11-28T12:31:10+09:00">`, true},
		{"a date", "<p>2026-11-27</p>", "<p>2026-12-01</p>", true},
		{"a date with slashes", "<p>2026/11/27</p>", "<p>2026/1/2</p>", true},
		{"a Japanese date", "<p>2026年11月27日</p>", "<p>2026年1月2日</p>", true},
		{"a date of RFC 1123", "<pubDate>Fri, 27 Nov 2026 01:30:00 GMT</pubDate>", "<pubDate>Sat, 28 Nov 2026 02:31:00 +0000</pubDate>", true},
		{"a date in words", "Built on November 27, 2026 at 1:30 pm", "Built on Dec 1, 2026 at 11:05 am", true},
		{"seconds since 1970", "v=1795743000", "v=1795829400", true},
		{"a style sheet's hash", `<link href="/main.0a1b2c3d4e5f.css" integrity="sha256-abc/+=">`, `<link href="/main.ffeeddccbbaa9.css" integrity="sha256-xyz0/=">`, true},
		{"a UUID", "id=6f1c2d3e-0000-4000-8000-1234567890ab", "id=00000000-0000-4000-8000-1234567890cd", true},
		{"a hash with capitals", "nonce=aB3dE5gH7jK9mN1p", "nonce=zZ3dE5gH7jK9mN1q", true},
		{"a word", "<p>internationalization</p>", "<p>internationalisation</p>", false},
		{"a number", "<p>12 posts</p>", "<p>13 posts</p>", false},
		{"a version", "Hugo 0.163.1", "Hugo 0.164.0", false},
		{"a link more", `<a href="/a/">a</a>`, `<a href="/a/">a</a><a href="/b/">b</a>`, false},
		{"an end more", "<p>a</p>", "<p>a</p><p>b</p>", false},
		{"nothing", "<p>a</p>", "", false},
		{"a time in a long script", "2026-11-27" + strings.Repeat("x", maxPiece), "2026-11-28" + strings.Repeat("x", maxPiece), false},
		{"a date more", "<p>2026-11-27</p>", "<p>2026-11-27 2026-11-28</p>", false},
	} {
		if same := isSame([]byte(tt.a), []byte(tt.b)); same != tt.same {
			t.Errorf("%s: %q and %q are the same: %v, want %v", tt.name, tt.a, tt.b, same, tt.same)
		}
	}
}

// pages returns a blog whose pages say when they were built.
func pages(n int, built string) files {
	blog := files{"index.html": "home"}
	for i := range n {
		blog[fmt.Sprintf("p%03d/index.html", i)] = fmt.Sprintf("<p>text %d</p><footer>built at %s</footer>", i, built)
	}
	return blog
}

// If most pages have changed without an edit, the owner learns why.
func TestPublishSaysWhyPagesChange(t *testing.T) {
	for _, tt := range []struct {
		name   string
		n      int
		edited int
		change func(*world)
		want   string
	}{
		{name: "all", n: 40, want: "40 of 40 changed pages differ only in dates, times or hashes, such as that of the build."},
		{name: "most", n: 40, edited: 10, want: "30 of 40 changed pages differ only in dates, times or hashes, such as that of the build."},
		{name: "half", n: 40, edited: 20},
		{name: "a sample", n: 500, want: "Of 500 changed pages, 200 were compared, and 200 differ only in dates, times or hashes, such as that of the build."},
		{name: "few", n: 9},
		{name: "the build before has expired", n: 40, change: func(w *world) {
			w.s3.Delete(releases, contract.ReleaseArtifacts+w.state().Current+".zip")
		}},
		{name: "it must not be read", n: 40, change: func(w *world) {
			w.before = func(c objecttest.Call) error {
				if c.Operation == "GetObject" && strings.HasPrefix(c.Key, contract.ReleaseArtifacts) {
					return objecttest.Denies()
				}
				return nil
			}
		}},
		{name: "it is another one", n: 40, change: func(w *world) {
			w.s3.Set(releases, contract.ReleaseArtifacts+w.state().Current+".zip", []byte("no zip"))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.must("one", pages(tt.n, "2026-11-27T01:30:00Z"))
			if tt.change != nil {
				tt.change(w)
			}
			build := pages(tt.n, "2026-11-28 02:31")
			for i := range tt.edited {
				build[fmt.Sprintf("p%03d/index.html", i)] = "edited"
			}
			got := w.must("two", build)
			var want []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			if got.Put != tt.n || !slices.Equal(got.Notes, want) {
				t.Errorf("%d put, notes %q, want %d and %q", got.Put, got.Notes, tt.n, want)
			}
			w.has(build)
		})
	}
}

// A sample is from all over the blog, and is not too large.
func TestSample(t *testing.T) {
	var all []archive.File
	for i := range 999 {
		all = append(all, archive.File{Name: fmt.Sprint(i), Size: 10})
	}
	names := sample(all)
	if len(names) != maxCompared || names[0] != "0" || names[len(names)-1] != "994" {
		t.Errorf("the sample has %d from %s to %s", len(names), names[0], names[len(names)-1])
	}
	if names := sample(all[:10]); len(names) != 10 {
		t.Errorf("of 10 the sample is %q, want all", names)
	}
	all[5].Size = maxComparedBytes
	if names := sample(all[:10]); len(names) != 5 {
		t.Errorf("before a large file the sample is %q, want 5", names)
	}
}
