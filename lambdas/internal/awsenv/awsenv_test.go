package awsenv

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
)

// asked is a server that counts what it is asked, and signs nothing off.
func asked(t *testing.T) (url string, count *atomic.Int32, authorization *atomic.Value) {
	t.Helper()
	count, authorization = &atomic.Int32{}, &atomic.Value{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		authorization.Store(r.Header.Get("Authorization") + " " + r.Header.Get("X-Amz-Security-Token"))
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	return server.URL, count, authorization
}

func TestConfigReadsTheFunctionsEnvironment(t *testing.T) {
	everything, general, authorization := asked(t)
	special, pipeline, _ := asked(t)
	env := map[string]string{
		"AWS_REGION":                    "ap-northeast-1",
		"AWS_ACCESS_KEY_ID":             "AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY":         "secret",
		"AWS_SESSION_TOKEN":             "session",
		"AWS_ENDPOINT_URL":              everything,
		"AWS_ENDPOINT_URL_CODEPIPELINE": special,
	}
	cfg := Config(func(name string) string { return env[name] })

	_, err := cloudfront.NewFromConfig(cfg).GetInvalidation(t.Context(), &cloudfront.GetInvalidationInput{DistributionId: new("E1"), Id: new("I1")})
	if err == nil || general.Load() != 1 {
		t.Errorf("CloudFront: error %v after %d requests to AWS_ENDPOINT_URL, want a refusal after 1", err, general.Load())
	}
	for _, want := range []string{"Credential=AKIDEXAMPLE/", " session"} {
		if got, _ := authorization.Load().(string); !strings.Contains(got, want) {
			t.Errorf("authorization is %q, want %q in it", got, want)
		}
	}
	_, err = codepipeline.NewFromConfig(cfg).PutJobSuccessResult(t.Context(), &codepipeline.PutJobSuccessResultInput{JobId: new("1")})
	if err == nil || pipeline.Load() != 1 || general.Load() != 1 {
		t.Errorf("CodePipeline: error %v after %d requests to its own endpoint and %d to the general one, want 1 and still 1", err, pipeline.Load(), general.Load())
	}
}

// A report is retried for as long as the caller has time: the function's own
// deadline decides, not a count.
func TestReportsRetryUntilTheContextEnds(t *testing.T) {
	var count atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	cfg := Config(func(name string) string {
		return map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": server.URL}[name]
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	go func() {
		for count.Load() < 4 { // the SDK's default is 3 attempts
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	client := codepipeline.NewFromConfig(cfg, func(o *codepipeline.Options) { o.RetryMaxAttempts = ReportAttempts })
	_, err := client.PutJobSuccessResult(ctx, &codepipeline.PutJobSuccessResultInput{JobId: new("1")})
	if err == nil || count.Load() < 4 {
		t.Errorf("error %v after %d attempts, want one after more than the SDK's 3", err, count.Load())
	}
}

// A silent connection, and a long wait between attempts, must leave the function
// time for its report, of which it keeps 15 seconds at most.
func TestConfigLeavesTimeForTheReport(t *testing.T) {
	cfg := Config(func(string) string { return "" })
	client, ok := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !ok || client.GetTimeout() <= 0 || client.GetTimeout() > 5*time.Second {
		t.Errorf("one attempt may take %v, want a bound of at most 5 s", client.GetTimeout())
	}
	retryer := cfg.Retryer()
	for range 200 {
		delay, err := retryer.RetryDelay(10, errors.New("throttled"))
		if err != nil || delay > 4*time.Second {
			t.Fatalf("waits %v, %v between attempts, want at most 4 s", delay, err)
		}
	}
}
