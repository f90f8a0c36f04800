package buildspec

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/codebuild"
)

// machine has what a build finds: the owner's source, and a PATH on which every
// program that reaches outside is a fake. All of it lives under a path with spaces
// and an umlaut.
type machine struct {
	t      *testing.T
	recipe *codebuild.Buildspec
	dir    string
	owner  string            // the owner's source
	bin    string            // the whole PATH
	log    string            // where fakes note how they were called, see logCall
	env    map[string]string // set on the CodeBuild project

	// Of the last build.
	builds int
	src    string // the copy of the source, where commands start
	home   string // HOME
	tmp    string // TMPDIR
}

// Each fake appends a line to the log: its name, and each argument after a "|", so
// that tests see where one ends.
const logCall = `#!/bin/sh
{ printf '%s' "${0##*/}"; for a in "$@"; do printf '|%s' "$a"; done; echo; } >>"$FAKE_LOG"
`

// newMachine makes a machine for one build with the recipe. The tools are this
// machine's own, and work on local files only.
func newMachine(t *testing.T, recipe string, tools ...string) *machine {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a büild")
	m := &machine{
		t:      t,
		recipe: mustParse(t, recipe),
		dir:    dir,
		owner:  filepath.Join(dir, "my source"),
		bin:    filepath.Join(dir, "the bin"),
		log:    filepath.Join(dir, "log"),
		env:    make(map[string]string),
	}
	for _, d := range []string{m.owner, m.bin} {
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

// program puts a script on PATH, or replaces it.
func (m *machine) program(name, script string) {
	m.t.Helper()
	m.remove(name)
	if err := os.WriteFile(filepath.Join(m.bin, name), []byte(script), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

// packageProgram puts a script where npm puts the programs of a blog's packages.
func (m *machine) packageProgram(name, script string) {
	m.t.Helper()
	bin := filepath.Join(m.owner, "node_modules/.bin")
	if err := errors.Join(os.MkdirAll(bin, 0o755), os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755)); err != nil {
		m.t.Fatal(err)
	}
}

// remove removes a program from PATH.
func (m *machine) remove(name string) {
	m.t.Helper()
	if err := os.Remove(filepath.Join(m.bin, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.t.Fatal(err)
	}
}

// source writes a file of the owner's source.
func (m *machine) source(name, content string) {
	m.t.Helper()
	m.write(filepath.Join(m.owner, name), []byte(content))
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

// result holds what a build left behind.
type result struct {
	failed   string              // the command that stopped the build, or ""
	out      string              // stdout and stderr
	calls    []string            // what the fakes were called with, see logCall
	artifact *codebuild.Artifact // what the next stage gets, or nil
}

// called returns the calls of one program, except questions to Hugo and settings of Git.
func (r result) called(program string) []string {
	return slices.DeleteFunc(r.of(program), func(call string) bool {
		_, args, _ := strings.Cut(call, "|")
		return args == "version" || args == "config" || strings.HasPrefix(args, "list|") || strings.HasPrefix(args, "config|--global|")
	})
}

// of returns all calls of one program.
func (r result) of(program string) []string {
	var calls []string
	for _, c := range r.calls {
		if name, _, _ := strings.Cut(c, "|"); name == program {
			calls = append(calls, c)
		}
	}
	return calls
}

// session is a way to run a list of commands. AWS documents that the commands of a
// version 0.2 buildspec share a shell. But its agent was seen to start a shell for
// each command, which gets the environment of the one before. A recipe must work
// both ways, and with both shells: sh is dash on AWS's Ubuntu images, and bash on its
// Amazon Linux images.
type session struct {
	name     string
	oneShell bool
	shell    []string
}

func sessions() []session {
	perCommand := []string{"/bin/sh"}
	if bash, err := exec.LookPath("bash"); err == nil {
		perCommand = []string{bash, "--posix"}
	}
	return []session{
		{name: "one shell", oneShell: true},
		{name: "a shell for each command", shell: perCommand},
	}
}

// A recipe leaves the shell's options and folder as they were, for commands that an
// owner adds after it. This does not check the option a, which CodeBuild's own script
// sets.
const leakCheck = `
case "$-" in *[efnuvxC]*) echo "LEAK: shell options are $-" ;; esac
[ "$PWD" = "$CODEBUILD_SRC_DIR" ] || echo "LEAK: folder is $PWD"
`

// withLeakCheck adds to each phase of the recipe a check of what it leaves behind.
func withLeakCheck(recipe *codebuild.Buildspec) *codebuild.Buildspec {
	checked := *recipe
	for _, p := range []**codebuild.Phase{&checked.Phases.Install, &checked.Phases.PreBuild, &checked.Phases.Build} {
		if *p != nil {
			phase := **p
			phase.Finally = []string{leakCheck}
			*p = &phase
		}
	}
	return &checked
}

// build runs the recipe as CodeBuild would.
func (m *machine) build(s session) result {
	m.t.Helper()
	m.write(m.log, nil)
	m.builds++
	dir := filepath.Join(m.dir, fmt.Sprintf("the build %d", m.builds))

	// Scripts of the recipe and of npm run in the same shell as the commands.
	shell := s.shell
	if len(shell) == 0 {
		shell = []string{"/bin/sh"}
	}
	m.program("sh", "#!/bin/sh\nexec "+strings.Join(shell, " ")+` "$@"`+"\n")

	env := map[string]string{"FAKE_LOG": m.log}
	maps.Copy(env, m.env)
	var out strings.Builder
	built, err := codebuild.Run(m.t.Context(), codebuild.Build{
		Spec:      withLeakCheck(m.recipe),
		Source:    m.owner,
		Dir:       dir,
		Artifacts: m.t.TempDir(),
		Keep:      true, // the tests look into it
		Path:      m.bin,
		Env:       env,
		Timeout:   10 * time.Minute, // It ends a build that hangs, not one on a slow machine.
		Shell:     s.shell,
		OneShell:  s.oneShell,
		Output: func(l codebuild.Line) {
			if !l.Agent {
				out.WriteString(l.Text + "\n")
			}
		},
	})
	if err != nil {
		m.t.Fatalf("run the build: %v\n%s", err, out.String())
	}
	// The path has no symbolic links, as the build saw it.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		m.t.Fatal(err)
	}
	m.src, m.home, m.tmp = filepath.Join(dir, "src"), filepath.Join(dir, "home"), filepath.Join(dir, "tmp")
	if strings.Contains(out.String(), "LEAK:") {
		m.t.Errorf("the recipe leaks into commands after it:\n%s", out.String())
	}

	calls, err := os.ReadFile(m.log)
	if err != nil {
		m.t.Fatal(err)
	}
	r := result{out: out.String(), calls: strings.Split(strings.TrimSuffix(string(calls), "\n"), "\n"), artifact: built.Artifact}
	if failure := built.Failure(); failure != nil {
		if failure.Command == nil {
			m.t.Fatalf("the build failed at %s with %q\n%s", failure.Name, failure.Context(), out.String())
		}
		r.failed = failure.Command.String()
	}
	return r
}

// eachSession runs a test of one build under every kind of session.
func eachSession[M any](t *testing.T, newM func(*testing.T) M, test func(t *testing.T, m M, s session)) {
	t.Helper()
	for _, s := range sessions() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			test(t, newM(t), s)
		})
	}
}

// wantFailure fails the test unless the build stopped at the named command, with a
// message that has all parts, and left nothing that could be published.
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
	if r.artifact != nil {
		m.t.Errorf("artifact has %q, want nothing to publish", r.artifact.Files)
	}
	// It must not exist after an earlier phase either: that CodeBuild uploads nothing
	// then is not documented.
	if a := m.recipe.Artifacts; a != nil {
		if _, err := os.Lstat(filepath.Join(m.src, a.BaseDirectory)); !errors.Is(err, fs.ErrNotExist) {
			m.t.Errorf("%s/ is there (%v), want nothing to publish", a.BaseDirectory, err)
		}
	}
	if m.t.Failed() {
		m.t.Logf("output:\n%s", r.out)
	}
}

// files are those of the artifact.
func (m *machine) files(r result) map[string]string {
	m.t.Helper()
	if r.artifact == nil {
		m.t.Fatalf("the build left no artifact:\n%s", r.out)
	}
	archive, err := zip.OpenReader(r.artifact.Zip)
	if err != nil {
		m.t.Fatal(err)
	}
	defer archive.Close() //nolint:errcheck // It was only read.
	files := make(map[string]string)
	for _, name := range r.artifact.Files {
		content, err := fs.ReadFile(archive, name)
		if err != nil {
			m.t.Fatal(err)
		}
		files[name] = string(content)
	}
	return files
}
