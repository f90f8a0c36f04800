package e2e

import (
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

const (
	browsedHost   = "blog.example.com"
	browsedSite   = "https://" + browsedHost
	browsedPolicy = "default-src 'self'; base-uri 'self'; frame-ancestors 'none'"
)

// TestBrowser visits the example blog with a real browser, through the distribution in a blog's template: `make e2e`.
func TestBrowser(t *testing.T) {
	path := findBrowser(t)
	if err := os.RemoveAll(shots); err != nil {
		t.Fatal(err)
	}
	// The blog is published, then a broken home page in place of its own, and then the earlier release again.
	var b *browser
	var same *tab
	r := newRehearser(t)
	r.asked = func(at rehearsal.Served) {
		at.Names = []string{browsedHost, "www." + browsedHost}
		b = openBrowser(t, path, at)
		same = b.tab(t)
		got := same.visit(browsedSite + "/")
		same.shoot("mistake")
		if !slices.Equal(got.Headings, []string{"A broken home page"}) || got.document().status != http.StatusOK {
			t.Errorf("before the rollback the home page is %v, with the headings %q", got.document(), got.Headings)
		}
	}
	r.serve("-blog", "new-blog", "-rollback")
	if b == nil {
		t.Fatal("the rehearsal has not asked before the rollback")
	}

	t.Run("rollback", func(t *testing.T) {
		got := same.visit(browsedSite + "/")
		same.shoot("rollback")
		got.isPage(t, browsedSite+"/", "静かなデプロイ", "静かなデプロイ")
		if page := got.document(); page.cached {
			t.Errorf("the browser shows %v from its own cache", page)
		}
	})

	t.Run("home", func(t *testing.T) {
		tab := b.tab(t)
		got := tab.visit("http://" + browsedHost)
		tab.shoot("home")
		got.isPage(t, browsedSite+"/", "静かなデプロイ", "静かなデプロイ")
		got.isReachedBy(t, "http://"+browsedHost+"/ 301 "+browsedSite+"/")
		if got.document().header.Get("Content-Encoding") == "" {
			t.Error("the page is not compressed")
		}
	})

	t.Run("post without its slash", func(t *testing.T) {
		tab := b.tab(t)
		got := tab.visit(browsedSite + "/posts/はじめに")
		tab.shoot("post")
		got.isPage(t, browsedSite+"/posts/はじめに/", "はじめに、余白をつくる | 静かなデプロイ", "はじめに、余白をつくる")
		got.isReachedBy(t, browsedSite+"/posts/はじめに 301 /posts/はじめに/")
	})

	t.Run("images", func(t *testing.T) {
		tab := b.tab(t)
		for _, tt := range []struct{ name, path, want string }{
			{"resized", "/posts/はじめに/", "cover_hu_"},
			{"japanese-name", "/posts/日本語のアドレス/", "バイト列_hu_"},
			{"drawing", "/posts/four-stages/", "stages.svg"},
		} {
			got := tab.visit(browsedSite + tt.path)
			tab.shoot("image-" + tt.name)
			if !slices.ContainsFunc(got.Images, func(i image) bool { return strings.Contains(readable(i.Address), tt.want) }) {
				t.Errorf("%s has the images %v, want one with %s in its address", tt.path, got.Images, tt.want)
			}
			for _, i := range got.Images {
				if i.Width == 0 {
					t.Errorf("%s: the image %s cannot be decoded", tt.path, readable(i.Address))
				}
			}
		}
	})

	t.Run("every kind of page", func(t *testing.T) {
		tab := b.tab(t)
		for _, path := range []string{"/posts/", "/page/2/", "/categories/", "/categories/しくみ/", "/tags/", "/tags/日本語/", "/about/", "/posts/caller-reference/"} {
			got := tab.visit(browsedSite + path)
			if len(got.Headings) != 1 || got.document().status != http.StatusOK || readable(got.Address) != browsedSite+path {
				t.Errorf("%s: %v at %s with the headings %q, want 200 and one heading", path, got.document(), readable(got.Address), got.Headings)
			}
		}
	})

	t.Run("page that is not there", func(t *testing.T) {
		tab := b.tab(t)
		const address = browsedSite + "/ここには何もない/"
		got := tab.visit(address)
		tab.shoot("not-found")
		if got.document().status != http.StatusNotFound || readable(got.Address) != address || len(got.hops()) > 0 {
			t.Errorf("%v, %v at %s, want 404 without a redirect", got.hops(), got.document(), readable(got.Address))
		}
		if !slices.Equal(got.Headings, []string{"ページが見つかりません"}) || got.Language != "ja" {
			t.Errorf("headings are %q in %q, want those of the blog's own 404.html", got.Headings, got.Language)
		}
	})

	t.Run("www", func(t *testing.T) {
		tab := b.tab(t)
		const query = "?utm_source=mail&q=%E6%9B%B8%20%2F%3F&empty="
		got := tab.visit("https://www." + browsedHost + "/posts/はじめに" + query)
		tab.shoot("www")
		got.isPage(t, browsedSite+"/posts/はじめに/"+query, "はじめに、余白をつくる | 静かなデプロイ", "はじめに、余白をつくる")
		got.isReachedBy(t, "https://www."+browsedHost+"/posts/はじめに"+query+" 301 "+browsedSite+"/posts/はじめに/"+query)
	})

	t.Run("security headers", func(t *testing.T) {
		tab := b.tab(t)
		post := tab.visit(browsedSite + "/posts/はじめに")
		answers := []*exchange{post.document(), post.find(t, ".css"), post.find(t, ".js"), post.find(t, ".webp"), tab.visit(browsedSite + "/nothing/").document(), tab.fetch("/index.xml")}
		answers = append(answers, post.hops()...)
		answers = append(answers, tab.visit("https://www."+browsedHost).hops()...)
		if len(answers) != 8 {
			t.Errorf("got the answers %v, want 8", answers)
		}
		for _, answer := range answers {
			for name, want := range map[string]string{
				"Strict-Transport-Security": "max-age=31536000",
				"X-Content-Type-Options":    "nosniff",
				"X-Frame-Options":           "DENY",
				"Referrer-Policy":           "strict-origin-when-cross-origin",
				"Content-Security-Policy":   browsedPolicy,
			} {
				if got := answer.header.Get(name); got != want {
					t.Errorf("%v: %s is %q, want %q", answer, name, got, want)
				}
			}
		}
		// The browser has been told, and asks over http no more.
		again := tab.visit("http://" + browsedHost)
		if len(again.hops()) != 1 || again.hops()[0].header.Get("Non-Authoritative-Reason") != "HSTS" {
			t.Errorf("http leads over %v to %s, want the browser itself to go to https for HSTS", again.hops(), again.Address)
		}
	})

	t.Run("policy for scripts", func(t *testing.T) {
		tab := b.tab(t)
		got := tab.visit(browsedSite + "/posts/four-stages/")
		// The theme's own script has run, from a file with a checksum.
		buttons, err := chromedp.Run(tab.ctx, chromedp.Evaluate[int](`document.querySelectorAll("link[integrity]").length && document.querySelectorAll("script[integrity]").length && document.querySelectorAll("button.copy").length`))
		if err != nil || buttons == 0 {
			t.Errorf("the theme's script made %d buttons (%v): %v", buttons, err, got.find(t, ".js"))
		}
		// A script that somebody adds to the page must not run.
		const smuggle = `new Promise(resolve => {
			document.addEventListener("securitypolicyviolation", event => resolve(event.effectiveDirective + " " + event.blockedURI));
			const script = document.createElement("script");
			script.textContent = "document.title = 'smuggled'";
			document.head.append(script);
			if (document.title === "smuggled") resolve("it ran");
		})`
		blocked, err := chromedp.Run(tab.ctx, chromedp.Evaluate[string](smuggle, chromedp.EvalAwaitPromise))
		if err != nil || blocked != "script-src-elem inline" {
			t.Errorf("a script in the page: %q, %v; want it blocked", blocked, err)
		}
	})

	t.Run("what browsers keep", func(t *testing.T) {
		tab := b.tab(t)
		post := tab.visit(browsedSite + "/posts/はじめに/")
		const asked, kept = "public, max-age=0, must-revalidate", "public, max-age=31536000, immutable"
		for _, tt := range []struct {
			answer *exchange
			want   string
		}{
			{post.document(), asked},
			{post.find(t, ".css"), kept},
			{post.find(t, ".js"), kept},
			{post.find(t, ".webp"), kept},
			{post.find(t, "favicon.svg"), asked},
			{tab.visit(browsedSite + "/nothing/").document(), asked},
			{tab.fetch("/index.xml"), "public, max-age=600"},
			{tab.fetch("/tags/日本語/index.xml"), "public, max-age=600"},
		} {
			if got := tt.answer.header.Get("Cache-Control"); got != tt.want {
				t.Errorf("%v: Cache-Control is %q, want %q", tt.answer, got, tt.want)
			}
		}
	})

	t.Run("second visit", func(t *testing.T) {
		first := b.tab(t)
		first.visit(browsedSite + "/posts/はじめに/")
		again := first.visit(browsedSite + "/posts/はじめに/")
		first.shoot("second-visit")
		if page := again.document(); page.status != http.StatusNotModified || page.header.Get("X-Cache") != "Hit from cloudfront" || len(page.header.Get("Etag")) == 0 {
			t.Errorf("the page is %v, X-Cache %q, want it not modified, from CloudFront's cache", page, page.header.Get("X-Cache"))
		}
		var kept int
		for _, e := range again.exchanges {
			if immutable := strings.Contains(e.header.Get("Cache-Control"), "immutable"); immutable != e.cached {
				t.Errorf("%v: Cache-Control is %q, and that it came out of the browser's own cache is %t", e, e.header.Get("Cache-Control"), e.cached)
			} else if immutable {
				kept++
			}
		}
		if kept < 3 {
			t.Errorf("%d files came out of the browser's cache, want styles, script and picture: %v", kept, again.exchanges)
		}
	})

	t.Run("phone at night", func(t *testing.T) {
		tab := b.tab(t)
		night := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}
		if _, err := chromedp.Call(tab.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: night}); err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(tab.ctx, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulatePortrait)); err != nil {
			t.Fatal(err)
		}
		got := tab.visit(browsedSite + "/posts/日本語のアドレス/")
		tab.shoot("phone")
		if got.Overflow > 0 {
			t.Errorf("the page is %d pixels wider than the screen", got.Overflow)
		}
	})

	// These two look back at all visits above.
	t.Run("the browser complains of nothing", func(t *testing.T) {
		if len(b.visited) == 0 {
			t.Error("nothing was visited: run all of TestBrowser")
		}
		for _, complaint := range b.complaints {
			t.Error(complaint)
		}
	})
	t.Run("every file over HTTP 2", func(t *testing.T) {
		var wrong []string
		for _, e := range b.visited {
			page := e.kind == network.ResourceTypeDocument
			switch {
			case page && strings.HasPrefix(e.url, "http://"):
				// The first test checks that http leads to https.
			case !page && e.status != http.StatusOK && e.status != http.StatusNotModified:
				wrong = append(wrong, e.String())
			case !strings.HasPrefix(e.url, browsedSite+"/") && !strings.HasPrefix(e.url, "https://www."+browsedHost+"/"):
				wrong = append(wrong, e.String()+" from elsewhere")
			case e.protocol != "h2":
				wrong = append(wrong, e.String()+" over "+e.protocol)
			}
		}
		slices.Sort(wrong)
		for _, e := range slices.Compact(wrong) {
			t.Error(e)
		}
	})
}

// isPage checks what every page of the blog has.
func (s sight) isPage(t *testing.T, address, title, heading string) {
	t.Helper()
	if page := s.document(); page.status != http.StatusOK || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("%v is %q, want a page", page, page.header.Get("Content-Type"))
	}
	if readable(s.Address) != readable(address) {
		t.Errorf("the address is %s, want %s", readable(s.Address), address)
	}
	if s.Title != title || s.Language != "ja" || !slices.Equal(s.Headings, []string{heading}) {
		t.Errorf("%q in %q has the headings %q, want %q in ja, with %q alone", s.Title, s.Language, s.Headings, title, heading)
	}
}

// isReachedBy checks which redirects led to a page: address, status, Location.
func (s sight) isReachedBy(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, hop := range s.hops() {
		got = append(got, hop.String()+" "+readable(hop.header.Get("Location")))
	}
	for i := range want {
		want[i] = readable(want[i])
	}
	if !slices.Equal(got, want) {
		t.Errorf("reached by %q, want %q", got, want)
	}
}

// find returns the first answer whose path ends like this.
func (s sight) find(t *testing.T, end string) *exchange {
	t.Helper()
	for _, e := range s.exchanges {
		if u, err := url.Parse(e.url); err == nil && strings.HasSuffix(u.Path, end) {
			return e
		}
	}
	t.Fatalf("%s asked for no %s, only for %v", readable(s.Address), end, s.exchanges)
	return nil
}
