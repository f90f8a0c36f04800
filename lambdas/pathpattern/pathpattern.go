// Package pathpattern matches paths as a behaviour of a CloudFront distribution does.
package pathpattern

import (
	"strings"
	"unicode/utf8"
)

// Matches reports whether a pattern matches a path. "*" stands for any characters, also
// slashes, and "?" for exactly one. The slash at the start of either may be missing.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html#DownloadDistValuesPathPattern
func Matches(pattern, path string) bool {
	pattern, path = strings.TrimPrefix(pattern, "/"), strings.TrimPrefix(path, "/")
	// After the last "*" is rest, and untaken is what of the path that "*" does not match.
	var rest, untaken string
	hasStar := false
	for path != "" || pattern != "" {
		switch {
		case pattern != "" && pattern[0] == '*':
			hasStar, rest, untaken = true, pattern[1:], path
			pattern = rest
		case pattern != "" && path != "" && pattern[0] == '?':
			_, size := utf8.DecodeRuneInString(path)
			pattern, path = pattern[1:], path[size:]
		case pattern != "" && path != "" && pattern[0] == path[0]:
			pattern, path = pattern[1:], path[1:]
		case hasStar && untaken != "":
			_, size := utf8.DecodeRuneInString(untaken)
			untaken = untaken[size:]
			pattern, path = rest, untaken
		default:
			return false
		}
	}
	return true
}
