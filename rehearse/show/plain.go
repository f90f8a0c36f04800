package show

import (
	"fmt"
	"io"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/pipeline"
)

// plain writes lines that can be searched: stage, action, what happens.
type plain struct {
	steps map[*action]told
	last  time.Time // when anything was told
}

// told is what was last told of an action's step.
type told struct {
	step string
	at   time.Time
}

func (p *plain) event(w io.Writer, s *state, e pipeline.Event, now time.Time, opts Options) {
	if p.steps == nil {
		p.steps = make(map[*action]told)
	}
	say := func(parts ...string) {
		p.last = now
		_, _ = io.WriteString(w, strings.Join(parts, "  ")+"\n") // See Display.write.
	}
	stageName, actionName := clean(e.Stage), clean(e.Action)
	switch e.Kind {
	case pipeline.Started:
		if e.Result != nil {
			say(header(*e.Result).render(false))
		}
	case pipeline.Preparing:
		say("Preparing", clean(e.Text))
	case pipeline.StageEnded:
		// Its actions have told the rest.
		st := s.stage(stageName)
		if st.status != pipeline.Succeeded && !st.explained() || len(st.actions) == 0 {
			say(stageName, sentence(st.status, st.duration))
		}
	case pipeline.ActionStarted:
		a := s.stage(stageName).action(actionName)
		delete(p.steps, a)
		about := strings.TrimSpace(a.provider + " " + a.target)
		if about != "" {
			about = ": " + about
		}
		say(stageName, actionName, "started"+about)
	case pipeline.Progressed, pipeline.Output:
		a := s.stage(stageName).action(actionName)
		if p.worthTelling(a, now) {
			say(stageName, actionName, a.progress())
		}
		if e.Kind == pipeline.Output && opts.Verbose {
			say(stageName, actionName, "│ "+clean(e.Text))
		}
	case pipeline.ActionEnded:
		a := s.stage(stageName).action(actionName)
		if !opts.Verbose && a.status == pipeline.Failed {
			if above := a.above(); above != "" {
				say(stageName, actionName, "│ "+above)
			}
			for _, output := range a.output {
				say(stageName, actionName, "│ "+output)
			}
		}
		words := a.summary
		if a.failure != "" {
			words = strings.Join(wrap(a.failure, 0), " ")
		}
		if words != "" {
			words = ": " + words
		}
		say(stageName, actionName, sentence(a.status, a.duration)+words)
	case pipeline.Visited:
		if e.Visit != nil {
			say(visited(*e.Visit).render(false))
		}
	case pipeline.Serving:
		say("Serving", clean(strings.TrimSpace(e.URL+" "+e.SecureURL)))
	}
}

// worthTelling reports whether the action's step is news: it is another one or, where it counts, it was
// last told a while ago. Every file of an upload can be a step of its own.
func (p *plain) worthTelling(a *action, now time.Time) bool {
	step := a.progress()
	last, ok := p.steps[a]
	if !ok {
		last.at = a.startOr(now)
	}
	counts := a.total > 0 || a.done > 0 || a.bytes > 0
	if step == "" || step == last.step || counts && now.Sub(last.at) < stepTime {
		return false
	}
	p.steps[a] = told{step, now}
	return true
}

// explained reports whether one of the stage's actions tells why the stage ended as it did.
func (st *stage) explained() bool {
	for _, a := range st.actions {
		if a.status == st.status {
			return true
		}
	}
	return false
}

// quiet tells what runs when nothing has been told for a while.
func (p *plain) quiet(w io.Writer, s *state, now time.Time) {
	if p.last.IsZero() || now.Sub(p.last) < quietTime {
		return
	}
	for _, st := range s.stages {
		for _, a := range st.actions {
			if a.status != pipeline.InProgress {
				continue
			}
			p.last = now
			words := fmt.Sprintf("%s  %s  in progress for %s", st.name, a.name, seconds(now.Sub(a.startOr(now))))
			if step := a.progress(); step != "" {
				words += ": " + step
			}
			_, _ = io.WriteString(w, words+"\n")
		}
	}
}

// visited is a reader's visit in one line.
func visited(v pipeline.Visit) line {
	l := line{{"Reader  ", dim}, {clean(string(v.When)) + "  " + address(v) + "  ", dim}, seen(v)}
	if missed(v) {
		l = append(l, span{", wanted " + clean(string(v.Wanted)), red})
	}
	return l
}

// address is where a reader was, as whole as it is known.
func address(v pipeline.Visit) string {
	if v.URL != "" {
		return clean(v.URL)
	}
	return clean(v.Path)
}

// seen is what a reader got: "old (Hit)".
func seen(v pipeline.Visit) span {
	words := clean(string(v.Edition))
	if v.Status != 0 && v.Status != 200 {
		words = fmt.Sprintf("%d %s", v.Status, words)
	}
	if v.Cache != "" {
		words += " (" + clean(v.Cache) + ")"
	}
	how := normal
	switch {
	case missed(v):
		how = alarm
	case v.Edition == pipeline.Old:
		how = yellow
	case v.Edition == pipeline.New:
		how = green
	}
	return span{words, how}
}

// missed reports whether the visit disproves the pipeline.
func missed(v pipeline.Visit) bool { return v.Wanted != "" && v.Edition != v.Wanted }
