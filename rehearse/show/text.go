package show

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"

	"blog-deploy-pipeline/rehearse/pipeline"
)

// cells measures text. Not by the locale, as go-runewidth's own default would: today's terminals show
// characters of ambiguous width, such as "…", in one cell in Japan too.
var cells = &runewidth.Condition{StrictEmojiNeutral: true}

func width(s string) int { return cells.StringWidth(s) }

// A style is a colour, or another way to make text stand out; the number is the terminal's.
type style string

const (
	normal style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	cyan   style = "36"
	alarm  style = "1;31"
)

// span is text in one style.
type span struct {
	text  string
	style style
}

// line is a line on the screen.
type line []span

func text(s string) line { return line{{s, normal}} }

func (l line) width() int {
	total := 0
	for _, s := range l {
		total += width(s.text)
	}
	return total
}

// cut shortens the line to so many cells; "…" takes the place of what is missing.
func (l line) cut(limit int) line {
	if limit <= 0 {
		return nil
	}
	if l.width() <= limit {
		return l
	}
	var short line
	left := limit - 1
	for _, s := range l {
		w := width(s.text)
		if w > left {
			return append(short, span{cells.Truncate(s.text, left, ""), s.style}, span{"…", s.style})
		}
		left -= w
		short = append(short, s)
	}
	return short
}

func (l line) render(color bool) string {
	var b strings.Builder
	for _, s := range l {
		if color && s.style != normal && s.text != "" {
			b.WriteString("\x1b[" + string(s.style) + "m" + s.text + "\x1b[0m")
		} else {
			b.WriteString(s.text)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

func render(lines []line, color bool, end string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.render(color) + end)
	}
	return b.String()
}

// pad fills s up with spaces to so many cells.
func pad(s string, cells int) string { return s + strings.Repeat(" ", max(0, cells-width(s))) }

// wrap breaks text into lines of at most limit cells, at spaces. A word that is longer than a line stays
// whole: it may be a path that somebody copies. 0 is no limit. Line ends of the text stay.
func wrap(s string, limit int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		paragraph = clean(paragraph)
		if limit <= 0 || width(paragraph) <= limit {
			lines = append(lines, paragraph)
			continue
		}
		current := ""
		for word := range strings.FieldsSeq(paragraph) {
			switch {
			case current == "":
				current = word
			case width(current)+1+width(word) <= limit:
				current += " " + word
			default:
				lines = append(lines, current)
				current = word
			}
		}
		lines = append(lines, current)
	}
	return lines
}

// control matches a terminal's control sequences: CSI, OSC and its like, and the short ones.
var control = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)`)

// clean makes one line of a stranger's text safe to show: no control characters, which could move the
// cursor, and of a line that rewrites itself, as progress bars do, only what stands there in the end.
func clean(s string) string {
	if strings.IndexFunc(s, needsCleaning) < 0 {
		return s
	}
	s = strings.TrimRight(strings.ToValidUTF8(s, "\uFFFD"), "\r\n")
	s = control.ReplaceAllString(s, "")
	s = s[strings.LastIndex(s, "\r")+1:]
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\u2028' || r == '\u2029':
			return ' '
		case needsCleaning(r) && r != unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
}

func needsCleaning(r rune) bool {
	return unicode.IsControl(r) || r == unicode.ReplacementChar || r == '\u2028' || r == '\u2029' ||
		unicode.Is(unicode.Bidi_Control, r)
}

// seconds formats a duration as a person would: "12 ms", "4.1 s", "2 min 5 s", "1 h 10 min".
func seconds(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < 99500*time.Microsecond:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	case d < 59950*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour-500*time.Millisecond:
		return units(int(d.Round(time.Second)/time.Second), 60, "min", "s")
	default:
		return units(int((d+30*time.Second)/time.Minute), 60, "h", "min")
	}
}

func units(n, per int, big, small string) string {
	if n%per == 0 {
		return fmt.Sprintf("%s %s", pipeline.Number(n/per), big)
	}
	return fmt.Sprintf("%s %s %d %s", pipeline.Number(n/per), big, n%per, small)
}
