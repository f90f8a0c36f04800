package status

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
)

// titleWidth is the least width of what lines begin with, so that a pipeline and its deployment have the same.
const titleWidth = len("Executions")

// Lines words a status for a terminal. now is the present time.
func (s Status) Lines(now time.Time) []string {
	var lines []string
	width := titleWidth
	for _, stage := range s.Stages {
		width = max(width, len(stage.Name))
	}
	for _, stage := range s.Stages {
		lines = append(lines, fmt.Sprintf("  %-*s  %s", width, stage.Name, s.stageWords(stage, now)))
	}
	add := func(title string, e *Execution, words string) {
		lines = append(lines, fmt.Sprintf("  %-*s  %s", width, title, words))
		for _, reason := range e.Reasons {
			for _, line := range split(reason) {
				lines = append(lines, fmt.Sprintf("  %-*s  %s", width, "", line))
			}
		}
	}
	switch e := s.Newest; {
	case e == nil:
		lines = append(lines, fmt.Sprintf("  %-*s  %s", width, "Executions", "none yet: push a commit, or press Release change in the console"))
	case e.Running():
		add("Running", e, fmt.Sprintf("%s, for %s", e.words(), Span(now.Sub(e.Started))))
	case e != s.Live && e != s.Failed: // such as "Stopped"
		add(e.Status, e, e.words()+", "+At(e.Updated, now))
	}
	if r := s.Current; r != nil && (s.Live == nil || s.Live.Release != r.ID) {
		lines = append(lines, fmt.Sprintf("  %-*s  %s", width, "Live", s.current(now)))
	} else if e := s.Live; e != nil {
		add("Live", e, e.words()+", "+since(e.Updated, now)+release(e)+pending(s.Current))
		if e.Proof != "" {
			lines = append(lines, fmt.Sprintf("  %-*s  %s", width, "Proof", e.Proof))
		}
	}
	if e := s.Failed; e != nil {
		add("Failed", e, e.words()+", "+At(e.Updated, now))
	}
	return lines
}

// stageWords words a stage: "succeeded 3 min ago".
func (s Status) stageWords(stage Stage, now time.Time) string {
	words := verb(stage.Status)
	if when := stage.At(); stage.Status != "" && !when.IsZero() {
		if stage.Status == inProgress {
			words += " for " + Span(now.Sub(when))
		} else {
			words += " " + At(when, now)
		}
	}
	earlier := s.Newest != nil && stage.Execution != "" && stage.Execution != s.Newest.ID
	if earlier {
		words += ", in an earlier execution"
	}
	if stage.Waits != "" {
		words += "; execution " + Short(stage.Waits) + " waits to enter"
	}
	if earlier { // What it said is of no release that somebody waits for.
		return words
	}
	return words + said(stage.said())
}

// current words the release that the bucket has, which no execution that has succeeded has published.
func (s Status) current(now time.Time) string {
	r := s.Current
	words := "release " + r.ID
	switch {
	case r.Restores != "":
		by := ""
		if r.By != "" {
			by = " by " + Name(r.By)
		}
		words += ", which a rollback" + by + " made of the files of " + r.Restores
	case s.Failed != nil && s.Failed.ID == r.Execution:
		words += ", of the execution that failed later"
	case s.Newest != nil && s.Newest.ID == r.Execution:
		words += ", of the execution that runs"
	}
	return words + ", " + since(r.Time, now) + pending(r)
}

// pending says of the release that the bucket has whether CloudFront is still to be cleared.
func pending(r *contract.Release) string {
	if r == nil || !r.Pending {
		return ""
	}
	return "; CloudFront is not cleared yet"
}

// said adds to other words what somebody has said, if anything.
func said(words string) string {
	if words == "" {
		return ""
	}
	return ": " + words
}

// said joins what the stage's actions say about their work. The reason of a failure is told once, with its execution.
func (s Stage) said() string {
	var all []string
	for _, a := range s.Actions {
		if a.Summary != "" && a.Error == "" {
			all = append(all, summaryLine(a.Summary))
		}
	}
	return strings.Join(all, "; ")
}

// split returns the lines of a reason, which somebody else may have written.
func split(reason string) (lines []string) {
	for line := range strings.SplitSeq(strings.TrimSpace(reason), "\n") {
		lines = append(lines, safe(line))
	}
	return lines
}

const inProgress = "InProgress"

func verb(status string) string {
	switch status {
	case "":
		return "not run yet"
	case inProgress:
		return "in progress"
	}
	return strings.ToLower(strings.ReplaceAll(status, "_", " "))
}

// words names an execution by its commit, or else by its id.
func (e *Execution) words() string {
	return strings.TrimSpace(cmp.Or(Short(e.Commit), "execution "+Short(e.ID)) + " " + e.Message)
}

// Short returns the part of an id that people read.
func Short(id string) string { return id[:min(len(id), 8)] }

// Name returns the last part of an ARN, which names a person, a role's session or a deployment.
func Name(arn string) string {
	return safe(arn[max(strings.LastIndex(arn, "/"), strings.LastIndex(arn, ":"))+1:])
}

func release(e *Execution) string {
	if e.Release == "" {
		return ""
	}
	return " (release " + e.Release + ")"
}

// At words a time: "3 min ago", and its date if that is longer ago than a day.
func At(t, now time.Time) string {
	if withinDay(t, now) {
		return Span(now.Sub(t)) + " ago"
	}
	return date(t)
}

// since words from when on something is so: "for 3 min", and "since" a date if that is longer ago than a day.
func since(t, now time.Time) string {
	if withinDay(t, now) {
		return "for " + Span(now.Sub(t))
	}
	return "since " + date(t)
}

// withinDay returns whether a time is less than a day ago.
func withinDay(t, now time.Time) bool { return now.Sub(t) < 24*time.Hour }

func date(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

// Span words a duration by its largest unit: "5 s", "3 min", "2 h".
func Span(d time.Duration) string {
	switch d = max(0, d); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}
