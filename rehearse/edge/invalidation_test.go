package edge

import (
	"testing"

	"blog-deploy-pipeline/rehearse/fakeaws"
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
		{"encoded tilde", "/%7Eme", "/~me", true},
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
	}{
		{"none", nil, "/a", "/a", false},
		{"completed", []fakeaws.Invalidation{done("/b", "/a")}, "/a", "/a", true},
		{"in progress", []fakeaws.Invalidation{{Status: "InProgress", Paths: []string{"/*"}}}, "/a", "/a", false},
		{"one of several", []fakeaws.Invalidation{done("/b"), done("/a")}, "/a", "/a", true},
		{"rewritten, only the object", []fakeaws.Invalidation{done("/a/index.html")}, "/a/index.html", "/a/", false},
		{"rewritten, only what was asked for", []fakeaws.Invalidation{done("/a/")}, "/a/index.html", "/a/", false},
		{"rewritten, both", []fakeaws.Invalidation{done("/a/", "/a/index.html")}, "/a/index.html", "/a/", true},
		{"rewritten, both, one after the other", []fakeaws.Invalidation{done("/a/"), done("/a/index.html")}, "/a/index.html", "/a/", true},
		{"rewritten, by a wildcard", []fakeaws.Invalidation{done("/a/*")}, "/a/index.html", "/a/", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := invalidated(test.invalidations, test.path, test.viewer); got != test.want {
				t.Errorf("invalidated: got %t, want %t", got, test.want)
			}
		})
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
