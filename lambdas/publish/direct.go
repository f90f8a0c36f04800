package main

import (
	"errors"
	"fmt"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
	"blog-deploy-pipeline/lambdas/internal/publication"
	"blog-deploy-pipeline/lambdas/internal/release"
	"blog-deploy-pipeline/lambdas/internal/s3client"
)

// maxReleases limits a list of releases.
const maxReleases = 100

// checkDirect returns what is wrong with a direct request.
func checkDirect(d contract.Direct) error {
	switch {
	case d.List < 0 || d.List > maxReleases:
		return fmt.Errorf("the direct request asks for a list of %d releases: ask for 1 to %d", d.List, maxReleases)
	case d.List == 0 && d.Release == "":
		return errors.New("the direct request names no release: name the one to publish again, or ask for a list of them")
	}
	return nil
}

// looked returns the answer to a dry run.
func looked(foreseen publication.Foreseen, err error) pipelinejob.Report {
	report := pipelinejob.Report{}
	if err != nil {
		report = failed(err)
	}
	report.Found.Difference = &foreseen.Difference
	if err != nil {
		return report
	}
	now := "what the bucket has"
	if foreseen.Current != "" {
		now = "release " + foreseen.Current
	}
	report.Summary = fmt.Sprintf("Would put %d (%s) and remove %d in place of %s.", foreseen.Put, size(foreseen.Bytes), foreseen.Removed, now)
	if foreseen.Put+foreseen.Removed == 0 {
		report.Summary = fmt.Sprintf("Would change nothing: %s is the same.", now)
	}
	if !foreseen.Busy.IsZero() {
		report.Summary += fmt.Sprintf(" Another publication of this blog is at work, until %s at most unless it goes on; it comes first and may change this.", foreseen.Busy.UTC().Format(time.TimeOnly))
	}
	return report
}

// listed returns the answer with a list of releases.
func listed(releases []release.Listed, err error) pipelinejob.Report {
	if err != nil {
		return pipelinejob.Failed(s3client.Failure(fmt.Errorf("list the releases: %w", err), s3client.Words{Again: pipelinejob.Again}))
	}
	report := pipelinejob.Report{Summary: fmt.Sprintf("Releases listed: %d.", len(releases))}
	for _, r := range releases {
		report.Found.Releases = append(report.Found.Releases, contract.Release{
			ID: r.ID, Time: r.Time, Execution: r.Execution, Revision: r.Revision, Restores: r.Restores, By: r.By,
			Files: r.Count, Put: r.Put, Removed: r.Removed, Bytes: r.Bytes, Current: r.Current, Pending: r.Pending, Kept: r.Kept,
		})
	}
	return report
}
