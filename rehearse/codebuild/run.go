package codebuild

import (
	"context"
	"slices"
	"strings"
	"time"
)

// run is a running build.
type run struct {
	Build
	limit  *limit
	cancel context.CancelCauseFunc
	src    string
	env    map[string]string // the variables at the start of the build
	shell  *shell
	out    *output
	result Result
}

// limit calls a function after some time, without counting pauses. Only one goroutine may use it.
type limit struct {
	timer *time.Timer
	left  time.Duration
	since time.Time
}

func newLimit(after time.Duration, call func()) *limit {
	return &limit{timer: time.AfterFunc(after, call), left: after, since: time.Now()}
}

func (l *limit) pause() (resume func()) {
	if !l.timer.Stop() {
		return func() {} // The time is already over.
	}
	l.left -= time.Since(l.since)
	return func() {
		l.since = time.Now()
		l.timer.Reset(max(0, l.left))
	}
}

func (r *run) note(notes ...string) { addNew(&r.result.Notes, notes) }

func (r *run) warn(warnings ...string) { addNew(&r.result.Warnings, warnings) }

func addNew(known *[]string, texts []string) {
	for _, text := range texts {
		if !slices.Contains(*known, text) {
			*known = append(*known, text)
		}
	}
}

// say logs a line as CodeBuild's own.
func (r *run) say(phase, text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, " \n"), "\n") {
		r.Output(Line{Phase: phase, Text: r.out.mask(line), Agent: true})
	}
}
