package lambdaruntime

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestKillCrashesRunningInvocations(t *testing.T) {
	r := start(t, Function{})
	idle := decode(t, invoke(t, r, "", ""))
	done := make(chan Result)
	go func() {
		result, err := r.Invoke(t.Context(), event("start a child and hang", ""))
		if err != nil {
			t.Errorf("Invoke: %v", err)
		}
		done <- result
	}()
	child := waitForChild(t, r)
	r.Kill()
	if alive(t, idle.PID) {
		t.Error("the process lives on after Kill")
	}
	result := <-done
	want := "Runtime.ExitError: RequestId: " + result.RequestID + " Error: Runtime exited with error: signal: killed"
	if result.Err == nil || result.Err.Error() != want {
		t.Errorf("killed invocation: got %v, want %s", result.Err, want)
	}
	waitUntilGone(t, child)
	after := invoke(t, r, "", "")
	if answer := decode(t, after); answer.Invocations != 1 || answer.PID == idle.PID || after.InitDuration == 0 {
		t.Errorf("next invocation: got %+v, want a fresh process", answer)
	}
}

func TestFreezeRunsIntoTheTimeout(t *testing.T) {
	r := start(t, Function{Timeout: 600 * time.Millisecond})
	done := make(chan Result)
	go func() {
		result, err := r.Invoke(t.Context(), event("sleep", "300ms"))
		if err != nil {
			t.Errorf("Invoke: %v", err)
		}
		done <- result
	}()
	time.Sleep(150 * time.Millisecond) // until it sleeps
	r.Freeze()
	if result := <-done; result.Err == nil || result.Err.ErrorType != "Sandbox.Timedout" {
		t.Errorf("frozen invocation: got %v, want Sandbox.Timedout", result.Err)
	}
}

func TestKillEndsIdleProcesses(t *testing.T) {
	r := start(t, Function{})
	r.Kill() // No process runs yet.
	before := decode(t, invoke(t, r, "", ""))
	r.Kill()
	if after := decode(t, invoke(t, r, "", "")); after.PID == before.PID {
		t.Errorf("got process %d again, want a fresh one", after.PID)
	}
}

func TestNothingOutlivesItsProcess(t *testing.T) {
	for do, wantType := range map[string]string{
		"start a child and hang": "Sandbox.Timedout",
		"start a child and exit": "Runtime.ExitError",
	} {
		t.Run(do, func(t *testing.T) {
			r := start(t, Function{Timeout: time.Second})
			result := invoke(t, r, do, "")
			if result.Err == nil || result.Err.ErrorType != wantType {
				t.Errorf("got %v, want a %s", result.Err, wantType)
			}
			waitUntilGone(t, waitForChild(t, r))
			r.mu.Lock()
			defer r.mu.Unlock()
			for env := range r.all {
				if env.alive() {
					t.Errorf("process %d lives on", env.cmd.Process.Pid)
				}
			}
		})
	}
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	r := start(t, Function{})
	var wg sync.WaitGroup
	wg.Go(func() {
		result, err := r.Invoke(t.Context(), event("start a child and hang", ""))
		if err != nil || result.Err == nil || result.Err.ErrorType != "Runtime.ExitError" {
			t.Errorf("invocation during Close: got %v, %v, want a Runtime.ExitError", result.Err, err)
		}
	})
	child := waitForChild(t, r)
	idle := decode(t, invoke(t, r, "", ""))
	for range 2 { // Closing twice is harmless.
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	wg.Wait()
	if alive(t, idle.PID) {
		t.Error("the idle process lives on after Close")
	}
	waitUntilGone(t, child)
	if _, err := r.Invoke(t.Context(), event("", "")); !errors.Is(err, ErrClosed) {
		t.Errorf("Invoke after Close: got %v, want %v", err, ErrClosed)
	}
}

// waitForChild returns the process id of the child that the function started.
func waitForChild(t *testing.T, r *Runtime) int {
	t.Helper()
	line := regexp.MustCompile(`(?m)^child (\d+)$`)
	for deadline := time.Now().Add(8 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if match := line.FindStringSubmatch(r.Logs()); match != nil {
			pid, _ := strconv.Atoi(match[1])
			return pid
		}
	}
	t.Error("the function has not started its child")
	return 0
}

// waitUntilGone waits for the end of a process that is not a child of this one.
func waitUntilGone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(8 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if !alive(t, pid) {
			return
		}
	}
	t.Errorf("process %d lives on", pid)
}

// alive reports whether a process runs. A zombie does not run; in a container nobody may ever reap it.
func alive(t *testing.T, pid int) bool {
	t.Helper()
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	if runtime.GOOS == "linux" { // ps is not in every container.
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		return err == nil && !bytes.Contains(status, []byte("\nState:\tZ"))
	}
	state, err := exec.CommandContext(t.Context(), "ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !bytes.HasPrefix(bytes.TrimSpace(state), []byte("Z"))
}
