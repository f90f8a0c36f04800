package s3client

import (
	"context"
	"errors"
	"time"

	smithy "github.com/aws/smithy-go"

	"blog-deploy-pipeline/lambdas/internal/awsenv"
)

// maxRepeats limits how often a call is made whose answer cannot be used.
const maxRepeats = 3

// Repeat makes a call again whose answer is not S3's, or breaks off. The SDK has repeated
// those with other errors.
func Repeat[Out any](ctx context.Context, call func() (Out, error)) (out Out, err error) {
	for attempt := 1; ; attempt++ {
		var api smithy.APIError
		if out, err = call(); err == nil || errors.As(err, &api) || awsenv.Retryable(err) || attempt == maxRepeats {
			return out, err
		}
		select {
		case <-ctx.Done():
			return out, err
		case <-time.After(time.Duration(attempt) * 200 * time.Millisecond):
		}
	}
}
