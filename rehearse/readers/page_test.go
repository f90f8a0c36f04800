package readers

import (
	"slices"
	"testing"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

func TestPagesThatChangeAreChosenFirst(t *testing.T) {
	many := map[string]rehearsal.Edition{"index.html": rehearsal.Same, "404.html": rehearsal.Missing, "a/index.html": rehearsal.Same, "b/index.html": rehearsal.Missing, "c/index.html": rehearsal.Old, "d/index.html": rehearsal.Missing, "e/index.html": rehearsal.Missing, "f.css": rehearsal.Old, "g.html": rehearsal.Missing, "猫.html": rehearsal.Same}
	for _, tt := range []struct {
		name  string
		state map[string]rehearsal.Edition
		first string
		want  []string
	}{
		{"nothing", nil, home, nil},
		{"no page", map[string]rehearsal.Edition{"a.css": rehearsal.Old}, home, nil},
		{"changed, then new, and one that is not ASCII", many, home, []string{"index.html", "c/index.html", "b/index.html", "d/index.html", "猫.html"}},
		{"prefix", map[string]rehearsal.Edition{"ja/a.html": rehearsal.Old, "ja/index.html": rehearsal.Same}, "ja/index.html", []string{"ja/index.html", "ja/a.html"}},
		{"no home page", map[string]rehearsal.Edition{"a.html": rehearsal.Same, "b.html": rehearsal.Missing}, home, []string{"b.html", "a.html"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := choosePages(tt.state, tt.first); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAFolderIsTheAddressOfItsIndex(t *testing.T) {
	for key, want := range map[string]string{"index.html": "/", "a/index.html": "/a/", "a/b.html": "/a/b.html", "猫/index.html": "/猫/"} {
		if got := (page{key: key}).address(); got != want {
			t.Errorf("%s is at %s, want %s", key, got, want)
		}
	}
}
