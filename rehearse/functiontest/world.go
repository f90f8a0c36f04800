// Package functiontest puts a compiled function among the doubles of AWS, strikes its calls with faults, and
// checks on what was recorded the rules that never bend:
//
//  1. every invocation ends in exactly one report or one continuation;
//  2. the same request for work, delivered twice, creates one invalidation;
//  3. success is reported only after CloudFront says Completed;
//  4. a report that could not be sent is an error, so that Lambda tries again;
//  5. no credential, token or whole event is ever logged or reported.
//
// What a function's protocol calls a request, a report and a success is for that function's tests.
package functiontest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

// Main runs the tests of a function's package, with the function compiled for this machine at *binary;
// a TestMain calls it with its *testing.M.
func Main(m interface{ Run() int }, binary *string) (code int) {
	dir, err := os.MkdirTemp("", "trial")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // A temporary folder that stays breaks no run.
	*binary = filepath.Join(dir, "bootstrap")
	if err := lambdaruntime.Compile(context.Background(), ".", *binary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// Timeout and Tries are Lambda's in a trial: the function's timeout, and how often an asynchronous
// invocation is tried.
const (
	Timeout = 4 * time.Second
	Tries   = 3
)

// quick is the function's environment in every trial: what AWS takes seconds for takes milliseconds.
var quick = map[string]string{
	contract.EnvPollFor:   "150ms",
	contract.EnvPollEvery: "50ms",
	contract.EnvDeadline:  "30s",
}

// Setup is the world that a function is tried in.
type Setup struct {
	// Binary is the compiled function, Name what it is called. Required.
	Binary, Name  string
	Cloud         fakeaws.Options
	Distributions []fakeaws.Distribution
	// Role is one that the function takes on, in whose account all distributions are, by its ARN.
	// Default: none.
	Role string
	// Env is the function's environment, besides the quick settings that every trial has.
	Env []map[string]string
	// Timeout is the function's; the constant by default.
	Timeout time.Duration
}

// World is a function among the doubles of AWS.
type World struct {
	Cloud    *fakeaws.Cloud
	Function *lambdaruntime.Runtime

	server     *httptest.Server
	duplicates sync.WaitGroup
}

// Open makes a world; the caller must Close it.
func Open(s Setup) (*World, error) {
	w := &World{Cloud: fakeaws.New(s.Cloud)}
	env := map[string]string{}
	if s.Role != "" {
		w.Cloud.AddRole(s.Role)
		env[contract.EnvRoleARN] = s.Role
	}
	for _, d := range s.Distributions {
		if s.Role != "" {
			d.Account = strings.Split(s.Role, ":")[4]
		}
		w.Cloud.AddDistribution(d)
	}
	w.server = httptest.NewServer(w.Cloud)

	env["AWS_ENDPOINT_URL"] = w.server.URL
	role := w.Cloud.Issue("arn:aws:sts::123456789012:assumed-role/trial/"+s.Name, time.Hour)
	for _, more := range append([]map[string]string{quick, role.Env()}, s.Env...) {
		maps.Copy(env, more)
	}
	if s.Timeout == 0 {
		s.Timeout = Timeout
	}
	var err error
	w.Function, err = lambdaruntime.Start(lambdaruntime.Function{
		Binary: s.Binary, Name: s.Name, Env: env, Timeout: s.Timeout,
		Retries: Tries - 1, RetryDelay: func(int) time.Duration { return 50 * time.Millisecond },
	})
	if err != nil {
		w.server.Close()
		return nil, err
	}
	return w, nil
}

// Close waits for what Again started, and ends everything. The function's logs and what the cloud
// recorded stay readable.
func (w *World) Close() error {
	w.duplicates.Wait()
	err := w.Function.Close()
	w.server.Close()
	return err
}

// Again delivers an event once more, beside what else is going on.
func (w *World) Again(ctx context.Context, event []byte) {
	w.duplicates.Go(func() { w.Function.InvokeAsync(ctx, event) })
}

// Count counts the calls that the cloud has received and that match.
func (w *World) Count(match func(fakeaws.Call) bool) (n int) {
	for _, call := range w.Cloud.Calls() {
		if match(call) {
			n++
		}
	}
	return n
}

// Refused matches calls that were answered with an error code of AWS's.
func Refused(code string) func(fakeaws.Call) bool {
	return func(call fakeaws.Call) bool { return call.Err == code }
}

// Calls matches calls of an action, such as "cloudfront:CreateInvalidation", whatever they report.
func Calls(action string) func(fakeaws.Call) bool {
	return func(call fakeaws.Call) bool { return call.Action == action }
}

// Reports matches calls of an action that report a status, as fakeaws.Call has it.
func Reports(action, status string) func(fakeaws.Call) bool {
	return func(call fakeaws.Call) bool { return call.Action == action && call.Status == status }
}

// With runs work in a world of its own.
func With(s Setup, work func(*World) error) (err error) {
	w, err := Open(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return work(w)
}
