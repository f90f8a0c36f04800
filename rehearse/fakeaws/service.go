package fakeaws

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"
)

// request is an HTTP request whose service and operation are known.
type request struct {
	svc  *service
	call Call
	// payload is the hash of the body that the client has signed.
	payload string
	// tooLarge says that the body is longer than any that the double supports.
	tooLarge bool
	// checks holds the permissions that the request needs. nil stands for that of call alone.
	checks []Call
	// run applies the request to the cloud's state. It is called with c.mu held, at most once, and only for a request
	// that is signed and authorized. A request to S3 has forward in its place, which is called without c.mu.
	run, forward func() reply
}

// reply is an HTTP response.
type reply struct {
	status  int
	header  map[string]string
	body    []byte
	errCode string
	// content is what S3 sends in place of body; nil for none.
	content io.ReadCloser
}

func (rep reply) send(w http.ResponseWriter) {
	for name, value := range rep.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(rep.status)
	// The client may leave before it has read the answer.
	if rep.content != nil {
		_, _ = io.Copy(w, rep.content)
	} else {
		_, _ = io.Copy(w, bytes.NewReader(rep.body))
	}
}

// close ends the reading of a content.
func (rep reply) close() {
	if rep.content != nil {
		_ = rep.content.Close()
	}
}

// apiError is a refusal, independent of the wire format.
type apiError struct {
	code, message string
	status        int
}

// internalFailure is the reply of a service that fails.
// https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html
var internalFailure = apiError{
	code:    "InternalFailure",
	message: "The request processing has failed because of an unknown error, exception or failure.",
	status:  http.StatusInternalServerError,
}

// service holds the differences between the services: the wire format of refusals, and the error codes of refusals
// that all services have.
type service struct {
	name     string // the name in credential scopes and IAM actions
	global   bool   // whether requests may be signed for us-east-1, too
	refuse   func(apiError) reply
	cutOff   string   // the first characters of a reply
	unsigned apiError // for a request without a signature
	garbled  apiError // for a signature that cannot be parsed or is incomplete
	mismatch apiError // for a signature of another request
	// misscoped is for a signature with another scope, and untimely for one that is older or newer than maxSignatureAge.
	misscoped, untimely apiError
	maxSignatureAge     time.Duration
	// unknownKey is for a key that the cloud did not issue, and for a wrong or missing session token. expiredKey is
	// for a temporary key that has expired.
	unknownKey, expiredKey apiError
	// accessDenied is for a request that IAM denies, throttled for one that the rate limiter refuses, and failed for one at
	// which the service fails.
	accessDenied, throttled, failed apiError
}

// unknownAction returns the name under which Calls lists a request that the double does not support.
func unknownAction(svc *service, r *http.Request) string {
	return strings.Join([]string{svc.name + ":", r.Method, r.URL.Path}, " ")
}

// signingRegions returns the Regions that the credential scope of a request to the service may name; region is the
// cloud's.
//
// CloudFront is global, and requests to it are signed for us-east-1. A custom endpoint disables the SDK's endpoint rules,
// and the SDK then signs for the client's own Region. STS is in every Region, and the functions call STS in us-east-1.
func (s *service) signingRegions(region string) []string {
	if s.global {
		return []string{"us-east-1", region}
	}
	return []string{region}
}
