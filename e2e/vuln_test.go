package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestVuln runs the script of `make vuln` with a stand-in for govulncheck.
func TestVuln(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stub := write("govulncheck", `#!/bin/sh
if test "$*" = -version; then echo "$STUB_VERSION"; else echo "scanned: $*"; fi
`)
	records := filepath.Dir(write("a database/GO-2026-0001.json", "{}"))
	modules := filepath.Dir(filepath.Dir(write("modules/index/modules.json", "[]")))
	other := filepath.Dir(write("other/README.md", ""))
	link := filepath.Join(dir, "link")
	if err := os.Symlink(records, link); err != nil {
		t.Fatal(err)
	}
	resolved := func(folder string) string {
		path, err := filepath.EvalSymlinks(folder)
		if err != nil {
			t.Fatal(err)
		}
		return "file://" + path
	}
	const reachable = "STUB_VERSION=DB updated: 2026-01-01"
	for _, tt := range []struct {
		name   string
		env    []string
		status int
		want   string
	}{
		{"vuln.go.dev", []string{reachable}, 0, "scanned: ./..."},
		{"vuln.go.dev, required", []string{reachable, "VULN=required"}, 0, "scanned: ./..."},
		{"unreachable", nil, 0, "make vuln: not scanned"},
		{"unreachable, required", []string{"VULN=required"}, 1, "make vuln: not scanned"},
		{"mistyped", []string{reachable, "VULN=require"}, 2, "VULN=require is not known"},
		{"URL", []string{"GOVULNDB=https://vuln.example.com"}, 0, "scanned: -db https://vuln.example.com ./..."},
		{"folder of records", []string{"GOVULNDB=" + records}, 0, "scanned: -db " + resolved(records) + " ./..."},
		{"file URL", []string{"GOVULNDB=file://" + records}, 0, "scanned: -db " + resolved(records) + " ./..."},
		{"folder with an index", []string{"GOVULNDB=" + modules}, 0, "scanned: -db " + resolved(modules) + " ./..."},
		{"symbolic link", []string{"GOVULNDB=" + link}, 0, "scanned: -db " + resolved(records) + " ./..."},
		{"another folder", []string{"GOVULNDB=" + other}, 2, "has neither GO-*.json nor index/modules.json"},
		{"no folder", []string{"GOVULNDB=" + filepath.Join(dir, "nowhere")}, 2, "has neither GO-*.json nor index/modules.json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), ".ci/vuln", stub)
			cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, tt.env...)
			out, _ := cmd.CombinedOutput() // The exit status is compared below.
			if got := cmd.ProcessState.ExitCode(); got != tt.status || !strings.Contains(string(out), tt.want) {
				t.Errorf("it exits with %d and prints %q, want %d and %q", got, out, tt.status, tt.want)
			}
		})
	}
}
