package edge

import (
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CachePolicy holds a cache policy's TTLs. Its cache key is the path and, with Gzip, whether the viewer
// accepts that: no query string, no other header, no cookie.
type CachePolicy struct {
	MinTTL, DefaultTTL, MaxTTL time.Duration
	// Gzip is EnableAcceptEncodingGzip. Its like for Brotli changes nothing here, where everything that
	// is compressed is in gzip.
	Gzip bool
}

// CachingOptimized is the managed cache policy of that name, and the one CDK takes by default.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
var CachingOptimized = CachePolicy{MinTTL: time.Second, DefaultTTL: 24 * time.Hour, MaxTTL: 365 * 24 * time.Hour, Gzip: true}

// ttl is how long CloudFront keeps an object.
//
// Mind a minimum TTL above zero: with it, even no-store, no-cache and private objects are cached.
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

// errorTTL is how long CloudFront keeps a 4xx or 5xx. AWS's pages differ about 403: one says that it is
// cached only with Cache-Control, the other that all errors are. Here it is, as readers see it happen.
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

// askedTTL is the TTL that the origin asks for: s-maxage before max-age before Expires.
func askedTTL(header http.Header, now time.Time) (ttl time.Duration, ok bool) {
	directives := cacheControl(header)
	for _, name := range []string{"s-maxage", "max-age"} {
		if value, given := directives[name]; given {
			seconds, err := strconv.ParseInt(value, 10, 64)
			if err != nil || seconds < 0 {
				return 0, true // RFC 9111, section 4.2.1: what cannot be read is stale.
			}
			const century = 100 * 365 * 24 * 3600 // CloudFront's own limit; also keeps a Duration from overflowing.
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

// cacheControl reads a Cache-Control header's directives; of one that is given twice, the first counts
// (RFC 9111, section 4.2.1). A library would also judge by the RFC what may be cached, where CloudFront
// goes its own way: no-store with a minimum TTL.
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

// splitUnquoted splits at commas that are not in quotes: private="set-cookie, x-a" is one directive.
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
