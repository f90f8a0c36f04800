package show

import (
	"fmt"
	"strings"
)

// screen knows what of the block stands on the terminal. The cursor waits below it, at the left.
type screen struct {
	shown []line
	last  string // shown, as it was written
	above []line // waits to be written above the block, to stay there
}

func (s *screen) say(lines ...line) { s.above = append(s.above, lines...) }

// frame returns what to write so that the block stands on the terminal; "" where it does. All
// of it is one write, between the marks of a synchronised update, and nothing is cleared before it is
// written anew: nothing flickers. The cursor is hidden and lines are kept from wrapping only within it,
// so that a crash between two frames leaves the terminal as it should be.
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
		// These may wrap: where they end is not known, so what stands there goes first.
		b.WriteString("\x1b[J" + render(s.above, opts.Color, "\r\n"))
	}
	b.WriteString("\x1b[?7l" + content + "\x1b[J\x1b[?7h\x1b[?25h\x1b[?2026l")
	s.shown, s.last, s.above = block, content, nil
	return b.String()
}

// rows is how many rows the block takes up now. Terminals that have become narrower have broken its
// lines; and no cursor goes further up than the first row.
func (s *screen) rows(width, height int) int {
	rows := 0
	for _, l := range s.shown {
		rows += max(1, (l.width()+width-1)/width)
	}
	return min(rows, height-1)
}
