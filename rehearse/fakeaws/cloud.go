// Package fakeaws doubles, in process and as strictly as AWS does, the AWS protocols that the Lambdas
// speak: CloudFront's invalidations, CodePipeline's job results, the lifecycle hooks of CodeDeploy and of
// ECS, and STS's AssumeRole.
//
// A [Cloud] is one AWS account behind one HTTP endpoint, with roles and distributions of others where
// [Cloud.AddRole] and [Distribution] say so. Clients reach it as they reach AWS: through
// the AWS SDK, with AWS_ENDPOINT_URL (or a client's BaseEndpoint) set to the address it is served on.
// Every request must be signed (Signature Version 4) for the right service and Region with a key that the
// cloud gave out ([Cloud.Issue]), every limit in AWS's API models is enforced, and whatever the double does
// not know it refuses: a test that passes against a lenient double proves nothing about AWS.
//
// Tests steer it from outside the protocol: [Options.Authorize] plays IAM, [Options.Fault] the network
// and the services' bad days, [Cloud.StartAction] the pipeline that hands out jobs,
// [Cloud.StartDeployment] CodeDeploy and [Cloud.StartServiceDeployment] ECS.
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

	// maxRequestBytes is far above the largest legal request: 3,000 paths of 4,000 characters would
	// be 12 MB, but CloudFront documents no size of its own, so only nonsense is cut off here.
	maxRequestBytes = 16 << 20
)

// Options configure a [Cloud]. The zero value is a cloud where everything is allowed and nothing
// goes wrong.
type Options struct {
	// Account is the 12-digit id of the account, part of every ARN. Default "123456789012".
	Account string
	// Region is where CodePipeline, CodeDeploy, ECS and their callers run; requests must be signed for it, to
	// CloudFront and STS for it or for us-east-1. Default "us-east-1".
	Region string
	// Now tells the services' time: when invalidations were created and complete, when reports came.
	// Signature ages are judged by the machine's clock, as clients sign by it. Default time.Now.
	Now func() time.Time
	// Authorize plays IAM: an error is answered as the service's access-denied reply, in words of its own
	// where it has a method Denial() string. It may be called from several goroutines at once. Default:
	// everything is allowed.
	Authorize func(Call) error
	// Fault says what goes wrong with a call. It may be called from several goroutines at once.
	// Default: nothing.
	Fault func(Call) Fault
}

// Cloud is the double: an http.Handler to be served on loopback. It is safe for concurrent use.
type Cloud struct {
	opts Options

	mu            sync.Mutex
	calls         []Call
	counts        map[string]int
	distributions map[string]*distribution
	jobs          map[string]*Job // by id: the job that the next report for this id is about
	deployments   map[string]*Deployment
	credentials   map[string]Credentials // by access key
	roles         map[string]string      // by ARN: the role's unique id
}

// New returns an empty cloud: no distributions, no jobs, no deployments.
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

// Call is one request the cloud has received, refused ones and faulted ones included.
type Call struct {
	// Action is the IAM action that AWS would check, such as "cloudfront:CreateInvalidation". A request
	// for something the double does not implement is recorded too, as service, method and path.
	Action string
	// Resource is the ARN that AWS would check, or "*" where the action has no resource type.
	Resource string
	// Principal is the ARN of who signed the request; "" where the signature is refused.
	Principal string
	// N counts the calls of this Action from 1, retries included.
	N int
	// Status is what a report says: "Succeeded", "Failed", or "InProgress" for a PutJobSuccessResult
	// that carries a continuation token and so does not complete the action. To CodeDeploy it is the
	// status as sent. "" for a call that is no report.
	Status string
	// At is when the request arrived, in the cloud's time.
	At time.Time
	// Err is the AWS error code that was answered; "" for success, and for faults without a reply.
	Err string
	// Fault is what Options.Fault injected, if anything.
	Fault FaultKind
}

// Calls returns every request received so far, in order of arrival.
func (c *Cloud) Calls() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Call(nil), c.calls...)
}

// request is one HTTP request once it is known what it asks for.
type request struct {
	svc  *service
	call Call
	// run applies the request to the cloud's state. It is called with c.mu held, at most once, and
	// only for requests that are signed and authorized.
	run func() reply
}

// reply is what goes back over HTTP.
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
		return // The client went away: AWS never saw a request.
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

// process runs a request through the same gates as AWS does: is it signed, is it allowed, is it valid.
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

// route finds the service as AWS's endpoints would: the JSON protocol names the operation in a header,
// STS's in a form, CloudFront's in method and path.
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
	// A client that left before it read the answer is the client's affair.
	_, _ = io.Copy(w, bytes.NewReader(rep.body))
}

// drop ends the connection without a reply, with a TCP reset if asked to.
func drop(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		// Not a plain HTTP/1 connection: net/http aborts the stream on this panic and logs nothing.
		panic(http.ErrAbortHandler)
	}
	if reset {
		if tls, ok := conn.(interface{ NetConn() net.Conn }); ok {
			conn = tls.NetConn()
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // Unsent data is discarded: close sends RST, not FIN.
		}
	}
	_ = conn.Close()
}

// apiError is a refusal in no particular wire format.
type apiError struct {
	code, message string
	status        int
}

// internalFailure is what every service answers when it breaks.
// https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html
var internalFailure = apiError{
	code:    "InternalFailure",
	message: "The request processing has failed because of an unknown error, exception or failure.",
	status:  http.StatusInternalServerError,
}

// service holds what differs between the services: how refusals look, and what the refusals that all of them
// know are called.
type service struct {
	name     string // in credential scopes and IAM actions
	refuse   func(apiError) reply
	cutOff   string   // the first characters of an answer
	unsigned apiError // no signature at all
	garbled  apiError // a signature that cannot be parsed or lacks a part
	mismatch apiError // a signature for something else
	// unknownKey is for a key that nobody has, or with another session token or none; expiredKey for a
	// temporary key that has ended.
	unknownKey, expiredKey apiError
	// accessDenied and throttled are what the service answers when IAM or its rate limiter says no.
	accessDenied, throttled apiError
}

// signingRegions are the Regions that the credential scope of requests to svc may name.
func (c *Cloud) signingRegions(svc *service) []string {
	if svc == cloudFront || svc == sts {
		// CloudFront is global and lives in us-east-1. That the SDK knows from its endpoint rules, which
		// a custom endpoint switches off: it then signs for the client's own Region. STS is in every
		// Region, and the functions ask the one in us-east-1.
		return []string{"us-east-1", c.opts.Region}
	}
	return []string{c.opts.Region}
}

// randomString returns n characters drawn from alphabet.
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

// unknownAction names, for the record of calls, a request that no operation answers.
func unknownAction(svc *service, r *http.Request) string {
	return strings.Join([]string{svc.name + ":", r.Method, r.URL.Path}, " ")
}
