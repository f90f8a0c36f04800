package codebuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// copySource copies a folder's files and symbolic links.
func copySource(ctx context.Context, from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch target := filepath.Join(to, name); entry.Type() {
		case fs.ModeDir:
			return os.MkdirAll(target, 0o755) //nolint:gosec // CodeBuild's folders have this mode.
		case fs.ModeSymlink:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target) //nolint:gosec // Only this process writes to the new folder.
		case 0:
			return copyFile(path, target)
		}
		return nil // A repository has no pipes, sockets or devices.
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // It was only read.
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm()|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// nowhere is a path that exists on no machine: https://www.debian.org/doc/debian-policy/ch-opersys.html.
const nowhere = "/nonexistent/outside-of-the-source"

// containLinks redirects symbolic links that lead out of a folder to a path that does not exist. A build must not read or
// write the owner's files through them, and at AWS those files are not there. It returns the names of these links and their
// targets.
func containLinks(dir string) (names, targets []string, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close() //nolint:errcheck // Nothing was written.
	var links []string
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type() == fs.ModeSymlink {
			links = append(links, path)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	for _, path := range links {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return nil, nil, err
		}
		// An error of the system, such as "no such file", means that the target is inside.
		_, err = root.Stat(name)
		if errno := (syscall.Errno)(0); err == nil || errors.As(err, &errno) {
			continue
		}
		target, err := os.Readlink(path)
		if err != nil {
			return nil, nil, err
		}
		names, targets = append(names, name), append(targets, target)
		if err := errors.Join(os.Remove(path), os.Symlink(nowhere, path)); err != nil {
			return nil, nil, fmt.Errorf("redirect the symbolic link %s: %w", name, err)
		}
	}
	return names, targets, nil
}
