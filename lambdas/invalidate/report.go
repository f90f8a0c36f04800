package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"blog-deploy-pipeline/lambdas/internal/invalidation"
	"blog-deploy-pipeline/lambdas/internal/invocation"
	"blog-deploy-pipeline/lambdas/internal/redact"
)

// Limits of CodePipeline's reports, in characters.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_FailureDetails.html
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ExecutionDetails.html
const (
	maxMessage             = 5000
	maxSummary             = 2048
	maxExternalExecutionID = 1500
)

// codePipeline is what this function needs of the CodePipeline client.
type codePipeline interface {
	PutJobSuccessResult(context.Context, *codepipeline.PutJobSuccessResultInput, ...func(*codepipeline.Options)) (*codepipeline.PutJobSuccessResultOutput, error)
	PutJobFailureResult(context.Context, *codepipeline.PutJobFailureResultInput, ...func(*codepipeline.Options)) (*codepipeline.PutJobFailureResultOutput, error)
}

// report is the one thing an invocation tells CodePipeline. Exactly one of failure
// and summary is set; a continuation token makes it "not yet".
type report struct {
	summary      string
	continuation string
	variables    map[string]string

	failure types.FailureType
	message string

	invalidationID string // "" before CloudFront has accepted one
	result         invalidation.Result
}

// final reports whether the action ends with this report.
func (r report) final() bool { return r.continuation == "" }

func succeeded(j job, progress invalidation.Progress) report {
	took := time.Since(progress.Started)
	return report{
		summary: fmt.Sprintf("Cleared %s in %s: invalidation %s is completed.",
			strings.Join(j.request.Paths, " "), took.Round(time.Second), progress.InvalidationID),
		variables:      variables(j, progress, took),
		invalidationID: progress.InvalidationID,
		result:         invalidation.Result{Took: took},
	}
}

// overdue is a success by the owner's choice: AfterDeadline is to warn.
func overdue(j job, progress invalidation.Progress) report {
	took := time.Since(progress.Started)
	return report{
		summary: fmt.Sprintf("WARNING: invalidation %s was not completed within %s, and the blog's Invalidate.AfterDeadline is to go on. CloudFront will complete it later; until then readers may see old pages.",
			progress.InvalidationID, took.Round(time.Second)),
		variables:      variables(j, progress, took),
		invalidationID: progress.InvalidationID,
		result:         invalidation.Result{Late: true},
	}
}

// variables are what later actions can use as #{namespace.Name}.
func variables(j job, progress invalidation.Progress, took time.Duration) map[string]string {
	return map[string]string{
		"InvalidationId": progress.InvalidationID,
		"Seconds":        strconv.FormatFloat(took.Seconds(), 'f', 0, 64),
		"Paths":          strings.Join(j.request.Paths, " "),
	}
}

func continued(j job, progress invalidation.Progress) report {
	summary := "Waiting for CloudFront to accept the invalidation."
	if progress.InvalidationID != "" {
		summary = fmt.Sprintf("Waiting for invalidation %s.", progress.InvalidationID)
	}
	return report{
		summary:        fmt.Sprintf("%s Gives up at %s.", summary, progress.Deadline.UTC().Format(time.RFC3339)),
		continuation:   invalidation.EncodeToken(j.request.Execution, progress),
		invalidationID: progress.InvalidationID,
	}
}

// refused is for what only the owner of the pipeline can mend.
func refused(err error) report {
	return report{failure: types.FailureTypeConfigurationError, message: err.Error(), result: invalidation.Result{Failed: true}}
}

func panicked(message string) report {
	return report{
		failure: types.FailureTypeJobFailed,
		message: message + "; " + again,
		result:  invalidation.Result{Failed: true},
	}
}

func failed(failure *invalidation.Failure, progress invalidation.Progress) report {
	return report{
		failure:        failureTypes[failure.Kind],
		message:        failure.Message,
		invalidationID: progress.InvalidationID,
		result:         invalidation.Result{Failed: true, Late: failure.Kind == invalidation.Late},
	}
}

// failureTypes translates whose move it is into CodePipeline's words.
var failureTypes = map[invalidation.Kind]types.FailureType{
	invalidation.Other:         types.FailureTypeJobFailed,
	invalidation.Configuration: types.FailureTypeConfigurationError,
	invalidation.Permission:    types.FailureTypePermissionError,
	invalidation.Unavailable:   types.FailureTypeSystemUnavailable,
	invalidation.Late:          types.FailureTypeJobFailed,
}

// say returns text as a report takes it: without credentials, and within its limit; nil
// for "".
func say(text string, limit int) *string {
	if text == "" {
		return nil
	}
	return aws.String(redact.Cut(redact.Text(redact.Cut(text, 2*limit)), limit)) // an event may have 6 MB
}

// send delivers the report, or returns [invocation.ErrReportedBefore].
func (r report) send(ctx context.Context, client codePipeline, jobID string) error {
	var err error
	externalID := say(r.invalidationID, maxExternalExecutionID)
	if r.failure != "" {
		_, err = client.PutJobFailureResult(ctx, &codepipeline.PutJobFailureResultInput{
			JobId:          aws.String(jobID),
			FailureDetails: &types.FailureDetails{Type: r.failure, Message: say(r.message, maxMessage), ExternalExecutionId: externalID},
		})
	} else {
		input := &codepipeline.PutJobSuccessResultInput{
			JobId:            aws.String(jobID),
			OutputVariables:  r.variables,
			ExecutionDetails: &types.ExecutionDetails{Summary: say(r.summary, maxSummary), ExternalExecutionId: externalID},
		}
		// Never an empty or an old token: one that is present keeps the action open.
		if r.continuation != "" {
			input.ContinuationToken = aws.String(r.continuation)
		}
		_, err = client.PutJobSuccessResult(ctx, input)
	}
	if reported := (*types.InvalidJobStateException)(nil); errors.As(err, &reported) {
		return invocation.ErrReportedBefore
	}
	// The pipeline's variables share 122,880 bytes; others may have used them up.
	if full := (*types.OutputVariablesSizeExceededException)(nil); errors.As(err, &full) && r.variables != nil {
		r.variables = nil
		return r.send(ctx, client, jobID)
	}
	if err != nil {
		return fmt.Errorf("report job %s to CodePipeline: %w", jobID, err)
	}
	return nil
}
