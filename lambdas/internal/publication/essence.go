package publication

import (
	"bytes"
	"regexp"
)

const (
	clock = `\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?(?:[AaPp][Mm]|UTC|GMT|Z|[+-]\d{2}:?\d{2}))?`
	month = `(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?`
	day   = `(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?`
)

// stamps matches what a build writes into pages although nobody has edited them, and some
// long words.
var stamps = regexp.MustCompile(`\b(?:` +
	`\d{4}-\d{2}-\d{2}(?:[T ]` + clock + `)?` + // 2026-11-27T01:30:00Z
	`|\d{4}/\d{1,2}/\d{1,2}` +
	`|\d{4}年\d{1,2}月\d{1,2}日` +
	`|` + day + `\d{1,2} ` + month + ` \d{4}` + // Fri, 27 Nov 2026
	`|` + day + month + ` \d{1,2},? \d{4}` + // Nov 27, 2026
	`|` + clock +
	`|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b` + // a UUID
	`|sha(?:256|384|512)-[0-9A-Za-z+/=]+` +
	`|[0-9A-Fa-f]{8,}\b` + // a hash, or the seconds since 1970
	`|[0-9A-Za-z]{16,}\b` +
	`)`)

// maxPiece limits the length of a piece of text in which stamps are looked for, which takes
// long, in bytes.
const maxPiece = 16 << 10

// isSame reports whether two pages differ only in dates, times and hashes. It compares
// them from tag to tag, most of which are equal.
func isSame(a, b []byte) bool {
	for len(a) > 0 && len(b) > 0 {
		var was, is []byte
		was, a, _ = bytes.Cut(a, []byte(">"))
		is, b, _ = bytes.Cut(b, []byte(">"))
		switch {
		case bytes.Equal(was, is):
		case max(len(was), len(is)) > maxPiece, !bytes.Equal(essence(was), essence(is)):
			return false
		}
	}
	return len(a) == len(b)
}

// essence returns a text without dates, times and hashes.
func essence(text []byte) []byte {
	return stamps.ReplaceAllFunc(text, func(stamp []byte) []byte {
		if !bytes.ContainsAny(stamp, "0123456789") {
			return stamp
		}
		return []byte{0}
	})
}
