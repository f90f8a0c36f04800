// Package e2e tests the project as its owner uses it: with make, the real CDK CLI, and the compiled app, functions and
// rehearsal. The tests pass whatever blogs.go lists.
package e2e

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

	"blog-deploy-pipeline/rehearse/s3"
)

// hang is longer than any command takes, even on a busy machine.
const hang = 30 * time.Minute

func TestMain(m *testing.M) {
	s3.Main()
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	s3.Main()
	if err := os.Chdir(".."); err != nil { // Like an owner, the tests work in the project's folder.
		panic(err)
	}
	folder, err := os.MkdirTemp("", "shared")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	shared.folder = folder
	// The developer's ~/.cdk.json must not change what is tested. Go keeps using the folders in the developer's home.
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

// checkout is a copy of this project in a folder of its own, except that node_modules is shared. Its path contains a
// space, as users' paths do.
type checkout struct {
	t   testing.TB
	dir string
}

// requireInstalled fails the test if a checkout would install anything: through its link to node_modules it would
// empty the folder that all checkouts share.
func requireInstalled(t testing.TB) {
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

// newCheckout makes a checkout in which nothing is built yet.
func newCheckout(t testing.TB) checkout {
	t.Helper()
	return checkoutIn(t, t.TempDir())
}

func checkoutIn(t testing.TB, folder string) checkout {
	t.Helper()
	requireInstalled(t)
	dir := filepath.Join(folder, "a checkout")
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	names = append(names, strings.Fields("go.mod go.sum command stacks lambdas buildspec appspec operate rehearse Makefile cdk.json package.json package-lock.json")...)
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

// copyTree copies a file or a folder with its modes, and with its times, by which make decides what is up to date.
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

// make runs a make command and returns everything that it prints. The app checks CloudFormation's rules, which takes
// seconds, only if env turns that on.
func (c checkout) make(target string, env ...string) (string, error) {
	c.t.Helper()
	return c.run(append([]string{"CDK_VALIDATION=false"}, env...), "make", strings.Fields(target)...)
}

// build copies the functions from this project's own dist/, which it brings up to date first, and compiles the rest.
func (c checkout) build() (string, error) {
	c.t.Helper()
	if out, err := (checkout{c.t, "."}).make("build"); err != nil {
		return out, err
	}
	for _, name := range []string{"publish", "invalidate", "deployhook"} {
		binary := filepath.Join("dist", name, "bootstrap")
		copyTree(c.t, binary, filepath.Join(c.dir, binary))
		// To make, a file that is older than the checkout's sources is out of date.
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
		// With -trimpath, Go's cache serves all checkouts, whatever their paths.
		cmd.Env = append(cmd.Env, "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -trimpath"))
	}
	cmd.Env = append(cmd.Env, env...)
	// A process that the command started may outlive it, and keep its output open.
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// environment returns this process's environment without the variables of the make that runs the tests, and without
// a developer's settings for AWS and the CDK.
func environment() []string {
	own := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS") || strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "CDK_")
	})
	return append(own, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
}
