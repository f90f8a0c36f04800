package stacks

import (
	"net/http"
	"net/url"
	"testing"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/edgefunction"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestBrowserCaching(t *testing.T) {
	const year, ask = "public, max-age=31536000, immutable", "public, max-age=0, must-revalidate"
	for _, tt := range []struct {
		props      props.Blog
		path, want string
	}{
		{fixtures.Bare, "/", ask},
		{fixtures.Bare, "/posts/hello/", ask},
		{fixtures.Bare, "/posts/hello", ask},
		{fixtures.Bare, "/404.html", ask},
		{fixtures.Bare, "/sitemap.xml", ask},
		{fixtures.Bare, "/robots.txt", ask},
		{fixtures.Bare, "/favicon.svg", ask},
		{fixtures.Bare, "/css/" + fixtures.Fingerprinted, year},
		{fixtures.Bare, "/posts/hello/cover_hu_2cae7d7cae0312a8.webp", year},
		{fixtures.Bare, "/index.xml", "public, max-age=600"},
		{fixtures.Bare, "/tags/hugo/index.xml", "public, max-age=600"},
		{fixtures.Bare, "/assets/main.css", ask},

		{fixtures.Complete, "/posts/hello/", "public, max-age=60"},
		{fixtures.Complete, "/index.xml", "public, max-age=60"},
		{fixtures.Complete, "/feed.xml", "public, max-age=3600"},
		{fixtures.Complete, "/assets/a/main.css", year},
		{fixtures.Complete, "/css/" + fixtures.Fingerprinted, "public, max-age=60"},
		{fixtures.Complete, "/posts/assets/main.css", "public, max-age=60"},

		{fixtures.Open, "/", ask},
		{fixtures.Open, "/index.xml", ask},
		{fixtures.Open, "/css/" + fixtures.Fingerprinted, ask},
	} {
		tmpl := siteTemplate(t, tt.props)
		for _, status := range []int{http.StatusOK, http.StatusPartialContent, http.StatusNotModified} {
			if got := kept(t, tmpl, tt.path, status); got != tt.want {
				t.Errorf("%s: browsers keep %s with status %d as %q, want %q", tt.props.Name, tt.path, status, got, tt.want)
			}
		}
		// Whoever sends them, and whether CloudFront runs the function on them or not.
		for _, status := range []int{
			http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
			http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusRequestURITooLong,
			http.StatusRequestedRangeNotSatisfiable, http.StatusBadGateway, http.StatusServiceUnavailable,
		} {
			want := tt.want
			if want == year {
				want = sent(t, tmpl, "/")["Cache-Control"] // as a page
			}
			got, withoutFunction := kept(t, tmpl, tt.path, status), sent(t, tmpl, tt.path)["Cache-Control"]
			if got != want || withoutFunction != want {
				t.Errorf("%s: browsers keep %s with status %d as %q, and without a function as %q, want %q", tt.props.Name, tt.path, status, got, withoutFunction, want)
			}
		}
	}
}

// kept returns the Cache-Control of an answer at a path: the policy's, unless a function sets another.
func kept(t *testing.T, tmpl *assembly.Template, path string, status int) string {
	t.Helper()
	header := http.Header{"Cache-Control": {sent(t, tmpl, path)["Cache-Control"]}}
	code, runs := functions(t, tmpl, behaviorOf(t, tmpl, path))["viewer-response"]
	if !runs {
		return header.Get("Cache-Control")
	}
	function, err := edgefunction.New(code)
	if err != nil {
		t.Fatal(err)
	}
	request := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}}
	response, err := function.ViewerResponse(request, &http.Response{StatusCode: status, Header: header, Body: http.NoBody}, edgefunction.Context{})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.Header.Get("Cache-Control")
}

// Immutable patterns come before feeds, each in the owner's order. The order decides which pattern
// applies, and a template must not differ from run to run.
func TestPatternsKeepTheirOrder(t *testing.T) {
	var got []string
	for _, behavior := range behaviors(t, distributionConfig(t, siteTemplate(t, fixtures.Bare))) {
		pattern, _ := behavior["PathPattern"].(string)
		got = append(got, pattern)
	}
	equal(t, "patterns", got, append(props.Site{}.WithDefaults().Caching.Immutable, "*index.xml", ""))
}
