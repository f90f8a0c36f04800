// Package invocationtest calls handlers as Lambda does, with events from files, and reads
// their logs.
package invocationtest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/internal/invocation"
)

// Handler is the interface of lambda.Handler.
type Handler interface {
	Invoke(ctx context.Context, event []byte) ([]byte, error)
}

// Limit is the timeout of a deployed function.
const Limit = 80 * time.Second

// Limits are timeouts under which a handler must work, from one that is too short to
// Lambda's longest.
var Limits = []time.Duration{2 * time.Second, 20 * time.Second, Limit, 15 * time.Minute}

// Invoke invokes a handler that Lambda would stop after limit.
func Invoke(t testing.TB, h Handler, limit time.Duration, event []byte) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return h.Invoke(ctx, event)
}

// CheckReport checks the context of a report that is being sent, in an invocation that
// began at start and that Lambda stops after limit. The context must not have ended, must
// end before Lambda stops the function, and must leave time for retries.
func CheckReport(t testing.TB, ctx context.Context, start time.Time, limit time.Duration) {
	t.Helper()
	if ctx.Err() != nil {
		t.Errorf("the report's context is over: %v", ctx.Err())
	}
	if deadline, ok := ctx.Deadline(); !ok || !deadline.Before(start.Add(limit)) {
		t.Errorf("the report's context has no deadline before Lambda's")
	}
	if left := limit - time.Since(start); left < min(limit/5, 10*time.Second) {
		t.Errorf("reported %v before Lambda's deadline, want some time for retries", left)
	}
}

// Event returns the event of that name in testdata.
func Event(t testing.TB, name string) []byte {
	t.Helper()
	event, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// Events returns the names of all events in testdata.
func Events(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no events in testdata: %v", err)
	}
	for i, name := range names {
		names[i] = strings.TrimSuffix(filepath.Base(name), ".json")
	}
	return names
}

// Seed adds all events in testdata to a fuzzer's seeds.
func Seed(f *testing.F) {
	f.Helper()
	for _, name := range Events(f) {
		f.Add(Event(f, name))
	}
}

// Log is the log of a handler. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// Logger returns the logger that a function's main creates.
func (l *Log) Logger() *slog.Logger { return invocation.Log(l) }

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Lines returns the lines of the log. It ends the test if one is not JSON.
func (l *Log) Lines(t testing.TB) (lines []map[string]any) {
	t.Helper()
	for text := range strings.Lines(l.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("line is no JSON: %s", text)
		}
		lines = append(lines, line)
	}
	return lines
}

// CheckLines checks that the log has at least so many lines, and that each has these
// attributes.
func (l *Log) CheckLines(t testing.TB, atLeast int, attributes map[string]string) {
	t.Helper()
	lines := l.Lines(t)
	for _, line := range lines {
		for key, want := range attributes {
			if line[key] != want {
				t.Errorf("line has %s %v, want %s: %v", key, line[key], want, line)
			}
		}
	}
	if len(lines) < atLeast {
		t.Errorf("logged %d lines, want at least %d", len(lines), atLeast)
	}
}

// CheckSecrets checks that neither the log nor other output, such as an error that Lambda
// would log, contains a secret.
func (l *Log) CheckSecrets(t testing.TB, secrets []string, said ...any) {
	t.Helper()
	text := l.String() + fmt.Sprintln(said...)
	text += strings.ReplaceAll(text, `\"`, `"`) // JSON within JSON
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("log has %q", secret)
		}
	}
}
