package fakeaws

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// Fault is what goes wrong with one call. The zero value is no fault.
type Fault struct {
	Kind FaultKind
	// Do, where set, runs at the fault's moment: before the reply, and for After and MalformedBody
	// once the call has been processed. Tests use it to kill the caller.
	Do func()
	// Body is what MalformedBody answers. Default: a reply cut off in the middle of its first tag or
	// member. Mind that the AWS SDK takes a CloudFront reply without any tag for an empty one, not for
	// an error, and does not read CodePipeline's replies at all; CodeDeploy's must be JSON.
	Body string
}

// FaultKind is a way for a call to go wrong.
type FaultKind int

// Go's HTTP client, below the AWS SDK, sends a GET once more by itself when a kept-alive connection
// dies without a reply: ConnectionReset, Before and After can so yield two calls where the SDK counts
// one attempt.
const (
	NoFault          FaultKind = iota
	Throttle                   // refused by the service's rate limiter; not processed
	ServerError                // HTTP 500; not processed
	AccessDenied               // refused by IAM; not processed
	ConnectionReset            // TCP reset instead of a reply; not processed
	Hang                       // no reply until the client goes away; not processed
	MalformedBody              // processed, then 200 with a body that is no reply; a refusal is sent as it is
	Before                     // Do, then the connection is closed without a reply; not processed
	After                      // processed, then Do, then the connection is closed without a reply
	BadSignature               // refused as wrongly signed, with all that should have been signed; not processed
	BadSignatureLine           // the same, in one line, as no service of AWS's writes it; not processed
	Endless                    // HTTP 400 with a body that does not end; not processed
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

// badSignature refuses a request for its signature, whatever that is.
func (f Fault) badSignature(r *http.Request, body []byte, svc *service) reply {
	refusal := *wrongSignature(r, body, svc)
	if f.Kind == BadSignatureLine {
		refusal.message = strings.Join(strings.Fields(refusal.message), " ")
	}
	return svc.refuse(refusal)
}

// answerWithoutEnd writes until the client goes away.
func answerWithoutEnd(w http.ResponseWriter) {
	w.WriteHeader(http.StatusBadRequest)
	block := bytes.Repeat([]byte(" "), 32<<10)
	for {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

func (f Fault) garbage(svc *service) reply {
	body := f.Body
	if body == "" {
		body = svc.cutOff
	}
	return reply{status: http.StatusOK, body: []byte(body)}
}
