package fakeaws

import (
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	s3Name = "s3"
	s3ARN  = "arn:aws:s3:::"

	// maxErrorBytes limits the error of Options.S3 that is read.
	maxErrorBytes = 64 << 10
)

// s3 refuses as S3 does. It has what should have been signed in a refusal's message, as the other services have, although
// S3 has it in elements of their own: a function must not log it in any case.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
var s3 = &service{
	name:            s3Name,
	refuse:          refuseS3,
	cutOff:          "<ListBucketRes",
	unsigned:        apiError{"AccessDenied", "Access Denied", http.StatusForbidden},
	garbled:         apiError{code: "AuthorizationHeaderMalformed", status: http.StatusBadRequest},
	mismatch:        apiError{code: "SignatureDoesNotMatch", status: http.StatusForbidden},
	misscoped:       apiError{code: "AuthorizationHeaderMalformed", status: http.StatusBadRequest},
	untimely:        apiError{code: "RequestTimeTooSkewed", status: http.StatusForbidden},
	maxSignatureAge: 15 * time.Minute,
	unknownKey:      apiError{"InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", http.StatusForbidden},
	expiredKey:      apiError{"ExpiredToken", "The provided token has expired.", http.StatusBadRequest},
	accessDenied:    apiError{code: "AccessDenied", status: http.StatusForbidden},
	throttled:       apiError{"SlowDown", "Please reduce your request rate.", http.StatusServiceUnavailable},
	failed:          apiError{"InternalError", "We encountered an internal error. Please try again.", http.StatusInternalServerError},
}

func refuseS3(refusal apiError) reply {
	body := mustMarshalXML(struct {
		XMLName                          xml.Name `xml:"Error"`
		Code, Message, RequestId, HostId string   //nolint:revive,staticcheck // AWS's names.
	}{Code: refusal.code, Message: refusal.message, RequestId: randomString(16, upperAlphanumeric), HostId: randomString(76, base64Alphabet)})
	return reply{status: refusal.status, header: map[string]string{"Content-Type": "application/xml"}, body: body, errCode: refusal.code}
}

// isS3 reports whether a request is signed for S3. Its requests have no other mark, because any path can be an object's.
func isS3(r *http.Request) bool {
	auth, _ := parseAuthorization(r.Header.Get("Authorization"))
	return auth.service == s3Name
}

// s3Path returns the decoded path of a request. S3 reads a plus in it as a space.
func s3Path(u *url.URL) string {
	path, err := url.PathUnescape(strings.ReplaceAll(u.EscapedPath(), "+", "%20"))
	if err != nil {
		return u.Path // The server has decoded it already, so this cannot happen.
	}
	return path
}

// s3Call is a request to S3 whose operation is known.
type s3Call struct {
	*request

	cloud       *Cloud
	r           *http.Request
	op          *s3Operation
	bucket, key string
}

// s3Request finds the operation, and what IAM has to allow for it.
func (c *Cloud) s3Request(r *http.Request) *request {
	req := &request{svc: s3, payload: r.Header.Get("X-Amz-Content-Sha256")}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(s3Path(r.URL), "/"), "/")
	op := findS3Operation(r, bucket, key)
	if op == nil {
		req.call = Call{Action: unknownAction(s3, r), Resource: "*"}
		req.checks = []Call{} // IAM has no such action.
		req.forward = func() reply {
			drain(r)
			return refuseS3(notImplemented("The double of S3 does not support %s %s", r.Method, r.URL))
		}
		return req
	}
	call := s3Call{request: req, cloud: c, r: r, op: op, bucket: bucket, key: key}
	call.permissions()
	req.forward = func() reply {
		if refusal := call.invalid(); refusal != nil {
			drain(r)
			return refuseS3(*refusal)
		}
		return op.run(call)
	}
	return req
}

// permissions sets what IAM checks.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
func (s s3Call) permissions() {
	s.call = Call{Action: "s3:" + s.op.action, Operation: s.op.name, Resource: s3ARN + s.bucket}
	query := s.r.URL.Query()
	if s.key != "" {
		s.call.Resource += "/" + s.key
	}
	also := func(action, resource string, context map[string]string) {
		s.checks = append(s.checks, Call{Action: action, Operation: s.op.name, Resource: resource, Context: context})
	}
	switch s.op.name {
	case "DeleteObjects":
		s.checks = []Call{} // It asks for each object.
		return
	case "ListObjectsV2":
		s.call.Context = map[string]string{}
		for _, name := range []string{"prefix", "delimiter", "max-keys"} {
			if query.Has(name) {
				s.call.Context["s3:"+name] = query.Get(name)
			}
		}
	}
	s.checks = []Call{s.call}
	if source, err := s.source(); s.op.name == "CopyObject" && err == nil {
		also("s3:GetObject", s3ARN+source, nil)
	}
	// S3 tells the caller whether an ETag is the object's.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
	if s.op.writes && s.r.Header.Get("If-Match") != "" {
		also("s3:GetObject", s.call.Resource, nil)
	}
	if s.r.Header.Get(encryptionHeader) == "aws:kms" {
		key := s.r.Header.Get(encryptionKeyHeader)
		if !strings.HasPrefix(key, "arn:") {
			key = fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", s.cloud.opts.Region, s.cloud.opts.Account, key)
		}
		via := map[string]string{"kms:ViaService": "s3." + s.cloud.opts.Region + ".amazonaws.com"}
		also("kms:GenerateDataKey", key, via)
	}
}

// source returns the bucket and the key that a CopyObject copies.
func (s s3Call) source() (string, error) {
	return url.PathUnescape(strings.TrimPrefix(s.r.Header.Get(copySourceHeader), "/"))
}

// put stores an object. It looks at the object's condition before versitygw does, which ends the connection of a request
// that it refuses without having read the body, so that its answer may be lost. versitygw decides between writers who come
// at once.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func (s s3Call) put() reply {
	match, none := s.r.Header.Get("If-Match"), s.r.Header.Get("If-None-Match")
	if match == "" && none == "" {
		return s.pass()
	}
	there := s.send(http.MethodHead, nil, 0, http.Header{})
	there.close()
	missing := there.status == http.StatusNotFound
	if match != "" && missing {
		drain(s.r)
		return refuseS3(apiError{"NoSuchKey", "The specified key does not exist.", http.StatusNotFound})
	}
	if none != "" && there.errCode == "" || match != "" && strings.Trim(match, `"`) != strings.Trim(there.header["Etag"], `"`) {
		drain(s.r)
		return refuseS3(apiError{"PreconditionFailed", "At least one of the pre-conditions you specified did not hold", http.StatusPreconditionFailed})
	}
	return s.pass()
}

// pass has Options.S3 process the request.
func (s s3Call) pass() reply {
	rep := s.send(s.r.Method, s.r.Body, s.r.ContentLength, s.r.Header.Clone())
	switch {
	case rep.errCode != "":
		drain(s.r) // versitygw may have refused the request before it has read the body.
	case s.op.writes:
		s.written(s.key)
	}
	return rep
}

// written tells of an object that the request has stored or removed.
func (s s3Call) written(key string) {
	if s.cloud.opts.Written != nil {
		s.cloud.opts.Written(Write{Bucket: s.bucket, Key: key, Deleted: s.op.action == "DeleteObject"})
	}
}

func (s s3Call) send(method string, body io.Reader, length int64, header http.Header) reply {
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token", "Expect", "Accept-Encoding", encryptionHeader, encryptionKeyHeader} {
		header.Del(name)
	}
	// AWS processes a request that it has received, even if the client leaves. If the client leaves earlier, the body ends
	// with an error.
	out := (&http.Request{
		Method: method, URL: &url.URL{Path: s3Path(s.r.URL), RawQuery: s.r.URL.RawQuery}, Header: header, ContentLength: length,
	}).WithContext(context.WithoutCancel(s.r.Context()))
	if length != 0 {
		out.Body = io.NopCloser(body)
	}
	response, err := s.cloud.opts.S3.RoundTrip(out)
	if err != nil {
		failed := s3.failed
		failed.message = fmt.Sprintf("The server behind the double of S3 does not answer: %v", err)
		return refuseS3(failed)
	}
	rep := reply{status: response.StatusCode, header: s.header(response.Header), content: response.Body}
	if response.StatusCode < http.StatusMultipleChoices {
		return rep
	}
	defer response.Body.Close()
	rep.content = nil
	rep.body, _ = io.ReadAll(io.LimitReader(response.Body, maxErrorBytes))
	var refusal struct{ Code string }
	_ = xml.Unmarshal(rep.body, &refusal) // The answer to a HEAD has no body.
	rep.errCode = cmp.Or(refusal.Code, strings.ReplaceAll(http.StatusText(rep.status), " ", ""))
	return rep
}

// header returns the headers of S3's own answer.
func (s s3Call) header(from http.Header) map[string]string {
	header := map[string]string{}
	for name, values := range from {
		if name != "Date" && name != "Connection" {
			header[name] = strings.Join(values, ", ")
		}
	}
	header["Server"] = "AmazonS3"
	header["X-Amz-Request-Id"], header["X-Amz-Id-2"] = uuid.NewString(), randomString(76, base64Alphabet)
	for _, name := range []string{encryptionHeader, encryptionKeyHeader} {
		if value := s.r.Header.Get(name); value != "" {
			header[name] = value
		}
	}
	return header
}

// read reads an object. Only a caller who may list the bucket learns that there is none.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (s s3Call) read() reply {
	return s.orDenied(s.pass(), s.bucket)
}

// copyObject copies an object on the server.
func (s s3Call) copyObject() reply {
	source, _ := s.source() // invalid has checked it.
	bucket, _, _ := strings.Cut(source, "/")
	return s.orDenied(s.pass(), bucket)
}

func (s s3Call) orDenied(rep reply, bucket string) reply {
	if rep.status != http.StatusNotFound || rep.errCode == "NoSuchBucket" {
		return rep
	}
	listing := Call{Action: "s3:ListBucket", Operation: s.op.name, Resource: s3ARN + bucket, Principal: s.call.Principal}
	if denied := s.cloud.denied(s3, listing); denied != nil {
		return refuseS3(*denied)
	}
	return rep
}

func notImplemented(format string, args ...any) apiError {
	return apiError{"NotImplemented", fmt.Sprintf(format, args...), http.StatusNotImplemented}
}
