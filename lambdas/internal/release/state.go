package release

import "time"

// State is what a blog's publications and invalidations have to remember. All of them
// change it, by [Store.Update] only.
type State struct {
	// Number counts the publications that were committed.
	Number int64 `json:"number"`
	// Current is the id of the last release that was committed; "" before the first one.
	Current string `json:"current,omitempty"`

	// Job is the job that publishes, and Until is when its lease ends, because Lambda
	// has ended it by then. Job is "" if none publishes.
	Job   string    `json:"job,omitempty"`
	Until time.Time `json:"until,omitzero"`
	// Target is the id of the release that Job publishes, or that a job left unfinished.
	Target string `json:"target,omitempty"`
	// Done is the last job that committed its release, and DoneRelease that release. The
	// same job, delivered again, has nothing to do.
	Done        string `json:"done,omitempty"`
	DoneRelease string `json:"doneRelease,omitempty"`

	// Touched has the keys of objects that were put or removed, or may have been, and
	// that CloudFront has not been seen to clear since. The value is the number of the
	// last publication that touched the key; a publication that is not committed has
	// Number+1.
	Touched map[string]int64 `json:"touched,omitempty"`
	// ClearAll is the number of the last publication after which everything had to be
	// cleared, because what was there before is unknown; 0 if that is done.
	ClearAll int64 `json:"clearAll,omitempty"`
	// Retired has the keys of objects that have left the blog and wait for their
	// removal, with the time at which they left.
	Retired map[string]time.Time `json:"retired,omitempty"`
}
