package props

import (
	"cmp"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxGlob limits a pattern, and the name of a branch, which becomes a pattern.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GitBranchFilterCriteria.html
const maxGlob = 255

var (
	// globParts matches an escaped character, and a set of characters.
	globParts = regexp.MustCompile(`\\.|\[[^\]]*\]`)
	// windowsPath matches a backslash before a character that needs none.
	windowsPath = regexp.MustCompile(`\\([\pL\pN]|$)`)
	// globGroup matches a choice, and severalPattern wildcards on both sides of a comma outside of one. Hardly
	// any file has such a name.
	globGroup      = regexp.MustCompile(`\{[^{}]*\}`)
	severalPattern = regexp.MustCompile(`\*.*,.*\*`)
	globGroups     = strings.NewReplacer("{", "x", ",", "x", "}", "x")
	refPattern     = regexp.MustCompile(`^refs/((heads|tags)/)?`)
	// badRefPattern matches what git refuses in a name, apart from the characters of globs.
	// https://git-scm.com/docs/git-check-ref-format
	badRefPattern = regexp.MustCompile(`[\x00-\x20\x7f~^:]|\.\.|@\{|//|^[/.-]|[/.]$|\.lock(/|$)|/\.|^@$|^HEAD$`)
	// globEscaper turns a name into a pattern. Git refuses the other special characters in names.
	globEscaper = strings.NewReplacer(`{`, `\{`, `}`, `\}`)
)

// globProblem returns why nothing in a repository can match a pattern, or "". CodePipeline accepts any text of
// 1 to 255 characters. It compares it with paths from the repository's root, and with the names of
// branches and tags.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html
func globProblem(pattern string) string {
	plain := globParts.ReplaceAllString(pattern, "x")
	switch {
	case pattern == "" || utf8.RuneCountInString(pattern) > maxGlob:
		return "must be a pattern of 1 to 255 characters"
	case !utf8.ValidString(pattern) || strings.ContainsFunc(pattern, unicode.IsControl):
		return "must be one line of text"
	case strings.TrimSpace(pattern) != pattern:
		return "has a space at its start or end, which no name has"
	case strings.HasPrefix(pattern, "!"):
		return `starts with !, which does not exclude anything here; write \! if the name starts with it`
	case windowsPath.MatchString(strings.ReplaceAll(pattern, `\\`, "x")):
		return `has \, which makes the next character an ordinary one; write / between folders`
	case strings.Count(plain, "{") > strings.Count(plain, "}") || strings.Contains(plain, "["):
		return `has { or [ without the one that closes it; write \ in front if the name has it`
	case strings.Contains(plain, "//"):
		return "has // in it, which no name has"
	case severalPattern.MatchString(globGroup.ReplaceAllString(plain, "x")):
		return `has several patterns in one; list each of them, write {a,b} for both, or write \ before a comma if the name has it`
	}
	return ""
}

// pathGlobProblem is globProblem for a pattern for files.
func pathGlobProblem(pattern string) string {
	problem := globProblem(pattern)
	switch {
	case strings.HasPrefix(pattern, "!"):
		return problem + "; use IgnorePaths for what does not count"
	case problem != "":
		return problem
	case strings.HasPrefix(pattern, "^"), strings.HasSuffix(globParts.ReplaceAllString(pattern, "x"), "$"):
		return `is a regular expression, and must be a glob, such as content/**; write \ before a ^ or $ if the name has it`
	case strings.HasPrefix(pattern, "/"), strings.HasPrefix(pattern, "./"):
		return "must start at the repository's root without / or ./: " + cmp.Or(strings.TrimLeft(strings.TrimPrefix(pattern, "./"), "/"), "**")
	case strings.HasSuffix(pattern, "/"):
		return "names a folder, and only files change; for everything in it: " + pattern + "**"
	case strings.Contains("/"+pattern+"/", "/../"), strings.Contains("/"+pattern+"/", "/./"):
		return "has . or .. for a folder, which no path in a repository has"
	}
	return ""
}

// nameGlobProblem is globProblem for a pattern for branches or tags.
func nameGlobProblem(pattern string) string {
	problem := globProblem(pattern)
	plain := globGroups.Replace(globParts.ReplaceAllString(pattern, "x"))
	switch {
	case problem != "":
		return problem
	case refPattern.MatchString(pattern):
		return "must be the name alone: " + cmp.Or(refPattern.ReplaceAllString(pattern, ""), "*")
	case strings.HasSuffix(pattern, "/"):
		return "ends with /, which no name does; for all names that start with it: " + pattern + "**"
	case badRefPattern.MatchString(plain):
		return "has what git accepts in no name of a branch or tag: a space, ~ ^ : .. @{, a dot or slash at its start or end, or .lock at its end"
	}
	return ""
}
