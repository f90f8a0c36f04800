// Package awsenv is the AWS configuration of a Lambda function, read from the
// variables that Lambda sets.
//
// The SDK's own config package does this too, and more: shared files, SSO,
// container and instance credentials, none of which exist in a function. They
// would add a quarter to the binary and to its start.
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
		HTTPClient:    httpClient(true),
		Retryer:       retryer,
		APIOptions:    []func(*middleware.Stack) error{sayErrors},
		ConfigSources: []any{endpoints(getenv)},
	}
	if url := getenv("AWS_ENDPOINT_URL"); url != "" {
		cfg.BaseEndpoint = aws.String(url)
	}
	return cfg
}

// roleRegion is where roles are taken on: where CloudFront's API is, which the function
// needs in any case, and a region that every account has. Its own region's STS would
// refuse (RegionDisabledException) where the role's account has not enabled that region.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
const roleRegion = "us-east-1"

// expiryWindow has credentials renewed a little before they end, on whatever clock.
const expiryWindow = time.Minute

// WithRole returns cfg with the credentials of a role, or cfg where roleARN is "". The
// function takes the role on at the first call that needs it, and again when the
// credentials are about to end, after 15 minutes, or were refused; in CloudTrail the
// session has the function's name. STS is asked once for each attempt of the call that
// waits for it: that call's retries are enough.
func WithRole(cfg aws.Config, roleARN string, getenv func(string) string) aws.Config {
	if roleARN == "" {
		return cfg
	}
	client := sts.NewFromConfig(cfg, func(o *sts.Options) {
		o.Region, o.Retryer, o.HTTPClient = roleRegion, aws.NopRetryer{}, httpClient(false)
	})
	role := stscreds.NewAssumeRoleProvider(client, roleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = getenv("AWS_LAMBDA_FUNCTION_NAME") // takes every function's name
	})
	known := aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		session, err := role.Retrieve(ctx)
		redact.Learn(session.AccessKeyID, session.SecretAccessKey, session.SessionToken)
		if operation := (*smithy.OperationError)(nil); err != nil && !errors.As(err, &operation) {
			// An answer without credentials is an error of the provider's, and STS's fault.
			err = &smithy.OperationError{ServiceID: sts.ServiceID, OperationName: "AssumeRole", Err: err}
		}
		return session, err
	})
	cache := aws.NewCredentialsCache(known, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = expiryWindow })
	cfg.Credentials = cache
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), forgetRefused(cache))
	return cfg
}

// forgetRefused has credentials fetched anew after a refusal that may be of a role as it
// was: what its owner has mended since then counts at once, and not when they end.
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

// retryer has no quota, which would outlive an invocation: after a service's bad hours a
// warm process would try a report once, where a new one tries for as long as it has
// time. Nor does it need one: whoever polls has a pace, and a report has an end.
func retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.MaxBackoff = maxBackoff
		o.RateLimiter = ratelimit.None
		o.Retryables = []retry.IsErrorRetryable{retryables}
	})
}

// retryables are the SDK's own judgement of throttling, server faults and broken
// connections. It knows a request that came too slowly by AWS's code, of which a proxy has
// none.
var retryables = retry.IsErrorRetryables(append(slices.Clip(retry.DefaultRetryables),
	retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusRequestTimeout: {}}}))

// Retryable says whether a call that failed so may succeed when it is made again.
func Retryable(err error) bool { return retryables.IsErrorRetryable(err).Bool() }

// endpoints finds AWS_ENDPOINT_URL_<SERVICE>, as the SDK's clients ask for it.
type endpoints func(string) string

// GetServiceBaseEndpoint implements the SDK's lookup of one service's endpoint;
// sdkID is the service's name in AWS's models, such as "CodePipeline".
func (getenv endpoints) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	url := getenv("AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(sdkID, " ", "_")))
	return url, url != "", nil
}
