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

func TestDurationFromZero(t *testing.T) {
	for text, want := range map[string]time.Duration{"": time.Minute, "0s": 0, "0": 0, "24h": 24 * time.Hour} {
		r := reader(map[string]string{"WAIT": text})
		if got := r.DurationFromZero("WAIT", time.Minute); got != want || r.Err() != nil {
			t.Errorf("%q: %v, %v, want %v", text, got, r.Err(), want)
		}
	}
	r := reader(map[string]string{"WAIT": "-1s"})
	if got := r.DurationFromZero("WAIT", time.Minute); got != time.Minute || r.Err() == nil {
		t.Errorf("got %v, %v, want the default and an error", got, r.Err())
	}
}

func TestFolder(t *testing.T) {
	for folder, want := range map[string]string{"": "", "blog": "", "ja/notes": "", "/blog": "without a slash", "blog/": "without a slash", "/": "without a slash"} {
		r := reader(map[string]string{"FOLDER": folder})
		got, err := r.Folder("FOLDER"), r.Err()
		if got != folder || (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v, want it and the error %q", folder, got, err, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]int{"": 30, "0": 0, "100": 100} {
		r := reader(map[string]string{"SHARE": text})
		if got := r.Number("SHARE", 30, 0, 100); got != want || r.Err() != nil {
			t.Errorf("%q: %v, %v, want %v", text, got, r.Err(), want)
		}
	}
	for _, text := range []string{"-1", "101", "1.5", "many"} {
		r := reader(map[string]string{"SHARE": text})
		got, err, want := r.Number("SHARE", 30, 0, 100), r.Err(), `SHARE is "`+text+`": must be a number from 0 to 100`
		if got != 30 || err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%q: %v, %v, want the default and %q", text, got, err, want)
		}
	}
}

func TestRequired(t *testing.T) {
	r := reader(map[string]string{"PLACE": "here"})
	if got := r.Required("PLACE", "a place"); got != "here" || r.Err() != nil {
		t.Errorf("got %q, %v, want here", got, r.Err())
	}
	r.Required("TIME", "a time")
	if err, want := r.Err(), `TIME is "": must be a time`; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error is %v, want %q", err, want)
	}
}

func TestJSON(t *testing.T) {
	type point struct{ X, Y int }
	for text, want := range map[string]point{"": {}, `{"X":1,"Y":2}`: {1, 2}} {
		r := reader(map[string]string{"POINT": text})
		if got, ok := JSON(r, "POINT", point{3, 4}); got != want || !ok || r.Err() != nil {
			t.Errorf("%q: %v, %v, %v, want %v", text, got, ok, r.Err(), want)
		}
	}
	for text, problem := range map[string]string{"x": "invalid character", `{"X":1,"Z":2}`: `unknown field "Z"`, "{} {}": "something follows"} {
		r := reader(map[string]string{"POINT": text})
		got, ok := JSON(r, "POINT", point{3, 4})
		if got != (point{}) || ok {
			t.Errorf("%q: %v, %v, want neither", text, got, ok)
		}
		if err := r.Err(); err == nil || !strings.Contains(err.Error(), problem) || !strings.HasSuffix(err.Error(), `must be JSON such as {"X":3,"Y":4}`) {
			t.Errorf("%q: error is %v, want %q and the example", text, err, problem)
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
