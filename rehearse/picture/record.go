package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"
)

const (
	// longestPause is the longest time in which the picture shows nothing new, such as while templates
	// are synthesised.
	longestPause = time.Second
	// keyTime is the time between two keys that the recorder types.
	keyTime = 60 * time.Millisecond
)

// prompt does what a person's shell does with a line: it shows a prompt, reads the line, and runs it.
const prompt = `printf '\033[32m$\033[0m '; read -r line; eval "$line"`

// record types a command at a shell's prompt on a pseudo-terminal, and returns what the terminal got until
// the command ended. It copies it to progress meanwhile. A command that fails is an error. env is the
// environment, as os.Environ returns it.
func record(ctx context.Context, command string, env []string, width, height int, progress io.Writer) (cast, error) {
	shell := exec.CommandContext(ctx, "sh", "-c", prompt)
	shell.Env = append(environment(env), "TERM=xterm-256color")
	// On a pseudo-terminal the shell leads a process group. What it runs would go on after the shell's end, and keep the
	// terminal open, if this process ignores SIGHUP, as below nohup.
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }
	terminal, err := pty.StartWithSize(shell, &pty.Winsize{Cols: uint16(width), Rows: uint16(height)}) //nolint:gosec // No screen is too large for it.
	if err != nil {
		return cast{}, fmt.Errorf("start a shell on a pseudo-terminal: %w", err)
	}
	defer terminal.Close() //nolint:errcheck // The shell has ended.
	prompted, typed := make(chan struct{}), make(chan error, 1)
	go func() {
		select {
		case <-prompted:
			typed <- enter(terminal, command)
		case <-ctx.Done():
			typed <- ctx.Err()
		}
	}()
	c := cast{header: header{Version: 2, Width: width, Height: height, Command: command, IdleTimeLimit: longestPause.Seconds()}}
	c.events = listen(io.TeeReader(terminal, progress), sync.OnceFunc(func() { close(prompted) }))
	if err := shell.Wait(); err != nil {
		return cast{}, fmt.Errorf("record %s: %w", command, err)
	}
	return c, <-typed
}

// environment removes from a process's environment what makes a rehearsal look different, and what a make
// leaves there for another that it starts.
func environment(all []string) []string {
	var kept []string
	for _, variable := range all {
		switch name, _, _ := strings.Cut(variable, "="); name {
		case "CI", "NO_COLOR", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "TERM":
		default:
			kept = append(kept, variable)
		}
	}
	return kept
}

// enter types a line as a person would.
func enter(terminal io.Writer, line string) error {
	time.Sleep(5 * keyTime)
	for _, key := range line + "\r" {
		if _, err := io.WriteString(terminal, string(key)); err != nil {
			return fmt.Errorf("type %s: %w", line, err)
		}
		time.Sleep(keyTime)
	}
	return nil
}

// listen reads what a terminal gets, with the times, and calls heard after each event. A character that
// comes in two pieces has the time of its second.
func listen(terminal io.Reader, heard func()) []event {
	var events []event
	var rest []byte
	start, buffer := time.Now(), make([]byte, 64<<10)
	for {
		n, err := terminal.Read(buffer)
		rest = append(rest, buffer[:n]...)
		if whole := characters(rest); whole > 0 {
			// The picture begins with an empty screen.
			events = append(events, event{max(time.Since(start), time.Millisecond), string(rest[:whole])})
			rest = rest[whole:]
			heard()
		}
		if err != nil { // Linux says EIO when the shell has ended, macOS EOF.
			return events
		}
	}
}

// characters returns where the last whole character of b ends.
func characters(b []byte) int {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return i
			}
			break
		}
	}
	return len(b)
}
