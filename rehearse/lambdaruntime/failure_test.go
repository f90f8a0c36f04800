package lambdaruntime

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestFailures(t *testing.T) {
	tests := []struct {
		name, do, text        string
		wantType, wantMessage string // regular expressions, for all of it
		wantNewProcess        bool
	}{
		{"error", "error", "broken", "errorString", "broken", false},
		{"error with a type", "typed error", "", "typedError", "typed", false},
		{"panic", "panic", "oh no", "string", "oh no", true},
		{"exit", "exit", "", "Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: exit status 7", true},
		{"exit with status 0", "exit cleanly", "", "Runtime.ExitError", "RequestId: ID Error: Runtime exited without providing a reason", true},
		{"timeout", "sleep", "1m", "Sandbox.Timedout", "RequestId: ID Error: Task timed out after 1.50 seconds", true},
		{"response too large", "large", "", "Function.ResponseSizeTooLarge", `Response payload size exceeded .*`, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := start(t, Function{Timeout: 1500 * time.Millisecond})
			before := decode(t, invoke(t, r, "", ""))
			result := invoke(t, r, test.do, test.text)
			if result.Err == nil {
				t.Fatalf("got payload %.100s, want an error", result.Payload)
			}
			message := strings.ReplaceAll(result.Err.ErrorMessage, result.RequestID, "ID")
			if result.Err.ErrorType != test.wantType || !regexp.MustCompile(`^(?s:`+test.wantMessage+`)$`).MatchString(message) {
				t.Errorf("error: got %q %q, want %q %q", result.Err.ErrorType, message, test.wantType, test.wantMessage)
			}
			var payload FunctionError
			if err := json.Unmarshal(result.Payload, &payload); err != nil || payload != *result.Err {
				t.Errorf("payload: got %s (%v), want the error %v", result.Payload, err, result.Err)
			}
			after := decode(t, invoke(t, r, "", ""))
			if got := after.PID != before.PID; got != test.wantNewProcess {
				t.Errorf("new process afterwards: got %v, want %v", got, test.wantNewProcess)
			}
			if test.wantType == "Sandbox.Timedout" {
				if result.Duration < 1500*time.Millisecond {
					t.Errorf("duration: got %v, want the timeout at least", result.Duration)
				}
				if want := result.RequestID + " Task timed out after 1.50 seconds"; !strings.Contains(r.Logs(), want) {
					t.Errorf("logs: got %q, want them to contain %q", r.Logs(), want)
				}
			}
		})
	}
}

func TestInitFailures(t *testing.T) {
	tests := []struct {
		init, wantType, wantMessage string
	}{
		{"exit", "Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: exit status 3"},
		{"error", "Function.Broken", "no configuration"},
	}
	for _, test := range tests {
		t.Run(test.init, func(t *testing.T) {
			r := start(t, Function{Env: map[string]string{"INIT": test.init}})
			for range 2 { // A failed start is not remembered.
				result := invoke(t, r, "", "")
				if result.Err == nil {
					t.Fatalf("got %s, want an error", result.Payload)
				}
				message := strings.ReplaceAll(result.Err.ErrorMessage, result.RequestID, "ID")
				if result.Err.ErrorType != test.wantType || message != test.wantMessage {
					t.Errorf("got %q %q, want %q %q", result.Err.ErrorType, message, test.wantType, test.wantMessage)
				}
			}
			if test.init == "exit" && strings.Count(r.Logs(), "init: giving up\n") != 2 {
				t.Errorf("logs: got %q, want the function's word twice", r.Logs())
			}
		})
	}
}

func TestCancelledContextStopsTheProcess(t *testing.T) {
	r := start(t, Function{})
	ctx, cancel := context.WithCancel(t.Context())
	var child int
	go func() {
		child = waitForChild(t, r)
		cancel()
	}()
	_, err := r.Invoke(ctx, event("start a child and hang", ""))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error: got %v, want %v", err, context.Canceled)
	}
	waitUntilGone(t, child)
	if _, err := r.Invoke(ctx, event("", "")); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context already done: got %v, want %v", err, context.Canceled)
	}
	if answer := decode(t, invoke(t, r, "", "")); answer.Invocations != 1 {
		t.Errorf("next invocation: got number %d of its process, want a fresh process", answer.Invocations)
	}
}
