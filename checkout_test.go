package main

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// These tests use the project as its owner does: make, the real CDK CLI, the
// compiled app and functions. They hold whatever blogs.go says.

// checkout is a copy of this project in a folder of its own, which shares what was
// installed. Its path has a space, as users' paths do.
type checkout struct {
	t   testing.TB
	dir string
}

func newCheckout(t testing.TB) checkout {
	t.Helper()
	installed, err := os.Stat("node_modules/.package-lock.json")
	if err != nil {
		t.Fatalf("the CDK CLI is not installed: %v; run `make build`", err)
	}
	// make would install anew, and through the link empty what others share.
	for _, name := range []string{"package.json", "package-lock.json"} {
		if info, err := os.Stat(name); err != nil || info.ModTime().After(installed.ModTime()) {
			t.Fatalf("%s is newer than what is installed (%v); run `make build`", name, err)
		}
	}
	dir := filepath.Join(t.TempDir(), "a checkout")
	for name := range strings.FieldsSeq("go.mod go.sum main.go context.go blogs.go stacks lambdas buildspec appspec rehearse Makefile cdk.json package.json package-lock.json") {
		copyTree(t, name, filepath.Join(dir, name))
	}
	modules, err := filepath.Abs("node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return checkout{t, dir}
}

// copyTree keeps times, by which make knows what is up to date.
func copyTree(t testing.TB, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, content, 0o644); err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return os.Chtimes(target, info.ModTime(), info.ModTime())
	})
	if err != nil {
		t.Fatalf("copy %s: %v", from, err)
	}
}

// make runs a make target and returns all that it printed. CloudFormation's rules
// are checked only where env says so: they take seconds.
func (c checkout) make(target string, env ...string) (string, error) {
	c.t.Helper()
	return c.run(append([]string{"CDK_VALIDATION=false"}, env...), "make", strings.Fields(target)...)
}

// run runs a command in the checkout.
func (c checkout) run(env []string, name string, args ...string) (string, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = c.dir
	cmd.Env = append(environment(), env...)
	// What the command started may outlive it, and keep its output open.
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// environment is this process's, without its make and without credentials that a developer may have.
func environment() []string {
	own := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS") || strings.HasPrefix(v, "AWS_")
	})
	return append(own, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
}

// blogs replaces the checkout's list of blogs; it has no services then.
func (c checkout) blogs(literal string) { c.lists(literal, "") }

// lists replaces the checkout's blogs and services.
func (c checkout) lists(blogs, services string) {
	c.t.Helper()
	text := "package main\n\nimport \"blog-deploy-pipeline/stacks\"\n\nvar blogs = []stacks.BlogProps{" + blogs + "}\n\nvar services = []stacks.Service{" + services + "}\n"
	if err := os.WriteFile(filepath.Join(c.dir, "blogs.go"), []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
}
