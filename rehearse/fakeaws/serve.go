package fakeaws

import (
	"errors"
	"fmt"
	"io"
	"net/http"
)

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
