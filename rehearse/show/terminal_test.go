package show

import (
	"os"
	"testing"
)

func TestPlainLinesForWhatIsNoTerminal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	if got := Detect(w, func(string) string { return "" }); got.Terminal || got.Color {
		t.Errorf("a pipe is taken for a terminal: %+v", got)
	}
	for _, tc := range []struct {
		name, key, value string
		want             bool
	}{
		{"as usual", "TERM", "xterm-256color", true},
		{"TERM=dumb", "TERM", "dumb", false},
		{"CI", "CI", "true", false},
		{"CI=false", "CI", "false", true},
		{"NO_COLOR alone", "NO_COLOR", "1", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := wantsBlock(func(key string) string {
				if key == tc.key {
					return tc.value
				}
				return ""
			})
			if got != tc.want {
				t.Errorf("got %t, want %t", got, tc.want)
			}
		})
	}
}
