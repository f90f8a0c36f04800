package codebuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/leftovers"
)

// A build that is stopped returns at once and leaves no process and no folder, even if its commands ignore signals.
func TestStop(t *testing.T) {
	t.Parallel()
	const stubborn = `
version: 0.2
phases:
  install: {commands: ['sh -c "echo \$\$ >>$PIDS; exec sleep 600" &']}
  build:
    commands:
      - |
        (trap '' TERM INT; sh -c 'echo $$ >>"$PIDS"; exec sleep 600'; sleep 600)
      - echo no
    finally: [echo no]
  post_build: {commands: [echo no]}
artifacts: {files: ['**/*']}
`
	for _, tc := range []struct {
		name    string
		stop    func(*Build, context.CancelFunc)
		summary string
		err     error
		context string
	}{
		{
			name:    "cancelled",
			stop:    func(_ *Build, cancel context.CancelFunc) { cancel() },
			summary: "STOPPED: INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD STOPPED",
			err:     context.Canceled,
			context: "BUILD_STOPPED: Build was stopped.",
		},
		{
			name:    "timed out",
			summary: "TIMED_OUT: INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD TIMED_OUT",
			context: "BUILD_TIMED_OUT: Build has timed out.",
		},
	} {
		for name, use := range shells() {
			t.Run(tc.name+" "+name, func(t *testing.T) {
				t.Parallel()
				tb := newTestBuild(t, stubborn, map[string]string{"f": ""})
				pids := filepath.Join(t.TempDir(), "pids")
				tb.Env = map[string]string{"PIDS": pids}
				use(&tb.Build)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tc.stop == nil {
					tb.Timeout = 700 * time.Millisecond
				}
				var wg sync.WaitGroup
				wg.Go(func() {
					waitFor(t, func() bool { return len(readPIDs(t, pids)) == 2 })
					if tc.stop != nil {
						tc.stop(&tb.Build, cancel)
					}
				})
				began := time.Now()
				tb.run(ctx)
				if took := time.Since(began); took > tb.Timeout+time.Second {
					t.Errorf("took %s", took)
				}
				wg.Wait()
				if !errors.Is(tb.err, tc.err) || tc.err == nil && tb.err != nil {
					t.Errorf("error is %v, want %v", tb.err, tc.err)
				}
				if got := tb.summary(); got != tc.summary {
					t.Errorf("got\n%s\nwant\n%s", got, tc.summary)
				}
				if got := tb.context(); got != tc.context {
					t.Errorf("context is %q, want %q", got, tc.context)
				}
				if len(tb.out) > 0 {
					t.Errorf("output is %q", tb.out)
				}
				for _, pid := range readPIDs(t, pids) {
					waitFor(t, func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
				}
				if _, err := os.Stat(tb.Dir); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("the build's folder is still there: %v", err)
				}
			})
		}
	}
}

func readPIDs(t *testing.T, file string) []int {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	var pids []int
	for line := range strings.FieldsSeq(string(text)) {
		var pid int
		if _, err := fmt.Sscan(line, &pid); err != nil {
			t.Error(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("the condition is not true after 10 seconds")
			return
		}
	}
}

// The build leaves a temporary folder, and folders without write permission like those of Go's module cache.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	const text = `
version: 0.2
phases:
  build:
    commands:
      - mktemp -d "$TMPDIR/left.XXXXXX" >/dev/null && echo ok
      - mkdir -p "$HOME/go/pkg" && echo x >"$HOME/go/pkg/f" && chmod -R a-w "$HOME/go"
`
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprintf("keep %t", keep), func(t *testing.T) {
			t.Parallel()
			tb := newTestBuild(t, text, map[string]string{"f": "x"})
			tb.Keep = keep
			tb.run(t.Context())
			if tb.err != nil || !slices.Equal(tb.out, []string{"ok"}) {
				t.Fatalf("error is %v, output %q", tb.err, tb.out)
			}
			_, err := os.Stat(filepath.Join(tb.Dir, "src", "f"))
			if keep != (err == nil) {
				t.Errorf("stat of the source: %v", err)
			}
			if err := leftovers.RemoveAll(tb.Dir); err != nil {
				t.Error(err)
			}
		})
	}
}
