package environment

import (
	"strings"
	"testing"
	"time"
)

type answer string

const (
	yes answer = "yes"
	no  answer = "no"
)

func reader(env map[string]string) *Reader {
	return &Reader{Getenv: func(name string) string { return env[name] }}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"": time.Minute, "40s": 40 * time.Second, "40": 0, "0s": 0, "-1m": 0, "soon": 0} {
		r := reader(map[string]string{"WAIT": text})
		got, err := r.Duration("WAIT", time.Minute), r.Err()
		if want != 0 && (got != want || err != nil) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
		if wantErr := `WAIT is "` + text + `": must be a duration above zero`; want == 0 && (got != time.Minute || err == nil || !strings.Contains(err.Error(), wantErr)) {
			t.Errorf("%q: %v, %v, want the default and %q", text, got, err, wantErr)
		}
	}
}

func TestChoice(t *testing.T) {
	for text, want := range map[string]answer{"": yes, "yes": yes, "no": no} {
		r := reader(map[string]string{"ANSWER": text})
		if got := Choice(r, "ANSWER", yes, no); got != want || r.Err() != nil {
			t.Errorf("%q: %v, %v, want %v", text, got, r.Err(), want)
		}
	}
	r := reader(map[string]string{"ANSWER": "perhaps"})
	if got := Choice(r, "ANSWER", yes, no); got != yes {
		t.Errorf("got %q, want the default", got)
	}
	if err, want := r.Err(), `ANSWER is "perhaps": must be "yes" or "no"`; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error is %v, want %q", err, want)
	}
}

func TestErrHasEveryProblem(t *testing.T) {
	r := reader(map[string]string{"WAIT": "soon", "ANSWER": "perhaps"})
	r.Duration("WAIT", time.Minute)
	Choice(r, "ANSWER", yes, no)
	r.Add(nil)
	for _, want := range []string{"the function's environment is wrong: ", "WAIT is", "ANSWER is"} {
		if err := r.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q in it", err, want)
		}
	}
}
