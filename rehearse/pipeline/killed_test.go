package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// victim names the environment variable with the JSON of the rehearsal in which a process is killed.
const victim = "PIPELINE_VICTIM"

// condemned is that rehearsal.
type condemned struct{ Template, Source, Dir, Data, Function string }

// live rehearses, slowly.
func live(text string) error {
	var c condemned
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	loaded, err := assembly.LoadTemplate(c.Template)
	if err != nil {
		return err
	}
	plan, err := Read(loaded)
	if err != nil {
		return err
	}
	result, err := Run(context.Background(), plan, Options{
		Source: c.Source, Dir: c.Dir, Data: c.Data, Path: os.Getenv("PATH"), CompleteAfter: time.Minute,
		compile: func(_ context.Context, _, binary string) error { return os.Link(c.Function, binary) },
	}, func(rehearsal.Event) {})
	return fmt.Errorf("it was not killed, and ended as %s, %w", result.Status, err)
}

func TestNothingIsLeftOfAKilledRehearsal(t *testing.T) {
	tests := []struct{ name, command, runs string }{
		{"in the build", "(sleep " + nap + " & sleep " + nap + ")", "sleep " + nap},
		{"in the function", "echo building", "/bootstrap"},
	}
	function, err := invalidate()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := condemned{Source: blog(t), Dir: t.TempDir(), Data: t.TempDir(), Function: function}
			c.Template = filepath.Join(template(t, "uploaded-pipeline").Dir, "uploaded-pipeline.template.json")
			buildspec := filepath.Join(c.Source, "buildspec", "hugo.yml")
			text, err := os.ReadFile(buildspec)
			if err != nil {
				t.Fatal(err)
			}
			write(t, c.Source, map[string]string{"buildspec/hugo.yml": strings.Replace(string(text), "echo building", tt.command, 1)})
			given, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), victim+"="+string(given))
			var stderr strings.Builder
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			for {
				if left := c.left(t); strings.Contains(strings.Join(left, "\n"), tt.runs) {
					break
				}
				select {
				case err := <-ended:
					t.Fatalf("it never ran %s: %v\n%s", tt.runs, err, &stderr)
				case <-time.After(50 * time.Millisecond):
				}
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-ended //nolint:errcheck // it was killed
			left := c.left(t)
			for deadline := time.Now().Add(time.Minute); len(left) > 0 && time.Now().Before(deadline); left = c.left(t) {
				time.Sleep(100 * time.Millisecond)
			}
			if len(left) > 0 {
				t.Errorf("a minute later there still are\n%s", strings.Join(left, "\n"))
			}
		})
	}
}

// left lists the processes and folders of a rehearsal.
func (c condemned) left(t *testing.T) []string {
	t.Helper()
	left, err := running(-1, c.Dir, c.Data, "sleep "+nap)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{c.Dir, c.Data} {
		entries, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, entries...)
	}
	return left
}
