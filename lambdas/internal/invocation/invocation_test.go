package invocation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"blog-deploy-pipeline/lambdas/internal/redact"
)

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		name                         string
		limit                        time.Duration // Lambda's; 0 for none
		wantWorking, wantReportingTo time.Duration
	}{
		{"short", 4 * time.Second, 3 * time.Second, 3900 * time.Millisecond},
		{"as deployed", 80 * time.Second, 65 * time.Second, 78500 * time.Millisecond},
		{"Lambda's longest", 15 * time.Minute, 15*time.Minute - 15*time.Second, 15*time.Minute - 1500*time.Millisecond},
		{"not under Lambda", 0, 45 * time.Second, 58500 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, start := t.Context(), time.Now()
				if tt.limit > 0 {
					var cancel func()
					ctx, cancel = context.WithTimeout(ctx, tt.limit)
					defer cancel()
				}
				working, reporting, cancel := Split(ctx, start)
				defer cancel()
				if deadline, _ := working.Deadline(); deadline.Sub(start) != tt.wantWorking {
					t.Errorf("work may take %v, want %v", deadline.Sub(start), tt.wantWorking)
				}
				if deadline, _ := reporting.Deadline(); deadline.Sub(start) != tt.wantReportingTo {
					t.Errorf("the report may take until %v, want %v", deadline.Sub(start), tt.wantReportingTo)
				}
				<-working.Done()
				if reporting.Err() != nil {
					t.Error("the report's context ended with the work's")
				}
			})
		})
	}
}

func TestReportOutlivesTheCaller(t *testing.T) {
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	_, reporting, cancel := Split(ctx, time.Now())
	defer cancel()
	end()
	if reporting.Err() != nil {
		t.Error("the report's context ended with its parent")
	}
}

func TestReported(t *testing.T) {
	broken := errors.New("connection reset by peer")
	for _, tt := range []struct {
		err    error
		failed bool

		wantErr error
		counts  bool
		level   string
	}{
		{err: nil, counts: true},
		{err: nil, failed: true, counts: true},
		{err: fmt.Errorf("job 1: %w", ErrReportedBefore), counts: false, level: "INFO"},
		{err: fmt.Errorf("job 1: %w", ErrReportedBefore), failed: true, counts: true, level: "INFO"},
		{err: broken, wantErr: broken, counts: false, level: "ERROR"},
		{err: broken, failed: true, wantErr: broken, counts: false, level: "ERROR"},
	} {
		var out strings.Builder
		counts, err := Reported(slog.New(slog.NewJSONHandler(&out, nil)), tt.failed, tt.err)
		if counts != tt.counts || !errors.Is(err, tt.wantErr) {
			t.Errorf("%v, failed %v: %v, %v, want %v, %v", tt.err, tt.failed, counts, err, tt.counts, tt.wantErr)
		}
		if !strings.Contains(out.String(), tt.level) || tt.level == "" && out.Len() > 0 {
			t.Errorf("%v: logged %q, want a line at level %q", tt.err, out.String(), tt.level)
		}
	}
}

// handlerFunc is a function that implements lambda.Handler.
type handlerFunc func() ([]byte, error)

func (f handlerFunc) Invoke(context.Context, []byte) ([]byte, error) { return f() }

// credential is a credential of this process.
const credential = "k7/Tq+9aZbX3/LwPm+R0vYcJd5sGnHe1UfIo8KtE"

// Answers, errors and log lines are redacted.
func TestNoCredentialLeaves(t *testing.T) {
	redact.Learn(credential)
	for name, handler := range map[string]handlerFunc{
		"answer":         func() ([]byte, error) { return []byte(`{"hookDetails":"` + credential + `"}`), nil },
		"error":          func() ([]byte, error) { return nil, fmt.Errorf("report: %w", errors.New("it had\n"+credential)) },
		"panic":          func() ([]byte, error) { panic(credential) },
		"panic, escaped": func() ([]byte, error) { panic(errors.New(url.QueryEscape(credential))) },
		"log": func() ([]byte, error) {
			slog.Error("slog's own", "error", credential)
			log.Print("the log package's: ", credential)
			return nil, errors.New("as logged")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			answer, err := Redacted(Log(&out), handler).Invoke(t.Context(), nil)
			said := fmt.Sprint(string(answer), err, out.String())
			if strings.Contains(said, credential) || strings.Contains(said, url.QueryEscape(credential)) || strings.Contains(said, "Tq+9aZbX3") {
				t.Errorf("output has a credential: %s", said)
			}
			if !strings.Contains(said, "[redacted]") {
				t.Errorf("output is %s, want the rest of it", said)
			}
			if name != "answer" && err == nil {
				t.Error("no error, want one")
			}
			for line := range strings.Lines(out.String()) {
				if !json.Valid([]byte(line)) || !strings.HasSuffix(line, "\n") {
					t.Errorf("logged a line that is no JSON: %q", line)
				}
			}
		})
	}
}

// aws-lambda-go sends errors in a header, and would end the process if it could not.
func TestErrorsArePrintable(t *testing.T) {
	handler := handlerFunc(func() ([]byte, error) { return nil, errors.New("a\x7fb\x00c\u0085d\ne – ü") })
	if _, err := Redacted(slog.New(slog.DiscardHandler), handler).Invoke(t.Context(), nil); err == nil || err.Error() != "a b c d e – ü" {
		t.Errorf("error is %q, want spaces for control characters", err)
	}
}

func TestLogIsBounded(t *testing.T) {
	var out strings.Builder
	Log(&out).With("job", strings.Repeat("j", 1<<20)).Error("failed", "message", strings.Repeat("ü", 1<<20), "n", 1)
	if n := out.Len(); n > 64<<10 || !json.Valid([]byte(out.String())) {
		t.Errorf("logged %d bytes, want less, and JSON", n)
	}
}

func TestGuard(t *testing.T) {
	var out strings.Builder
	log := func() *slog.Logger { return slog.New(slog.NewJSONHandler(&out, nil)) }
	panicked := func(message string) string { return "panicked: " + message }

	if got := Guard(log, func() string { return "fine" }, panicked); got != "fine" || out.Len() > 0 {
		t.Errorf("got %q and logged %q, want the work's result and nothing", got, out.String())
	}
	for _, cause := range []any{"the sky is falling", fmt.Errorf("wrapped: %w", context.Canceled)} {
		out.Reset()
		got := Guard(log, func() string { panic(cause) }, panicked)
		if want := fmt.Sprintf("panicked: the function panicked: %v. Its log has the stack", cause); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if !strings.Contains(out.String(), "invocation_test.go") {
			t.Errorf("the log has no stack: %s", out.String())
		}
	}
}
