package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// script is a program that a shell runs.
func script(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestHugo finds the wanted Hugo, or installs it with a Go that only says what it was asked.
func TestHugo(t *testing.T) {
	bin, own, old, cache := t.TempDir(), t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "the cache")
	script(t, own, "hugo", "echo hugo v0.164.0 linux/amd64")
	script(t, old, "hugo", "echo hugo v0.100.0 linux/amd64")
	script(t, bin, "go", `case "$1" in
env) echo cc-of-the-test ;;
install)
  for last; do :; done
  edition=; case "$*" in *-tags=extended*) edition=+extended ;; esac
  mkdir -p "$GOBIN"
  printf '#!/bin/sh\necho hugo v%s%s linux\n' "${last##*@v}" "$edition" >"$GOBIN/hugo"
  chmod +x "$GOBIN/hugo"
  echo "$CGO_ENABLED $last" >>"$GOBIN/../asked" ;;
esac`)
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	asked := func() string {
		text, _ := os.ReadFile(filepath.Join(cache, "asked"))
		return string(text)
	}
	tests := []struct {
		name      string
		path      string
		hugo      string
		project   map[string]string
		spec      map[string]string
		compiler  bool
		version   string // of the one that the build gets; "" for none but what is on PATH
		installed string
		err       string
	}{
		{name: "a build without Hugo", path: own},
		{name: "the machine's own", path: own, project: map[string]string{"HUGO_VERSION": "0.164.0"}, version: "0.164.0"},
		{name: "by the buildspec", path: own, spec: map[string]string{"HUGO_VERSION": "v0.164.0"}, version: "0.164.0"},
		{name: "the machine's is another", path: old + ":" + own, spec: map[string]string{"HUGO_VERSION": "0.1.0"}, project: map[string]string{"HUGO_VERSION": "0.164.0"}, version: "0.164.0", installed: "0 github.com/gohugoio/hugo@v0.164.0\n"},
		{name: "installed before", path: old, project: map[string]string{"HUGO_VERSION": "0.164.0"}, version: "0.164.0"},
		{name: "extended, and no compiler", path: own, project: map[string]string{"HUGO_VERSION": "0.164.0", "HUGO_EXTENDED": "true"}, err: "Build.HugoExtended to false"},
		{name: "extended", path: own, project: map[string]string{"HUGO_VERSION": "0.164.0", "HUGO_EXTENDED": "true"}, compiler: true, version: "0.164.0+extended", installed: "1 github.com/gohugoio/hugo@v0.164.0\n"},
		{name: "the one that was named", path: old, hugo: filepath.Join(own, "hugo"), project: map[string]string{"HUGO_VERSION": "0.164.0"}, version: "0.164.0"},
		{name: "another was named", path: own, hugo: filepath.Join(old, "hugo"), project: map[string]string{"HUGO_VERSION": "0.164.0"}, err: "wants Hugo v0.164.0, and " + filepath.Join(old, "hugo") + " is hugo v0.100.0"},
		{name: "no version", path: own, project: map[string]string{"HUGO_VERSION": "latest"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.compiler {
				script(t, bin, "cc-of-the-test", "")
			}
			before := asked()
			r := &rehearsal{Options: Options{Path: tt.path, Hugo: tt.hugo, HugoCache: cache}, dir: t.TempDir(), tell: func(Event) {}}
			path, err := r.hugo(t.Context(), tt.project, tt.spec)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tt.version == "" {
				if path != tt.path {
					t.Errorf("PATH is %s, want it as it was", path)
				}
			} else if first, rest, _ := strings.Cut(path, ":"); rest != tt.path || hugoVersion(t.Context(), filepath.Join(first, "hugo"))[len("hugo v"):len("hugo v")+len(tt.version)] != tt.version {
				t.Errorf("PATH is %s, want Hugo %s before the others", path, tt.version)
			}
			if got := strings.TrimPrefix(asked(), before); got != tt.installed {
				t.Errorf("installed is %q, want %q", got, tt.installed)
			}
		})
	}
}
