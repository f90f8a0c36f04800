package s3client

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"blog-deploy-pipeline/lambdas/internal/awsenv"
)

const secret = "k7/Tq+9aZbX3/LwPm+R0vYcJd5sGnHe1UfIo8KtE"

// config returns a function's configuration, with an endpoint if there is one.
func config(endpoint string) aws.Config {
	env := map[string]string{"AWS_REGION": "ap-northeast-1", "AWS_ACCESS_KEY_ID": "ASIAQ3EGVDJ5TXW7H2PL", "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": "session", "AWS_ENDPOINT_URL_S3": endpoint}
	return awsenv.Config(func(name string) string { return env[name] })
}

// against returns a client of a server that answers so, which does not wait between its
// attempts.
func against(t *testing.T, answer http.HandlerFunc) *s3.Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	own := New(config(server.URL)).Options()
	own.Retryer = atOnce{own.Retryer}
	return s3.New(own)
}

type atOnce struct{ aws.Retryer }

func (atOnce) RetryDelay(int, error) (time.Duration, error) { return 0, nil }

func get(ctx context.Context, client *s3.Client) ([]byte, error) {
	out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: new("b"), Key: new("k")})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

// A bucket is a part of the host's name, unless the endpoint is a custom one.
func TestHosts(t *testing.T) {
	for endpoint, want := range map[string]string{
		"":                      "https://blog-site.s3.ap-northeast-1.amazonaws.com/a/%E6%97%A5%2B%20.html?x-id=PutObject",
		"http://127.0.0.1:9000": "http://127.0.0.1:9000/blog-site/a/%E6%97%A5%2B%20.html?x-id=PutObject",
	} {
		var got string
		_, err := New(config(endpoint)).PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("blog-site"), Key: new("a/日+ .html"), Body: strings.NewReader("x")}, func(o *s3.Options) {
			o.HTTPClient = sent(func(r *http.Request) { got = r.URL.String() })
		})
		if err != nil || got != want {
			t.Errorf("endpoint %q: asked %s, %v, want %s", endpoint, got, err, want)
		}
	}
}

// sent is a client of HTTP whose every answer is an empty success.
type sent func(*http.Request)

func (s sent) Do(r *http.Request) (*http.Response, error) {
	s(r)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Etag": {`"e"`}}, Body: http.NoBody}, nil
}

// A write has one SHA-256 for its signature and for S3's own check, in the header. The
// client does not read the content for it, and adds no checksum of its own.
func TestWithSHA256(t *testing.T) {
	const content = "<h1>日本</h1>"
	sum := sha256.Sum256([]byte(content))
	var header http.Header
	var body []byte
	var length int64
	in := &s3.PutObjectInput{Bucket: new("b"), Key: new("k"), Body: struct{ io.Reader }{strings.NewReader(content)}, ContentLength: new(int64(len(content)))}
	options := WithSHA256(in, sum)
	_, err := New(config("http://127.0.0.1:9000")).PutObject(t.Context(), in, options, func(o *s3.Options) {
		o.HTTPClient = sent(func(r *http.Request) {
			header, length = r.Header, r.ContentLength
			body, _ = io.ReadAll(r.Body)
		})
	})
	if err != nil || string(body) != content || length != int64(len(content)) {
		t.Fatalf("sent %q, length %d, %v, want %q", body, length, err, content)
	}
	for name, want := range map[string]string{
		"X-Amz-Content-Sha256":         hex.EncodeToString(sum[:]),
		"X-Amz-Checksum-Sha256":        base64.StdEncoding.EncodeToString(sum[:]),
		"X-Amz-Trailer":                "",
		"X-Amz-Sdk-Checksum-Algorithm": "",
		"X-Amz-Checksum-Crc32":         "",
		"Content-Encoding":             "",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// As many requests as there are workers are in progress at once, on connections that stay
// open.
func TestConnectionsStayOpen(t *testing.T) {
	const workers, rounds = 64, 3
	var opened, refused atomic.Int32
	var mu sync.Mutex
	inside, all := 0, make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		inside++
		wait := all
		if inside == workers {
			close(all)
			inside, all = 0, make(chan struct{})
		}
		mu.Unlock()
		<-wait
		_, _ = io.WriteString(w, "content")
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client := New(config(server.URL))
	for range rounds {
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				if _, err := get(t.Context(), client); err != nil {
					refused.Add(1)
				}
			})
		}
		wg.Wait()
	}
	// Go may open a connection for a request that then finds one that has become free.
	if got := opened.Load(); refused.Load() != 0 || got > 2*workers {
		t.Errorf("%d connections for %d rounds of %d requests, %d of which failed; want about %d", got, rounds, workers, refused.Load(), workers)
	}
}

// S3 asks for fewer requests by errors that pass. There are 8 attempts for each call,
// however many have failed before.
func TestRetries(t *testing.T) {
	for _, code := range []int{http.StatusServiceUnavailable, http.StatusInternalServerError} {
		var asked atomic.Int32
		client := against(t, func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(code)
			_, _ = io.WriteString(w, `<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`)
		})
		for range 100 {
			asked.Store(0)
			if _, err := get(t.Context(), client); err == nil || asked.Load() != 8 {
				t.Fatalf("HTTP %d: error %v after %d attempts, want one after 8", code, err, asked.Load())
			}
		}
	}
}

// The content of an object may be long. What S3 says about objects is bounded.
func TestBounds(t *testing.T) {
	const length = 20 << 20
	long := strings.Repeat("x", 1<<20)
	endless := against(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("list-type") != "" || r.URL.Path == "/b/refused" {
			if r.URL.Path == "/b/refused" {
				w.WriteHeader(http.StatusForbidden)
			}
			for {
				if _, err := io.WriteString(w, long); err != nil {
					return
				}
			}
		}
		for range length / len(long) {
			_, _ = io.WriteString(w, long)
		}
	})
	if content, err := get(t.Context(), endless); err != nil || len(content) != length {
		t.Errorf("an object: %d bytes, %v, want %d", len(content), err, length)
	}
	if _, err := endless.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: new("b")}); err == nil || !strings.Contains(err.Error(), "longer than 8192 KiB") {
		t.Errorf("an endless listing: %v", err)
	}
	if _, err := endless.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("b"), Key: new("refused")}); err == nil || !strings.Contains(err.Error(), "longer than 8192 KiB") {
		t.Errorf("an endless refusal: %v", err)
	}
}

// Errors have one line, that of content as well, and no credentials.
func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"refused", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amz-Request-Id", "1A2B")
			w.Header().Set("X-Amz-Id-2", "host")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>User: x is not authorized to perform: s3:GetObject `+secret+`.</Message></Error>`)
		}, "operation error S3: GetObject, AccessDenied: User: x is not authorized to perform: s3:GetObject [redacted] (HTTP 403, request 1A2B)"},
		{"in another Region", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://elsewhere.invalid/")
			w.WriteHeader(http.StatusTemporaryRedirect)
			_, _ = io.WriteString(w, `<Error><Code>TemporaryRedirect</Code><Message>Please re-send this request.</Message></Error>`)
		}, "operation error S3: GetObject, TemporaryRedirect: Please re-send this request (HTTP 307)"},
		{"broken off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "only this")
		}, "the content broke off: unexpected EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := get(t.Context(), against(t, tt.answer))
			if err == nil || err.Error() != tt.want {
				t.Errorf("error is %v, want %s", err, tt.want)
			}
		})
	}
	missing := against(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>`)
	})
	if _, err := get(t.Context(), missing); !errors.As(err, new(*types.NoSuchKey)) {
		t.Errorf("a missing key: %v, want a NoSuchKey", err)
	}
}

// A copy may fail after S3 has begun to answer with success.
func TestRefusalInsideASuccess(t *testing.T) {
	client := against(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "<?xml version=\"1.0\"?>\n  <Error><Code>InternalError</Code><Message>x</Message></Error>")
	})
	_, err := client.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: new("b"), Key: new("k"), CopySource: new("a/k")})
	if err == nil || !strings.Contains(err.Error(), "InternalError") {
		t.Errorf("error is %v, want the one inside the answer", err)
	}
}
