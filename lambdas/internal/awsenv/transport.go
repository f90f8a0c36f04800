package awsenv

import (
	"fmt"
	"io"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const (
	// maxAnswer is far above the longest answer: an invalidation's paths come back with
	// it, and an action's or a function's settings hold a few thousand characters. A
	// function has 128 MB, and XML of nothing but tags takes 40 times its length.
	maxAnswer = 256 << 10
	// maxAnswerHeader is the same for the header, which is otherwise 10 MB.
	maxAnswerHeader = 64 << 10
)

// httpClient returns the client that all calls go through. Not the SDK's own, which
// follows 307 and 308 wherever they lead: a request holds a job's or a hook's id, and is
// signed for one host.
//
// What comes on a connection that is kept, and that nobody asked for, is logged by Go: an
// answer that has credentials in it must have one of its own.
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

// bounded ends answers that are too long.
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
	// One byte more tells an answer that ends there from one that goes on.
	n, err := b.body.Read(p[:min(len(p), b.left+1)])
	if n > b.left {
		n, err = b.left, errTooLong
	}
	b.left -= n
	return n, err
}

// Close implements io.Closer.
func (b *boundedBody) Close() error { return b.body.Close() }

// tooLong is retryable, as other answers that are a fault of the connection.
type tooLong struct{}

var errTooLong error = tooLong{}

func (tooLong) Error() string {
	return fmt.Sprintf("the answer is longer than %d KiB, as none of AWS's is", maxAnswer>>10)
}

// RetryableError implements what the SDK asks of an error.
func (tooLong) RetryableError() bool { return true }
