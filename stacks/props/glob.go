package props

import (
	"cmp"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxGlob is for a pattern of a trigger, and for a branch, which becomes one.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GitBranchFilterCriteria.html
const maxGlob = 255

var (
	// globParts are what a glob does not mean as it is written: an escaped character,
	// and a set of them.
	globParts = regexp.MustCompile(`\\.|\[[^\]]*\]`)
	// windowsPath is a backslash before what needs none.
	windowsPath = regexp.MustCompile(`\\([\pL\pN]|$)`)
	// globGroup is a choice, and severalPattern are wildcards on both sides of a comma
	// that is in none: such a name there will hardly be.
	globGroup      = regexp.MustCompile(`\{[^{}]*\}`)
	severalPattern = regexp.MustCompile(`\*.*,.*\*`)
	globGroups     = strings.NewReplacer("{", "x", ",", "x", "}", "x")
	refPattern     = regexp.MustCompile(`^refs/((heads|tags)/)?`)
	// globEscaper makes a pattern of a name: git takes none of the other characters.
	GlobEscaper = strings.NewReplacer(`{`, `\{`, `}`, `\}`)
)

// globProblem says why nothing in a repository ever matches a pattern, or "". CodePipeline
// takes each text of 1 to 255 characters, and compares with paths from the repository's
// root, and with the names of branches and tags.
//
// https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html
func globProblem(pattern string) string {
	plain := globParts.ReplaceAllString(pattern, "x")
	switch {
	case pattern == "" || utf8.RuneCountInString(pattern) > maxGlob:
		return "must be a pattern of 1 to 255 characters"
	case !utf8.ValidString(pattern) || strings.ContainsFunc(pattern, unicode.IsControl):
		return "must be one line of text"
	case strings.TrimSpace(pattern) != pattern:
		return "has a space at an end, which no name has"
	case strings.HasPrefix(pattern, "!"):
		return `starts with !, which is no exception here but a part of the name; put \ before it if it is one`
	case windowsPath.MatchString(strings.ReplaceAll(pattern, `\\`, "x")):
		return `has \, which takes the next character as it is; put / between folders`
	case strings.Count(plain, "{") > strings.Count(plain, "}") || strings.Contains(plain, "["):
		return `opens { or [ and does not close it; put \ before one that a name has`
	case strings.Contains(plain, "//"):
		return "has // in it, which no name has"
	case severalPattern.MatchString(globGroup.ReplaceAllString(plain, "x")):
		return `has several patterns in one; write each on its own, or all in {a,b}, or \ before a comma that a name has`
	}
	return ""
}

// pathGlobProblem is globProblem of a pattern for files.
func pathGlobProblem(pattern string) string {
	problem := globProblem(pattern)
	switch {
	case strings.HasPrefix(pattern, "!"):
		return problem + "; IgnorePaths has what does not count"
	case problem != "":
		return problem
	case strings.HasPrefix(pattern, "^"), strings.HasSuffix(globParts.ReplaceAllString(pattern, "x"), "$"):
		return `is a regular expression, and must be a glob, such as content/**; put \ before a ^ or $ that a name has`
	case strings.HasPrefix(pattern, "/"), strings.HasPrefix(pattern, "./"):
		return "must start at the repository's root without / or ./, as " + cmp.Or(strings.TrimLeft(strings.TrimPrefix(pattern, "./"), "/"), "**") + " does"
	case strings.HasSuffix(pattern, "/"):
		return "names a folder, and only files change; for all that is in it: " + pattern + "**"
	case strings.Contains("/"+pattern+"/", "/../"), strings.Contains("/"+pattern+"/", "/./"):
		return "has . or .. for a folder, which no path in a repository has"
	}
	return ""
}

// nameGlobProblem is globProblem of a pattern for branches or tags.
func nameGlobProblem(pattern string) string {
	problem := globProblem(pattern)
	plain := globGroups.Replace(globParts.ReplaceAllString(pattern, "x"))
	switch {
	case problem != "":
		return problem
	case refPattern.MatchString(pattern):
		return "must be the name alone, as " + cmp.Or(refPattern.ReplaceAllString(pattern, ""), "*") + " is"
	case strings.HasSuffix(pattern, "/"):
		return "ends with /, which no name does; for all that start so: " + pattern + "**"
	case badRefPattern.MatchString(plain):
		return "has what git takes in no name of a branch or tag: a space, ~ ^ : .. @{ or a dot, a slash or .lock at an end"
	}
	return ""
}
