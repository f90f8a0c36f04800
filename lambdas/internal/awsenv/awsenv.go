// Package awsenv is the AWS configuration of a Lambda function, read from the
// variables that Lambda sets.
//
// The SDK's own config package does this too, and more: shared files, SSO,
// container and instance credentials, none of which exist in a function. They
// would add a quarter to the binary and to its start.
package awsenv

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const (
	// callTimeout bounds one attempt, so that a connection that went silent
	// costs seconds and not the invocation.
	callTimeout = 5 * time.Second
	// maxAttempts bridges a broken connection. Whoever polls has waits of its own, and
	// wants to see an error rather than have it waited out below.
	maxAttempts = 2
	// maxBackoff is below the SDK's 20 seconds, which would outlast the time
	// that a function keeps for its report.
	maxBackoff = 4 * time.Second
)

// ReportAttempts is for clients whose call is a function's last word: more than
// fit, so that the caller's context decides when to stop.
const ReportAttempts = 20

// Config returns the configuration for clients in a Lambda function: region and
// credentials of the execution role, retries with exponential backoff and jitter
// within the caller's context, and AWS_ENDPOINT_URL where it is set.
// AWS_ENDPOINT_URL_<SERVICE> wins over it; the clients see to that themselves.
func Config(getenv func(string) string) aws.Config {
	cfg := aws.Config{
		Region: getenv("AWS_REGION"),
		Credentials: credentials.NewStaticCredentialsProvider(
			getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")),
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(callTimeout),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = maxAttempts
				o.MaxBackoff = maxBackoff
			})
		},
		ConfigSources: []any{endpoints(getenv)},
	}
	if url := getenv("AWS_ENDPOINT_URL"); url != "" {
		cfg.BaseEndpoint = aws.String(url)
	}
	return cfg
}

// endpoints finds AWS_ENDPOINT_URL_<SERVICE>, as the SDK's clients ask for it.
type endpoints func(string) string

// GetServiceBaseEndpoint implements the SDK's lookup of one service's endpoint;
// sdkID is the service's name in AWS's models, such as "CodePipeline".
func (getenv endpoints) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	url := getenv("AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(sdkID, " ", "_")))
	return url, url != "", nil
}
