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

// Headers are the security headers that CloudFront puts on every answer, errors
// included, in the place of any the bucket's files have. X-Content-Type-Options:
// nosniff is always among them.
type Headers struct {
	// HSTS has browsers that were here once come back over HTTPS alone. Default: a
	// year, for the blog's own name.
	HSTS HSTS

	// Frames says who may show a page of the blog in a frame: X-Frame-Options, and
	// frame-ancestors in the default ContentSecurityPolicy. Default: what a
	// ContentSecurityPolicy of yours says, or else SameOriginFrames.
	Frames Frames

	// Referrer says what other sites learn of where their visitors come from.
	// Default: OriginReferrer.
	Referrer Referrer

	// ContentSecurityPolicy says where the pages' parts may come from, at most 1,783
	// characters. The default breaks no ordinary blog: scripts, styles, images and
	// embedded videos may come from anywhere, over HTTPS; refused are plugins (<object>
	// and <embed>, a PDF's, too), a <base> elsewhere, and other sites that show a page in
	// a frame. A policy for scripts has to know the theme's: yours goes here. NoHeader
	// sends none. Default:
	// "upgrade-insecure-requests; object-src 'none'; base-uri 'self'; frame-ancestors 'self'",
	// with Frames deciding the last. Example: "default-src 'self'; img-src 'self' data:".
	ContentSecurityPolicy string

	// Others are further headers of every answer, by name; at most 9. Default: none.
	// Example: map[string]string{"Permissions-Policy": "camera=(), microphone=()"}.
	Others map[string]string
}

// NoHeader is, in the place of a header's value, to send none.
const NoHeader = "none"

// HSTS is the header Strict-Transport-Security. A browser keeps its promise for as
// long as it was told, whatever becomes of the blog: hence what reaches further than
// the blog's own name is off until its owner says otherwise.
type HSTS struct {
	// MaxAge is how long browsers remember. ForgetHSTS has them forget. Default: a
	// year. Example: 30 * 24 * time.Hour.
	MaxAge time.Duration

	// IncludeSubDomains holds all names below the blog's to HTTPS, too. Not where one
	// of them, now or later, answers plain HTTP alone: browsers would no longer reach
	// it. Default: false.
	IncludeSubDomains bool

	// Preload says that the name may go into the list that browsers ship with, at
	// https://hstspreload.org. To get out takes months. It needs IncludeSubDomains
	// and a year. Default: false.
	Preload bool
}

// ForgetHSTS is a MaxAge that has browsers forget what they were told: it sends
// max-age=0. To send no header would leave them as they are.
const ForgetHSTS time.Duration = -1

// Frames is who may show a page in a frame.
type Frames string

const (
	// SameOriginFrames lets only the blog itself.
	FramesSameOrigin Frames = "SAMEORIGIN"
	// NoFrames lets nobody.
	FramesDeny Frames = "DENY"
	// AnyFrames lets everybody, or whom a frame-ancestors of yours in
	// ContentSecurityPolicy names: X-Frame-Options, which knows no names, is not sent.
	FramesAny Frames = "any"
)

// Referrer is what Referrer-Policy says. What would show a page's whole address to
// other sites is not among them.
//
// https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Referrer-Policy
type Referrer string

const (
	// OriginReferrer tells other sites the blog's name, and not the page.
	ReferrerStrictOriginWhenCrossOrigin Referrer = "strict-origin-when-cross-origin"
	// OwnReferrer tells other sites nothing, and the blog itself the page.
	ReferrerSameOrigin Referrer = "same-origin"
	// NoReferrer tells nobody anything.
	ReferrerNone Referrer = "no-referrer"
)

const (
	defaultHSTS = 365 * 24 * time.Hour
	MaxHSTS     = math.MaxInt32 * time.Second

	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-custom-headers
	maxHeaderName, maxHeaderValue = 256, 1783
	maxHeadersTogether            = 10240
	// Of ten, Cache-Control is one.
	maxOtherHeaders = 9
)

var (
	headerNamePattern = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~` + "`" + `-]+$`)
	// cspKeywords are words that mean a host's name without their quotes.
	cspKeywords = regexp.MustCompile(`^(none|self|strict-dynamic|report-sample|(wasm-)?unsafe-[a-z-]+|nonce-.*|sha(256|384|512)-.*)$`)
	// cspDirective is how the names of directives look; browsers leave out what they do
	// not know.
	cspDirective = regexp.MustCompile(`^([A-Za-z]+(-[A-Za-z]+)+|(?i:sandbox))$`)
	// fileHeaders say what is so of one file, and would be wrong for all others.
	fileHeaders = regexp.MustCompile(`^(accept-ranges|age|content-(disposition|language|location|range|type)|etag|expires|last-modified|location|set-cookie|vary)$`)
	// reservedHeaders are CloudFront's own, those of the connection, and those that a
	// policy takes in fields of its own, which a blog has no use for.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html
	reservedHeaders = regexp.MustCompile(`^(access-control-.*|connection|content-(encoding|length)|date|expect|host|keep-alive|proxy-.*|server(-timing)?|trailer|transfer-encoding|upgrade|via|warning|x-(accel|amz|amzn|cache|edge|forwarded|real-ip|xss-protection).*)$`)
)

// ownFields are headers that have a field elsewhere, by their names in lower case.
var ownFields = map[string]string{
	"strict-transport-security": "Site.Headers.HSTS",
	"x-frame-options":           "Site.Headers.Frames",
	"referrer-policy":           "Site.Headers.Referrer",
	"content-security-policy":   "Site.Headers.ContentSecurityPolicy",
	"x-content-type-options":    "nothing: it is sent already",
	"cache-control":             "Site.Caching",
}

func (h Headers) Validate(p *Problems) {
	h.HSTS.validate(p)
	known := oneOf(p, "Site.Headers.Frames", h.Frames, FramesSameOrigin, FramesDeny, FramesAny)
	oneOf(p, "Site.Headers.Referrer", h.Referrer, ReferrerStrictOriginWhenCrossOrigin, ReferrerSameOrigin, ReferrerNone)
	if h.validateContentSecurityPolicy(p); known {
		h.validateFrames(p)
	}
	h.validateOthers(p)
}

func (h HSTS) validate(p *Problems) {
	age := h.Age()
	if age < 0 || age > MaxHSTS || age%time.Second != 0 {
		p.add("Site.Headers.HSTS.MaxAge", h.MaxAge, "must be whole seconds, of at most 68 years, written as 365 * 24 * time.Hour, or ForgetHSTS")
	}
	if h.Preload && (!h.IncludeSubDomains || age < defaultHSTS) {
		p.add("Site.Headers.HSTS.Preload", h.Preload, "the list takes only names with IncludeSubDomains and a MaxAge of a year or more")
	}
}

func (h HSTS) Age() time.Duration {
	if h.MaxAge == ForgetHSTS {
		return 0
	}
	return h.MaxAge
}

func (h Headers) validateContentSecurityPolicy(p *Problems) {
	const field = "Site.Headers.ContentSecurityPolicy"
	policy := h.ContentSecurityPolicy
	if policy == NoHeader {
		return
	}
	if len(policy) > maxHeaderValue {
		p.add(field, fmt.Sprintf("%d characters long", len(policy)), fmt.Sprintf("CloudFront takes at most %d", maxHeaderValue))
	}
	if !headerPattern.MatchString(policy) {
		p.add(field, policy, "must be one line of plain ASCII; a name that is not ASCII goes in as xn--…")
	} else if problem := directivesProblem(policy); problem != "" {
		p.add(field, policy, problem)
	}
}

// validateFrames reports a policy that contradicts Frames.
func (h Headers) validateFrames(p *Problems) {
	if says := framesOf(h.ContentSecurityPolicy); says != "" && says != h.Frames {
		p.add("Site.Headers.Frames", string(h.Frames), fmt.Sprintf("frame-ancestors of ContentSecurityPolicy says %q, and browsers go by that; leave Frames out, or both the same", string(says)))
	}
}

// directivesProblem says what browsers would not understand as it is meant, or nothing.
func directivesProblem(policy string) string {
	if strings.Contains(policy, ",") {
		return "has a comma, after which browsers begin another policy; put ; between directives, and %2C into an address"
	}
	directives := 0
	for directive := range strings.SplitSeq(policy, ";") {
		for i, word := range strings.Fields(directive) {
			switch {
			case i > 0 && cspKeywords.MatchString(word):
				return fmt.Sprintf("needs quotes, as in '%s': without, browsers take the word for a host's name", word)
			case i == 0 && !cspDirective.MatchString(word):
				return "has " + quoted(word) + " where a directive's name should be, as in default-src 'self'; NoHeader sends no policy"
			}
			directives++
		}
	}
	if directives == 0 {
		return "says nothing; leave it out for the default, or set NoHeader to send none"
	}
	return ""
}

// framesOf returns what a policy's frame-ancestors comes to, or "" if it has none.
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

func (h Headers) validateOthers(p *Problems) {
	const field = "Site.Headers.Others"
	if n := len(h.Others); n > maxOtherHeaders {
		p.add(field, fmt.Sprintf("%d headers", n), fmt.Sprintf("CloudFront takes at most %d besides Cache-Control", maxOtherHeaders))
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
			p.add(field, name, "has its own field: set "+ownFields[lower])
		case reservedHeaders.MatchString(lower):
			p.add(field, name, "is none that CloudFront takes here; leave it out")
		case fileHeaders.MatchString(lower):
			p.add(field, name, "cannot be the same for every answer; leave it out")
		case seen[lower] != "":
			p.add(field, name, fmt.Sprintf("is %q, too: the case of letters does not count", seen[lower]))
		}
		seen[lower] = name
		if strings.TrimSpace(value) == "" || len(value) > maxHeaderValue || !headerPattern.MatchString(value) {
			p.add(fmt.Sprintf("%s[%q]", field, name), value, fmt.Sprintf("must be one line of plain ASCII, of at most %d characters", maxHeaderValue))
		}
	}
	if together > maxHeadersTogether {
		p.add(field, fmt.Sprintf("%d characters in all", together), fmt.Sprintf("CloudFront takes at most %d, names and values together", maxHeadersTogether))
	}
}

// WithDefaults returns these props with every default in its field.
func (h Headers) WithDefaults() Headers {
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
