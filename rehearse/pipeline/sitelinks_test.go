package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/site/viewerrequest"
)

// ownFunction gives the site the function of a Site.
func ownFunction(t *testing.T) edit {
	t.Helper()
	return func(site string) string {
		before, rest, _ := strings.Cut(site, `"FunctionCode": "`)
		_, after, found := strings.Cut(rest, "\"}},")
		if !found {
			t.Fatal("the site has no function")
		}
		return before + `"FunctionCode": ` + fmt.Sprintf("%q", viewerrequest.Code(viewerrequest.Settings{})) + "}}," + after
	}
}

func TestLinksOfTheHomePageAreFollowed(t *testing.T) {
	const hugo = `<link rel="canonical" href="https://blog.example.com/"><link rel="stylesheet" href="https://blog.example.com/style.css"><a href="/about/"><a href="posts/%E7%8C%AB/">`
	type want struct {
		code, reason string   // of the failure
		broken       []string // with what was built there
		followed     int
		warnings     string // part of them; "" for none
		notes        string // part of them
	}
	for _, tt := range []struct {
		name, home string
		files      map[string]string
		site       bool
		edits      []edit
		want       want
	}{
		{name: "all well", home: hugo, site: true, want: want{followed: 4}},
		{name: "all well, without a slash", home: `<a href="/about">`, site: true, want: want{followed: 1}},
		{name: "a plus", home: `<a href="/tags/c++/"><a href="/a+b.txt">`, files: map[string]string{"tags/c++/index.html": "c++", "a+b.txt": "a"}, site: true, want: want{followed: 2}},
		{
			name: "a plus, and a function that does not know it", home: `<a href="/tags/c++/">`, files: map[string]string{"tags/c++/feed.txt": "c++", "tags/c++/index.html": "c++"}, site: true,
			edits: []edit{replace(t, `.replace(/\\+/g, '%2B')`, ``)},
			want:  want{code: "StaleReaders", reason: "/tags/c++/ (missing, 404)"},
		},
		{
			name: "a file that the function takes for a page", home: `<a href="/get/install">`, files: map[string]string{"get/install": "#!/bin/sh"}, site: true,
			want: want{code: "BrokenLinks", reason: "readers do not get what was built, by links of the home page: /get/install (404)", broken: []string{"/get/install (404) get/install"}, followed: 1},
		},
		{
			name: "nothing there", home: `<a href="/gone/"><a href="/gone/#there"><img src="no.png"><a href="/%zz"><a href="/1/"><a href="/2/">`, site: true,
			want: want{broken: []string{"/gone/ (404) ", "no.png (404) ", "/%zz (no address) ", "/1/ (404) ", "/2/ (404) "}, followed: 5,
				warnings: "the home page has 5 links to what was not built and is not there: /gone/ (404), no.png (404), /%zz (no address) and 2 more"},
		},
		{
			name: "a folder for each language", home: `<!DOCTYPE html><title>x</title><link rel="canonical" href="https://blog.example.com/en/"><meta http-equiv="refresh" content="0; url=https://blog.example.com/en/">`,
			files: map[string]string{"en/index.html": `<a href="a/">a</a><a href="/en/gone/">`, "en/a/index.html": "a"}, site: true,
			want: want{broken: []string{"/en/gone/ (404) "}, followed: 2, warnings: "the home page has 1 link to what was not built"},
		},
		{name: "elsewhere", home: `<a href="https://other.example/about/"><a href="//other.example/gone/">`, site: true},
		{
			name: "Hugo's own server", home: `<a href="http://localhost:1313/gone/">`, site: true,
			want: want{warnings: "the home page has 1 link to localhost:1313, which is not https://blog.example.com: http://localhost:1313/gone/; is the build's baseURL right?"},
		},
		{name: "another base", home: strings.ReplaceAll(hugo, "blog.example.com", "old.example"), site: true, want: want{followed: 2, warnings: "the home page has 2 links to old.example, which is not https://blog.example.com: https://old.example/, https://old.example/style.css;"}},
		{name: "a site that nobody knows", home: hugo, want: want{followed: 4}},
		{
			name: "a plus, on a site that nobody knows", home: `<a href="/tags/c++/">`, files: map[string]string{"tags/c++/index.html": "c++"},
			want: want{broken: []string{"/tags/c++/ (404) tags/c++/index.html"}, followed: 1, warnings: "the home page has 1 link to what was built, which readers do not get by that address, unless a function of your distribution rewrites it: /tags/c++/ (404)"},
		},
		{
			name: "links without the slash, where the distribution is not in the template",
			home: `<a href="/about">about</a><a href="/about/me">me</a><a href="/nothing">nothing</a>`, files: map[string]string{"about/index.html": "page", "about/me/index.html": "page"},
			want: want{broken: []string{"/nothing (404) "}, followed: 3, warnings: "1 link to what was not built", notes: "2 links to folders without the slash at the end: /about, /about/me;"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			source := blog(t)
			files := map[string]string{"site/index.html": tt.home}
			for name, content := range tt.files {
				files["site/"+name] = content
			}
			write(t, source, files)
			tpl := template(t, "uploaded-pipeline")
			if tt.site {
				tpl = siteAssembly(t, append([]edit{ownFunction(t)}, tt.edits...)...)
			}
			r := rehearse(t, t.Context(), read(t, tpl), Options{Source: source}, nil)
			if failed := r.failed(); r.err != nil || failed.Code != tt.want.code || !strings.Contains(failed.Reason, tt.want.reason) {
				t.Fatalf("it ends as %s (%v) with %s: %s", r.Status, r.err, failed.Code, failed.Reason)
			}
			if warnings := strings.Join(r.Warnings, "\n"); !strings.Contains(warnings, tt.want.warnings) || tt.want.warnings == "" && strings.Contains(warnings, "link") {
				t.Errorf("warnings are %q, want %q", r.Warnings, tt.want.warnings)
			}
			if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, tt.want.notes) {
				t.Errorf("notes are %q, want %q", r.Notes, tt.want.notes)
			}
			if r.Links == nil {
				if tt.want.code != "StaleReaders" {
					t.Error("nobody has followed the links")
				}
				return
			}
			var broken []string
			for _, b := range r.Links.Broken {
				broken = append(broken, b.String()+" "+b.Built)
			}
			if r.Links.Followed != tt.want.followed || !slices.Equal(broken, tt.want.broken) {
				t.Errorf("%d links were followed, want %d; broken are %q, want %q", r.Links.Followed, tt.want.followed, broken, tt.want.broken)
			}
		})
	}
}
