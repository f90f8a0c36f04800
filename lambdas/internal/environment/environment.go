// Package environment reads a function's settings from its environment variables.
package environment

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Reader reads variables and collects everything that is wrong with them.
type Reader struct {
	// Getenv returns the value of a variable, or "" if it is not set. Required.
	Getenv func(name string) string

	problems []error
}

// Duration returns a variable's duration, or byDefault if it is not set or wrong.
func (r *Reader) Duration(name string, byDefault time.Duration) time.Duration {
	text := r.Getenv(name)
	if text == "" {
		return byDefault
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		r.Refuse(name, "a duration above zero, such as 40s or 30m")
		return byDefault
	}
	return d
}

// Choice returns a variable's value, which must be byDefault or one of others. It returns
// byDefault if the variable is not set or wrong.
func Choice[T ~string](r *Reader, name string, byDefault T, others ...T) T {
	got := T(r.Getenv(name))
	if got == "" {
		return byDefault
	}
	allowed := append([]T{byDefault}, others...)
	if slices.Contains(allowed, got) {
		return got
	}
	var quoted []string
	for _, choice := range allowed {
		quoted = append(quoted, strconv.Quote(string(choice)))
	}
	r.Refuse(name, strings.Join(quoted, " or "))
	return byDefault
}

// Refuse adds a problem: the value of a variable is not what it must be.
func (r *Reader) Refuse(name, must string) {
	r.Add(fmt.Errorf("%s is %q: must be %s", name, r.Getenv(name), must))
}

// Add adds a problem, unless it is nil.
func (r *Reader) Add(problem error) { r.problems = append(r.problems, problem) }

// Err returns all problems as one error, or nil.
func (r *Reader) Err() error {
	if err := errors.Join(r.problems...); err != nil {
		return fmt.Errorf("the function's environment is wrong: %w", err)
	}
	return nil
}
