package awsenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
)

// asked is a server that counts requests and keeps the last one.
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

// A report is retried until the context of the call ends.
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

// A function that was asked may be at work for long, and must not be asked a second time by
// the client itself.
func TestFunctionsAreAskedOnce(t *testing.T) {
	var count atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	cfg := ForFunctions(Config(func(name string) string {
		return map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": server.URL}[name]
	}))
	_, err := codepipeline.NewFromConfig(cfg).PutJobSuccessResult(t.Context(), &codepipeline.PutJobSuccessResultInput{JobId: new("1")})
	if err == nil || count.Load() != 1 {
		t.Errorf("error %v after %d attempts, want one after 1", err, count.Load())
	}
	client := cfg.HTTPClient.(*http.Client)
	if client.Timeout != 0 {
		t.Errorf("the answer may take %s, want any time", client.Timeout)
	}
	if _, ok := client.Transport.(bounded); !ok || client.CheckRedirect == nil {
		t.Error("an answer may be endless, or lead elsewhere")
	}
}

// After many errors, a warm process tries a report as often as a new one.
func TestReportsHaveNoQuota(t *testing.T) {
	var throttles, count atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count.Add(1)
		if throttles.Add(-1) >= 0 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer server.Close()
	cfg := Config(func(name string) string {
		return map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": server.URL}[name]
	})
	own := cfg.Retryer
	cfg.Retryer = func() aws.Retryer { return atOnce{own()} }
	client := codepipeline.NewFromConfig(cfg, func(o *codepipeline.Options) { o.RetryMaxAttempts = ReportAttempts })
	report := func() error {
		count.Store(0)
		_, err := client.PutJobSuccessResult(t.Context(), &codepipeline.PutJobSuccessResultInput{JobId: new("1")})
		return err
	}

	throttles.Store(1000)
	for job := range 6 { // the SDK's quota is enough for 100 tries more than each job's first
		if err := report(); err == nil || count.Load() != ReportAttempts {
			t.Fatalf("job %d: error %v after %d attempts, want one after %d", job+1, err, count.Load(), ReportAttempts)
		}
	}
	throttles.Store(1)
	if err := report(); err != nil {
		t.Errorf("the job after them: %v, want no error", err)
	}
}

// atOnce returns a retryer that does not wait.
type atOnce struct{ aws.Retryer }

func (atOnce) RetryDelay(int, error) (time.Duration, error) { return 0, nil }

// A connection without an answer, and a long wait between attempts, leave time for the
// report, for which the function keeps at most 15 seconds.
func TestConfigLeavesTimeForTheReport(t *testing.T) {
	cfg := Config(func(string) string { return "" })
	client, ok := cfg.HTTPClient.(*http.Client)
	if !ok || client.Timeout <= 0 || client.Timeout > 5*time.Second {
		t.Errorf("one attempt may take %v, want a bound of at most 5 s", client.Timeout)
	}
	retryer := cfg.Retryer()
	for range 200 {
		delay, err := retryer.RetryDelay(10, errors.New("throttled"))
		if err != nil || delay > 4*time.Second {
			t.Fatalf("waits %v, %v between attempts, want at most 4 s", delay, err)
		}
	}
}

const role = "arn:aws:iam::210987654321:role/edge/clear-cache"

// edgeAccount has a CloudFront, and an STS that returns numbered credentials.
type edgeAccount struct {
	lasts    time.Duration
	answer   string // of STS, in place of credentials
	refusal  string // of CloudFront, to the first call: an error code
	assumed  []url.Values
	askedBy  []string // AssumeRole: the key that signed it, and its region
	clearing []string // CloudFront: the same
	kept     int      // connections that AssumeRole's answer leaves open
}

func (e *edgeAccount) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scope := strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="), "/")
	by := scope[0] + " " + r.Header.Get("X-Amz-Security-Token") + " " + scope[2]
	if strings.HasPrefix(r.URL.Path, "/2020-05-31/") {
		e.clearing = append(e.clearing, by)
		if e.refusal != "" && len(e.clearing) == 1 {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprintf(w, `<ErrorResponse><Error><Code>%s</Code></Error></ErrorResponse>`, e.refusal)
			return
		}
		_, _ = io.WriteString(w, `<Invalidation><Id>I1</Id><Status>InProgress</Status></Invalidation>`)
		return
	}
	if !r.Close {
		e.kept++
	}
	_ = r.ParseForm()
	e.assumed, e.askedBy = append(e.assumed, r.PostForm), append(e.askedBy, by)
	if e.answer != "" {
		_, _ = io.WriteString(w, e.answer)
		return
	}
	_, _ = fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA%[1]d</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>token%[1]d</SessionToken><Expiration>%[2]s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
		len(e.assumed), time.Now().Add(e.lasts).UTC().Format(time.RFC3339))
}

// clear asks CloudFront n times for an invalidation, in a function with the role.
func (e *edgeAccount) clear(t *testing.T, role string, n int) (err error) {
	t.Helper()
	server := httptest.NewServer(e)
	defer server.Close()
	env := map[string]string{
		"AWS_REGION": "ap-northeast-1", "AWS_ACCESS_KEY_ID": "ASIAOWN", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "own",
		"AWS_ENDPOINT_URL": server.URL, "AWS_LAMBDA_FUNCTION_NAME": "shop-hook",
	}
	getenv := func(name string) string { return env[name] }
	client := cloudfront.NewFromConfig(WithRole(Config(getenv), role, getenv))
	for range n {
		_, err = client.GetInvalidation(t.Context(), &cloudfront.GetInvalidationInput{DistributionId: new("E1"), Id: new("I1")})
	}
	return err
}

func TestWithRole(t *testing.T) {
	own := "ASIAOWN own ap-northeast-1" // which a custom endpoint has CloudFront's client sign for, too
	for _, tt := range []struct {
		name     string
		role     string
		lasts    time.Duration
		refusal  string
		assumed  int
		clearing []string
	}{
		{"none", "", 0, "", 0, []string{own, own}},
		{"none, and refused", "", 0, "AccessDenied", 0, []string{own, own}},
		{"assumed once", role, 15 * time.Minute, "", 1, []string{"ASIA1 token1 ap-northeast-1", "ASIA1 token1 ap-northeast-1"}},
		{"refused for another reason", role, 15 * time.Minute, "NoSuchDistribution", 1, []string{"ASIA1 token1 ap-northeast-1", "ASIA1 token1 ap-northeast-1"}},
		{"role created again", role, 15 * time.Minute, "InvalidClientTokenId", 2, []string{"ASIA1 token1 ap-northeast-1", "ASIA2 token2 ap-northeast-1"}},
		{"role that has got its policy", role, 15 * time.Minute, "AccessDenied", 2, []string{"ASIA1 token1 ap-northeast-1", "ASIA2 token2 ap-northeast-1"}},
		{"about to expire, and assumed again", role, 50 * time.Second, "", 2, []string{"ASIA1 token1 ap-northeast-1", "ASIA2 token2 ap-northeast-1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			edge := &edgeAccount{lasts: tt.lasts, refusal: tt.refusal}
			if err := edge.clear(t, tt.role, 2); err != nil { // the second call's
				t.Fatal(err)
			}
			if !slices.Equal(edge.clearing, tt.clearing) || len(edge.assumed) != tt.assumed {
				t.Errorf("CloudFront was asked with %q after %d calls of STS, want %q after %d", edge.clearing, len(edge.assumed), tt.clearing, tt.assumed)
			}
			if edge.kept > 0 {
				t.Error("STS's connection was kept: Go logs what comes on it unasked, such as the same credentials once more")
			}
			for i, form := range edge.assumed {
				want := url.Values{"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleArn": {role}, "RoleSessionName": {"shop-hook"}, "DurationSeconds": {"900"}}
				if form.Encode() != want.Encode() || edge.askedBy[i] != "ASIAOWN own us-east-1" {
					t.Errorf("STS was asked for %v by %s, want %v by the function's own key, in us-east-1", form, edge.askedBy[i], want)
				}
			}
		})
	}
}

// An answer without credentials is an error and no panic: the SDK calls STS in a goroutine
// of its own, in which a panic would end the process.
func TestWithRoleOfAnIncompleteAnswer(t *testing.T) {
	for _, answer := range []string{"no tag", "<AssumeRoleRe", `<AssumeRoleResponse/>`, `<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>`} {
		edge := &edgeAccount{answer: answer}
		err := edge.clear(t, role, 1)
		if err == nil || !strings.HasPrefix(err.Error(), "operation error CloudFront: GetInvalidation, operation error STS: AssumeRole, ") || len(edge.clearing) > 0 {
			t.Errorf("%q: error %v after %d calls of CloudFront, want one of STS, and none", answer, err, len(edge.clearing))
		}
	}
}

// Credentials of STS are redacted as those of Lambda are.
func TestWithRoleIsNotSaid(t *testing.T) {
	const session = "IQoJb3JpZ2luX2VjEKr//////////wEaDmFwLW5vcnRoZWFzdC0xIkcwRQIgHt5LwYb8vQmZ"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/2020-05-31/") {
			asAWS(w, r, http.StatusForbidden, "Teapot", "Token "+r.Header.Get("X-Amz-Security-Token"))
			return
		}
		_, _ = fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIATAKENONEXAMPLE01</AccessKeyId><SecretAccessKey>Zt0PsLm8vNa+2Ub6Ec1HdGfTjKoSiXWAIgB5yMzV</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
			session, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	defer server.Close()
	getenv := func(name string) string {
		return map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "ASIAOWN", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": server.URL, "AWS_LAMBDA_FUNCTION_NAME": "f"}[name]
	}
	err := calls["GetInvalidation"](t.Context(), WithRole(Config(getenv), role, getenv))
	if err == nil || !strings.Contains(err.Error(), "Teapot: Token [redacted] (HTTP 403") {
		t.Errorf("error is %v, want one without the role's token", err)
	}
}
