package main

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
)

// nothing returns the report of an action that has nothing to clear.
func (c clearing) nothing() pipelinejob.Report {
	return pipelinejob.Report{
		Summary:   fmt.Sprintf("Nothing to clear: of the %d files of release %s, none has changed since the last invalidation.", c.changed.Unchanged, c.changed.Release),
		Variables: c.variables(0),
	}
}

// continued returns the report of an invalidation that goes on.
func (c clearing) continued() pipelinejob.Report {
	summary := "Waiting for CloudFront to accept the invalidation."
	switch {
	case c.seen.Checked() > 0:
		summary = fmt.Sprintf("Waiting until readers have release %s: %s.", c.changed.Release, c.seen.counted())
	case c.progress.InvalidationID != "":
		summary = fmt.Sprintf("Waiting for invalidation %s.", c.progress.InvalidationID)
	}
	return pipelinejob.Report{
		Summary:           fmt.Sprintf("%s Gives up at %s.", summary, c.progress.Deadline.UTC().Format(time.RFC3339)),
		ContinuationToken: c.encodeToken(),
		ExternalID:        c.progress.InvalidationID,
	}
}

// completed returns the report of an invalidation that CloudFront has completed.
func (c clearing) completed(took time.Duration) pipelinejob.Report {
	seen, warning := c.seen.sentence()
	report := pipelinejob.Report{
		Summary:    fmt.Sprintf("Cleared %s in %s%s: invalidation %s is completed.%s", c.what(), took.Round(time.Second), c.why(), c.progress.InvalidationID, seen),
		Variables:  c.variables(took),
		ExternalID: c.progress.InvalidationID,
	}
	if warning {
		return warned(report)
	}
	return report
}

// warned returns the report of a success as a warning.
func warned(report pipelinejob.Report) pipelinejob.Report {
	if !report.Warning {
		report.Warning, report.Summary = true, "WARNING: "+report.Summary
	}
	return report
}

// what returns what was cleared.
func (c clearing) what() string {
	switch n := c.changed; {
	case n == nil:
		return strings.Join(c.request.Paths, " ")
	case n.All:
		return "everything"
	default:
		return counted(n.Items, "item")
	}
}

// why returns why that was cleared, and what else went with it.
func (c clearing) why() string {
	switch n := c.changed; {
	case n == nil:
		return ""
	case n.All:
		return ", because it is not known what CloudFront had before"
	default:
		return fmt.Sprintf(" for %s of release %s; %d of %s evicted", counted(n.Changed, "changed file"), n.Release, n.Needless, counted(n.Unchanged, "unchanged file"))
	}
}

// counted returns a number of things.
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprint(n, " ", thing)
}

// notNoted returns the report of an invalidation that is completed, although that could
// not be noted: readers have the new pages.
func (c clearing) notNoted(took time.Duration, err error) pipelinejob.Report {
	report := c.completed(took)
	report.Summary += fmt.Sprintf(" The next invalidation clears the same once more, because this one could not be noted: %s.", err)
	return warned(report)
}

// overdue returns the report of an invalidation that is late, which the owner lets pass.
func (c clearing) overdue(took time.Duration) pipelinejob.Report {
	later := ""
	if c.changed != nil {
		later = " The next invalidation clears the same once more."
	}
	return pipelinejob.Report{
		Summary: fmt.Sprintf("WARNING: invalidation %s was not completed within %s. The pipeline goes on, because the blog's Invalidate.OnFailure is %s. CloudFront will complete it later; until then readers may see old pages.%s",
			c.progress.InvalidationID, took.Round(time.Second), contract.OnFailureProceed, later),
		Warning:    true,
		Variables:  c.variables(took),
		ExternalID: c.progress.InvalidationID,
	}
}

// variables returns what later actions can read as #{namespace.Name}.
func (c clearing) variables(took time.Duration) map[string]string {
	variables := map[string]string{
		"InvalidationId": c.progress.InvalidationID,
		"Seconds":        strconv.FormatFloat(took.Seconds(), 'f', 0, 64),
	}
	if n := c.changed; n == nil {
		variables["Paths"] = strings.Join(c.request.Paths, " ")
	} else {
		variables["Items"] = strconv.Itoa(n.Items)
		variables["Needless"] = strconv.Itoa(n.Needless)
		variables["Release"] = n.Release
		maps.Copy(variables, c.seen.variables())
	}
	return variables
}
