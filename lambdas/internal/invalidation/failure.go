package invalidation

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"blog-deploy-pipeline/lambdas/internal/awsenv"
	"blog-deploy-pipeline/lambdas/internal/redact"
)

// Kind says whose move it is after a failure.
type Kind int

// The kinds of failure. A caller translates them into its own protocol's words.
const (
	// Other is a refusal that this package has no advice for.
	Other Kind = iota
	// Configuration: the owner named a distribution or paths that CloudFront refuses.
	Configuration
	// Permission: the function's role may not do this.
	Permission
	// Unavailable: CloudFront did not accept the invalidation before the deadline.
	Unavailable
	// Late: CloudFront accepted the invalidation, and did not complete it in time.
	Late
)

func (k Kind) String() string {
	return [...]string{"other", "configuration", "permission", "unavailable", "late"}[k]
}

// Failure ends an invalidation for good.
type Failure struct {
	Kind Kind
	// Message is for the person who reads the deployment's result: what happened
	// and what to do.
	Message string
	// Err is what CloudFront answered last; nil if it only took too long.
	Err error
}

func (f *Failure) Error() string { return f.Message }

func (f *Failure) Unwrap() error { return f.Err }

// errIncompleteAnswer stands for a success whose body has no id or no status, or
// something else in their place, and errOtherInvalidation for one that is about another
// invalidation.
var (
	errIncompleteAnswer  = errors.New("CloudFront's answer has no invalidation id or no status")
	errOtherInvalidation = errors.New("CloudFront's answer is about another invalidation")
)

// Words are the caller's names for what a message tells the owner to look at or to
// do. Each reads on in the middle of a sentence.
type Words struct {
	// Distribution, Paths and Deadline name the owner's settings, such as "the
	// blog's Invalidate.Deadline".
	Distribution, Paths, Deadline string
	// Again is how to clear the cache after a failure, such as "retry this stage".
	Again string
	// role and roleAccount are of the Settings.
	role, roleAccount string
}

// refusal is what one of a service's error codes means to the owner.
type refusal struct {
	kind   Kind
	advice func(Words) string
}

func fixDistribution(w Words) string {
	if w.role != "" {
		return "Check " + w.Distribution + ", and that it is a distribution of the account " + w.roleAccount + ", whose role the function takes on"
	}
	return "Check " + w.Distribution + ", and that it is a distribution of this account"
}

func fixPaths(w Words) string { return "Check " + w.Paths }

func fewerPaths(w Words) string {
	return "Name fewer paths in " + w.Paths + ": CloudFront takes 3,000 at a time; /* counts as one"
}

func fixRole(w Words) string {
	if w.role != "" {
		return "The role " + w.role + " must allow cloudfront:CreateInvalidation and cloudfront:GetInvalidation on this distribution, as the stack's output RolePermissions does; then " + w.Again
	}
	return "The function's role must allow cloudfront:CreateInvalidation and cloudfront:GetInvalidation on this distribution; deploy the stack again if somebody changed it"
}

func newReference(w Words) string {
	return "A new caller reference will do: " + w.Again
}

func lookUp(w Words) string {
	return "Look the error up in CloudFront's API reference, and " + w.Again
}

func newCredentials(w Words) string {
	return "If it stays so, deploy the stack again. For now, " + w.Again
}

func lookOnTheWay(w Words) string {
	return "Something between the function and AWS may have said that: look for a proxy or a firewall, and for AWS_ENDPOINT_URL in the function's environment; then " + w.Again
}

// refusals are CloudFront's answers that stay the same however often one asks.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html
var refusals = map[string]refusal{
	"NoSuchDistribution":     {Configuration, fixDistribution},
	"EntityNotFound":         {Configuration, fixDistribution},
	"InvalidArgument":        {Configuration, fixPaths},
	"BatchTooLarge":          {Configuration, fewerPaths},
	"InconsistentQuantities": {Configuration, fixPaths},
	"MissingBody":            {Configuration, fixPaths},
	"AccessDenied":           {Permission, fixRole},
	"AccessDeniedException":  {Permission, fixRole},
	"UnauthorizedOperation":  {Permission, fixRole},
	// The reference is a hash of this very batch, so CloudFront and we disagree on
	// what the batch was; another execution has another reference.
	"InvalidationBatchAlreadyExists": {Other, newReference},
}

func fixTrust(w Words) string {
	return "There must be a role " + w.role + ", with the trust policy that is the stack's output RoleTrust (again, if the stack was made anew); then " + w.Again
}

func lookUpInSTS(w Words) string {
	return "Look the error up in the API reference of AWS STS, from which the function has the credentials of the role " + w.role + "; then " + w.Again
}

// roleRefusals are STS's answers of that kind. It does not tell a role that is not there
// from one that does not trust the function.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
var roleRefusals = map[string]refusal{
	"AccessDenied": {Permission, fixTrust},
}

// sts is the SDK's name for the service that gives out a role's credentials.
const sts = "STS"

// answered names the service that an error is of: a call of CloudFront's fails also
// where STS gave no credentials for it.
func answered(err error) (service string) {
	for operation := (*smithy.OperationError)(nil); errors.As(err, &operation); err = operation.Err {
		service = operation.ServiceID
	}
	return service
}

// transient are codes that the SDK does not retry and that waiting does mend.
var transient = map[string]bool{
	// HTTP 400: 3,000 file or 15 wildcard paths are in progress on the distribution.
	"TooManyInvalidationsInProgress": true,
	// An invalidation just created may not have reached the replica that is asked.
	"NoSuchInvalidation": true,
}

// refused returns the failure that err stands for: CloudFront will answer the same
// again. It returns nil where waiting may help, and for a nil err.
func refused(err error, words Words) *Failure {
	var api smithy.APIError
	if !errors.As(err, &api) {
		// No answer, one that cannot be read, or the end of this call's time.
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
	// What the reference documents as InvalidationBatchAlreadyExists arrives as an
	// InvalidArgument in practice; only its text tells.
	if code == "InvalidArgument" && strings.Contains(strings.ToLower(api.ErrorMessage()), "caller reference") {
		code = "InvalidationBatchAlreadyExists"
	}
	who, table, unknown := "CloudFront", refusals, refusal{Other, lookUp}
	if answered(err) == sts {
		who, table, unknown = sts, roleRefusals, refusal{Other, lookUpInSTS}
	}
	what := quote(api.ErrorCode()) + ": " + quote(api.ErrorMessage())
	known, ok := table[code]
	switch {
	case ok:
	case code == awsenv.NoCode:
		what, known = quote(api.ErrorMessage()), refusal{Other, lookOnTheWay}
	case awsenv.OfCredentials(code):
		known = refusal{Permission, newCredentials}
	default:
		known = unknown
	}
	return &Failure{Kind: known.kind, Err: err, Message: fmt.Sprintf("%s refused: %s. %s", who, what, known.advice(words))}
}

// maxQuote is how much of an answer is in a message, in characters.
const maxQuote = 1500

// quote is what CloudFront said, in the middle of a message.
func quote(text string) string { return redact.Line(text, maxQuote) }
