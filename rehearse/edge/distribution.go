package edge

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/edgefunction"
)

// Distribution is what a distribution's configuration says, as CloudFormation words it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudfront-distribution-distributionconfig.html
type Distribution struct {
	// ID is the one that invalidations name, such as "E2QWRUHAPOMQZL".
	ID string
	// DomainName is the distribution's own name, such as "d111111abcdef8.cloudfront.net". Default: with no
	// Aliases either, the distribution answers to every name.
	DomainName string
	// Aliases are the names that viewers use. The first stands for a loopback address, where there is one.
	Aliases []string
	// DefaultRootObject is what "/" stands for, such as "index.html". Default: nothing, and S3 refuses.
	DefaultRootObject string
	// Behaviors are in order of precedence; the last is the default one, whose PathPattern is "*".
	Behaviors []Behavior
	// Errors are the distribution's custom error responses, by the origin's status. Default: errors pass
	// as they are, and are cached for 10 s.
	Errors map[int]ErrorResponse
}

// Behavior is a cache behaviour: what is done with the paths that a pattern matches.
type Behavior struct {
	// PathPattern has "*" for any number of characters and "?" for one; case counts.
	PathPattern string
	// CachePolicy holds the TTLs. Default: [CachingOptimized].
	CachePolicy CachePolicy
	// Headers is the response headers policy. Default: none.
	Headers HeadersPolicy
	// ViewerRequest is the CloudFront Function on viewer requests, or nil.
	ViewerRequest ViewerRequest
	// ViewerResponse is the CloudFront Function on viewer responses, or nil.
	ViewerResponse ViewerResponse
	// ViewerProtocol is "allow-all", "redirect-to-https" or "https-only".
	ViewerProtocol string
	// Compress has text compressed for viewers who accept it, if the cache policy does, too.
	Compress bool
}

// What a ViewerProtocol can be.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-viewers-to-cloudfront.html
const (
	allowAll        = "allow-all"
	redirectToHTTPS = "redirect-to-https"
	httpsOnly       = "https-only"
)

// ViewerRequest is a CloudFront Function on viewer requests: it returns the request that goes on to the
// cache, or a response that is sent as it is. An error is a function that failed, and a 502 or 503 for
// the viewer. *edgefunction.Function is one.
type ViewerRequest interface {
	ViewerRequest(r *http.Request, context edgefunction.Context) (*http.Request, *http.Response, error)
}

// ViewerResponse is a CloudFront Function on viewer responses: it returns the response that is sent, whose
// Body is that of the response it got unless it has made another. Errors are as those of [ViewerRequest].
// *edgefunction.Function is one.
type ViewerResponse interface {
	ViewerResponse(r *http.Request, response *http.Response, context edgefunction.Context) (*http.Response, error)
}

// ErrorResponse is one of a distribution's custom error responses.
type ErrorResponse struct {
	// PagePath is the page sent instead, such as "/404.html". Default: the origin's own error.
	PagePath string
	// Status is the status it is sent with. Default: the origin's.
	Status int
	// MinTTL is the error caching minimum TTL. Default 10 s; below zero for CloudFront's 0.
	MinTTL time.Duration
}

// Names are the names that the distribution answers to, the one that stands for a loopback address
// first. None: it answers to all.
func (d *Distribution) Names() []string {
	names := slices.Clone(d.Aliases)
	if d.DomainName != "" {
		names = append(names, d.DomainName)
	}
	return names
}

// customizable are the errors that can have a custom error response.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/creating-custom-error-pages.html
var customizable = []int{400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}

// Validate returns what CloudFront would not accept, and what is not rehearsed.
func (d *Distribution) Validate() error {
	var errs []error
	for _, alias := range d.Aliases {
		if strings.HasPrefix(alias, "*") {
			errs = append(errs, fmt.Errorf("the alias %s is a wildcard, which cannot be rehearsed; name what readers visit", alias))
		}
	}
	if strings.HasPrefix(d.DefaultRootObject, "/") {
		errs = append(errs, fmt.Errorf("DefaultRootObject is %q; CloudFront wants it without a leading slash", d.DefaultRootObject))
	}
	for _, status := range slices.Sorted(maps.Keys(d.Errors)) {
		response := d.Errors[status]
		if !slices.Contains(customizable, status) {
			errs = append(errs, fmt.Errorf("CustomErrorResponses has the ErrorCode %d; CloudFront knows %v", status, customizable))
		}
		if response.PagePath != "" && !strings.HasPrefix(response.PagePath, "/") {
			errs = append(errs, fmt.Errorf("the ResponsePagePath of error %d is %q; CloudFront wants it with a leading slash", status, response.PagePath))
		}
	}
	if n := len(d.Behaviors); n == 0 || d.Behaviors[n-1].PathPattern != "*" {
		errs = append(errs, errors.New(`the last of Behaviors must be the default one, with the PathPattern "*"`))
	}
	for i, b := range d.Behaviors {
		switch same := func(other Behavior) bool { return other.PathPattern == b.PathPattern }; {
		case b.PathPattern == "":
			errs = append(errs, fmt.Errorf("CacheBehaviors[%d] has no PathPattern", i))
		case strings.ContainsFunc(b.PathPattern, func(c rune) bool { return c <= ' ' || c >= 0x7f }):
			errs = append(errs, fmt.Errorf("the PathPattern %q is not all ASCII without spaces; CloudFront takes nothing else, and \"*\" stands for it", b.PathPattern))
		case slices.ContainsFunc(d.Behaviors[:i], same) && i < len(d.Behaviors)-1:
			errs = append(errs, fmt.Errorf("two behaviours have the PathPattern %s; CloudFront takes each once", b.PathPattern))
		}
		if !slices.Contains([]string{allowAll, redirectToHTTPS, httpsOnly}, b.ViewerProtocol) {
			errs = append(errs, fmt.Errorf("ViewerProtocol of the behaviour %s is %q; CloudFront knows %s, %s and %s", b.PathPattern, b.ViewerProtocol, allowAll, redirectToHTTPS, httpsOnly))
		}
	}
	return errors.Join(errs...)
}

// reached says by which of the distribution's names a request has come, and whether by https. It is not
// ok for a name that is none of them.
//
// A loopback address is the first name under https: who rehearses has neither its DNS record nor its
// certificate.
func (d *Distribution) reached(r *http.Request) (host string, secure, ok bool) {
	host = strings.ToLower(r.Host)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	names := d.Names()
	switch {
	case len(names) == 0:
		return host, r.TLS != nil, true
	case isLoopback(host):
		return names[0], true, true
	default:
		return host, r.TLS != nil, slices.Contains(names, host)
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Behavior returns the first behaviour whose pattern matches a path, encoded and without its query string.
//
// "CloudFront normalizes URI paths consistent with RFC 3986 and then matches the path with the correct
// cache behavior. Once the cache behavior is matched, CloudFront sends the raw URI path to the origin."
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html#DownloadDistValuesPathPattern
func (d *Distribution) Behavior(path string) *Behavior {
	path = normal(path)
	i := slices.IndexFunc(d.Behaviors, func(b Behavior) bool { return matchesPattern(b.PathPattern, path) })
	return &d.Behaviors[i] // The last matches all (validate).
}

// normal is the path that patterns are compared with: in its canonical spelling, and with neither double
// slashes nor dot segments.
func normal(path string) string {
	var segments []string
	all := strings.Split(canonical(path, decodeUnreserved), "/")
	for i, segment := range all {
		isLast := i == len(all)-1
		switch segment {
		case "..":
			segments = segments[:max(0, len(segments)-1)]
			fallthrough
		case ".":
			if isLast {
				segments = append(segments, "")
			}
		case "":
			if isLast {
				segments = append(segments, "")
			}
		default:
			segments = append(segments, segment)
		}
	}
	return "/" + strings.Join(segments, "/")
}

// matchesPattern reports whether a path pattern matches a normal path. The pattern's leading slash is
// optional, and "*" goes beyond slashes.
func matchesPattern(pattern, path string) bool {
	pattern = "/" + strings.TrimPrefix(canonical(pattern, keepEncoded), "/")
	// Where the last "*" was, and the path that it has taken in so far.
	star, taken := -1, 0
	i, j := 0, 0
	for j < len(path) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, taken = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == path[j]):
			i, j = i+1, j+1
		case star >= 0:
			taken++
			i, j = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}
