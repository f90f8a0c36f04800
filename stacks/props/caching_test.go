package props_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/pathpattern"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// TestHugoFingerprints has names that Hugo 0.164.0 made, and names that only look similar: if they
// matched, a browser would keep a file for a year although it changes.
func TestHugoFingerprints(t *testing.T) {
	for _, tt := range []struct {
		path string
		want bool
	}{
		{"/css/" + fixtures.Fingerprinted, true},
		{"/" + fixtures.Fingerprinted, true},
		{"/ja/css/" + fixtures.Fingerprinted, true},
		{"/css/main.17c96332a7428338c5a2e88c347337dbc52f955403cac8347f8fbe64489ee9b4.js", true},
		{"/css/main.min.38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b.css", true},
		{"/css/main.ebbfecd205154dd80a449efedb482a984080bf639ba7665f5aaeebac7025e9d8039ab7c5fb9a16d6eddab40de3474f94.js", true},
		{"/css/main.min.cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e.css", true},
		{"/css/main.6600d71a8beace609edaf35d9b13b77acf6bf44639da97d1cd55b5684b1ed4e3dcfc3df2a698bf302bc9d537f838689dfed2b632dea2866e52c20574b1929c08.js", true},
		{"/posts/rehearsal/cover_hu_2cae7d7cae0312a8.webp", true},
		{"/posts/rehearsal/cover_hu_94c79b8981c8fc3.webp", true}, // 15 digits
		{"/posts/rehearsal/cover_hu_d6917a35851b9ad2.jpg", true},
		{"/img/a_hu_3acc49b43ccfd1f1.png", true},
		{"/posts/%E6%97%A5%E6%9C%AC%E8%AA%9E/%E3%83%90%E3%82%A4%E3%83%88%E5%88%97_hu_4d6568fc170fa854.webp", true},

		{"/", false},
		{"/index.html", false},
		{"/posts/rehearsal/", false},
		{"/index.xml", false},
		{"/sitemap.xml", false},
		{"/css/main.css", false},
		{"/css/main.min.css", false},
		{"/js/jquery-3.7.1.min.js", false},
		{"/lib/katex/contrib/auto-render.min.js", false},
		{"/main.d41d8cd98f00b204e9800998ecf8427e.css", false}, // MD5, too short to tell by its length
		{"/posts/rehearsal/cover.jpg", false},
		{"/posts/a_hu_b/cover.jpg", false},
		{"/posts/nyelv_hu_magyarorszag.html", false},
		{"/posts/2cae7d7cae0312a8/", false},
		{"/posts/" + strings.TrimSuffix(fixtures.Fingerprinted, ".css") + "/", false},
	} {
		got := false
		for _, pattern := range props.HugoFingerprints() {
			got = got || pathpattern.Matches(pattern, tt.path)
		}
		if got != tt.want {
			t.Errorf("%s is immutable: %v, want %v", tt.path, got, tt.want)
		}
	}
}

func TestCachingRefuses(t *testing.T) {
	immutable := func(patterns ...string) props.Caching { return props.Caching{Immutable: patterns} }
	feeds := func(patterns ...string) props.Caching { return props.Caching{Feeds: patterns} }
	var many []string
	for i := range 74 {
		many = append(many, fmt.Sprintf("/feeds/%d.xml", i))
	}
	for _, tt := range []struct {
		name    string
		caching props.Caching
		want    string
	}{
		{"no slash", immutable("assets/*"), `Site.Caching.Immutable[0] is "assets/*": must start with / or *`},
		{"empty", immutable(""), "must start with / or *"},
		{"Japanese", feeds("/購読.xml"), "write * where a path has other characters"},
		{"percent", feeds("/a%20b.xml"), `Site.Caching.Feeds[0] is "/a%20b.xml"`},
		{"space", feeds("/a b.xml"), "must start with / or *"},
		{"too long", immutable("/" + strings.Repeat("a", 255)), "has 256 characters, and CloudFront allows at most 255"},
		{"everything", feeds("/*"), "matches everything"},
		{"everything, shorter", immutable("*"), "matches everything"},
		{"pages", immutable("/posts/*"), `Site.Caching.Immutable[0] is "/posts/*": matches /posts/hello/, whose next version visitors would not see for a year`},
		{"all HTML", immutable("/assets/*", "*.html"), `Site.Caching.Immutable[1] is "*.html": matches /index.html`},
		{"all XML", immutable("*.xml"), `Site.Caching.Immutable[0] is "*.xml": matches /index.xml`},
		{"the error page", immutable("/404*"), "matches /404.html"},
		{"twice", immutable("/assets/*", "/assets/*"), `Site.Caching.Immutable[1] is "/assets/*": is listed in Site.Caching.Immutable[0], too`},
		{"twice but for the slash", props.Caching{Immutable: []string{"*.css"}, Feeds: []string{"/*.css"}}, `Site.Caching.Feeds[0] is "/*.css": is listed in Site.Caching.Immutable[0], too`},
		{"a default twice", feeds("*_hu_????????????????.???"), `Site.Caching.Feeds[0] is "*_hu_????????????????.???": is listed in Site.Caching.Immutable[6], too`},
		{"too many", props.Caching{Immutable: []string{"/assets/*"}, Feeds: many}, `Site.Caching is "75 patterns": a distribution allows at most 74`},
		{"feeds for no second", props.Caching{FeedsFor: time.Millisecond}, "Site.Caching.FeedsFor is 1ms: must be whole seconds"},
		{"feeds for days", props.Caching{FeedsFor: 25 * time.Hour}, "Site.Caching.FeedsFor is 25h0m0s"},
		{"feeds for less than nothing", props.Caching{FeedsFor: -time.Second}, "Site.Caching.FeedsFor is -1s"},
		{"pages for days", props.Caching{PagesFor: 25 * time.Hour}, "Site.Caching.PagesFor is 25h0m0s"},
		{"pages for half a second", props.Caching{PagesFor: time.Second / 2}, "Site.Caching.PagesFor is 500ms"},
		{"pages for less than nothing", props.Caching{PagesFor: -time.Second}, "Site.Caching.PagesFor is -1s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantProblem(t, withSite(func(s *props.Site) { s.Caching = tt.caching }).Validate(), tt.want)
		})
	}
}

func TestCachingAccepts(t *testing.T) {
	var many []string
	for i := range 74 {
		many = append(many, fmt.Sprintf("/feeds/%d.xml", i))
	}
	for name, caching := range map[string]props.Caching{
		"74 patterns":          {Immutable: []string{}, Feeds: many},
		"255 characters":       {Immutable: []string{"/" + strings.Repeat("a", 254)}},
		"all that is allowed":  {Feeds: []string{`/aA0_-.*$/~"'@:+&?`}},
		"a day":                {FeedsFor: 24 * time.Hour, PagesFor: 24 * time.Hour},
		"no pattern of either": {Immutable: []string{}, Feeds: []string{}},
	} {
		if err := withSite(func(s *props.Site) { s.Caching = caching }).Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
