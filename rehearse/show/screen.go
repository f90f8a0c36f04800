package show

import (
	"fmt"
	"strings"
)

// screen is the block on the terminal. The cursor is at the left below it.
type screen struct {
	shown []line
	last  string // shown, as it was written
	above []line // waits to be written above the block, to stay there
}

// say adds lines that stay above the block.
func (s *screen) say(lines ...line) { s.above = append(s.above, lines...) }

// frame returns what to write so that the terminal shows the block; "" if it does. It is one write between the marks of
// a synchronised update, and clears nothing before it is written again, so that nothing flickers. Only within it the
// cursor is hidden, and lines do not wrap: a crash between two frames leaves the terminal as it should be.
func (s *screen) frame(block []line, opts Options) string {
	content := render(block, opts.Color, "\x1b[K\r\n")
	if content == s.last && len(s.above) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\x1b[?2026h\x1b[?25l\r")
	if up := s.rows(opts.Width, opts.Height); up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", up)
	}
	if len(s.above) > 0 {
		// These lines may wrap, and end anywhere: the block is cleared first.
		b.WriteString("\x1b[J" + render(s.above, opts.Color, "\r\n"))
	}
	b.WriteString("\x1b[?7l" + content + "\x1b[J\x1b[?7h\x1b[?25h\x1b[?2026l")
	s.shown, s.last, s.above = block, content, nil
	return b.String()
}

// rows returns the number of rows of the block. Terminals that have become narrower have broken its lines. No cursor
// goes further up than the first row.
func (s *screen) rows(width, height int) int {
	rows := 0
	for _, l := range s.shown {
		rows += max(1, (l.width()+width-1)/width)
	}
	return min(rows, height-1)
}
