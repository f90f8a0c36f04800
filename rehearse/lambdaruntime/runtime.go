// Package lambdaruntime runs a compiled Lambda function the way Lambda's provided.al2023 does: as a
// process of its own that fetches its work over the Lambda Runtime API, is reused while it is warm, is
// killed when it exceeds its timeout, and is retried when it was invoked asynchronously.
//
// It works on Linux and macOS. What it leaves out: the microVM around the process (memory and CPU are
// not limited), freezing it between invocations, extensions, and response streaming.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package lambdaruntime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
)

const (
	defaultTimeout  = 3 * time.Second // Lambda's own default
	defaultMemoryMB = 128             // Lambda's own default
	defaultRegion   = "us-east-1"
	accountID       = "123456789012"

	// initLimit is how long a function may take until its first request for work.
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
	initLimit = 10 * time.Second
)

// The error types that Lambda itself gives, besides those the function reports.
const (
	typeTimedOut  = "Sandbox.Timedout"
	typeExitError = "Runtime.ExitError"
)

// ErrClosed is returned by invocations after Close.
var ErrClosed = errors.New("runtime is closed")

// Function is a Lambda function's code and configuration.
type Function struct {
	// Binary is the path of the executable, built for this machine. Required.
	Binary string
	// Name is the function's name. Required.
	Name string
	// Env is the function's environment, and may override credentials, Region and PATH. Nothing is
	// inherited from this process. Keys that begin with AWS_LAMBDA_ are Lambda's own and refused.
	Env map[string]string
	// Timeout bounds one invocation, from handing over the event to the function's next request for
	// work. Default 3 s.
	Timeout time.Duration
	// MemoryMB is only told to the function, not enforced. Default 128.
	MemoryMB int
	// Retries is how often InvokeAsync tries again after a failure. AWS: 2. Default 0.
	Retries int
	// RetryDelay says how long to wait before retry number attempt, counted from 1.
	// Default: AWS's, one minute and then two.
	RetryDelay func(attempt int) time.Duration
	// Log, where set, receives the output of the processes as it comes. See also Runtime.Logs.
	Log io.Writer
}

// FunctionError is how an invocation failed. It is the function's own error, or one of Lambda's:
// Sandbox.Timedout and Runtime.ExitError.
type FunctionError struct {
	ErrorType    string `json:"errorType"`
	ErrorMessage string `json:"errorMessage"`
}

// Error implements error.
func (e *FunctionError) Error() string { return e.ErrorType + ": " + e.ErrorMessage }

// Result is the outcome of one invocation.
type Result struct {
	// Payload is what the function answered: its response, or its error as JSON.
	Payload []byte
	// Err is nil on success.
	Err *FunctionError
	// RequestID is the invocation's id; asynchronous retries share the first attempt's.
	RequestID string
	// Duration is the time from handing over the event to the next request for work.
	Duration time.Duration
	// InitDuration is the time from process start to the first request for work; 0 when warm.
	InitDuration time.Duration
	// MaxRSSKB is the peak resident memory of the process so far; 0 where it is not known, which is
	// after the end of the process and on macOS.
	MaxRSSKB int64
}

// Runtime runs one function. It is safe for concurrent use.
type Runtime struct {
	fn   Function
	logs *logFile

	mu     sync.Mutex
	closed bool
	idle   []*environment        // warm, the last used one last
	all    map[*environment]bool // every environment whose process has not been reaped
}

// Start checks the function and readies the runtime. No process starts before the first invocation.
// The caller must Close the runtime.
func Start(fn Function) (*Runtime, error) {
	if fn.Name == "" {
		return nil, errors.New("start function: Name is empty")
	}
	binary, err := filepath.Abs(fn.Binary)
	if err != nil {
		return nil, fmt.Errorf("start function %s: %w", fn.Name, err)
	}
	info, err := os.Stat(binary)
	if err != nil {
		return nil, fmt.Errorf("start function %s: %w", fn.Name, err)
	}
	if info.IsDir() || info.Mode().Perm()&0o111 == 0 {
		return nil, fmt.Errorf("start function %s: %s is not an executable file", fn.Name, binary)
	}
	for key := range fn.Env {
		if strings.HasPrefix(key, "AWS_LAMBDA_") {
			return nil, fmt.Errorf("start function %s: environment variable %s is reserved by Lambda", fn.Name, key)
		}
	}
	fn.Binary = binary
	if fn.Timeout <= 0 {
		fn.Timeout = defaultTimeout
	}
	if fn.MemoryMB <= 0 {
		fn.MemoryMB = defaultMemoryMB
	}
	if fn.RetryDelay == nil {
		fn.RetryDelay = func(attempt int) time.Duration { return time.Duration(attempt) * time.Minute }
	}
	logs, err := newLogFile(fn.Log)
	if err != nil {
		return nil, fmt.Errorf("start function %s: %w", fn.Name, err)
	}
	return &Runtime{fn: fn, logs: logs, all: make(map[*environment]bool)}, nil
}

// Invoke runs the function once and waits for it. Each concurrent call has a process of its own.
//
// The error is about the runtime: it is closed, the process cannot be started, or ctx is done, in
// which case the process is killed. How the function fared is in Result.Err.
func (r *Runtime) Invoke(ctx context.Context, event []byte) (Result, error) {
	return r.invoke(ctx, uuid.NewString(), event)
}

// InvokeAsync runs the function as an asynchronous invocation does: after an error, a timeout or a
// crash it waits and tries again with the same request id, up to Function.Retries times. It returns
// every attempt in order. When the runtime itself gives up (see Invoke), the last attempt says so as
// an error of type Runtime.Unavailable.
func (r *Runtime) InvokeAsync(ctx context.Context, event []byte) []Result {
	requestID := uuid.NewString()
	var attempts []Result
	for attempt := 0; ; attempt++ {
		if attempt > 0 {
			select {
			case <-time.After(r.fn.RetryDelay(attempt)):
			case <-ctx.Done():
				return attempts
			}
		}
		result, err := r.invoke(ctx, requestID, event)
		if err != nil {
			return append(attempts, failed(requestID, "Runtime.Unavailable", err.Error()))
		}
		attempts = append(attempts, result)
		if result.Err == nil || attempt >= r.fn.Retries {
			return attempts
		}
	}
}

// Kill crashes the function: it kills every running process with SIGKILL and returns once they are
// gone. Their invocations end with a Runtime.ExitError; the next one starts afresh.
func (r *Runtime) Kill() {
	r.mu.Lock()
	environments := make([]*environment, 0, len(r.all))
	for env := range r.all {
		environments = append(environments, env)
	}
	r.mu.Unlock()
	for _, env := range environments {
		env.kill()
	}
	for _, env := range environments {
		<-env.exited
	}
}

// Freeze stops every running process with SIGSTOP: it does nothing any more until its invocation has
// timed out, which kills it.
func (r *Runtime) Freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for env := range r.all {
		env.signal(syscall.SIGSTOP)
	}
}

// Close kills every process and releases everything the runtime holds. Running invocations end as
// after Kill. Logs stay readable.
func (r *Runtime) Close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.Kill()
	return r.logs.close()
}

// Logs returns all output of the function's processes so far, and Lambda's own lines about timeouts.
// What a process wrote before its invocation ended is in there when Invoke returns.
func (r *Runtime) Logs() string { return r.logs.String() }

func (r *Runtime) invoke(ctx context.Context, requestID string, event []byte) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, fmt.Errorf("invoke %s: %w", r.fn.Name, err)
	}
	env, warm, err := r.environment()
	if err != nil {
		return Result{}, fmt.Errorf("invoke %s: %w", r.fn.Name, err)
	}
	defer r.logs.flush()

	var result Result
	if !warm {
		fault, err := env.init(ctx, requestID)
		if err != nil {
			return Result{}, fmt.Errorf("invoke %s: %w", r.fn.Name, err)
		}
		if fault != nil {
			return *fault, nil
		}
		result.InitDuration = env.initDuration
	}
	result.RequestID = requestID

	alive, err := env.run(ctx, &result, event)
	if err != nil {
		return Result{}, fmt.Errorf("invoke %s: %w", r.fn.Name, err)
	}
	if result.Err != nil && result.Err.ErrorType == typeTimedOut {
		r.logs.printf("%s %s Task timed out after %.2f seconds\n\n", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), requestID, r.fn.Timeout.Seconds())
	}
	if alive {
		r.release(env)
	}
	return result, nil
}

// environment returns a warm execution environment, or starts one.
func (r *Runtime) environment() (env *environment, warm bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, false, ErrClosed
	}
	for len(r.idle) > 0 {
		env := r.idle[len(r.idle)-1]
		r.idle = r.idle[:len(r.idle)-1]
		if env.alive() {
			return env, true, nil
		}
	}
	env, err = startEnvironment(r.fn, r.logs.file)
	if err != nil {
		return nil, false, err
	}
	r.all[env] = true
	go func() {
		<-env.exited
		r.mu.Lock()
		delete(r.all, env)
		r.mu.Unlock()
	}()
	return env, false, nil
}

// release makes an environment available to the next invocation.
func (r *Runtime) release(env *environment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if env.alive() {
		r.idle = append(r.idle, env)
	}
}

// failed is a result that Lambda itself makes up, with the payload a caller would get.
func failed(requestID, errorType, message string) Result {
	err := &FunctionError{ErrorType: errorType, ErrorMessage: message}
	payload, _ := json.Marshal(err) // Two strings: cannot fail.
	return Result{Payload: payload, Err: err, RequestID: requestID}
}
