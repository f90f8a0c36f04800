package status

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxPages limits the pages of a list that are read, so that one without an end ends.
const maxPages = 100

// Deployment is a deployment of a service.
type Deployment struct {
	// ID is CodeDeploy's id, or the last part of the ARN of a service deployment of ECS.
	ID string
	// Status is AWS's, such as "InProgress" or "ROLLBACK_IN_PROGRESS".
	Status             string
	Running, Succeeded bool
	// Ended is zero while the deployment runs.
	Started, Ended time.Time
	// By says who or what has started the deployment; "" if AWS does not say it.
	By string
	// Traffic says which share of the visitors each version has. It is empty before the deployment has begun.
	Traffic []Share
	// Steps are the steps of the deployment that are known, in their order, and Hooks those of them that call the hook.
	Steps, Hooks []Step
	// Reasons say why the deployment failed, and what has become of it.
	Reasons []string
}

// Share is a version's share of the visitors.
type Share struct {
	// Version is "blue (old)" or "green (new)".
	Version string
	Percent float64
}

const (
	blue  = "blue (old)"
	green = "green (new)"
)

// Step is a step of a deployment: an event of CodeDeploy's lifecycle, or a stage of ECS's.
type Step struct {
	// Status is AWS's, such as "InProgress".
	Name, Status string
	// At is when the step ended, or began if it goes on; zero if AWS does not say it.
	At time.Time
	// Said is what AWS says about a failure.
	Said string
}

// Lines words the deployment for a terminal. now is the present time.
func (d *Deployment) Lines(now time.Time) []string {
	var lines []string
	add := func(title, words string) { lines = append(lines, fmt.Sprintf("  %-*s  %s", titleWidth, title, words)) }
	if d == nil {
		add("Deployment", "none yet")
		return lines
	}
	words := d.ID + " " + verb(d.Status) + when(d.Running, d.Started, d.Ended, now)
	if d.By != "" {
		words += ", " + d.By
	}
	if i := slices.IndexFunc(d.Steps, func(s Step) bool { return isRunning(s.Status) }); i >= 0 {
		words += ", at " + d.Steps[i].Name
	}
	add("Deployment", words)
	for _, reason := range d.Reasons {
		for _, line := range split(reason) {
			add("", line)
		}
	}
	if len(d.Traffic) > 0 {
		add("Traffic", d.traffic())
	}
	for _, hook := range d.Hooks {
		add("Hook", hook.Name+" "+hook.words(now))
	}
	return lines
}

// traffic words who has the visitors: "blue (old) 90 %, green (new) 10 %".
func (d *Deployment) traffic() string {
	var shares []string
	for _, share := range d.Traffic {
		shares = append(shares, fmt.Sprintf("%s %g %%", share.Version, share.Percent))
	}
	return strings.Join(shares, ", ")
}

// words words the status of a step: "succeeded 3 min ago".
func (s Step) words(now time.Time) string {
	return verb(s.Status) + when(isRunning(s.Status), s.At, s.At, now) + said(s.Said)
}

// when words how long something runs, or when it ended. Either time may be zero.
func when(running bool, began, ended, now time.Time) string {
	switch {
	case running && !began.IsZero():
		return " for " + Span(now.Sub(began))
	case !running && !ended.IsZero():
		return " " + At(ended, now)
	}
	return ""
}

func isRunning(status string) bool { return verb(status) == "in progress" }

// view is what a watch sees of a deployment.
func (d *Deployment) view() view {
	if d == nil {
		return view{}
	}
	return view{
		id: d.ID, name: "deployment " + d.ID, about: d.By, began: d.Started, running: d.Running, steps: d.steps(d.ID),
		end: func() error {
			if d.Succeeded {
				return nil
			}
			return failed("deployment "+d.ID, d.Status, d.Ended.Sub(d.Started), d.Reasons)
		},
	}
}

// steps returns the steps of the deployment, its traffic and its state for a watch of what has an id.
func (d *Deployment) steps(of string) []step {
	var all []step
	for _, s := range d.Steps {
		if s.Status != notBegun && s.Status != skipped {
			all = append(all, step{of, s.Name, verb(s.Status) + said(s.Said)})
		}
	}
	if len(d.Traffic) > 0 {
		all = append(all, step{of, "Traffic", d.traffic()})
	}
	if !isRunning(d.Status) { // such as a rollback, or the end
		all = append(all, step{of, "Deployment", verb(d.Status)})
	}
	return all
}

// The states of steps in which there is nothing to tell of a step.
const (
	notBegun = "Pending"
	skipped  = "Skipped"
)
