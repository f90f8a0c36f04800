package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
)

// continued returns the report of an invalidation that goes on.
func continued(request invalidation.Request, progress invalidation.Progress) pipelinejob.Report {
	summary := "Waiting for CloudFront to accept the invalidation."
	if progress.InvalidationID != "" {
		summary = fmt.Sprintf("Waiting for invalidation %s.", progress.InvalidationID)
	}
	return pipelinejob.Report{
		Summary:           fmt.Sprintf("%s Gives up at %s.", summary, progress.Deadline.UTC().Format(time.RFC3339)),
		ContinuationToken: invalidation.EncodeToken(request.Execution, progress),
		ExternalID:        progress.InvalidationID,
	}
}

// completed returns the report of an invalidation that CloudFront has completed.
func completed(request invalidation.Request, progress invalidation.Progress, took time.Duration) pipelinejob.Report {
	return pipelinejob.Report{
		Summary: fmt.Sprintf("Cleared %s in %s: invalidation %s is completed.",
			strings.Join(request.Paths, " "), took.Round(time.Second), progress.InvalidationID),
		Variables:  variables(request, progress, took),
		ExternalID: progress.InvalidationID,
	}
}

// overdue returns the report of an invalidation that is late, which the owner lets pass.
func overdue(request invalidation.Request, progress invalidation.Progress, took time.Duration) pipelinejob.Report {
	return pipelinejob.Report{
		Summary: fmt.Sprintf("WARNING: invalidation %s was not completed within %s. The pipeline goes on, because the blog's Invalidate.OnFailure is %s. CloudFront will complete it later; until then readers may see old pages.",
			progress.InvalidationID, took.Round(time.Second), contract.OnFailureProceed),
		Warning:    true,
		Variables:  variables(request, progress, took),
		ExternalID: progress.InvalidationID,
	}
}

// variables returns what later actions can read as #{namespace.Name}.
func variables(request invalidation.Request, progress invalidation.Progress, took time.Duration) map[string]string {
	return map[string]string{
		"InvalidationId": progress.InvalidationID,
		"Seconds":        strconv.FormatFloat(took.Seconds(), 'f', 0, 64),
		"Paths":          strings.Join(request.Paths, " "),
	}
}
