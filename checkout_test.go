package main

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// These tests use the project as its owner does: make, the real CDK CLI, the
// compiled app and functions. They hold whatever blogs.go says.

// hang is longer than any command takes on a machine that has much else to do.
const hang = 30 * time.Minute

func TestMain(m *testing.M) {
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	folder, err := os.MkdirTemp("", "shared")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	shared.folder = folder
	// No ~/.cdk.json of the developer's; what Go has in the developer's home it keeps.
	for _, name := range []string{"GOENV", "GOPATH", "GOCACHE", "GOMODCACHE"} {
		value, err := exec.CommandContext(context.Background(), "go", "env", name).Output()
		if err == nil {
			err = os.Setenv(name, strings.TrimSpace(string(value)))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := os.Setenv("HOME", folder); err != nil {
		panic(err)
	}
	return m.Run()
}

// checkout is a copy of this project in a folder of its own, which shares what was
// installed. Its path has a space, as users' paths do.
type checkout struct {
	t   testing.TB
	dir string
}

// isInstalled sees to it that no checkout installs anything: through the link to
// node_modules it would empty what others share.
func isInstalled(t testing.TB) {
	t.Helper()
	installed, err := os.Stat("node_modules/.package-lock.json")
	if err != nil {
		t.Fatalf("the CDK CLI is not installed: %v; run `make build`", err)
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		if info, err := os.Stat(name); err != nil || info.ModTime().After(installed.ModTime()) {
			t.Fatalf("%s is newer than what is installed (%v); run `make build`", name, err)
		}
	}
}

// newCheckout makes a checkout of which nothing is built yet.
func newCheckout(t testing.TB) checkout {
	t.Helper()
	return checkoutIn(t, t.TempDir())
}

func checkoutIn(t testing.TB, folder string) checkout {
	t.Helper()
	isInstalled(t)
	dir := filepath.Join(folder, "a checkout")
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	names = append(names, strings.Fields("go.mod go.sum stacks lambdas buildspec appspec rehearse Makefile cdk.json package.json package-lock.json")...)
	for _, name := range names {
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

// copyTree keeps modes, and times, by which make knows what is up to date.
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
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, content, info.Mode().Perm()); err != nil {
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

// build takes the functions from this project's own dist/, brought up to date, and
// compiles what is missing.
func (c checkout) build() (string, error) {
	c.t.Helper()
	if out, err := (checkout{c.t, "."}).make("build"); err != nil {
		return out, err
	}
	for _, name := range []string{"invalidate", "deployhook"} {
		binary := filepath.Join("dist", name, "bootstrap")
		copyTree(c.t, binary, filepath.Join(c.dir, binary))
		// It is up to date, but older than the checkout.
		if err := os.Chtimes(filepath.Join(c.dir, binary), time.Now(), time.Now()); err != nil {
			c.t.Fatal(err)
		}
	}
	return c.make("build")
}

// run runs a command in the checkout.
func (c checkout) run(env []string, name string, args ...string) (string, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), hang)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = c.dir
	cmd.Env = environment()
	if c.dir != "." {
		// So that what one checkout has compiled is not compiled for the next.
		cmd.Env = append(cmd.Env, "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -trimpath"))
	}
	cmd.Env = append(cmd.Env, env...)
	// What the command started may outlive it, and keep its output open.
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// environment is this process's, without its make, and without what a developer may have set for AWS and
// for every CDK app.
func environment() []string {
	own := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS") || strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "CDK_")
	})
	return append(own, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
}

// lists replaces the checkout's blogs and services.
func (c checkout) lists(blogs, services string) {
	c.t.Helper()
	for name, list := range map[string]string{
		"blogs.go":    "var blogs = []stacks.BlogProps{" + blogs + "}",
		"services.go": "func init() { services = []stacks.Service{" + services + "} }",
	} {
		text := "package main\n\nimport \"blog-deploy-pipeline/stacks\"\n\n" + list + "\n"
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
}

// Compiling and synthesising take most of the time of these tests. So those that look at
// what is synthesised, or at what make does with it, share one checkout with all of
// their blogs and services.
const (
	sharedBlogs    = rehearsedBlog + "," + rehearsedSite + "," + browsedBlog + "," + ownBlog + "," + ownSite + "," + exampleBlog + "," + exampleSite
	sharedServices = ownServices + exampleServices
)

var shared struct {
	sync.Once
	folder, dir string // dir is "" if it could not be made
}

// sharedCheckout returns that checkout. What its app would synthesise is in the folder
// synthesised, for good: cdk.out is made anew by each command, of a copy.
func sharedCheckout(t testing.TB) checkout {
	t.Helper()
	shared.Do(func() {
		c := checkoutIn(t, shared.folder)
		c.lists(sharedBlogs, sharedServices)
		if out, err := c.build(); err != nil {
			t.Fatalf("make build: %v\n%s", err, out)
		}
		if out, err := (checkout{t, "."}).make("dist/rehearse"); err != nil {
			t.Fatalf("make dist/rehearse: %v\n%s", err, out)
		}
		if out, err := c.make("synth", "CDK_VALIDATION=true"); err != nil {
			t.Fatalf("make synth: %v\n%s", err, out)
		}
		const app = "#!/bin/sh\ntest $# -eq 0 || exec dist/the-app \"$@\"\ncp -R synthesised \"$CDK_OUTDIR\"\n"
		for _, err := range []error{
			os.Rename(filepath.Join(c.dir, "cdk.out"), filepath.Join(c.dir, "synthesised")),
			os.Rename(filepath.Join(c.dir, "dist", "app"), filepath.Join(c.dir, "dist", "the-app")),
			os.WriteFile(filepath.Join(c.dir, "dist", "app"), []byte(app), 0o755),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		shared.dir = c.dir
	})
	if shared.dir == "" {
		t.Fatal("the checkout that tests share could not be made: the test that was first says why")
	}
	return checkout{t, shared.dir}
}

// synthesised is the shared checkout's cloud assembly.
func (c checkout) synthesised() string { return filepath.Join(c.dir, "synthesised") }
