package pipeline

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository is a Git repository whose folder "the blog" has a page committed, one changed since, one
// not yet added, and one ignored.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=N", "-c", "user.email=n@example.com"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
	}
	git("init", "--quiet", "--initial-branch=main")
	write(t, dir, map[string]string{"README": "outside", "the blog/猫.md": "committed", "the blog/gone.md": "gone", "the blog/.gitignore": "public/\n"})
	if err := os.Symlink("猫.md", filepath.Join(dir, "the blog", "link.md")); err != nil {
		t.Fatal(err)
	}
	git("add", "--all")
	git("commit", "--quiet", "--message=First\n\nbody")
	write(t, dir, map[string]string{"the blog/猫.md": "changed", "the blog/new.md": "new", "the blog/public/index.html": "ignored"})
	if err := os.Remove(filepath.Join(dir, "the blog", "gone.md")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// contents are the files of a folder, and where its links lead.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if err == nil && entry.Name() == ".git" {
				return fs.SkipDir
			}
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if entry.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			found[name] = "-> " + target
			return err
		}
		content, err := os.ReadFile(path)
		found[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestPack(t *testing.T) {
	committed := map[string]string{".gitignore": "public/\n", "猫.md": "committed", "gone.md": "gone", "link.md": "-> 猫.md"}
	onDisk := map[string]string{".gitignore": "public/\n", "猫.md": "changed", "new.md": "new", "link.md": "-> 猫.md"}
	plain := t.TempDir()
	write(t, plain, map[string]string{"a/b.md": "b"})
	for _, tt := range []struct {
		name        string
		dir         string
		workingTree bool
		want        map[string]string
		note        string
		commit      bool
	}{
		{"last commit", filepath.Join(repository(t), "the blog"), false, committed, "3 files in", true},
		{"working tree", filepath.Join(repository(t), "the blog"), true, onDisk, "", true},
		{"no repository", plain, false, map[string]string{"a/b.md": "b"}, "is no Git repository", false},
		{"ignored folder of a repository", filepath.Join(repository(t), "the blog", "public"), false, map[string]string{"index.html": "ignored"}, "is no Git repository", false},
	} {
		for _, clone := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, clone %t", tt.name, clone), func(t *testing.T) {
				c, err := openCheckout(t.Context(), tt.dir)
				if err != nil {
					t.Fatal(err)
				}
				var notes []string
				note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
				to := filepath.Join(t.TempDir(), "out")
				if clone {
					err = c.clone(t.Context(), tt.workingTree, to, note)
				} else {
					archive := to + ".zip"
					if err = c.pack(t.Context(), tt.workingTree, archive, note); err == nil {
						err = unzip(archive, to)
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := contents(t, to); !maps.Equal(got, tt.want) {
					t.Errorf("got %v, want %v", got, tt.want)
				}
				if got := strings.Join(notes, "\n"); !strings.Contains(got, tt.note) {
					t.Errorf("notes are %q, want %q among them", got, tt.note)
				}
				if (c.commit != "") != tt.commit || tt.commit && (c.message != "First\n\nbody" || c.author != "N") {
					t.Errorf("the commit is %q by %q: %q", c.commit, c.author, c.message)
				}
				_, err = os.Stat(filepath.Join(to, ".git"))
				if hasGit := err == nil; hasGit != clone {
					t.Errorf("it has a .git: %t, want %t", hasGit, clone)
				}
			})
		}
	}
}

// TestCloneKeepsHistory clones a whole repository.
func TestCloneKeepsHistory(t *testing.T) {
	c, err := openCheckout(t.Context(), repository(t))
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "clone")
	if err := c.clone(t.Context(), false, to, func(string, ...any) {}); err != nil {
		t.Fatal(err)
	}
	cloned, err := openCheckout(t.Context(), to)
	if err != nil || cloned.commit != c.commit {
		t.Errorf("the clone is at %q, %v, want %q", cloned.commit, err, c.commit)
	}
	if got := contents(t, to)["the blog/猫.md"]; got != "committed" {
		t.Errorf("the clone has %q", got)
	}
}

func TestPackRefuses(t *testing.T) {
	if _, err := openCheckout(t.Context(), filepath.Join(t.TempDir(), "nothing")); err == nil || !strings.Contains(err.Error(), "SOURCE is ") || !strings.Contains(err.Error(), "nothing, and there is no such folder") {
		t.Errorf("a folder that is not there: %v", err)
	}
	empty := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "git", "init", "--quiet", empty).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	write(t, empty, map[string]string{"a": "b"})
	c, err := openCheckout(t.Context(), empty)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.pack(t.Context(), false, filepath.Join(t.TempDir(), "a.zip"), t.Logf); err == nil || !strings.Contains(err.Error(), "has no commit yet") || !strings.Contains(err.Error(), "WORKING_TREE=1") {
		t.Errorf("a repository without a commit: %v", err)
	}
}

// TestUnzipStaysInside refuses an archive that would write elsewhere.
func TestUnzipStaysInside(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "evil.zip")
	out, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(out)
	if _, err := w.Create("../outside"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := unzip(archive, filepath.Join(dir, "inside")); err == nil {
		t.Error("it is unpacked")
	}
	if _, err := os.Stat(filepath.Join(dir, "outside")); err == nil {
		t.Error("there is a file outside")
	}
}
