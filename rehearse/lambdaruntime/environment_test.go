package lambdaruntime

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

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
