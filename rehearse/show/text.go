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

// wrap breaks text into lines of at most limit cells; see [line.fold]. Line ends of the text stay.
func wrap(s string, limit int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		for _, l := range text(strings.TrimRight(clean(paragraph), " ")).fold(limit, 0) {
			lines = append(lines, l.render(false))
		}
	}
	return lines
}

// fold breaks the line where it is wider than limit cells: at spaces and, in text that has few of them,
// between wide characters. What follows is indented by hang. A word that is longer than a line stays
// whole: it may be a path that somebody copies. 0 is no limit.
func (l line) fold(limit, hang int) []line {
	if limit <= 0 || l.width() <= limit {
		return []line{l}
	}
	indent := span{strings.Repeat(" ", hang), normal}
	var lines []line
	current, used := line{}, 0
	gap, glued := 0, false
	for _, s := range l {
		for i, word := range strings.Split(s.text, " ") {
			if i > 0 {
				gap, glued = gap+1, false
			}
			for _, part := range parts(word, limit) {
				cells := width(part)
				if used > hang && !glued && used+gap+cells > limit {
					lines, current, used, gap = append(lines, current), line{indent}, hang, 0
				}
				current = append(current, span{strings.Repeat(" ", gap) + part, s.style})
				used, gap, glued = used+gap+cells, 0, false
			}
			glued = word != "" // A word may go on in the next span.
		}
	}
	return append(lines, current)
}

const (
	// notFirst and notLast are what Japanese does not begin or end a line with.
	notFirst = "、。，．・：；？！゛゜ヽヾゝゞ々ー）」』】〉》〕］｝～…‥,.!?)]}:;ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ"
	notLast  = "（「『【〈《〔［｛([{"
)

// parts is a word of a text or, where that takes up more than half a line and is no path, its parts
// between which a line may end: it is of a script without spaces.
func parts(word string, limit int) []string {
	if word == "" {
		return nil
	}
	if width(word) <= limit/2 || strings.Contains(word, "/") {
		return []string{word}
	}
	var all []string
	begin, before := 0, rune(0)
	for i, r := range word {
		wide := cells.RuneWidth(r) == 2 || cells.RuneWidth(before) == 2
		if i > 0 && wide && !strings.ContainsRune(notFirst, r) && !strings.ContainsRune(notLast, before) {
			all = append(all, word[begin:i])
			begin = i
		}
		before = r
	}
	return append(all, word[begin:])
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
