package props

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Headers are the security headers that CloudFront adds to every answer, also to errors. They replace
// headers of the same name that files in the bucket have. X-Content-Type-Options: nosniff is always among
// them.
type Headers struct {
	// HSTS makes browsers that have visited the blog use HTTPS only. Default: for a year, for the blog's own
	// name.
	HSTS HSTS

	// Frames says who may show a page of the blog in a frame. It sets X-Frame-Options, and frame-ancestors in
	// the default ContentSecurityPolicy. Default: what your ContentSecurityPolicy says, or else
	// FramesSameOrigin.
	Frames Frames

	// Referrer says what other sites get to know about the page that a visitor comes from. Default:
	// ReferrerStrictOriginWhenCrossOrigin.
	Referrer Referrer

	// ContentSecurityPolicy says where the parts of a page may come from, in at most 1,783 characters.
	// NoHeader sends none. The default works with any ordinary blog: scripts, styles, images and embedded
	// videos may come from anywhere by HTTPS. It refuses plugins (<object> and <embed>, also for a PDF), a
	// <base> on another site, and other sites that show a page in a frame. A policy for scripts depends on
	// the theme, so write your own. Default: "upgrade-insecure-requests; object-src 'none'; base-uri 'self';
	// frame-ancestors 'self'", in which Frames decides the last part. Example: "default-src 'self'; img-src
	// 'self' data:".
	ContentSecurityPolicy string

	// Others has further headers of every answer, at most 9. Default: none. Example:
	// map[string]string{"Permissions-Policy": "camera=(), microphone=()"}.
	Others map[string]string
}

// NoHeader is a value that sends no such header.
const NoHeader = "none"

// HSTS is the header Strict-Transport-Security. Browsers remember it for as long as it says, whatever
// happens to the blog. So everything that concerns more than the blog's own name is off by default.
type HSTS struct {
	// MaxAge is how long browsers remember the header: whole seconds, at most 68 years. ForgetHSTS makes them
	// forget it. Default: a year. Example: 30 * 24 * time.Hour.
	MaxAge time.Duration

	// IncludeSubDomains is for all names below the blog's as well. Do not set it if one of them uses plain
	// HTTP, now or later: browsers could no longer reach it. Default: false.
	IncludeSubDomains bool

	// Preload permits that the name is added to the list that browsers contain, at https://hstspreload.org. To
	// remove a name from there takes months. It needs IncludeSubDomains and a MaxAge of a year. Default: false.
	Preload bool
}

// ForgetHSTS is a MaxAge that makes browsers forget the header: it sends max-age=0. Without the header,
// they would remember what they know.
const ForgetHSTS time.Duration = -1

// Frames says who may show a page in a frame.
type Frames string

const (
	// FramesSameOrigin permits only the blog itself.
	FramesSameOrigin Frames = "SAMEORIGIN"
	// FramesDeny permits nobody.
	FramesDeny Frames = "DENY"
	// FramesAny permits everybody, or those in the frame-ancestors of your ContentSecurityPolicy. It sends no
	// X-Frame-Options, which cannot name anybody.
	FramesAny Frames = "any"
)

// Referrer is a value of the header Referrer-Policy. The values that tell other sites the whole address of a
// page are not offered.
// https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Referrer-Policy
type Referrer string

const (
	// ReferrerStrictOriginWhenCrossOrigin tells other sites the blog's name, but not the page.
	ReferrerStrictOriginWhenCrossOrigin Referrer = "strict-origin-when-cross-origin"
	// ReferrerSameOrigin tells other sites nothing, and the blog itself the page.
	ReferrerSameOrigin Referrer = "same-origin"
	// ReferrerNone tells nobody anything.
	ReferrerNone Referrer = "no-referrer"
)

const (
	defaultHSTS = 365 * 24 * time.Hour
	maxHSTS     = math.MaxInt32 * time.Second

	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-custom-headers
	maxHeaderName, maxHeaderValue = 256, 1783
	maxHeadersTogether            = 10240
	// maxOtherHeaders leaves one of CloudFront's ten to Cache-Control.
	maxOtherHeaders = 9
)

var (
	headerPattern     = regexp.MustCompile(`^[ -~]*$`)
	headerNamePattern = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~` + "`" + `-]+$`)
	// cspKeywords matches words that browsers read as a host's name without their quotes.
	cspKeywords = regexp.MustCompile(`^(none|self|strict-dynamic|report-sample|(wasm-)?unsafe-[a-z-]+|nonce-.*|sha(256|384|512)-.*)$`)
	// cspDirective matches names of directives. Browsers ignore those that they do not know.
	cspDirective = regexp.MustCompile(`^([A-Za-z]+(-[A-Za-z]+)+|(?i:sandbox))$`)
	// fileHeaders matches headers that are different for each file.
	fileHeaders = regexp.MustCompile(`^(accept-ranges|age|content-(disposition|language|location|range|type)|etag|expires|last-modified|location|set-cookie|vary)$`)
	// reservedHeaders matches CloudFront's own headers, those of the connection, and those with a field of
	// their own in a policy, which a blog does not need.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html
	reservedHeaders = regexp.MustCompile(`^(access-control-.*|connection|content-(encoding|length)|date|expect|host|keep-alive|proxy-.*|server(-timing)?|trailer|transfer-encoding|upgrade|via|warning|x-(accel|amz|amzn|cache|edge|forwarded|real-ip|xss-protection).*)$`)
)

// ownFields are headers with a field of their own, by their names in lower case.
var ownFields = map[string]string{
	"strict-transport-security": "Site.Headers.HSTS",
	"x-frame-options":           "Site.Headers.Frames",
	"referrer-policy":           "Site.Headers.Referrer",
	"content-security-policy":   "Site.Headers.ContentSecurityPolicy",
	"x-content-type-options":    "nothing, because it is always sent",
	"cache-control":             "Site.Caching",
}

// withDefaults returns these props with every default in its field.
func (h Headers) withDefaults() Headers {
	h.HSTS.MaxAge = cmp.Or(h.HSTS.MaxAge, defaultHSTS)
	h.Frames = cmp.Or(h.Frames, framesOf(h.ContentSecurityPolicy), FramesSameOrigin)
	h.Referrer = cmp.Or(h.Referrer, ReferrerStrictOriginWhenCrossOrigin)
	if h.ContentSecurityPolicy == "" {
		h.ContentSecurityPolicy = "upgrade-insecure-requests; object-src 'none'; base-uri 'self'"
		switch h.Frames {
		case FramesSameOrigin:
			h.ContentSecurityPolicy += "; frame-ancestors 'self'"
		case FramesDeny:
			h.ContentSecurityPolicy += "; frame-ancestors 'none'"
		}
	}
	return h
}

func (h Headers) validate(p *problems) {
	h.HSTS.validate(p)
	known := oneOf(p, "Site.Headers.Frames", h.Frames, FramesSameOrigin, FramesDeny, FramesAny)
	oneOf(p, "Site.Headers.Referrer", h.Referrer, ReferrerStrictOriginWhenCrossOrigin, ReferrerSameOrigin, ReferrerNone)
	if h.validateContentSecurityPolicy(p); known {
		h.validateFrames(p)
	}
	h.validateOthers(p)
}

func (h HSTS) validate(p *problems) {
	age := h.age()
	if age < 0 || age > maxHSTS || age%time.Second != 0 {
		p.add("Site.Headers.HSTS.MaxAge", h.MaxAge, "must be whole seconds, of at most 68 years, written as 365 * 24 * time.Hour, or ForgetHSTS")
	}
	if h.Preload && (!h.IncludeSubDomains || age < defaultHSTS) {
		p.add("Site.Headers.HSTS.Preload", h.Preload, "needs IncludeSubDomains and a MaxAge of a year or more, without which the list refuses a name")
	}
}

// age returns the max-age of the header.
func (h HSTS) age() time.Duration {
	if h.MaxAge == ForgetHSTS {
		return 0
	}
	return h.MaxAge
}

func (h Headers) validateContentSecurityPolicy(p *problems) {
	const field = "Site.Headers.ContentSecurityPolicy"
	policy := h.ContentSecurityPolicy
	if policy == NoHeader {
		return
	}
	if len(policy) > maxHeaderValue {
		p.add(field, fmt.Sprintf("%d characters long", len(policy)), fmt.Sprintf("CloudFront allows at most %d: write a shorter policy", maxHeaderValue))
	}
	if !headerPattern.MatchString(policy) {
		p.add(field, policy, "must be one line of plain ASCII; write a name in another script as xn--…")
	} else if problem := directivesProblem(policy); problem != "" {
		p.add(field, policy, problem)
	}
}

// validateFrames reports a policy that does not agree with Frames.
func (h Headers) validateFrames(p *problems) {
	if says := framesOf(h.ContentSecurityPolicy); says != "" && says != h.Frames {
		p.add("Site.Headers.Frames", string(h.Frames), fmt.Sprintf("frame-ancestors in ContentSecurityPolicy says %q, and browsers obey that: leave Frames out, or write the same into both", string(says)))
	}
}

// directivesProblem returns what browsers would not understand as it is meant, or "".
func directivesProblem(policy string) string {
	if strings.Contains(policy, ",") {
		return "has a comma, after which browsers start another policy: write ; between directives, and %2C in an address"
	}
	directives := 0
	for directive := range strings.SplitSeq(policy, ";") {
		for i, word := range strings.Fields(directive) {
			switch {
			case i > 0 && cspKeywords.MatchString(word):
				return fmt.Sprintf("needs quotes, as in '%s': without them, browsers read the word as a host's name", word)
			case i == 0 && !cspDirective.MatchString(word):
				return "has " + quoted(word) + " where a directive's name must be, as in default-src 'self'; props.NoHeader sends no policy"
			}
			directives++
		}
	}
	if directives == 0 {
		return "has no directive: leave it out for the default, or set props.NoHeader to send none"
	}
	return ""
}

// framesOf returns what frame-ancestors in a policy means, or "" if it has none.
func framesOf(policy string) Frames {
	for directive := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(directive)
		if len(words) == 0 || !strings.EqualFold(words[0], "frame-ancestors") {
			continue
		}
		switch strings.ToLower(strings.Join(words[1:], " ")) {
		case "", "'none'":
			return FramesDeny
		case "'self'":
			return FramesSameOrigin
		}
		return FramesAny
	}
	return ""
}

func (h Headers) validateOthers(p *problems) {
	const field = "Site.Headers.Others"
	if n := len(h.Others); n > maxOtherHeaders {
		p.add(field, fmt.Sprintf("%d headers", n), fmt.Sprintf("CloudFront allows at most %d besides Cache-Control: use fewer", maxOtherHeaders))
	}
	together := 0
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(h.Others)) {
		value, lower := h.Others[name], strings.ToLower(name)
		together += len(name) + len(value)
		switch {
		case len(name) > maxHeaderName || !headerNamePattern.MatchString(name):
			p.add(field, name, fmt.Sprintf("must be a header's name, such as Permissions-Policy, of at most %d characters", maxHeaderName))
		case ownFields[lower] != "":
			p.add(field, name, "has a field of its own: set "+ownFields[lower])
		case reservedHeaders.MatchString(lower):
			p.add(field, name, "is a header that CloudFront does not accept here: leave it out")
		case fileHeaders.MatchString(lower):
			p.add(field, name, "cannot be the same for every answer: leave it out")
		case seen[lower] != "":
			p.add(field, name, fmt.Sprintf("is listed as %q, too, and the case of letters does not count: list it once", seen[lower]))
		}
		seen[lower] = name
		if strings.TrimSpace(value) == "" || len(value) > maxHeaderValue || !headerPattern.MatchString(value) {
			p.add(fmt.Sprintf("%s[%q]", field, name), value, fmt.Sprintf("must be one line of plain ASCII, of at most %d characters", maxHeaderValue))
		}
	}
	if together > maxHeadersTogether {
		p.add(field, fmt.Sprintf("%d characters in all", together), fmt.Sprintf("CloudFront allows at most %d for names and values together: use fewer", maxHeadersTogether))
	}
}
