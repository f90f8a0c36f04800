package awsenv

import (
	"fmt"
	"io"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const (
	// callTimeout limits one attempt, so that a connection without an answer costs seconds
	// and not the invocation.
	callTimeout = 5 * time.Second
	// maxAnswer limits the body of an answer, in bytes. The longest one returns the paths
	// of an invalidation, which have a few thousand characters. Decoding XML may need 40
	// times its length, and the function has 128 MB.
	maxAnswer = 256 << 10
	// maxAnswerHeader limits the header of an answer, in bytes. Go's limit is 10 MB.
	maxAnswerHeader = 64 << 10
)

// httpClient returns the HTTP client of all calls. Other than the SDK's own client, it does
// not follow the redirects 307 and 308: a request contains the id of a job or a hook, and is
// signed for one host.
//
// If keep is false, each request has its own connection. This is for answers that contain
// credentials, because Go logs what arrives on a kept connection after an answer.
func httpClient(keep bool) *http.Client {
	transport := awshttp.NewBuildableClient().GetTransport()
	transport.MaxResponseHeaderBytes = maxAnswerHeader
	transport.DisableKeepAlives = !keep
	return &http.Client{
		Timeout:       callTimeout,
		Transport:     bounded{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded limits the length of answers.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = &boundedBody{body: response.Body, left: maxAnswer}
	return response, nil
}

type boundedBody struct {
	body io.ReadCloser
	left int
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	// One byte more shows whether the answer is longer.
	n, err := b.body.Read(p[:min(len(p), b.left+1)])
	if n > b.left {
		n, err = b.left, errTooLong
	}
	b.left -= n
	return n, err
}

// Close implements io.Closer.
func (b *boundedBody) Close() error { return b.body.Close() }

// tooLong is the error of an answer that is too long. It is retryable, as other errors of
// the connection.
type tooLong struct{}

var errTooLong error = tooLong{}

func (tooLong) Error() string {
	return fmt.Sprintf("the answer is longer than %d KiB, as none of AWS's is", maxAnswer>>10)
}

// RetryableError implements the interface by which the SDK recognises such errors.
func (tooLong) RetryableError() bool { return true }
