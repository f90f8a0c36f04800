package publication

import (
	"context"
	"errors"
	"fmt"

	smithy "github.com/aws/smithy-go"

	"blog-deploy-pipeline/lambdas/internal/archive"
	"blog-deploy-pipeline/lambdas/internal/awsenv"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/redact"
	"blog-deploy-pipeline/lambdas/internal/release"
)

// maxQuote limits what a message quotes of an error, in characters.
const maxQuote = 1500

// refusals are the codes of S3's errors that a retry does not change, with their kind and
// what to do.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
var refusals = map[string]struct {
	kind   failure.Kind
	advice string
}{
	"AccessDenied":                 {failure.Permission, allowIt},
	"AllAccessDisabled":            {failure.Permission, allowIt},
	"KMS.DisabledException":        {failure.Permission, allowIt},
	"KMS.NotFoundException":        {failure.Permission, allowIt},
	"KMS.KMSInvalidStateException": {failure.Permission, allowIt},
	"NoSuchBucket":                 {failure.Configuration, "Check the blog's Deploy.Bucket, and that somebody has not deleted a bucket of the stack"},
	"PermanentRedirect":            {failure.Configuration, otherRegion},
	"AuthorizationHeaderMalformed": {failure.Configuration, otherRegion},
	"NoSuchKey":                    {failure.Configuration, newBuild},
	"PreconditionFailed":           {failure.Configuration, newBuild},
}

const (
	allowIt     = "The function's role must allow this: deploy the stack again if somebody changed it. Look also at the bucket's policy and, if a KMS key encrypts the bucket, at the policy of the key, which must be the blog's Deploy.EncryptionKeyARN"
	newBuild    = "Somebody has removed or replaced it meanwhile. Start the pipeline again, which builds anew"
	otherRegion = "The bucket of the blog's Deploy.Bucket must be in the Region of the stack"
)

// explain returns the failure of an error.
func (r *run) explain(err error) *failure.Failure {
	if known := (*failure.Failure)(nil); errors.As(err, &known) {
		return known
	}
	what := redact.Line(err.Error(), maxQuote)
	fail := func(kind failure.Kind, advice string) *failure.Failure {
		return &failure.Failure{Kind: kind, Err: err, Message: what + ". " + advice}
	}
	if bad := (*archive.Invalid)(nil); errors.As(err, &bad) {
		return &failure.Failure{Kind: failure.Configuration, Err: err, Message: "nothing was published: " + redact.Line(bad.Error(), maxQuote)}
	}
	if errors.Is(err, release.ErrOvertaken) || errors.Is(err, release.ErrLeaseLost) {
		return fail(failure.Other, "This one must not write over it. If the blog should have this build, "+r.Again)
	}
	var api smithy.APIError
	if !errors.As(err, &api) || awsenv.Retryable(err) {
		if errors.Is(err, context.DeadlineExceeded) {
			what = "the time of the function was over: " + what
		}
		return fail(failure.Unavailable, fmt.Sprintf("If it stays so, look at AWS's health dashboard; for now, %s, which completes what this one has begun", r.Again))
	}
	if known, ok := refusals[api.ErrorCode()]; ok {
		return fail(known.kind, fmt.Sprintf("%s; then %s", known.advice, r.Again))
	}
	if awsenv.OfCredentials(api.ErrorCode()) {
		return fail(failure.Permission, "If the error stays, deploy the stack again. For now, "+r.Again)
	}
	return fail(failure.Other, "Look the error up in S3's API reference, and "+r.Again)
}
