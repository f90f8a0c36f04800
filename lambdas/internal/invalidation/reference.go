package invalidation

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// callerReference names a batch so that CloudFront recognises it when it comes
// again: for the same reference and the same paths it returns the invalidation it
// already has. A reference from the clock, as in most samples, makes every retry a
// new invalidation; a constant one is refused as soon as the paths change.
//
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html
func callerReference(execution, distributionID string, sortedPaths []string) string {
	// NUL cannot occur in any part, so no two requests share a key.
	key := strings.Join(append([]string{execution, distributionID}, sortedPaths...), "\x00")
	sum := sha256.Sum256([]byte(key))
	return "blog-deploy-pipeline-" + hex.EncodeToString(sum[:16])
}

// sortedUnique returns paths in one canonical order: CloudFront bills every
// repetition, and a reference must not depend on the order they were written in.
func sortedUnique(paths []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(paths)))
}
