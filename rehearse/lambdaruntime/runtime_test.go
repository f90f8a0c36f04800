package lambdaruntime

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// binary is the path of the compiled testdata/function. Its folder has a space in its name.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lambda runtime ")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// The temporary folder may be a symbolic link, as on macOS. The function reports the real path.
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

// functionAnswer is the default answer of testdata/function.
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
		{"reserved variable", Function{Name: "f", Binary: binary, Env: map[string]string{"AWS_LAMBDA_RUNTIME_API": "x"}}, "Lambda reserves the environment variable"},
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
