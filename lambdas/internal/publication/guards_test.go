package publication

import (
	"fmt"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
)

// large returns a blog with a home page and as many other pages and images.
func large(pages, images int) files {
	blog := files{"index.html": "home"}
	for i := range pages {
		blog[fmt.Sprintf("p%03d/index.html", i)] = "page"
	}
	for i := range images {
		blog[fmt.Sprintf("i%03d.png", i)] = "image"
	}
	return blog
}

func TestRefuse(t *testing.T) {
	without := func(blog files, pattern string, n int) files {
		missing := files{}
		for i := range n {
			missing[fmt.Sprintf(pattern, i)] = ""
		}
		return blog.with(missing)
	}
	hashed := files{}
	for i := range 80 {
		hashed[fmt.Sprintf("app.%016x.js", i+0x1a2b3c4d)] = "script"
	}
	long := strings.Repeat("long", 250)
	for _, tt := range []struct {
		name         string
		before       files
		build        files
		allow, first bool
		settings     Settings
		want         []string // in the message; none if it is not refused
	}{
		{name: "nothing changed", before: blog, build: blog},
		{name: "the first time", build: blog, first: true},
		{name: "empty", before: blog, build: files{}, want: []string{"the build has 0 files, and no index.html among them", "buildspec"}},
		{name: "empty, and allowed to be", before: blog, build: files{}, allow: true, want: []string{"no index.html"}},
		{name: "empty, the first time", build: files{}, first: true, want: []string{"no index.html"}},
		{name: "without a home page", before: blog, build: blog.with(files{"index.html": ""}), want: []string{"the build has 6 files, and no index.html"}},
		{name: "with an empty home page", before: blog, build: blog, settings: Settings{KeyPrefix: "empty"}, want: []string{"index.html is empty"}},

		{name: "19 of 20 files left", before: large(19, 0), build: files{"index.html": "home"}},
		{name: "20 of 21 files left", before: large(20, 0), build: files{"index.html": "home"}, want: []string{"20 of the blog's 21 files", "30 %", "Deploy.MaxDeletePercent", "p000/index.html, p001/index.html, p002/index.html, p003/index.html, p004/index.html and 15 more", contract.VariableAllowDeletions + "=" + contract.AllowDeletionsYes}},
		{name: "20 of 21 files left, which is allowed", before: large(20, 0), build: files{"index.html": "home"}, allow: true},
		{name: "30 % left", before: large(99, 0), build: without(large(99, 0), "p%03d/index.html", 30)},
		{name: "31 % left", before: large(99, 0), build: without(large(99, 0), "p%03d/index.html", 31), want: []string{"31 of the blog's 100 files"}},
		{name: "31 % left, where more may", before: large(99, 0), build: without(large(99, 0), "p%03d/index.html", 31), settings: Settings{MaxDeletePercent: 50}},
		{name: "images that are kept for a while count, too", before: large(9, 90), build: without(large(9, 90), "i%03d.png", 40), want: []string{"40 of the blog's 100 files"}},
		{name: "names with fingerprints do not", before: hashed.with(files{"index.html": "home"}), build: files{"index.html": "home"}},

		{name: "a key that is too long", before: blog, build: blog.with(files{long + ".html": "x"}), settings: Settings{KeyPrefix: strings.Repeat("folder", 4)}, want: []string{"1 file has a key longer than S3's 1024 bytes", "Shorten the paths"}},
		{name: "a key as long as S3 allows", before: blog, build: blog.with(files{long + strings.Repeat("x", 24): "x"})},
		{name: "metadata that is too long", before: blog, build: blog.with(files{"a.pdf": "x", "b.pdf": "x"}), settings: Settings{Headers: []contract.HeaderRule{{Match: "*.pdf", Metadata: map[string]string{"note": strings.Repeat("n", 2020)}}}},
			want: []string{"2 files have headers or metadata longer than S3's 2048 bytes: a.pdf, b.pdf", "Deploy.Headers"}},
		{name: "metadata as long as S3 allows", before: blog, build: blog.with(files{"a.pdf": "x"}), settings: Settings{Headers: []contract.HeaderRule{{Match: "*.pdf", Metadata: map[string]string{"note": strings.Repeat("n", 2048-len("note"+contract.MetadataCacheTag+"r-20261127-013000-1a2b3c4d"))}}}}},
		{name: "a header that is too long", before: blog, build: blog.with(files{"a.pdf": "x"}), settings: Settings{Headers: []contract.HeaderRule{{Match: "*.pdf", ContentDisposition: strings.Repeat("n", 2048)}}}, want: []string{"1 file has headers or metadata longer"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			settings := tt.settings
			settings.Bucket = site
			if settings.MaxDeletePercent == 0 {
				settings.MaxDeletePercent = 30
			}
			s := published(settings, tt.before)
			s.files = built(tt.build)
			if settings.KeyPrefix == "empty" {
				for i := range s.files {
					s.files[i].Size = 0
				}
			}
			if tt.first {
				s.manifest = nil
			}
			refusal := s.refuse(s.plan(), tt.allow)
			if len(tt.want) == 0 {
				if refusal != nil {
					t.Fatalf("refused: %v", refusal)
				}
				return
			}
			if refusal == nil {
				t.Fatalf("not refused, want %q", tt.want)
			}
			if refusal.Kind != failure.Configuration {
				t.Errorf("kind %v, want configuration", refusal.Kind)
			}
			for _, want := range append(tt.want, "nothing was published") {
				if !strings.Contains(refusal.Message, want) {
					t.Errorf("refused: %s, want %q in it", refusal.Message, want)
				}
			}
		})
	}
}
