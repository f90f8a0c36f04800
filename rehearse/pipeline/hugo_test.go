package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/hugo"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// script writes a program that a shell runs.
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

func TestABuildGetsTheHugoThatItNames(t *testing.T) {
	bin, own, old, cache := t.TempDir(), t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "the cache")
	script(t, own, "hugo", "echo hugo v0.164.0 linux/amd64")
	script(t, old, "hugo", "echo hugo v0.110.0 linux/amd64")
	script(t, bin, "go", `for last; do :; done
printf '#!/bin/sh\necho hugo v%s linux\n' "${last##*@v}" >"$GOBIN/hugo"
chmod +x "$GOBIN/hugo"
echo "$last" >>"`+bin+`/asked"`)
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	asked := func() string {
		text, _ := os.ReadFile(filepath.Join(bin, "asked"))
		return string(text)
	}
	tests := []struct {
		name      string
		path      string
		hugo      string
		versions  []string // of HUGO_VERSION, one command after the other
		extended  string
		version   string // of the one that the last command gets; "" for none but what is on PATH
		installed string
		err       string
	}{
		{name: "a build without Hugo", path: own, versions: []string{""}},
		{name: "the machine's own", path: own, versions: []string{"0.164.0"}, version: "0.164.0"},
		{name: "once a command has named it", path: own, versions: []string{"", "v0.164.0"}, version: "0.164.0"},
		{name: "the machine's is another", path: old + ":" + own, versions: []string{"0.164.0", "0.164.0"}, version: "0.164.0", installed: "github.com/gohugoio/hugo@v0.164.0\n"},
		{name: "installed before", path: old, versions: []string{"0.164.0"}, version: "0.164.0"},
		{name: "first one and then another", path: own, versions: []string{"0.164.0", "0.120.0"}, version: "0.120.0", installed: "github.com/gohugoio/hugo@v0.120.0\n"},
		{name: "the one that was named", path: old, hugo: filepath.Join(own, "hugo"), versions: []string{"0.164.0"}, version: "0.164.0"},
		{name: "another was named", path: own, hugo: filepath.Join(old, "hugo"), versions: []string{"0.164.0"}, err: "wants Hugo v0.164.0, and HUGO=" + filepath.Join(old, "hugo") + " is hugo v0.110.0"},
		{name: "the other edition", path: old, hugo: filepath.Join(own, "hugo"), versions: []string{"0.164.0"}, extended: "true", err: "wants Hugo v0.164.0 (extended), and"},
		{name: "no version", path: own, versions: []string{"latest"}},
		{name: "one that the recipe refuses", path: own, versions: []string{"0.82.0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := asked()
			folder, err := newHugoFolder(&world{
				// There is nothing to download from.
				Options: Options{Path: tt.path, Hugo: tt.hugo, HugoCache: cache, HugoReleases: "http://127.0.0.1:1"},
				dir:     t.TempDir(), record: rehearsal.Begin(rehearsal.Result{}, func(rehearsal.Event) {}),
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, version := range tt.versions {
				variables := map[string]string{"HUGO_EXTENDED": tt.extended}
				if version != "" {
					variables["HUGO_VERSION"] = version
				}
				err = folder.provide(t.Context(), variables)
			}
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			w := hugo.Wanted{Version: tt.version}
			if says := hugo.Says(t.Context(), filepath.Join(folder.dir, "hugo")); tt.version == "" && says != "" || tt.version != "" && !w.Is(says) {
				t.Errorf("the build gets %q, want %q", says, tt.version)
			}
			if got := strings.TrimPrefix(asked(), before); got != tt.installed {
				t.Errorf("installed is %q, want %q", got, tt.installed)
			}
		})
	}
}

func TestANextCommandFindsTheHugoThatOneNames(t *testing.T) {
	source, own := blog(t), t.TempDir()
	script(t, own, "hugo", "echo hugo v0.164.77+extended linux/amd64")
	write(t, source, map[string]string{"buildspec/hugo.yml": `version: 0.2
phases:
  build:
    commands:
      - if hugo version | grep -F v0.164.77; then exit 1; fi
      - export HUGO_VERSION=0.164.77
      - hugo version | grep -F v0.164.77
      - cp -R site public
artifacts:
  base-directory: public
  files: ['**/*']
`})
	r := rehearse(t, t.Context(), read(t, template(t, "uploaded-pipeline")), Options{Source: source, Hugo: filepath.Join(own, "hugo")}, nil)
	if r.err != nil || r.statuses() != allSucceeded {
		t.Errorf("it ends as %s, %v: %+v", r.statuses(), r.err, r.failed())
	}
}
