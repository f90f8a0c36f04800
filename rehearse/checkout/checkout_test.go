package checkout

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

// write writes new files below a folder.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	all := fstest.MapFS{}
	for name, content := range files {
		all[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
	}
	if err := os.CopyFS(dir, all); err != nil {
		t.Fatal(err)
	}
}

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
	for _, name := range []string{"gone.md", "猫.md"} {
		if err := os.Remove(filepath.Join(dir, "the blog", name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, map[string]string{"the blog/猫.md": "changed", "the blog/new.md": "new", "the blog/public/index.html": "ignored"})
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
	committed := map[string]string{"README": "outside", "the blog/.gitignore": "public/\n", "the blog/猫.md": "committed", "the blog/gone.md": "gone", "the blog/link.md": "-> 猫.md"}
	onDisk := map[string]string{"README": "outside", "the blog/.gitignore": "public/\n", "the blog/猫.md": "changed", "the blog/new.md": "new", "the blog/link.md": "-> 猫.md"}
	inFolder := func(files map[string]string) map[string]string {
		inside := map[string]string{}
		for name, content := range files {
			if name, ok := strings.CutPrefix(name, "the blog/"); ok {
				inside[name] = content
			}
		}
		return inside
	}
	plain := t.TempDir()
	write(t, plain, map[string]string{"a/b.md": "b"})
	if err := syscall.Mkfifo(filepath.Join(plain, "a", "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	withPipe := repository(t)
	if err := syscall.Mkfifo(filepath.Join(withPipe, "the blog", "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	const changed, whole, untracked = "3 files in", "names the folder the blog of the repository", "is no Git repository"
	for _, tt := range []struct {
		name         string
		dir          string
		workingTree  bool
		isRepository bool
		want         map[string]string
		warnings     []string
		commit       bool
	}{
		{"last commit", repository(t), false, false, committed, []string{changed}, true},
		{"working tree", withPipe, true, false, onDisk, nil, true},
		{"folder of a repository", filepath.Join(repository(t), "the blog"), false, false, committed, []string{whole, changed}, true},
		{"folder of a repository, working tree", filepath.Join(withPipe, "the blog"), true, false, onDisk, []string{whole}, true},
		{"folder that stands for a repository", filepath.Join(repository(t), "the blog"), false, true, inFolder(committed), []string{changed}, true},
		{"folder that stands for a repository, working tree", filepath.Join(withPipe, "the blog"), true, true, inFolder(onDisk), nil, true},
		{"no repository", plain, false, false, map[string]string{"a/b.md": "b"}, []string{untracked, "a/pipe is neither a file"}, false},
		{"ignored folder of a repository", filepath.Join(repository(t), "the blog", "public"), false, false, map[string]string{"index.html": "ignored"}, []string{untracked}, false},
	} {
		for _, clone := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, clone %t", tt.name, clone), func(t *testing.T) {
				c, err := Open(t.Context(), tt.dir, tt.isRepository)
				if err != nil {
					t.Fatal(err)
				}
				to, warnings := source(t, c, tt.workingTree, clone)
				if got := contents(t, to); !maps.Equal(got, tt.want) {
					t.Errorf("got %v, want %v", got, tt.want)
				}
				for _, want := range tt.warnings {
					if !slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, want) }) {
						t.Errorf("warnings are %q, want %q among them", warnings, want)
					}
				}
				if !clone && len(warnings) != len(tt.warnings) {
					t.Errorf("warnings are %q, want %d", warnings, len(tt.warnings))
				}
				if (c.Commit != "") != tt.commit || tt.commit && (c.Message != "First\n\nbody" || c.Author != "N") {
					t.Errorf("the commit is %q by %q: %q", c.Commit, c.Author, c.Message)
				}
				_, err = os.Stat(filepath.Join(to, ".git"))
				if hasGit := err == nil; hasGit != clone {
					t.Errorf("it has a .git: %t, want %t", hasGit, clone)
				}
				if left, _ := filepath.Glob(filepath.Join(filepath.Dir(to), "*")); len(left) > 2 { // The zip file, too.
					t.Errorf("left are %q", left)
				}
			})
		}
	}
}

// source returns the folder that a build gets of a checkout, and the warnings about it.
func source(t *testing.T, c Checkout, workingTree, clone bool) (dir string, warnings []string) {
	t.Helper()
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	to := filepath.Join(t.TempDir(), "out")
	err := c.Explain(t.Context(), workingTree, warn)
	switch {
	case err != nil:
	case clone:
		err = c.Clone(t.Context(), workingTree, to, warn)
	default:
		if err = c.Pack(t.Context(), workingTree, to+".zip", warn); err == nil {
			err = Unzip(t.Context(), to+".zip", to)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return to, warnings
}

// TestFilters has a machine that changes files on their way from the repository to the disk, as Git LFS
// does: a pipeline gets what is in the repository, but for what .gitattributes leaves out.
func TestFilters(t *testing.T) {
	dir := repository(t)
	home := t.TempDir()
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(home, "config"))
	write(t, home, map[string]string{
		"config": "[core]\n\tautocrlf = true\n\tattributesFile = " + filepath.Join(home, "attributes") + "\n" +
			"[filter \"lfs\"]\n\tsmudge = sed s/pointer/content/\n\tclean = sed s/content/pointer/\n\trequired = true\n",
		"attributes": "README export-ignore\n",
	})
	git := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=N", "-c", "user.email=n@example.com"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
	}
	write(t, dir, map[string]string{".gitattributes": "*.jpg filter=lfs -text\n/notes export-ignore\nid export-subst\n", "a.jpg": "content\n", "notes": "mine\n", "id": "$Format:%an$\n"})
	git("add", "--all")
	git("commit", "--quiet", "--message=Second")
	c, err := Open(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, workingTree := range []bool{false, true} {
		for _, clone := range []bool{false, true} {
			to, warnings := source(t, c, workingTree, clone)
			got := contents(t, to)
			_, notes := got["notes"]
			id := "$Format:%an$\n"
			if !clone && !workingTree {
				id = "N\n"
			}
			if got["a.jpg"] != "pointer\n" || got["README"] != "outside" || notes != (clone && !workingTree) || got["id"] != id && !workingTree {
				t.Errorf("working tree %t, clone %t: got %q (%q)", workingTree, clone, got, warnings)
			}
		}
	}
	if status, err := c.git(t.Context(), "status", "--porcelain"); err != nil || status != "" {
		t.Errorf("the repository has changed: %s, %v", status, err)
	}
}

// TestCloneKeepsHistory clones a whole repository.
func TestCloneKeepsHistory(t *testing.T) {
	c, err := Open(t.Context(), repository(t), false)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "clone")
	if err := c.Clone(t.Context(), false, to, func(string, ...any) {}); err != nil {
		t.Fatal(err)
	}
	cloned, err := Open(t.Context(), to, false)
	if err != nil || cloned.Commit != c.Commit {
		t.Errorf("the clone is at %q, %v, want %q", cloned.Commit, err, c.Commit)
	}
	if got := contents(t, to)["the blog/猫.md"]; got != "committed" {
		t.Errorf("the clone has %q", got)
	}
}

func TestPackRefuses(t *testing.T) {
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "nothing"), false); err == nil || !strings.Contains(err.Error(), "SOURCE is ") || !strings.Contains(err.Error(), "nothing, and there is no such folder") {
		t.Errorf("a folder that is not there: %v", err)
	}
	bare := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "git", "init", "--quiet", "--bare", bare).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := Open(t.Context(), bare, false); err == nil || !strings.Contains(err.Error(), "SOURCE is "+bare+", which Git does not open as a checkout") {
		t.Errorf("a bare repository: %v", err)
	}
	empty := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "git", "init", "--quiet", empty).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	write(t, empty, map[string]string{"a": "b"})
	c, err := Open(t.Context(), empty, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Explain(t.Context(), false, t.Logf); err == nil || !strings.Contains(err.Error(), "has no commit yet") || !strings.Contains(err.Error(), "WORKING_TREE=1") {
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
	if err := Unzip(t.Context(), archive, filepath.Join(dir, "inside")); err == nil {
		t.Error("it is unpacked")
	}
	if _, err := os.Stat(filepath.Join(dir, "outside")); err == nil {
		t.Error("there is a file outside")
	}
}

// TestUnzipNames has names that this machine cannot have, and AWS can.
func TestUnzipNames(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string
		want  string
	}{
		{"two of one name, as A and a are on some machines", []string{"a", "a"}, `"a": to this machine it is the name of another file`},
		{"too long", []string{strings.Repeat("x", 300)}, "this machine cannot have a file of that name"},
		{"odd", []string{"a\nb", `a\b`, "*", " ", "a/" + strings.Repeat("y", 255)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			archive := filepath.Join(dir, "a.zip")
			out, err := os.Create(archive)
			if err != nil {
				t.Fatal(err)
			}
			w := zip.NewWriter(out)
			for _, name := range tt.files {
				if _, err := w.Create(name); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(w.Close(), out.Close()); err != nil {
				t.Fatal(err)
			}
			err = Unzip(t.Context(), archive, filepath.Join(dir, "to"))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
