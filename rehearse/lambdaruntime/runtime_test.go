package lambdaruntime

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the compiled testdata/function, in a folder whose name holds a space.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lambda runtime ")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// /tmp may be a link, as on macOS; the function reports the real path.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary = filepath.Join(dir, "bootstrap")
	if err := Compile(context.Background(), "./testdata/function", binary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// functionAnswer is what testdata/function answers by default.
type functionAnswer struct {
	Text        string
	Invocations int
	PID         int
	RequestID   string
	ARN         string
	RemainingMS int64
	Env         []string
	Dir         string
}

func start(t *testing.T, fn Function) *Runtime {
	t.Helper()
	fn.Binary = binary
	if fn.Name == "" {
		fn.Name = "invalidate"
	}
	if fn.Timeout == 0 {
		fn.Timeout = 10 * time.Second
	}
	r, err := Start(fn)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return r
}

func event(do, text string) []byte {
	return fmt.Appendf(nil, `{"Do":%q,"Text":%q}`, do, text)
}

func invoke(t *testing.T, r *Runtime, do, text string) Result {
	t.Helper()
	result, err := r.Invoke(t.Context(), event(do, text))
	if err != nil {
		t.Fatalf("Invoke %q: %v", do, err)
	}
	return result
}

func decode(t *testing.T, result Result) functionAnswer {
	t.Helper()
	if result.Err != nil {
		t.Fatalf("invocation: got error %v, want success", result.Err)
	}
	var answer functionAnswer
	if err := json.Unmarshal(result.Payload, &answer); err != nil {
		t.Fatalf("decode %s: %v", result.Payload, err)
	}
	return answer
}

func TestInvokeAnswersAndStaysWarm(t *testing.T) {
	r := start(t, Function{Timeout: 5 * time.Second})
	first := invoke(t, r, "", "one")
	second := invoke(t, r, "", "two")

	one, two := decode(t, first), decode(t, second)
	if one.Text != "one" || two.Text != "two" {
		t.Errorf("texts: got %q and %q, want one and two", one.Text, two.Text)
	}
	if one.PID != two.PID || one.Invocations != 1 || two.Invocations != 2 {
		t.Errorf("got invocation %d of process %d, then %d of %d; want 1 and 2 of one process", one.Invocations, one.PID, two.Invocations, two.PID)
	}
	if first.InitDuration <= 0 || second.InitDuration != 0 {
		t.Errorf("InitDuration: got %v cold and %v warm, want one for the cold start only", first.InitDuration, second.InitDuration)
	}
	if first.Duration <= 0 || first.Duration > 5*time.Second {
		t.Errorf("Duration: got %v, want one within the timeout", first.Duration)
	}
	if first.RequestID == second.RequestID || one.RequestID != first.RequestID || two.RequestID != second.RequestID {
		t.Errorf("request ids: got %q and %q, the function saw %q and %q", first.RequestID, second.RequestID, one.RequestID, two.RequestID)
	}
	if want := "arn:aws:lambda:us-east-1:123456789012:function:invalidate"; one.ARN != want {
		t.Errorf("function ARN: got %q, want %q", one.ARN, want)
	}
	if one.RemainingMS <= 3000 || one.RemainingMS > 5000 {
		t.Errorf("deadline: got %d ms ahead, want just below 5,000", one.RemainingMS)
	}
	if runtime.GOOS == "linux" && (first.MaxRSSKB < 1000 || first.MaxRSSKB > 200_000) {
		t.Errorf("MaxRSSKB: got %d, want a plausible size", first.MaxRSSKB)
	}
}

func TestConcurrentInvocationsHaveProcessesOfTheirOwn(t *testing.T) {
	const n = 4
	r := start(t, Function{})
	var mu sync.Mutex
	pids := make(map[int]bool)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			result, err := r.Invoke(t.Context(), event("sleep", "500ms"))
			if err != nil || result.Err != nil {
				t.Errorf("Invoke: %v, %v", err, result.Err)
				return
			}
			var answer functionAnswer
			if err := json.Unmarshal(result.Payload, &answer); err != nil {
				t.Errorf("decode %s: %v", result.Payload, err)
			}
			mu.Lock()
			defer mu.Unlock()
			pids[answer.PID] = true
		})
	}
	wg.Wait()
	if len(pids) != n {
		t.Errorf("processes: got %d, want %d", len(pids), n)
	}
	if warm := decode(t, invoke(t, r, "", "")); !pids[warm.PID] {
		t.Errorf("afterwards: got process %d, want one of the warm ones %v", warm.PID, pids)
	}
}

func TestEnvironmentIsOnlyWhatLambdaGives(t *testing.T) {
	t.Setenv("LAMBDARUNTIME_TEST_LEAK", "leaked")
	r := start(t, Function{Name: "f", MemoryMB: 256, Env: map[string]string{"AWS_REGION": "eu-west-1", "AWS_SECRET_ACCESS_KEY": "mine", "BLOG": "a blog"}})
	answer := decode(t, invoke(t, r, "", ""))
	env := make(map[string]string)
	for _, variable := range answer.Env {
		key, value, _ := strings.Cut(variable, "=")
		env[key] = value
	}
	want := map[string]string{
		"AWS_ACCESS_KEY_ID":               "ASIAREHEARSALEXAMPLE",
		"AWS_DEFAULT_REGION":              "eu-west-1",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_LAMBDA_FUNCTION_NAME":        "f",
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/f",
		"AWS_REGION":                      "eu-west-1",
		"AWS_SECRET_ACCESS_KEY":           "mine",
		"AWS_SESSION_TOKEN":               "rehearsal-session-token-EXAMPLE",
		"BLOG":                            "a blog",
		"LAMBDA_TASK_ROOT":                filepath.Dir(binary),
		"LANG":                            "en_US.UTF-8",
		"PATH":                            "/usr/local/bin:/usr/bin:/bin:/opt/bin",
		"TZ":                              ":UTC",
		"_HANDLER":                        "bootstrap",
	}
	for key, value := range want {
		if got := env[key]; got != value {
			t.Errorf("%s: got %q, want %q", key, got, value)
		}
		delete(env, key)
	}
	if api := env["AWS_LAMBDA_RUNTIME_API"]; !strings.HasPrefix(api, "127.0.0.1:") {
		t.Errorf("AWS_LAMBDA_RUNTIME_API: got %q, want one on loopback", api)
	}
	for _, key := range []string{
		"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_LOG_STREAM_NAME",
		"_X_AMZN_TRACE_ID",                                         // set by aws-lambda-go itself
		"__CF_USER_TEXT_ENCODING", "MallocNanoZone", "__XPC_FLAGS", // set by macOS
	} {
		delete(env, key)
	}
	if len(env) > 0 {
		t.Errorf("other variables: got %v, want none", env)
	}
	if want := filepath.Dir(binary); answer.Dir != want {
		t.Errorf("working directory: got %q, want %q", answer.Dir, want)
	}
	if want := "arn:aws:lambda:eu-west-1:123456789012:function:f"; answer.ARN != want {
		t.Errorf("function ARN: got %q, want %q", answer.ARN, want)
	}
}

func TestFailures(t *testing.T) {
	tests := []struct {
		name, do, text        string
		wantType, wantMessage string // regular expressions, for all of it
		wantNewProcess        bool
	}{
		{"error", "error", "broken", "errorString", "broken", false},
		{"error with a type", "typed error", "", "typedError", "typed", false},
		{"panic", "panic", "oh no", "string", "oh no", true},
		{"exit", "exit", "", "Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: exit status 7", true},
		{"exit with status 0", "exit cleanly", "", "Runtime.ExitError", "RequestId: ID Error: Runtime exited without providing a reason", true},
		{"timeout", "sleep", "1m", "Sandbox.Timedout", "RequestId: ID Error: Task timed out after 1.50 seconds", true},
		{"response too large", "large", "", "Function.ResponseSizeTooLarge", `Response payload size exceeded .*`, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := start(t, Function{Timeout: 1500 * time.Millisecond})
			before := decode(t, invoke(t, r, "", ""))
			result := invoke(t, r, test.do, test.text)
			if result.Err == nil {
				t.Fatalf("got payload %.100s, want an error", result.Payload)
			}
			message := strings.ReplaceAll(result.Err.ErrorMessage, result.RequestID, "ID")
			if result.Err.ErrorType != test.wantType || !regexp.MustCompile(`^(?s:`+test.wantMessage+`)$`).MatchString(message) {
				t.Errorf("error: got %q %q, want %q %q", result.Err.ErrorType, message, test.wantType, test.wantMessage)
			}
			var payload FunctionError
			if err := json.Unmarshal(result.Payload, &payload); err != nil || payload != *result.Err {
				t.Errorf("payload: got %s (%v), want the error %v", result.Payload, err, result.Err)
			}
			after := decode(t, invoke(t, r, "", ""))
			if got := after.PID != before.PID; got != test.wantNewProcess {
				t.Errorf("new process afterwards: got %v, want %v", got, test.wantNewProcess)
			}
			if test.wantType == "Sandbox.Timedout" {
				if result.Duration < 1500*time.Millisecond {
					t.Errorf("duration: got %v, want the timeout at least", result.Duration)
				}
				if want := result.RequestID + " Task timed out after 1.50 seconds"; !strings.Contains(r.Logs(), want) {
					t.Errorf("logs: got %q, want them to contain %q", r.Logs(), want)
				}
			}
		})
	}
}

func TestInitFailures(t *testing.T) {
	tests := []struct {
		init, wantType, wantMessage string
	}{
		{"exit", "Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: exit status 3"},
		{"error", "Function.Broken", "no configuration"},
	}
	for _, test := range tests {
		t.Run(test.init, func(t *testing.T) {
			r := start(t, Function{Env: map[string]string{"INIT": test.init}})
			for range 2 { // A failed start is not remembered.
				result := invoke(t, r, "", "")
				if result.Err == nil {
					t.Fatalf("got %s, want an error", result.Payload)
				}
				message := strings.ReplaceAll(result.Err.ErrorMessage, result.RequestID, "ID")
				if result.Err.ErrorType != test.wantType || message != test.wantMessage {
					t.Errorf("got %q %q, want %q %q", result.Err.ErrorType, message, test.wantType, test.wantMessage)
				}
			}
			if test.init == "exit" && strings.Count(r.Logs(), "init: giving up\n") != 2 {
				t.Errorf("logs: got %q, want the function's word twice", r.Logs())
			}
		})
	}
}

func TestRuntimeAPIRefusesWhatLambdaRefuses(t *testing.T) {
	r := start(t, Function{})
	// The first of the two responses is the invocation's answer; after it, aws-lambda-go fails to
	// give its own and ends.
	result := invoke(t, r, "protocol", "")
	if result.Err != nil || string(result.Payload) != "{}" {
		t.Errorf("got %s, %v, want the first response {}", result.Payload, result.Err)
	}
	want := []string{
		"/invocation/next 403 InvalidStateTransition",
		"/invocation/another/response 400 InvalidRequestID",
		"/invocation/another/error 400 InvalidRequestID",
		"/invocation/ID/unknown 404 no JSON",
		"/invocation/ID/response 202 ",
		"/invocation/ID/response 400 InvalidStateTransition",
		"/invocation/ID/error 400 InvalidStateTransition",
	}
	got := strings.Split(r.Logs(), "\n")
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("answers: got %q, want %q", got, want)
	}
}

func TestKillCrashesRunningInvocations(t *testing.T) {
	r := start(t, Function{})
	idle := decode(t, invoke(t, r, "", ""))
	done := make(chan Result)
	go func() {
		result, err := r.Invoke(t.Context(), event("start a child and hang", ""))
		if err != nil {
			t.Errorf("Invoke: %v", err)
		}
		done <- result
	}()
	child := waitForChild(t, r)
	r.Kill()
	if alive(t, idle.PID) {
		t.Error("the process lives on after Kill")
	}
	result := <-done
	want := "Runtime.ExitError: RequestId: " + result.RequestID + " Error: Runtime exited with error: signal: killed"
	if result.Err == nil || result.Err.Error() != want {
		t.Errorf("killed invocation: got %v, want %s", result.Err, want)
	}
	waitUntilGone(t, child)
	after := invoke(t, r, "", "")
	if answer := decode(t, after); answer.Invocations != 1 || answer.PID == idle.PID || after.InitDuration == 0 {
		t.Errorf("next invocation: got %+v, want a fresh process", answer)
	}
}

func TestFreezeRunsIntoTheTimeout(t *testing.T) {
	r := start(t, Function{Timeout: 600 * time.Millisecond})
	done := make(chan Result)
	go func() {
		result, err := r.Invoke(t.Context(), event("sleep", "300ms"))
		if err != nil {
			t.Errorf("Invoke: %v", err)
		}
		done <- result
	}()
	time.Sleep(150 * time.Millisecond) // until it sleeps
	r.Freeze()
	if result := <-done; result.Err == nil || result.Err.ErrorType != "Sandbox.Timedout" {
		t.Errorf("frozen invocation: got %v, want Sandbox.Timedout", result.Err)
	}
}

func TestKillEndsIdleProcesses(t *testing.T) {
	r := start(t, Function{})
	r.Kill() // Nothing runs: nothing happens.
	before := decode(t, invoke(t, r, "", ""))
	r.Kill()
	if after := decode(t, invoke(t, r, "", "")); after.PID == before.PID {
		t.Errorf("got process %d again, want a fresh one", after.PID)
	}
}

func TestNothingOutlivesItsProcess(t *testing.T) {
	for do, wantType := range map[string]string{
		"start a child and hang": "Sandbox.Timedout",
		"start a child and exit": "Runtime.ExitError",
	} {
		t.Run(do, func(t *testing.T) {
			r := start(t, Function{Timeout: time.Second})
			result := invoke(t, r, do, "")
			if result.Err == nil || result.Err.ErrorType != wantType {
				t.Errorf("got %v, want a %s", result.Err, wantType)
			}
			waitUntilGone(t, waitForChild(t, r))
			r.mu.Lock()
			defer r.mu.Unlock()
			for env := range r.all {
				if env.alive() {
					t.Errorf("process %d lives on", env.cmd.Process.Pid)
				}
			}
		})
	}
}

func TestProcessThatDiedWhileIdleIsNotUsed(t *testing.T) {
	r := start(t, Function{})
	before := decode(t, invoke(t, r, "", ""))
	r.mu.Lock()
	env := r.idle[0]
	r.mu.Unlock()
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Fatalf("kill: %v", err)
	}
	<-env.exited
	if after := decode(t, invoke(t, r, "", "")); after.PID == before.PID {
		t.Errorf("got process %d again, want a fresh one", after.PID)
	}
}

func TestCancelledContextStopsTheProcess(t *testing.T) {
	r := start(t, Function{})
	ctx, cancel := context.WithCancel(t.Context())
	var child int
	go func() {
		child = waitForChild(t, r)
		cancel()
	}()
	_, err := r.Invoke(ctx, event("start a child and hang", ""))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error: got %v, want %v", err, context.Canceled)
	}
	waitUntilGone(t, child)
	if _, err := r.Invoke(ctx, event("", "")); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context already done: got %v, want %v", err, context.Canceled)
	}
	if answer := decode(t, invoke(t, r, "", "")); answer.Invocations != 1 {
		t.Errorf("next invocation: got number %d of its process, want a fresh process", answer.Invocations)
	}
}

func TestInvokeAsyncRetries(t *testing.T) {
	const failure, success = "failure", "success"
	tests := []struct {
		name, do   string
		retries    int
		want       []string
		wantDelays []int
	}{
		{"success at once", "", 2, []string{success}, nil},
		{"success at last", "error twice", 2, []string{failure, failure, success}, []int{1, 2}},
		{"no retry", "error", 0, []string{failure}, nil},
		{"all fail", "error", 2, []string{failure, failure, failure}, []int{1, 2}},
		{"all crash", "exit", 1, []string{failure, failure}, []int{1}},
		{"all time out", "sleep", 1, []string{failure, failure}, []int{1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var delays []int
			r := start(t, Function{Timeout: time.Second, Retries: test.retries, RetryDelay: func(attempt int) time.Duration {
				delays = append(delays, attempt)
				return time.Millisecond
			}})
			results := r.InvokeAsync(t.Context(), event(test.do, "1m"))
			var got []string
			for _, result := range results {
				outcome := success
				if result.Err != nil {
					outcome = failure
				}
				got = append(got, outcome)
				if result.RequestID != results[0].RequestID {
					t.Errorf("request id of a retry: got %q, want the first attempt's %q", result.RequestID, results[0].RequestID)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("attempts: got %q, want %q", got, test.want)
			}
			if !slices.Equal(delays, test.wantDelays) {
				t.Errorf("delays asked for: got %v, want %v", delays, test.wantDelays)
			}
		})
	}
}

func TestInvokeAsyncEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := start(t, Function{Retries: 2, RetryDelay: func(int) time.Duration {
		cancel()
		return time.Hour
	}})
	if got := r.InvokeAsync(ctx, event("error", "broken")); len(got) != 1 || got[0].Err.ErrorMessage != "broken" {
		t.Errorf("cancelled while waiting: got %+v, want the first attempt only", got)
	}
	if got := r.InvokeAsync(ctx, event("", "")); len(got) != 1 || got[0].Err == nil || got[0].Err.ErrorType != "Runtime.Unavailable" {
		t.Errorf("cancelled from the start: got %+v, want one attempt of type Runtime.Unavailable", got)
	}
}

func TestRetryDelayDefaultsToLambdas(t *testing.T) {
	r := start(t, Function{})
	for attempt, want := range map[int]time.Duration{1: time.Minute, 2: 2 * time.Minute} {
		if got := r.fn.RetryDelay(attempt); got != want {
			t.Errorf("delay before retry %d: got %v, want %v", attempt, got, want)
		}
	}
}

// TestLogsAreCompleteWhenInvokeReturns would be flaky, not red, if output were copied on the side; so
// it looks many times.
func TestLogsAreCompleteWhenInvokeReturns(t *testing.T) {
	var live bytes.Buffer
	r := start(t, Function{Log: &live})
	var want strings.Builder
	for i := range 50 {
		invoke(t, r, "print", strconv.Itoa(i))
		fmt.Fprintf(&want, "stdout: %d\nstderr: %d\n", i, i)
		if got := r.Logs(); got != want.String() {
			t.Fatalf("logs after invocation %d: got %q, want %q", i, got, want.String())
		}
	}
	if err := r.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if got := r.Logs(); got != want.String() {
		t.Errorf("logs after Close: got %q, want %q", got, want.String())
	}
	if got := live.String(); got != want.String() {
		t.Errorf("Function.Log: got %q, want %q", got, want.String())
	}
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	r := start(t, Function{})
	var wg sync.WaitGroup
	wg.Go(func() {
		result, err := r.Invoke(t.Context(), event("start a child and hang", ""))
		if err != nil || result.Err == nil || result.Err.ErrorType != "Runtime.ExitError" {
			t.Errorf("invocation during Close: got %v, %v, want a Runtime.ExitError", result.Err, err)
		}
	})
	child := waitForChild(t, r)
	idle := decode(t, invoke(t, r, "", ""))
	for range 2 { // Closing twice is harmless.
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	wg.Wait()
	if alive(t, idle.PID) {
		t.Error("the idle process lives on after Close")
	}
	waitUntilGone(t, child)
	if _, err := r.Invoke(t.Context(), event("", "")); !errors.Is(err, ErrClosed) {
		t.Errorf("Invoke after Close: got %v, want %v", err, ErrClosed)
	}
}

func TestStartRefuses(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		fn   Function
		want string
	}{
		{"no name", Function{Binary: binary}, "Name is empty"},
		{"no such file", Function{Name: "f", Binary: filepath.Join(dir, "none")}, "none"},
		{"a folder", Function{Name: "f", Binary: dir}, "not an executable file"},
		{"not executable", Function{Name: "f", Binary: plain}, "not an executable file"},
		{"reserved variable", Function{Name: "f", Binary: binary, Env: map[string]string{"AWS_LAMBDA_RUNTIME_API": "x"}}, "reserved"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, err := Start(test.fn)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v, want an error that contains %q", r, err, test.want)
			}
		})
	}
}

// waitForChild returns the process id of the child that the function started.
func waitForChild(t *testing.T, r *Runtime) int {
	t.Helper()
	line := regexp.MustCompile(`(?m)^child (\d+)$`)
	for deadline := time.Now().Add(8 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if match := line.FindStringSubmatch(r.Logs()); match != nil {
			pid, _ := strconv.Atoi(match[1])
			return pid
		}
	}
	t.Error("the function has not started its child")
	return 0
}

// waitUntilGone waits for a process that this one is not the parent of, and so cannot reap.
func waitUntilGone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(8 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if !alive(t, pid) {
			return
		}
	}
	t.Errorf("process %d lives on", pid)
}

// alive says whether a process runs; zombies, which nobody may ever reap in a container, do not.
func alive(t *testing.T, pid int) bool {
	t.Helper()
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	if runtime.GOOS == "linux" { // ps is not in every container.
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		return err == nil && !bytes.Contains(status, []byte("\nState:\tZ"))
	}
	state, err := exec.CommandContext(t.Context(), "ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !bytes.HasPrefix(bytes.TrimSpace(state), []byte("Z"))
}
