package cover

import (
	"encoding/hex"
	"strings"
)

// address is one of an object's.
type address struct {
	text string
	// isWide is true if only text, or a beginning of it, and "*" evict the address.
	isWide bool
	tag    string
}

// clearable returns the beginning of an address that a path of an invalidation can have.
// CloudFront clears no path with "~", encoded or not, and "*" is a wildcard there.
func clearable(url string) string {
	if i := strings.IndexAny(url, "~*"); i >= 0 {
		return url[:i]
	}
	return url
}

// symbolLength returns the length of the first symbol of an address. A symbol is one
// character, encoded or not: a wildcard within it would match nothing, or would not be
// accepted.
func symbolLength(text string) int {
	first, isEncoded := decode(text)
	if !isEncoded {
		return 1
	}
	length := 3
	for _, lead := range []byte{0xc0, 0xe0, 0xf0} { // UTF-8 has a further byte for each.
		next, isEncoded := decode(text[length:])
		if first < lead || !isEncoded || next&0xc0 != 0x80 {
			break
		}
		length += 3
	}
	return length
}

// decode returns the byte that "%XX" at the start of a text stands for.
func decode(text string) (value byte, isEncoded bool) {
	if len(text) < 3 || text[0] != '%' {
		return 0, false
	}
	decoded, err := hex.DecodeString(text[1:3])
	if err != nil {
		return 0, false
	}
	return decoded[0], true
}

// boundary returns the length of the symbols that the first n characters of a text have as
// a whole.
func boundary(text string, n int) int {
	length := 0
	for length < n {
		next := length + symbolLength(text[length:])
		if next > n {
			break
		}
		length = next
	}
	return length
}

// commonLength returns the length of the common beginning of two texts.
func commonLength(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
