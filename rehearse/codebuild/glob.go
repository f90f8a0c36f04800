package codebuild

import (
	"fmt"
	"regexp"
	"strings"
)

var globMeta = regexp.MustCompile(`[*?[\\]`)

func globEscape(s string) string { return globMeta.ReplaceAllString(s, `\$0`) }

// globPattern converts a pattern to a regular expression. * and ? match within the name of a file or a folder, and **
// matches across folders. Names that start with a dot are not special.
func globPattern(pattern string) (*regexp.Regexp, error) {
	text := strings.TrimPrefix(pattern, "./")
	var re strings.Builder
	re.WriteString(`^`)
	for i := 0; i < len(text); i++ {
		switch c := text[i : i+1]; {
		case strings.HasPrefix(text[i:], "**/"):
			re.WriteString(`(?:.*/)?`)
			i += 2
		case strings.HasPrefix(text[i:], "**"):
			re.WriteString(`.*`)
			i++
		case c == "*":
			re.WriteString(`[^/]*`)
		case c == "?":
			re.WriteString(`[^/]`)
		case c == "[":
			end := strings.IndexByte(text[i:], ']')
			if end < 2 {
				return nil, fmt.Errorf("the path %q has a [ without a ]", pattern)
			}
			class := text[i+1 : i+end]
			if class[0] == '!' {
				class = "^" + class[1:]
			}
			re.WriteString("[" + class + "]")
			i += end
		default:
			re.WriteString(regexp.QuoteMeta(c))
		}
	}
	re.WriteString(`$`)
	compiled, err := regexp.Compile("(?s)" + re.String())
	if err != nil {
		return nil, fmt.Errorf("the path %q is not a valid pattern: %w", pattern, err)
	}
	return compiled, nil
}
