package functiontest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// lambdasOwn are the lines that Lambda adds to a function's log.
var lambdasOwn = regexp.MustCompile(`^$|^\S+ \S+ Task timed out after [0-9.]+ seconds$`)

// Messages returns what people read of a function's log: every text of its lines, but for the stack of
// a panic. Its lines must be JSON.
func Messages(logs string) (messages []string, err error) {
	for line := range strings.Lines(logs) {
		if line = strings.TrimSuffix(line, "\n"); lambdasOwn.MatchString(line) {
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			return nil, fmt.Errorf("a line of the log is no JSON: %.200q", line)
		}
		delete(fields, "stack")
		messages = append(messages, texts(fields)...)
	}
	return messages, nil
}

// texts returns the texts within a JSON value, those of JSON within a text included.
func texts(value any) (all []string) {
	switch value := value.(type) {
	case string:
		var inner map[string]any
		if json.Unmarshal([]byte(value), &inner) == nil {
			return texts(inner)
		}
		return []string{value}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			all = append(all, texts(value[name])...)
		}
	case []any:
		for _, member := range value {
			all = append(all, texts(member)...)
		}
	}
	return all
}

// slips are what a message has where one of its parts was empty, had its own punctuation, or was no text.
var slips = []struct {
	what string
	in   *regexp.Regexp
}{
	{"two full stops", regexp.MustCompile(`(^|[^.])\.\s*\.($|[^.])`)},
	{"a part that is empty", regexp.MustCompile(`[:,;(]\s*[,;.)]|:\s+:|\s[,;:)]|\(\s|^[,;:.]`)},
	{"an end that is none", regexp.MustCompile(`[:,;(]$`)},
	{"two spaces", regexp.MustCompile(`\S\s{2,}\S`)},
	{"a value that is no text", regexp.MustCompile(`<nil>|%!|0x[0-9a-f]{6}|map\[|UnknownError`)},
}

// Slip says what is wrong with how a message reads; "" if nothing is.
func Slip(message string) string {
	for line := range strings.SplitSeq(message, "\n") {
		for _, slip := range slips {
			if slip.in.MatchString(line) {
				return slip.what
			}
		}
		before := ""
		for word := range strings.FieldsSeq(line) {
			if word == before && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == "" {
				return "a word twice: " + word
			}
			before = word
		}
	}
	return ""
}
