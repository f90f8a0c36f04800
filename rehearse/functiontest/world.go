// Package functiontest helps to test a compiled Lambda function against the doubles of AWS. A [World] is a function with
// its doubles, and a [Matrix] makes each call of the function fail in every way. [World.BrokenRules] checks the rules for
// every function:
//
//  1. every invocation ends in exactly one report or one continuation;
//  2. the same request for work, delivered twice, creates one invalidation, or publishes once;
//  3. the function reports success only after CloudFront returns Completed, or after the release is committed;
//  4. a report that could not be sent is an error, so that Lambda tries again;
//  5. no credential, token or whole event is ever logged or reported, and the credentials of a job's event are never used.
//
// The tests of a function say what is a request, a report and a success in the function's protocol.
package functiontest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/s3"
)

// Main compiles the function of the current package for this machine, sets *binary to its path and runs the package's
// tests. A TestMain calls it with its *testing.M.
func Main(m interface{ Run() int }, binary *string) (code int) {
	s3.Main()
	dir, err := os.MkdirTemp("", "functiontest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // A folder that remains does no harm.
	*binary = filepath.Join(dir, "bootstrap")
	if err := lambdaruntime.Compile(context.Background(), ".", *binary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var stop func() error
	s3Server, stop = startedOnce(dir)
	code = m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// s3Server returns the S3 server of the tests' process. It starts when a world needs it first.
var s3Server = func() (*s3.Server, error) { return nil, errors.New("TestMain does not call functiontest.Main") }

func startedOnce(dir string) (server func() (*s3.Server, error), stop func() error) {
	closeIt := func() error { return nil }
	return sync.OnceValues(func() (*s3.Server, error) {
		server, err := s3.Start(context.Background(), s3.Options{Dir: dir})
		if err == nil {
			closeIt = server.Close
		}
		return server, err
	}), func() error { return closeIt() }
}

// Timeout is the function's timeout in tests. Tries is how often Lambda tries an asynchronous invocation.
const (
	Timeout = 4 * time.Second
	Tries   = 3
)

// quick holds environment variables with which the function waits milliseconds in place of seconds.
var quick = map[string]string{
	contract.EnvPollFor:   "150ms",
	contract.EnvPollEvery: "50ms",
	contract.EnvDeadline:  "30s",
}

// OneCall has each call of the function make one call of CloudFront. With an invalidation that is completed [Soon], the
// function needs exactly two, however fast the machine is.
var OneCall = map[string]string{contract.EnvPollFor: "1ns"}

// Soon is the time after which an invalidation is completed at the next look.
const Soon = time.Nanosecond

// Setup describes a [World].
type Setup struct {
	// Binary is the path of the compiled function, and Name its name. Required.
	Binary, Name  string
	Cloud         fakeaws.Options
	Distributions []fakeaws.Distribution
	// Buckets holds the names of environment variables of the function. The world makes a bucket for each, whose name no
	// other world has, and sets the variable to it. World.Buckets has the names. Optional.
	Buckets []string
	// Role is the ARN of a role that the function assumes. All distributions are then in the role's account. Optional.
	Role string
	// Env holds additional environment variables of the function. Later maps override earlier ones.
	Env []map[string]string
	// Timeout is the function's timeout. Default: the constant Timeout.
	Timeout time.Duration
}

// World is a function together with the doubles of AWS.
type World struct {
	Cloud    *fakeaws.Cloud
	Function *lambdaruntime.Runtime
	// S3 is the server behind the cloud, which all worlds share; nil without Setup.Buckets. It checks no permissions and
	// makes no faults, so that a test can look at its buckets.
	S3 *s3.Server
	// Buckets has the names of the world's buckets by Setup.Buckets.
	Buckets map[string]string

	server     *httptest.Server
	duplicates sync.WaitGroup
}

// Open makes a world. The caller must Close it.
func Open(s Setup) (*World, error) {
	w := &World{Buckets: map[string]string{}}
	env := map[string]string{}
	if err := w.addBuckets(&s); err != nil {
		return nil, err
	}
	maps.Copy(env, w.Buckets)
	w.Cloud = fakeaws.New(s.Cloud)
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
	role := w.Cloud.Issue("arn:aws:sts::123456789012:assumed-role/functiontest/"+s.Name, time.Hour)
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

// addBuckets makes the world's buckets, and puts them behind its cloud.
func (w *World) addBuckets(s *Setup) (err error) {
	if len(s.Buckets) == 0 {
		return nil
	}
	if w.S3, err = s3Server(); err != nil {
		return err
	}
	s.Cloud.S3 = w.S3.Unsigned()
	for _, variable := range s.Buckets {
		name := bucketPrefix(variable) + strings.ToLower(rand.Text())
		if err := w.S3.CreateBucket(context.Background(), name); err != nil {
			return err
		}
		w.Buckets[variable] = name
	}
	return nil
}

// Close waits for the invocations of Again, and then closes the function and the cloud. The function's logs and the cloud's
// records can still be read afterwards.
func (w *World) Close() error {
	w.duplicates.Wait()
	err := w.Function.Close()
	w.server.Close()
	return err
}

// Again delivers an event once more and does not wait for the invocation.
func (w *World) Again(ctx context.Context, event []byte) {
	w.duplicates.Go(func() { w.Function.InvokeAsync(ctx, event) })
}

// Wait waits for the invocations of Again.
func (w *World) Wait() { w.duplicates.Wait() }

// Count returns the number of matching calls that the cloud has received.
func (w *World) Count(match func(fakeaws.Call) bool) (n int) {
	for _, call := range w.Cloud.Calls() {
		if match(call) {
			n++
		}
	}
	return n
}

// Refused matches calls that the cloud has answered with an AWS error code.
func Refused(code string) func(fakeaws.Call) bool {
	return func(call fakeaws.Call) bool { return call.Err == code }
}

// MissedAnswer reports whether the function gave a report up before it had an answer, as it does on a machine so slow
// that its time is over. It then reports again, although the first report has arrived.
func (w *World) MissedAnswer() bool { return strings.Contains(w.Function.Logs(), "report not sent") }

// Calls matches calls of an action, such as "cloudfront:CreateInvalidation".
func Calls(action string) func(fakeaws.Call) bool {
	return func(call fakeaws.Call) bool { return call.Action == action }
}

// Operation matches calls of an operation of S3 in the bucket of a variable of Setup.Buckets. pattern is a pattern of
// path.Match for the object's key; "" matches each key, and calls on the whole bucket.
func Operation(name, variable, pattern string) func(fakeaws.Call) bool {
	return func(call fakeaws.Call) bool {
		bucket, key, _ := strings.Cut(strings.TrimPrefix(call.Resource, "arn:aws:s3:::"), "/")
		matches, err := path.Match(pattern, key)
		return call.Operation == name && strings.HasPrefix(bucket, bucketPrefix(variable)) && (pattern == "" || err == nil && matches)
	}
}

// bucketPrefix begins the names of the buckets of a variable.
func bucketPrefix(variable string) string {
	return strings.ToLower(strings.ReplaceAll(variable, "_", "-")) + "-"
}

// Reports matches calls of an action that report a status; see fakeaws.Call.
func Reports(action, status string) func(fakeaws.Call) bool {
	return func(call fakeaws.Call) bool { return call.Action == action && call.Status == status }
}

// With opens a world, runs work in it and closes it.
func With(s Setup, work func(*World) error) (err error) {
	w, err := Open(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return work(w)
}
