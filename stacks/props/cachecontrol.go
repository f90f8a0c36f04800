package props

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// maxActionValue is for each setting of a pipeline's action.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html
const maxActionValue = 1000

// cacheDirectives are those of answers, and what stands after them: nothing, seconds, or
// nothing or names of headers in quotes. What browsers and CloudFront do not know they
// leave out.
//
// https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Cache-Control
var cacheDirectives = map[string]*regexp.Regexp{
	"max-age": seconds, "s-maxage": seconds, "stale-while-revalidate": seconds, "stale-if-error": seconds,
	"no-cache": someHeaders, "private": someHeaders,
	"public": nothing, "no-store": nothing, "no-transform": nothing, "must-revalidate": nothing,
	"proxy-revalidate": nothing, "must-understand": nothing, "immutable": nothing,
}

var (
	seconds     = regexp.MustCompile(`^=\d+$`)
	nothing     = regexp.MustCompile(`^$`)
	someHeaders = regexp.MustCompile(`^(="[^"]+")?$`)
	// cacheElement is one element of the list; a comma in quotes parts nothing.
	cacheElement = regexp.MustCompile(`([^",]|"[^"]*")+`)
)

// cacheControlProblem says what is wrong with the value of a Cache-Control, or "".
func cacheControlProblem(value string) string {
	switch {
	case strings.Contains(value, "#{"):
		return "CodePipeline would read #{ as the start of a variable"
	case !headerPattern.MatchString(value) || strings.Trim(value, " ,") == "":
		return "must be a Cache-Control header in plain ASCII, such as public, max-age=0, must-revalidate"
	case len(value) > maxActionValue:
		return fmt.Sprintf("has %d characters, and CodePipeline takes %d", len(value), maxActionValue)
	case strings.Count(value, `"`)%2 != 0:
		return `has a " that is not closed`
	case strings.HasPrefix(strings.ToLower(value), "cache-control"):
		return "must be what stands after the header's name, such as public, max-age=0, must-revalidate"
	}
	said := map[string]string{}
	for _, element := range cacheElement.FindAllString(value, -1) {
		element = strings.TrimSpace(element)
		if element == "" {
			continue
		}
		name, _, _ := strings.Cut(strings.ToLower(element), "=")
		argument, known := cacheDirectives[name]
		switch other, twice := said[name]; {
		case !known:
			return fmt.Sprintf("has %q, which is none of the directives, by commas: %s", element, strings.Join(slices.Sorted(maps.Keys(cacheDirectives)), ", "))
		case !argument.MatchString(element[len(name):]):
			return fmt.Sprintf("has %q; write max-age=3600 with seconds, no-store without", element)
		case twice && other != element:
			return fmt.Sprintf("has both %s and %s; keep one of them", other, element)
		}
		said[name] = element
	}
	for _, pair := range [][2]string{{"public", "private"}, {"no-store", "immutable"}} {
		if said[pair[0]] != "" && said[pair[1]] != "" {
			return fmt.Sprintf("has both %s and %s, which contradict each other; keep one of them", pair[0], pair[1])
		}
	}
	for _, kept := range []string{"max-age", "s-maxage"} {
		if age := said[kept]; said["no-store"] != "" && strings.Trim(age[min(len(age), len(kept)):], "=0") != "" {
			return fmt.Sprintf("has both no-store and %s, which contradict each other; keep one of them", age)
		}
	}
	return ""
}
