package codebuild

import (
	"regexp"
	"slices"
	"strings"
)

// errorLines matches lines that explain why a program failed. Patterns that are more reliable come first, beginning with
// that of this project's recipes.
var errorLines = []*regexp.Regexp{
	regexp.MustCompile(`^ERROR: *\S`),
	regexp.MustCompile(`^Error: *\S`),
	regexp.MustCompile(`^(?i:error|fatal)\b.*\w`),
	regexp.MustCompile(`^\W*(?:ERR_PNPM_|YN0028:)`), // pnpm, and Yarn with an outdated lock file
	npmLine,
}

// npmLine matches the lines of an error of npm. npmLog matches those among them that only name npm's log or a path.
var (
	npmLine = regexp.MustCompile(`^npm (?:error|ERR!)`)
	npmLog  = regexp.MustCompile(`^npm (?:error|ERR!)(?:$| +(?:A complete log|/|code |path |command |errno |syscall ))`)
)

var colors = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// cause returns the last error in a command's output. If a recipe sums up the error of a program, cause returns both, in a
// line each. Without an error it returns the last line. For npm it returns the first line of the last error, because the
// following lines are advice and lists of flags.
func cause(output string) string {
	var said []string
	for line := range strings.Lines(output) {
		if line = strings.TrimSpace(colors.ReplaceAllString(line, "")); line != "" {
			said = append(said, line)
		}
	}
	var found []int // indices of said, the most reliable first
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
