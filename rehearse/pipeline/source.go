package pipeline

import (
	"archive/zip"
	"bytes"
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
	"time"
)

// checkout is the owner's folder, which stands for the repository.
type checkout struct {
	dir     string // as given
	inGit   bool
	top     string // of the working tree
	prefix  string // of dir in it, with a slash at its end; "" for the whole repository
	commit  string
	author  string
	date    string
	message string
}

// openCheckout looks at a folder.
func openCheckout(ctx context.Context, dir string) (checkout, error) {
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
	top, err := c.git(ctx, "rev-parse", "--show-toplevel", "--show-prefix")
	if err != nil {
		if strings.Contains(err.Error(), "not a git repository") {
			return c, nil
		}
		return c, fmt.Errorf("open the source: %w", err) // Such as one that is somebody else's.
	}
	lines := strings.Split(strings.TrimRight(top, "\n"), "\n")
	c.inGit, c.top = true, lines[0]
	if len(lines) > 1 {
		c.prefix = lines[1]
	}
	// A file that is ignored is in no commit: such a folder is no checkout of the repository around it.
	if c.prefix != "" {
		if tracked, err := c.git(ctx, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "."); err == nil && tracked == "" {
			return checkout{dir: dir}, nil
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
	var out, complaint bytes.Buffer
	cmd := command(ctx, "git", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.dir, &out, &complaint
	cmd.Env = append(cmd.Environ(), "LC_ALL=C") // What it complains about is read below.
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}

// command is a command whose whole process group ends with ctx.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd
}

// pack writes the source artifact: what is committed or, if so wanted, the working tree. It notes what
// is not obvious.
func (c checkout) pack(ctx context.Context, workingTree bool, to string, note func(string, ...any)) error {
	switch {
	case !c.inGit:
		note("%s is no Git repository: its files are taken as they are", c.dir)
		files, err := allFiles(ctx, c.dir)
		if err != nil {
			return err
		}
		return c.zip(ctx, files, to)
	case workingTree:
		listed, err := c.git(ctx, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".")
		if err != nil {
			return err
		}
		files := strings.Split(strings.TrimRight(listed, "\x00"), "\x00")
		slices.Sort(files)
		return c.zip(ctx, slices.Compact(files), to)
	case c.commit == "":
		return &failure{
			Code:   "ConfigurationError",
			Reason: fmt.Sprintf("the repository %s has no commit yet, and a pipeline gets what is committed; commit, or rehearse the working tree with WORKING_TREE=1", c.dir),
			Look:   "the folder that SOURCE names: " + c.dir,
		}
	}
	if changed, err := c.git(ctx, "status", "--porcelain", "-z", "--", "."); err != nil {
		return err
	} else if changed != "" {
		n := strings.Count(changed, "\x00")
		verb := "are not committed as they are"
		if n == 1 {
			verb = "is not committed as it is"
		}
		note("%s in %s %s, and a pipeline gets what is committed; WORKING_TREE=1 rehearses the working tree", Count(n, "file"), c.dir, verb)
	}
	// Below a repository's root, Git archives that folder alone.
	_, err := c.git(ctx, "archive", "--format=zip", "--output="+to, "HEAD")
	return err
}

// allFiles lists a folder without Git.
func allFiles(ctx context.Context, dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case entry.Name() == ".git":
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		name, err := filepath.Rel(dir, path)
		files = append(files, filepath.ToSlash(name))
		return err
	})
	return files, err
}

// zip writes files of the folder into an archive. What has gone since it was listed is left out.
func (c checkout) zip(ctx context.Context, files []string, to string) (err error) {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	archive := zip.NewWriter(out)
	for _, name := range files {
		if name == "" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(c.dir, filepath.FromSlash(name))
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() { // A submodule is a folder to Git.
			continue
		}
		if err != nil {
			return err
		}
		header, err := zip.FileInfoHeader(info)
		if err != nil {
			return err
		}
		header.Name, header.Method = name, zip.Deflate
		w, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			if err == nil {
				_, err = io.WriteString(w, target)
			}
			if err != nil {
				return err
			}
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}

// clone makes what a build gets where the source hands over a clone: the files, and their history.
func (c checkout) clone(ctx context.Context, workingTree bool, to string, note func(string, ...any)) error {
	if c.inGit && c.prefix == "" && c.commit != "" && !workingTree {
		// Not --local, whose hard links would let a build write to the owner's repository.
		if _, err := c.git(ctx, "clone", "--quiet", "--no-hardlinks", "--no-tags", ".", to); err != nil {
			return err
		}
		cloned := checkout{dir: to}
		// Relative addresses of submodules count from it.
		if origin, err := c.git(ctx, "remote", "get-url", "origin"); err == nil {
			if _, err := cloned.git(ctx, "remote", "set-url", "origin", strings.TrimSpace(origin)); err != nil {
				return err
			}
		}
		_, err := cloned.git(ctx, "checkout", "--quiet", "--detach", c.commit)
		return err
	}
	archive := to + ".zip"
	if err := c.pack(ctx, workingTree, archive, note); err != nil {
		return err
	}
	if err := errors.Join(unzip(archive, to), os.Remove(archive)); err != nil {
		return err
	}
	note("the build gets a clone of one commit with the files of %s: their history is another repository's, or none", c.dir)
	cloned := checkout{dir: to}
	for _, args := range [][]string{
		{"init", "--quiet"},
		{"add", "--all", "--force"},
		{"-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.com", "-c", "commit.gpgsign=false", "commit", "--quiet", "--allow-empty", "--no-verify", "--message=" + or(c.message, "Rehearsal")},
	} {
		if _, err := cloned.git(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// unzip unpacks an archive into a folder that it makes. Symbolic links and permissions are kept.
func unzip(archive, to string) error {
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
		if err := unpack(root, file); err != nil {
			return fmt.Errorf("unpack the artifact: %s: %w", file.Name, err)
		}
	}
	return nil
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
