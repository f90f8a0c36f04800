package props

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// maxActionValue limits each setting of a pipeline's action.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html
const maxActionValue = 1000

// cacheDirectives are the directives of answers, and what follows each: nothing, seconds, or names of
// headers in quotes. Browsers and CloudFront ignore a directive that they do not know.
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
	// cacheElement matches one element of the list. A comma in quotes does not end it.
	cacheElement = regexp.MustCompile(`([^",]|"[^"]*")+`)
)

// cacheControlProblem returns what is wrong with the value of a Cache-Control header, or "".
func cacheControlProblem(value string) string {
	switch {
	case strings.Contains(value, "#{"):
		return "must not contain #{, which CodePipeline reads as the start of a variable"
	case !headerPattern.MatchString(value) || strings.Trim(value, " ,") == "":
		return "must be a Cache-Control header in plain ASCII, such as public, max-age=0, must-revalidate"
	case len(value) > maxActionValue:
		return fmt.Sprintf("has %d characters, and CodePipeline allows %d", len(value), maxActionValue)
	case strings.Count(value, `"`)%2 != 0:
		return `has a " without another one that closes it`
	case strings.HasPrefix(strings.ToLower(value), "cache-control"):
		return "must be the value without the header's name, such as public, max-age=0, must-revalidate"
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
			return fmt.Sprintf("has %q, which is not a directive; separate directives by commas, of these: %s", element, strings.Join(slices.Sorted(maps.Keys(cacheDirectives)), ", "))
		case !argument.MatchString(element[len(name):]):
			return fmt.Sprintf("has %q: write max-age=3600 with a number of seconds, and no-store without", element)
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
