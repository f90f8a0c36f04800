package show

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// cells measures text in a terminal's cells. By go-runewidth's default, the locale would decide how wide "…" is. Today's
// terminals show such characters in one cell, in Japan too.
var cells = &runewidth.Condition{StrictEmojiNeutral: true}

func width(s string) int { return cells.StringWidth(s) }

// style is a colour, or another way to make text stand out, by the number that terminals give it.
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

// span is a text in one style.
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

// cut shortens the line to limit cells. It ends in "…" then.
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

// pad adds spaces up to a width in cells.
func pad(s string, cells int) string { return s + strings.Repeat(" ", max(0, cells-width(s))) }

// wrap breaks a text into lines of at most limit cells; see [line.fold]. It keeps the line ends of the text.
func wrap(s string, limit int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		for _, l := range text(strings.TrimRight(clean(paragraph), " ")).fold(limit, 0) {
			lines = append(lines, l.render(false))
		}
	}
	return lines
}

// indented wraps a text behind a first word. Further lines begin below the text.
func indented(first, words string, how style, limit int) []line {
	var lines []line
	for _, l := range wrap(words, room(limit, width(first))) {
		lines = append(lines, line{{first, normal}, {l, how}})
		first = strings.Repeat(" ", width(first))
	}
	return lines
}

// room returns what is left of a line, as a limit for wrap.
func room(limit, used int) int {
	if limit <= 0 {
		return 0
	}
	return max(8, limit-1-used)
}

// fold breaks the line into lines of at most limit cells; 0 is no limit. It breaks at spaces and, in scripts that have
// few of them, between wide characters. Further lines are indented by hang. A word that is longer than a line stays
// whole, because it may be a path that somebody copies.
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
			glued = word != "" // The next span may continue the word.
		}
	}
	return append(lines, current)
}

const (
	// notFirst and notLast are the characters with which a line of Japanese does not begin or end.
	notFirst = "、。，．・：；？！゛゜ヽヾゝゞ々ー）」』】〉》〕］｝～…‥,.!?)]}:;ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ"
	notLast  = "（「『【〈《〔［｛([{"
)

// parts returns the parts of a word between which a line may end. Only a long word in a script without spaces has more
// than one; a path never has.
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

// control matches the control sequences of terminals: CSI, OSC and the like, and the short ones.
var control = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)`)

// clean makes a text of somebody else's safe to show in one line. It removes control characters, which could move the
// cursor. Of a line that rewrites itself, as progress bars do, it keeps what is there in the end.
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
