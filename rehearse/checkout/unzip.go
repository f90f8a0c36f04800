package checkout

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Unzip unpacks an archive into a new folder. It keeps symbolic links and permissions.
func Unzip(ctx context.Context, archive, to string) error {
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

// storing explains an error about a name that this machine cannot have, and AWS can.
func storing(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%q: to this machine it is the name of another file, which differs in case or in Unicode form; AWS keeps both: %w", name, err)
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.EILSEQ), errors.Is(err, syscall.EINVAL):
		return fmt.Errorf("%q: this machine cannot have a file of that name; AWS can: %w", name, err)
	}
	return fmt.Errorf("%q: %w", name, err)
}

// unpack unpacks one file below root.
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
