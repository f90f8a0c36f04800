// Package environment reads a function's settings from its environment variables.
package environment

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/strictjson"
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

// DurationFromZero returns a variable's duration, which may be "0s", or byDefault if it
// is not set or wrong.
func (r *Reader) DurationFromZero(name string, byDefault time.Duration) time.Duration {
	if d, err := time.ParseDuration(r.Getenv(name)); err == nil && d == 0 {
		return 0
	}
	return r.Duration(name, byDefault)
}

// Number returns a variable's number, or byDefault if it is not set or not within these
// limits.
func (r *Reader) Number(name string, byDefault, least, most int) int {
	text := r.Getenv(name)
	if text == "" {
		return byDefault
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		r.Refuse(name, fmt.Sprintf("a number from %d to %d", least, most))
		return byDefault
	}
	return n
}

// Required returns a variable's value, which must be set. What it is goes into the problem
// of one that is not, such as "the bucket's name".
func (r *Reader) Required(name, what string) string {
	value := r.Getenv(name)
	if value == "" {
		r.Refuse(name, what)
	}
	return value
}

// Folder returns a variable's folder in a bucket, which is "" for the bucket's root.
func (r *Reader) Folder(name string) string {
	folder := r.Getenv(name)
	if folder != strings.Trim(folder, "/") {
		r.Refuse(name, "a folder such as blog, without a slash at its start or end")
	}
	return folder
}

// JSON returns the value of a variable that is JSON, which is the zero value if the
// variable is not set. It returns false if the variable is wrong; the problem then shows
// the example.
func JSON[T any](r *Reader, name string, example T) (value T, ok bool) {
	text := r.Getenv(name)
	if text == "" {
		return value, true
	}
	if err := strictjson.Decode(text, &value); err != nil {
		r.Add(fmt.Errorf("%s is %q: %w; must be JSON such as %s", name, text, err, contract.JSON(example)))
		var none T
		return none, false
	}
	return value, true
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
