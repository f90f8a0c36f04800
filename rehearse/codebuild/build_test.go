package codebuild

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testBuild is a build for a test, together with its result.
type testBuild struct {
	Build
	result Result
	err    error
	out    []string // the lines of the commands
	log    []string // the lines of CodeBuild
}

// newTestBuild returns a build whose folder has a space, a quote and an umlaut in its name.
func newTestBuild(t *testing.T, text string, source map[string]string) *testBuild {
	t.Helper()
	spec, err := Parse(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	files := t.TempDir()
	for name, content := range source {
		path := filepath.Join(files, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	tb := &testBuild{Build: Build{
		Spec:   spec,
		Source: files,
		Dir:    filepath.Join(t.TempDir(), "it's a büild"),
		Path:   os.Getenv("PATH"),

		Artifacts: t.TempDir(),
	}}
	tb.Output = func(l Line) {
		if l.Agent {
			tb.log = append(tb.log, l.Text)
		} else {
			tb.out = append(tb.out, l.Text)
		}
	}
	return tb
}

func (tb *testBuild) run(ctx context.Context) { tb.result, tb.err = Run(ctx, tb.Build) }

// summary returns the result in one line, such as "FAILED: INSTALL SUCCEEDED, BUILD FAILED".
func (tb *testBuild) summary() string {
	var phases []string
	for _, p := range tb.result.Phases {
		if p.Name != DownloadSource {
			phases = append(phases, fmt.Sprintf("%s %s", p.Name, p.Status))
		}
	}
	return fmt.Sprintf("%s: %s", tb.result.Status, strings.Join(phases, ", "))
}

func (tb *testBuild) context() string {
	if failure := tb.result.Failure(); failure != nil {
		return failure.Context()
	}
	return ""
}

// shells returns the shells and the modes in which a build must have the same result.
func shells() map[string]func(*Build) {
	all := map[string]func(*Build){
		"sh":        func(*Build) {},
		"one shell": func(b *Build) { b.OneShell = true },
	}
	for name, shell := range map[string][]string{"bash": {"bash", "--posix"}, "dash": {"dash"}} {
		if _, err := exec.LookPath(name); err == nil {
			all[name] = func(b *Build) { b.Shell = shell }
		}
	}
	return all
}

const (
	anything = "(any output)"
	inOrder  = "SUCCEEDED: INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD SUCCEEDED, POST_BUILD SUCCEEDED, UPLOAD_ARTIFACTS SUCCEEDED"
	userdocs = "https://docs.aws.amazon.com/codebuild/latest/userguide/"
	specRef  = userdocs + "build-spec-ref.html#"
)

// rule is a rule that AWS documents, and a build that shows it.
type rule struct {
	name    string
	doc     string // where AWS documents it
	spec    string
	source  map[string]string
	change  func(*Build)
	shells  []string // the shells that the rule holds for; default: all
	summary string   // default: inOrder
	context string   // of the first phase that failed
	out     []string
	notes   []string // parts of the warnings and notes, in order
	export  map[string]string
}

// testRules runs the build of each rule in every shell.
func testRules(t *testing.T, rules []rule) {
	t.Helper()
	for _, tc := range rules {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for name, use := range shells() {
				if len(tc.shells) > 0 && !slices.Contains(tc.shells, name) {
					continue
				}
				t.Run(name, func(t *testing.T) {
					tb := newTestBuild(t, tc.spec, tc.source)
					use(&tb.Build)
					if tc.change != nil {
						tc.change(&tb.Build)
					}
					tb.run(t.Context())
					if tb.err != nil {
						t.Fatal(tb.err)
					}
					if tc.summary == "" {
						tc.summary = inOrder
					}
					if got := tb.summary(); got != tc.summary {
						t.Errorf("got\n%s\nwant\n%s", got, tc.summary)
					}
					if got := tb.context(); got != tc.context {
						t.Errorf("context is\n%s\nwant\n%s", got, tc.context)
					}
					if !slices.Equal(tb.out, tc.out) && !slices.Contains(tc.out, anything) {
						t.Errorf("output is\n%q\nwant\n%q", tb.out, tc.out)
					}
					wantNotes(t, slices.Concat(tb.result.Warnings, tb.result.Notes), tc.notes)
					if tc.export != nil && !maps.Equal(tb.result.Exported, tc.export) {
						t.Errorf("exported %q, want %q", tb.result.Exported, tc.export)
					}
					if t.Failed() {
						t.Logf("see %s\n%s", tc.doc, strings.Join(tb.log, "\n"))
					}
				})
			}
		})
	}
}

func wantNotes(t *testing.T, got, want []string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = strings.Contains(got[i], want[i])
	}
	if !ok {
		t.Errorf("notes are\n%q\nwant\n%q", got, want)
	}
}

func TestRunCannot(t *testing.T) {
	t.Parallel()
	const plain = "{version: 0.2, phases: {build: {commands: [echo ran]}}}"
	for _, tc := range []struct {
		name   string
		spec   string
		change func(*testing.T, *Build)
		want   []string
	}{
		{
			name: "secrets without a value", want: []string{"env.parameter-store: the value of A is in \"/a\"", "env.secrets-manager: the value of B is in \"b:c\""},
			spec: "{version: 0.2, env: {parameter-store: {A: /a, C: /c}, secrets-manager: {B: 'b:c', D: d}}, phases: {build: {commands: [echo ran]}}}",
			change: func(_ *testing.T, b *Build) {
				b.Secrets, b.Env = map[string]string{"C": ""}, map[string]string{"D": ""}
			},
		},
		{
			name: "fields missing", want: []string{"Spec is missing", "Source is missing", "Dir is missing", "Path is missing"},
			change: func(_ *testing.T, b *Build) { *b = Build{} },
		},
		{
			name: "names of variables", want: []string{`Env has the name "A-B"`, "Env N has a NUL"},
			change: func(_ *testing.T, b *Build) { b.Env = map[string]string{"A-B": "", "N": "\x00"} },
		},
		{
			name: "folder with something in it", want: []string{"contains precious, want an empty folder"},
			change: func(t *testing.T, b *Build) {
				if err := os.MkdirAll(filepath.Join(b.Dir, "precious"), 0o755); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "no shell", want: []string{"nosuchshell is not on the PATH"},
			change: func(_ *testing.T, b *Build) { b.Shell = []string{"nosuchshell"} },
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.spec == "" {
				tc.spec = plain
			}
			tb := newTestBuild(t, tc.spec, nil)
			dir := tb.Dir
			tc.change(t, &tb.Build)
			tb.run(t.Context())
			if tb.err == nil || len(tb.out) > 0 {
				t.Fatalf("error is %v, output %q", tb.err, tb.out)
			}
			for _, want := range tc.want {
				if !strings.Contains(tb.err.Error(), want) {
					t.Errorf("error is %v, want %q in it", tb.err, want)
				}
			}
			if strings.Contains(tb.err.Error(), "value of C") || strings.Contains(tb.err.Error(), "value of D") {
				t.Errorf("the error names variables that have a value: %v", tb.err)
			}
			if _, err := os.Stat(filepath.Join(dir, "precious")); tc.name == "folder with something in it" && err != nil {
				t.Error(err)
			}
		})
	}
}
