package codebuild

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLinksStayInside has symbolic links that lead out of the source in different ways.
func TestLinksStayInside(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		links  map[string]string
		inside []string // the links that do not change
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
			tb := newTestBuild(t, "{version: 0.2, phases: {build: {commands: ['for f in a d/a b public; do { cat $f; echo gone >$f; } 2>/dev/null; done; true']}}}", map[string]string{"file": "x", "d/e/file": "x"})
			parent := t.TempDir()
			if err := os.Rename(tb.Source, filepath.Join(parent, "source")); err != nil {
				t.Fatal(err)
			}
			tb.Source, tb.Dir = filepath.Join(parent, "source"), filepath.Join(parent, "build")
			outside := filepath.Join(parent, "outside")
			if err := os.Mkdir(outside, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o644); err != nil {
				t.Fatal(err)
			}
			for name, target := range tc.links {
				if err := os.Symlink(strings.ReplaceAll(target, "OUTSIDE", outside), filepath.Join(tb.Source, name)); err != nil {
					t.Fatal(err)
				}
			}
			tb.Keep = true
			tb.run(t.Context())
			if tb.err != nil || tb.result.Status != Succeeded {
				t.Fatalf("%s: %v %s", tb.summary(), tb.err, tb.context())
			}
			for name, target := range tc.links {
				got, _ := os.Readlink(filepath.Join(tb.Dir, "src", name))
				if kept := got != nowhere; kept != slices.Contains(tc.inside, name) {
					t.Errorf("the link %s to %s leads to %s", name, target, got)
				}
			}
			if left, err := os.ReadDir(outside); err != nil || len(left) != 1 {
				t.Errorf("outside are %v, %v", left, err)
			}
			if content, _ := os.ReadFile(filepath.Join(outside, "secret")); string(content) != "secret" || slices.Contains(tb.out, "secret") {
				t.Errorf("the build has read it (%q), or left %q", tb.out, content)
			}
			if warned := strings.Contains(strings.Join(tb.result.Warnings, "\n"), "leads out of the source"); warned != (len(tc.inside) < len(tc.links)) {
				t.Errorf("warnings are %q", tb.result.Warnings)
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
	tb := newTestBuild(t, "{version: 0.2, phases: {build: {commands: ['true']}}, artifacts: {files: ['**/*']}}", names)
	tb.run(t.Context())
	if tb.err != nil || tb.result.Status != Succeeded {
		t.Fatalf("%s: %v %s", tb.summary(), tb.err, tb.context())
	}
	if got := unzip(t, tb.result.Artifact); len(got) != len(names) || got["a\nb"] != "2" {
		t.Errorf("got %q, want %q", got, names)
	}
}

func TestSourceIsCopied(t *testing.T) {
	t.Parallel()
	owner := t.TempDir()
	write(t, filepath.Join(owner, "run.sh"), "#!/bin/sh\necho ran\n", 0o755)
	write(t, filepath.Join(owner, "dir", ".hidden"), "x", 0o444)
	for link, target := range map[string]string{"link": "dir/.hidden", "broken": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(owner, link)); err != nil {
			t.Fatal(err)
		}
	}
	tb := newTestBuild(t, `
version: 0.2
phases:
  build:
    commands: [./run.sh, '[ -L link ] && [ -L broken ] && cat link', 'echo y >dir/.hidden', 'rm run.sh; echo new >new']
`, nil)
	tb.Source = owner
	tb.run(t.Context())
	if tb.err != nil || tb.result.Status != Succeeded || !slices.Equal(tb.out, []string{"ran", "x"}) {
		t.Errorf("error is %v, %s, output %q", tb.err, tb.summary(), tb.out)
	}
	entries, err := os.ReadDir(owner)
	if err != nil || len(entries) != 4 {
		t.Errorf("the owner's folder contains %v (%v), want 4 entries", entries, err)
	}
	if content, err := os.ReadFile(filepath.Join(owner, "dir", ".hidden")); err != nil || string(content) != "x" {
		t.Errorf("the owner's file is %q (%v)", content, err)
	}
}

func write(t *testing.T, file, content string, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), mode)); err != nil {
		t.Fatal(err)
	}
}
