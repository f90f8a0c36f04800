package codebuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestPrepare installs a program that a command has named, for the following commands.
func TestPrepare(t *testing.T) {
	t.Parallel()
	for name, change := range shells() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tb := newTestBuild(t, `version: 0.2
env:
  variables: {A: from the start}
phases:
  install:
    commands:
      - if command -v the-tool; then exit 1; fi
      - export TOOL=one; unset A
      - the-tool
      - "false"
      - never
    finally:
      - test "${CODEBUILD_LAST_EXIT:-1}" = 1 && the-tool
`, nil)
			change(&tb.Build)
			bin := t.TempDir()
			tb.Path = bin + ":" + tb.Path
			tb.PrepareFrom = []string{"TOOL", "A", "NONE"}
			var got []string
			var preparing time.Duration
			tb.Prepare = func(_ context.Context, variables map[string]string) error {
				began := time.Now()
				defer func() { preparing += time.Since(began) }()
				got = append(got, fmt.Sprint(variables))
				time.Sleep(20 * time.Millisecond)
				if variables["TOOL"] == "" {
					return nil
				}
				return os.WriteFile(filepath.Join(bin, "the-tool"), []byte("#!/bin/sh\necho the tool\n"), 0o755)
			}
			began := time.Now()
			tb.run(t.Context())
			whole := time.Since(began)
			if want := "FAILED: INSTALL FAILED"; tb.err != nil || tb.summary() != want {
				t.Errorf("it ends as %s (%v), want %s", tb.summary(), tb.err, want)
			}
			if want := []string{"map[A:from the start]", "map[A:from the start]", "map[TOOL:one]", "map[TOOL:one]", "map[TOOL:one]"}; !slices.Equal(got, want) {
				t.Errorf("it is called with\n%q, want\n%q", got, want)
			}
			if want := []string{"the tool", "the tool"}; !slices.Equal(tb.out, want) && !tb.OneShell { // Which remembers no failure.
				t.Errorf("the commands say %q, want %q", tb.out, want)
			}
			var phases time.Duration
			for _, p := range tb.result.Phases {
				phases += p.Duration
			}
			if phases > whole-preparing {
				t.Errorf("the phases took %v of %v, of which %v were not theirs", phases, whole, preparing)
			}
		})
	}
}

func TestPrepareFails(t *testing.T) {
	t.Parallel()
	tb := newTestBuild(t, "version: 0.2\nphases:\n  build:\n    commands: [echo one, echo two]\n    finally: [echo three]\n", nil)
	why := errors.New("no room")
	var calls int
	tb.Prepare = func(context.Context, map[string]string) error {
		if calls++; calls == 2 {
			return why
		}
		return nil
	}
	tb.run(t.Context())
	if !errors.Is(tb.err, why) || tb.result.Status != Stopped || strings.Join(tb.out, " ") != "one" {
		t.Errorf("it ends as %s, %v, after %q; want STOPPED, %v, after one", tb.result.Status, tb.err, tb.out, why)
	}
}

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var after time.Duration
		l := newLimit(10*time.Second, func() { after = time.Since(began) })
		time.Sleep(4 * time.Second)
		resume := l.pause()
		time.Sleep(time.Hour)
		resume()
		time.Sleep(time.Second)
		l.pause()()
		time.Sleep(time.Hour)
		if want := time.Hour + 10*time.Second; after != want {
			t.Errorf("it is over after %v, want %v", after, want)
		}
		l.pause()() // Too late to matter.
	})
}
