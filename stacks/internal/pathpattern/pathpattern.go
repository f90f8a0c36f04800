// Package pathpattern matches paths as a behaviour of a CloudFront distribution does.
package pathpattern

import (
	"regexp"
	"strings"
)

// Matches reports whether CloudFront matches a path with a pattern.
func Matches(pattern, path string) bool {
	quoted := regexp.QuoteMeta("/" + strings.TrimPrefix(pattern, "/"))
	quoted = strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(quoted)
	return regexp.MustCompile(`^(?s:` + quoted + `)$`).MatchString(path)
}
