package codebuild

import (
	"fmt"
	"slices"
	"testing"
)

// Lines must be complete, in order and with their phase. A line may have no end.
func TestOutput(t *testing.T) {
	t.Parallel()
	tb := newTestBuild(t, `
version: 0.2
phases:
  install: {commands: ['printf one; sleep 0.1; printf "more\n\ntwo"', 'echo three >&2']}
  build: {commands: ['i=0; while [ $i -lt 5000 ]; do echo "line $i"; i=$((i+1)); done']}
  post_build: {commands: ['yes x | tr -d "\n" | head -c 200000']}
`, nil)
	var got []Line
	tb.Output = func(l Line) { got = append(got, l) }
	tb.run(t.Context())
	if tb.err != nil {
		t.Fatal(tb.err)
	}
	want := []Line{
		{Install, "Entering phase INSTALL", true},
		{Install, `Running command printf one; sleep 0.1; printf "more\n\ntwo"`, true},
		{Install, "onemore", false},
		{Install, "", false},
		{Install, "two", false},
		{Install, "Running command echo three >&2", true},
		{Install, "three", false},
		{Install, "Phase complete: INSTALL State: SUCCEEDED", true},
		{Install, "Phase context status code:  Message:", true},
	}
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("got %v, want %v", got[:min(len(got), len(want))], want)
	}
	n, long := 0, 0
	for _, l := range got {
		if l.Phase == BuildPhase && !l.Agent {
			if l.Text != fmt.Sprintf("line %d", n) {
				t.Fatalf("line %d is %q", n, l.Text)
			}
			n++
		}
		if l.Phase == PostBuild && !l.Agent {
			long += len(l.Text)
		}
	}
	if n != 5000 || long != 200000 {
		t.Errorf("got %d lines and %d bytes, want 5000 and 200000", n, long)
	}
}
