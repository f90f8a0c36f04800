package codebuild

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLinksStayInside has links of a source that lead out of it, each in its own way.
func TestLinksStayInside(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		links  map[string]string
		inside []string // those that stay as they are
	}{
		{"absolute", map[string]string{"a": "OUTSIDE/secret"}, nil},
		{"upwards", map[string]string{"d/a": "../../../outside/secret"}, nil},
		{"to what is not there yet", map[string]string{"public": "../../outside/new"}, nil},
		{"by way of a folder's link", map[string]string{"d/e/up": "../..", "a": "d/e/up/../../outside/secret"}, []string{"d/e/up"}},
		{"by way of another link", map[string]string{"a": "b", "b": "../../outside/secret"}, nil},
		{"inside", map[string]string{"d/a": "../file", "b": "d/a", "c": "missing", "loop": "loop", "odd": "file/x"}, []string{"d/a", "b", "c", "loop", "odd"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tr := newTrial(t, "{version: 0.2, phases: {build: {commands: ['for f in a d/a b public; do { cat $f; echo gone >$f; } 2>/dev/null; done; true']}}}", map[string]string{"file": "x", "d/e/file": "x"})
			parent := t.TempDir()
			if err := os.Rename(tr.Source, filepath.Join(parent, "source")); err != nil {
				t.Fatal(err)
			}
			tr.Source, tr.Dir = filepath.Join(parent, "source"), filepath.Join(parent, "build")
			outside := filepath.Join(parent, "outside")
			if err := os.Mkdir(outside, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o644); err != nil {
				t.Fatal(err)
			}
			for name, target := range tc.links {
				if err := os.Symlink(strings.ReplaceAll(target, "OUTSIDE", outside), filepath.Join(tr.Source, name)); err != nil {
					t.Fatal(err)
				}
			}
			tr.Keep = true
			tr.run(t.Context())
			if tr.err != nil || tr.result.Status != Succeeded {
				t.Fatalf("%s: %v %s", tr.summary(), tr.err, tr.context())
			}
			for name, target := range tc.links {
				got, _ := os.Readlink(filepath.Join(tr.Dir, "src", name))
				if kept := got != nowhere; kept != slices.Contains(tc.inside, name) {
					t.Errorf("the link %s to %s leads to %s", name, target, got)
				}
			}
			if left, err := os.ReadDir(outside); err != nil || len(left) != 1 {
				t.Errorf("outside are %v, %v", left, err)
			}
			if content, _ := os.ReadFile(filepath.Join(outside, "secret")); string(content) != "secret" || slices.Contains(tr.out, "secret") {
				t.Errorf("the build has read it (%q), or left %q", tr.out, content)
			}
			if warned := strings.Contains(strings.Join(tr.result.Warnings, "\n"), "leads out of the source"); warned != (len(tc.inside) < len(tc.links)) {
				t.Errorf("warnings are %q", tr.result.Warnings)
			}
		})
	}
}

// TestSourceOfStrangeNames copies names that Go's own file systems refuse.
func TestSourceOfStrangeNames(t *testing.T) {
	t.Parallel()
	names := map[string]string{"a\\b": "1", "a\nb": "2", "*": "3", strings.Repeat("x", 250): "4"}
	if latin1 := filepath.Join(t.TempDir(), "\xe4"); os.WriteFile(latin1, nil, 0o644) == nil { // macOS refuses it.
		names["\xe4/\xe4"] = "5"
	}
	tr := newTrial(t, "{version: 0.2, phases: {build: {commands: ['true']}}, artifacts: {files: ['**/*']}}", names)
	tr.run(t.Context())
	if tr.err != nil || tr.result.Status != Succeeded {
		t.Fatalf("%s: %v %s", tr.summary(), tr.err, tr.context())
	}
	if got := unzip(t, tr.result.Artifact); len(got) != len(names) || got["a\nb"] != "2" {
		t.Errorf("got %q, want %q", got, names)
	}
}
