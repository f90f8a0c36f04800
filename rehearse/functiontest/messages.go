package functiontest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// lambdasOwn matches the lines that Lambda adds to a function's log.
var lambdasOwn = regexp.MustCompile(`^$|^\S+ \S+ Task timed out after [0-9.]+ seconds$`)

// Messages returns all texts in a function's log, except the stack of a panic. It returns an error if a line is not JSON.
func Messages(logs string) (messages []string, err error) {
	for line := range strings.Lines(logs) {
		if line = strings.TrimSuffix(line, "\n"); lambdasOwn.MatchString(line) {
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			return nil, fmt.Errorf("a line of the log is not JSON: %.200q", line)
		}
		delete(fields, "stack")
		messages = append(messages, texts(fields)...)
	}
	return messages, nil
}

// texts returns all texts in a JSON value, including those in JSON within a text.
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

// slips holds patterns of mistakes in messages: a part is empty, has its own punctuation, or is not a text.
var slips = []struct {
	what string
	in   *regexp.Regexp
}{
	{"two full stops", regexp.MustCompile(`(^|[^.])\.\s*\.($|[^.])`)},
	{"an empty part", regexp.MustCompile(`[:,;(]\s*[,;.)]|:\s+:|\s[,;:)]|\(\s|^[,;:.]`)},
	{"no end", regexp.MustCompile(`[:,;(]$`)},
	{"two spaces", regexp.MustCompile(`\S\s{2,}\S`)},
	{"a value that is not a text", regexp.MustCompile(`<nil>|%!|0x[0-9a-f]{6}|map\[|UnknownError`)},
}

// Slip returns the mistake in the wording of a message, or "".
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
