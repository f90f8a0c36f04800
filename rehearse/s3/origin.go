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

// objectHeaders are the headers of an answer that are about the object; the others are about this
// server or this request.
var objectHeaders = []string{
	"Accept-Ranges", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language",
	"Content-Length", "Content-Type", "Etag", "Expires", "Last-Modified",
}

// Origin is the bucket as a CloudFront distribution sees it, which reads with origin access control. A
// request's path, as it came from the reader, names the object; If-None-Match is the one header that is
// passed on. Everything is a GET: an edge that was asked for a HEAD can cache the answer.
//
// As in S3, an object that does not exist is a 403: the bucket policy that CloudFront's console and
// CDK write gives a distribution s3:GetObject without s3:ListBucket, and who may not list may not know.
func (s *Server) Origin(bucket string) http.RoundTripper {
	return s.OriginWith(bucket, Access{Read: true})
}

// Access is what the bucket's policy lets a distribution do.
type Access struct {
	Read bool // s3:GetObject, of all objects
	List bool // s3:ListBucket: then an object that does not exist is a 404, and "/" is a listing
}

// OriginWith is [Server.Origin] for a distribution that may do more, or less.
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

// missing answers for an object that does not exist.
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
	signed, err := http.NewRequestWithContext(ctx, http.MethodGet, o.server.Endpoint()+path, nil) //nolint:gosec // Readers choose the path; that is what the edge is for.
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
		// Unlike S3, versitygw gives the type of the empty answer, and not the ETag.
		response.Header.Del("Content-Type")
		response.Header.Set("Etag", request.Header.Get("If-None-Match"))
	}
	response.Header.Set("Server", "AmazonS3")
	response.Request = request
	return response, nil
}

// objectKey is the key of the object that a URL asks S3 for. It is not ok for a URL that can name no
// object in a bucket on disk.
func objectKey(u *url.URL) (key string, ok bool) {
	// S3 takes a plus for a space, in paths too: an object "c++" is at "/c%2B%2B".
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

// refuse answers as S3 does.
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
