package awsenv

import (
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	smithy "github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"blog-deploy-pipeline/lambdas/internal/redact"
)

// maxQuote is how much of what a service says is quoted, in characters: more than a
// refusal of IAM's has, and little of what a report to CodePipeline may have, 5,000.
const maxQuote = 1000

// NoCode is the code of a refusal that names none, such as a proxy's; it is the SDK's.
const NoCode = "UnknownError"

// Refusal is what a service, or something on the way to it, answered instead of a
// result.
type Refusal struct {
	readable
	code, message string
}

// ErrorCode implements smithy.APIError, as the following methods do.
func (r *Refusal) ErrorCode() string { return r.code }

// ErrorMessage is in one line, without a full stop.
func (r *Refusal) ErrorMessage() string { return r.message }

// ErrorFault implements smithy.APIError.
func (r *Refusal) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

// readable is an error of the SDK's in words that are fit to be logged and reported.
type readable struct {
	text string
	err  error
}

func (r *readable) Error() string { return r.text }

func (r *readable) Unwrap() error { return r.err }

// sayErrors makes all errors of a client readable.
func sayErrors(stack *middleware.Stack) error {
	// What the last attempt that came to an end said. The SDK's own list lacks it where the
	// time was over while it waited for the next.
	attempts, said := 0, ""
	note := middleware.FinalizeMiddlewareFunc("NoteErrors",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleFinalize(ctx, in)
			if attempts++; err != nil && !timeIsOver(err) {
				said = fmt.Sprintf("attempt %d: %v", attempts, say(err, ""))
			}
			return out, metadata, err
		})
	if err := stack.Finalize.Insert(note, "Retry", middleware.After); err != nil {
		return err
	}
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("ReadableErrors",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleInitialize(ctx, in)
			if err != nil {
				err = say(err, said)
			}
			return out, metadata, err
		}), middleware.Before)
}

// say returns err in one line of bounded length, without credentials: what the service
// said, and not the layers of the SDK that it came through; where the time is over, what
// was said before.
func say(err error, before string) error {
	// The call may have needed another one, which gave it no credentials, and which has
	// said why.
	if operation := (*smithy.OperationError)(nil); errors.As(err, &operation) {
		return &readable{operation.Error(), err}
	}
	if timeIsOver(err) {
		text := "no answer within the time that was left"
		if before != "" {
			text = before + "; then the time was over"
		}
		return &readable{text, err}
	}
	status, request, cause := 0, "", err
	if response := (*awshttp.ResponseError)(nil); errors.As(err, &response) {
		status, request, cause = response.HTTPStatusCode(), response.ServiceRequestID(), response.Err
	}
	if api := smithy.APIError(nil); errors.As(err, &api) || status >= http.StatusMultipleChoices && isNoErrorOfAWS(err) {
		return sayRefusal(err, api, status, request)
	}
	var (
		sent *smithyhttp.RequestSendError
		read *smithy.DeserializationError
		long tooLong
	)
	switch {
	case errors.As(err, &long):
		cause = long
	case errors.As(err, &sent):
		cause = sent.Err
	case errors.As(err, &read):
		cause = fmt.Errorf("the answer cannot be read: %w", cmp.Or(errors.Unwrap(read.Err), read.Err))
	}
	return &readable{withDetails(redact.Line(cause.Error(), maxQuote), status, request), err}
}

// timeIsOver says whether the caller's context ended a call.
func timeIsOver(err error) bool {
	var canceled interface{ CanceledError() bool }
	return errors.As(err, &canceled) && canceled.CanceledError()
}

// isNoErrorOfAWS says whether an answer came whole, and was no document that the SDK
// could look for an error in, such as a page for people.
func isNoErrorOfAWS(err error) bool {
	var (
		syntaxXML  *xml.SyntaxError
		typeXML    xml.UnmarshalError
		syntaxJSON *json.SyntaxError
		typeJSON   *json.UnmarshalTypeError
	)
	return errors.Is(err, io.EOF) || // an empty one, where XML was expected
		errors.As(err, &syntaxXML) || errors.As(err, &typeXML) || errors.As(err, &syntaxJSON) || errors.As(err, &typeJSON)
}

func sayRefusal(err error, api smithy.APIError, status int, request string) *Refusal {
	r := &Refusal{readable{err: err}, NoCode, ""}
	if api != nil {
		r.code, r.message = redact.Line(api.ErrorCode(), maxQuote), redact.Line(api.ErrorMessage(), maxQuote)
	}
	if r.code == NoCode {
		said := r.message
		r.message = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", status, http.StatusText(status))) + ", without an error code of AWS's"
		if said != "" && said != NoCode {
			r.message += ": " + said
		}
		r.text = withDetails(r.message, 0, request)
		return r
	}
	if r.message == "" || r.message == NoCode {
		r.message = "without a message"
	}
	if meaning := credentialCodes[r.code]; meaning != "" {
		r.message += ". " + meaning
	}
	r.text = withDetails(r.code+": "+r.message, status, request)
	return r
}

// withDetails adds what helps AWS Support to find a call.
func withDetails(text string, status int, request string) string {
	var details []string
	if status != 0 {
		details = append(details, fmt.Sprintf("HTTP %d", status))
	}
	if request != "" {
		details = append(details, "request "+redact.Line(request, 100))
	}
	if len(details) == 0 {
		return text
	}
	return text + " (" + strings.Join(details, ", ") + ")"
}

const (
	expired = "The function's credentials have ended, or its clock is wrong; its next process gets new ones"
	unknown = "AWS does not know the function's credentials: their role was deleted, or made anew under the same name, or the Region is not enabled for the account"
	altered = "Something on the way has changed the request, or the function's environment has other credentials than Lambda's: look for a proxy, and for variables that begin with AWS_"
)

// credentialCodes are those by which services refuse a caller's credentials or
// signature, with what that means in a function, whose credentials are Lambda's affair.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
var credentialCodes = map[string]string{
	"ExpiredToken":                        expired,
	"ExpiredTokenException":               expired,
	"RequestExpired":                      expired,
	"RequestTimeTooSkewed":                expired,
	"TokenRefreshRequired":                expired,
	"InvalidClientTokenId":                unknown,
	"UnrecognizedClientException":         unknown,
	"InvalidAccessKeyId":                  unknown,
	"InvalidToken":                        unknown,
	"SignatureDoesNotMatch":               altered,
	"InvalidSignatureException":           altered,
	"IncompleteSignature":                 altered,
	"IncompleteSignatureException":        altered,
	"MissingAuthenticationToken":          altered,
	"MissingAuthenticationTokenException": altered,
}

// OfCredentials says whether a code refuses the caller's credentials or signature.
func OfCredentials(code string) bool { return credentialCodes[code] != "" }
