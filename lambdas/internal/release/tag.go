package release

import "strings"

// CacheTag returns the cache tag of the objects that a release puts.
func CacheTag(id string) string { return "r-" + id }

// TaggedBy returns the id of the release that has put an object with these cache tags,
// which are separated by commas; "" if none has.
func TaggedBy(tags string) (id string) {
	for tag := range strings.SplitSeq(tags, ",") {
		if id, ok := strings.CutPrefix(strings.TrimSpace(tag), CacheTag("")); ok && IsID(id) {
			return id
		}
	}
	return ""
}
