package show

import (
	"fmt"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/amount"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

const (
	// keptLines limits the lines of an action's output that are kept in case it fails, and keptRunes each line.
	keptLines = 20
	keptRunes = 400
)

// live holds a rehearsal that runs: the result so far, and what no result has. Its zero value has not begun.
type live struct {
	result rehearsal.Result
	steps  map[place]*step

	preparing string
	since     time.Time // when preparing began

	shown   int  // the number of stages that are shown above the block, to stay there
	ended   bool // all that is left to show is where the site is served
	serving bool
	asking  bool // the owner's answer is awaited
}

// place identifies an action.
type place struct{ stage, action string }

// step tells how far an action is, and what it wrote last.
type step struct {
	name        string
	byPhase     bool // the name is that of a build phase, for want of a better one
	done, total int
	bytes       int64
	output      []string // the last lines
	written     int      // the number of all lines
}

// step returns the step of an action.
func (l *live) step(stage, action string) *step {
	at := place{stage, action}
	if l.steps[at] == nil {
		if l.steps == nil {
			l.steps = map[place]*step{}
		}
		l.steps[at] = &step{}
	}
	return l.steps[at]
}

// by names the action of an event; "" for an event outside of actions.
func by(e rehearsal.Event) string {
	return strings.Trim(clean(e.Stage)+"/"+clean(e.Action), "/")
}

// prepared ends what was being made ready.
func (l *live) prepared(at time.Time) []line {
	if l.preparing == "" {
		return nil
	}
	done := line{{"· " + l.preparing, dim}}
	if took := at.Sub(l.since); took >= time.Second {
		done = append(done, span{"  " + seconds(took), dim})
	}
	l.preparing = ""
	return []line{done}
}

// unshown returns the stages that are not shown yet.
func (l *live) unshown() []rehearsal.Stage {
	return l.result.Stages[min(l.shown, len(l.result.Stages)):]
}

// stopped returns a stage as it is if the rehearsal stops now.
func stopped(st rehearsal.Stage, now time.Time) rehearsal.Stage {
	if st.Status == rehearsal.InProgress {
		st.Status, st.Duration = rehearsal.Stopped, since(st.Started, now)
	}
	actions := st.Actions
	st.Actions = nil
	for _, a := range actions {
		if a.Status == rehearsal.InProgress {
			a.Status, a.Duration = rehearsal.Stopped, since(a.Started, now)
		}
		st.Actions = append(st.Actions, a)
	}
	return st
}

// since returns the time since something has started; 0 if it has not.
func since(started, now time.Time) time.Duration {
	if started.IsZero() {
		return 0
	}
	return now.Sub(started)
}

// write adds a line of output.
func (s *step) write(e rehearsal.Event) {
	if e.Phase != "" && (s.name == "" || s.byPhase) {
		s.name, s.byPhase = clean(e.Phase), true
	}
	written := clean(e.Text)
	// CodeBuild's own lines repeat whole commands, and would push out what the commands wrote.
	if strings.TrimSpace(written) == "" || e.Service && e.Phase != "" {
		return
	}
	if runes := []rune(written); len(runes) > keptRunes {
		written = string(runes[:keptRunes]) + "…"
	}
	s.written++
	if len(s.output) == keptLines {
		s.output = s.output[1:]
	}
	s.output = append(s.output, written)
}

// above says how many lines there were before those that are kept; "" for none.
func (s *step) above() string {
	if n := s.written - len(s.output); n > 0 {
		return "… " + amount.Count(n, "line") + " above; VERBOSE=1 shows all output"
	}
	return ""
}

// progress says how far the action is: "23/97, 1.2 MB  index.html". The name comes last, since lines are cut there.
func (s *step) progress() string {
	var counts []string
	switch {
	case s.total > 0:
		counts = append(counts, fmt.Sprintf("%s/%s", amount.Number(s.done), amount.Number(s.total)))
	case s.done > 0:
		counts = append(counts, amount.Number(s.done))
	}
	if s.bytes > 0 {
		counts = append(counts, amount.Size(s.bytes))
	}
	return strings.TrimSpace(strings.Join(counts, ", ") + "  " + s.name)
}
