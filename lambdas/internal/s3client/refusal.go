package s3client

import (
	"errors"
	"net/http"
	"strings"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"blog-deploy-pipeline/lambdas/internal/awsenv"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/redact"
)

// maxQuote limits what a message quotes of an error, in characters.
const maxQuote = 1500

// Words are the parts of messages that depend on the caller.
type Words struct {
	// Bucket names the owner's setting of the bucket, such as "the blog's Deploy.Bucket".
	// It is "" for a bucket of the stack.
	Bucket string
	// Key names the owner's setting of the KMS key.
	Key string
	// Again says how to try again, such as "retry this stage".
	Again string
}

// refusal is the meaning of an error code for the owner.
type refusal struct {
	kind   failure.Kind
	advice func(Words) string
}

func fixBucket(w Words) string {
	if w.Bucket == "" {
		return "Deploy the stack again if somebody has deleted the bucket; then " + w.Again
	}
	return "Check " + w.Bucket + ": there must be such a bucket in this account and Region"
}

func fixRegion(w Words) string {
	if w.Bucket == "" {
		return "The bucket must be in the function's Region; deploy the stack again"
	}
	return "Check " + w.Bucket + ": the bucket must be in the Region of the blog's stack"
}

func fixRole(w Words) string {
	text := "The function's role must allow this: deploy the stack again if somebody changed the role. "
	if w.Bucket == "" {
		return text + "Then " + w.Again
	}
	return text + "A policy of the bucket, or of the account's organization, must not deny it. If the bucket is encrypted with a KMS key, " + w.Key + " must name that key. Then " + w.Again
}

func fixKeyPermission(w Words) string {
	text := "The policy of the KMS key must allow this to the function's role"
	if w.Bucket != "" {
		text += ", and " + w.Key + " must name the key"
	}
	return text + "; then " + w.Again
}

func fixKey(w Words) string {
	return "Enable the KMS key of the bucket, or cancel its deletion, in the KMS console; then " + w.Again
}

func buildAgain(Words) string {
	return "The build may be too old, or somebody has deleted it: release the change again, which builds it anew"
}

func renameFile(Words) string { return "Rename the file in the blog's source" }

func fixHeaders(Words) string { return "Check the blog's Deploy.Headers" }

func smallerFile(Words) string {
	return "S3 takes at most 5 GiB at once: keep such a file in a bucket of its own"
}

func tryAgain(w Words) string {
	return "Nothing that was published is lost, and the next try goes on from here: " + w.Again
}

// refusals are S3's error codes that a retry does not change.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
var refusals = map[string]refusal{
	"NoSuchBucket":                 {failure.Configuration, fixBucket},
	"InvalidBucketName":            {failure.Configuration, fixBucket},
	"PermanentRedirect":            {failure.Configuration, fixRegion},
	"TemporaryRedirect":            {failure.Configuration, fixRegion},
	"MovedPermanently":             {failure.Configuration, fixRegion}, // PermanentRedirect without a body
	"AuthorizationHeaderMalformed": {failure.Configuration, fixRegion},
	"AccessDenied":                 {failure.Permission, fixRole},
	"AllAccessDisabled":            {failure.Permission, fixRole},
	"MethodNotAllowed":             {failure.Permission, fixRole},
	"NoSuchKey":                    {failure.Configuration, buildAgain},
	"InvalidObjectState":           {failure.Configuration, buildAgain},
	"KeyTooLongError":              {failure.Configuration, renameFile},
	"InvalidURI":                   {failure.Configuration, renameFile},
	"MetadataTooLarge":             {failure.Configuration, fixHeaders},
	"EntityTooLarge":               {failure.Configuration, smallerFile},
}

// transient are error codes that the SDK does not retry with a status below 500, although
// they pass.
var transient = map[string]bool{
	// Inside of a success, after S3 has begun to answer.
	"InternalError":      true,
	"ServiceUnavailable": true,
	// The content was changed on its way.
	"BadDigest":                  true,
	"InvalidDigest":              true,
	"IncompleteBody":             true,
	"XAmzContentSHA256Mismatch":  true,
	"PreconditionFailed":         true,
	"ConditionalRequestConflict": true,
	"OperationAborted":           true,
}

// Failure returns the failure of work for which S3 returned err.
func Failure(err error, words Words) *failure.Failure {
	meaning := meaning(err, words)
	return &failure.Failure{Kind: meaning.kind, Message: redact.Line(err.Error(), maxQuote) + ". " + meaning.advice(words), Err: err}
}

func meaning(err error, words Words) refusal {
	var api smithy.APIError
	if !errors.As(err, &api) { // no answer, or one that could not be read
		return refusal{failure.Unavailable, tryAgain}
	}
	code := api.ErrorCode()
	kms, ofKMS := strings.CutPrefix(code, "KMS.")
	known, ok := refusals[code]
	switch response := (*smithyhttp.ResponseError)(nil); {
	case transient[code], awsenv.Retryable(err),
		errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError:
		return refusal{failure.Unavailable, tryAgain}
	case strings.HasPrefix(kms, "AccessDenied") && (ofKMS || strings.Contains(api.ErrorMessage(), " kms:")):
		return refusal{failure.Permission, fixKeyPermission}
	case ofKMS:
		return refusal{failure.Configuration, fixKey}
	case ok:
		return known
	}
	kind, advice := awsenv.Advice(code, "the list of error codes of S3's API reference", words.Again)
	return refusal{kind, func(Words) string { return advice }}
}
