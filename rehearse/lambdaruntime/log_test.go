package lambdaruntime

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// TestLogsAreCompleteWhenInvokeReturns repeats its check, because a goroutine that copied the output would only
// sometimes be late.
func TestLogsAreCompleteWhenInvokeReturns(t *testing.T) {
	var live bytes.Buffer
	r := start(t, Function{Log: &live})
	var want strings.Builder
	for i := range 50 {
		invoke(t, r, "print", strconv.Itoa(i))
		fmt.Fprintf(&want, "stdout: %d\nstderr: %d\n", i, i)
		if got := r.Logs(); got != want.String() {
			t.Fatalf("logs after invocation %d: got %q, want %q", i, got, want.String())
		}
	}
	if err := r.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if got := r.Logs(); got != want.String() {
		t.Errorf("logs after Close: got %q, want %q", got, want.String())
	}
	if got := live.String(); got != want.String() {
		t.Errorf("Function.Log: got %q, want %q", got, want.String())
	}
}
