package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
)

// nothing returns the report of an action that has nothing to clear.
func (t *task) nothing() pipelinejob.Report {
	return pipelinejob.Report{
		Summary:   fmt.Sprintf("Nothing to clear: of the %d files of release %s, none has changed since the last invalidation.", t.clearing.Unchanged, t.clearing.Release),
		Variables: t.variables(0),
	}
}

// continued returns the report of an invalidation that goes on.
func (t *task) continued() pipelinejob.Report {
	summary := "Waiting for CloudFront to accept the invalidation."
	if t.progress.InvalidationID != "" {
		summary = fmt.Sprintf("Waiting for invalidation %s.", t.progress.InvalidationID)
	}
	return pipelinejob.Report{
		Summary:           fmt.Sprintf("%s Gives up at %s.", summary, t.progress.Deadline.UTC().Format(time.RFC3339)),
		ContinuationToken: encodeToken(t.request.Execution, t.progress, t.clearing),
		ExternalID:        t.progress.InvalidationID,
	}
}

// completed returns the report of an invalidation that CloudFront has completed.
func (t *task) completed(took time.Duration) pipelinejob.Report {
	return pipelinejob.Report{
		Summary:    fmt.Sprintf("Cleared %s in %s%s: invalidation %s is completed.", t.what(), took.Round(time.Second), t.why(), t.progress.InvalidationID),
		Variables:  t.variables(took),
		ExternalID: t.progress.InvalidationID,
	}
}

// what returns what was cleared.
func (t *task) what() string {
	switch c := t.clearing; {
	case c == nil:
		return strings.Join(t.request.Paths, " ")
	case c.All:
		return "everything"
	default:
		return counted(c.Items, "item")
	}
}

// why returns why that was cleared, and what else went with it.
func (t *task) why() string {
	switch c := t.clearing; {
	case c == nil:
		return ""
	case c.All:
		return ", because it is not known what CloudFront had before"
	default:
		return fmt.Sprintf(" for %s of release %s; %d of %s evicted", counted(c.Changed, "changed file"), c.Release, c.Needless, counted(c.Unchanged, "unchanged file"))
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
func (t *task) notNoted(took time.Duration, err error) pipelinejob.Report {
	report := t.completed(took)
	report.Summary = fmt.Sprintf("WARNING: %s The next invalidation clears the same once more, because this one could not be noted: %s.", report.Summary, err)
	report.Warning = true
	return report
}

// overdue returns the report of an invalidation that is late, which the owner lets pass.
func (t *task) overdue(took time.Duration) pipelinejob.Report {
	later := ""
	if t.clearing != nil {
		later = " The next invalidation clears the same once more."
	}
	return pipelinejob.Report{
		Summary: fmt.Sprintf("WARNING: invalidation %s was not completed within %s. The pipeline goes on, because the blog's Invalidate.OnFailure is %s. CloudFront will complete it later; until then readers may see old pages.%s",
			t.progress.InvalidationID, took.Round(time.Second), contract.OnFailureProceed, later),
		Warning:    true,
		Variables:  t.variables(took),
		ExternalID: t.progress.InvalidationID,
	}
}

// variables returns what later actions can read as #{namespace.Name}.
func (t *task) variables(took time.Duration) map[string]string {
	variables := map[string]string{
		"InvalidationId": t.progress.InvalidationID,
		"Seconds":        strconv.FormatFloat(took.Seconds(), 'f', 0, 64),
	}
	if c := t.clearing; c == nil {
		variables["Paths"] = strings.Join(t.request.Paths, " ")
	} else {
		variables["Items"] = strconv.Itoa(c.Items)
		variables["Needless"] = strconv.Itoa(c.Needless)
		variables["Release"] = c.Release
	}
	return variables
}
