package pipeline

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/viewerrequest"
)

func TestLinksOf(t *testing.T) {
	for _, tt := range []struct {
		name, page string
		want       []string // as they are asked for
	}{
		{"none", "<h1>home</h1>", nil},
		{"each kind", `<link rel=stylesheet href=/a.css><script src="b.js"></script><a href="/c/">c</a><img src='d.png'><area href=/e/><iframe src=/f/></iframe>`,
			[]string{"https://blog.example/a.css", "https://blog.example/en/b.js", "https://blog.example/c/", "https://blog.example/en/d.png", "https://blog.example/e/", "https://blog.example/f/"}},
		{"once", `<a href="/a/">1</a><a href="/a/#x">2</a><A HREF="../a/">3</A>`, []string{"https://blog.example/a/"}},
		{"a query", `<a href="/a/?b=1&amp;c=2">`, []string{"https://blog.example/a/?b=1&c=2"}},
		{"as Hugo writes them", `<a href="/tags/c++/"><a href="/日本/"><a href="/%E7%8C%AB/"><a href="/a b/">`,
			[]string{"https://blog.example/tags/c++/", "https://blog.example/%E6%97%A5%E6%9C%AC/", "https://blog.example/%E7%8C%AB/", "https://blog.example/a%20b/"}},
		{"places in the page, and no addresses", `<a href="#top"><a href=""><a href="mailto:a@b.example"><a href="javascript:void(0)"><img src="data:image/gif;base64,R0l"><a name=x><a href="tel:1">`, nil},
		{"other hosts", `<a href="//other.example/x"><a href="http://blog.example/y">`, []string{"https://other.example/x", "http://blog.example/y"}},
		{"no page's parts", `<link rel="preconnect" href="https://fonts.example"><link rel="dns-prefetch" href="//cdn.example">`, nil},
		{"a base", `<base href="https://blog.example/ja/"><a href="x/">`, []string{"https://blog.example/ja/x/"}},
		{"a comment and a script's text", `<!-- <a href="/no/"> --><script>var a = '<a href="/no/">'</script>`, nil},
		{"line breaks", "<a href=\" /a\n/b/ \">", []string{"https://blog.example/a/b/"}},
		{"no address", `<a href="/%zz/">`, []string{"/%zz/"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := &url.URL{Scheme: "https", Host: "blog.example", Path: "/en/"}
			var got []string
			for _, l := range linksOf([]byte(tt.page), base) {
				got = append(got, l.key())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAliasOf(t *testing.T) {
	for page, want := range map[string]string{
		`<!DOCTYPE html><html lang="en"><head><title>/en/</title><meta http-equiv="refresh" content="0; url=/en/"></head></html>`: "/en/",
		`<meta http-equiv=refresh content="0; url=https://blog.example/a/?b=1;c">`:                                                "https://blog.example/a/?b=1;c",
		`<META HTTP-EQUIV="Refresh" CONTENT="5;URL='/a/'">`:                                                                       "/a/",
		`<meta http-equiv="refresh" content="30">`:                                                                                "",
		`<meta charset="utf-8"><a href="/a/">a</a>`:                                                                               "",
		"": "",
		`<meta http-equiv="refresh" content="0; url=/a/">` + strings.Repeat("text ", 500): "",
	} {
		if got := aliasOf([]byte(page)); got != want {
			t.Errorf("%.100s: got %q, want %q", page, got, want)
		}
	}
}

// TestFrontPage finds the page whose links are followed.
func TestFrontPage(t *testing.T) {
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
			r := &readers{built: map[string]bool{}}
			for key := range tt.built {
				r.built[key] = true
			}
			front, err := r.frontPage(zipped(t, tt.built), home)
			if err != nil || front.key != tt.key || string(front.built) != tt.built[tt.key] {
				t.Errorf("got %s %q, %v; want %s", front.key, front.built, err, tt.key)
			}
		})
	}
	t.Run("an alias, to what cannot be read", func(t *testing.T) {
		built := zipped(t, map[string]string{"index.html": alias, "en/index.html": "english"})
		built["en/index.html"].CRC32++
		r := &readers{built: map[string]bool{"index.html": true, "en/index.html": true}}
		if _, err := r.frontPage(built, home); err == nil || !strings.Contains(err.Error(), "en/index.html") {
			t.Errorf("got %v; want an error that names the page", err)
		}
	})
}

func TestFollow(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page/":
		case "/page":
			w.Header().Set("Location", "/page/")
			w.WriteHeader(http.StatusMovedPermanently)
		case "/own":
			w.Header().Set("Location", "https://blog.example/page/")
			w.WriteHeader(http.StatusFound)
		case "/www":
			w.Header().Set("Location", "https://www.blog.example/missing")
			w.WriteHeader(http.StatusFound)
		case "/away":
			w.Header().Set("Location", "https://elsewhere.invalid/missing")
			w.WriteHeader(http.StatusFound)
		case "/round":
			w.Header().Set("Location", "/round")
			w.WriteHeader(http.StatusFound)
		case "/nowhere":
			w.WriteHeader(http.StatusFound)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer site.Close()
	r := &readers{
		url: site.URL, served: Served{Names: []string{"blog.example", "www.blog.example"}},
		client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	for path, want := range map[string]int{
		"/page/": 200, "/page": 200, "/own": 200, "/www": 404, "/away": 200, "/round": 302, "/nowhere": 302, "/missing": 404,
	} {
		to := &url.URL{Scheme: "https", Host: "blog.example", Path: path}
		if got, err := r.follow(t.Context(), to, to.Host); err != nil || got != want {
			t.Errorf("%s: got %d, %v; want %d", path, got, err, want)
		}
	}
	if got, err := r.follow(t.Context(), nil, ""); err != nil || got != 0 {
		t.Errorf("no address: got %d, %v; want 0", got, err)
	}
}

// ownFunction gives the site the function that a Site has.
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

// TestLinks publishes home pages with links, and looks at what readers make of them.
func TestLinks(t *testing.T) {
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
			tpl := template(t, "classic-pipeline")
			if tt.site {
				tpl = siteAssembly(t, append([]edit{ownFunction(t)}, tt.edits...)...)
			}
			r := rehearse(t, t.Context(), Options{Plan: read(t, tpl), Source: source}, nil)
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
