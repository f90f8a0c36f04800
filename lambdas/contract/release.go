package contract

import (
	"cmp"
	"time"
)

// Release is a release in a list of them.
type Release struct {
	ID string `json:"id"`
	// Time is when it was committed.
	Time time.Time `json:"time"`
	// Execution is the id of the pipeline's execution that published it, and Revision that of the commit; "" for none.
	Execution string `json:"execution,omitempty"`
	Revision  string `json:"revision,omitempty"`
	// Restores is the id of the release whose build it has published again, and By who asked for that.
	Restores string `json:"restores,omitempty"`
	By       string `json:"by,omitempty"`
	Files    int    `json:"files"`
	Put      int    `json:"put"`
	Removed  int    `json:"removed"`
	Bytes    int64  `json:"bytes"`
	// Current is true for the one that the bucket has.
	Current bool `json:"current,omitempty"`
	// Pending is true for the current one as long as CloudFront has not been seen to clear what was changed.
	Pending bool `json:"pending,omitempty"`
	// Kept is true if its build is still there, so that it can be published again.
	Kept bool `json:"kept,omitempty"`
}

// Releases is a list of releases, the newest first.
type Releases []Release

// find returns the release with an id; nil for none.
func (l Releases) find(id string) *Release {
	for i := range l {
		if l[i].ID == id {
			return &l[i]
		}
	}
	return nil
}

// Current returns the release that the bucket has; nil for none, which also a publication that is not finished leaves.
func (l Releases) Current() *Release {
	for i := range l {
		if l[i].Current {
			return &l[i]
		}
	}
	return nil
}

// Origin returns the id of the release that was first published with the files of r.
func (r Release) Origin() string { return cmp.Or(r.Restores, r.ID) }

// Kept returns the release by which the files of r can be published again; nil for none.
func (l Releases) Kept(r Release) *Release {
	for _, candidate := range []*Release{l.find(r.Origin()), l.find(r.ID)} {
		if candidate != nil && candidate.Kept {
			return candidate
		}
	}
	return nil
}

// Previous returns the release that was published before the current one, of those that can be published again; nil for
// none. If the current one was published again, it is the one before its origin, so that a second rollback goes one further
// back, and never forth to what the first one took back.
func (l Releases) Previous() *Release {
	earlier := l
	if current := l.Current(); current != nil {
		origin := current.Origin()
		for len(earlier) > 1 && earlier[0].ID != origin {
			earlier = earlier[1:]
		}
		earlier = earlier[1:] // An origin that is not listed is older than all of them.
	}
	for _, one := range earlier {
		if kept := l.Kept(one); kept != nil {
			return kept
		}
	}
	return nil
}
