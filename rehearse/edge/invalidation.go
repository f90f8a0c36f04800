package edge

import (
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

// completed is the status of an invalidation that has reached all edge locations. The edge obeys an invalidation only
// then, because a reader may use the last location that it reaches.
const completed = "Completed"

// after returns the invalidations that were created after the one with the id last, or all if last is "".
func after(invalidations []fakeaws.Invalidation, last string) []fakeaws.Invalidation {
	return invalidations[1+slices.IndexFunc(invalidations, func(i fakeaws.Invalidation) bool { return i.ID == last }):]
}

// invalidated reports whether invalidations remove an object at path and with tags from the cache for a reader who
// requested viewerPath. The two paths differ if a function rewrites paths. AWS then requires an invalidation of both. A tag
// removes the object whatever its path.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html
func invalidated(invalidations []fakeaws.Invalidation, path, viewerPath string, tags []string) bool {
	var object, viewed bool
	for _, invalidation := range invalidations {
		if invalidation.Status != completed {
			continue
		}
		for _, item := range invalidation.Paths {
			if tag, ok := strings.CutPrefix(item, "#"); ok && slices.Contains(tags, strings.ToLower(tag)) {
				return true
			}
			object = object || matches(item, path)
			viewed = viewed || matches(item, viewerPath)
		}
	}
	return object && viewed
}

// matches reports whether an invalidation's item covers a canonical path. An item that ends in "*" covers all paths with
// the same beginning. The comparison is case-sensitive.
func matches(item, path string) bool {
	item = canonical(item, keepEncoded)
	if strings.Contains(item, "%7E") {
		// "Don't use the ~ character in your path. CloudFront doesn't support this character for invalidation purposes,
		// whether you URL-encode it or not."
		return false
	}
	if prefix, ok := strings.CutSuffix(item, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return item == path
}

// CloudFront's limits on cache tags. It ignores what is beyond them.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html
const (
	maxTags      = 50  // of an object
	maxTagLength = 256 // characters
)

// tagsOf returns the cache tags in a header of the origin, in lower case, because they do not differ by case.
func tagsOf(header string) (tags []string) {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.ToLower(strings.TrimSpace(tag))
		isInvisible := func(r rune) bool { return r <= ' ' || r > '~' }
		if tag != "" && len(tag) <= maxTagLength && !strings.ContainsFunc(tag, isInvisible) && len(tags) < maxTags {
			tags = append(tags, tag)
		}
	}
	return tags
}

// The constants say whether canonical decodes "%61", which is an encoded "a".
const (
	// decodeUnreserved is for the paths of requests, where "/%61" and "/a" are the same (RFC 3986).
	decodeUnreserved = true
	// keepEncoded is for the paths of invalidations: "Do not URL-encode any other characters in the path, or CloudFront
	// will not invalidate the old version of the updated file."
	keepEncoded = false
)

// canonical returns the form that all spellings of a path have in common. It encodes characters that are not ASCII or
// are unsafe in RFC 1738, in upper case, and leaves the others unchanged. "/日", "/%e6%97%a5" and "/%E6%97%A5" are
// therefore the same path, but "/a%2Fb" and "/a/b" are different paths.
func canonical(path string, decode bool) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '%' && i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2]):
			encoded := unhex(path[i+1])<<4 | unhex(path[i+2])
			if decode && isUnreserved(encoded) {
				b.WriteByte(encoded)
			} else {
				b.WriteByte('%')
				b.WriteByte(hex[encoded>>4])
				b.WriteByte(hex[encoded&15])
			}
			i += 2
		case c <= ' ' || c >= 0x7f || strings.IndexByte("<>\"#%{}|\\^~[]`", c) >= 0:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// isUnreserved reports whether a character means the same with and without encoding. These are the unreserved characters
// of RFC 3986, except "~", which is unsafe in RFC 1738.
func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_'
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	default:
		return c - 'a' + 10
	}
}
