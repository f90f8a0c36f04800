package props

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Caching says how long visitors' browsers keep what they have got, by path. It is
// not about CloudFront's own cache, which keeps everything for a day, or as long as
// Deploy.CacheControl says, unless the pipeline clears it before. What a browser
// keeps, nobody can take back: hence the defaults keep for long only what never
// changes.
//
// Paths are patterns as CloudFront matches them: "*" stands for any characters,
// slashes included, "?" for exactly one. The first that matches decides, those of
// Immutable before those of Feeds; all other paths are pages. A distribution takes 74
// patterns.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html#DownloadDistValuesPathPattern
type Caching struct {
	// Immutable are the paths of files that never change, because their names do:
	// browsers keep them for a year, and do not ask again. An error or a redirect at such a
	// path is kept as a page is: who comes in the seconds of an upload gets the file on the
	// next visit. Empty (not nil): none. Default: what Hugo names after its content, and
	// nothing else: styles and scripts through resources.Fingerprint (by SHA-256, SHA-384
	// or SHA-512), as in "main.6600d71a….css", and processed images, as in
	// "cover_hu_2cae7d7cae0312a8.webp". Example, for generators that put only such files
	// into a folder: []string{"/assets/*"}.
	Immutable []string

	// Feeds are the paths of what programs ask for over and over. Empty (not nil):
	// none. Default: []string{"*index.xml"}, Hugo's feeds. Example:
	// []string{"/feed.xml", "/atom.xml"}.
	Feeds []string

	// FeedsFor is how long feeds are kept, of 1 second to 24 hours. Default: 10
	// minutes.
	FeedsFor time.Duration

	// PagesFor is how long pages, and all that is neither immutable nor a feed, are
	// kept without asking again, up to 24 hours: for so long a visitor may not see a
	// deployment. Default: 0, browsers ask every time, and get what they have as "not
	// modified". Example: time.Minute.
	PagesFor time.Duration
}

const (
	defaultFeedsFor = 10 * time.Minute
	MaxKeptFor      = 24 * time.Hour

	ImmutableForAYear = "public, max-age=31536000, immutable"
	AskEveryTime      = "public, max-age=0, must-revalidate"

	// 75 behaviours, of which one is for what no pattern matches.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-web-distributions
	maxPathPatterns = 74
	maxPathPattern  = 255
)

// CloudFront's characters. Of a path that is not ASCII it sees the percent-encoded
// form, whose "%" is not among them.
var pathPatternPattern = regexp.MustCompile(`^[/*][A-Za-z0-9_.*$/~"'@:+&?-]*$`)

var defaultFeeds = []string{"*index.xml"}

// hugoFingerprints are patterns of exactly as many characters as Hugo's fingerprints
// have. A shorter one with "*" would take in files that keep their names, such as
// "jquery.min.js", and browsers would never see their next version.
//
// https://gohugo.io/functions/resources/fingerprint/
func HugoFingerprints() []string {
	var patterns []string
	for _, hexDigits := range []int{64, 96, 128} {
		for _, extension := range []string{"css", "js"} {
			patterns = append(patterns, "*."+anyCharacters(hexDigits)+"."+extension)
		}
	}
	// Hugo writes the hash as a number, without leading zeros: one in 16 is shorter.
	// Extensions have three characters (jpg, png, gif) or four (webp, jpeg, avif).
	for _, hexDigits := range []int{16, 15} {
		for _, extension := range []int{3, 4} {
			patterns = append(patterns, "*_hu_"+anyCharacters(hexDigits)+"."+anyCharacters(extension))
		}
	}
	return patterns
}

// keepTheirNames are paths of every blog that are the same whatever is there.
var keepTheirNames = []string{"/", "/index.html", "/posts/hello/", "/posts/hello/index.html", "/index.xml", "/sitemap.xml", "/robots.txt"}

func anyCharacters(n int) string { return strings.Repeat("?", n) }

// WithDefaults returns these props with every default in its field.
func (c Caching) WithDefaults() Caching {
	if c.Immutable == nil {
		c.Immutable = HugoFingerprints()
	}
	if c.Feeds == nil {
		c.Feeds = defaultFeeds
	}
	c.FeedsFor = cmp.Or(c.FeedsFor, defaultFeedsFor)
	return c
}

func (c Caching) validate(p *Problems, notFoundPage string) {
	if d := c.FeedsFor; d < time.Second || d > MaxKeptFor || d%time.Second != 0 {
		p.add("Site.Caching.FeedsFor", c.FeedsFor, "must be whole seconds, from 1 second to 24 hours, written as 10 * time.Minute")
	}
	if d := c.PagesFor; d < 0 || d > MaxKeptFor || d%time.Second != 0 {
		p.add("Site.Caching.PagesFor", d, "must be whole seconds, up to 24 hours, written as time.Minute, or 0")
	}

	first := map[string]string{}
	check := func(field string, patterns []string) {
		for i, pattern := range patterns {
			field := fmt.Sprintf("%s[%d]", field, i)
			if problem := patternProblem(pattern); problem != "" {
				p.add(field, pattern, problem)
				continue
			}
			// CloudFront takes "/*.css" and "*.css" for the same.
			bare := strings.TrimPrefix(pattern, "/")
			if other, taken := first[bare]; taken {
				p.add(field, pattern, "is "+other+", too, which decides; name it once")
				continue
			}
			first[bare] = field
		}
	}
	check("Site.Caching.Immutable", c.Immutable)
	check("Site.Caching.Feeds", c.Feeds)
	for i, pattern := range c.Immutable {
		if patternProblem(pattern) != "" {
			continue
		}
		for _, path := range append(slices.Clone(keepTheirNames), notFoundPage) {
			if MatchesPath(pattern, path) {
				p.add(fmt.Sprintf("Site.Caching.Immutable[%d]", i), pattern, fmt.Sprintf("matches %s, which visitors would not see change for a year; name only files whose names change with their content", path))
				break
			}
		}
	}
	if n := len(c.Immutable) + len(c.Feeds); n > maxPathPatterns {
		p.add("Site.Caching", fmt.Sprintf("%d patterns", n), fmt.Sprintf("a distribution takes at most %d; use wider ones", maxPathPatterns))
	}
}

// patternProblem says what CloudFront would refuse about a path pattern, or nothing.
func patternProblem(pattern string) string {
	switch {
	case !pathPatternPattern.MatchString(pattern):
		return `must start with / or * and hold ASCII letters, digits and _-.*$/~"'@:+&? alone; put * where a path has others`
	case len(pattern) > maxPathPattern:
		return fmt.Sprintf("is %d characters long, and CloudFront takes at most %d", len(pattern), maxPathPattern)
	case strings.Trim(pattern, "/*") == "":
		return "matches everything; pages are what no pattern matches"
	}
	return ""
}

// matchesPath matches as CloudFront does.
func MatchesPath(pattern, path string) bool {
	quoted := regexp.QuoteMeta("/" + strings.TrimPrefix(pattern, "/"))
	quoted = strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(quoted)
	return regexp.MustCompile(`^(?s:` + quoted + `)$`).MatchString(path)
}
