package edge

import (
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CachePolicy holds the TTLs of a cache policy. The cache key consists of the path and, with Gzip, of whether the viewer
// accepts gzip. It contains no query string, no other header and no cookie.
type CachePolicy struct {
	MinTTL, DefaultTTL, MaxTTL time.Duration
	// Gzip is EnableAcceptEncodingGzip. EnableAcceptEncodingBrotli has no effect here, because the edge uses only gzip.
	Gzip bool
}

// CachingOptimized is the managed cache policy of that name, which is the CDK's default.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
var CachingOptimized = CachePolicy{MinTTL: time.Second, DefaultTTL: 24 * time.Hour, MaxTTL: 365 * 24 * time.Hour, Gzip: true}

// ttl returns how long CloudFront caches an object.
//
// If the minimum TTL is above zero, CloudFront caches even objects with no-store, no-cache or private.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
func (p CachePolicy) ttl(header http.Header, now time.Time) time.Duration {
	if noCache(header) || noStore(header) {
		return p.MinTTL
	}
	asked, ok := askedTTL(header, now)
	if !ok {
		return max(p.MinTTL, p.DefaultTTL)
	}
	return max(p.MinTTL, min(asked, p.MaxTTL))
}

// errorTTL returns how long CloudFront caches a 4xx or 5xx response. AWS's pages differ about 403: one says that
// CloudFront caches it only with a Cache-Control, the other that it caches all errors. Readers observe that 403 is
// cached.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
func (p CachePolicy) errorTTL(status int, header http.Header, minimum time.Duration, now time.Time) time.Duration {
	heedsNoCache := []int{http.StatusNotFound, http.StatusGone, http.StatusRequestURITooLong, http.StatusNotImplemented}
	if slices.Contains(heedsNoCache, status) && (noCache(header) || noStore(header)) {
		return 0
	}
	asked, ok := askedTTL(header, now)
	if !ok {
		return minimum
	}
	return max(minimum, min(asked, p.MaxTTL))
}

// askedTTL returns the TTL that the origin asks for. s-maxage has precedence over max-age, and max-age over Expires.
func askedTTL(header http.Header, now time.Time) (ttl time.Duration, ok bool) {
	directives := cacheControl(header)
	for _, name := range []string{"s-maxage", "max-age"} {
		if value, given := directives[name]; given {
			seconds, err := strconv.ParseInt(value, 10, 64)
			if err != nil || seconds < 0 {
				return 0, true // RFC 9111, section 4.2.1: a response with an invalid value is stale.
			}
			const century = 100 * 365 * 24 * 3600 // This is CloudFront's limit, and prevents an overflow of Duration.
			return time.Duration(min(seconds, century)) * time.Second, true
		}
	}
	if expires := header.Get("Expires"); expires != "" {
		at, err := http.ParseTime(expires)
		if err != nil {
			return 0, true
		}
		return max(0, at.Sub(now)), true
	}
	return 0, false
}

func noCache(header http.Header) bool {
	_, given := cacheControl(header)["no-cache"]
	return given
}

func noStore(header http.Header) bool {
	directives := cacheControl(header)
	_, given := directives["no-store"]
	_, private := directives["private"]
	return given || private
}

// cacheControl returns the directives of a Cache-Control header. The first one of two equal directives counts (RFC 9111,
// section 4.2.1). No library is used, because libraries follow the RFC in what may be cached, and CloudFront does not:
// with a minimum TTL it caches no-store, too.
func cacheControl(header http.Header) map[string]string {
	directives := make(map[string]string)
	for directive := range splitUnquoted(strings.Join(header.Values("Cache-Control"), ",")) {
		name, value, _ := strings.Cut(directive, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, given := directives[name]; !given {
			directives[name] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return directives
}

// splitUnquoted splits at commas outside of quotes. private="set-cookie, x-a" is one directive.
func splitUnquoted(line string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i, c := range line {
			switch {
			case c == '"':
				quoted = !quoted
			case c == ',' && !quoted:
				if !yield(line[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(line[start:])
	}
}
