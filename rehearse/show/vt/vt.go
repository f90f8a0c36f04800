// Package vt emulates the part of a terminal that the display of a rehearsal uses, and complains about
// everything else. The display's tests and the recorded picture of a rehearsal read their screens from it.
package vt

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// A Cell is a character on the screen and its style.
type Cell struct {
	Text  string // "" in the cell behind a wide character, which takes up both.
	Style string // The parameters of the control sequence that set it, such as "1;31"; "" is the default.
}

// A Terminal is an emulated terminal. Its methods can be called from several goroutines.
type Terminal struct {
	// Ambiguous is how many cells a character of ambiguous width, such as "…", takes up. Default 1.
	Ambiguous int

	complain      func(format string, args ...any)
	width, height int

	mu       sync.Mutex
	rows     [][]Cell // All rows ever; the screen is the last height of them.
	x, y     int
	style    string
	pending  bool // The cursor stands behind the last column.
	wrap     bool
	cursor   bool
	updating bool
	scrolled int    // The number of rows that have left the screen.
	rest     string // The begin of a character or a control sequence whose end has not been written yet.
}

// New returns an empty terminal of so many cells. It calls complain for what it does not know and for
// what a program should not do.
func New(width, height int, complain func(format string, args ...any)) *Terminal {
	return &Terminal{Ambiguous: 1, complain: complain, width: width, height: height, wrap: true, cursor: true, rows: [][]Cell{nil}}
}

var (
	sequence   = regexp.MustCompile(`^\x1b\[([?0-9;]*)([A-Za-z])`)
	incomplete = regexp.MustCompile(`\x1b(\[[?0-9;]*)?$`)
)

// Write implements io.Writer. A write may end within a character or a control sequence.
func (v *Terminal) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.rest + string(p)
	end := whole(s)
	s, v.rest = s[:end], s[end:]
	for s != "" {
		if m := sequence.FindStringSubmatch(s); m != nil {
			v.control(m[1], m[2])
			s = s[len(m[0]):]
			continue
		}
		i := strings.IndexAny(s, "\x1b\r\n")
		switch {
		case i < 0:
			i = len(s)
			v.print(s)
		case i > 0:
			v.print(s[:i])
		default:
			i = 1
			switch s[0] {
			case '\r':
				v.x, v.pending = 0, false
			case '\n':
				// As a terminal's line discipline does, with a carriage return.
				v.down()
				v.x, v.pending = 0, false
			default:
				v.complain("the terminal got an unknown sequence: %.20q", s)
			}
		}
		s = s[i:]
	}
	return len(p), nil
}

// whole returns where the last whole character or control sequence of s ends.
func whole(s string) int {
	if at := incomplete.FindStringIndex(s); at != nil {
		return at[0]
	}
	for i := len(s) - 1; i >= 0 && i >= len(s)-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			if !utf8.FullRuneInString(s[i:]) {
				return i
			}
			break
		}
	}
	return len(s)
}

func (v *Terminal) down() {
	v.y++
	if v.y == len(v.rows) {
		v.rows = append(v.rows, nil)
	}
	v.scrolled = max(v.scrolled, len(v.rows)-v.height)
}

// cells measures characters as today's terminals do, whatever the locale is.
var cells = &runewidth.Condition{StrictEmojiNeutral: true}

func (v *Terminal) print(s string) {
	for _, r := range s {
		w := cells.RuneWidth(r)
		if w == 1 && runewidth.IsAmbiguousWidth(r) {
			w = v.Ambiguous
		}
		if r < ' ' || r == 0x7f {
			v.complain("the terminal got the control character %q in %.60q", r, s)
		}
		if w == 0 {
			continue
		}
		if v.pending || v.x+w > v.width {
			if !v.wrap && v.Ambiguous == 2 {
				return // As terminals do, but for the last cell.
			}
			if !v.wrap {
				v.complain("a line of the block is longer than %d cells: %.200q", v.width, s)
				return
			}
			v.down()
			v.x, v.pending = 0, false
		}
		row := v.rows[v.y]
		for len(row) < v.x+w {
			row = append(row, Cell{Text: " "})
		}
		row[v.x] = Cell{string(r), v.style}
		if w == 2 {
			row[v.x+1] = Cell{"", v.style}
		}
		v.rows[v.y] = row
		v.x += w
		if v.x == v.width {
			v.x, v.pending = v.width-1, true
		}
	}
}

func (v *Terminal) control(params, command string) {
	switch params + command {
	case "?7h", "?7l":
		v.wrap = command == "h"
		return
	case "?25h", "?25l":
		v.cursor = command == "h"
		return
	case "?2026h", "?2026l":
		v.updating = command == "h"
		return
	case "K":
		v.rows[v.y] = v.rows[v.y][:min(v.x, len(v.rows[v.y]))]
		return
	case "J":
		v.rows[v.y] = v.rows[v.y][:min(v.x, len(v.rows[v.y]))]
		for y := v.y + 1; y < len(v.rows); y++ {
			v.rows[y] = nil
		}
		return
	case "0m":
		v.style = ""
		return
	}
	switch command {
	case "A":
		n, err := strconv.Atoi(params)
		if err != nil || n < 1 {
			v.complain("cursor up %q", params)
		}
		if top := v.scrolled; v.y-n < top {
			v.complain("the cursor goes up %d rows from row %d of the screen", n, v.y-top)
			n = v.y - top
		}
		v.y, v.pending = v.y-n, false
	case "m":
		v.style = params
	default:
		v.complain("the terminal got an unknown sequence: ESC [ %s %s", params, command)
	}
}

// Settle complains unless the terminal is as a program finds it: lines wrap, the cursor is visible and at
// the left, and no update is under way.
func (v *Terminal) Settle() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.wrap || !v.cursor || v.updating || v.x != 0 || v.style != "" || v.rest != "" {
		v.complain("a write leaves the terminal with wrap %t, cursor %t, update under way %t, column %d, style %q, begun %q", v.wrap, v.cursor, v.updating, v.x, v.style, v.rest)
	}
}

// Screen returns a copy of the rows on the screen, from the top; those that nothing was written to are nil.
func (v *Terminal) Screen() [][]Cell {
	v.mu.Lock()
	defer v.mu.Unlock()
	screen := make([][]Cell, v.height)
	for i, row := range v.rows[v.scrolled:] {
		screen[i] = append([]Cell(nil), row...)
	}
	return screen
}

// String returns the text on the screen and above it.
func (v *Terminal) String() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var b strings.Builder
	for _, row := range v.rows {
		var line strings.Builder
		for _, cell := range row {
			line.WriteString(cell.Text)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}
