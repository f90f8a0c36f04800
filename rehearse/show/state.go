package show

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/pipeline"
)

const (
	// keptLines is how many lines of an action's output are kept for the case that it fails.
	keptLines = 20
	// keptRunes is how much of such a line is kept.
	keptRunes = 400
	// liveLines is how many of them stand below a running action.
	liveLines = 4
	// nameCells bounds the column of names.
	nameCells = 24
)

// state is what is known of a rehearsal. It takes events in any order, so that a display never fails.
type state struct {
	stages    []*stage
	preparing string
	since     time.Time // when preparing began
	visit     *pipeline.Visit
	url       string
	warnings  []string // not told yet
	told      []string // warnings that are
}

type stage struct {
	name     string
	status   pipeline.Status
	started  time.Time
	duration time.Duration // once it has ended
	actions  []*action
	told     bool // as a line that stays
}

type action struct {
	name, provider, target string
	status                 pipeline.Status
	started                time.Time
	duration               time.Duration
	step                   string
	byPhase                bool // step is a phase's name, for want of a better word
	done, total            int
	bytes                  int64
	output                 []string // the last lines
	said                   int      // how many there were
	summary, failure, look string
}

func (s *state) stage(name string) *stage {
	for _, st := range s.stages {
		if st.name == name {
			return st
		}
	}
	st := &stage{name: name, status: pipeline.NotRun}
	s.stages = append(s.stages, st)
	return st
}

func (st *stage) action(name string) *action {
	for _, a := range st.actions {
		if a.name == name {
			return a
		}
	}
	a := &action{name: name, status: pipeline.NotRun}
	st.actions = append(st.actions, a)
	return a
}

func (st *stage) start(at time.Time) {
	if st.status != pipeline.InProgress {
		st.status, st.started, st.told = pipeline.InProgress, at, false
	}
}

func (a *action) start(at time.Time) {
	if a.status != pipeline.InProgress {
		*a = action{name: a.name, provider: a.provider, target: a.target, status: pipeline.InProgress, started: at}
	}
}

func (a *action) end(r pipeline.ActionResult) {
	a.describe(r)
	a.status, a.duration = r.Status, r.Duration
	a.summary, a.look, a.failure = clean(r.Summary), clean(r.Look), cmp.Or(strings.TrimSpace(r.Cause), failure(r))
}

func (a *action) describe(r pipeline.ActionResult) {
	if r.Provider != "" {
		a.provider = clean(r.Provider)
	}
	if r.Target != "" {
		a.target = clean(r.Target)
	}
}

// failure returns code and reason as AWS words them.
func failure(r pipeline.ActionResult) string {
	switch {
	case r.Code == "" || strings.HasPrefix(r.Reason, r.Code):
		return strings.TrimSpace(r.Reason)
	case r.Reason == "":
		return r.Code
	}
	return r.Code + ": " + strings.TrimSpace(r.Reason)
}

// apply takes an event in and returns the lines that a terminal shows for good because of it.
func (s *state) apply(e pipeline.Event, now time.Time, opts Options) []line {
	at := e.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	var lines []line
	if e.Kind != pipeline.Noted && e.Kind != pipeline.Warned {
		lines = s.prepared(at)
	}
	stageName, actionName := clean(e.Stage), clean(e.Action)
	switch e.Kind {
	case pipeline.Started:
		if e.Result != nil {
			lines = append(lines, header(*e.Result))
			s.plan(e.Result.Stages)
		}
	case pipeline.Preparing:
		s.preparing, s.since = clean(e.Text), at
	case pipeline.StageStarted:
		s.stage(stageName).start(at)
	case pipeline.StageEnded:
		st := s.stage(stageName)
		st.duration = at.Sub(st.startOr(at))
		st.status = pipeline.Succeeded
		if r := e.StageResult; r != nil {
			st.status, st.duration = r.Status, r.Duration
			for _, a := range r.Actions {
				st.action(clean(a.Name)).end(a)
			}
		}
	case pipeline.ActionStarted:
		st := s.stage(stageName)
		st.start(at)
		a := st.action(actionName)
		a.start(at)
		if e.ActionResult != nil {
			a.describe(*e.ActionResult)
		}
	case pipeline.ActionEnded:
		a := s.stage(stageName).action(actionName)
		if e.ActionResult != nil {
			a.end(*e.ActionResult)
		} else {
			a.status, a.duration = pipeline.Succeeded, at.Sub(a.startOr(at))
		}
	case pipeline.Progressed:
		a := s.stage(stageName).action(actionName)
		if e.Text != "" {
			a.step, a.byPhase = clean(e.Text), e.Phase != ""
		}
		a.done, a.total, a.bytes = e.Done, e.Total, e.Bytes
	case pipeline.Output:
		a := s.stage(stageName).action(actionName)
		a.write(e)
		if opts.Verbose {
			lines = append(lines, line{{"  " + stageName + "/" + actionName + " │ ", cyan}, {clean(e.Text), dim}})
		}
	case pipeline.Visited:
		if e.Visit != nil {
			visit := *e.Visit
			s.visit = &visit
		}
	case pipeline.Warned:
		s.warnings = append(s.warnings, e.Text)
	case pipeline.Noted: // The summary counts them.
	case pipeline.Serving:
		s.url = clean(e.URL)
		lines = append(lines, line{{"The site is at ", bold}, {s.url, cyan}})
		if secure := clean(e.SecureURL); secure != "" {
			lines = append(lines, line{{"and as " + clean(strings.Join(e.Names, ", ")) + " at ", normal}, {secure, cyan}, {"  its certificate is made up", dim}})
		}
	case pipeline.Ended:
		lines = append(lines, s.rest(now, opts)...)
	}
	return lines
}

// plan takes the stages in as they stand in the template.
func (s *state) plan(stages []pipeline.StageResult) {
	for _, planned := range stages {
		st := s.stage(clean(planned.Name))
		for _, a := range planned.Actions {
			st.action(clean(a.Name)).describe(a)
		}
	}
}

// prepared ends what was being made ready.
func (s *state) prepared(at time.Time) []line {
	if s.preparing == "" {
		return nil
	}
	l := line{{"· " + s.preparing, dim}}
	if took := at.Sub(s.since); took >= time.Second {
		l = append(l, span{"  " + seconds(took), dim})
	}
	s.preparing = ""
	return []line{l}
}

func (st *stage) startOr(at time.Time) time.Time {
	if st.started.IsZero() {
		return at
	}
	return st.started
}

func (a *action) startOr(at time.Time) time.Time {
	if a.started.IsZero() {
		return at
	}
	return a.started
}

func (a *action) write(e pipeline.Event) {
	if e.Phase != "" && (a.step == "" || a.byPhase) {
		a.step, a.byPhase = clean(e.Phase), true
	}
	shown := clean(e.Text)
	// CodeBuild's own lines repeat whole commands, and would push out what these said.
	if strings.TrimSpace(shown) == "" || e.Service && e.Phase != "" {
		return
	}
	if runes := []rune(shown); len(runes) > keptRunes {
		shown = string(runes[:keptRunes]) + "…"
	}
	a.said++
	if len(a.output) == keptLines {
		a.output = a.output[1:]
	}
	a.output = append(a.output, shown)
}

// above says how many lines were before those that are kept, if there were any.
func (a *action) above() string {
	if n := a.said - len(a.output); n > 0 {
		return "… " + pipeline.Count(n, "line") + " above; VERBOSE=1 shows all output"
	}
	return ""
}

// progress tells how far the action is: "23/97, 1.2 MB  index.html". What is cut is the step's end.
func (a *action) progress() string {
	var counts []string
	switch {
	case a.total > 0:
		counts = append(counts, fmt.Sprintf("%s/%s", pipeline.Number(a.done), pipeline.Number(a.total)))
	case a.done > 0:
		counts = append(counts, pipeline.Number(a.done))
	}
	if a.bytes > 0 {
		counts = append(counts, pipeline.Size(a.bytes))
	}
	return strings.TrimSpace(strings.Join(counts, ", ") + "  " + a.step)
}

// header is the first line of a rehearsal.
func header(r pipeline.Result) line {
	r.Execution = "" // The summary has it.
	return line{{"Rehearsing " + clean(r.Name), bold}, {"  " + where(r), dim}}
}

func where(r pipeline.Result) string {
	var parts []string
	for _, part := range []struct{ what, value string }{
		{"stack ", r.Stack}, {"account ", r.Account}, {"", r.Region}, {"execution ", r.Execution},
	} {
		if part.value != "" {
			parts = append(parts, part.what+clean(part.value))
		}
	}
	return strings.Join(parts, ", ")
}

// verb is a status in a sentence.
func verb(status pipeline.Status) string {
	switch status {
	case pipeline.Succeeded:
		return "succeeded"
	case pipeline.Failed:
		return "failed"
	case pipeline.Stopped:
		return "stopped"
	case pipeline.InProgress:
		return "in progress"
	case pipeline.NotRun:
		return "not run"
	}
	if status == "" {
		return "ended"
	}
	return clean(string(status))
}

// sentence tells how something ended, such as "succeeded in 4.1 s".
func sentence(status pipeline.Status, took time.Duration) string {
	if status == pipeline.NotRun {
		return verb(status)
	}
	if status == pipeline.InProgress || status == pipeline.Stopped {
		return verb(status) + " after " + seconds(took)
	}
	return verb(status) + " in " + seconds(took)
}
