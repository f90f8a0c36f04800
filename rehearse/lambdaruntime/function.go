package lambdaruntime

import (
	"encoding/json"
	"io"
	"time"
)

// Function is a Lambda function's code and configuration.
type Function struct {
	// Binary is the path of the executable, built for this machine. Required.
	Binary string
	// Name is the function's name. Required.
	Name string
	// Env holds the function's environment variables, which may override credentials, Region and PATH. The function
	// inherits nothing from this process. Start refuses names that begin with AWS_LAMBDA_, which Lambda reserves.
	Env map[string]string
	// Timeout limits the time from the start of an invocation to the function's next request for work. Default 3 s.
	Timeout time.Duration
	// MemoryMB is the value that the function reads. It is not enforced. Default 128.
	MemoryMB int
	// Retries limits how often InvokeAsync tries again after a failure. Lambda's default is 2. Default 0.
	Retries int
	// RetryDelay returns how long to wait before the retry with this number, which starts at 1. Default: one minute
	// before the first retry and two before the second, as at Lambda.
	RetryDelay func(attempt int) time.Duration
	// Log receives the output of the processes while they run. Optional; see also Runtime.Logs.
	Log io.Writer
}

// FunctionError says how an invocation failed. It is an error that the function reported, or one of Lambda's own
// errors, Sandbox.Timedout and Runtime.ExitError.
type FunctionError struct {
	ErrorType    string `json:"errorType"`
	ErrorMessage string `json:"errorMessage"`
}

// Error implements error.
func (e *FunctionError) Error() string { return e.ErrorType + ": " + e.ErrorMessage }

// Result is the outcome of one invocation.
type Result struct {
	// Payload is the function's response, or its error as JSON.
	Payload []byte
	// Err is nil on success.
	Err *FunctionError
	// RequestID is the invocation's id. All attempts of an asynchronous invocation have the same id.
	RequestID string
	// Duration is the time from the start of the invocation to the next request for work.
	Duration time.Duration
	// InitDuration is the time from the start of the process to its first request for work. It is 0 for a warm
	// process.
	InitDuration time.Duration
	// MaxRSSKB is the peak resident memory of the process so far. It is 0 if the process has ended, and on macOS.
	MaxRSSKB int64
	// CPU is the time for which the process has used a processor so far. It is 0 where MaxRSSKB is.
	CPU time.Duration
}

// failed returns a result for an error of Lambda itself, with the payload that a caller would get.
func failed(requestID, errorType, message string) Result {
	err := &FunctionError{ErrorType: errorType, ErrorMessage: message}
	payload, _ := json.Marshal(err) // Marshalling two strings cannot fail.
	return Result{Payload: payload, Err: err, RequestID: requestID}
}

const (
	defaultTimeout  = 3 * time.Second // Lambda's own default
	defaultMemoryMB = 128             // Lambda's own default
	defaultRegion   = "us-east-1"
	accountID       = "123456789012"

	// initLimit limits the time until a function's first request for work.
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
	initLimit = 10 * time.Second
)

// The error types of errors that Lambda itself reports.
const (
	typeTimedOut  = "Sandbox.Timedout"
	typeExitError = "Runtime.ExitError"
)
