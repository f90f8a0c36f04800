// Package redact keeps the credentials of this process out of whatever it says. A
// service that refuses a signature echoes the request it got, session token included,
// and such a message would go to the log, to the pipeline's console and to Lambda.
//
// What a process says goes through [Text] where it leaves: its log, its reports, its
// errors. What it must not say is known to the whole process, because a credential that
// one part uses may be in a message that another part passes on.
package redact

import (
	"encoding/base64"
	"html"
	"io"
	"regexp"
	"slices"
	"strconv"
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
	runs map[[run]byte]bool
}{runs: map[[run]byte]bool{}}

// Learn adds credentials to what this process does not say: access key ids, secret
// access keys, session tokens. AWS's have 16 characters or more. It ignores one of fewer
// than 8, and a number: an emulator takes an account's id for a key, and that is in every
// ARN. It is safe for concurrent use.
func Learn(credentials ...string) {
	known.Lock()
	defer known.Unlock()
	for _, credential := range credentials {
		if len(credential) < run || strings.Trim(credential, "0123456789") == "" {
			continue
		}
		learn(credential)
		// In base64 three characters become four; where they begin depends on what is before.
		for start := range 3 {
			learn(base64.RawStdEncoding.EncodeToString([]byte(credential[start : len(credential)-(len(credential)-start)%3])))
		}
	}
}

func learn(text string) {
	for i := range len(text) - run + 1 {
		known.runs[[run]byte([]byte(text[i:i+run]))] = true
	}
}

// Text returns text with every credential, and every piece of one, replaced by
// "[redacted]", however it is written: as it is or in base64, in a URL, in JSON or in XML,
// or in one of these within another.
func Text(text string) string {
	known.RLock()
	defer known.RUnlock()
	if len(known.runs) == 0 || len(text) < run {
		return text
	}
	secret := make([]bool, len(text)) // for each byte of text
	for depth, l, more := 0, asItIs(text), true; more && depth <= layers; depth++ {
		l.find(secret)
		l, more = l.decode()
	}
	if !slices.Contains(secret, true) {
		return text
	}
	var out strings.Builder
	marked := false
	chars, _ := asItIs(text).decode()
	for i := range chars.text {
		// An escape is hidden as a whole: JSON stays JSON.
		start, end := chars.at[i], chars.at[i+1]
		hidden := slices.Contains(secret[start:end], true)
		switch {
		case !hidden:
			out.WriteString(text[start:end])
		case !marked:
			out.WriteString(mark)
		}
		marked = hidden
	}
	return out.String()
}

// layer is a text with some layers of its escapes undone.
type layer struct {
	text []byte
	// at has where each byte of text begins in the text as it was; its last is the end.
	at []int
}

func asItIs(text string) layer {
	at := make([]int, len(text)+1)
	for i := range at {
		at[i] = i
	}
	return layer{[]byte(text), at}
}

// find sets secret for what writes a run that is known.
func (l layer) find(secret []bool) {
	for i := 0; i+run <= len(l.text); i++ {
		if known.runs[[run]byte(l.text[i:])] {
			for at := l.at[i]; at < l.at[i+run]; at++ {
				secret[at] = true
			}
		}
	}
}

// escapes are those of URLs, of JSON and of XML.
var escapes = regexp.MustCompile(`%[[:xdigit:]]{2}|\\u[[:xdigit:]]{4}|\\[/"\\bfnrt]|&(#[0-9]+|#[xX][[:xdigit:]]+|amp|lt|gt|quot|apos);`)

// decode undoes one layer of escapes. It returns false if there is none.
func (l layer) decode() (decoded layer, escaped bool) {
	end := 0
	for _, match := range escapes.FindAllIndex(l.text, -1) {
		start := match[0]
		decoded.text = append(append(decoded.text, l.text[end:start]...), meaning(string(l.text[start:match[1]])))
		decoded.at = append(append(decoded.at, l.at[end:start]...), l.at[start])
		end = match[1]
	}
	return layer{append(decoded.text, l.text[end:]...), append(decoded.at, l.at[end:]...)}, end > 0
}

// letters come after a backslash in JSON, where they have these meanings.
const letters, meanings = `/"\bfnrt`, "/\"\\\b\f\n\r\t"

// meaning returns the character that an escape stands for, or for one that is in no
// credential another such.
func meaning(escape string) byte {
	switch {
	case escape[0] == '&':
		return html.UnescapeString(escape)[0]
	case escape[0] == '\\' && escape[1] != 'u':
		return meanings[strings.IndexByte(letters, escape[1])]
	}
	char, _ := strconv.ParseUint(strings.TrimLeft(escape, `%\u`), 16, 8) // 255 for what is above
	return byte(char)
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
