package main

import (
	"time"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
)

// clearing is what an action clears, and how far that is.
type clearing struct {
	request  invalidation.Request
	progress invalidation.Progress
	// changed is set if the action clears what has changed, as soon as that was found.
	changed *changed
	// back is set if the release before is published again.
	back *rollback
	// seen is what was seen at the blog's address in this call.
	seen seen
}

// took returns how long CloudFront has taken so far, or in all if it is done.
func (c clearing) took() time.Duration {
	if c.changed != nil && c.changed.Completed > 0 {
		return max(0, time.UnixMilli(c.changed.Completed).Sub(c.progress.Started))
	}
	return time.Since(c.progress.Started)
}

// changed says what has changed, from the beginning of an invalidation to its end. The
// items are only known to the call that has found them.
type changed struct {
	// Number is that of the last publication when the items were found.
	Number  int64  `json:"n"`
	Release string `json:"release,omitempty"`
	Items   int    `json:"items"`
	// All is true if everything is cleared because it is not known what was there.
	All bool `json:"all,omitempty"`
	// Changed and Unchanged count the files, and Needless those of the Unchanged that the
	// items evict.
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Needless  int `json:"needless,omitempty"`
	// Completed is when CloudFront was seen to have completed the invalidation, in
	// milliseconds since 1970; 0 before.
	Completed int64 `json:"completed,omitempty"`
}
