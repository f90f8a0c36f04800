// Package awsenv is the AWS configuration of a Lambda function, read from the
// variables that Lambda sets.
//
// The SDK's own config package does this too, and more: shared files, SSO,
// container and instance credentials, none of which exist in a function. They
// would add a quarter to the binary and to its start.
package awsenv

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"blog-deploy-pipeline/lambdas/internal/redact"
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
//
// The clients' errors are one line each, a [*Refusal] where there was an answer, and the
// process does not say its credentials (see [redact]).
func Config(getenv func(string) string) aws.Config {
	key, secret, session := getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")
	redact.Learn(key, secret, session)
	cfg := aws.Config{
		Region:        getenv("AWS_REGION"),
		Credentials:   credentials.NewStaticCredentialsProvider(key, secret, session),
		HTTPClient:    httpClient(),
		Retryer:       retryer,
		APIOptions:    []func(*middleware.Stack) error{sayErrors},
		ConfigSources: []any{endpoints(getenv)},
	}
	if url := getenv("AWS_ENDPOINT_URL"); url != "" {
		cfg.BaseEndpoint = aws.String(url)
	}
	return cfg
}

// expiryWindow has credentials renewed a little before they end, on whatever clock.
const expiryWindow = time.Minute

// WithRole returns cfg with the credentials of a role, or cfg where roleARN is "". The
// function takes the role on at the first call that needs it, and again when the
// credentials are about to end, after 15 minutes; in CloudTrail the session has the
// function's name. The STS asked is that of the function's region, once for each attempt
// of the call that waits for it: that call's retries are enough.
func WithRole(cfg aws.Config, roleARN string, getenv func(string) string) aws.Config {
	if roleARN == "" {
		return cfg
	}
	client := sts.NewFromConfig(cfg, func(o *sts.Options) { o.Retryer = aws.NopRetryer{} })
	role := stscreds.NewAssumeRoleProvider(client, roleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = getenv("AWS_LAMBDA_FUNCTION_NAME") // takes every function's name
	})
	known := aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		session, err := role.Retrieve(ctx)
		redact.Learn(session.AccessKeyID, session.SecretAccessKey, session.SessionToken)
		return session, err
	})
	cfg.Credentials = aws.NewCredentialsCache(known, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = expiryWindow })
	return cfg
}

// retryer has no quota, which would outlive an invocation: after a service's bad hours a
// warm process would try a report once, where a new one tries for as long as it has
// time. Nor does it need one: whoever polls has a pace, and a report has an end.
func retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.MaxBackoff = maxBackoff
		o.RateLimiter = ratelimit.None
		// The SDK knows throttling by AWS's codes; a proxy has none.
		o.Retryables = append(o.Retryables, retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}}})
	})
}

// endpoints finds AWS_ENDPOINT_URL_<SERVICE>, as the SDK's clients ask for it.
type endpoints func(string) string

// GetServiceBaseEndpoint implements the SDK's lookup of one service's endpoint;
// sdkID is the service's name in AWS's models, such as "CodePipeline".
func (getenv endpoints) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	url := getenv("AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(sdkID, " ", "_")))
	return url, url != "", nil
}
