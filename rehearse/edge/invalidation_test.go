package edge

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/edgefunction"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/stacks/site/viewerrequest"
)

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
func TestInvalidationMatches(t *testing.T) {
	tests := []struct {
		name, item, path string
		want             bool
	}{
		{"exact", "/images/image1.jpg", "/images/image1.jpg", true},
		{"other file", "/images/image1.jpg", "/images/image2.jpg", false},
		{"beginning", "/images/image", "/images/image1.jpg", false},
		{"other case", "/images/Image.jpg", "/images/image.jpg", false},
		{"files in a directory", "/images/*", "/images/image1.jpg", true},
		{"files in subdirectories", "/images/*", "/images/2026/11/image1.jpg", true},
		{"zero characters", "/images/*", "/images/", true},
		{"directory without slash", "/images/*", "/images", false},
		{"same name, any extension", "/images/logo.*", "/images/logo.png", true},
		{"same name, no extension", "/images/logo.*", "/images/logo", false},
		{"same beginning", "/images/image*", "/images/image1.jpg", true},
		{"same beginning, other case", "/images/image*", "/images/Image1.jpg", false},
		{"everything", "/*", "/a/b/c.html", true},
		{"everything, root", "/*", "/", true},
		{"root", "/", "/", true},
		{"root is not its index", "/", "/index.html", false},
		{"directory, other slash", "/images", "/images/", false},
		{"wildcard in the middle is no wildcard", "/*/image.jpg", "/images/image.jpg", false},
		{"encoded", "/posts/%E6%97%A5/*", "/posts/日/index.html", true},
		{"encoded in lower case", "/posts/%e6%97%a5/", "/posts/%E6%97%A5/", true},
		{"not encoded", "/posts/日/", "/posts/%E6%97%A5/", true},
		{"encoded space", "/a%20b.html", "/a b.html", true},
		{"tilde: invalidates nothing, says AWS", "/~me", "/~me", false},
		{"encoded tilde", "/%7eme/*", "/~me/a", false},
		{"wildcard before a tilde", "/*", "/~me", true},
		{"plus is no space", "/a+b.html", "/a%20b.html", false},
		{"encoded slash is no slash", "/a%2Fb", "/a/b", false},
		{"needlessly encoded: invalidates nothing, says AWS", "/%69ndex.html", "/index.html", false},
		{"needlessly encoded by the viewer", "/index.html", "/%69ndex%2ehtml", true},
		{"percent that encodes nothing", "/100%", "/100%25", true},
		{"query string, which is not in the cache key", "/index.html?v=1", "/index.html", false},
		{"cache tag", "#index.html", "/index.html", false},
		{"cache tag, wildcard", "#*", "/index.html", false},
		{"empty", "", "/", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := matches(test.item, canonical(test.path, decodeUnreserved)); got != test.want {
				t.Errorf("matches(%q, %q): got %t, want %t", test.item, test.path, got, test.want)
			}
		})
	}
}

func TestInvalidated(t *testing.T) {
	done := func(paths ...string) fakeaws.Invalidation {
		return fakeaws.Invalidation{Status: "Completed", Paths: paths}
	}
	tests := []struct {
		name          string
		invalidations []fakeaws.Invalidation
		path, viewer  string
		want          bool
		tags          []string
	}{
		{"none", nil, "/a", "/a", false, nil},
		{"completed", []fakeaws.Invalidation{done("/b", "/a")}, "/a", "/a", true, nil},
		{"in progress", []fakeaws.Invalidation{{Status: "InProgress", Paths: []string{"/*"}}}, "/a", "/a", false, nil},
		{"one of several", []fakeaws.Invalidation{done("/b"), done("/a")}, "/a", "/a", true, nil},
		{"rewritten, only the object", []fakeaws.Invalidation{done("/a/index.html")}, "/a/index.html", "/a/", false, nil},
		{"rewritten, only what was asked for", []fakeaws.Invalidation{done("/a/")}, "/a/index.html", "/a/", false, nil},
		{"rewritten, both", []fakeaws.Invalidation{done("/a/", "/a/index.html")}, "/a/index.html", "/a/", true, nil},
		{"rewritten, both, one after the other", []fakeaws.Invalidation{done("/a/"), done("/a/index.html")}, "/a/index.html", "/a/", true, nil},
		{"rewritten, by a wildcard", []fakeaws.Invalidation{done("/a/*")}, "/a/index.html", "/a/", true, nil},
		{"by its tag", []fakeaws.Invalidation{done("/b", "#R-1")}, "/a/index.html", "/a/", true, []string{"other", "r-1"}},
		{"by a tag that begins like its own", []fakeaws.Invalidation{done("#r-")}, "/a", "/a", false, []string{"r-1"}},
		{"a tag has no wildcard", []fakeaws.Invalidation{done("#r-*")}, "/a", "/a", false, []string{"r-1"}},
		{"by a tag in progress", []fakeaws.Invalidation{{Status: "InProgress", Paths: []string{"#r-1"}}}, "/a", "/a", false, []string{"r-1"}},
		{"no tags", []fakeaws.Invalidation{done("#")}, "/a", "/a", false, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := invalidated(test.invalidations, test.path, test.viewer, test.tags); got != test.want {
				t.Errorf("invalidated: got %t, want %t", got, test.want)
			}
		})
	}
}

func TestTagsOf(t *testing.T) {
	long := strings.Repeat("t", 256)
	for header, want := range map[string][]string{
		"":                                   nil,
		"r-1":                                {"r-1"},
		"Product:TV, brand:x ,,":             {"product:tv", "brand:x"},
		"two words, 日本, ok":                  {"ok"},
		long + "," + long + "t":              {long},
		strings.Repeat("t,", 50) + "t51,t52": slices.Repeat([]string{"t"}, 50),
	} {
		if got := tagsOf(header); !slices.Equal(got, want) {
			t.Errorf("tagsOf(%q): got %q, want %q", header, got, want)
		}
	}
}

func TestAfter(t *testing.T) {
	all := []fakeaws.Invalidation{{ID: "I1"}, {ID: "I2"}, {ID: "I3"}}
	for last, want := range map[string]int{"": 3, "I1": 2, "I3": 0, "forgotten by the cloud": 3} {
		if got := after(all, last); len(got) != want {
			t.Errorf("after(%q): got %d invalidations, want %d", last, len(got), want)
		}
	}
}

func TestEdgeObeysInvalidations(t *testing.T) {
	w := newWorld(t, Distribution{DefaultRootObject: "index.html"})
	w.put("/index.html", "old", "")
	w.put("/posts/日本/", "old", "")
	home, post := "/", "/posts/%E6%97%A5%E6%9C%AC/"
	want(t, "home", w.get(t, home), 200, "old", "Miss")
	want(t, "home as a file", w.get(t, "/index.html"), 200, "old", "Hit")
	want(t, "post", w.get(t, post), 200, "old", "Miss")
	want(t, "post in another spelling", w.get(t, strings.ToLower(post)), 200, "old", "Hit")
	w.put("/index.html", "new", "")
	w.put("/posts/日本/", "new", "")

	// The clock stands still, so the order does not depend on time.
	w.invalidate("InProgress", "/*")
	want(t, "in progress", w.get(t, home), 200, "old", "Hit")
	w.invalidations[0].Status = "Completed"
	want(t, "completed", w.get(t, home), 200, "new", "Miss")
	want(t, "and cached again", w.get(t, home), 200, "new", "Hit")
	want(t, "completed, other object", w.get(t, post), 200, "new", "Miss")

	w.put("/index.html", "newer", "")
	w.invalidate("Completed", "/posts/*", "/INDEX.html")
	want(t, "other paths", w.get(t, home), 200, "new", "Hit")
	w.invalidate("Completed", "/index.html")
	want(t, "the default root object by its file", w.get(t, home), 200, "newer", "Miss")
	want(t, "the same object", w.get(t, "/index.html"), 200, "newer", "Hit")
	w.invalidate("Completed", "/")
	want(t, "the default root object, but not by its file", w.get(t, home), 200, "newer", "Hit")

	// These are an invalidation of another distribution and an older one.
	w.edge.opts.Distribution.ID = "E2"
	w.put("/index.html", "newest", "")
	w.invalidate("Completed", "/*")
	want(t, "another distribution's", w.get(t, home), 200, "newer", "Hit")
}

// tagHeader is the header of S3 with an object's cache tags.
const tagHeader = "x-amz-meta-" + contract.MetadataCacheTag

// TestEdgeObeysTags has two objects of one tag, which a function rewrites to, and one of another tag.
func TestEdgeObeysTags(t *testing.T) {
	for _, header := range []string{"", tagHeader} {
		d := Assumed("E1")
		d.CacheTagHeader = header
		w := newWorld(t, d)
		visit := func() (seen string) {
			for _, path := range []string{"/a/", "/b/", "/other/"} {
				seen += path + " " + w.get(t, path).Body.String() + " "
			}
			return seen
		}
		fill := func(content string) {
			for _, page := range []struct{ path, tag string }{{"/a/index.html", "R-1"}, {"/b/index.html", "x,r-1"}, {"/other/index.html", "r-2"}} {
				w.put(page.path, content, "")
				w.tag(page.path, page.tag)
			}
		}
		fill("old")
		visit()
		fill("new")
		w.invalidate("Completed", "#r-1")
		want := "/a/ new /b/ new /other/ old "
		if header == "" {
			want = "/a/ old /b/ old /other/ old "
		}
		if got := visit(); got != want {
			t.Errorf("with the header %q: got %s, want %s", header, got, want)
		}
	}
}

// TestEdgeKeepsTagsOfConfirmedObjects has an object expire and be confirmed by an answer without tags.
func TestEdgeKeepsTagsOfConfirmedObjects(t *testing.T) {
	w := newWorld(t, Distribution{CacheTagHeader: tagHeader})
	w.put("/a", "old", "max-age=60")
	w.tag("/a", "r-1")
	want(t, "first", w.get(t, "/a"), 200, "old", "Miss")
	w.advance(2 * time.Minute)
	want(t, "expired", w.get(t, "/a"), 200, "old", "RefreshHit")
	w.put("/a", "new", "max-age=60")
	w.invalidate("Completed", "#r-1")
	want(t, "cleared", w.get(t, "/a"), 200, "new", "Miss")
}

func TestEdgeForgetsErrorsByInvalidationToo(t *testing.T) {
	w := newWorld(t, Distribution{})
	want(t, "missing", w.get(t, "/new.html"), 403, "<Code>AccessDenied</Code>", "Error")
	w.put("/new.html", "new", "")
	want(t, "published, error still cached", w.get(t, "/new.html"), 403, "<Code>AccessDenied</Code>", "Error")
	w.invalidate("Completed", "/new.html")
	want(t, "invalidated", w.get(t, "/new.html"), 200, "new", "Miss")
}

func TestEdgeAfterARewriteWantsBothPathsInvalidated(t *testing.T) {
	w := newWorld(t, Assumed("E1"))
	w.put("/a/index.html", "old", "")
	want(t, "pretty", w.get(t, "/a/"), 200, "old", "Miss")
	want(t, "as a file", w.get(t, "/a/index.html"), 200, "old", "Hit")
	w.put("/a/index.html", "new", "")
	w.invalidate("Completed", "/a/")
	want(t, "only the pretty one invalidated", w.get(t, "/a/"), 200, "old", "Hit")
	w.invalidate("Completed", "/a/index.html")
	want(t, "both invalidated", w.get(t, "/a/"), 200, "new", "Miss")
}

// TestSiteIsClearedByWhatBelongsTogether checks that an invalidation of all paths of a page clears it for readers of all
// its addresses, and that an invalidation of fewer paths does not.
func TestSiteIsClearedByWhatBelongsTogether(t *testing.T) {
	for _, tt := range []struct {
		settings viewerrequest.Settings
		object   string
		asked    []string
	}{
		{viewerrequest.Settings{}, "/index.html", []string{"/", "/index.html"}},
		{viewerrequest.Settings{}, "/a/index.html", []string{"/a/", "/a/index.html"}},
		{viewerrequest.Settings{}, "/tags/c++/index.html", []string{"/tags/c++/", "/tags/c%2B%2B/", "/tags/c++/index.html"}},
		{viewerrequest.Settings{}, "/a+b.txt", []string{"/a+b.txt", "/a%2Bb.txt"}},
		{viewerrequest.Settings{MissingSlash: viewerrequest.Rewrite}, "/go-1.21/index.html", []string{"/go-1.21", "/go-1.21/", "/go-1.21/index.html"}},
	} {
		function, err := edgefunction.New(viewerrequest.Code(tt.settings))
		if err != nil {
			t.Fatal(err)
		}
		for _, named := range tt.asked {
			w := newWorld(t, Distribution{DefaultRootObject: "index.html", Behaviors: []Behavior{{PathPattern: "*", ViewerProtocol: "allow-all", ViewerRequest: function}}})
			w.put(tt.object, "old", "")
			for _, asked := range tt.asked {
				w.get(t, asked)
			}
			w.put(tt.object, "new", "")
			w.invalidate("Completed", named)
			stale := ""
			for _, asked := range tt.asked {
				if w.get(t, asked).Body.String() == "old" {
					stale = asked
				}
			}
			if stale == "" && named != "/index.html" { // The default root object has one path to everybody.
				t.Errorf("%s alone clears %s", named, tt.object)
			}
			w.invalidate("Completed", tt.settings.Addresses(named)...)
			for _, asked := range tt.asked {
				if got := w.get(t, asked).Body.String(); got != "new" {
					t.Errorf("what belongs to %s leaves %s at %s", named, got, asked)
				}
			}
		}
	}
}

// A fetch during which an invalidation completes may return the old object. A later reader must not wait for that fetch,
// and its object must not stay in the cache.
func TestEdgeWithAnInvalidationDuringAFetch(t *testing.T) {
	w := newWorld(t, Distribution{})
	w.put("/a.html", "new", "")
	entered, release := make(chan struct{}), make(chan struct{})
	var slow atomic.Bool
	w.before = func() {
		if slow.CompareAndSwap(false, true) { // The first question only.
			close(entered)
			<-release
		}
	}
	old := make(chan string)
	go func() { old <- w.get(t, "/a.html").Body.String() }()
	<-entered
	w.invalidate("Completed", "/*")
	w.put("/a.html", "new", "")
	want(t, "a reader after the invalidation", w.get(t, "/a.html"), 200, "new", "Miss")
	w.put("/a.html", "old", "")
	close(release)
	if got := <-old; got != "old" {
		t.Errorf("the reader before it: got %q, want old", got)
	}
	w.put("/a.html", "new", "")
	want(t, "what the slow answer left in the cache is gone", w.get(t, "/a.html"), 200, "new", "Miss")
	want(t, "and then", w.get(t, "/a.html"), 200, "new", "Hit")
}
