// Package contract holds the names and the JSON that the infrastructure (stacks), the
// functions (lambdas) and the rehearsal (rehearse) have to agree on.
//
// Each name is spelt here and nowhere else in the code. The package imports little of
// the standard library and nothing of this module, because the functions link it.
package contract

import (
	"bytes"
	"encoding/json"
)

// The environment variables of the functions. A duration is written as Go writes it:
// "40s", "30m0s".
const (
	// EnvDeadline is how long CloudFront may take, over all calls of the function.
	EnvDeadline = "DEADLINE"
	// EnvPollFor is how long one call of the function asks CloudFront for the status.
	EnvPollFor = "POLL_FOR"
	// EnvPollEvery is the first wait between two such requests. Only tests and the
	// rehearsal set it.
	EnvPollEvery = "POLL_EVERY"
	// EnvOnFailure is an [OnFailure].
	EnvOnFailure = "ON_FAILURE"
	// EnvRoleARN is the role in the distributions' account that the function assumes.
	// The function uses its own role if it is not set.
	EnvRoleARN = "ROLE_ARN"

	// EnvService is the name of the service, for logs and metrics. Only the hook has it.
	EnvService = "SERVICE"
	// EnvDistributions is a JSON list of [Distribution]. Only the hook has it.
	EnvDistributions = "DISTRIBUTIONS"
	// EnvWaitFor is a [WaitFor]. Only the hook has it.
	EnvWaitFor = "WAIT_FOR"
)

// OnFailure says what a cache that could not be cleared does to the deployment.
type OnFailure string

const (
	// OnFailureFail fails the deployment.
	OnFailureFail OnFailure = "fail"
	// OnFailureProceed lets the deployment succeed. With a pipeline it forgives only an
	// invalidation that CloudFront accepted and did not complete before the deadline, and
	// readers who do not have what was published.
	OnFailureProceed OnFailure = "proceed"
	// OnFailureRollBack fails the deployment, too. If readers do not have what was published,
	// the function publishes the release before again. Only a pipeline's function has it.
	OnFailureRollBack OnFailure = "rollback"
)

// WaitFor says how far an invalidation must be before the function reports success.
type WaitFor string

const (
	// WaitForCompleted waits until CloudFront has completed the invalidation.
	WaitForCompleted WaitFor = "completed"
	// WaitForCreated waits until CloudFront has accepted the invalidation.
	WaitForCreated WaitFor = "created"
)

// Distribution is a CloudFront distribution and what to clear of it.
type Distribution struct {
	ID string `json:"DistributionId"`
	// Paths to clear. Default: [AllPaths].
	Paths []string `json:",omitempty"`
}

// AllPaths is the path that clears everything. CloudFront counts it as one path.
const AllPaths = "/*"

// UserParameters has the parameters that CodePipeline passes to the function invalidate
// with each job, as JSON. The member names are those of the article that this project started from.
type UserParameters struct {
	// PipelineName is the name of the pipeline and of its blog, for logs and metrics.
	PipelineName string
	Distribution
}

// JSON returns the text of UserParameters and of [EnvDistributions] in as few characters
// as possible, because AWS limits their number.
func JSON(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // it would write six characters for one &
	if err := encoder.Encode(value); err != nil {
		panic(err) // strings always encode
	}
	return string(bytes.TrimSpace(text.Bytes()))
}
