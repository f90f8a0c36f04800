package leftovers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// victim is the environment variable that makes this program a process to kill. Its value is the folder in which the
// process makes a temporary folder.
const victim = "LEFTOVERS_VICTIM"

func TestMain(m *testing.M) {
	if parent := os.Getenv(victim); parent != "" {
		fmt.Fprintln(os.Stderr, live(parent))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// live prints what it has made and then waits to be killed.
func live(parent string) error {
	dir, _, err := TempDir(parent, "test")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "read", "only"), 0o755); err != nil {
		return err
	}
	if err := os.Chmod(filepath.Join(dir, "read"), 0o500); err != nil {
		return err
	}
	fmt.Println(dir)
	return Run(exec.CommandContext(context.Background(), "/bin/sh", "-c", "sleep 1000 & echo $$ $! >&2; wait"))
}

func TestNothingIsLeftAfterSIGKILL(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "it's a folder")
	if err := os.Mkdir(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), victim+"="+parent)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	dir := strings.TrimSpace(line)
	if err != nil || filepath.Dir(dir) != parent {
		t.Fatalf("its folder is %q (%v), want one in %s", dir, err, parent)
	}
	sleeps := func() []string { return processes(t, strconv.Itoa(cmd.Process.Pid)) }
	await(t, "its command and the shells that wait for its end", func() bool { return len(sleeps()) >= 3 })
	group := sleeps()
	if err := Sweep(parent); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "read", "only")); err != nil {
		t.Errorf("the folder of a process that lives: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // It was killed.
	await(t, "the end of what it started", func() bool {
		return !slices.ContainsFunc(group, func(pid string) bool {
			n, _ := strconv.Atoi(pid)
			return !errors.Is(syscall.Kill(n, 0), syscall.ESRCH) && !zombie(n)
		})
	})
	await(t, "the removal of its folder", func() bool { return len(entries(t, parent)) == 0 })
}

// processes returns the descendants of a process.
func processes(t *testing.T, of string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ps", "-axo", "pid=,ppid=").Output()
	if err != nil {
		t.Fatal(err)
	}
	family := []string{of}
	for range 5 { // A child may be listed before its parent.
		for line := range strings.Lines(string(out)) {
			if f := strings.Fields(line); slices.Contains(family, f[1]) && !slices.Contains(family, f[0]) {
				family = append(family, f[0])
			}
		}
	}
	return family[1:]
}

// zombie reports whether a process has ended and has not been reaped. In a container nobody may ever reap an orphan.
func zombie(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range left {
		names = append(names, e.Name())
	}
	return names
}

// await waits until a condition is true. Only a process that hangs reaches its time limit.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 3000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("30 s, and still not: %s", what)
}

func TestTempDir(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "[a] *?\\")
	// A folder of a process whose shell was killed, too, and folders of others.
	for _, name := range []string{prefix + "test-1/dir", prefix + "other-2", "somebody's"} {
		if err := os.MkdirAll(filepath.Join(parent, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(parent, prefix+"test-1"), 0o500); err != nil {
		t.Fatal(err)
	}
	one, removeOne, err := TempDir(parent, "test")
	if err != nil {
		t.Fatal(err)
	}
	two, removeTwo, err := TempDir(parent, "test")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := entries(t, parent), []string{filepath.Base(one), filepath.Base(two), "somebody's"}; len(got) != 3 || !slices.Contains(got, want[0]) || !slices.Contains(got, want[1]) || !slices.Contains(got, want[2]) {
		t.Errorf("there are %q, want %q", got, want)
	}
	if err := errors.Join(removeOne(), removeTwo()); err != nil {
		t.Error(err)
	}
	if got := entries(t, parent); !slices.Equal(got, []string{"somebody's"}) {
		t.Errorf("after all were removed there are %q", got)
	}
	if left := processes(t, strconv.Itoa(os.Getpid())); len(left) > 1 { // ps itself is one.
		t.Errorf("still running: %v", left)
	}
	if err := Sweep(filepath.Join(parent, "none")); err != nil {
		t.Errorf("a folder that is not there is not swept: %v", err)
	}
	if _, _, err := TempDir(filepath.Join(parent, "none"), "test"); err == nil {
		t.Error("a folder in one that is not there")
	}
}

func TestRunEndsTheGroup(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", "sleep 1000 & echo started; wait")
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }() // It was only written to by others.
	cmd.Stdout = out
	ended := make(chan error, 1)
	go func() { ended <- Run(cmd) }()
	await(t, "its output", func() bool { info, err := out.Stat(); return err == nil && info.Size() > 0 })
	cancel()
	if err := <-ended; err == nil {
		t.Error("a command that was killed ends without an error")
	}
	await(t, "the end of its child", func() bool {
		return errors.Is(syscall.Kill(-cmd.Process.Pid, 0), syscall.ESRCH) || len(processes(t, strconv.Itoa(os.Getpid()))) <= 1
	})
}
