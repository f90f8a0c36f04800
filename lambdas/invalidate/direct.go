package main

import (
	"errors"
	"fmt"
	"slices"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
)

// checkDirect returns what is wrong with a direct request; nil for a job of the pipeline.
func checkDirect(d *contract.Direct) error {
	if d != nil && (d.List != 0 || d.Release != "") {
		return errors.New("the direct request is about releases, of which the function of the Deploy stage knows; this is the function of the Invalidate stage")
	}
	return nil
}

// looked returns the answer to a dry run of an invalidation that would clear some items.
// everything is the item for all of the blog.
func looked(items []string, needless int, everything string) pipelinejob.Report {
	clears := contract.Clearing{Items: len(items), Needless: needless, All: slices.Contains(items, everything)}
	summary := fmt.Sprintf("Would clear %s; %s evicted that have not changed.", counted(clears.Items, "item"), counted(clears.Needless, "file"))
	switch {
	case clears.All:
		summary = "Would clear everything."
	case clears.Items == 0:
		summary = "Would clear nothing."
	}
	return pipelinejob.Report{Summary: summary, Found: contract.DirectAnswer{Clearing: &clears}}
}
