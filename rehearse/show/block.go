package show

import (
	"fmt"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/amount"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// frameTime is the time between two frames of the live block.
const frameTime = 100 * time.Millisecond

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

const (
	// nameCells limits the width of the column of names. timeCells and barCells are the widths of the column of times
	// and of a progress bar.
	nameCells = 24
	timeCells = 9
	barCells  = 20
	// liveLines limits the lines of output below an action that runs.
	liveLines = 4
)

// mark returns the sign of a status. The sign of what is in progress moves.
func mark(status rehearsal.Status, now time.Time) span {
	switch status {
	case rehearsal.InProgress:
		frame := now.Nanosecond() / int(frameTime)
		return span{string(spinner[frame%len(spinner)]), cyan}
	case rehearsal.Succeeded:
		return span{"✓", green}
	case rehearsal.Failed:
		return span{"✗", red}
	case rehearsal.Stopped:
		return span{"■", yellow}
	case rehearsal.NotRun:
		return span{"·", dim}
	}
	return span{"?", yellow}
}

// apply adds an event, and returns the lines that a terminal shows for good because of it.
func (l *live) apply(e rehearsal.Event, now time.Time, opts Options) []line {
	at := e.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	if e.Result != nil {
		l.result = *e.Result
	}
	var lines []line
	if e.Kind != rehearsal.Noted && e.Kind != rehearsal.Warned {
		lines = l.prepared(at)
	}
	l.asking = e.Kind == rehearsal.Asked
	switch e.Kind {
	case rehearsal.Started:
		lines = append(append(lines, header(l.result)), striking(l.result.Faults)...)
	case rehearsal.Preparing:
		l.preparing, l.since = clean(e.Text), at
	case rehearsal.ActionStarted:
		delete(l.steps, place{e.Stage, e.Action})
	case rehearsal.Progressed:
		s := l.step(e.Stage, e.Action)
		if e.Text != "" {
			s.name, s.byPhase = clean(e.Text), e.Phase != ""
		}
		s.done, s.total, s.bytes = e.Done, e.Total, e.Bytes
	case rehearsal.Output:
		l.step(e.Stage, e.Action).write(e)
		if opts.Verbose {
			lines = append(lines, line{{"  " + by(e) + " │ ", cyan}, {clean(e.Text), dim}})
		}
	case rehearsal.Struck:
		lines = append(lines, line{{"! " + by(e) + "  " + clean(e.Text), yellow}})
	case rehearsal.Asked:
		lines = append(append(lines, served(l.result.Served)...), line{{clean(e.Text), bold}})
	case rehearsal.Ended:
		lines = append(lines, l.rest(now, opts)...)
	case rehearsal.Serving:
		l.serving = l.result.Served != nil
		lines = append(lines, served(l.result.Served)...)
	}
	return lines
}

// served returns the lines that say where the site can be looked at.
func served(at *rehearsal.Served) []line {
	if at == nil {
		return nil
	}
	lines := []line{{{"The site is at ", bold}, {clean(at.URL), cyan}}}
	if secure := clean(at.SecureURL); secure != "" {
		lines = append(lines, line{{"and as " + clean(strings.Join(at.Names, ", ")) + " at ", normal}, {secure, cyan}, {"  its certificate is made up", dim}})
	}
	return lines
}

// finished returns the lines of the stages that have ended, up to the first that has not. They are shown once.
func (l *live) finished(opts Options) []line {
	var lines []line
	for _, st := range l.unshown() {
		if st.Status == rehearsal.InProgress || st.Status == rehearsal.NotRun {
			break
		}
		l.shown++
		lines = append(lines, l.stage(st, opts)...)
	}
	return lines
}

// rest returns the lines of all stages that are not shown yet, and ends the block. What runs was stopped.
func (l *live) rest(now time.Time, opts Options) []line {
	lines := l.prepared(now)
	for _, st := range l.unshown() {
		l.shown++
		lines = append(lines, l.stage(stopped(st, now), opts)...)
	}
	l.ended, l.serving = true, false
	return lines
}

// stage returns a stage's one line and, for each action that did not succeed, what explains it.
func (l *live) stage(st rehearsal.Stage, opts Options) []line {
	head := line{mark(st.Status, time.Time{}), {" " + pad(clean(st.Name), l.nameCells()), normal}}
	if words := idle(st); words != "" {
		return []line{append(head, span{pad("", timeCells) + "  " + words, dim})}
	}
	head = append(head, span{timeColumn(st.Duration), dim}, span{"  " + said(st), normal})
	// A stage has one line; the summary has all the words.
	lines := []line{head.cut(opts.Width - 1)}
	for _, a := range st.Actions {
		if a.Status == rehearsal.Failed || a.Status == rehearsal.Stopped {
			lines = append(lines, l.explained(st, a, opts)...)
		}
	}
	return lines
}

// explained returns why an action did not succeed, and the last lines that it wrote.
func (l *live) explained(st rehearsal.Stage, a rehearsal.Action, opts Options) []line {
	words := why(a.Failure)
	if words == "" {
		words = verb(a.Status)
	}
	var lines []line
	head := line{{"  ", normal}, mark(a.Status, time.Time{}), {" " + clean(a.Name) + "  ", normal}}
	for _, part := range wrap(words, room(opts.Width, head.width())) {
		lines = append(lines, append(head, span{part, red}))
		head = line{{strings.Repeat(" ", head.width()), normal}}
	}
	if opts.Verbose || a.Status != rehearsal.Failed {
		return lines
	}
	s := l.step(st.Name, a.Name)
	if above := s.above(); above != "" {
		lines = append(lines, line{{"    │ " + above, dim}})
	}
	for _, output := range s.output {
		lines = append(lines, indented("    │ ", output, normal, opts.Width)...)
	}
	return lines
}

// block returns the lines that change, at most rows of them. It first leaves out what helps least.
func (l *live) block(now time.Time, width, rows int) []line {
	if l.asking {
		return nil // The answer is typed where the block would be.
	}
	for _, room := range []struct {
		output  int
		pending bool
	}{{liveLines, true}, {liveLines, false}, {1, false}, {0, false}} {
		if lines := l.layout(now, width, room.output, room.pending); len(lines) <= rows {
			return lines
		}
	}
	lines := l.layout(now, width, 0, false)
	rows = max(rows, 0)
	if rows == 0 {
		return nil
	}
	more := line{{fmt.Sprintf("  … and %s", amount.Count(len(lines)-rows+1, "line")), dim}}
	return append(lines[:rows-1:rows-1], more.cut(width-1))
}

// layout returns the lines of the block: with so many lines of output, and with the stages that have not started or only
// their number.
func (l *live) layout(now time.Time, width, output int, pending bool) []line {
	var lines []line
	if l.preparing != "" {
		lines = append(lines, line{mark(rehearsal.InProgress, now), {" " + l.preparing, normal}, {"  " + seconds(now.Sub(l.since)), dim}})
	}
	waiting := 0
	for _, st := range l.unshown() {
		switch st.Status {
		case rehearsal.NotRun:
			waiting++
			if pending {
				lines = append(lines, line{mark(st.Status, now), {" " + clean(st.Name), dim}})
			}
		case rehearsal.InProgress:
			lines = append(lines, line{mark(st.Status, now), {" " + pad(clean(st.Name), l.nameCells()), bold}, {timeColumn(since(st.Started, now)), dim}})
			for _, a := range st.Actions {
				lines = append(lines, l.action(st, a, now, width, output)...)
			}
		default: // It has ended, and a stage before it has not.
			lines = append(lines, line{mark(st.Status, now), {" " + pad(clean(st.Name), l.nameCells()), normal}, {timeColumn(st.Duration), dim}})
		}
	}
	if waiting > 0 && !pending {
		lines = append(lines, line{{"· " + amount.Count(waiting, "more stage"), dim}})
	}
	if n := len(l.result.Visits); n > 0 && !l.ended {
		lines = append(lines, visited(l.result.Visits[n-1]))
	}
	if l.serving {
		lines = append(lines, line{mark(rehearsal.InProgress, now), {" Serving ", normal}, {clean(l.result.Served.URL), cyan}, {"  Ctrl-C ends it", dim}})
	}
	for i, line := range lines {
		lines[i] = line.cut(width - 1) // A character in the last column would make some terminals wrap.
	}
	return lines
}

// action returns the lines of an action of a stage that runs.
func (l *live) action(st rehearsal.Stage, a rehearsal.Action, now time.Time, width, output int) []line {
	head := line{{"  ", normal}, mark(a.Status, now), {" " + pad(clean(a.Name), l.nameCells()-2), normal}}
	switch a.Status {
	case rehearsal.NotRun:
		return []line{{{"  ", normal}, mark(a.Status, now), {" " + clean(a.Name), dim}}}
	case rehearsal.InProgress:
	default:
		words := clean(a.Summary)
		if failure := why(a.Failure); failure != "" {
			words = clean(strings.ReplaceAll(failure, "\n", " "))
		}
		return []line{append(head, span{timeColumn(a.Duration) + "  ", dim}, span{words, normal})}
	}
	s := l.step(st.Name, a.Name)
	head = append(head, span{timeColumn(since(a.Started, now)) + "  ", dim})
	// The bar comes first, so that it stays in its place when the words change.
	if s.total > 0 && width-1-head.width() >= barCells+20 {
		head = append(head, bar(s.done, s.total)...)
		head = append(head, span{" ", normal})
	}
	lines := []line{append(head, span{s.progress(), normal})}
	for _, written := range s.output[max(0, len(s.output)-output):] {
		lines = append(lines, line{{"    │ " + written, dim}})
	}
	return lines
}

func bar(done, total int) line {
	full := min(max(done, 0), total) * barCells / total
	return line{{strings.Repeat("█", full), green}, {strings.Repeat("░", barCells-full), dim}}
}

// nameCells returns the width of the column of names of stages and actions.
func (l *live) nameCells() int {
	cells := 8
	for _, st := range l.result.Stages {
		cells = max(cells, width(clean(st.Name)))
		for _, a := range st.Actions {
			cells = max(cells, width(clean(a.Name))+2)
		}
	}
	return min(cells, nameCells)
}

// timeColumn words a duration in its column.
func timeColumn(d time.Duration) string {
	s := seconds(d)
	return pad("", timeCells-width(s)) + s
}
