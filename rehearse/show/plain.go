package show

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

const (
	// stepTime is the time between two lines about a step that counts.
	stepTime = 2 * time.Second
	// quietTime limits the time without a line: some CI systems stop a job that writes nothing.
	quietTime = time.Minute
)

// plain writes lines that can be searched: stage, action, what happens.
type plain struct {
	told map[place]told
	last time.Time // of the last line
}

// told holds what was last told of an action's step.
type told struct {
	progress string
	at       time.Time
}

func (p *plain) event(w io.Writer, l *live, e rehearsal.Event, now time.Time, opts Options) {
	at := place{e.Stage, e.Action}
	stageName, actionName := clean(e.Stage), clean(e.Action)
	say := func(parts ...string) {
		p.last = now
		_, _ = io.WriteString(w, strings.Join(parts, "  ")+"\n") // See Display.write.
	}
	serving := func() {
		if at := l.result.Served; at != nil {
			say("Serving", clean(strings.TrimSpace(at.URL+" "+at.SecureURL)))
		}
	}
	switch e.Kind {
	case rehearsal.Started:
		say(header(l.result).render(false))
		for _, fault := range striking(l.result.Faults) {
			say(fault.render(false))
		}
	case rehearsal.Preparing:
		say("Preparing", clean(e.Text))
	case rehearsal.StageEnded:
		// Its actions have told the rest.
		if st := l.result.Stage(e.Stage); st != nil && (len(st.Actions) == 0 || st.Status != rehearsal.Succeeded && !explains(*st)) {
			say(stageName, cmp.Or(idle(*st), sentence(st.Status, st.Duration)))
		}
	case rehearsal.ActionStarted:
		delete(p.told, at)
		words := "started"
		if a := l.result.Stage(e.Stage).Action(e.Action); a != nil && about(*a) != "" {
			words += ": " + about(*a)
		}
		say(stageName, actionName, words)
	case rehearsal.Progressed, rehearsal.Output:
		if p.worthTelling(l, at, now) {
			say(stageName, actionName, l.step(e.Stage, e.Action).progress())
		}
		if e.Kind == rehearsal.Output && opts.Verbose {
			say(stageName, actionName, "│ "+clean(e.Text))
		}
	case rehearsal.ActionEnded:
		if a := l.result.Stage(e.Stage).Action(e.Action); a != nil {
			for _, words := range ended(*a, l.step(e.Stage, e.Action), opts) {
				say(stageName, actionName, words)
			}
		}
	case rehearsal.Struck:
		say(stageName, actionName, clean(e.Text))
	case rehearsal.Visited:
		if n := len(l.result.Visits); n > 0 {
			say(visited(l.result.Visits[n-1]).render(false))
		}
	case rehearsal.Asked:
		serving()
		say(stageName, actionName, clean(e.Text))
	case rehearsal.Serving:
		serving()
	}
}

// ended says how an action ended. The last lines of one that failed come first.
func ended(a rehearsal.Action, s *step, opts Options) []string {
	var lines []string
	if !opts.Verbose && a.Status == rehearsal.Failed {
		if above := s.above(); above != "" {
			lines = append(lines, "│ "+above)
		}
		for _, output := range s.output {
			lines = append(lines, "│ "+output)
		}
	}
	words := sentence(a.Status, a.Duration)
	if failure := why(a.Failure); failure != "" {
		words += ": " + strings.Join(wrap(failure, 0), " ")
	} else if summary := clean(a.Summary); summary != "" {
		words += ": " + summary
	}
	return append(lines, words)
}

// worthTelling reports whether the step of an action is news: another one or, if it counts, one of which nothing was told
// for a while. Each file of an upload can be a step of its own.
func (p *plain) worthTelling(l *live, at place, now time.Time) bool {
	s := l.step(at.stage, at.action)
	progress := s.progress()
	last, ok := p.told[at]
	if !ok {
		last.at = now
		if a := l.result.Stage(at.stage).Action(at.action); a != nil && !a.Started.IsZero() {
			last.at = a.Started
		}
	}
	counts := s.total > 0 || s.done > 0 || s.bytes > 0
	if progress == "" || progress == last.progress || counts && now.Sub(last.at) < stepTime {
		return false
	}
	if p.told == nil {
		p.told = map[place]told{}
	}
	p.told[at] = told{progress, now}
	return true
}

// explains reports whether one of the stage's actions tells why the stage ended as it did.
func explains(st rehearsal.Stage) bool {
	return slices.ContainsFunc(st.Actions, func(a rehearsal.Action) bool { return a.Status == st.Status })
}

// quiet tells what runs if nothing was told for a while.
func (p *plain) quiet(w io.Writer, l *live, now time.Time) {
	if p.last.IsZero() || now.Sub(p.last) < quietTime {
		return
	}
	for _, st := range l.result.Stages {
		for _, a := range st.Actions {
			if a.Status != rehearsal.InProgress {
				continue
			}
			p.last = now
			words := fmt.Sprintf("%s  %s  in progress for %s", clean(st.Name), clean(a.Name), seconds(since(a.Started, now)))
			if progress := l.step(st.Name, a.Name).progress(); progress != "" {
				words += ": " + progress
			}
			_, _ = io.WriteString(w, words+"\n")
		}
	}
}
