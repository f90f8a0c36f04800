package release

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"time"
)

// NewID returns the id of a release that a job begins now.
func NewID(now time.Time, job string) string {
	return fmt.Sprintf("%s-%.4x", now.UTC().Format("20060102-150405"), sha256.Sum256([]byte(job)))
}

// IsID reports whether a text may be an id of NewID's. It becomes a part of keys.
var IsID = regexp.MustCompile(`^\d{8}-\d{6}-[0-9a-f]{8}$`).MatchString
