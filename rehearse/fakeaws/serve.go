package fakeaws

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// ServeHTTP implements http.Handler.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, err := c.receive(r)
	if err != nil {
		return // The client has left. AWS would not have received a whole request.
	}
	principal, refusal := c.authenticate(r, req.payload, req.svc)
	req.call.Principal = principal
	index := c.record(&req.call)

	var fault Fault
	if c.opts.Fault != nil {
		fault = c.opts.Fault(req.call)
	}
	c.update(index, func(call *Call) { call.Fault = fault.Kind })

	if !fault.Kind.processed() {
		drain(r)
	}
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
		rep = req.svc.refuse(req.svc.failed)
	case BadSignature, BadSignatureLine:
		fault.do()
		rep = fault.badSignature(r, req.payload, req.svc)
	case AccessDenied:
		fault.do()
		rep = req.svc.refuse(accessDenied(req.svc, req.call, errors.New("an explicit deny")))
	default:
		rep = c.process(r, req, refusal)
	}
	defer rep.close()
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
			rep = fault.garbage(req.svc, rep)
		}
	}
	rep.send(w)
}

// process checks a request in AWS's order: its signature, then its permissions, then its content.
func (c *Cloud) process(r *http.Request, req *request, unsigned *apiError) reply {
	refuse := func(refusal apiError) reply {
		drain(r)
		return req.svc.refuse(refusal)
	}
	if req.tooLarge {
		return refuse(apiError{code: "RequestEntityTooLarge", message: "Request body is too large.", status: http.StatusRequestEntityTooLarge})
	}
	if unsigned != nil {
		return refuse(*unsigned)
	}
	checks := req.checks
	if checks == nil {
		checks = []Call{req.call}
	}
	for _, call := range checks {
		call.Principal = req.call.Principal
		if denied := c.denied(req.svc, call); denied != nil {
			return refuse(*denied)
		}
	}
	if req.forward != nil {
		return req.forward()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return req.run()
}

// drain reads the rest of a request that is not processed, because AWS answers after it has received the whole.
func drain(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }

// receive finds the service and the operation. The JSON protocol names the operation in a header, STS in a form, and
// CloudFront, Lambda and S3 in method and path. It reads the body, except that of a request to S3.
func (c *Cloud) receive(r *http.Request) (*request, error) {
	_, isJSON := r.Header["X-Amz-Target"]
	isVersioned := strings.HasPrefix(r.URL.Path, cloudFrontPath) || strings.HasPrefix(r.URL.Path, lambdaPath)
	if !isJSON && !isSTS(r) && !isVersioned && isS3(r) {
		return c.s3Request(r), nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequestBytes+1))
	if err != nil {
		return nil, err
	}
	var req *request
	switch {
	case isJSON:
		req = c.jsonRequest(r, r.Header["X-Amz-Target"][0], body)
	case isSTS(r):
		req = c.stsRequest(r, body)
	case strings.HasPrefix(r.URL.Path, lambdaPath):
		req = c.lambdaRequest(r, body)
	default:
		req = c.cloudFrontRequest(r, body)
	}
	req.payload, req.tooLarge = hash(body), len(body) > maxRequestBytes
	return req, nil
}

func (c *Cloud) record(call *Call) (index int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[call.Action]++
	call.N = c.counts[call.Action]
	service, _, _ := strings.Cut(call.Action, ":")
	c.counts[service]++
	call.NOfService = c.counts[service]
	call.At = c.opts.Now()
	c.calls = append(c.calls, *call)
	return len(c.calls) - 1
}

func (c *Cloud) update(index int, change func(*Call)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.calls[index])
}

// denied returns the refusal of a call that IAM does not allow, or nil.
func (c *Cloud) denied(svc *service, call Call) *apiError {
	if c.opts.Authorize == nil {
		return nil
	}
	err := c.opts.Authorize(call)
	if err == nil {
		return nil
	}
	denied := accessDenied(svc, call, err)
	return &denied
}

func accessDenied(svc *service, call Call, reason error) apiError {
	denied := svc.accessDenied
	denied.message = fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s because %v",
		call.Principal, call.Action, call.Resource, reason)
	if worded := (interface{ Denial() string })(nil); errors.As(reason, &worded) {
		denied.message = worded.Denial()
	}
	return denied
}
