package fakeaws

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// violations collects the violations of an API model that a service reports in one refusal.
type violations []string

func (v *violations) add(member, constraint string) {
	*v = append(*v, fmt.Sprintf("Value at '%s' failed to satisfy constraint: %s", member, constraint))
}

// addValue is add for STS, whose message contains the value.
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

// message returns the message for all violations. There must be at least one.
func (v violations) message() string {
	noun := "error"
	if len(v) > 1 {
		noun = "errors"
	}
	return fmt.Sprintf("%d validation %s detected: %s", len(v), noun, strings.Join(v, "; "))
}

// refusal returns the refusal of a JSON service, or nil if there are no violations.
func (v violations) refusal() *apiError {
	if len(v) == 0 {
		return nil
	}
	refusal := validationError(v.message())
	return &refusal
}

// length counts UTF-16 units, as AWS's Java services do. That number is never below the number of characters.
func length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
