package fakeaws

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// Fault describes how one call fails. The zero value is no fault.
type Fault struct {
	Kind FaultKind
	// Do runs when the fault happens: before the reply, and for After and MalformedBody after the cloud has processed
	// the call. Tests use it to kill the caller. Optional.
	Do func()
	// Body is the body of the reply for MalformedBody. Default: a reply that ends in the middle of its first tag or
	// member, or in the middle of what S3 sends. The AWS SDK accepts a CloudFront reply without any tag as an empty
	// reply. It does not read replies of CodePipeline, and requires JSON from CodeDeploy.
	Body string
}

// FaultKind is a way for a call to go wrong.
type FaultKind int

// The kinds of faults.
//
// Go's HTTP client repeats a GET when a reused connection ends without a reply. With ConnectionReset, Before and
// After the cloud may therefore receive two calls for one attempt of the AWS SDK.
const (
	NoFault          FaultKind = iota
	Throttle                   // The rate limiter refuses the call.
	ServerError                // The reply is HTTP 500.
	AccessDenied               // IAM denies access.
	ConnectionReset            // The connection ends with a TCP reset.
	Hang                       // There is no reply until the client closes the connection.
	MalformedBody              // The cloud processes the call and replies 200 with an invalid body, unless it refuses.
	Before                     // Do runs, and the connection is closed without a reply.
	After                      // The cloud processes the call, Do runs, and the connection is closed without a reply.
	BadSignature               // The signature is refused, and the reply shows what should have been signed.
	BadSignatureLine           // Like BadSignature, but in one line. No service of AWS replies so.
	Endless                    // The reply is HTTP 400 with a body that does not end.
)

var faultNames = [...]string{
	NoFault:         "NoFault",
	Throttle:        "Throttle",
	ServerError:     "ServerError",
	AccessDenied:    "AccessDenied",
	ConnectionReset: "ConnectionReset",
	Hang:            "Hang",
	MalformedBody:   "MalformedBody",
	Before:          "Before",
	After:           "After",

	BadSignature:     "BadSignature",
	BadSignatureLine: "BadSignatureLine",
	Endless:          "Endless",
}

// String returns the constant's name.
func (k FaultKind) String() string {
	if k < 0 || int(k) >= len(faultNames) {
		return fmt.Sprintf("FaultKind(%d)", int(k))
	}
	return faultNames[k]
}

func (f Fault) do() {
	if f.Do != nil {
		f.Do()
	}
}

// badSignature refuses the request's signature, even if it is right.
func (f Fault) badSignature(r *http.Request, payload string, svc *service) reply {
	refusal := *wrongSignature(r, payload, svc)
	if f.Kind == BadSignatureLine {
		refusal.message = strings.Join(strings.Fields(refusal.message), " ")
	}
	return svc.refuse(refusal)
}

// answerWithoutEnd writes until the client closes the connection.
func answerWithoutEnd(w http.ResponseWriter) {
	w.WriteHeader(http.StatusBadRequest)
	block := bytes.Repeat([]byte(" "), 32<<10)
	for {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// processed reports whether the cloud processes a call that the fault hits.
func (k FaultKind) processed() bool { return k == NoFault || k == After || k == MalformedBody }

// garbage returns an invalid reply in place of rep. An answer with a content, which only S3 sends, ends in its middle; the
// server then closes the connection.
func (f Fault) garbage(svc *service, rep reply) reply {
	body := f.Body
	if length, err := strconv.ParseInt(rep.header["Content-Length"], 10, 64); body == "" && rep.content != nil && err == nil && length > 0 {
		rep.content = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(rep.content, length/2), rep.content}
		return rep
	}
	if body == "" {
		body = svc.cutOff
	}
	return reply{status: http.StatusOK, body: []byte(body)}
}

// drop closes the connection without a reply. If reset is true, it sends a TCP reset.
func drop(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		// The connection is not HTTP/1. On this panic net/http aborts the stream and logs nothing.
		panic(http.ErrAbortHandler)
	}
	if reset {
		if tls, ok := conn.(interface{ NetConn() net.Conn }); ok {
			conn = tls.NetConn()
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // Close then sends RST in place of FIN.
		}
	}
	_ = conn.Close()
}
