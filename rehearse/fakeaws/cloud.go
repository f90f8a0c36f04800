// Package fakeaws is a double of the AWS APIs that the Lambda functions call: CloudFront's invalidations,
// CodePipeline's job results, the lifecycle hooks of CodeDeploy and of ECS, and STS's AssumeRole. It runs in this
// process and is as strict as AWS.
//
// A [Cloud] is one AWS account behind one HTTP endpoint. [Cloud.AddRole] and [Distribution] can add roles and
// distributions of other accounts. Clients reach the cloud as they reach AWS: through the AWS SDK, with
// AWS_ENDPOINT_URL or a client's BaseEndpoint set to the cloud's address.
//
// Every request must have a Signature Version 4 for the right service and Region, made with a key that the cloud
// issued ([Cloud.Issue]). The cloud enforces every limit of AWS's API models. It refuses requests that it does not
// support, because a test against a lenient double proves nothing about AWS.
//
// Tests control the cloud from outside the protocol. [Options.Authorize] stands for IAM, and [Options.Fault] makes
// the network or a service fail. [Cloud.StartAction] stands for the pipeline that starts jobs,
// [Cloud.StartDeployment] for CodeDeploy and [Cloud.StartServiceDeployment] for ECS.
package fakeaws

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	defaultAccount = "123456789012"
	defaultRegion  = "us-east-1"

	// maxRequestBytes limits the size of a request. CloudFront documents no limit. The largest valid request has 3,000
	// paths of 4,000 characters, which are 12 MB.
	maxRequestBytes = 16 << 20
)

// Options configure a [Cloud]. With the zero value everything is allowed and nothing fails.
type Options struct {
	// Account is the 12-digit id of the account. Default "123456789012".
	Account string
	// Region is the Region of CodePipeline, CodeDeploy, ECS and their callers. Requests must be signed for it;
	// requests to CloudFront and STS may also be signed for us-east-1. Default "us-east-1".
	Region string
	// Now returns the services' time, which sets when invalidations are created and completed and when reports arrive.
	// The age of a signature is measured by the machine's clock, because clients use it. Default time.Now.
	Now func() time.Time
	// Authorize stands for IAM. If it returns an error, the service denies access; an error with a method
	// Denial() string sets the message. Several goroutines may call Authorize at once. Default: everything is allowed.
	Authorize func(Call) error
	// Fault returns the fault of a call. Several goroutines may call it at once. Default: no faults.
	Fault func(Call) Fault
}

// Cloud is the double. It is an http.Handler for a server on loopback, and is safe for concurrent use.
type Cloud struct {
	opts Options

	mu            sync.Mutex
	calls         []Call
	counts        map[string]int
	distributions map[string]*distribution
	jobs          map[string]*Job // by id; the job that the next report with this id belongs to
	deployments   map[string]*Deployment
	credentials   map[string]Credentials // by access key
	roles         map[string]string      // the roles' unique ids by ARN
}

// New returns a cloud without distributions, jobs and deployments.
func New(opts Options) *Cloud {
	if opts.Account == "" {
		opts.Account = defaultAccount
	}
	if opts.Region == "" {
		opts.Region = defaultRegion
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Cloud{
		opts:          opts,
		counts:        make(map[string]int),
		distributions: make(map[string]*distribution),
		jobs:          make(map[string]*Job),
		deployments:   make(map[string]*Deployment),
		credentials:   make(map[string]Credentials),
		roles:         make(map[string]string),
	}
}

// Call is a request that the cloud has received, even if the cloud refused it or a fault hit it.
type Call struct {
	// Action is the IAM action that AWS would check, such as "cloudfront:CreateInvalidation". For a request that the
	// double does not support it consists of service, method and path.
	Action string
	// Resource is the ARN that AWS would check, or "*" if the action has no resource type.
	Resource string
	// Principal is the ARN of the caller, or "" if the cloud refused the signature.
	Principal string
	// N is the number of this call among the calls of its Action. It starts at 1 and counts retries.
	N int
	// Status is the status that a report contains: "Succeeded", "Failed", or "InProgress" for a PutJobSuccessResult
	// with a continuation token, which does not complete the action. A report to CodeDeploy has its own status. Calls
	// that are not reports have "".
	Status string
	// At is the arrival time of the request by the cloud's clock.
	At time.Time
	// Err is the AWS error code of the reply. It is "" if the call succeeded or got no reply.
	Err string
	// Fault is the kind of the fault that Options.Fault returned.
	Fault FaultKind
}

// Calls returns all requests received so far in order of arrival.
func (c *Cloud) Calls() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Call(nil), c.calls...)
}

// request is an HTTP request whose service and operation are known.
type request struct {
	svc  *service
	call Call
	// run applies the request to the cloud's state. It is called with c.mu held, at most once, and only for a request
	// that is signed and authorized.
	run func() reply
}

// reply is an HTTP response.
type reply struct {
	status  int
	header  map[string]string
	body    []byte
	errCode string
}

// ServeHTTP implements http.Handler.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequestBytes+1))
	if err != nil {
		return // The client has left. AWS would not have received a whole request.
	}

	req := c.route(r, body)
	principal, refusal := c.authenticate(r, body, req.svc)
	req.call.Principal = principal
	index := c.record(&req.call)

	var fault Fault
	if c.opts.Fault != nil {
		fault = c.opts.Fault(req.call)
	}
	c.update(index, func(call *Call) { call.Fault = fault.Kind })

	switch fault.Kind {
	case Before, ConnectionReset:
		fault.do()
		drop(w, fault.Kind == ConnectionReset)
		return
	case Hang:
		fault.do()
		<-r.Context().Done()
		drop(w, false)
		return
	case Endless:
		fault.do()
		answerWithoutEnd(w)
		return
	}

	var rep reply
	switch fault.Kind {
	case Throttle:
		fault.do()
		rep = req.svc.refuse(req.svc.throttled)
	case ServerError:
		fault.do()
		rep = req.svc.refuse(internalFailure)
	case BadSignature, BadSignatureLine:
		fault.do()
		rep = fault.badSignature(r, body, req.svc)
	case AccessDenied:
		fault.do()
		rep = req.svc.refuse(c.accessDenied(req, errors.New("an explicit deny")))
	default:
		rep = c.process(body, req, refusal)
	}
	c.update(index, func(call *Call) { call.Err = rep.errCode })

	switch fault.Kind {
	case After:
		fault.do()
		c.update(index, func(call *Call) { call.Err = "" })
		drop(w, false)
		return
	case MalformedBody:
		fault.do()
		if rep.errCode == "" {
			rep = fault.garbage(req.svc)
		}
	}
	rep.send(w)
}

// process checks a request in AWS's order: its signature, then its permission, then its content.
func (c *Cloud) process(body []byte, req *request, unsigned *apiError) reply {
	if len(body) > maxRequestBytes {
		return req.svc.refuse(apiError{code: "RequestEntityTooLarge", message: "Request body is too large.", status: http.StatusRequestEntityTooLarge})
	}
	if unsigned != nil {
		return req.svc.refuse(*unsigned)
	}
	if c.opts.Authorize != nil {
		if err := c.opts.Authorize(req.call); err != nil {
			return req.svc.refuse(c.accessDenied(req, err))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return req.run()
}

// route finds the service and the operation. The JSON protocol names the operation in a header, STS in a form, and
// CloudFront in method and path.
func (c *Cloud) route(r *http.Request, body []byte) *request {
	if target, ok := r.Header["X-Amz-Target"]; ok {
		return c.jsonRequest(r, target[0], body)
	}
	if isSTS(r) {
		return c.stsRequest(r, body)
	}
	return c.cloudFrontRequest(r, body)
}

func (c *Cloud) record(call *Call) (index int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[call.Action]++
	call.N = c.counts[call.Action]
	call.At = c.opts.Now()
	c.calls = append(c.calls, *call)
	return len(c.calls) - 1
}

func (c *Cloud) update(index int, change func(*Call)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.calls[index])
}

func (c *Cloud) accessDenied(req *request, reason error) apiError {
	denied := req.svc.accessDenied
	denied.message = fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s because %v",
		req.call.Principal, req.call.Action, req.call.Resource, reason)
	if worded := (interface{ Denial() string })(nil); errors.As(reason, &worded) {
		denied.message = worded.Denial()
	}
	return denied
}

func (rep reply) send(w http.ResponseWriter) {
	for name, value := range rep.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(rep.status)
	// The client may leave before it has read the answer.
	_, _ = io.Copy(w, bytes.NewReader(rep.body))
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
	refuse   func(apiError) reply
	cutOff   string   // the first characters of a reply
	unsigned apiError // for a request without a signature
	garbled  apiError // for a signature that cannot be parsed or is incomplete
	mismatch apiError // for a signature of another request
	// unknownKey is for a key that the cloud did not issue, and for a wrong or missing session token. expiredKey is
	// for a temporary key that has expired.
	unknownKey, expiredKey apiError
	// accessDenied is for a request that IAM denies, and throttled for one that the rate limiter refuses.
	accessDenied, throttled apiError
}

// signingRegions returns the Regions that the credential scope of a request to svc may name.
func (c *Cloud) signingRegions(svc *service) []string {
	if svc == cloudFront || svc == sts {
		// CloudFront is global, and requests to it are signed for us-east-1. A custom endpoint disables the SDK's
		// endpoint rules, and the SDK then signs for the client's own Region. STS is in every Region, and the functions
		// call STS in us-east-1.
		return []string{"us-east-1", c.opts.Region}
	}
	return []string{c.opts.Region}
}

// randomString returns n random characters of alphabet.
func randomString(n int, alphabet string) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

const (
	upperAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	base64Alphabet    = upperAlphanumeric + "abcdefghijklmnopqrstuvwxyz+/"
)

// unknownAction returns the name under which Calls lists a request that the double does not support.
func unknownAction(svc *service, r *http.Request) string {
	return strings.Join([]string{svc.name + ":", r.Method, r.URL.Path}, " ")
}
