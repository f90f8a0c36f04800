package buildspec

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shellcheckEnv names the variable with the path of the shellcheck to use. `make
// lint` sets it; `make test` does not need shellcheck.
const shellcheckEnv = "SHELLCHECK"

func TestShellcheck(t *testing.T) {
	tool := os.Getenv(shellcheckEnv)
	if tool == "" {
		t.Skipf("%s is not set to the path of shellcheck; make lint sets it", shellcheckEnv)
	}
	for _, recipe := range recipes {
		for _, c := range mustParse(t, recipe.text).Commands() {
			t.Run(recipe.name+" "+c.String(), func(t *testing.T) {
				file := filepath.Join(t.TempDir(), c.String()+".sh")
				text := c.Text
				// A script inside a command is checked by itself.
				if _, script, ok := strings.Cut(text, "<<'END'\n"); ok {
					text, _, _ = strings.Cut(script, "\nEND\n")
				}
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				// CodeBuild's default shell is sh, so scripts are POSIX. Without the machine's
				// configuration, the result is the same everywhere.
				out, err := exec.CommandContext(t.Context(), tool, "--norc", "--shell=sh", "--severity=style", file).CombinedOutput()
				if err != nil {
					t.Errorf("shellcheck: %v\n%s", err, out)
				}
			})
		}
	}
}
