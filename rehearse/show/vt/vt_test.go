package vt

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const frames = "\x1b[32m✓\x1b[0m Build  はじめに\r\n" +
	"\x1b[?2026h\x1b[?25l\r\x1b[1A\x1b[J\x1b[?7l\x1b[1;31mfailed\x1b[0m …\x1b[K\r\n\x1b[?7h\x1b[?25h\x1b[?2026l" +
	"a line that wraps\n"

func TestScreen(t *testing.T) {
	v := New(10, 3, t.Errorf)
	if _, err := v.Write([]byte(frames)); err != nil {
		t.Fatal(err)
	}
	v.Settle()
	if got, want := v.String(), "✓ Build\nfailed …\na line tha\nt wraps\n"; got != want {
		t.Errorf("the terminal shows %q, want %q", got, want)
	}
	screen := v.Screen()
	if len(screen) != 3 || len(screen[0]) != 10 || screen[2] != nil {
		t.Fatalf("the screen is %q, want the last three rows, of which the last is empty", screen)
	}
	if got, want := screen[0][0], (Cell{"a", ""}); got != want {
		t.Errorf("the first cell on the screen is %q, want %q", got, want)
	}
}

func TestStyleAndWidthOfCells(t *testing.T) {
	v := New(80, 3, t.Errorf)
	if _, err := v.Write([]byte("a\x1b[1;31mはb\x1b[0mc")); err != nil {
		t.Fatal(err)
	}
	want := []Cell{{"a", ""}, {"は", "1;31"}, {"", "1;31"}, {"b", "1;31"}, {"c", ""}}
	if got := v.Screen()[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("the row is %q, want %q", got, want)
	}
}

// A pseudo-terminal hands over a program's output in pieces of any size.
func TestWritesThatEndAnywhere(t *testing.T) {
	whole := New(40, 5, t.Errorf)
	if _, err := whole.Write([]byte(frames)); err != nil {
		t.Fatal(err)
	}
	for size := 1; size < 8; size++ {
		v := New(40, 5, t.Errorf)
		for rest := frames; rest != ""; {
			n := min(size, len(rest))
			if _, err := v.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		v.Settle()
		if got, want := v.Screen(), whole.Screen(); !reflect.DeepEqual(got, want) {
			t.Errorf("in pieces of %d bytes the screen is\n%q\nwant\n%q", size, got, want)
		}
	}
}

func TestComplaints(t *testing.T) {
	for _, tc := range []struct{ name, written, want string }{
		{"unknown sequence", "\x1b[3X", "unknown sequence"},
		{"short sequence", "\x1bc", "unknown sequence"},
		{"control character", "a\x07", "control character"},
		{"up from the first row", "\x1b[2A", "goes up 2 rows"},
		{"line longer than the screen", "\x1b[?7l0123456789012345678901234567890\x1b[?7h\r", "longer than"},
		{"cursor left hidden", "\x1b[?25l", "cursor false"},
		{"colour left on", "\x1b[31m", `style "31"`},
		{"sequence left open", "\x1b[3", "begun"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var complaints []string
			v := New(20, 5, func(format string, args ...any) { complaints = append(complaints, fmt.Sprintf(format, args...)) })
			if _, err := v.Write([]byte(tc.written)); err != nil {
				t.Fatal(err)
			}
			v.Settle()
			if got := strings.Join(complaints, "\n"); !strings.Contains(got, tc.want) {
				t.Errorf("it complains %q, want %q in it", got, tc.want)
			}
		})
	}
}
