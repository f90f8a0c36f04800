package show

import (
	"fmt"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/pipeline"
)

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

const (
	timeCells = 9
	barCells  = 20
)

// mark stands before what has a status.
func mark(status pipeline.Status, now time.Time) span {
	switch status {
	case pipeline.InProgress:
		frame := now.Nanosecond() / int(frameTime)
		return span{string(spinner[frame%len(spinner)]), cyan}
	case pipeline.Succeeded:
		return span{"✓", green}
	case pipeline.Failed:
		return span{"✗", red}
	case pipeline.Stopped:
		return span{"■", yellow}
	case pipeline.NotRun:
		return span{"·", dim}
	}
	return span{"?", yellow}
}

// finished returns the lines of the stages that have ended and that no stage before them keeps waiting.
// They are told once, and stay above the block.
func (s *state) finished(opts Options) []line {
	var lines []line
	for _, st := range s.stages {
		if st.told {
			continue
		}
		if st.status == pipeline.InProgress || st.status == pipeline.NotRun {
			break
		}
		st.told = true
		lines = append(lines, s.ended(st, opts)...)
	}
	return lines
}

// rest returns the lines of all stages that are not told yet, as they stand.
func (s *state) rest(now time.Time, opts Options) []line {
	lines := s.prepared(now)
	for _, st := range s.stages {
		if st.told {
			continue
		}
		st.told = true
		if st.status == pipeline.InProgress {
			st.status, st.duration = pipeline.Stopped, now.Sub(st.startOr(now))
		}
		for _, a := range st.actions {
			if a.status == pipeline.InProgress {
				a.status, a.duration = pipeline.Stopped, now.Sub(a.startOr(now))
			}
		}
		lines = append(lines, s.ended(st, opts)...)
	}
	s.visit, s.url = nil, ""
	return lines
}

// ended returns a stage's one line and, of what did not succeed, what is needed to understand it.
func (s *state) ended(st *stage, opts Options) []line {
	head := line{mark(st.status, time.Time{}), {" " + pad(st.name, s.nameCells()), normal}}
	if st.status == pipeline.NotRun {
		return []line{append(head, span{pad("", timeCells) + "  not run", dim})}
	}
	head = append(head, span{clock(st.duration), dim}, span{"  " + st.summary(), normal})
	// One line for a stage; the summary has all its words.
	lines := []line{head.cut(opts.Width - 1)}
	for _, a := range st.actions {
		if a.status != pipeline.Failed && a.status != pipeline.Stopped {
			continue
		}
		told := a.failure
		if told == "" {
			told = verb(a.status)
		}
		head := line{{"  ", normal}, mark(a.status, time.Time{}), {" " + a.name + "  ", normal}}
		for _, words := range wrap(told, room(opts.Width, head.width())) {
			lines = append(lines, append(head, span{words, red}))
			head = line{{strings.Repeat(" ", head.width()), normal}}
		}
		if !opts.Verbose && a.status == pipeline.Failed {
			if above := a.above(); above != "" {
				lines = append(lines, line{{"    │ " + above, dim}})
			}
			for _, output := range a.output {
				lines = append(lines, indented("    │ ", output, normal, opts.Width)...)
			}
		}
	}
	return lines
}

// summary joins what the stage's actions have to say.
func (st *stage) summary() string {
	var parts []string
	for _, a := range st.actions {
		switch {
		case a.summary == "":
		case len(st.actions) == 1:
			parts = append(parts, a.summary)
		default:
			parts = append(parts, a.name+": "+a.summary)
		}
	}
	return strings.Join(parts, "; ")
}

// block returns what moves, in at most so many rows. It gives up first what helps least.
func (s *state) block(now time.Time, width, rows int) []line {
	for _, room := range []struct {
		output  int
		pending bool
	}{{liveLines, true}, {liveLines, false}, {1, false}, {0, false}} {
		if lines := s.layout(now, width, room.output, room.pending); len(lines) <= rows {
			return lines
		}
	}
	lines := s.layout(now, width, 0, false)
	rows = max(rows, 0)
	if rows == 0 {
		return nil
	}
	more := line{{fmt.Sprintf("  … and %s", pipeline.Count(len(lines)-rows+1, "line")), dim}}
	return append(lines[:rows-1:rows-1], more.cut(width-1))
}

func (s *state) layout(now time.Time, width, output int, pending bool) []line {
	var lines []line
	if s.preparing != "" {
		lines = append(lines, line{mark(pipeline.InProgress, now), {" " + s.preparing, normal}, {"  " + seconds(now.Sub(s.since)), dim}})
	}
	waiting := 0
	for _, st := range s.stages {
		switch {
		case st.told:
		case st.status == pipeline.NotRun:
			waiting++
			if pending {
				lines = append(lines, line{mark(st.status, now), {" " + st.name, dim}})
			}
		case st.status == pipeline.InProgress:
			lines = append(lines, line{
				mark(st.status, now), {" " + pad(st.name, s.nameCells()), bold},
				{clock(now.Sub(st.startOr(now))), dim},
			})
			for _, a := range st.actions {
				lines = append(lines, s.running(a, now, width)...)
				if a.status == pipeline.InProgress {
					for _, l := range a.output[max(0, len(a.output)-output):] {
						lines = append(lines, line{{"    │ " + l, dim}})
					}
				}
			}
		default: // It has ended, and a stage before it has not.
			lines = append(lines, line{mark(st.status, now), {" " + pad(st.name, s.nameCells()), normal}, {clock(st.duration), dim}})
		}
	}
	if waiting > 0 && !pending {
		lines = append(lines, line{{"· " + pipeline.Count(waiting, "more stage"), dim}})
	}
	if s.visit != nil {
		lines = append(lines, visited(*s.visit))
	}
	if s.url != "" {
		lines = append(lines, line{mark(pipeline.InProgress, now), {" Serving ", normal}, {s.url, cyan}, {"  Ctrl-C ends it", dim}})
	}
	for i, l := range lines {
		lines[i] = l.cut(width - 1) // In the last column some terminals are about to wrap.
	}
	return lines
}

// running is the line of an action within a stage that runs.
func (s *state) running(a *action, now time.Time, width int) []line {
	l := line{{"  ", normal}, mark(a.status, now), {" " + pad(a.name, s.nameCells()-2), normal}}
	switch a.status {
	case pipeline.NotRun:
		return []line{{{"  ", normal}, mark(a.status, now), {" " + a.name, dim}}}
	case pipeline.InProgress:
		l = append(l, span{clock(now.Sub(a.startOr(now))) + "  ", dim})
		progress := a.progress()
		if a.total > 0 {
			// The bar comes first: it stays in its place when the words change.
			if left := width - 1 - l.width(); left >= barCells+20 {
				l = append(l, bar(a.done, a.total)...)
				l = append(l, span{" ", normal})
			}
		}
		return []line{append(l, span{progress, normal})}
	}
	words := a.summary
	if a.failure != "" {
		words = clean(strings.ReplaceAll(a.failure, "\n", " "))
	}
	return []line{append(l, span{clock(a.duration) + "  ", dim}, span{words, normal})}
}

func bar(done, total int) line {
	full := min(max(done, 0), total) * barCells / total
	return line{{strings.Repeat("█", full), green}, {strings.Repeat("░", barCells-full), dim}}
}

// nameCells is the width of the column of stages' and actions' names.
func (s *state) nameCells() int {
	cells := 8
	for _, st := range s.stages {
		cells = max(cells, width(st.name))
		for _, a := range st.actions {
			cells = max(cells, width(a.name)+2)
		}
	}
	return min(cells, nameCells)
}

// clock is a duration in its column.
func clock(d time.Duration) string {
	s := seconds(d)
	return pad("", timeCells-width(s)) + s
}
