package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/show/vt"
)

const (
	// frameTime is the time within which what a terminal gets belongs to one frame.
	frameTime = 40 * time.Millisecond
	// restTime is how long the picture rests at its end, before it begins anew.
	restTime = 12 * time.Second
)

// The picture's measures, in pixels. A cell has the width of a character in the fonts below.
const (
	fontSize   = 13
	cellWidth  = 7.8
	cellHeight = 19
	baseline   = 14 // from the top of a cell
	padding    = 18
	titleBar   = 34
)

// classes are the styles that the display of a rehearsal uses, by the parameters of their control sequences,
// and what each is in CSS. All colours have a contrast of at least 4.5 to the background.
var classes = map[string]struct{ name, css string }{
	"1":    {"b", "fill:#fff;font-weight:bold"},
	"2":    {"d", "fill:#8b949e"},
	"31":   {"r", "fill:#ff7b72"},
	"32":   {"g", "fill:#56d364"},
	"33":   {"y", "fill:#e3b341"},
	"36":   {"c", "fill:#56d4dd"},
	"1;31": {"a", "fill:#ff7b72;font-weight:bold"},
}

// frame holds the content of the screen from a time on.
type frame struct {
	at   time.Duration
	rows []string // each row's drawing; "" is an empty one
}

// draw returns the recording as an animated SVG. Each row of the screen is a strip of all that the row shows
// in turn, one below the other, behind a window as high as a row; the animation moves the strip. Where
// nothing moves, for readers who want it so, each strip stands at its end.
func (c cast) draw() ([]byte, error) {
	frames, err := c.frames()
	if err != nil {
		return nil, err
	}
	duration := frames[len(frames)-1].at + restTime
	var rules, strips bytes.Buffer
	for y := range c.Height {
		strip := stripOf(frames, y)
		if len(strip.shown) == 1 && strip.shown[0] == "" {
			continue
		}
		fmt.Fprintf(&rules, "#r%d{transform:translateY(%dpx)}\n", y, -cellHeight*strip.at[len(strip.at)-1].index)
		fmt.Fprintf(&strips, "<svg x=\"%d\" y=\"%d\" width=\"%s\" height=\"%d\"><g id=\"r%d\">\n", padding, titleBar+padding/2+y*cellHeight, pixels(float64(c.Width)*cellWidth), cellHeight, y)
		for i, drawing := range strip.shown {
			if drawing != "" {
				fmt.Fprintf(&strips, "<g transform=\"translate(0 %d)\">%s</g>\n", cellHeight*i+baseline, drawing)
			}
		}
		strips.WriteString("</g></svg>\n")
		if len(strip.at) == 1 {
			continue
		}
		fmt.Fprintf(&rules, "@media(prefers-reduced-motion:no-preference){#r%d{animation:r%d %ss step-end infinite}}\n@keyframes r%d{", y, y, number(duration.Seconds(), 3), y)
		for _, m := range strip.at {
			fmt.Fprintf(&rules, "%s%%{transform:translateY(%dpx)}", percent(m.at, duration), -cellHeight*m.index)
		}
		rules.WriteString("}\n")
	}

	width := float64(c.Width)*cellWidth + 2*padding
	height := titleBar + c.Height*cellHeight + padding
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]s" height="%[2]d" viewBox="0 0 %[1]s %[2]d" role="img" aria-labelledby="title desc">
<title id="title">%[3]s in a terminal</title>
<desc id="desc">A recording of %[3]s on a real terminal, drawn by make picture. Pauses of more than %[4]s are shortened to that; all else has the time it took.</desc>
<style>
text{font:%[5]dpx ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;fill:#e6edf3;white-space:pre}
rect{fill:#e6edf3}
`, pixels(width), height, escaped(c.Command), longestPause, fontSize)
	for _, sgr := range slices.Sorted(maps.Keys(classes)) {
		fmt.Fprintf(&b, ".%s{%s}\n", classes[sgr].name, classes[sgr].css)
	}
	b.Write(rules.Bytes())
	fmt.Fprintf(&b, `</style>
<rect x=".5" y=".5" width="%s" height="%d" rx="9" style="fill:#0d1117;stroke:#3d444d"/>
<path d="M1 %[3]dh%[4]s" stroke="#3d444d"/>
<circle cx="20" cy="17" r="6" fill="#ff5f57"/><circle cx="40" cy="17" r="6" fill="#febc2e"/><circle cx="60" cy="17" r="6" fill="#28c840"/>
<text x="%[5]s" y="21.5" text-anchor="middle" class="d">%[6]s</text>
`, pixels(width-1), height-1, titleBar, pixels(width-2), pixels(width/2), escaped(c.Command))
	b.Write(strips.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

// frames plays the recording to an emulated terminal, and returns what is on its screen from time to time.
func (c cast) frames() ([]frame, error) {
	var complaint error
	terminal := vt.New(c.Width, c.Height, func(format string, args ...any) {
		if complaint == nil {
			complaint = fmt.Errorf(format, args...)
		}
	})
	frames := []frame{{rows: make([]string, c.Height)}}
	var now, before time.Duration
	for i, e := range c.events {
		now, before = now+min(e.at-before, longestPause), e.at
		if _, err := terminal.Write([]byte(e.data)); err != nil {
			return nil, err
		}
		if i+1 < len(c.events) && c.events[i+1].at-e.at < frameTime {
			continue
		}
		f := frame{at: now}
		for _, row := range terminal.Screen() {
			drawing, err := drawRow(row)
			if err != nil {
				return nil, err
			}
			f.rows = append(f.rows, drawing)
		}
		frames = append(frames, f)
	}
	terminal.Settle()
	return frames, complaint
}

// strip holds the drawings of a row of the screen, each once, and the times at which the row shows them.
type strip struct {
	shown []string
	at    []moment
}

type moment struct {
	at    time.Duration
	index int
}

func stripOf(frames []frame, y int) strip {
	var s strip
	seen := map[string]int{}
	for _, f := range frames {
		index, ok := seen[f.rows[y]]
		if !ok {
			index = len(s.shown)
			seen[f.rows[y]] = index
			s.shown = append(s.shown, f.rows[y])
		}
		if len(s.at) == 0 || s.at[len(s.at)-1].index != index {
			s.at = append(s.at, moment{f.at, index})
		}
	}
	return s
}

// drawRow draws a row's cells, with the origin at the left of their baseline. Each run of them has its own place and length, so that columns stay where
// they are in whatever font a reader has.
func drawRow(row []vt.Cell) (string, error) {
	var b strings.Builder
	for x := 0; x < len(row); {
		end, kind := x+1, kindOf(row, x)
		for end < len(row) && row[end].Style == row[x].Style && (row[end].Text == "" || goesOn(row, end, kind)) {
			end++
		}
		class := ""
		if style := row[x].Style; style != "" {
			known, ok := classes[style]
			if !ok {
				return "", fmt.Errorf("the terminal's style %q has no class in the picture", style)
			}
			class = fmt.Sprintf(" class=\"%s\"", known.name)
		}
		left, length := pixels(float64(x)*cellWidth), pixels(float64(end-x)*cellWidth)
		switch kind {
		case space:
		case block, shade:
			if kind == shade {
				class += " opacity=\".35\""
			}
			fmt.Fprintf(&b, "<rect%s x=\"%s\" y=\"%d\" width=\"%s\" height=\"%d\"/>", class, left, 4-baseline, length, cellHeight-8)
		default:
			var text strings.Builder
			for _, cell := range row[x:end] {
				text.WriteString(cell.Text)
			}
			if end-x > 1 {
				class += fmt.Sprintf(" textLength=\"%s\"", length)
			}
			fmt.Fprintf(&b, "<text%s x=\"%s\">%s</text>", class, left, escaped(text.String()))
		}
		x = end
	}
	return b.String(), nil
}

// A kind of character needs its own way of drawing, or comes from another font.
type kind int

const (
	space kind = iota
	ascii
	other
	wide
	block
	shade
)

func kindOf(row []vt.Cell, x int) kind {
	switch text := row[x].Text; {
	case text == " ":
		return space
	case text == "█":
		return block
	case text == "░":
		return shade
	case len(text) == 1:
		return ascii
	case x+1 < len(row) && row[x+1].Text == "":
		return wide
	}
	return other
}

// goesOn says whether the cell at x belongs to the run of a kind before it. A single space between two words
// does.
func goesOn(row []vt.Cell, x int, k kind) bool {
	next := kindOf(row, x)
	if k == ascii && next == space && x+1 < len(row) && row[x+1].Style == row[x].Style {
		next = kindOf(row, x+1)
	}
	return next == k
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // A strings.Builder takes everything.
	return b.String()
}

// number formats a number with no more than so many decimals.
func number(f float64, decimals int) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(f, 'f', decimals, 64), "0"), ".")
}

func pixels(f float64) string { return number(f, 2) }

// percent formats how much of a duration has passed.
func percent(at, duration time.Duration) string {
	return number(100*at.Seconds()/duration.Seconds(), 3)
}
