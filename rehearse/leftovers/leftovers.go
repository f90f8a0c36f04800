// Package leftovers removes what a rehearsal leaves when its process ends, even after SIGKILL, when the process itself
// cannot clean up.
//
//   - A shell waits at the end of a pipe. The system closes the pipe when the process ends, and the shell then kills the
//     process group or removes the folder.
//   - A process locks its temporary folders. [TempDir] and [Sweep] remove folders that no process has locked.
//
// The package works on Linux and macOS.
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

// prefix begins the names of temporary folders, so that Sweep removes only folders of this project.
const prefix = "blog-deploy-pipeline-"

// KillGroup arranges that the process group is killed when this process ends. The caller must call revoke when the
// group has ended, because the system may then reuse its id.
func KillGroup(pgid int) (revoke func(), err error) {
	return afterDeath(`kill -s KILL -- "-$1"`, strconv.Itoa(pgid))
}

// Run runs a command in a process group of its own. It kills the whole group when the command's context is done, and
// the group is also killed when this process ends. cmd must come from exec.CommandContext.
func Run(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // A child that has left the group can hold the output open.
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

// TempDir makes a temporary folder in parent and returns its path; "" stands for the system's temporary folder. The
// name of the folder contains kind, such as "rehearsal". remove removes the folder with its content. If this process
// ends without calling remove, the folder is removed all the same. TempDir also sweeps parent; see [Sweep].
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
	// Processes that are killed at the same moment may still write to the folder, so the shell tries several times.
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

// Sweep removes the temporary folders in parent whose processes have ended. It leaves folders that it may not remove,
// such as those of another user. parent need not exist.
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
		lock, err := tryLock(dir)
		if err == nil {
			_ = RemoveAll(dir) // A later Sweep tries again.
		}
		_ = lock.Close() // Nothing was written.
	}
	return nil
}

// lockedDir makes a folder and locks it, so that Sweep does not remove it.
func lockedDir(parent, kind string) (dir string, lock *os.File, err error) {
	for {
		if dir, err = os.MkdirTemp(parent, prefix+kind+"-"); err != nil {
			return "", nil, err
		}
		lock, err = tryLock(dir)
		_, gone := os.Stat(dir)
		if gone == nil && lock != nil && !errors.Is(err, syscall.EWOULDBLOCK) {
			return dir, lock, nil // On a file system without locks Sweep removes nothing.
		}
		_ = lock.Close() // Another process removed the folder before it was locked.
	}
}

// tryLock locks a folder if no process has locked it. The lock ends when the process that holds the file ends.
func tryLock(dir string) (*os.File, error) {
	lock, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	return lock, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// RemoveAll is os.RemoveAll that also removes folders without write permission. Go's module cache consists of such
// folders.
func RemoveAll(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) //nolint:gosec // It is a folder, and os.RemoveAll reports an error.
		}
		return nil
	})
	return errors.Join(err, os.RemoveAll(dir))
}

// afterDeath starts a shell that runs a script when this process ends.
func afterDeath(script, argument string) (revoke func(), err error) {
	shell := exec.Command("/bin/sh", "-c", "read -r line\n"+script, "sh", argument) //nolint:noctx // revoke ends the shell.
	shell.Dir = "/"
	// Ctrl-C must not end the shell, so it is not in the terminal's process group.
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	alive, err := shell.StdinPipe() // Go closes it at exec, so that no child process has it.
	if err != nil {
		return nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, fmt.Errorf("start the shell that cleans up: %w", err)
	}
	return func() {
		_ = shell.Process.Kill() // The shell must end before the pipe is closed.
		_ = shell.Wait()         // It returns the error of a killed process.
		_ = alive.Close()
	}, nil
}
