// Package awsenv configures the AWS clients of a Lambda function from the environment
// variables that Lambda sets.
//
// The SDK's own config package also reads shared files and credentials of SSO, containers
// and instances. A function has none of them, and they would make the binary and its start
// time larger by a quarter.
package awsenv

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithy "github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"blog-deploy-pipeline/lambdas/internal/redact"
)

const (
	// maxAttempts is enough for one broken connection. Code that polls waits by itself,
	// and needs to see other errors.
	maxAttempts = 2
	// maxBackoff is shorter than the SDK's 20 seconds, which are longer than the time that
	// a function keeps for its report.
	maxBackoff = 4 * time.Second
)

// ReportAttempts is the maximum number of attempts of clients that send reports. It is so
// high that the context of the call ends first.
const ReportAttempts = 20

// Config returns the configuration for clients in a Lambda function: region and
// credentials of the execution role, retries with exponential backoff and jitter within
// the context of the call, and AWS_ENDPOINT_URL if it is set. The clients themselves prefer
// AWS_ENDPOINT_URL_<SERVICE>.
//
// Each error of the clients has one line, and is a [*Refusal] if the service answered.
// Config passes the credentials to [redact.Learn].
func Config(getenv func(string) string) aws.Config {
	key, secret, session := getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")
	redact.Learn(key, secret, session)
	cfg := aws.Config{
		Region:        getenv("AWS_REGION"),
		Credentials:   credentials.NewStaticCredentialsProvider(key, secret, session),
		HTTPClient:    httpClient(true),
		Retryer:       func() aws.Retryer { return retryer(maxAttempts) },
		APIOptions:    []func(*middleware.Stack) error{readableErrors},
		ConfigSources: []any{endpoints(getenv)},
	}
	if url := getenv("AWS_ENDPOINT_URL"); url != "" {
		cfg.BaseEndpoint = aws.String(url)
	}
	return cfg
}

// objectAttempts is the maximum number of attempts of a call to S3, which asks by SlowDown
// for fewer requests while it adapts to many.
const objectAttempts = 8

// ForObjects returns cfg for clients of S3. Such a client keeps a connection for each of 64
// requests at once, and repeats a call more often. The content of an object may have any
// length and take any time while it arrives. The client neither adds checksums of its own
// nor checks those that S3 adds: a writer gives the SHA-256 of its content, and a reader
// knows what to expect.
func ForObjects(cfg aws.Config) aws.Config {
	cfg.HTTPClient = objectClient()
	cfg.Retryer = func() aws.Retryer { return retryer(objectAttempts) }
	cfg.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	cfg.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	return cfg
}

// ForFunctions returns cfg for clients of Lambda that wait for a function's answer. Only the
// context of a call limits the time. The client does not try again, because the function
// that it has called may still be at work.
func ForFunctions(cfg aws.Config) aws.Config {
	cfg.HTTPClient = waitingClient()
	cfg.Retryer = func() aws.Retryer { return retryer(1) }
	return cfg
}

// roleRegion is the region of the STS that the function calls. Every account has it, and
// CloudFront's API is there, too. The STS of the function's own region would return
// RegionDisabledException if the account of the role has not enabled that region.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
const roleRegion = "us-east-1"

// expiryWindow renews credentials before they expire, even if the clock is slow.
const expiryWindow = time.Minute

// WithRole returns cfg with the credentials of a role, or cfg itself if roleARN is "". The
// function assumes the role at the first call that needs it, and again when the credentials
// are about to expire, after 15 minutes, or were refused. In CloudTrail the session has the
// name of the function. The STS client does not retry, because the call that needs the
// credentials does.
func WithRole(cfg aws.Config, roleARN string, getenv func(string) string) aws.Config {
	if roleARN == "" {
		return cfg
	}
	client := sts.NewFromConfig(cfg, func(o *sts.Options) {
		o.Region, o.Retryer, o.HTTPClient = roleRegion, aws.NopRetryer{}, httpClient(false)
	})
	role := stscreds.NewAssumeRoleProvider(client, roleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = getenv("AWS_LAMBDA_FUNCTION_NAME") // accepts every function's name
	})
	known := aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		session, err := role.Retrieve(ctx)
		redact.Learn(session.AccessKeyID, session.SecretAccessKey, session.SessionToken)
		if operation := (*smithy.OperationError)(nil); err != nil && !errors.As(err, &operation) {
			// The provider returns an error of its own for an answer without credentials.
			err = &smithy.OperationError{ServiceID: sts.ServiceID, OperationName: "AssumeRole", Err: err}
		}
		return session, err
	})
	cache := aws.NewCredentialsCache(known, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = expiryWindow })
	cfg.Credentials = cache
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), forgetRefused(cache))
	return cfg
}

// forgetRefused drops credentials after an error that a change of the role may remove, so
// that the change has an effect before the credentials expire.
func forgetRefused(cache *aws.CredentialsCache) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("ForgetRefusedCredentials",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				out, metadata, err := next.HandleInitialize(ctx, in)
				if api := smithy.APIError(nil); errors.As(err, &api) && (OfCredentials(api.ErrorCode()) || api.ErrorCode() == "AccessDenied") {
					cache.Invalidate()
				}
				return out, metadata, err
			}), middleware.After)
	}
}

// retryer returns a retryer without a quota of retries. A quota would last longer than an
// invocation: after many errors, a warm process would try to report only once. No quota is
// needed, because polling has its own pace, and a report has its own time.
func retryer(attempts int) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = maxBackoff
		o.RateLimiter = ratelimit.None
		o.Retryables = []retry.IsErrorRetryable{retryables}
	})
}

// retryables are the SDK's own rules for throttling, server errors and broken connections.
// The SDK recognises a request timeout by AWS's error code; a proxy sends only the status.
var retryables = retry.IsErrorRetryables(append(slices.Clip(retry.DefaultRetryables),
	retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusRequestTimeout: {}}}))

// Retryable reports whether a call that returned err may succeed on a retry.
func Retryable(err error) bool { return retryables.IsErrorRetryable(err).Bool() }

// endpoints implements the interface by which the SDK's clients look for
// AWS_ENDPOINT_URL_<SERVICE>.
type endpoints func(string) string

// GetServiceBaseEndpoint returns the endpoint of a service. sdkID is the name of the
// service in AWS's models, such as "CodePipeline".
func (getenv endpoints) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	url := getenv("AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(sdkID, " ", "_")))
	return url, url != "", nil
}
