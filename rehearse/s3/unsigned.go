package s3

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/encoding/httpbinding"
)

// maxUnsigned limits the idle connections of [Server.Unsigned]. A function has 64 requests under way.
const maxUnsigned = 128

// Unsigned returns the server for requests that somebody else has checked, such as a fakeaws.Cloud. A request needs the
// path of S3 ("/bucket/key"), any host and no signature: Unsigned signs it with the server's credentials. It reads the
// body once and keeps nothing of it. If the header X-Amz-Content-Sha256 has the body's hash, the server checks that.
func (s *Server) Unsigned() http.RoundTripper {
	return unsigned{s, &http.Transport{MaxIdleConnsPerHost: maxUnsigned, DisableCompression: true}}
}

type unsigned struct {
	server    *Server
	transport *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (u unsigned) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	signed := request.Clone(ctx)
	signed.URL = &url.URL{
		Scheme: "http", Host: u.server.address,
		Path: request.URL.Path, RawPath: httpbinding.EscapePath(request.URL.Path, false), RawQuery: request.URL.RawQuery,
	}
	signed.Host = u.server.address
	payload := signed.Header.Get("X-Amz-Content-Sha256")
	if payload == "" {
		payload = "UNSIGNED-PAYLOAD"
		signed.Header.Set("X-Amz-Content-Sha256", payload)
	}
	credentials, err := u.server.credentials.Retrieve(ctx)
	if err == nil {
		err = v4.NewSigner().SignHTTP(ctx, credentials, signed, payload, "s3", u.server.region, time.Now(),
			func(options *v4.SignerOptions) { options.DisableURIPathEscaping = true })
	}
	if err != nil {
		return nil, fmt.Errorf("sign %s %s: %w", request.Method, request.URL.Path, err)
	}
	response, err := u.transport.RoundTrip(signed)
	if err != nil {
		return nil, fmt.Errorf("pass on %s %s: %w", request.Method, request.URL.Path, err)
	}
	return response, nil
}
