// Package checkout hands over the owner's checkout of a repository as GitHub would: as an archive of a commit, or as
// a clone.
package checkout

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/amount"
	"blog-deploy-pipeline/rehearse/leftovers"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// Checkout is a folder that stands for the repository.
type Checkout struct {
	// Commit is the id of the last commit; empty if there is none. Author, Date and Message belong to it.
	Commit, Author, Date, Message string

	dir    string // the root of the repository, or the folder that stands for one
	within string // the folder in the repository that the owner named; "" for the root
	inGit  bool
	part   bool // dir is a folder in another repository
}

// Open opens a folder as a checkout. A folder in a repository stands for the whole repository, as on AWS; with
// isRepository, it stands for a repository of its own.
func Open(ctx context.Context, dir string, isRepository bool) (Checkout, error) {
	c := Checkout{dir: dir}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("SOURCE is %s, and there is no such folder: name a checkout of the blog's repository", dir)
	}
	if err != nil {
		return c, fmt.Errorf("open the source (SOURCE): %w", err)
	}
	if !info.IsDir() {
		return c, fmt.Errorf("SOURCE is %s, which is not a folder: name a checkout of the blog's repository", dir)
	}
	if _, err := exec.LookPath("git"); err != nil {
		return c, nil //nolint:nilerr // Without Git the folder is taken as it is.
	}
	top, err := c.git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		if strings.Contains(err.Error(), "not a git repository") {
			return c, nil
		}
		// Such as one that is somebody else's, or a bare one.
		return c, fmt.Errorf("SOURCE is %s, which Git does not open as a checkout: %w", dir, err)
	}
	prefix, err := c.git(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return c, fmt.Errorf("open the source: %w", err)
	}
	c.inGit, prefix = true, strings.TrimSuffix(strings.TrimSuffix(prefix, "\n"), "/")
	if prefix != "" {
		// A folder in which Git ignores every file is in no commit: it is no checkout of the repository around it.
		if tracked, err := c.git(ctx, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "."); err == nil && tracked == "" {
			return Checkout{dir: dir}, nil
		}
		if c.part = isRepository; !isRepository {
			c.dir, c.within = strings.TrimSuffix(top, "\n"), prefix
		}
	}
	if log, err := c.git(ctx, "log", "-1", "--format=%H%x00%an%x00%aI%x00%B", "HEAD"); err == nil {
		fields := strings.SplitN(log, "\x00", 4)
		if len(fields) == 4 {
			c.Commit, c.Author, c.Date, c.Message = fields[0], fields[1], fields[2], strings.TrimSpace(fields[3])
		}
	}
	return c, ctx.Err()
}

// git runs Git in the folder, and returns its output.
func (c Checkout) git(ctx context.Context, args ...string) (string, error) {
	return c.gitWith(ctx, nil, args...)
}

// gitWith runs Git in the folder with additional environment variables.
func (c Checkout) gitWith(ctx context.Context, env []string, args ...string) (string, error) {
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.dir, &out, &complaint
	// Within a Git hook, these variables name the repository of the hook.
	cmd.Env = slices.DeleteFunc(cmd.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX"}, name)
	})
	cmd.Env = append(append(cmd.Env, "LC_ALL=C"), env...) // Open looks for words in its messages.
	if err := leftovers.Run(cmd); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}

// asGitHub returns environment variables with which Git hands over files as GitHub does: as they are in the
// repository, whatever filters, attributes and hooks this machine has. With Git LFS, the files are its pointers.
func (c Checkout) asGitHub(ctx context.Context) ([]string, error) {
	settings := [][2]string{{"core.autocrlf", "false"}, {"core.attributesFile", os.DevNull}, {"core.hooksPath", os.DevNull}}
	// Git fails if there are no filters.
	if filters, err := c.git(ctx, "config", "--name-only", "-z", "--get-regexp", `^filter\..*\.(smudge|process|required)$`); err == nil {
		for name := range strings.SplitSeq(strings.TrimSuffix(filters, "\x00"), "\x00") {
			value := ""
			if strings.HasSuffix(name, ".required") {
				value = "false"
			}
			settings = append(settings, [2]string{name, value})
		}
	}
	env := []string{fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(settings))}
	for i, setting := range settings {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, setting[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, setting[1]))
	}
	return env, ctx.Err()
}

// Explain warns the owner where the pipeline gets something else than the owner may expect.
func (c Checkout) Explain(ctx context.Context, workingTree bool, warn func(string, ...any)) error {
	if !c.inGit {
		warn("%s is no Git repository: the pipeline gets its files as they are", c.dir)
		return nil
	}
	if c.within != "" {
		warn("SOURCE names the folder %s of the repository %s: a pipeline gets the whole repository, and so does this rehearsal; Build.RootDirectory in blogs.go says where in it the site is", c.within, c.dir)
	}
	if workingTree {
		return nil
	}
	if c.Commit == "" {
		return &rehearsal.Failure{
			Code:   "ConfigurationError",
			Reason: fmt.Sprintf("the repository %s has no commit yet, and a pipeline gets what is committed; commit, or rehearse the working tree with WORKING_TREE=1", c.dir),
			Look:   "the folder that SOURCE names: " + c.dir,
		}
	}
	changed, err := c.git(ctx, "status", "--porcelain", "-z", "--no-renames", "--", ".")
	if err != nil {
		return err
	}
	if n := strings.Count(changed, "\x00"); n > 0 {
		verb := "are not committed as they are"
		if n == 1 {
			verb = "is not committed as it is"
		}
		warn("%s in %s %s, and a pipeline gets what is committed; WORKING_TREE=1 rehearses the working tree", amount.Count(n, "file"), c.dir, verb)
	}
	return nil
}

// Pack writes the files of the last commit to an archive; with workingTree, those that a commit of all files would
// have.
func (c Checkout) Pack(ctx context.Context, workingTree bool, to string, warn func(string, ...any)) error {
	if !c.inGit {
		return c.zip(ctx, to, warn)
	}
	as, err := c.asGitHub(ctx)
	if err != nil {
		return err
	}
	if workingTree {
		return c.packWorkingTree(ctx, as, to)
	}
	return c.archive(ctx, as, "HEAD", to)
}

// archive writes the files of a commit or a tree to an archive. Below the root of a repository, Git archives only
// that folder.
func (c Checkout) archive(ctx context.Context, env []string, tree, to string) error {
	_, err := c.gitWith(ctx, env, "archive", "--format=zip", "--output="+to, tree)
	return err
}

// packWorkingTree archives all files that are not ignored, as a commit of them would have them. It writes nothing to
// the repository.
func (c Checkout) packWorkingTree(ctx context.Context, as []string, to string) (err error) {
	paths, err := c.git(ctx, "rev-parse", "--path-format=absolute", "--git-path", "index", "--git-path", "objects")
	if err != nil {
		return err
	}
	index, objects, _ := strings.Cut(strings.TrimSuffix(paths, "\n"), "\n")
	dir := to + ".git"
	if err := os.MkdirAll(filepath.Join(dir, "objects"), 0o750); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// With a copy of the index, Git reads only files that have changed. A new repository has no index.
	if content, err := os.ReadFile(index); err == nil {
		if err := os.WriteFile(filepath.Join(dir, "index"), content, 0o600); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	env := []string{
		"GIT_INDEX_FILE=" + filepath.Join(dir, "index"),
		"GIT_OBJECT_DIRECTORY=" + filepath.Join(dir, "objects"),
		"GIT_ALTERNATE_OBJECT_DIRECTORIES=" + objects,
	}
	if _, err := c.gitWith(ctx, env, "add", "--all", "."); err != nil {
		return err
	}
	tree, err := c.gitWith(ctx, env, "write-tree")
	if err != nil {
		return err
	}
	return c.archive(ctx, append(env, as...), strings.TrimSpace(tree), to)
}

// zip writes the files of a folder that is no repository to an archive. It leaves out what Git would leave out:
// pipes, sockets and devices. It skips files that disappear while it runs.
func (c Checkout) zip(ctx context.Context, to string, warn func(string, ...any)) (err error) {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	archive := zip.NewWriter(out)
	// Large files are mostly pictures and films, which are compressed already.
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	err = filepath.WalkDir(c.dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != c.dir:
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case entry.Name() == ".git" && path != c.dir:
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		name, err := filepath.Rel(c.dir, path)
		if err != nil {
			return err
		}
		if kind := entry.Type(); !kind.IsRegular() && kind != fs.ModeSymlink {
			warn("%s is neither a file nor a folder nor a symbolic link, and is left out, as Git would leave it out", name)
			return nil
		}
		return addFile(archive, path, filepath.ToSlash(name))
	})
	if err != nil {
		return err
	}
	return archive.Close()
}

// addFile adds a file or a symbolic link to an archive. A file that has disappeared is left out.
func addFile(archive *zip.Writer, path, name string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	header, err := zip.FileInfoHeader(info)
	if err != nil {
		return err
	}
	header.Name, header.Method = name, zip.Deflate
	var content io.Reader
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		content = strings.NewReader(target)
	} else {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // It was only read.
		content = file
	}
	w, err := archive.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, content)
	return err
}

// Clone makes a clone of the repository: the files, and their history.
func (c Checkout) Clone(ctx context.Context, workingTree bool, to string, warn func(string, ...any)) error {
	if c.inGit && !c.part && c.Commit != "" && !workingTree {
		as, err := c.asGitHub(ctx)
		if err != nil {
			return err
		}
		// Hard links would let a build write to the owner's repository.
		if _, err := c.gitWith(ctx, as, "clone", "--quiet", "--no-hardlinks", "--no-tags", "--no-checkout", ".", to); err != nil {
			return err
		}
		cloned := Checkout{dir: to}
		// Relative addresses of submodules start from it.
		if origin, err := c.git(ctx, "remote", "get-url", "origin"); err == nil {
			if _, err := cloned.git(ctx, "remote", "set-url", "origin", strings.TrimSpace(origin)); err != nil {
				return err
			}
		}
		_, err = cloned.gitWith(ctx, as, "checkout", "--quiet", "--detach", c.Commit)
		return err
	}
	archive := to + ".zip"
	if err := c.Pack(ctx, workingTree, archive, warn); err != nil {
		return err
	}
	if err := errors.Join(Unzip(ctx, archive, to), os.Remove(archive)); err != nil {
		return err
	}
	warn("the build gets a clone that has one commit, with the files of %s and without their history", c.dir)
	cloned := Checkout{dir: to}
	for _, args := range [][]string{
		{"init", "--quiet"},
		{"add", "--all", "--force"},
		{"-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.com", "-c", "commit.gpgsign=false", "commit", "--quiet", "--allow-empty", "--no-verify", "--message=" + cmp.Or(c.Message, "Rehearsal")},
	} {
		if _, err := cloned.git(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}
