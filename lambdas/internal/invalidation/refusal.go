package invalidation

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/awsenv"
	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/redact"
)

// Errors for answers with status 200 that this package cannot use.
var (
	errIncompleteAnswer  = errors.New("CloudFront's answer has no invalidation id or no status")
	errOtherInvalidation = errors.New("CloudFront's answer is about another invalidation")
)

// Words are the parts of messages that depend on the caller. Each fits into the middle
// of a sentence.
type Words struct {
	// Distribution, Paths and Deadline name the owner's settings, such as "the
	// blog's Invalidate.Deadline".
	Distribution, Paths, Deadline string
	// Again says how to clear the cache after a failure, such as "retry this stage".
	Again string
	// role and roleAccount come from the Settings.
	role, roleAccount string
}

// refusal is the meaning of an error code for the owner.
type refusal struct {
	kind   failure.Kind
	advice func(Words) string
}

func fixDistribution(w Words) string {
	if w.role != "" {
		return "Check " + w.Distribution + ", and that it is a distribution of the account " + w.roleAccount + ", whose role the function assumes"
	}
	return "Check " + w.Distribution + ", and that it is a distribution of this account"
}

func fixPaths(w Words) string { return "Check " + w.Paths }

func fewerPaths(w Words) string {
	return "Name fewer paths in " + w.Paths + ": CloudFront accepts 3,000 at a time; /* counts as one"
}

func fixRole(w Words) string {
	if w.role != "" {
		return "The role " + w.role + " must allow cloudfront:CreateInvalidation and cloudfront:GetInvalidation on this distribution, as the stack's output " + contract.OutputRolePermissions + " does; then " + w.Again
	}
	return "The function's role must allow cloudfront:CreateInvalidation and cloudfront:GetInvalidation on this distribution; deploy the stack again if somebody changed it"
}

func newReference(w Words) string {
	return "The next try has a new caller reference: " + w.Again
}

// refusals are the error codes of CloudFront that a retry does not change.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html
var refusals = map[string]refusal{
	"NoSuchDistribution":     {failure.Configuration, fixDistribution},
	"EntityNotFound":         {failure.Configuration, fixDistribution},
	"InvalidArgument":        {failure.Configuration, fixPaths},
	"BatchTooLarge":          {failure.Configuration, fewerPaths},
	"InconsistentQuantities": {failure.Configuration, fixPaths},
	"MissingBody":            {failure.Configuration, fixPaths},
	"AccessDenied":           {failure.Permission, fixRole},
	"AccessDeniedException":  {failure.Permission, fixRole},
	"UnauthorizedOperation":  {failure.Permission, fixRole},
	// The reference is a hash of the batch, so CloudFront and this package disagree on
	// the content of the batch. Another execution has another reference.
	"InvalidationBatchAlreadyExists": {failure.Other, newReference},
}

func fixTrust(w Words) string {
	return "There must be a role " + w.role + ", with the trust policy that is the stack's output " + contract.OutputRoleTrust + " (again, if the stack was created again); then " + w.Again
}

// roleRefusals are the error codes of STS that a retry does not change. STS does not
// distinguish a role that does not exist from one that does not trust the function.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
var roleRefusals = map[string]refusal{
	"AccessDenied": {failure.Permission, fixTrust},
}

// sts is the SDK's name of the service that gives out the credentials of a role.
const sts = "STS"

// answered returns the service that an error comes from. A call to CloudFront also fails
// if STS gives no credentials for it.
func answered(err error) (service string) {
	for operation := (*smithy.OperationError)(nil); errors.As(err, &operation); err = operation.Err {
		service = operation.ServiceID
	}
	return service
}

// transient are error codes that the SDK does not retry, although they pass.
var transient = map[string]bool{
	// HTTP 400: 3,000 paths of files or 15 with a wildcard are in progress.
	"TooManyInvalidationsInProgress": true,
	// A new invalidation may not have reached the replica that answers.
	"NoSuchInvalidation": true,
}

// refused returns the failure for an error that a retry does not change. It returns nil
// if waiting may help, and for a nil err.
func refused(err error, words Words) *failure.Failure {
	var api smithy.APIError
	if !errors.As(err, &api) {
		// There was no answer, it could not be read, or the time of this call is over.
		return nil
	}
	if transient[api.ErrorCode()] || awsenv.Retryable(err) {
		return nil
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError {
		return nil
	}
	code := api.ErrorCode()
	// The API reference documents InvalidationBatchAlreadyExists. In practice the error
	// is an InvalidArgument that only its text distinguishes.
	if code == "InvalidArgument" && strings.Contains(strings.ToLower(api.ErrorMessage()), "caller reference") {
		code = "InvalidationBatchAlreadyExists"
	}
	who, table, reference := "CloudFront", refusals, "CloudFront's API reference"
	if answered(err) == sts {
		who, table, reference = sts, roleRefusals, "the API reference of AWS STS, from which the function has the credentials of the role "+words.role
	}
	what := quote(api.ErrorCode()) + ": " + quote(api.ErrorMessage())
	if code == awsenv.NoCode {
		what = quote(api.ErrorMessage())
	}
	kind, advice := awsenv.Advice(code, reference, words.Again)
	if known, ok := table[code]; ok {
		kind, advice = known.kind, known.advice(words)
	}
	return &failure.Failure{Kind: kind, Err: err, Message: fmt.Sprintf("%s refused: %s. %s", who, what, advice)}
}

// maxQuote limits the part of an answer that a message quotes, in characters.
const maxQuote = 1500

// quote returns an answer's text for the middle of a message.
func quote(text string) string { return redact.Line(text, maxQuote) }
