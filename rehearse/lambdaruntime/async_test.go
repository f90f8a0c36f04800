package lambdaruntime

import (
	"context"
	"slices"
	"testing"
	"time"
)

func TestInvokeAsyncRetries(t *testing.T) {
	const failure, success = "failure", "success"
	tests := []struct {
		name, do   string
		retries    int
		want       []string
		wantDelays []int
	}{
		{"success at once", "", 2, []string{success}, nil},
		{"success at last", "error twice", 2, []string{failure, failure, success}, []int{1, 2}},
		{"no retry", "error", 0, []string{failure}, nil},
		{"all fail", "error", 2, []string{failure, failure, failure}, []int{1, 2}},
		{"all crash", "exit", 1, []string{failure, failure}, []int{1}},
		{"all time out", "sleep", 1, []string{failure, failure}, []int{1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var delays []int
			r := start(t, Function{Timeout: time.Second, Retries: test.retries, RetryDelay: func(attempt int) time.Duration {
				delays = append(delays, attempt)
				return time.Millisecond
			}})
			results := r.InvokeAsync(t.Context(), event(test.do, "1m"))
			var got []string
			for _, result := range results {
				outcome := success
				if result.Err != nil {
					outcome = failure
				}
				got = append(got, outcome)
				if result.RequestID != results[0].RequestID {
					t.Errorf("request id of a retry: got %q, want the first attempt's %q", result.RequestID, results[0].RequestID)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("attempts: got %q, want %q", got, test.want)
			}
			if !slices.Equal(delays, test.wantDelays) {
				t.Errorf("delays asked for: got %v, want %v", delays, test.wantDelays)
			}
		})
	}
}

func TestInvokeAsyncEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := start(t, Function{Retries: 2, RetryDelay: func(int) time.Duration {
		cancel()
		return time.Hour
	}})
	if got := r.InvokeAsync(ctx, event("error", "broken")); len(got) != 1 || got[0].Err.ErrorMessage != "broken" {
		t.Errorf("cancelled while waiting: got %+v, want the first attempt only", got)
	}
	if got := r.InvokeAsync(ctx, event("", "")); len(got) != 1 || got[0].Err == nil || got[0].Err.ErrorType != "Runtime.Unavailable" {
		t.Errorf("cancelled from the start: got %+v, want one attempt of type Runtime.Unavailable", got)
	}
}

func TestRetryDelayDefaultsToLambdas(t *testing.T) {
	r := start(t, Function{})
	for attempt, want := range map[int]time.Duration{1: time.Minute, 2: 2 * time.Minute} {
		if got := r.fn.RetryDelay(attempt); got != want {
			t.Errorf("delay before retry %d: got %v, want %v", attempt, got, want)
		}
	}
}
