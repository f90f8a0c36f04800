package archive

import (
	"cmp"
	"slices"
)

const (
	// minGap is the shortest gap between entries for which another request pays, in bytes.
	// A shorter one is received before S3 would begin another answer.
	minGap = 1 << 20
	// partLength is the length from which a span is split, so that its parts are read at
	// the same time, in bytes.
	partLength = 8 << 20
)

// mostSpans limits the requests for a number of files. Each file that is read is one that
// is then put, so reading adds little to the requests of a publication.
func mostSpans(files int) int { return max(3, files/32) }

// span is a range of the archive that one request reads, and the entries in it that are
// wanted, in their order.
type span []*entry

func (s span) length() int64 { return s[len(s)-1].last() - s[0].offset }

// spans cuts entries, which are in the order of their offsets, into at most most spans, so
// that as little as possible is read between them.
func spans(entries []*entry, most int) []span {
	gap := func(i int) int64 { return entries[i].offset - entries[i-1].last() }
	var cuts []int
	for i := range entries {
		if i > 0 && gap(i) >= minGap {
			cuts = append(cuts, i)
		}
	}
	slices.SortStableFunc(cuts, func(a, b int) int { return cmp.Compare(gap(b), gap(a)) })
	cuts = slices.Sorted(slices.Values(cuts[:min(len(cuts), most-1)]))

	var result []span
	from := 0
	for _, cut := range append(cuts, len(entries)) {
		if from < cut {
			result = append(result, entries[from:cut])
		}
		from = cut
	}
	return split(result, most)
}

// split halves the longest of spans until there are most of them, or until none is longer
// than a part.
func split(result []span, most int) []span {
	for len(result) < most {
		longest := 0
		for i, s := range result {
			if len(s) > 1 && (len(result[longest]) == 1 || s.length() > result[longest].length()) {
				longest = i
			}
		}
		if len(result) == 0 || len(result[longest]) == 1 || result[longest].length() <= partLength {
			break
		}
		s := result[longest]
		middle := s[0].offset + s.length()/2
		at := 1
		for at < len(s)-1 && s[at].offset < middle {
			at++
		}
		result = slices.Replace(result, longest, longest+1, s[:at], s[at:])
	}
	return result
}
