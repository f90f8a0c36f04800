package props

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// maxWildcards limits the paths with * that CloudFront clears at a time.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
const maxWildcards = 15

var (
	// pathPattern matches paths without the characters that are unsafe by RFC 1738, as CloudFront demands.
	pathPattern = regexp.MustCompile(`^/([A-Za-z0-9._!$&'()+,;=:@/?*-]|%[0-9A-Fa-f]{2})*$`)
	// tagPattern matches cache tags without *, and without braces, which CodePipeline reads as a variable.
	tagPattern = regexp.MustCompile(`^#[!-)+-z|~]{1,256}$`)
)

// validatePaths checks the paths that CloudFront clears at a time.
func validatePaths(p *problems, field string, paths []string) {
	for n, path := range paths {
		if problem := pathProblem(path); problem != "" {
			p.add(fmt.Sprintf("%s[%d]", field, n), path, problem)
		}
	}
	if wildcards := countWildcards(paths); wildcards > maxWildcards {
		p.add(field, fmt.Sprintf("%d paths with *", wildcards), fmt.Sprintf("CloudFront clears at most %d of them at a time: use fewer, or a wider one", maxWildcards))
	}
}

func countWildcards(paths []string) (n int) {
	for _, path := range paths {
		if strings.HasSuffix(path, "*") {
			n++
		}
	}
	return n
}

// pathProblem returns why CloudFront would refuse a path, or "".
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
func pathProblem(path string) string {
	switch star := strings.IndexByte(path, '*'); {
	case strings.HasPrefix(path, "#"):
		if !tagPattern.MatchString(path) {
			return "must be # and a cache tag of at most 256 visible ASCII characters, without * and braces"
		}
		return ""
	case !strings.HasPrefix(path, "/"):
		return "must start with / (or with # for a cache tag)"
	case star >= 0 && star != len(path)-1:
		return "may have * only as its last character"
	case !pathPattern.MatchString(path):
		return fmt.Sprintf("must be URL-encoded: %q", encode(path))
	case hasDots(path):
		return "has . or .. for a folder, which browsers remove before they ask"
	}
	return ""
}

// hasDots returns whether a part of an encoded path is . or .. alone.
// https://url.spec.whatwg.org/#double-dot-path-segment
func hasDots(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(part string) bool {
		plain := strings.ReplaceAll(strings.ToLower(part), "%2e", ".")
		return plain == "." || plain == ".."
	})
}

// encode returns a path in the form that CloudFront demands.
func encode(path string) string {
	encoded := (&url.URL{Path: path}).EscapedPath()
	return strings.NewReplacer("%2A", "*", "~", "%7E").Replace(encoded)
}
