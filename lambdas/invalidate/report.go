package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
)

// continued reports that the invalidation goes on.
func (t *task) continued() pipelinejob.Report {
	summary := "Waiting for CloudFront to accept the invalidation."
	if t.progress.InvalidationID != "" {
		summary = fmt.Sprintf("Waiting for invalidation %s.", t.progress.InvalidationID)
	}
	return pipelinejob.Report{
		Summary:           fmt.Sprintf("%s Gives up at %s.", summary, t.progress.Deadline.UTC().Format(time.RFC3339)),
		ContinuationToken: invalidation.EncodeToken(t.request.Execution, t.progress),
		ExternalID:        t.progress.InvalidationID,
	}
}

// completed reports that the cache is clear.
func (t *task) completed() pipelinejob.Report {
	took := time.Since(t.progress.Started)
	t.result.Took = took
	return pipelinejob.Report{
		Summary: fmt.Sprintf("Cleared %s in %s: invalidation %s is completed.",
			strings.Join(t.request.Paths, " "), took.Round(time.Second), t.progress.InvalidationID),
		Variables:  t.variables(took),
		ExternalID: t.progress.InvalidationID,
	}
}

// overdue reports the success of an invalidation that is late, by the owner's choice.
func (t *task) overdue() pipelinejob.Report {
	took := time.Since(t.progress.Started)
	return pipelinejob.Report{
		Summary: fmt.Sprintf("WARNING: invalidation %s was not completed within %s. The pipeline goes on, because the blog's Invalidate.OnFailure is %s. CloudFront will complete it later; until then readers may see old pages.",
			t.progress.InvalidationID, took.Round(time.Second), contract.OnFailureProceed),
		Warning:    true,
		Variables:  t.variables(took),
		ExternalID: t.progress.InvalidationID,
	}
}

// variables returns what later actions can read as #{namespace.Name}.
func (t *task) variables(took time.Duration) map[string]string {
	return map[string]string{
		"InvalidationId": t.progress.InvalidationID,
		"Seconds":        strconv.FormatFloat(took.Seconds(), 'f', 0, 64),
		"Paths":          strings.Join(t.request.Paths, " "),
	}
}

// failed reports that the cache may not be clear.
func (t *task) failed(failure *invalidation.Failure) pipelinejob.Report {
	return pipelinejob.Report{
		Failure:    failureTypes[failure.Kind],
		Message:    failure.Message,
		ExternalID: t.progress.InvalidationID,
	}
}

// failureTypes translates the kinds of failures into CodePipeline's words.
var failureTypes = map[invalidation.Kind]types.FailureType{
	invalidation.Other:         types.FailureTypeJobFailed,
	invalidation.Configuration: types.FailureTypeConfigurationError,
	invalidation.Permission:    types.FailureTypePermissionError,
	invalidation.Unavailable:   types.FailureTypeSystemUnavailable,
	invalidation.Late:          types.FailureTypeJobFailed,
}
