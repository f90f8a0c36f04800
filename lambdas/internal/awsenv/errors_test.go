package awsenv

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithy "github.com/aws/smithy-go"
)

const (
	ownKey    = "ASIAQ3EGVDJ5TXW7H2PL"
	ownSecret = "k7/Tq+9aZbX3/LwPm+R0vYcJd5sGnHe1UfIo8KtE"
	ownToken  = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDx+7Yk/q3Rw9Zt0PsLm8vNa+2Ub6Ec1HdGfTjKoSiXWAIgB5yMzV4nCq8pQlDrF0tJuOeIhAxKw=="
)

// against starts a server with that handler, and returns a function's configuration for it.
func against(t *testing.T, answer http.HandlerFunc) aws.Config {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	env := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": ownKey, "AWS_SECRET_ACCESS_KEY": ownSecret, "AWS_SESSION_TOKEN": ownToken, "AWS_ENDPOINT_URL": server.URL}
	cfg := Config(func(name string) string { return env[name] })
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	cfg.HTTPClient.(*http.Client).Timeout = time.Minute // a slow machine is no fault //nolint:forcetypeassert // Config's own
	return cfg
}

// calls are the calls that the functions make.
var calls = map[string]func(context.Context, aws.Config) error{
	"CreateInvalidation": func(ctx context.Context, cfg aws.Config) error {
		batch := &cloudfronttypes.InvalidationBatch{CallerReference: new("1"), Paths: &cloudfronttypes.Paths{Items: []string{"/*"}, Quantity: new(int32(1))}}
		_, err := cloudfront.NewFromConfig(cfg).CreateInvalidation(ctx, &cloudfront.CreateInvalidationInput{DistributionId: new("E1"), InvalidationBatch: batch})
		return err
	},
	"GetInvalidation": func(ctx context.Context, cfg aws.Config) error {
		_, err := cloudfront.NewFromConfig(cfg).GetInvalidation(ctx, &cloudfront.GetInvalidationInput{DistributionId: new("E1"), Id: new("I1")})
		return err
	},
	"PutJobSuccessResult": func(ctx context.Context, cfg aws.Config) error {
		_, err := codepipeline.NewFromConfig(cfg).PutJobSuccessResult(ctx, &codepipeline.PutJobSuccessResultInput{JobId: new("1")})
		return err
	},
	"PutJobFailureResult": func(ctx context.Context, cfg aws.Config) error {
		_, err := codepipeline.NewFromConfig(cfg).PutJobFailureResult(ctx, &codepipeline.PutJobFailureResultInput{JobId: new("1"), FailureDetails: &types.FailureDetails{Message: new("m"), Type: types.FailureTypeJobFailed}})
		return err
	},
	"PutLifecycleEventHookExecutionStatus": func(ctx context.Context, cfg aws.Config) error {
		_, err := codedeploy.NewFromConfig(cfg).PutLifecycleEventHookExecutionStatus(ctx, &codedeploy.PutLifecycleEventHookExecutionStatusInput{DeploymentId: new("d-1")})
		return err
	},
	"AssumeRole": func(ctx context.Context, cfg aws.Config) error {
		_, err := sts.NewFromConfig(cfg).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: new(role), RoleSessionName: new("f")})
		return err
	},
}

// asAWS writes an error in the protocol of the called service.
func asAWS(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	w.Header().Set("X-Amzn-Requestid", "1a2b3c4d")
	w.WriteHeader(status)
	if r.Header.Get("X-Amz-Target") == "" {
		message = strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(message)
		_, _ = fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>1a2b3c4d</RequestId></ErrorResponse>`, code, message) //nolint:gosec // no browser reads it
		return
	}
	_, _ = fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, message) //nolint:gosec // no browser reads it
}

// canonical is the canonical request that AWS returns if a signature is wrong.
func canonical(r *http.Request) string {
	text := r.Method + "\n" + r.URL.Path + "\n\n"
	for name, values := range r.Header {
		text += strings.ToLower(name) + ":" + values[0] + "\n"
	}
	return text
}

// Each error has one line that says what the service answered.
func TestErrorsAreReadable(t *testing.T) {
	const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."
	type answer = func(w http.ResponseWriter, r *http.Request)
	refuses := func(status int, code, message string) answer {
		return func(w http.ResponseWriter, r *http.Request) { asAWS(w, r, status, code, message) }
	}
	says := func(status int, body string) answer {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	const html = "<html>\n<head><title>Blocked</title>\n<body>\n<p>Ask your <b>administrator</p></body></html>"
	for _, tt := range []struct {
		name   string
		answer answer
		want   string // what follows the operation's name
	}{
		{"refusal", refuses(403, "AccessDenied", "not authorized to perform: x:Y."), "AccessDenied: not authorized to perform: x:Y (HTTP 403, request 1a2b3c4d)"},
		{"refusal without a message", refuses(400, "AccessDenied", ""), "AccessDenied: without a message (HTTP 400, request 1a2b3c4d)"},
		{"signature, with an echo", func(w http.ResponseWriter, r *http.Request) {
			asAWS(w, r, 403, "SignatureDoesNotMatch", mismatch+"\n\nThe Canonical String for this request should have been\n'"+canonical(r)+"'\n")
		}, "SignatureDoesNotMatch: " + strings.TrimSuffix(mismatch, ".") + ". " + altered + " (HTTP 403, request 1a2b3c4d)"},
		{"signature, with an echo in the first line", func(w http.ResponseWriter, r *http.Request) {
			asAWS(w, r, 403, "Teapot", "Token "+r.Header.Get("X-Amz-Security-Token")+" of "+ownKey)
		}, "Teapot: Token [redacted] of [redacted] (HTTP 403, request 1a2b3c4d)"},
		{"code with an echo", func(w http.ResponseWriter, r *http.Request) { asAWS(w, r, 403, ownKey, "x") }, "[redacted]: x (HTTP 403, request 1a2b3c4d)"},
		{"long message", refuses(400, "Long", strings.Repeat("あ", 5000)), "Long: " + strings.Repeat("あ", maxQuote-1) + "… (HTTP 400, request 1a2b3c4d)"},
		{"expired", refuses(403, "ExpiredToken", "The security token included in the request is expired"), "ExpiredToken: The security token included in the request is expired. " + expired + " (HTTP 403, request 1a2b3c4d)"},
		{"moved", says(301, ""), "HTTP 301 Moved Permanently, without an error code of AWS's"},
		{"temporarily moved", says(307, ""), "HTTP 307 Temporary Redirect, without an error code of AWS's"},
		{"proxy", says(407, "Proxy"), "HTTP 407 Proxy Authentication Required, without an error code of AWS's"},
		{"page", says(403, html), "HTTP 403 Forbidden, without an error code of AWS's"},
		{"page of a gateway", says(502, html), "HTTP 502 Bad Gateway, without an error code of AWS's"},
		{"too large", says(413, ""), "HTTP 413 Request Entity Too Large, without an error code of AWS's"},
		{"throttled by a proxy", says(429, ""), "HTTP 429 Too Many Requests, without an error code of AWS's"},
		{"another document", says(400, `[]`), "HTTP 400 Bad Request, without an error code of AWS's"},
		{"a status of nobody's", says(499, `{}`), "HTTP 499, without an error code of AWS's"},
	} {
		for name, call := range calls {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				err := call(t.Context(), against(t, tt.answer))
				if err == nil {
					t.Fatal("no error")
				}
				_, got, _ := strings.Cut(err.Error(), name+", ")
				if got != tt.want {
					t.Errorf("error is %q, want %q", got, tt.want)
				}
				var refusal *Refusal
				if !errors.As(err, &refusal) || strings.ContainsAny(refusal.ErrorMessage(), "\n") {
					t.Errorf("it is %v, want a refusal of one line", refusal)
				}
				var api smithy.APIError
				if !errors.As(err, &api) || api != smithy.APIError(refusal) {
					t.Errorf("the SDK's own error comes first: %v", api)
				}
			})
		}
	}
}

// A service with a JSON protocol may send a message without a code.
func TestErrorsWithAMessageOnly(t *testing.T) {
	cfg := against(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"message":"Forbidden by the firewall."}`)
	})
	err := calls["PutJobSuccessResult"](t.Context(), cfg)
	if want := "HTTP 403 Forbidden, without an error code of AWS's: Forbidden by the firewall"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error is %v, want %q", err, want)
	}
}

// The service's own error stays in the chain.
func TestErrorsKeepTheirType(t *testing.T) {
	cfg := against(t, func(w http.ResponseWriter, r *http.Request) { asAWS(w, r, 400, "InvalidJobStateException", "x") })
	err := calls["PutJobSuccessResult"](t.Context(), cfg)
	if state := (*types.InvalidJobStateException)(nil); !errors.As(err, &state) {
		t.Errorf("error is %v, want an InvalidJobStateException", err)
	}
}

// The error of a call without an answer, or with one that cannot be read, says so.
func TestErrorsWithoutAnAnswer(t *testing.T) {
	hangUp := func(w http.ResponseWriter) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   string // a regular expression
	}{
		{"hung up", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			hangUp(w)
		}, `^(Get|Post) "http://127.0.0.1:\d+/[^"]*": (EOF|.* use of closed network connection)$`},
		{"hung up within a refusal", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<ErrorRe")
			_ = http.NewResponseController(w).Flush()
			hangUp(w)
		}, `^the answer cannot be read: unexpected EOF \(HTTP 403\)$`},
	} {
		for _, name := range []string{"GetInvalidation", "PutLifecycleEventHookExecutionStatus"} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				err := calls[name](t.Context(), against(t, tt.answer))
				if err == nil {
					t.Fatal("no error")
				}
				_, got, _ := strings.Cut(err.Error(), name+", ")
				if !regexp.MustCompile(tt.want).MatchString(got) {
					t.Errorf("error is %q, want %s", got, tt.want)
				}
				if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
					t.Errorf("it is a refusal: %v", refusal)
				}
			})
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := calls["GetInvalidation"](ctx, against(t, func(http.ResponseWriter, *http.Request) {}))
	if !errors.Is(err, context.Canceled) || !strings.HasSuffix(err.Error(), ", context canceled") {
		t.Errorf("cancelled: %v", err)
	}
}

// overMeanwhile returns a context that ends during the wait between two attempts.
type overMeanwhile struct {
	aws.Retryer
	end func()
}

func (o overMeanwhile) RetryDelay(int, error) (time.Duration, error) { o.end(); return time.Hour, nil }

// If the context ends, the error has the text of the previous error.
func TestErrorsWhenTheTimeIsOver(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers int  // before there is none
		waiting bool // when the time is over, for the next attempt
		want    string
	}{
		{"never an answer", 0, false, "PutJobSuccessResult, no answer within the time that was left"},
		{"throttled", 2, false, "PutJobSuccessResult, attempt 2: ThrottlingException: Rate exceeded (HTTP 400, request 1a2b3c4d); then the time was over"},
		{"throttled, and waiting", 1, true, "PutJobSuccessResult, attempt 1: ThrottlingException: Rate exceeded (HTTP 400, request 1a2b3c4d); then the time was over"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var asked atomic.Int32
			cfg := against(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if int(asked.Add(1)) <= tt.answers {
					asAWS(w, r, http.StatusBadRequest, "ThrottlingException", "Rate exceeded.")
					return
				}
				cancel()
				<-r.Context().Done()
			})
			cfg.Retryer = func() aws.Retryer {
				if tt.waiting {
					return overMeanwhile{retryer(maxAttempts), cancel}
				}
				return retry.AddWithMaxAttempts(atOnce{retryer(maxAttempts)}, ReportAttempts)
			}
			err := calls["PutJobSuccessResult"](ctx, cfg)
			if err == nil || !strings.HasSuffix(err.Error(), tt.want) || !errors.Is(err, context.Canceled) {
				t.Errorf("error is %v, want %q", err, tt.want)
			}
		})
	}
}

// The text of an error may contain the header of an answer.
func TestErrorsOfTheHeader(t *testing.T) {
	err := calls["GetInvalidation"](t.Context(), against(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "://"+ownToken)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	if err == nil || !strings.Contains(err.Error(), "[redacted]") || strings.Contains(err.Error(), "IQoJb3Jp") {
		t.Errorf("error is %v, want one without the token", err)
	}
}

// A redirect is not followed, because a request is signed for one host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		var other atomic.Int32
		elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { other.Add(1) }))
		defer elsewhere.Close()
		for name, call := range calls {
			err := call(t.Context(), against(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) }))
			if want := fmt.Sprintf("HTTP %d ", status); err == nil || !strings.Contains(err.Error(), want) || other.Load() != 0 {
				t.Errorf("%s, %d: error %v after %d calls elsewhere, want %q and none", name, status, err, other.Load(), want)
			}
		}
	}
}

// The client ends an answer that never ends, compressed or not.
func TestAnswersAreBounded(t *testing.T) {
	endless := func(w io.Writer) {
		block := []byte(strings.Repeat(" ", 30000))
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}
	for _, status := range []int{200, 403, 503} {
		for _, packed := range []bool{false, true} {
			for name, call := range calls {
				t.Run(fmt.Sprintf("%d, packed %v/%s", status, packed, name), func(t *testing.T) {
					cfg := against(t, func(w http.ResponseWriter, r *http.Request) {
						_, _ = io.Copy(io.Discard, r.Body)
						if packed {
							w.Header().Set("Content-Encoding", "gzip")
						}
						w.WriteHeader(status)
						if packed {
							endless(gzip.NewWriter(w))
						} else {
							endless(w)
						}
					})
					err := call(t.Context(), cfg)
					// The SDK closes the body of a request when the answer begins. This ends the
					// connection if Go's client has not noticed the end of the body yet.
					for err != nil && strings.Contains(err.Error(), "use of closed network connection") {
						err = call(t.Context(), cfg)
					}
					// The SDK does not ask for compressed answers, so it does not decompress one.
					if err == nil || !packed && !strings.Contains(err.Error(), "longer than 256 KiB") {
						t.Errorf("error is %v, want one that says that the answer is too long", err)
					}
				})
			}
		}
	}
	err := calls["GetInvalidation"](t.Context(), against(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 100 {
			w.Header().Set(fmt.Sprintf("X-Long-%d", i), strings.Repeat("x", 1000))
		}
	}))
	if err == nil || !strings.Contains(err.Error(), "header") {
		t.Errorf("long header: error is %v, want one", err)
	}
}

// An answer of exactly the allowed length is read to its end.
func TestBoundedBody(t *testing.T) {
	for _, length := range []int{0, maxAnswer - 1, maxAnswer, maxAnswer + 1, 2 * maxAnswer} {
		body := &boundedBody{io.NopCloser(strings.NewReader(strings.Repeat("x", length))), maxAnswer, maxAnswer}
		text, err := io.ReadAll(body)
		if want := min(length, maxAnswer); len(text) != want || (err != nil) != (length > maxAnswer) {
			t.Errorf("%d bytes: read %d, %v, want %d", length, len(text), err, want)
		}
	}
}
