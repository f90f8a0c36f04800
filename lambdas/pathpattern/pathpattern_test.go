package pathpattern

import "testing"

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          bool
	}{
		{"*.jpg", "/a/b.jpg", true},
		{"/*.jpg", "/b.jpg", true},
		{"*.jpg", "/B.JPG", false},
		{"*.jpg", "/b.jpg.html", false},
		{"/images/*", "/images/a/b", true},
		{"/images/*", "/more/images/a", false},
		{"/a??.jpg", "/ant.jpg", true},
		{"/a??.jpg", "/at.jpg", false},
		{"*index.xml", "/index.xml", true},
		{"/a.b", "/axb", false},
		{"/a+(b)", "/a+(b)", true},
		{"*.pdf", "a/b.pdf", true},
		{"a/*", "/a/", true},
		{"a/*", "/a", false},
		{"*", "", true},
		{"", "", true},
		{"", "/a", false},
		{"?", "", false},
		{"/?.txt", "/日.txt", true},
		{"/??.txt", "/日.txt", false},
		{"*??", "/日", false},
		{"*a*b", "/ab/aab", true},
		{"*a*b", "/ab/aac", false},
		{"*aab", "/aaaab", true},
	} {
		if got := Matches(tt.pattern, tt.path); got != tt.want {
			t.Errorf("%s matches %s: %v, want %v", tt.pattern, tt.path, got, tt.want)
		}
	}
}
