// Package pipelinejobtest has a CodePipeline for tests of handlers, in the process and
// without a network. Package rehearse/fakeaws has one for compiled functions.
package pipelinejobtest

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
)

// CodePipeline keeps the reports that it gets, and returns what Fail returns.
type CodePipeline struct {
	Successes []*codepipeline.PutJobSuccessResultInput
	Failures  []*codepipeline.PutJobFailureResultInput
	// Fail returns the error of a call. Default: the error of the call's context, because
	// a report must be sent on a context that has not ended.
	Fail func(context.Context) error
}

func (f *CodePipeline) answer(ctx context.Context) error {
	if f.Fail != nil {
		return f.Fail(ctx)
	}
	return ctx.Err()
}

// Reports returns the number of reports.
func (f *CodePipeline) Reports() int { return len(f.Successes) + len(f.Failures) }

// PutJobSuccessResult implements pipelinejob.Client.
func (f *CodePipeline) PutJobSuccessResult(ctx context.Context, in *codepipeline.PutJobSuccessResultInput, _ ...func(*codepipeline.Options)) (*codepipeline.PutJobSuccessResultOutput, error) {
	f.Successes = append(f.Successes, in)
	return &codepipeline.PutJobSuccessResultOutput{}, f.answer(ctx)
}

// PutJobFailureResult implements pipelinejob.Client.
func (f *CodePipeline) PutJobFailureResult(ctx context.Context, in *codepipeline.PutJobFailureResultInput, _ ...func(*codepipeline.Options)) (*codepipeline.PutJobFailureResultOutput, error) {
	f.Failures = append(f.Failures, in)
	return &codepipeline.PutJobFailureResultOutput{}, f.answer(ctx)
}
