package invalidation

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// callerReference returns the name of a batch of paths, by which CloudFront recognises
// the batch when it comes again: for the same reference and the same paths it returns the
// invalidation that it already has. A reference from the clock, as in most samples, makes
// every retry a new invalidation. CloudFront refuses a constant one as soon as the paths
// change.
//
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html
func callerReference(execution, distributionID string, sortedPaths []string) string {
	// No part can contain NUL, so no two requests share a key.
	key := strings.Join(append([]string{execution, distributionID}, sortedPaths...), "\x00")
	sum := sha256.Sum256([]byte(key))
	return "blog-deploy-pipeline-" + hex.EncodeToString(sum[:16])
}

// sortedUnique returns paths in one order and each path once: CloudFront bills every
// repetition, and the caller reference must not depend on the order of the paths.
func sortedUnique(paths []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(paths)))
}
