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

// Distribution is the configuration of a distribution. The fields have CloudFormation's meanings.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudfront-distribution-distributionconfig.html
type Distribution struct {
	// ID is the distribution's id, which invalidations name, such as "E2QWRUHAPOMQZL".
	ID string
	// DomainName is the distribution's own name, such as "d111111abcdef8.cloudfront.net". Without DomainName and Aliases
	// the distribution accepts every host name.
	DomainName string
	// Aliases are the names that viewers use. A request to a loopback address counts as one to the first alias.
	Aliases []string
	// DefaultRootObject is the object for "/", such as "index.html". Default: none, and then S3 refuses "/".
	DefaultRootObject string
	// CacheTagHeader is the name of the header of the origin with an object's cache tags, such as "x-amz-meta-cache-tag" for
	// metadata of S3. Default: objects have no tags.
	CacheTagHeader string
	// Behaviors are in order of precedence. The last one is the default behaviour, whose PathPattern is "*".
	Behaviors []Behavior
	// Errors holds the custom error responses by the origin's status. Without one an error passes unchanged and is
	// cached for 10 s.
	Errors map[int]ErrorResponse
}

// Behavior is a cache behaviour. It applies to the paths that match a pattern.
type Behavior struct {
	// PathPattern is case-sensitive. "*" stands for any number of characters and "?" for one.
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
	// Compress allows compression for viewers who accept gzip, if the cache policy has Gzip.
	Compress bool
}

// The values of ViewerProtocol.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-viewers-to-cloudfront.html
const (
	allowAll        = "allow-all"
	redirectToHTTPS = "redirect-to-https"
	httpsOnly       = "https-only"
)

// ViewerRequest is a CloudFront Function on viewer requests. It returns the request for the cache, or a response for the
// viewer. If it returns an error, the viewer gets a 502 or 503. *edgefunction.Function implements it.
type ViewerRequest interface {
	ViewerRequest(r *http.Request, context edgefunction.Context) (*http.Request, *http.Response, error)
}

// ViewerResponse is a CloudFront Function on viewer responses. It returns the response for the viewer. The Body is that
// of the original response unless the function sets another. An error has the same effect as one of [ViewerRequest].
// *edgefunction.Function implements it.
type ViewerResponse interface {
	ViewerResponse(r *http.Request, response *http.Response, context edgefunction.Context) (*http.Response, error)
}

// ErrorResponse is one of a distribution's custom error responses.
type ErrorResponse struct {
	// PagePath is the path of the page that viewers get, such as "/404.html". Default: the origin's own error.
	PagePath string
	// Status is the page's status. Default: the origin's.
	Status int
	// MinTTL is the error caching minimum TTL. Default 10 s; a negative value stands for CloudFront's 0.
	MinTTL time.Duration
}

// Names returns the host names that the distribution accepts. The first one stands for a loopback address. If there are
// none, the distribution accepts every name.
func (d *Distribution) Names() []string {
	names := slices.Clone(d.Aliases)
	if d.DomainName != "" {
		names = append(names, d.DomainName)
	}
	return names
}

// customizable lists the status codes that can have a custom error response.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/creating-custom-error-pages.html
var customizable = []int{400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}

// Validate returns an error for everything that CloudFront does not accept or a rehearsal does not support.
func (d *Distribution) Validate() error {
	var errs []error
	for _, alias := range d.Aliases {
		if strings.HasPrefix(alias, "*") {
			errs = append(errs, fmt.Errorf("the alias %s is a wildcard, which a rehearsal does not support; use the name that readers visit", alias))
		}
	}
	if strings.HasPrefix(d.DefaultRootObject, "/") {
		errs = append(errs, fmt.Errorf("DefaultRootObject is %q; CloudFront requires a name without a leading slash", d.DefaultRootObject))
	}
	for _, status := range slices.Sorted(maps.Keys(d.Errors)) {
		response := d.Errors[status]
		if !slices.Contains(customizable, status) {
			errs = append(errs, fmt.Errorf("CustomErrorResponses has the ErrorCode %d; CloudFront accepts only %v", status, customizable))
		}
		if response.PagePath != "" && !strings.HasPrefix(response.PagePath, "/") {
			errs = append(errs, fmt.Errorf("the ResponsePagePath of error %d is %q; CloudFront requires a leading slash", status, response.PagePath))
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
			errs = append(errs, fmt.Errorf("the PathPattern %q has a space or a character that is not ASCII; CloudFront accepts neither, and \"*\" can stand for them", b.PathPattern))
		case slices.ContainsFunc(d.Behaviors[:i], same) && i < len(d.Behaviors)-1:
			errs = append(errs, fmt.Errorf("two behaviours have the PathPattern %s; CloudFront accepts each pattern once", b.PathPattern))
		}
		if !slices.Contains([]string{allowAll, redirectToHTTPS, httpsOnly}, b.ViewerProtocol) {
			errs = append(errs, fmt.Errorf("the ViewerProtocol of the behaviour %s is %q; CloudFront accepts %s, %s and %s", b.PathPattern, b.ViewerProtocol, allowAll, redirectToHTTPS, httpsOnly))
		}
	}
	return errors.Join(errs...)
}

// reached returns the host name of a request and whether the request came by HTTPS. ok is false if the distribution does
// not accept the name.
//
// A request to a loopback address counts as an HTTPS request to the first name, because a rehearsal has neither the DNS
// record nor the certificate of that name.
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

// Behavior returns the first behaviour whose pattern matches a path. The path is encoded and has no query string.
//
// "CloudFront normalizes URI paths consistent with RFC 3986 and then matches the path with the correct
// cache behavior. Once the cache behavior is matched, CloudFront sends the raw URI path to the origin."
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html#DownloadDistValuesPathPattern
func (d *Distribution) Behavior(path string) *Behavior {
	path = normal(path)
	i := slices.IndexFunc(d.Behaviors, func(b Behavior) bool { return matchesPattern(b.PathPattern, path) })
	return &d.Behaviors[i] // The last behaviour matches every path; see Validate.
}

// normal returns the path that is compared with patterns. It is canonical and has no double slashes and no dot segments.
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

// matchesPattern reports whether a path pattern matches a normal path. The pattern's leading slash is optional, and "*"
// also matches slashes.
func matchesPattern(pattern, path string) bool {
	pattern = "/" + strings.TrimPrefix(canonical(pattern, keepEncoded), "/")
	// star is the index of the last "*" in the pattern, and taken the end of the part of the path that it matches.
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
