package pipeline

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
	"syscall"

	"blog-deploy-pipeline/rehearse/leftovers"
)

// sourceLimit is the most that CodePipeline takes from GitHub as a zip file.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const sourceLimit = 1_000_000_000

// checkout is the owner's folder, which stands for the repository.
type checkout struct {
	dir     string // of the repository, or the folder that stands for it
	within  string // the folder in it that was named; "" for the whole repository
	inGit   bool
	part    bool // of a repository, and stands for one
	commit  string
	author  string
	date    string
	message string
}

// openCheckout looks at a folder. A folder in a repository stands for all of it, as at AWS; with alone, it
// stands for a repository by itself.
func openCheckout(ctx context.Context, dir string, alone bool) (checkout, error) {
	c := checkout{dir: dir}
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
		// A file that is ignored is in no commit: such a folder is no checkout of the repository around it.
		if tracked, err := c.git(ctx, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "."); err == nil && tracked == "" {
			return checkout{dir: dir}, nil
		}
		if c.part = alone; !alone {
			c.dir, c.within = strings.TrimSuffix(top, "\n"), prefix
		}
	}
	if log, err := c.git(ctx, "log", "-1", "--format=%H%x00%an%x00%aI%x00%B", "HEAD"); err == nil {
		fields := strings.SplitN(log, "\x00", 4)
		if len(fields) == 4 {
			c.commit, c.author, c.date, c.message = fields[0], fields[1], fields[2], strings.TrimSpace(fields[3])
		}
	}
	return c, ctx.Err()
}

// git runs Git in the folder.
func (c checkout) git(ctx context.Context, args ...string) (string, error) {
	return c.gitWith(ctx, nil, args...)
}

// gitWith runs Git in the folder, with more variables.
func (c checkout) gitWith(ctx context.Context, env []string, args ...string) (string, error) {
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.dir, &out, &complaint
	// A Git hook has variables that name its own repository.
	cmd.Env = slices.DeleteFunc(cmd.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX"}, name)
	})
	cmd.Env = append(append(cmd.Env, "LC_ALL=C"), env...) // What it complains about is read above.
	if err := leftovers.Run(cmd); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}

// asGitHub are variables with which Git hands files over as GitHub does: as they are in the repository,
// whatever filters, attributes and hooks this machine has. With Git LFS these are its pointers.
func (c checkout) asGitHub(ctx context.Context) ([]string, error) {
	settings := [][2]string{{"core.autocrlf", "false"}, {"core.attributesFile", os.DevNull}, {"core.hooksPath", os.DevNull}}
	// It fails where there is none.
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

// explain warns where what the pipeline gets is not what the owner may think of.
func (c checkout) explain(ctx context.Context, workingTree bool, warn func(string, ...any)) error {
	if !c.inGit {
		warn("%s is no Git repository: its files are taken as they are", c.dir)
		return nil
	}
	if c.within != "" {
		warn("SOURCE names the folder %s of the repository %s: a pipeline gets the whole repository, and so does this rehearsal; Build.RootDirectory in blogs.go says where in it the site is", c.within, c.dir)
	}
	if workingTree {
		return nil
	}
	if c.commit == "" {
		return &failure{
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
		warn("%s in %s %s, and a pipeline gets what is committed; WORKING_TREE=1 rehearses the working tree", Count(n, "file"), c.dir, verb)
	}
	return nil
}

// pack writes the source artifact: what is committed or, if so wanted, what a commit of the working tree
// would have.
func (c checkout) pack(ctx context.Context, workingTree bool, to string, warn func(string, ...any)) error {
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

// archive writes a commit's files, or a tree's. Below a repository's root, Git takes that folder alone.
func (c checkout) archive(ctx context.Context, env []string, tree, to string) error {
	_, err := c.gitWith(ctx, env, "archive", "--format=zip", "--output="+to, tree)
	return err
}

// packWorkingTree archives what a commit of all that is not ignored would have. Nothing of it is written
// to the repository.
func (c checkout) packWorkingTree(ctx context.Context, as []string, to string) (err error) {
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
	// With the index Git need not read again what has not changed. Where nothing was added there is none.
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

// zip writes the folder's files into an archive, but for what Git would not take either: pipes, sockets
// and devices. What goes while it runs is left out.
func (c checkout) zip(ctx context.Context, to string, warn func(string, ...any)) (err error) {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	archive := zip.NewWriter(out)
	// Large files are mostly pictures and films, of which the default's effort makes nothing smaller.
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

// addFile adds a file or a symbolic link to an archive.
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

// clone makes what a build gets where the source hands over a clone: the files, and their history.
func (c checkout) clone(ctx context.Context, workingTree bool, to string, warn func(string, ...any)) error {
	if c.inGit && !c.part && c.commit != "" && !workingTree {
		as, err := c.asGitHub(ctx)
		if err != nil {
			return err
		}
		// Not --local, whose hard links would let a build write to the owner's repository.
		if _, err := c.gitWith(ctx, as, "clone", "--quiet", "--no-hardlinks", "--no-tags", "--no-checkout", ".", to); err != nil {
			return err
		}
		cloned := checkout{dir: to}
		// Relative addresses of submodules count from it.
		if origin, err := c.git(ctx, "remote", "get-url", "origin"); err == nil {
			if _, err := cloned.git(ctx, "remote", "set-url", "origin", strings.TrimSpace(origin)); err != nil {
				return err
			}
		}
		_, err = cloned.gitWith(ctx, as, "checkout", "--quiet", "--detach", c.commit)
		return err
	}
	archive := to + ".zip"
	if err := c.pack(ctx, workingTree, archive, warn); err != nil {
		return err
	}
	if err := errors.Join(unzip(ctx, archive, to), os.Remove(archive)); err != nil {
		return err
	}
	warn("the build gets a clone of one commit with the files of %s: their history is another repository's, or none", c.dir)
	cloned := checkout{dir: to}
	for _, args := range [][]string{
		{"init", "--quiet"},
		{"add", "--all", "--force"},
		{"-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.com", "-c", "commit.gpgsign=false", "commit", "--quiet", "--allow-empty", "--no-verify", "--message=" + cmp.Or(c.message, "Rehearsal")},
	} {
		if _, err := cloned.git(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// unzip unpacks an archive into a folder that it makes. Symbolic links and permissions are kept.
func unzip(ctx context.Context, archive, to string) error {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("unpack the artifact: %w", err)
	}
	defer func() { _ = r.Close() }() // It was only read.
	if err := os.MkdirAll(to, 0o750); err != nil {
		return err
	}
	root, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, file := range r.File {
		if err := errors.Join(ctx.Err(), unpack(root, file)); err != nil {
			return fmt.Errorf("unpack the artifact: %w", storing(file.Name, err))
		}
	}
	return nil
}

// storing says of what a rehearsal cannot store that AWS can.
func storing(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%q: this machine takes the name for that of another file, by case or by Unicode form; AWS has both: %w", name, err)
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.EILSEQ), errors.Is(err, syscall.EINVAL):
		return fmt.Errorf("%q: this machine can have no file of that name; AWS may: %w", name, err)
	}
	return fmt.Errorf("%q: %w", name, err)
}

func unpack(root *os.Root, file *zip.File) error {
	name := filepath.FromSlash(strings.TrimSuffix(file.Name, "/"))
	mode := file.Mode()
	if mode.IsDir() {
		return root.MkdirAll(name, 0o755)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	in, err := file.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	if mode&fs.ModeSymlink != 0 {
		target, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		return root.Symlink(string(target), name)
	}
	out, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode.Perm()|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in) //nolint:gosec // The artifact is the owner's.
	return errors.Join(err, out.Close())
}
