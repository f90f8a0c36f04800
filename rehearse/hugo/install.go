package hugo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// Install returns the path of the wanted Hugo, and installs it if it is not in the cache. Processes that install the
// same release at once wait for each other.
func (i Installer) Install(ctx context.Context, w Wanted) (binary string, err error) {
	if err := w.Check(); err != nil {
		return "", err
	}
	i.platform = cmp.Or(i.platform, runtime.GOOS+"/"+runtime.GOARCH)
	name := "hugo@v" + w.Version
	if w.Extended {
		name += "+extended"
	}
	dir, err := filepath.Abs(filepath.Join(i.Cache, name))
	if err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "hugo")
	if w.Is(Says(ctx, binary)) {
		return binary, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // Everybody who can read the project may read the cache.
		return "", fmt.Errorf("install %v: %w", w, err)
	}
	unlock, err := i.lock(ctx, dir, w)
	if err != nil {
		return "", fmt.Errorf("install %v: %w", w, err)
	}
	defer unlock()
	if w.Is(Says(ctx, binary)) { // Another process has installed it in the meantime.
		return binary, nil
	}
	work, err := os.MkdirTemp(dir, "work-")
	if err != nil {
		return "", fmt.Errorf("install %v: %w", w, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	made, err := i.download(ctx, w, work)
	if err != nil && ctx.Err() == nil {
		i.Tell("The release binary of %v cannot be used: %v", w, err)
		made, err = i.compile(ctx, w, work)
	}
	if err != nil {
		return "", fmt.Errorf("install %v: %w", w, err)
	}
	if err := os.Rename(made, binary); err != nil {
		return "", fmt.Errorf("install %v: %w", w, err)
	}
	return binary, nil
}

// lock waits until no other process installs into a folder, and removes the files of an installation that was killed.
func (i Installer) lock(ctx context.Context, dir string, w Wanted) (unlock func(), err error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	unlock = func() { _ = file.Close() } // Nothing was written.
	for told := false; ; told = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			left, _ := filepath.Glob(filepath.Join(dir, "work-*"))
			for _, work := range left {
				_ = os.RemoveAll(work) // An error does no harm.
			}
			return unlock, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return unlock, nil // The file system has no locks, so the last installation wins.
		}
		if !told {
			i.Tell("Waiting for another process that installs %v", w)
		}
		select {
		case <-ctx.Done():
			unlock()
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
