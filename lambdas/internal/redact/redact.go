// Package redact keeps the credentials of this process out of whatever it says. A
// service that refuses a signature echoes the request it got, session token included,
// and such a message would go to the log, to the pipeline's console and to Lambda.
//
// What a process says goes through [Text] where it leaves: its log, its reports, its
// errors. What it must not say is known to the whole process, because a credential that
// one part uses may be in a message that another part passes on.
package redact

import (
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// run is how many characters in a row, in common with a credential, are taken for a
// piece of it. A message may be cut anywhere, by whoever passes it on. AWS's credentials
// are random letters and digits, so that no word, path or id has so many of them.
const run = 8

// layers are how many escapes may be around one another. A text may have thousands, and
// each takes as long as all of it.
const layers = 4

// mark stands in the place of a credential. It can stand in JSON as it is.
const mark = "[redacted]"

// known has every run of every credential.
var known = struct {
	sync.RWMutex
	runs map[uint64]bool
}{runs: map[uint64]bool{}}

// Learn adds credentials to what this process does not say: access key ids, secret
// access keys, session tokens. It ignores one of fewer than 8 characters, which AWS does
// not give out: the letters of an empty or a short one are in every text. It is safe for
// concurrent use.
func Learn(credentials ...string) {
	known.Lock()
	defer known.Unlock()
	for _, credential := range credentials {
		for i := 0; i+run <= len(credential); i++ {
			known.runs[binary.LittleEndian.Uint64([]byte(credential[i:i+run]))] = true
		}
	}
}

// Text returns text with every credential, and every piece of one, replaced by
// "[redacted]", however it is written: as it is, in a URL, in JSON or in XML, or in one
// of these within another.
func Text(text string) string {
	known.RLock()
	defer known.RUnlock()
	if len(known.runs) == 0 || len(text) < run {
		return text
	}
	secret := make([]bool, len(text)) // for each byte of text
	found := false
	chars := plain(text)
	for layer, more := 0, true; more && layer <= layers; layer++ {
		found = find(chars, secret) || found
		chars, more = decode(chars)
	}
	if !found {
		return text
	}
	// No half of an escape is left: JSON stays JSON.
	escapes, _ := decode(plain(text))
	for _, c := range escapes {
		if slices.Contains(secret[c.start:c.end], true) {
			hide(secret, c.start, c.end)
		}
	}
	var out strings.Builder
	for i := 0; i < len(text); {
		if !secret[i] {
			out.WriteByte(text[i])
			i++
			continue
		}
		out.WriteString(mark)
		for i < len(text) && secret[i] {
			i++
		}
	}
	return out.String()
}

// char is a character as it is meant, and the bytes of the text that write it.
type char struct {
	value      byte
	start, end int32
}

func plain(text string) []char {
	chars := make([]char, len(text))
	for i := range chars {
		chars[i] = char{text[i], int32(i), int32(i + 1)}
	}
	return chars
}

// find sets secret for the bytes of every run that is known.
func find(chars []char, secret []bool) (found bool) {
	var window [run]byte
	for i, c := range chars {
		copy(window[:], window[1:])
		window[run-1] = c.value
		if i < run-1 || !known.runs[binary.LittleEndian.Uint64(window[:])] {
			continue
		}
		found = true
		hide(secret, chars[i-run+1].start, c.end)
	}
	return found
}

func hide(secret []bool, start, end int32) {
	for at := start; at < end; at++ {
		secret[at] = true
	}
}

// decode undoes one layer of escapes: %2B, \u002b, \/ and &#x2b; are one character.
func decode(chars []char) (decoded []char, escaped bool) {
	decoded = make([]char, 0, len(chars))
	for i := 0; i < len(chars); {
		value, length := escape(chars[i:])
		escaped = escaped || length > 1
		decoded = append(decoded, char{value, chars[i].start, chars[i+length-1].end})
		i += length
	}
	return decoded, escaped
}

// letters come after a backslash in JSON, where they have these meanings.
const letters, meanings = `/"\bfnrt`, "/\"\\\b\f\n\r\t"

// escape returns the character that chars begin with, and how many of them write it.
func escape(chars []char) (value byte, length int) {
	first := chars[0].value
	switch {
	case first == '%' && len(chars) >= 3:
		if value, ok := number(chars[1:3], 16); ok {
			return value, 3
		}
	case first == '\\' && len(chars) >= 6 && chars[1].value == 'u':
		if value, ok := number(chars[2:6], 16); ok {
			return value, 6
		}
	case first == '\\' && len(chars) >= 2:
		if i := strings.IndexByte(letters, chars[1].value); i >= 0 {
			return meanings[i], 2
		}
	case first == '&':
		if value, length, ok := entity(chars); ok {
			return value, length
		}
	}
	return first, 1
}

// entities are those of XML that have a name.
var entities = map[string]byte{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}

// maxEntity is the length of &#x0000002b;, with which an entity is long enough.
const maxEntity = 12

func entity(chars []char) (value byte, length int, ok bool) {
	var name strings.Builder
	for i := 1; i < min(len(chars), maxEntity); i++ {
		if chars[i].value != ';' {
			name.WriteByte(chars[i].value)
			continue
		}
		switch text := name.String(); {
		case strings.HasPrefix(text, "#x"), strings.HasPrefix(text, "#X"):
			value, ok = number(chars[3:i], 16)
		case strings.HasPrefix(text, "#"):
			value, ok = number(chars[2:i], 10)
		default:
			value, ok = entities[text]
		}
		return value, i + 1, ok
	}
	return 0, 0, false
}

// number reads digits; ok is false for anything else. What is above a byte, and so in no
// credential, is 0.
func number(digits []char, base int) (value byte, ok bool) {
	n := 0
	for _, d := range digits {
		digit := strings.IndexByte("0123456789abcdef", d.value|0x20) // in lower case; digits stay what they are
		if digit < 0 || digit >= base || d.value < '0' {
			return 0, false
		}
		n = min(n*base+digit, 0x100)
	}
	return byte(n), len(digits) > 0
}

// maxLine is how much of a line is looked at, far more than any limit, in bytes.
const maxLine = 64 << 10

// Line returns the first line of text that is not empty, redacted and cut to limit, as
// by [Cut], and without the full stop at its end, so that a sentence can go on. Where a
// message echoes what was sent, that begins with the second line.
func Line(text string, limit int) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return Cut(Text(strings.TrimRight(first[:min(len(first), maxLine)], " \t\r.:;,")), limit)
}

// Cut cuts text to at most limit characters, as AWS counts them: in UTF-16, where an
// emoji is two. The last of them is then "…".
func Cut(text string, limit int) string {
	length, end := 0, 0 // of what fits with the "…"
	for i := 0; i < len(text); {
		r, bytes := utf8.DecodeRuneInString(text[i:]) // what is not UTF-8 is sent as U+FFFD
		i += bytes
		length += utf16.RuneLen(r)
		if length > limit {
			return text[:end] + "…"
		}
		if length < limit {
			end = i
		}
	}
	return text
}

// Writer returns a writer that passes every Write on, redacted. Each must hold whole
// lines, as those of a logger do.
func Writer(to io.Writer) io.Writer { return writer{to} }

type writer struct{ to io.Writer }

func (w writer) Write(line []byte) (int, error) {
	if _, err := io.WriteString(w.to, Text(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}
