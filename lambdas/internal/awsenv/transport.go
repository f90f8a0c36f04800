package awsenv

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"blog-deploy-pipeline/lambdas/internal/redact"
)

const (
	// callTimeout limits one attempt, so that a connection without an answer costs seconds
	// and not the invocation.
	callTimeout = 5 * time.Second
	// maxAnswer limits the body of an answer, in bytes. The longest one returns the paths
	// of an invalidation, which have a few thousand characters. Decoding XML may need 40
	// times its length, and the function has 128 MB.
	maxAnswer = 256 << 10
	// maxObjectAnswer is that of S3's answers about objects. The longest one lists 1,000
	// keys of 1,024 bytes, each of which may take six in XML.
	maxObjectAnswer = 8 << 20
	// objectConnections is how many requests for objects are in progress at once, at most.
	// A connection for each of them stays open, because opening one takes longer than most
	// requests.
	objectConnections = 64
	// objectSilence ends a connection for objects on which nothing is sent or received.
	// The content of an object may take longer than callTimeout, and so may a copy.
	objectSilence = 20 * time.Second
	// maxAnswerHeader limits the header of an answer, in bytes. Go's limit is 10 MB.
	maxAnswerHeader = 64 << 10
)

// httpClient returns the HTTP client of all calls but those to S3. Other than the SDK's
// own client, it does not follow the redirects 307 and 308: a request contains the id of a
// job or a hook, and is signed for one host.
//
// If keep is false, each request has its own connection. This is for answers that contain
// credentials, because Go logs what arrives on a kept connection after an answer.
func httpClient(keep bool) *http.Client {
	transport := newTransport()
	transport.DisableKeepAlives = !keep
	return &http.Client{Timeout: callTimeout, Transport: bounded{transport, maxAnswer}, CheckRedirect: noRedirects}
}

// waitingClient returns the HTTP client of calls to functions.
func waitingClient() *http.Client {
	return &http.Client{Transport: bounded{newTransport(), maxAnswer}, CheckRedirect: noRedirects}
}

// objectClient returns the HTTP client of calls to S3.
func objectClient() *http.Client {
	transport := newTransport()
	transport.MaxIdleConnsPerHost = objectConnections
	transport.MaxIdleConns = 0 // Each bucket is a host of its own, and there are three.
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return watched{conn}, nil
	}
	return &http.Client{Transport: bounded{transport, maxObjectAnswer}, CheckRedirect: noRedirects}
}

func newTransport() *http.Transport {
	transport := awshttp.NewBuildableClient().GetTransport()
	transport.MaxResponseHeaderBytes = maxAnswerHeader
	return transport
}

func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// watched is a connection that ends if nothing happens on it for objectSilence.
type watched struct{ net.Conn }

// Read implements net.Conn.
func (w watched) Read(p []byte) (int, error) {
	if err := w.SetDeadline(time.Now().Add(objectSilence)); err != nil {
		return 0, err
	}
	return w.Conn.Read(p)
}

// Write implements net.Conn.
func (w watched) Write(p []byte) (int, error) {
	if err := w.SetDeadline(time.Now().Add(objectSilence)); err != nil {
		return 0, err
	}
	return w.Conn.Write(p)
}

// bounded limits the length of answers, in bytes. It does not limit the content of an
// object, of which the caller knows how much it wants.
type bounded struct {
	http.RoundTripper
	limit int
}

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if isContent(r, response) {
		response.Body = content{response.Body}
	} else {
		response.Body = &boundedBody{response.Body, b.limit, b.limit}
	}
	return response, nil
}

// isContent reports whether an answer is the content of an object. The SDK names the
// operation in the request's query.
func isContent(r *http.Request, response *http.Response) bool {
	return response.StatusCode < http.StatusMultipleChoices && r.URL.Query().Get("x-id") == "GetObject"
}

// content is the content of an object, whose errors can be logged and reported as those of
// calls.
type content struct{ io.ReadCloser }

// Read implements io.Reader.
func (c content) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &readable{"the content broke off: " + redact.Line(err.Error(), maxQuote), err}
	}
	return n, err
}

type boundedBody struct {
	body        io.ReadCloser
	limit, left int
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	// One byte more shows whether the answer is longer.
	n, err := b.body.Read(p[:min(len(p), b.left+1)])
	if n > b.left {
		n, err = b.left, tooLong(b.limit)
	}
	b.left -= n
	return n, err
}

// Close implements io.Closer.
func (b *boundedBody) Close() error { return b.body.Close() }
