// Package leftovers sees to it that nothing of a rehearsal is left when its process is gone, however it
// went: also after SIGKILL, at which no code of its own runs.
//
//   - What must end or go with the process has a shell that waits at a pipe. The system closes the pipe
//     when the process is gone, and the shell then does what there is to do.
//   - A temporary folder is locked while its process lives. The next that is made, and [Sweep], remove
//     those that nobody holds.
//
// It works on Linux and macOS.
package leftovers

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Names of temporary folders begin with it, so that Sweep removes no stranger's.
const prefix = "blog-deploy-pipeline-"

// KillGroup has a process group killed when this process is gone. Revoke it when the group has ended:
// its number may then become another's.
func KillGroup(pgid int) (revoke func(), err error) {
	return afterDeath(`kill -s KILL -- "-$1"`, strconv.Itoa(pgid))
}

// Run runs a command, which exec.CommandContext made, in a process group of its own. The whole group is killed
// when the command's context ends, or this process.
func Run(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // for a child that left the group and holds the output open
	if err := cmd.Start(); err != nil {
		return err
	}
	revoke, err := KillGroup(cmd.Process.Pid)
	if err != nil {
		return errors.Join(err, cmd.Cancel(), cmd.Wait())
	}
	defer revoke()
	return cmd.Wait()
}

// TempDir makes a folder in parent ("" is the system's for such) whose name has kind in it, such as
// "rehearsal". Remove removes it, with all that is in it; when this process is gone without having done so,
// somebody else does. Others of that kind that a process left there are removed.
func TempDir(parent, kind string) (_ string, remove func() error, err error) {
	if parent == "" {
		parent = os.TempDir()
	}
	if parent, err = filepath.Abs(parent); err != nil {
		return "", nil, err
	}
	if err := Sweep(parent); err != nil {
		return "", nil, err
	}
	dir, lock, err := lockedDir(parent, kind)
	if err != nil {
		return "", nil, err
	}
	// What was killed at the same moment may still be writing.
	revoke, err := afterDeath(`for i in 1 2 3 4 5; do
  chmod -R u+rwX "$1" 2>/dev/null
  rm -rf -- "$1" 2>/dev/null && exit
  sleep 1
done`, dir)
	if err != nil {
		return "", nil, errors.Join(err, lock.Close(), os.RemoveAll(dir))
	}
	return dir, func() error {
		revoke()
		return errors.Join(RemoveAll(dir), lock.Close())
	}, nil
}

// Sweep removes from a folder, if it is there, the temporary ones whose processes are gone. It leaves those
// that it may not remove, such as another user's.
func Sweep(parent string) error {
	left, err := os.ReadDir(parent)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	for _, entry := range left {
		if !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		dir := filepath.Join(parent, entry.Name())
		lock, err := take(dir)
		if err == nil {
			_ = RemoveAll(dir) // What cannot be removed now may be another time.
		}
		_ = lock.Close() // Nothing was written.
	}
	return nil
}

// lockedDir makes a folder that Sweep leaves alone.
func lockedDir(parent, kind string) (dir string, lock *os.File, err error) {
	for {
		if dir, err = os.MkdirTemp(parent, prefix+kind+"-"); err != nil {
			return "", nil, err
		}
		lock, err = take(dir)
		_, gone := os.Stat(dir)
		if gone == nil && lock != nil && !errors.Is(err, syscall.EWOULDBLOCK) {
			return dir, lock, nil // Also on a file system that has no locks: there nobody sweeps.
		}
		_ = lock.Close() // Somebody swept it before it was locked.
	}
}

// take locks a folder, unless a process holds it. The lock ends with the process that has the file.
func take(dir string) (*os.File, error) {
	lock, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	return lock, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// RemoveAll also removes folders that cannot be written to, which Go's module cache (and so Hugo's) is
// made of.
func RemoveAll(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) //nolint:gosec // a folder; the removal reports what is left
		}
		return nil
	})
	return errors.Join(err, os.RemoveAll(dir))
}

// afterDeath has a shell run a script when this process is gone.
func afterDeath(script, argument string) (revoke func(), err error) {
	shell := exec.Command("/bin/sh", "-c", "read -r line\n"+script, "sh", argument) //nolint:noctx // revoke ends it
	shell.Dir = "/"
	// Not of the terminal's group, which Ctrl-C ends.
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	alive, err := shell.StdinPipe() // No child has it: Go opens it so that it is closed at exec.
	if err != nil {
		return nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, fmt.Errorf("start the shell that cleans up: %w", err)
	}
	return func() {
		_ = shell.Process.Kill() // Before the pipe is closed.
		_ = shell.Wait()         // It was killed.
		_ = alive.Close()
	}, nil
}
