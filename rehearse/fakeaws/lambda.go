package fakeaws

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// lambdaPath begins the path of each request to Lambda that the double supports.
const lambdaPath = "/2015-03-31/functions/"

// Lambda's limits on a synchronous invocation, in bytes. The answer may have 100 more, by Lambda's own message.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxInvokeRequest = 6 << 20
	maxInvokeAnswer  = maxInvokeRequest + 100
)

// lambda refuses as Lambda does, whose protocol is REST with JSON.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
var lambda = &service{
	name:            "lambda",
	refuse:          refuseLambda,
	cutOff:          `{"summ`,
	unsigned:        apiError{"MissingAuthenticationTokenException", "Missing Authentication Token", http.StatusForbidden},
	garbled:         apiError{code: "IncompleteSignatureException", status: http.StatusForbidden},
	mismatch:        apiError{code: "InvalidSignatureException", status: http.StatusForbidden},
	misscoped:       apiError{code: "InvalidSignatureException", status: http.StatusForbidden},
	untimely:        apiError{code: "InvalidSignatureException", status: http.StatusForbidden},
	maxSignatureAge: maxSignatureAge,
	unknownKey:      apiError{"UnrecognizedClientException", "The security token included in the request is invalid.", http.StatusForbidden},
	expiredKey:      apiError{"ExpiredTokenException", "The security token included in the request is expired", http.StatusForbidden},
	accessDenied:    apiError{code: "AccessDeniedException", status: http.StatusForbidden},
	throttled:       apiError{"TooManyRequestsException", "Rate exceeded", http.StatusTooManyRequests},
	failed:          apiError{"ServiceException", "The AWS Lambda service encountered an internal error.", http.StatusInternalServerError},
}

func refuseLambda(refusal apiError) reply {
	who := "User"
	if refusal.status >= http.StatusInternalServerError {
		who = "Service"
	}
	header := map[string]string{"Content-Type": "application/json", "X-Amzn-Requestid": uuid.NewString(), "X-Amzn-Errortype": refusal.code}
	// Some of Lambda's errors have "message" and others "Message". Clients read both.
	body := mustMarshalJSON(map[string]string{"Type": who, "Message": refusal.message})
	return reply{status: refusal.status, header: header, body: body, errCode: refusal.code}
}

// Function is a function that answers an invocation. failed says that answer is the error of the function, or of Lambda
// that ended it, as JSON with errorType and errorMessage.
type Function func(ctx context.Context, event []byte) (answer []byte, failed bool)

// AddFunction adds a function, or replaces the one with the name.
func (c *Cloud) AddFunction(name string, function Function) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.functions[name] = function
}

// lambdaRequest finds the function that a request invokes.
func (c *Cloud) lambdaRequest(r *http.Request, body []byte) *request {
	req := &request{svc: lambda}
	refuse := func(code string, status int, format string, args ...any) *request {
		req.forward = func() reply { return refuseLambda(apiError{code, fmt.Sprintf(format, args...), status}) }
		return req
	}
	escaped, isInvocation := strings.CutSuffix(strings.TrimPrefix(r.URL.EscapedPath(), lambdaPath), "/invocations")
	name, err := url.PathUnescape(escaped)
	if !isInvocation || err != nil || r.Method != http.MethodPost {
		req.call, req.checks = Call{Action: unknownAction(lambda, r), Resource: "*"}, []Call{}
		return refuse("UnknownOperationException", http.StatusNotFound, "The double of Lambda does not support %s %s", r.Method, r.URL.Path)
	}
	arn := fmt.Sprintf("arn:aws:lambda:%s:%s:function:", c.opts.Region, c.opts.Account)
	short := strings.TrimPrefix(name, arn)
	req.call = Call{Action: "lambda:InvokeFunction", Resource: arn + short}
	c.mu.Lock()
	function := c.functions[short]
	c.mu.Unlock()
	how := r.Header.Get("X-Amz-Invocation-Type")
	known := []string{"X-Amz-Invocation-Type", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256", "X-Amz-User-Agent"}
	for header := range r.Header {
		if strings.HasPrefix(header, "X-Amz-") && !slices.Contains(known, header) {
			return refuse("InvalidParameterValueException", http.StatusBadRequest, "The double of Lambda does not support the header %s", header)
		}
	}
	switch {
	case !functionPattern.MatchString(name):
		return refuse("ValidationException", http.StatusBadRequest, "1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", name, functionPattern)
	case how != "" && how != "RequestResponse":
		return refuse("InvalidParameterValueException", http.StatusBadRequest, "The double of Lambda supports the InvocationType RequestResponse, and got %s", how)
	case r.URL.RawQuery != "":
		return refuse("InvalidParameterValueException", http.StatusBadRequest, "The double of Lambda supports no Qualifier, and got %s", r.URL.RawQuery)
	case len(body) > maxInvokeRequest:
		return refuse("RequestTooLargeException", http.StatusRequestEntityTooLarge, "Request must be smaller than %d bytes for the InvokeFunction operation", maxInvokeRequest)
	case function == nil:
		return refuse("ResourceNotFoundException", http.StatusNotFound, "Function not found: %s%s", arn, short)
	case len(body) > 0 && !json.Valid(body):
		return refuse("InvalidRequestContentException", http.StatusBadRequest, "Could not parse request body into json: Could not parse payload into json")
	}
	req.forward = func() reply { return invoke(r.Context(), function, body) }
	return req
}

// invoke calls a function and answers with what it returns.
func invoke(ctx context.Context, function Function, body []byte) reply {
	if len(body) == 0 {
		body = []byte("{}") // Lambda's event for a request without one.
	}
	// Lambda goes on if its caller leaves.
	answer, failed := function(context.WithoutCancel(ctx), body)
	if len(answer) > maxInvokeAnswer {
		failed = true
		answer = mustMarshalJSON(map[string]string{
			"errorType":    "Function.ResponseSizeTooLarge",
			"errorMessage": fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxInvokeAnswer),
		})
	}
	header := map[string]string{"Content-Type": "application/json", "X-Amzn-Requestid": uuid.NewString(), "X-Amz-Executed-Version": "$LATEST"}
	if failed {
		header["X-Amz-Function-Error"] = "Unhandled"
	}
	return reply{status: http.StatusOK, header: header, body: answer}
}
