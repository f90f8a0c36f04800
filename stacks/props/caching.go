package props

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/pathpattern"
)

// Caching says how long visitors' browsers keep files, by their paths. CloudFront's own cache is not
// affected: it keeps everything for a day, and files with a fingerprint for a year if the function publishes
// them, or as long as Deploy.CacheControl and Deploy.Headers say, unless the pipeline clears it before. Nobody
// can clear a browser's cache, so by default browsers keep only those files for long that never change.
//
// Paths are patterns as CloudFront matches them: "*" stands for any characters, also slashes, and "?" for
// exactly one. The first pattern that matches decides; those of Immutable come before those of Feeds. All
// other paths are pages. A distribution allows 74 patterns.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html#DownloadDistValuesPathPattern
type Caching struct {
	// Immutable are files that never change, because their names change with their content: browsers keep
	// them for a year, and do not ask again. An error or a redirect at such a path is kept as a page is, so
	// that a visitor who comes during an upload gets the file on the next visit. An empty list (not nil)
	// means none. Default: only the files that Hugo names after their content, which are styles and scripts
	// through resources.Fingerprint (SHA-256, SHA-384 or SHA-512), such as "main.6600d71a….css", and
	// processed images, such as "cover_hu_2cae7d7cae0312a8.webp". Example, for a generator that writes only
	// such files into a folder: []string{"/assets/*"}.
	Immutable []string

	// Feeds are files that programs ask for again and again. An empty list (not nil) means none. Default:
	// []string{"*index.xml"}, Hugo's feeds. Example: []string{"/feed.xml", "/atom.xml"}.
	Feeds []string

	// FeedsFor is how long browsers keep feeds: whole seconds, from 1 second to 24 hours. Default: 10
	// minutes. Example: time.Hour.
	FeedsFor time.Duration

	// PagesFor is how long browsers keep everything else without asking again: whole seconds, up to 24 hours.
	// For this time, a visitor may not see a new version. Default: 0, browsers ask every time, and get "not
	// modified" for what they have. Example: time.Minute.
	PagesFor time.Duration
}

const (
	defaultFeedsFor = 10 * time.Minute
	maxKeptFor      = 24 * time.Hour

	// maxPathPatterns leaves one of the 75 behaviours of a distribution to paths that no pattern matches.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-web-distributions
	maxPathPatterns = 74
	maxPathPattern  = 255
)

// pathPatternPattern matches the characters that CloudFront allows. It sees a path that is not ASCII in
// percent-encoded form, and % is not among them.
var pathPatternPattern = regexp.MustCompile(`^[/*][A-Za-z0-9_.*$/~"'@:+&?-]*$`)

var defaultFeeds = []string{"*index.xml"}

// hugoFingerprints returns patterns with exactly as many characters as Hugo's fingerprints have. A shorter
// pattern with "*" would also match files that keep their names, such as "jquery.min.js", and browsers
// would never see their next version.
// https://gohugo.io/functions/resources/fingerprint/
func hugoFingerprints() []string {
	var patterns []string
	for _, hexDigits := range []int{64, 96, 128} {
		for _, extension := range []string{"css", "js"} {
			patterns = append(patterns, "*."+anyCharacters(hexDigits)+"."+extension)
		}
	}
	// Hugo writes the hash of an image as a number without leading zeros, so one in 16 is shorter. Extensions
	// have three characters (jpg, png, gif) or four (webp, jpeg, avif).
	for _, hexDigits := range []int{16, 15} {
		for _, extension := range []int{3, 4} {
			patterns = append(patterns, "*_hu_"+anyCharacters(hexDigits)+"."+anyCharacters(extension))
		}
	}
	return patterns
}

// keepTheirNames are paths that every blog has, and that do not change with their content.
var keepTheirNames = []string{"/", "/index.html", "/posts/hello/", "/posts/hello/index.html", "/index.xml", "/sitemap.xml", "/robots.txt"}

func anyCharacters(n int) string { return strings.Repeat("?", n) }

// withDefaults returns these props with every default in its field.
func (c Caching) withDefaults() Caching {
	if c.Immutable == nil {
		c.Immutable = hugoFingerprints()
	}
	if c.Feeds == nil {
		c.Feeds = defaultFeeds
	}
	c.FeedsFor = cmp.Or(c.FeedsFor, defaultFeedsFor)
	return c
}

func (c Caching) validate(p *problems, notFoundPage string) {
	if d := c.FeedsFor; d < time.Second || d > maxKeptFor || d%time.Second != 0 {
		p.add("Site.Caching.FeedsFor", c.FeedsFor, "must be whole seconds, from 1 second to 24 hours, written as 10 * time.Minute")
	}
	if d := c.PagesFor; d < 0 || d > maxKeptFor || d%time.Second != 0 {
		p.add("Site.Caching.PagesFor", d, "must be whole seconds, up to 24 hours, written as time.Minute, or 0")
	}

	first := map[string]string{}
	check := func(field string, patterns []string) {
		for i, pattern := range patterns {
			field := fmt.Sprintf("%s[%d]", field, i)
			if problem := somePathsProblem(pattern); problem != "" {
				p.add(field, pattern, problem)
				continue
			}
			// "/*.css" and "*.css" are the same to CloudFront.
			bare := strings.TrimPrefix(pattern, "/")
			if other, taken := first[bare]; taken {
				p.add(field, pattern, "is listed in "+other+", too, which decides: list it once")
				continue
			}
			first[bare] = field
		}
	}
	check("Site.Caching.Immutable", c.Immutable)
	check("Site.Caching.Feeds", c.Feeds)
	for i, pattern := range c.Immutable {
		if somePathsProblem(pattern) != "" {
			continue
		}
		for _, path := range append(slices.Clone(keepTheirNames), notFoundPage) {
			if pathpattern.Matches(pattern, path) {
				p.add(fmt.Sprintf("Site.Caching.Immutable[%d]", i), pattern, fmt.Sprintf("matches %s, whose next version visitors would not see for a year: list only files whose names change with their content", path))
				break
			}
		}
	}
	if n := len(c.Immutable) + len(c.Feeds); n > maxPathPatterns {
		p.add("Site.Caching", fmt.Sprintf("%d patterns", n), fmt.Sprintf("a distribution allows at most %d: use fewer, wider ones", maxPathPatterns))
	}
}

// somePathsProblem returns why a pattern cannot stand for some of the paths, or "".
func somePathsProblem(pattern string) string {
	if problem := patternProblem(pattern); problem != "" {
		return problem
	}
	if strings.Trim(pattern, "/*") == "" {
		return "matches everything: leave it out, since pages are what no pattern matches"
	}
	return ""
}

// patternProblem returns why CloudFront would refuse a path pattern, or "".
func patternProblem(pattern string) string {
	switch {
	case !pathPatternPattern.MatchString(pattern):
		return `must start with / or * and consist of ASCII letters, digits and _-.*$/~"'@:+&?; write * where a path has other characters`
	case len(pattern) > maxPathPattern:
		return fmt.Sprintf("has %d characters, and CloudFront allows at most %d", len(pattern), maxPathPattern)
	}
	return ""
}
