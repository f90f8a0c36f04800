package s3

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/encoding/httpbinding"
)

// emptySHA256 is the hash of a request without a body.
const emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// objectHeaders lists the headers of a response that describe the object. The others describe the server or the
// request.
var objectHeaders = []string{
	"Accept-Ranges", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language",
	"Content-Length", "Content-Type", "Etag", "Expires", "Last-Modified",
}

// Origin returns the bucket as a CloudFront distribution sees it that reads with origin access control. The request's
// path names the object. Origin passes on the header If-None-Match and no other. It sends a GET for every request, so
// that the edge can cache the response to a HEAD.
//
// An object that does not exist is a 403, as in S3 without s3:ListBucket. The bucket policies of CloudFront's console
// and of the CDK allow only s3:GetObject.
func (s *Server) Origin(bucket string) http.RoundTripper {
	return s.OriginWith(bucket, Access{Read: true})
}

// Access says what the bucket's policy allows a distribution to do.
type Access struct {
	Read bool // s3:GetObject of all objects
	List bool // s3:ListBucket; then an object that does not exist is a 404, and "/" is a listing
}

// OriginWith is [Server.Origin] with other permissions.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (s *Server) OriginWith(bucket string, access Access) http.RoundTripper {
	return origin{s, bucket, access}
}

type origin struct {
	server *Server
	bucket string
	access Access
}

// missing returns the response for an object that does not exist.
func (o origin) missing(request *http.Request) *http.Response {
	if !o.access.List {
		return refuse(request, http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	return refuse(request, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}

// RoundTrip implements http.RoundTripper.
func (o origin) RoundTrip(request *http.Request) (*http.Response, error) {
	key, ok := objectKey(request.URL)
	lists := o.access.List && strings.TrimPrefix(request.URL.Path, "/") == ""
	switch {
	case lists:
	case !ok:
		return o.missing(request), nil
	case !o.access.Read && !o.access.List:
		return refuse(request, http.StatusForbidden, "AccessDenied", "Access Denied"), nil
	}
	path := httpbinding.EscapePath("/"+o.bucket+"/"+key, false)
	ctx := request.Context()
	signed, err := http.NewRequestWithContext(ctx, http.MethodGet, o.server.Endpoint()+path, nil) //nolint:gosec // Readers choose the path, as they do at CloudFront.
	if err != nil {
		return nil, fmt.Errorf("read %s/%s: %w", o.bucket, key, err)
	}
	if match := request.Header.Get("If-None-Match"); match != "" {
		signed.Header.Set("If-None-Match", match)
	}
	signed.Header.Set("X-Amz-Content-Sha256", emptySHA256)
	credentials, err := o.server.credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("read %s/%s: %w", o.bucket, key, err)
	}
	err = v4.NewSigner().SignHTTP(ctx, credentials, signed, emptySHA256, "s3", o.server.region, time.Now(),
		func(options *v4.SignerOptions) { options.DisableURIPathEscaping = true })
	if err != nil {
		return nil, fmt.Errorf("read %s/%s: %w", o.bucket, key, err)
	}
	response, err := http.DefaultTransport.RoundTrip(signed)
	if err != nil {
		return nil, fmt.Errorf("read %s/%s: %w", o.bucket, key, err)
	}

	if response.StatusCode == http.StatusNotFound {
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("read %s/%s: %w", o.bucket, key, err)
		}
		if bytes.Contains(body, []byte("<Code>NoSuchBucket</Code>")) {
			return refuse(request, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist"), nil
		}
		return o.missing(request), nil
	}
	if !o.access.Read && !lists {
		_ = response.Body.Close()
		return refuse(request, http.StatusForbidden, "AccessDenied", "Access Denied"), nil
	}
	for name := range response.Header {
		if !slices.Contains(objectHeaders, name) && !strings.HasPrefix(name, "X-Amz-Meta-") {
			response.Header.Del(name)
		}
	}
	if response.StatusCode == http.StatusNotModified {
		// Unlike S3, versitygw sends a Content-Type and no ETag here.
		response.Header.Del("Content-Type")
		response.Header.Set("Etag", request.Header.Get("If-None-Match"))
	}
	response.Header.Set("Server", "AmazonS3")
	response.Request = request
	return response, nil
}

// objectKey returns the key of the object that a URL names. ok is false if the rehearsal's server cannot have an object
// with this key.
func objectKey(u *url.URL) (key string, ok bool) {
	// S3 reads a plus as a space, in paths, too. The path of an object "c++" is "/c%2B%2B".
	escaped := strings.ReplaceAll(strings.TrimPrefix(u.EscapedPath(), "/"), "+", "%20")
	key, err := url.PathUnescape(escaped)
	if err != nil || key == "" || strings.HasSuffix(key, "/") {
		return "", false
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.Contains(segment, "\x00") {
			return "", false
		}
	}
	return key, true
}

// refuse returns an error response in S3's format.
func refuse(request *http.Request, status int, code, message string) *http.Response {
	body := `<?xml version="1.0" encoding="UTF-8"?>` + "\n<Error><Code>" + code + "</Code><Message>" + message + "</Message></Error>"
	return &http.Response{
		Status:     strconv.Itoa(status) + " " + http.StatusText(status),
		StatusCode: status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/xml"}, "Server": {"AmazonS3"}},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       request,
	}
}
