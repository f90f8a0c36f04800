package show

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/mattn/go-runewidth"
)

// terminal is a small VT: what the display uses, and an error for everything else. After each write it
// must be as it was: a crash may come at any time.
type terminal struct {
	t             testing.TB
	width, height int
	ambiguous     int // cells of a character of ambiguous width, such as "…"

	mu       sync.Mutex
	rows     [][]string // all rows ever; the screen is the last height of them. The cell after a wide one is "".
	x, y     int
	pending  bool // the cursor stands behind the last column
	wrap     bool
	cursor   bool
	updating bool
	writes   int
	scrolled int // rows that have left the screen
}

func newTerminal(t testing.TB, width, height int) *terminal {
	return &terminal{t: t, width: width, height: height, ambiguous: 1, wrap: true, cursor: true, rows: [][]string{nil}}
}

var sequence = regexp.MustCompile(`^\x1b\[([?0-9;]*)([A-Za-z])`)

func (v *terminal) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.writes++
	for s := string(p); s != ""; {
		if m := sequence.FindStringSubmatch(s); m != nil {
			v.control(m[1], m[2])
			s = s[len(m[0]):]
			continue
		}
		i := strings.IndexAny(s, "\x1b\r\n")
		switch {
		case i < 0:
			i = len(s)
		case i == 0 && s[0] == '\r':
			v.x, v.pending, i = 0, false, 1
		case i == 0 && s[0] == '\n':
			// As a terminal's line discipline does, with a carriage return.
			v.down()
			v.x, v.pending, i = 0, false, 1
		case i == 0:
			v.t.Errorf("the terminal got an unknown sequence: %.20q", s)
			i = 1
		}
		if s[0] != '\r' && s[0] != '\n' && s[0] != '\x1b' {
			v.print(s[:i])
		}
		s = s[i:]
	}
	if !v.wrap || !v.cursor || v.updating || v.x != 0 {
		v.t.Errorf("a write leaves the terminal with wrap %t, cursor %t, update under way %t, column %d", v.wrap, v.cursor, v.updating, v.x)
	}
	return len(p), nil
}

func (v *terminal) down() {
	v.y++
	if v.y == len(v.rows) {
		v.rows = append(v.rows, nil)
	}
	v.scrolled = max(v.scrolled, len(v.rows)-v.height)
}

func (v *terminal) print(s string) {
	for _, r := range s {
		w := cells.RuneWidth(r)
		if w == 1 && runewidth.IsAmbiguousWidth(r) {
			w = v.ambiguous
		}
		if r < ' ' || r == 0x7f {
			v.t.Errorf("the terminal got the control character %q in %.60q", r, s)
		}
		if w == 0 {
			continue
		}
		if v.pending || v.x+w > v.width {
			if !v.wrap && v.ambiguous == 2 {
				return // As terminals do, but for the last cell.
			}
			if !v.wrap {
				v.t.Errorf("a line of the block is longer than %d cells: %.200q", v.width, s)
				return
			}
			v.down()
			v.x, v.pending = 0, false
		}
		row := v.rows[v.y]
		for len(row) < v.x+w {
			row = append(row, " ")
		}
		row[v.x] = string(r)
		if w == 2 {
			row[v.x+1] = ""
		}
		v.rows[v.y] = row
		v.x += w
		if v.x == v.width {
			v.x, v.pending = v.width-1, true
		}
	}
}

func (v *terminal) control(params, command string) {
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
	}
	switch command {
	case "A":
		n, err := strconv.Atoi(params)
		if err != nil || n < 1 {
			v.t.Errorf("cursor up %q", params)
		}
		if top := v.scrolled; v.y-n < top {
			v.t.Errorf("the cursor goes up %d rows from row %d of the screen", n, v.y-top)
			n = v.y - top
		}
		v.y, v.pending = v.y-n, false
	case "m":
	default:
		v.t.Errorf("the terminal got an unknown sequence: ESC [ %s %s", params, command)
	}
}

func (v *terminal) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.writes
}

// String returns everything on the screen and above it.
func (v *terminal) String() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var b strings.Builder
	for _, row := range v.rows {
		b.WriteString(strings.TrimRight(strings.Join(row, ""), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}
