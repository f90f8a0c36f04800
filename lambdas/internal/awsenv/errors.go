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

// maxQuote limits what is quoted of an answer, in characters. Errors of IAM are shorter,
// and a report to CodePipeline may have 5,000.
const maxQuote = 1000

// NoCode is the SDK's code for an error without one, such as an answer of a proxy.
const NoCode = "UnknownError"

// Refusal is an error that a service, or a proxy on the way to it, has answered with.
type Refusal struct {
	readable
	code, message string
}

// ErrorCode implements smithy.APIError.
func (r *Refusal) ErrorCode() string { return r.code }

// ErrorMessage implements smithy.APIError. It returns one line without a full stop.
func (r *Refusal) ErrorMessage() string { return r.message }

// ErrorFault implements smithy.APIError.
func (r *Refusal) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

// readable is an error of the SDK with a text that can be logged and reported.
type readable struct {
	text string
	err  error
}

func (r *readable) Error() string { return r.text }

func (r *readable) Unwrap() error { return r.err }

// readableErrors makes all errors of a client readable.
func readableErrors(stack *middleware.Stack) error {
	// said is the error of the last attempt that has ended. The SDK does not return it if
	// the context ends while the SDK waits for the next attempt.
	attempts, said := 0, ""
	note := middleware.FinalizeMiddlewareFunc("NoteErrors",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleFinalize(ctx, in)
			if attempts++; err != nil && !timeIsOver(err) {
				said = fmt.Sprintf("attempt %d: %v", attempts, explain(err, ""))
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
				err = explain(err, said)
			}
			return out, metadata, err
		}), middleware.Before)
}

// explain returns err with a text of one line, of limited length and without credentials.
// The text is the error of the service without those that the SDK wraps around it. If the
// context has ended, the text is that of the previous error.
func explain(err error, before string) error {
	// The call may have failed because it got no credentials from another one, whose error
	// is readable already.
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
		return newRefusal(err, api, status, request)
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

// tooLong is the error of an answer that is longer than a number of bytes. It is retryable,
// as other errors of the connection.
type tooLong int

func (limit tooLong) Error() string {
	return fmt.Sprintf("the answer is longer than %d KiB, as none of AWS's is", int(limit)>>10)
}

// RetryableError implements the interface by which the SDK recognises such errors.
func (tooLong) RetryableError() bool { return true }

// timeIsOver reports whether a call failed because its context ended.
func timeIsOver(err error) bool {
	var canceled interface{ CanceledError() bool }
	return errors.As(err, &canceled) && canceled.CanceledError()
}

// isNoErrorOfAWS reports whether an answer is complete, but no document in which the SDK
// can look for an error, such as an HTML page.
func isNoErrorOfAWS(err error) bool {
	var (
		syntaxXML  *xml.SyntaxError
		typeXML    xml.UnmarshalError
		syntaxJSON *json.SyntaxError
		typeJSON   *json.UnmarshalTypeError
	)
	return errors.Is(err, io.EOF) || // an empty answer instead of XML
		errors.As(err, &syntaxXML) || errors.As(err, &typeXML) || errors.As(err, &syntaxJSON) || errors.As(err, &typeJSON)
}

// newRefusal returns the error of an answer. api is nil if the SDK found none in it.
func newRefusal(err error, api smithy.APIError, status int, request string) *Refusal {
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

// withDetails adds the details by which AWS Support finds a call.
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
	unknown = "AWS does not know the function's credentials: their role was deleted, or created again under the same name, or the Region is not enabled for the account"
	altered = "A proxy has changed the request, or the function's environment has other credentials than Lambda's: look for a proxy, and for variables that begin with AWS_"
)

// credentialCodes are the codes of errors about a caller's credentials or signature, with
// their meaning in a function, whose credentials come from Lambda.
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

// OfCredentials reports whether a code is of an error about the caller's credentials or
// signature.
func OfCredentials(code string) bool { return credentialCodes[code] != "" }
