package buildspec

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// shellcheckEnv names the variable with the path of the shellcheck to use.
// `make lint` sets it; shellcheck is not among the tools `make test` needs.
const shellcheckEnv = "SHELLCHECK"

func TestShellcheck(t *testing.T) {
	tool := os.Getenv(shellcheckEnv)
	if tool == "" {
		t.Skipf("%s is not set to the path of shellcheck; make lint sets it", shellcheckEnv)
	}
	dir := t.TempDir()
	for _, c := range mustParse(t).commands() {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(dir, c.name+".sh")
			if err := os.WriteFile(file, []byte(c.script), 0o600); err != nil {
				t.Fatal(err)
			}
			// --shell=sh: CodeBuild's default shell, so nothing beyond POSIX.
			// --norc: the result must not depend on the machine.
			out, err := exec.CommandContext(t.Context(), tool, "--norc", "--shell=sh", "--severity=style", file).CombinedOutput()
			if err != nil {
				t.Errorf("shellcheck: %v\n%s", err, out)
			}
		})
	}
}
