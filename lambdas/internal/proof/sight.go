package proof

import (
	"slices"
	"time"

	"blog-deploy-pipeline/lambdas/internal/changes"
)

// Result is what was seen at the end.
type Result struct {
	// Sights are the addresses that were looked at, in the order of their weight.
	Sights []Sight
	// At is when they were seen.
	At time.Time
}

// Sight is what one address has answered.
type Sight struct {
	Kind Kind
	// Key is that of the file.
	Key string
	// Address is the whole URL, and Answer what came in place of the file; "" if the file
	// came.
	Address, Answer string
	// Edge is the edge location that answered, such as "FRA56-P4"; "" if unknown.
	Edge string

	target target
	status int // 0 if no answer came
}

// Overtaken drops what a later publication has changed meanwhile. A later release that is
// not the blog's is wrong: another blog has the address.
func (r Result) Overtaken(now changes.Published) Result {
	r.Sights = slices.DeleteFunc(slices.Clone(r.Sights), func(s Sight) bool {
		file, exists := now.Files[s.Key]
		if was := s.target.file; !s.target.removed {
			return !exists || file.SHA256 != was.SHA256 || file.Tag != was.Tag
		}
		return exists || !slices.Contains(now.Removed, s.Key)
	})
	for i, s := range r.Sights {
		if s.Kind == Newer {
			r.Sights[i].Kind = Wrong
		}
	}
	return r
}

// Checked returns how many addresses there are, without those of which readers have
// something newer.
func (r Result) Checked() int { return r.count(func(k Kind) bool { return k != Newer }) }

// Live returns at how many of them readers have what was published.
func (r Result) Live() int { return r.count(func(k Kind) bool { return k == Live }) }

// Has reports whether an address is of a kind.
func (r Result) Has(kind Kind) bool {
	return slices.ContainsFunc(r.Sights, func(s Sight) bool { return s.Kind == kind })
}

func (r Result) count(want func(Kind) bool) (n int) {
	for _, s := range r.Sights {
		if want(s.Kind) {
			n++
		}
	}
	return n
}

// Edge returns the edge location that has answered, or "".
func (r Result) Edge() string {
	for _, s := range r.Sights {
		if s.Edge != "" {
			return s.Edge
		}
	}
	return ""
}

// First returns the first address at which readers do not have what was published, of the
// gravest kind. It returns false if there is none.
func (r Result) First() (first Sight, ok bool) {
	for _, s := range r.Sights {
		if s.Kind > first.Kind {
			first = s
		}
	}
	return first, first.Kind > Newer
}
