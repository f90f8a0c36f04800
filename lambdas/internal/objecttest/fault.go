package objecttest

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// ErrCrash is the error of a call of a process that has ended. Once a hook returns it, each
// call of its Client does, and does nothing.
var ErrCrash = errors.New("the process has ended")

// ErrReset is the error of a connection that broke off.
var ErrReset error = &smithyhttp.RequestSendError{Err: errors.New("connection reset by peer")}

// Break is the error by which After breaks off the content of an object after a number of
// bytes.
type Break int

func (b Break) Error() string { return fmt.Sprintf("the content breaks off after %d bytes", int(b)) }

// Refuses returns an error that S3 answers with, as its client has it.
func Refuses(status int, code, message string) error {
	return answer(status, &smithy.GenericAPIError{Code: code, Message: message})
}

// Throttles returns the error of a request too many.
func Throttles() error {
	return Refuses(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
}

// Denies returns the error of a missing permission.
func Denies() error { return Refuses(http.StatusForbidden, "AccessDenied", "Access Denied") }

func answer(status int, err error) error {
	return &awshttp.ResponseError{RequestID: "1A2B3C", ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{}}}, Err: err,
	}}
}

// broken reads a part of an object's content, and then the end of the connection.
type broken struct{ io.Reader }

// Read implements io.Reader.
func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
