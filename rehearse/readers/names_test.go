package readers

import (
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/distribution"
	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/edgefunction"
	"blog-deploy-pipeline/stacks/site/viewerrequest"
)

func TestNamesThatTheFunctionMistakesAreWarnedOf(t *testing.T) {
	const alias, file = `<!DOCTYPE html><title>x</title><meta http-equiv="refresh" content="0; url=/">`, "content"
	for _, tt := range []struct {
		name  string
		built map[string]string
		plain bool // with a function that knows folders alone
		files string
		old   string
	}{
		{name: "an ordinary blog", built: map[string]string{
			"index.html": file, "404.html": file, "posts/hello/index.html": file, "css/main.css": file, "LICENSE": file, "CNAME": file,
			"favicon.ico": file, "index.xml": file, "tags/c++/index.html": file, "files/a+b.txt": file, "画像/猫.PNG": file, ".well-known/x": file,
			"2012/05/old.php/index.html": alias, "v1.0/index.html": alias, "plain/old/index.html": alias,
		}},
		{name: "files that look like pages", built: map[string]string{"install": file, "a/save.xyz": file, "b/another.xyz": file}, files: "such as /install, /a/save.xyz:"},
		{name: "old addresses that look like files", built: map[string]string{"old.htm/index.html": alias, "tags/hls.js/index.html": file}, old: "such as /old.htm get nothing without a slash"},
		{name: "a plus, and a function that does not know it", plain: true, built: map[string]string{"files/a+b.txt": file, "c+/index.html": file}, files: "such as /files/a+b.txt:"},
		{name: "an old address, and a function that knows slashes alone", plain: true, built: map[string]string{"old/index.html": alias}, old: "such as /old get"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code := viewerrequest.Code(viewerrequest.Settings{Domain: "blog.example", RedirectFrom: []string{"www.blog.example"}})
			if tt.plain {
				code = "function handler(event) { if (event.request.uri.endsWith('/')) { event.request.uri += 'index.html'; } return event.request; }"
			}
			function, err := edgefunction.New(code)
			if err != nil {
				t.Fatal(err)
			}
			s := &Site{Options: Options{Record: silent(), Distribution: &distribution.Distribution{Distribution: edge.Distribution{
				Aliases: []string{"blog.example", "www.blog.example"}, Behaviors: []edge.Behavior{{PathPattern: "*", ViewerRequest: function}},
			}}}}
			s.checkNames(built(t, tt.built))
			warnings := s.Record.Result().Warnings
			var want int
			for _, part := range []string{tt.files, tt.old} {
				if part == "" {
					continue
				}
				want++
				if !slices.ContainsFunc(warnings, func(warning string) bool { return strings.Contains(warning, part) }) {
					t.Errorf("warnings are %q, without %q", warnings, part)
				}
			}
			if len(warnings) != want {
				t.Errorf("warnings are %q, want %d", warnings, want)
			}
		})
	}
}
