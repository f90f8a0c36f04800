package fakeaws_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"

	"blog-deploy-pipeline/rehearse/fakeaws"
)

const (
	region     = "eu-west-1" // It differs from CloudFront's Region, so that tests notice a mix-up.
	roleARN    = "arn:aws:sts::123456789012:assumed-role/function/my-blog"
	distID     = "EDFDVBD6EXAMPLE"
	parameters = `{"who":"me"}` // the UserParameters of an action, which may be any text
	hookName   = "shop-hook"
	groupARN   = "arn:aws:codedeploy:" + region + ":123456789012:deploymentgroup:shop/blue-green"
)

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a cloud on a server, with clients of the SDK that do not retry.
type world struct {
	cloud        *fakeaws.Cloud
	url          string
	credentials  fakeaws.Credentials // of the clients
	cloudFront   *cloudfront.Client
	codePipeline *codepipeline.Client
	codeDeploy   *codedeploy.Client
	ecs          *ecs.Client
}

func newWorld(t *testing.T, opts fakeaws.Options) *world {
	t.Helper()
	opts.Region = region
	cloud := fakeaws.New(opts)
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	// A Lambda function has temporary credentials, whose session token is signed, too.
	return newClients(cloud, server.URL, cloud.Issue(roleARN, time.Hour))
}

func newClients(cloud *fakeaws.Cloud, url string, key fakeaws.Credentials) *world {
	credentials := credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, key.SessionToken)
	// Without this setting Go's transport repeats some requests by itself.
	client := &http.Client{Transport: ownBody{&http.Transport{DisableKeepAlives: true}}, Timeout: 10 * time.Second}
	return &world{
		cloud:       cloud,
		url:         url,
		credentials: key,
		cloudFront: cloudfront.New(cloudfront.Options{
			Region: region, BaseEndpoint: &url, Credentials: credentials, HTTPClient: client, Retryer: aws.NopRetryer{},
		}),
		codePipeline: codepipeline.New(codepipeline.Options{
			Region: region, BaseEndpoint: &url, Credentials: credentials, HTTPClient: client, Retryer: aws.NopRetryer{},
		}),
		codeDeploy: codedeploy.New(codedeploy.Options{
			Region: region, BaseEndpoint: &url, Credentials: credentials, HTTPClient: client, Retryer: aws.NopRetryer{},
		}),
		ecs: ecs.New(ecs.Options{
			Region: region, BaseEndpoint: &url, Credentials: credentials, HTTPClient: client, Retryer: aws.NopRetryer{},
		}),
	}
}

// ownBody gives each request a body that only its transport closes. The SDK closes the body of a request when the header of
// the reply arrives. A double on this machine replies at once, while the transport may still read a long body. The transport
// then treats the closing as a failure and closes the connection before the reply has been read.
type ownBody struct{ http.RoundTripper }

func (t ownBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return t.RoundTripper.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if err := r.Body.Close(); err != nil {
		return nil, err
	}
	own := r.Clone(r.Context())
	own.Body = io.NopCloser(bytes.NewReader(body))
	return t.RoundTripper.RoundTrip(own)
}

func (w *world) create(t *testing.T, reference string, paths ...string) (*cloudfront.CreateInvalidationOutput, error) {
	t.Helper()
	return w.cloudFront.CreateInvalidation(t.Context(), createInput(reference, paths...))
}

func createInput(reference string, paths ...string) *cloudfront.CreateInvalidationInput {
	return &cloudfront.CreateInvalidationInput{
		DistributionId: aws.String(distID),
		InvalidationBatch: &cftypes.InvalidationBatch{
			CallerReference: aws.String(reference),
			Paths:           &cftypes.Paths{Quantity: aws.Int32(int32(len(paths))), Items: paths},
		},
	}
}

func (w *world) get(t *testing.T, id string) (status string, err error) {
	t.Helper()
	out, err := w.cloudFront.GetInvalidation(t.Context(), &cloudfront.GetInvalidationInput{DistributionId: aws.String(distID), Id: &id})
	if err != nil {
		return "", err
	}
	return *out.Invalidation.Status, nil
}

func (w *world) startAction(t *testing.T) *fakeaws.Job {
	t.Helper()
	job, err := w.cloud.StartAction(fakeaws.Action{FunctionName: "invalidate", UserParameters: parameters})
	if err != nil {
		t.Fatalf("StartAction: %v", err)
	}
	return job
}

// raw sends a request that the SDK does not send. It signs the given body and headers as boto3 does, without the length of
// the body, and then changes the request.
func (w *world) raw(t *testing.T, method, path string, header map[string]string, body string, change func(*http.Request)) (status int, answer string, response http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.url+path, nil)
	if err != nil {
		t.Fatalf("NewRequest: %v", err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	service, region := "cloudfront", "us-east-1"
	if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		service = "sts"
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		prefix, _, _ := strings.Cut(target, "_")
		service, region = strings.ToLower(prefix), "eu-west-1"
	}
	sum := sha256.Sum256([]byte(body))
	credentials := aws.Credentials{AccessKeyID: w.credentials.AccessKeyID, SecretAccessKey: w.credentials.SecretAccessKey, SessionToken: w.credentials.SessionToken}
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), service, region, time.Now()); err != nil {
		t.Fatalf("SignHTTP: %v", err)
	}
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	if change != nil {
		change(r)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, resp.Body); err != nil {
		t.Fatalf("read answer: %v", err)
	}
	return resp.StatusCode, buf.String(), resp.Header
}

// errorCode returns the AWS error code of an SDK error. It returns "" for no error, and the text of an error without a code.
func errorCode(err error) string {
	if err == nil {
		return ""
	}
	if apiErr, ok := errors.AsType[smithy.APIError](err); ok {
		return apiErr.ErrorCode()
	}
	return "no API error: " + err.Error()
}

func errorMessage(err error) string {
	if apiErr, ok := errors.AsType[smithy.APIError](err); ok {
		return apiErr.ErrorMessage()
	}
	return ""
}

func httpStatus(err error) int {
	var respErr interface{ HTTPStatusCode() int }
	if errors.As(err, &respErr) {
		return respErr.HTTPStatusCode()
	}
	return 0
}
