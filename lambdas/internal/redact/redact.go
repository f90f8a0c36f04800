// Package redact removes the credentials of this process from its output. A service that
// refuses a signature returns the request, including the session token, and the message
// would go to the log, to the pipeline's console and to Lambda.
//
// All output goes through [Text]: the log, reports and errors. The whole process has one
// list of credentials, because a message may contain a credential that another part of the
// process uses.
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
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// run is the number of consecutive characters of a credential that are redacted, because a
// message may be cut anywhere. AWS's credentials are random letters and digits, so no word,
// path or id has so many characters in common with one.
const run = 8

// layers limits how many times a text is unescaped. A text may be escaped thousands of
// times, and each layer needs as much time as the text itself.
const layers = 4

// mark replaces a credential. It needs no escape in JSON.
const mark = "[redacted]"

// known has all runs of all credentials.
var known = struct {
	sync.RWMutex
	runs map[[run]byte]bool
}{runs: map[[run]byte]bool{}}

// Learn adds credentials that [Text] redacts: access key ids, secret access keys, session
// tokens. AWS's have 16 characters or more. Learn ignores one of fewer than 8 characters,
// and a number, because emulators accept an account's id as a key, and every ARN has that.
// It is safe for concurrent use.
func Learn(credentials ...string) {
	known.Lock()
	defer known.Unlock()
	for _, credential := range credentials {
		if len(credential) < run || strings.Trim(credential, "0123456789") == "" {
			continue
		}
		learn(credential)
		// Base64 makes four characters of three. The text before the credential decides at
		// which character of it such a group begins.
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

// Text returns text with each credential, and each part of one, replaced by "[redacted]".
// It also finds credentials in base64, and those that are escaped for URLs, JSON or XML,
// even several times.
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
		// Replacing an escape as a whole keeps JSON valid.
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

// layer is a text that was unescaped some times.
type layer struct {
	text []byte
	// at has the position of each byte of text in the original text, and its end.
	at []int
}

func asItIs(text string) layer {
	at := make([]int, len(text)+1)
	for i := range at {
		at[i] = i
	}
	return layer{[]byte(text), at}
}

// find sets secret for the original bytes of each known run.
func (l layer) find(secret []bool) {
	for i := 0; i+run <= len(l.text); i++ {
		if known.runs[[run]byte(l.text[i:])] {
			for at := l.at[i]; at < l.at[i+run]; at++ {
				secret[at] = true
			}
		}
	}
}

// escapes matches the escapes of URLs, JSON and XML.
var escapes = regexp.MustCompile(`%[[:xdigit:]]{2}|\\u[[:xdigit:]]{4}|\\[/"\\bfnrt]|&(#[0-9]+|#[xX][[:xdigit:]]+|amp|lt|gt|quot|apos);`)

// decode unescapes the text once. It returns false if the text has no escapes.
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

// letters have these meanings after a backslash in JSON.
const letters, meanings = `/"\bfnrt`, "/\"\\\b\f\n\r\t"

// meaning returns the character of an escape. For a character that cannot be part of a
// credential, it returns some byte that cannot either.
func meaning(escape string) byte {
	switch {
	case escape[0] == '&':
		return html.UnescapeString(escape)[0]
	case escape[0] == '\\' && escape[1] != 'u':
		return meanings[strings.IndexByte(letters, escape[1])]
	}
	char, _ := strconv.ParseUint(strings.TrimLeft(escape, `%\u`), 16, 8) // 255 for a larger number
	return byte(char)
}

// maxLine limits the part of a line that is read, in bytes. It is more than any limit of AWS.
const maxLine = 64 << 10

// Line returns the first line of text that is not empty, redacted and cut as by [Cut],
// without the full stop at its end, so that it fits into a sentence. A message that
// repeats a request does so after its first line. Characters that are not to be seen become
// spaces: somebody else has written the text, and a terminal may obey them.
func Line(text string, limit int) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	first = strings.Map(visible, first[:min(len(first), maxLine)])
	return Cut(Text(strings.TrimRight(first, " .:;,")), limit)
}

func visible(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return ' '
}

// Cut cuts text to at most limit characters, of which the last is then "…". AWS counts
// characters in UTF-16, where an emoji is two.
func Cut(text string, limit int) string {
	length, end := 0, 0 // of the part that fits before the "…"
	for i := 0; i < len(text); {
		r, bytes := utf8.DecodeRuneInString(text[i:]) // JSON has U+FFFD for a byte that is not UTF-8
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

// Writer returns a writer that redacts each Write, which must have whole lines, as the
// writes of a logger do.
func Writer(to io.Writer) io.Writer { return writer{to} }

type writer struct{ to io.Writer }

func (w writer) Write(line []byte) (int, error) {
	if _, err := io.WriteString(w.to, Text(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}
