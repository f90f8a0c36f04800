package codebuild

import (
	"regexp"
	"slices"
	"strings"
)

// errorLines match the lines with which programs say why they end, the most trusted first: what a recipe
// says of itself, then what programs say.
var errorLines = []*regexp.Regexp{
	regexp.MustCompile(`^ERROR: *\S`),
	regexp.MustCompile(`^Error: *\S`),
	regexp.MustCompile(`^(?i:error|fatal)\b.*\w`),
	regexp.MustCompile(`^\W*(?:ERR_PNPM_|YN0028:)`), // pnpm's, and Yarn's of a lock file that is not up to date
	npmLine,
}

// npmLine matches what npm says of an error, and npmLog the lines in which it says where its log is, and
// where it was.
var (
	npmLine = regexp.MustCompile(`^npm (?:error|ERR!)`)
	npmLog  = regexp.MustCompile(`^npm (?:error|ERR!)(?:$| +(?:A complete log|/|code |path |command |errno |syscall ))`)
)

var colors = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// cause is the error that a command's output names: its last one or, where the command itself has summed
// up what a program had said, both, a line each. Without any it is the last line. Of npm's last error it
// is the first line: those that follow are advice, and all the flags that a command takes.
func cause(output string) string {
	var said []string
	for line := range strings.Lines(output) {
		if line = strings.TrimSpace(colors.ReplaceAllString(line, "")); line != "" {
			said = append(said, line)
		}
	}
	var found []int // in said, by trust
	for _, pattern := range errorLines {
		for i, line := range slices.Backward(said) {
			if pattern.MatchString(line) && !npmLog.MatchString(line) && !slices.Contains(found, i) {
				for j := i; j >= 0 && pattern == npmLine && npmLine.MatchString(said[j]); j-- {
					if !npmLog.MatchString(said[j]) {
						i = j
					}
				}
				found = append(found, i)
				break
			}
		}
	}
	switch {
	case len(said) == 0:
		return ""
	case len(found) == 0:
		return said[len(said)-1]
	case len(found) == 1 || !errorLines[0].MatchString(said[found[0]]) || found[1] > found[0]:
		return said[found[0]]
	}
	return said[found[1]] + "\n" + said[found[0]]
}
