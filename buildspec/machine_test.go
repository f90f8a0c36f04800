package buildspec

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// machine stands in for a build container: a source folder, a home, a folder
// for temporary files and a PATH on which every program that reaches outside is
// a fake. All of it lives under a path with spaces and an umlaut.
type machine struct {
	t      *testing.T
	recipe spec
	dir    string
	src    string            // the owner's source, where commands start
	home   string            // HOME
	tmp    string            // TMPDIR
	bin    string            // the whole PATH
	log    string            // where fakes note how they were called, see logCall
	env    map[string]string // set on the CodeBuild project
}

// Each fake appends a line to the log: its name, then |argument for each
// argument, so that tests see where one ends.
const logCall = `#!/bin/sh
{ printf '%s' "${0##*/}"; for a in "$@"; do printf '|%s' "$a"; done; echo; } >>"$FAKE_LOG"
`

// newMachine makes a machine for one build with the recipe. The tools do their
// work on local files only, and are the machine's own.
func newMachine(t *testing.T, recipe string, tools ...string) *machine {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a büild")
	m := &machine{
		t:      t,
		recipe: mustParse(t, recipe),
		dir:    dir,
		src:    filepath.Join(dir, "my source"),
		home:   filepath.Join(dir, "the home"),
		tmp:    filepath.Join(dir, "the tmp"),
		bin:    filepath.Join(dir, "the bin"),
		log:    filepath.Join(dir, "log"),
		env:    make(map[string]string),
	}
	for _, d := range []string{m.src, m.home, m.tmp, m.bin} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tool := range tools {
		m.link(tool)
	}
	return m
}

// link puts the machine's own tool on PATH.
func (m *machine) link(tool string) {
	m.t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		m.t.Fatalf("find %s, which these tests need on PATH: %v", tool, err)
	}
	if path, err = filepath.Abs(path); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Symlink(path, filepath.Join(m.bin, tool)); err != nil {
		m.t.Fatal(err)
	}
}

// program puts a script on PATH, in place of what was there.
func (m *machine) program(name, script string) {
	m.t.Helper()
	m.remove(name)
	if err := os.WriteFile(filepath.Join(m.bin, name), []byte(script), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

// remove takes a program off PATH.
func (m *machine) remove(name string) {
	m.t.Helper()
	if err := os.Remove(filepath.Join(m.bin, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.t.Fatal(err)
	}
}

// source writes a file of the owner's source.
func (m *machine) source(name, content string) {
	m.t.Helper()
	m.write(filepath.Join(m.src, name), []byte(content))
}

func (m *machine) write(path string, content []byte) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// result is what a build left behind.
type result struct {
	failed string   // the command that stopped the build, or ""
	out    string   // stdout and stderr
	calls  []string // what the fakes were called with, see logCall
}

// called returns the calls of one program, `hugo version` aside.
func (r result) called(program string) []string {
	var calls []string
	for _, c := range r.calls {
		if name, args, _ := strings.Cut(c, "|"); name == program && args != "version" {
			calls = append(calls, c)
		}
	}
	return calls
}

// session is a way to run a list of commands. AWS documents that commands of a
// version 0.2 buildspec share an environment; whether they share a process is
// its own affair, and the agent has been seen to save and restore the
// environment around each. A recipe has to be right either way.
type session struct {
	name string
	// run returns the name of the command that failed, or "".
	run func(ctx context.Context, m *machine, scripts []string, env []string, out *bytes.Buffer) (string, error)
}

func sessions(t *testing.T) []session {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	perCommand := []string{sh}
	// sh is dash on AWS's Ubuntu images and bash on its Amazon Linux ones.
	if bash, err := exec.LookPath("bash"); err == nil {
		perCommand = []string{bash, "--posix"}
	}
	return []session{
		{"one shell", oneShell(sh)},
		{"a shell for each command", shellPerCommand(perCommand)},
	}
}

// oneShell reads every command into the same shell, and fails a command that
// changes the shell's options or working directory for those that follow.
func oneShell(sh string) func(context.Context, *machine, []string, []string, *bytes.Buffer) (string, error) {
	const driver = `
for script; do
  printf '%s' "$script" >"$STATE"
  options="$-" folder="$PWD"
  . "$script" || exit
  [ "$-" = "$options" ] || { echo "LEAK: shell options were $options, are $-"; exit 99; }
  [ "$PWD" = "$folder" ] || { echo "LEAK: folder was $folder, is $PWD"; exit 99; }
done
: >"$STATE"
`
	return func(ctx context.Context, m *machine, scripts, env []string, out *bytes.Buffer) (string, error) {
		state := filepath.Join(m.dir, "state")
		cmd := exec.CommandContext(ctx, sh, append([]string{"-c", driver, "sh"}, scripts...)...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = m.src, append(env, "STATE="+state), out, out
		runErr := cmd.Run()
		last, err := os.ReadFile(state)
		if err != nil {
			return "", err
		}
		if runErr == nil && len(last) > 0 {
			return string(last), errors.New("a command ended the shell with status 0")
		}
		return string(last), exitOnly(runErr)
	}
}

// shellPerCommand hands only exported variables from one command to the next.
func shellPerCommand(shell []string) func(context.Context, *machine, []string, []string, *bytes.Buffer) (string, error) {
	const driver = `
[ ! -f "$STATE" ] || . "$STATE"
. "$1"
status=$?
export -p >"$STATE"
exit $status
`
	return func(ctx context.Context, m *machine, scripts, env []string, out *bytes.Buffer) (string, error) {
		state := filepath.Join(m.dir, "state")
		for _, script := range scripts {
			args := append(shell[1:len(shell):len(shell)], "-c", driver, "sh", script)
			cmd := exec.CommandContext(ctx, shell[0], args...)
			cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = m.src, append(env, "STATE="+state), out, out
			if err := cmd.Run(); err != nil {
				return script, exitOnly(err)
			}
		}
		return "", nil
	}
}

// exitOnly drops the error of a command that ran and failed, which is a result.
func exitOnly(err error) error {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() > 0 {
		return nil
	}
	return err
}

// build runs the recipe's commands in order until one fails: every phase has
// on-failure ABORT, which the parse tests assert.
func (m *machine) build(s session) result {
	m.t.Helper()
	var scripts []string
	for _, c := range m.recipe.commands() {
		path := filepath.Join(m.dir, "commands", c.name)
		m.write(path, []byte(c.script))
		scripts = append(scripts, path)
	}
	m.write(m.log, nil)

	vars := map[string]string{
		"HOME": m.home, "PATH": m.bin, "TMPDIR": m.tmp,
		"FAKE_LOG": m.log,
	}
	maps.Copy(vars, m.recipe.Env.Variables)
	maps.Copy(vars, m.env) // the project's value wins over the recipe's
	var env []string
	for name, value := range vars {
		env = append(env, name+"="+value)
	}

	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	failed, err := s.run(ctx, m, scripts, env, &out)
	if err != nil {
		m.t.Fatalf("run %s: %v\n%s", failed, err, out.String())
	}
	if strings.Contains(out.String(), "LEAK:") {
		m.t.Errorf("%s leaks into the commands after it:\n%s", filepath.Base(failed), out.String())
	}
	calls, err := os.ReadFile(m.log)
	if err != nil {
		m.t.Fatal(err)
	}
	r := result{out: out.String(), calls: strings.Split(strings.TrimSuffix(string(calls), "\n"), "\n")}
	if failed != "" {
		r.failed = filepath.Base(failed)
	}
	return r
}

// eachSession runs a test of one build under every kind of session.
func eachSession[M any](t *testing.T, newM func(*testing.T) M, test func(t *testing.T, m M, s session)) {
	t.Helper()
	for _, s := range sessions(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			test(t, newM(t), s)
		})
	}
}

// artifact is the folder whose files the next stage gets.
func (m *machine) artifact() string { return filepath.Join(m.src, m.recipe.Artifacts.BaseDirectory) }

// wantFailure fails the test unless the build stopped at the named command with
// a message that has all of parts, and left nothing that could be published.
func (m *machine) wantFailure(r result, at string, parts ...string) {
	m.t.Helper()
	if r.failed != at {
		m.t.Errorf("build failed at %q, want %q", r.failed, at)
	}
	_, message, ok := strings.Cut(r.out, "ERROR: ")
	if len(parts) > 0 && !ok {
		m.t.Error("build printed no line that starts with ERROR:")
	}
	for _, part := range parts {
		if !strings.Contains(message, part) {
			m.t.Errorf("message does not contain %q", part)
		}
	}
	if folder := m.recipe.Artifacts.BaseDirectory; folder != "" && m.exists(m.artifact()) {
		m.t.Errorf("%s/ exists, want nothing to publish", folder)
	}
	if m.t.Failed() {
		m.t.Logf("output:\n%s", r.out)
	}
}

func (m *machine) exists(path string) bool {
	m.t.Helper()
	_, err := os.Lstat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.t.Fatal(err)
	}
	return err == nil
}
