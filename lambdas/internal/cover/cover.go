// Package cover finds the items of an invalidation that evict all that has changed, and as
// little else as possible.
package cover

import (
	"cmp"
	"slices"
	"strings"
)

// maxWildcards is the number of paths with "*" that CloudFront clears at a time.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-invalidations
const maxWildcards = 15

// Object is an object that edge locations may have.
type Object struct {
	// URLs are the paths at which readers get it, as siteurl.Of returns them.
	URLs []string
	// Tag is the only cache tag with which edge locations may have the object; "" if that
	// is not known, or if the distribution does not read tags.
	Tag string
}

// Input says what an invalidation is for.
type Input struct {
	// Required are the objects to evict, and Unchanged all others.
	Required, Unchanged []Object
	// Everything is the path that evicts all of them, such as "/*".
	Everything string
	// MaxItems is the number of items that the invalidation may have.
	MaxItems int
	// QueryStrings is true if edge locations have an object once for each query string.
	QueryStrings bool
}

// Plan is an invalidation.
type Plan struct {
	// Items are paths, and cache tags with "#" before them.
	Items []string
	// Needless is the number of unchanged objects that Items evict.
	Needless int
}

// Find returns the items of the invalidation. By paths alone, no other choice evicts fewer
// addresses of unchanged objects, or as few by fewer items. Tags are added one by one, for
// as long as one makes the choice better. There is one item, Everything, if that is as
// good, or if it would take seconds to find a better choice.
func Find(in Input) Plan {
	s := newSearch(in)
	best := s.try(nil)
	for {
		next := best
		for _, tag := range s.worthTrying(best.tags) {
			if found := s.try(append(slices.Clip(best.tags), tag)); found.isBetter(next) {
				next = found
			}
		}
		if len(next.tags) == len(best.tags) {
			break
		}
		best = next
	}
	items := best.paths
	for _, tag := range best.tags {
		items = append(items, "#"+tag)
	}
	if !best.isFound || len(items) > 0 && best.needless == len(s.unchanged) {
		items = []string{in.Everything}
	}
	return Plan{Items: items, Needless: countEvicted(in.Unchanged, items)}
}

// search has what all tries share. Its addresses are in order.
type search struct {
	in                  Input
	required, unchanged []address
	tags                []string // of required objects, the best ones first
}

func newSearch(in Input) *search {
	s := &search{in: in}
	type count struct{ required, unchanged int }
	counts := map[string]*count{}
	for _, object := range in.Required {
		for _, url := range object.URLs {
			text := clearable(url)
			s.required = append(s.required, address{text, in.QueryStrings || text != url, object.Tag})
		}
		if object.Tag != "" && counts[object.Tag] == nil {
			counts[object.Tag] = &count{}
			s.tags = append(s.tags, object.Tag)
		}
		if c := counts[object.Tag]; c != nil {
			c.required += len(object.URLs)
		}
	}
	for _, object := range in.Unchanged {
		for _, url := range object.URLs {
			s.unchanged = append(s.unchanged, address{text: url, tag: object.Tag})
		}
		if c := counts[object.Tag]; c != nil {
			c.unchanged += len(object.URLs)
		}
	}
	byText := func(a, b address) int { return strings.Compare(a.text, b.text) }
	slices.SortFunc(s.required, byText)
	slices.SortFunc(s.unchanged, byText)
	// The best tag evicts much that has changed for each other address.
	slices.SortFunc(s.tags, func(a, b string) int {
		x, y := counts[a], counts[b]
		return cmp.Or(cmp.Compare(y.required*(x.unchanged+1), x.required*(y.unchanged+1)), strings.Compare(a, b))
	})
	return s
}

// worthTrying returns the tags to try besides those that are chosen. More would make the
// choice hardly better, and take longer.
func (s *search) worthTrying(chosen []string) []string {
	const atOnce = 6
	var tags []string
	for _, tag := range s.tags {
		if len(tags) < atOnce && !slices.Contains(chosen, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// choice is a choice of items.
type choice struct {
	tags, paths []string
	needless    int  // addresses of unchanged objects
	isFound     bool // or there is none
}

func (c choice) isBetter(than choice) bool {
	if !c.isFound || !than.isFound {
		return c.isFound
	}
	items, itemsThan := len(c.tags)+len(c.paths), len(than.tags)+len(than.paths)
	return c.needless < than.needless || c.needless == than.needless && items < itemsThan
}

// try returns the best choice that has these tags.
func (s *search) try(tags []string) choice {
	var required []address
	for _, a := range s.required {
		if slices.Contains(tags, a.tag) {
			continue
		}
		if last := len(required) - 1; last >= 0 && required[last].text == a.text {
			required[last].isWide = required[last].isWide || a.isWide
		} else {
			required = append(required, a)
		}
	}
	var others []string
	for _, a := range s.unchanged {
		if !slices.Contains(tags, a.tag) {
			others = append(others, a.text)
		}
	}
	c := choice{tags: tags, needless: len(s.unchanged) - len(others)}
	var needless int
	c.paths, needless, c.isFound = choosePaths(required, others, s.in.MaxItems-len(tags), maxWildcards)
	c.needless += needless
	return c
}

// countEvicted returns the number of objects of which items evict an address.
func countEvicted(objects []Object, items []string) (n int) {
	for _, object := range objects {
		if slices.ContainsFunc(items, func(item string) bool {
			beginning, isWide := strings.CutSuffix(item, "*")
			return object.Tag != "" && item == "#"+object.Tag || slices.ContainsFunc(object.URLs, func(url string) bool {
				return url == item || isWide && strings.HasPrefix(url, beginning)
			})
		}) {
			n++
		}
	}
	return n
}
