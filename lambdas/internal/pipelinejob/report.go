package pipelinejob

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/failure"
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

// Again tells the owner what to do after a failure. Who asked directly is told to run the
// command again.
const Again = "retry this stage"

// Client has the methods of the CodePipeline client that this package calls.
type Client interface {
	PutJobSuccessResult(context.Context, *codepipeline.PutJobSuccessResultInput, ...func(*codepipeline.Options)) (*codepipeline.PutJobSuccessResultOutput, error)
	PutJobFailureResult(context.Context, *codepipeline.PutJobFailureResultInput, ...func(*codepipeline.Options)) (*codepipeline.PutJobFailureResultOutput, error)
}

// Report tells CodePipeline, or who asked directly, how a job went. It has either a Summary or a Failure with its
// Message.
type Report struct {
	// Summary says how far the action is. The pipeline's console shows it.
	Summary string
	// Warning is true for a success that the log shows as a warning.
	Warning bool
	// ContinuationToken comes back with the action's next job. Without one the report
	// ends the action.
	ContinuationToken string
	// Variables are for later actions, as #{namespace.Name}. Only the report that ends
	// the action may have them.
	Variables map[string]string

	Failure types.FailureType
	// Message says what happened and what to do. The pipeline's console shows it.
	Message string

	// ExternalID is the id of what the action works on outside of CodePipeline, if known.
	ExternalID string
	// Found has what a direct request has asked for besides the report.
	Found contract.DirectAnswer
}

// Failed returns the report of a failure.
func Failed(f *failure.Failure) Report {
	return Report{Failure: failureTypes[f.Kind], Message: f.Message}
}

// failureTypes translates the kinds of failure into CodePipeline's words.
var failureTypes = map[failure.Kind]types.FailureType{
	failure.Other:         types.FailureTypeJobFailed,
	failure.Configuration: types.FailureTypeConfigurationError,
	failure.Permission:    types.FailureTypePermissionError,
	failure.Unavailable:   types.FailureTypeSystemUnavailable,
	failure.Late:          types.FailureTypeJobFailed,
}

// Failed reports whether the action fails.
func (r Report) Failed() bool { return r.Failure != "" }

// ends reports whether the action ends with the report.
func (r Report) ends() bool { return r.ContinuationToken == "" }

// refused reports an error that a retry does not remove.
func refused(err error) Report {
	return Report{Failure: types.FailureTypeConfigurationError, Message: err.Error()}
}

func panicked(message string) Report {
	return Report{Failure: types.FailureTypeJobFailed, Message: message + "; " + Again}
}

// log logs the report.
func (r Report) log(log *slog.Logger) {
	switch {
	case !r.ends():
		log.Info("continues", "summary", r.Summary)
	case r.Failed():
		log.Error("failed", "type", string(r.Failure), "message", r.Message)
	case r.Warning:
		log.Warn("succeeded with a warning", "summary", r.Summary)
	default:
		log.Info("succeeded", "summary", r.Summary)
	}
}

// send sends the report, or returns [invocation.ErrReportedBefore].
func (r Report) send(ctx context.Context, client Client, jobID string) error {
	var err error
	externalID := text(r.ExternalID, maxExternalExecutionID)
	if r.Failed() {
		_, err = client.PutJobFailureResult(ctx, &codepipeline.PutJobFailureResultInput{
			JobId:          aws.String(jobID),
			FailureDetails: &types.FailureDetails{Type: r.Failure, Message: text(r.Message, maxMessage), ExternalExecutionId: externalID},
		})
	} else {
		input := &codepipeline.PutJobSuccessResultInput{
			JobId:            aws.String(jobID),
			OutputVariables:  r.Variables,
			ExecutionDetails: &types.ExecutionDetails{Summary: text(r.Summary, maxSummary), ExternalExecutionId: externalID},
		}
		// CodePipeline keeps the action open for any token, so a last report has none.
		if !r.ends() {
			input.ContinuationToken = aws.String(r.ContinuationToken)
		}
		_, err = client.PutJobSuccessResult(ctx, input)
	}
	if reported := (*types.InvalidJobStateException)(nil); errors.As(err, &reported) {
		return invocation.ErrReportedBefore
	}
	// All variables of a pipeline share 122,880 bytes, which other actions may have used.
	if full := (*types.OutputVariablesSizeExceededException)(nil); errors.As(err, &full) && r.Variables != nil {
		r.Variables = nil
		return r.send(ctx, client, jobID)
	}
	if err != nil {
		return fmt.Errorf("report job %s to CodePipeline: %w", jobID, err)
	}
	return nil
}

// text returns a text without credentials and within a limit, or nil for "".
func text(text string, limit int) *string {
	if text == "" {
		return nil
	}
	// An event, and so a message that quotes it, may have 6 MB: cut first, redact then.
	return aws.String(redact.Cut(redact.Text(redact.Cut(text, 2*limit)), limit))
}
