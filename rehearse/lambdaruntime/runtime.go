// Package lambdaruntime runs a compiled Lambda function as Lambda's runtime provided.al2023 does. The function is a
// process that fetches its work from the Lambda Runtime API. The package reuses a warm process, kills a process
// that exceeds the timeout, and repeats an asynchronous invocation that fails.
//
// The package works on Linux and macOS. It has no microVM, so it limits neither memory nor CPU. It does not freeze a
// process between invocations, and it has no extensions and no response streaming.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package lambdaruntime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
)

// ErrClosed is the error of invocations after Close.
var ErrClosed = errors.New("runtime is closed")

// Runtime runs one function. It is safe for concurrent use.
type Runtime struct {
	fn   Function
	logs *logFile

	mu     sync.Mutex
	closed bool
	idle   []*environment        // warm environments; the last one was used last
	all    map[*environment]bool // environments whose process has not been reaped
}

// Start checks the function and returns a runtime for it. The first invocation starts the first process. The caller
// must Close the runtime.
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
			return nil, fmt.Errorf("start function %s: Lambda reserves the environment variable %s; use another name", fn.Name, key)
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

// Invoke runs the function once and waits for its end. Each concurrent call has a process of its own.
//
// Result.Err holds an error of the function. Invoke returns an error if the runtime is closed, if the process
// cannot be started, or if ctx is done; in the last case Invoke kills the process.
func (r *Runtime) Invoke(ctx context.Context, event []byte) (Result, error) {
	return r.invoke(ctx, uuid.NewString(), event)
}

// InvokeAsync runs the function as an asynchronous invocation. After an error, a timeout or a crash it waits and
// tries again with the same request id, up to Function.Retries times. It returns all attempts in order. If the
// runtime itself fails (see Invoke), the last attempt has an error of type Runtime.Unavailable.
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

// Kill crashes the function: it kills every running process with SIGKILL and waits for their end. Their invocations
// fail with Runtime.ExitError. The next invocation starts a new process.
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

// Freeze stops every running process with SIGSTOP. The processes do nothing until their invocations time out, which
// kills them.
func (r *Runtime) Freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for env := range r.all {
		env.signal(syscall.SIGSTOP)
	}
}

// Close kills every process and releases the resources of the runtime. Running invocations end as after Kill. Logs
// still returns the output afterwards.
func (r *Runtime) Close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.Kill()
	return r.logs.close()
}

// Logs returns all output of the function's processes so far, with the lines that Lambda adds for timeouts. When
// Invoke returns, Logs has everything that the process wrote during the invocation.
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
