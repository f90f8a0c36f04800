package status

import (
	"regexp"
	"strings"

	"github.com/mattn/go-runewidth"
)

// title matches what a line begins with before it says something: a word or a time of the clock, and two spaces.
var title = regexp.MustCompile(`^ *[^ ]+(?: [^ ]+)* {2,}`)

// cells measures text in a terminal's cells, whatever the locale is.
var cells = &runewidth.Condition{StrictEmojiNeutral: true}

// Fold breaks a line at spaces into lines of at most so many cells; 0 is no limit. Further lines begin below what the first
// one says. A word that is longer stays whole, because somebody may copy it.
func Fold(line string, limit int) (lines []string) {
	line = strings.TrimRight(line, " ")
	hang := len(line) - len(strings.TrimLeft(line, " "))
	if hang > 0 && hang < 4 {
		hang = 4
	}
	if begin := title.FindString(line); begin != "" {
		hang = cells.StringWidth(begin)
	}
	if limit == 0 || limit < 2*hang {
		return []string{line}
	}
	for end := breakAt(line, limit); end > 0; end = breakAt(line, limit) {
		lines = append(lines, strings.TrimRight(line[:end], " "))
		line = strings.Repeat(" ", hang) + strings.TrimLeft(line[end:], " ")
	}
	return append(lines, line)
}

// breakAt returns where a line that is too long ends at a space; 0 if it is not, or has none.
func breakAt(line string, limit int) (end int) {
	begun, width := false, 0
	for i, r := range line {
		if r == ' ' && begun && (width <= limit || end == 0) {
			end = i
		}
		if width += cells.RuneWidth(r); width > limit && end > 0 {
			return end
		}
		begun = begun || r != ' '
	}
	if width <= limit {
		return 0
	}
	return end
}
