package fakeaws

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// violations collects what the validation of a service against its model reports in one refusal.
type violations []string

func (v *violations) add(member, constraint string) {
	*v = append(*v, fmt.Sprintf("Value at '%s' failed to satisfy constraint: %s", member, constraint))
}

// addValue is add in the words of STS, which quotes the value.
func (v *violations) addValue(member, value, constraint string) {
	*v = append(*v, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: %s", value, member, constraint))
}

func (v *violations) required(member string, present bool) {
	if !present {
		v.add(member, "Member must not be null")
	}
}

// text checks an optional string of 1 to limit characters.
func (v *violations) text(member string, s *string, limit int) {
	switch {
	case s == nil:
	case *s == "":
		v.add(member, "Member must have length greater than or equal to 1")
	case length(*s) > limit:
		v.add(member, fmt.Sprintf("Member must have length less than or equal to %d", limit))
	}
}

func (v *violations) percentage(member string, n *int) {
	switch {
	case n == nil:
	case *n < 0:
		v.add(member, "Member must have value greater than or equal to 0")
	case *n > 100:
		v.add(member, "Member must have value less than or equal to 100")
	}
}

// message is what is said of all of them, of which there is one at least.
func (v violations) message() string {
	noun := "error"
	if len(v) > 1 {
		noun = "errors"
	}
	return fmt.Sprintf("%d validation %s detected: %s", len(v), noun, strings.Join(v, "; "))
}

// refusal is that of a JSON service; nil without violations.
func (v violations) refusal() *apiError {
	if len(v) == 0 {
		return nil
	}
	refusal := validationError(v.message())
	return &refusal
}

// length counts UTF-16 units, as AWS's Java services do: never fewer than Unicode characters.
func length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
