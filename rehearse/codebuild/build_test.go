package codebuild

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/leftovers"
)

// trial is a build for a test, and what it has led to.
type trial struct {
	Build
	result Result
	err    error
	out    []string // lines of the commands
	log    []string // lines of CodeBuild
}

// newTrial makes a build whose folder has a space, a quote and an umlaut in its
// name.
func newTrial(t *testing.T, text string, source map[string]string) *trial {
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
	tr := &trial{Build: Build{
		Spec:   spec,
		Source: files,
		Dir:    filepath.Join(t.TempDir(), "it's a büild"),
		Path:   os.Getenv("PATH"),

		Artifacts: t.TempDir(),
	}}
	tr.Output = func(l Line) {
		if l.Agent {
			tr.log = append(tr.log, l.Text)
		} else {
			tr.out = append(tr.out, l.Text)
		}
	}
	return tr
}

func (tr *trial) run(ctx context.Context) { tr.result, tr.err = Run(ctx, tr.Build) }

// summary is the result as one line, such as "FAILED: INSTALL SUCCEEDED, BUILD FAILED".
func (tr *trial) summary() string {
	var phases []string
	for _, p := range tr.result.Phases {
		if p.Name != DownloadSource {
			phases = append(phases, fmt.Sprintf("%s %s", p.Name, p.Status))
		}
	}
	return fmt.Sprintf("%s: %s", tr.result.Status, strings.Join(phases, ", "))
}

// shells are the ways to run commands that must come to the same.
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

// Each case is a rule that AWS documents, with its place.
func TestReference(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		doc     string
		spec    string
		source  map[string]string
		change  func(*Build)
		shells  []string // those the rule holds for; all if empty
		summary string   // default: inOrder
		context string   // of the first phase that failed
		out     []string
		notes   []string // parts of them, in order
		export  map[string]string
	}{
		{
			name: "phases run in their own order, not the file's",
			doc:  userdocs + "view-build-details-phases.html",
			spec: `
version: 0.2
phases:
  post_build: {commands: [echo 4]}
  build: {commands: [echo 3]}
  pre_build: {commands: [echo 2]}
  install: {commands: [echo 1, echo 1b]}
`,
			out: []string{"1", "1b", "2", "3", "4"},
		},
		{
			name: "phases without commands succeed",
			doc:  userdocs + "view-build-details-phases.html",
			spec: "{version: 0.2, phases: {build: {commands: ['true']}}}",
		},
		{
			name: "a failed install ends the build",
			doc:  userdocs + "view-build-details-phases.html",
			spec: `
version: 0.2
phases:
  install: {commands: [exit 3, echo no]}
  pre_build: {commands: [echo no]}
  build: {commands: [echo no]}
  post_build: {commands: [echo no]}
artifacts: {files: ['**/*']}
`,
			source:  map[string]string{"f": ""},
			summary: "FAILED: INSTALL FAILED",
			context: "COMMAND_EXECUTION_ERROR: Error while executing command: exit 3. Reason: exit status 3",
		},
		{
			name: "a failed pre_build ends the build",
			doc:  userdocs + "view-build-details-phases.html",
			spec: `
version: 0.2
phases:
  pre_build: {commands: ['false']}
  build: {commands: [echo no]}
  post_build: {commands: [echo no]}
`,
			summary: "FAILED: INSTALL SUCCEEDED, PRE_BUILD FAILED",
			context: "COMMAND_EXECUTION_ERROR: Error while executing command: false. Reason: exit status 1",
		},
		{
			name: "post_build runs after a failed build, and artifacts are uploaded",
			doc:  userdocs + "view-build-details-phases.html",
			spec: `
version: 0.2
phases:
  build: {commands: [echo build, 'false', echo no]}
  post_build: {commands: [echo post]}
artifacts: {files: [f]}
`,
			source:  map[string]string{"f": ""},
			summary: "FAILED: INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD FAILED, POST_BUILD SUCCEEDED, UPLOAD_ARTIFACTS SUCCEEDED",
			context: "COMMAND_EXECUTION_ERROR: Error while executing command: false. Reason: exit status 1",
			out:     []string{"build", "post"},
		},
		{
			name:    "artifacts are uploaded after a failed post_build",
			doc:     userdocs + "view-build-details-phases.html",
			spec:    "{version: 0.2, phases: {post_build: {commands: ['false']}}, artifacts: {files: [f]}}",
			source:  map[string]string{"f": ""},
			summary: "FAILED: INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD SUCCEEDED, POST_BUILD FAILED, UPLOAD_ARTIFACTS SUCCEEDED",
			context: "COMMAND_EXECUTION_ERROR: Error while executing command: false. Reason: exit status 1",
		},
		{
			name: "ABORT ends the build after a failed build phase",
			doc:  specRef + "build-spec.phases.on-failure",
			spec: `
version: 0.2
phases:
  build: {on-failure: ABORT, commands: ['false']}
  post_build: {commands: [echo no]}
`,
			summary: "FAILED: INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD FAILED, UPLOAD_ARTIFACTS SUCCEEDED",
			context: "COMMAND_EXECUTION_ERROR: Error while executing command: false. Reason: exit status 1",
		},
		{
			name: "CONTINUE goes on to the next phase",
			doc:  specRef + "build-spec.phases.on-failure",
			spec: `
version: 0.2
phases:
  install: {on-failure: CONTINUE, commands: ['false', echo no]}
  pre_build: {on-failure: CONTINUE, commands: ['false']}
  build: {commands: [echo build]}
`,
			summary: "FAILED: INSTALL FAILED, PRE_BUILD FAILED, BUILD SUCCEEDED, POST_BUILD SUCCEEDED, UPLOAD_ARTIFACTS SUCCEEDED",
			context: "COMMAND_EXECUTION_ERROR: Error while executing command: false. Reason: exit status 1",
			out:     []string{"build"},
		},
		{
			name: "finally runs after commands that succeed",
			doc:  specRef + "build-spec.phases.finally",
			spec: "{version: 0.2, phases: {build: {commands: [echo a], finally: [echo b, echo c]}}}",
			out:  []string{"a", "b", "c"},
		},
		{
			name: "finally runs after a command that fails, and the other commands do not",
			doc:  specRef + "build-spec.phases.finally",
			spec: `
version: 0.2
phases:
  install: {on-failure: ABORT, commands: [echo a, 'false', echo no], finally: [echo b, 'exit 5', echo c]}
`,
			summary: "FAILED: INSTALL FAILED",
			context: "COMMAND_EXECUTION_ERROR: Error while executing command: false. Reason: exit status 1",
			out:     []string{"a", "b", "c"},
		},
		{
			name:    "a failed finally fails the phase",
			doc:     specRef + "build-spec.phases.finally",
			spec:    "{version: 0.2, phases: {install: {commands: [echo a], finally: ['exit 5']}, build: {commands: [echo no]}}}",
			summary: "FAILED: INSTALL FAILED",
			context: "COMMAND_EXECUTION_ERROR: Error while executing command: exit 5. Reason: exit status 5",
			out:     []string{"a"},
		},
		{
			name: "RETRY repeats the build three times",
			doc:  specRef + "build-spec.phases.on-failure",
			spec: `
version: 0.2
phases:
  install: {commands: [echo install]}
  pre_build: {on-failure: RETRY, commands: [echo "$(ls)", 'touch left; false']}
  build: {commands: [echo no]}
`,
			source:  map[string]string{"f": ""},
			summary: "FAILED: INSTALL SUCCEEDED, PRE_BUILD FAILED",
			context: "COMMAND_EXECUTION_ERROR: Error while executing command: touch left; false. Reason: exit status 1",
			// Each time with the source as it was.
			out:   []string{"install", "f", "install", "f", "install", "f", "install", "f"},
			notes: []string{"this is try 4"},
		},
		{
			name:    "RETRY-count, and then the next phase as without",
			doc:     specRef + "build-spec.phases.on-failure",
			spec:    "{version: 0.2, phases: {build: {on-failure: RETRY-1, commands: [echo b, 'false']}, post_build: {commands: [echo p]}}}",
			summary: "FAILED: INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD FAILED, POST_BUILD SUCCEEDED, UPLOAD_ARTIFACTS SUCCEEDED",
			context: "COMMAND_EXECUTION_ERROR: Error while executing command: false. Reason: exit status 1",
			out:     []string{"b", "b", "p"},
			notes:   []string{"this is try 2"},
		},
		{
			name: "RETRY-regex that matches what the command said, until it succeeds",
			doc:  specRef + "build-spec.phases.on-failure",
			spec: `
version: 0.2
phases:
  build:
    on-failure: Retry-.*connection timed out.*
    commands:
      - echo another >&2
      - if [ -e "$HOME/again" ]; then echo ok; else touch "$HOME/again"; echo 'Error, connection timed out!' >&2; exit 7; fi
`,
			change: func(b *Build) { b.Home = b.Dir + " home" },
			out:    []string{"another", "Error, connection timed out!", "another", "ok"},
			notes:  []string{"this is try 2"},
		},
		{
			name: "RETRY-count-regex that does not match",
			doc:  specRef + "build-spec.phases.on-failure",
			spec: `
version: 0.2
phases:
  build: {on-failure: RETRY-8-invalid+, commands: [echo invalid, echo valid; exit 1]}
`,
			summary: "FAILED: INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD FAILED, POST_BUILD SUCCEEDED, UPLOAD_ARTIFACTS SUCCEEDED",
			context: "COMMAND_EXECUTION_ERROR: Error while executing command: echo valid; exit 1. Reason: exit status 1",
			out:     []string{"invalid", "valid"},
		},
		{
			name: "0.2: variables and the folder last, from phase to phase",
			doc:  specRef + "build-spec-ref-versions",
			spec: `
version: 0.2
env: {variables: {GONE: x}}
phases:
  install:
    commands:
      - mkdir -p "sub dir" && cd "sub dir"
      - A="it's "'"$HOME" \ é'; export A
      - |
        B='two
        lines'
        unset GONE
  build: {commands: ['echo "${PWD#"$CODEBUILD_SRC_DIR"}"; basename "$(pwd -P)"', 'echo "$A"', 'echo "$B"', 'echo "${GONE-gone}"']}
`,
			out: []string{"/sub dir", "sub dir", `it's "$HOME" \ é`, "two", "lines", "gone"},
		},
		{
			name:   "0.2: a command that exits ends itself only",
			doc:    specRef + "build-spec-ref-versions",
			spec:   "{version: 0.2, phases: {build: {commands: ['echo a; exit 0; echo no', 'set -e; false || true', 'false; echo b']}}}",
			shells: []string{"sh", "bash", "dash"},
			out:    []string{"a", "b"},
		},
		{
			name: "a command that exits does not wait for its tasks in the background",
			doc:  userdocs + "build-env-ref-background-tasks.html",
			spec: "{version: 0.2, phases: {build: {commands: ['(sleep 600; :) & exit 0', 'echo next']}}}",
			out:  []string{"next"},
		},
		{
			name: "0.1: each command in a shell of its own",
			doc:  specRef + "build-spec-ref-versions",
			spec: `
version: 0.1
environment_variables: {plaintext: {A: first}}
phases:
  build: {commands: ['A=second; export A; cd /; set -f', 'echo "$A"; [ "$PWD" = "$CODEBUILD_SRC_DIR" ] || pwd', 'exit 0', 'echo *']}
artifacts: {type: zip, files: [f]}
`,
			source: map[string]string{"f": ""},
			out:    []string{"first", "f"},
			notes:  []string{"artifacts.type"},
		},
		{
			name: "values of env.variables are literal",
			doc:  specRef + "build-spec.env.variables",
			spec: `
version: 0.2
env: {variables: {A: '$HOME:/usr/share/ant/bin', B: "a'b ` + "`id`" + `", N: 3, Y: yes}}
phases: {build: {commands: ['echo "$A"', 'echo "$B"', 'echo "$N$Y"']}}
`,
			out: []string{"$HOME:/usr/share/ant/bin", "a'b `id`", "3yes"},
		},
		{
			name:   "the project's value wins over the buildspec's",
			doc:    specRef + "build-spec.env.variables",
			spec:   "{version: 0.2, env: {variables: {A: spec, B: spec}}, phases: {build: {commands: [echo $A $B $C]}}}",
			change: func(b *Build) { b.Env = map[string]string{"A": "project", "C": "also project"} },
			out:    []string{"project spec also project"},
		},
		{
			name:  "names that start with CODEBUILD_ are reserved",
			doc:   specRef + "build-spec.env.variables",
			spec:  "{version: 0.2, env: {variables: {CODEBUILD_X: y}}, phases: {build: {commands: ['true']}}}",
			notes: []string{"CODEBUILD_X"},
		},
		{
			name: "parameters and secrets have the values given, and are hidden",
			doc:  specRef + "build-spec.env.parameter-store",
			spec: `
version: 0.2
env:
  parameter-store: {TOKEN: /blog/token}
  secrets-manager: {KEY: "TestSecret:MY_SECRET_VAR", OVER: x}
phases: {build: {commands: ['echo "${#TOKEN} $TOKEN, $KEY, $OVER"; printf "%s" "$KEY"', 'echo "$TOKEN"; false']}}
`,
			change: func(b *Build) {
				b.Secrets = map[string]string{"TOKEN": "s3cret", "KEY": "line s3cret\nline two", "EMPTY": ""}
				b.Env = map[string]string{"OVER": "project"}
			},
			summary: "FAILED: INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD FAILED, POST_BUILD SUCCEEDED, UPLOAD_ARTIFACTS SUCCEEDED",
			context: `COMMAND_EXECUTION_ERROR: Error while executing command: echo "$TOKEN"; false. Reason: exit status 1`,
			out:     []string{"6 ***, ***", "***, project", "***", "***", "***"},
		},
		{
			name: "exported variables have their last value",
			doc:  specRef + "build-spec.env.exported-variables",
			spec: `
version: 0.2
env: {variables: {A: spec, AWS_X: y}, secrets-manager: {S: s}, exported-variables: [A, LINES, NEVER, AWS_X, S]}
phases:
  build: {commands: [A=build]}
  post_build: {commands: ['A="post 日本"', 'LINES=$(printf "1\n2"); export LINES']}
`,
			change: func(b *Build) { b.Secrets = map[string]string{"S": "x"} },
			export: map[string]string{"A": "post 日本", "LINES": "1\n2"},
			notes:  []string{"NEVER is not set", "AWS_X is not exported", "S is not exported"},
		},
		{
			name:   "CODEBUILD_BUILD_SUCCEEDING is 1, and 0 after a failure",
			doc:    userdocs + "build-env-ref-env-vars.html",
			spec:   `{version: 0.2, phases: {build: {commands: ['echo $CODEBUILD_BUILD_SUCCEEDING', 'false']}, post_build: {commands: ['sh -c "echo $CODEBUILD_BUILD_SUCCEEDING"']}}}`,
			out:    []string{"1", "0"},
			change: func(*Build) {},
			summary: "FAILED: INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD FAILED, POST_BUILD SUCCEEDED, " +
				"UPLOAD_ARTIFACTS SUCCEEDED",
			context: "COMMAND_EXECUTION_ERROR: Error while executing command: false. Reason: exit status 1",
		},
		{
			name: "CodeBuild's variables",
			doc:  userdocs + "build-env-ref-env-vars.html",
			spec: `
version: 0.2
phases:
  build:
    commands:
      - echo $AWS_REGION $AWS_DEFAULT_REGION $CODEBUILD_INITIATOR $CODEBUILD_BUILD_NUMBER $CODEBUILD_BUILD_IMAGE
      - echo ${CODEBUILD_BUILD_ARN%:*} ${CODEBUILD_BUILD_ID%:*} $CODEBUILD_PROJECT_ARN $CODEBUILD_KMS_KEY_ID
      - echo $CODEBUILD_RESOLVED_SOURCE_VERSION $CODEBUILD_SOURCE_VERSION "[$CODEBUILD_SOURCE_REPO_URL]"
      - '[ "$(pwd)" = "$CODEBUILD_SRC_DIR" ] && [ "$CODEBUILD_START_TIME" -gt 1700000000000 ] && echo ok'
`,
			change: func(b *Build) {
				b.Project, b.Account, b.Region, b.SourceVersion = "blog", "111122223333", "eu-west-1", "c0ffee"
				b.Env = map[string]string{"CODEBUILD_BUILD_NUMBER": "42"}
			},
			out: []string{
				"eu-west-1 eu-west-1 codepipeline/blog 42 aws/codebuild/standard:7.0",
				"arn:aws:codebuild:eu-west-1:111122223333:build/blog blog arn:aws:codebuild:eu-west-1:111122223333:project/blog " +
					"arn:aws:kms:eu-west-1:111122223333:alias/aws/s3",
				"c0ffee c0ffee []",
				"ok",
			},
		},
		{
			name: "no source version where the source has none",
			doc:  userdocs + "build-env-ref-env-vars.html#CODEBUILD_RESOLVED_SOURCE_VERSION",
			spec: `{version: 0.2, phases: {build: {commands: ['echo "${CODEBUILD_RESOLVED_SOURCE_VERSION-unset}"']}}}`,
			out:  []string{"unset"},
		},
		{
			name: "commands of many lines",
			doc:  userdocs + "build-env-ref-cmd.html",
			spec: `
version: 0.2
phases:
  build:
    commands:
      - |
        # A comment, and a text with quotes: "it's".
        for i in 1 2; do
          cat <<END
        $i 'quoted' \\
        END
        done
      - >-
        echo folded
        into one
      - |
        false
        echo the status is that of the last line # no line follows
`,
			out: []string{`1 'quoted' \`, `2 'quoted' \`, "folded into one", "the status is that of the last line"},
		},
		{
			name:    "a command with a syntax error",
			doc:     userdocs + "build-env-ref-cmd.html",
			spec:    "{version: 0.2, phases: {install: {commands: ['if'], finally: [echo after]}}}",
			shells:  []string{"dash"}, // others have another status
			summary: "FAILED: INSTALL FAILED",
			context: "COMMAND_EXECUTION_ERROR: Error while executing command: if. Reason: exit status 2",
			out:     []string{anything}, // the shell's own message
		},
		{
			name:   "env.shell is bash",
			doc:    specRef + "build-spec.env.shell",
			spec:   `{version: 0.2, env: {shell: bash}, phases: {build: {commands: ['x=(a b); declare -x Y="q''s"', '[[ b == b && $BASH_VERSION ]] && echo "$Y"']}}}`,
			shells: []string{"bash"},
			out:    []string{"q's"},
		},
		{
			name: "tasks in the background go on until the build ends",
			doc:  userdocs + "build-env-ref-background-tasks.html",
			spec: `
version: 0.2
phases:
  install: {commands: ['nohup sh -c "until [ -e go ]; do sleep 0.05; done; echo background; touch done; sleep 600" &']}
  build: {commands: ['touch go; until [ -e done ]; do sleep 0.05; done', 'echo build']}
`,
			out: []string{"background", "build"},
		},
		{
			name: "what has no effect here is said",
			doc:  specRef + "build-spec-ref-syntax",
			spec: `
version: 0.2
run-as: builder
env: {git-credential-helper: yes}
proxy: {upload-artifacts: no, logs: yes}
batch: {fast-fail: false, build-list: [{identifier: a}]}
phases:
  build: {run-as: other, commands: ['true']}
reports:
  unit: {files: ['**/*'], base-directory: x, discard-paths: no, file-format: JUNITXML}
artifacts: {files: [f], s3-prefix: p}
cache: {key: 'k-$(x)', fallback-keys: [k-], action: restore, paths: ['/root/.npm/**/*']}
`,
			source: map[string]string{"f": ""},
			notes: []string{
				"run-as: commands run as you, not as builder", "phases.build.run-as: commands run as you, not as other",
				"git-credential-helper", "proxy", "batch", "reports: not published here: unit", "cache", "s3-prefix",
			},
		},
		{
			name: "no artifacts, nothing to upload",
			doc:  specRef + "build-spec.artifacts",
			spec: "{version: 0.2, phases: {build: {commands: ['true']}}}",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for name, use := range shells() {
				if len(tc.shells) > 0 && !slices.Contains(tc.shells, name) {
					continue
				}
				t.Run(name, func(t *testing.T) {
					tr := newTrial(t, tc.spec, tc.source)
					use(&tr.Build)
					if tc.change != nil {
						tc.change(&tr.Build)
					}
					tr.run(t.Context())
					if tr.err != nil {
						t.Fatal(tr.err)
					}
					if tc.summary == "" {
						tc.summary = inOrder
					}
					if got := tr.summary(); got != tc.summary {
						t.Errorf("got\n%s\nwant\n%s", got, tc.summary)
					}
					if got := tr.context(); got != tc.context {
						t.Errorf("context is\n%s\nwant\n%s", got, tc.context)
					}
					if !slices.Equal(tr.out, tc.out) && !slices.Contains(tc.out, anything) {
						t.Errorf("output is\n%q\nwant\n%q", tr.out, tc.out)
					}
					wantNotes(t, slices.Concat(tr.result.Warnings, tr.result.Notes), tc.notes)
					if tc.export != nil && !maps.Equal(tr.result.Exported, tc.export) {
						t.Errorf("exported %q, want %q", tr.result.Exported, tc.export)
					}
					if t.Failed() {
						t.Logf("see %s\n%s", tc.doc, strings.Join(tr.log, "\n"))
					}
				})
			}
		})
	}
}

func (tr *trial) context() string {
	if failure := tr.result.Failure(); failure != nil {
		return failure.Context()
	}
	return ""
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

// The environment holds what is documented, and nothing of this process's own.
func TestEnvironmentIsClean(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "of the caller")
	t.Setenv("HUGO_BASEURL", "of the caller")
	tr := newTrial(t, `{version: 0.2, phases: {build: {commands: [env]}}}`, nil)
	tr.run(t.Context())
	if tr.err != nil {
		t.Fatal(tr.err)
	}
	known := append(slices.Collect(maps.Keys((&run{Build: tr.Build}).environment(time.Now(), "", ""))),
		"PWD", "OLDPWD", "SHLVL", "_", "CODEBUILD_LAST_EXIT")
	for _, line := range tr.out {
		if name, _, _ := strings.Cut(line, "="); !slices.Contains(known, name) {
			t.Errorf("the build sees %q", line)
		}
	}
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	got := Network([]string{
		"HTTPS_PROXY=http://p:1", "no_proxy=localhost", "npm_config_registry=https://r/?a=b", "NODE_EXTRA_CA_CERTS=/ca.pem",
		"npm_config__authToken=secret", "AWS_PROFILE=me", "HOME=/home/me", "PATH=/bin", "GOPATH=/go",
	})
	want := map[string]string{
		"HTTPS_PROXY": "http://p:1", "no_proxy": "localhost", "npm_config_registry": "https://r/?a=b", "NODE_EXTRA_CA_CERTS": "/ca.pem",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// machine is a PATH with runtimes of known versions.
func machine(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	for name, says := range map[string]string{"node": "v24.1.3", "python3": "Python 3.12.1", "go": "go version go1.26.8 linux/arm64"} {
		script := "#!/bin/sh\necho '" + says + "'\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

func TestRuntimesThatDiffer(t *testing.T) {
	t.Parallel()
	bin := machine(t)
	const other = "public.ecr.aws/example/image:1" // whose runtimes nobody knows
	for _, tc := range []struct {
		name, versions, image string
		source                map[string]string
		want                  []string
	}{
		{versions: "nodejs: 24"},
		{versions: "nodejs: 24.x"},
		{versions: `nodejs: "$V"`},
		{versions: "nodejs: 24.1.3, python: 3.x, golang: 1.26"},
		{versions: "nodejs: 2", image: other, want: []string{"wants nodejs 2; this machine's 24.1.3 is used"}},
		{versions: "nodejs: latest", want: []string{"wants nodejs latest; this machine's 24.1.3 is used"}},
		// YAML reads 3.10 as 3.1, there and here.
		{versions: "python: 3.10", image: other, want: []string{"wants python 3.1; this machine's 3.12.1 is used"}},
		{versions: "ruby: 3.2", want: []string{"wants ruby 3.2, and this machine has no ruby"}},
		{versions: "android: 29", image: other, want: []string{"android 29 is not selected here"}},
		{name: "Hugo Modules", versions: "golang: 1.26", source: map[string]string{"go.mod": ""}, want: []string{"wants golang 1.26; this machine's 1.26.8 is used for go.mod"}},
		{name: "Hugo Modules in a folder", versions: "golang: 1.26", source: map[string]string{"site/go.mod": ""}, want: []string{"this machine's 1.26.8 is used for go.mod"}},
		{name: "Hugo Modules, no Go selected", versions: "nodejs: 24", source: map[string]string{"go.mod": ""}, want: []string{"the buildspec selects no golang, and aws/codebuild/standard:7.0 starts with 1.20.14; this machine's 1.26.8 is used"}},
		{name: "npm, nothing selected", source: map[string]string{"package.json": "{}"}, want: []string{"the buildspec selects no nodejs, and aws/codebuild/standard:7.0 starts with 18.20.8; this machine's 24.1.3 is used"}},
		{name: "npm, on an image that starts with the same", image: "aws/codebuild/standard:8.0", source: map[string]string{"package.json": "{}"}, want: []string{"starts with 24.14.0; this machine's 24.1.3 is used"}},
		{name: "npm, on another image", image: other, source: map[string]string{"package.json": "{}"}},
	} {
		t.Run(tc.name+" "+tc.versions, func(t *testing.T) {
			t.Parallel()
			install := "commands: ['true']"
			if tc.versions != "" {
				install = "runtime-versions: {" + tc.versions + "}"
			}
			tr := newTrial(t, "{version: 0.2, env: {variables: {V: 24}}, phases: {install: {"+install+"}}}", tc.source)
			tr.Path, tr.Image = bin, tc.image
			tr.run(t.Context())
			if tr.err != nil || tr.result.Status != Succeeded {
				t.Fatal(tr.err, tr.summary(), tr.log)
			}
			wantNotes(t, tr.result.Notes, tc.want)
		})
	}
}

// TestFirstArticle has the buildspec of the article that this project started from, as it was printed, and
// as it has to be today.
func TestFirstArticle(t *testing.T) {
	t.Parallel()
	const text = `version: 0.2
phases:
  install:
    runtime-versions:
      nodejs: NODE
    commands:
      - HUGO_VERSION=0.85.0
      - echo hugo version is ${HUGO_VERSION}
  build:
    commands:
      - npm ci
      - npm run webpack
      - hugo
artifacts:
  files:
    - '**/*'
  base-directory: 'public'
`
	bin := machine(t)
	for name, does := range map[string]string{"npm": "echo npm $*", "hugo": "mkdir public && echo home >public/index.html"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+does+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	build := func(node string) *trial {
		tr := newTrial(t, strings.Replace(text, "NODE", node, 1), nil)
		tr.Path = bin + ":/usr/bin:/bin"
		tr.run(t.Context())
		if tr.err != nil {
			t.Fatal(tr.err)
		}
		return tr
	}

	tr := build("14")
	failed := tr.result.Failure()
	if tr.result.Status != Failed || len(tr.result.Phases) != 1 || failed == nil || failed.Name != DownloadSource {
		t.Fatalf("it ends as %s, %+v", tr.result.Status, tr.result.Phases)
	}
	if want := "YAML_FILE_ERROR: Unknown runtime version named '14' of nodejs. This build image has the following versions: 18, 20, 22, 24"; failed.Context() != want {
		t.Errorf("the context is %q, want %q", failed.Context(), want)
	}
	wantLog := []string{
		"Selecting 'nodejs' runtime version '14' based on manual selections...",
		"Phase complete: DOWNLOAD_SOURCE State: FAILED",
		"Phase context status code: YAML_FILE_ERROR Message: Unknown runtime version named '14' of nodejs. This build image has the following versions: 18, 20, 22, 24",
	}
	if !slices.Equal(tr.log, wantLog) || len(tr.out) > 0 {
		t.Errorf("the log is %q and %q, want %q and nothing", tr.log, tr.out, wantLog)
	}

	for _, node := range []string{"24", "24.x", "latest", "14.21.3"} {
		if tr := build(node); tr.result.Status != Succeeded || !slices.Contains(tr.out, "npm run webpack") || tr.result.Artifact == nil {
			t.Errorf("nodejs: %s ends as %s: %q", node, tr.summary(), tr.out)
		}
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
			name: "secrets without a value", want: []string{"env.parameter-store: A comes from \"/a\"", "env.secrets-manager: B comes from \"b:c\""},
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
			name: "folder with something in it", want: []string{"has precious in it, want it empty"},
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
			tr := newTrial(t, tc.spec, nil)
			dir := tr.Dir
			tc.change(t, &tr.Build)
			tr.run(t.Context())
			if tr.err == nil || len(tr.out) > 0 {
				t.Fatalf("error is %v, output %q", tr.err, tr.out)
			}
			for _, want := range tc.want {
				if !strings.Contains(tr.err.Error(), want) {
					t.Errorf("error is %v, want %q in it", tr.err, want)
				}
			}
			if strings.Contains(tr.err.Error(), "C comes from") || strings.Contains(tr.err.Error(), "D comes from") {
				t.Errorf("error asks for what it has: %v", tr.err)
			}
			if _, err := os.Stat(filepath.Join(dir, "precious")); tc.name == "folder with something in it" && err != nil {
				t.Error(err)
			}
		})
	}
}

// A build that is stopped leaves no process and no folder, whatever its commands
// do about signals, and returns at once.
func TestStop(t *testing.T) {
	t.Parallel()
	const stubborn = `
version: 0.2
phases:
  install: {commands: ['sh -c "echo \$\$ >>$PIDS; exec sleep 600" &']}
  build:
    commands:
      - |
        (trap '' TERM INT; sh -c 'echo $$ >>"$PIDS"; exec sleep 600'; sleep 600)
      - echo no
    finally: [echo no]
  post_build: {commands: [echo no]}
artifacts: {files: ['**/*']}
`
	for _, tc := range []struct {
		name    string
		stop    func(*Build, context.CancelFunc)
		summary string
		err     error
		context string
	}{
		{
			name:    "cancelled",
			stop:    func(_ *Build, cancel context.CancelFunc) { cancel() },
			summary: "STOPPED: INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD STOPPED",
			err:     context.Canceled,
			context: "BUILD_STOPPED: Build was stopped.",
		},
		{
			name:    "timed out",
			summary: "TIMED_OUT: INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED, BUILD TIMED_OUT",
			context: "BUILD_TIMED_OUT: Build has timed out.",
		},
	} {
		for name, use := range shells() {
			t.Run(tc.name+" "+name, func(t *testing.T) {
				t.Parallel()
				tr := newTrial(t, stubborn, map[string]string{"f": ""})
				pids := filepath.Join(t.TempDir(), "pids")
				tr.Env = map[string]string{"PIDS": pids}
				use(&tr.Build)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tc.stop == nil {
					tr.Timeout = 700 * time.Millisecond
				}
				var wg sync.WaitGroup
				wg.Go(func() {
					waitFor(t, func() bool { return len(readPIDs(t, pids)) == 2 })
					if tc.stop != nil {
						tc.stop(&tr.Build, cancel)
					}
				})
				began := time.Now()
				tr.run(ctx)
				if took := time.Since(began); took > tr.Timeout+time.Second {
					t.Errorf("took %s", took)
				}
				wg.Wait()
				if !errors.Is(tr.err, tc.err) || tc.err == nil && tr.err != nil {
					t.Errorf("error is %v, want %v", tr.err, tc.err)
				}
				if got := tr.summary(); got != tc.summary {
					t.Errorf("got\n%s\nwant\n%s", got, tc.summary)
				}
				if got := tr.context(); got != tc.context {
					t.Errorf("context is %q, want %q", got, tc.context)
				}
				if len(tr.out) > 0 {
					t.Errorf("output is %q", tr.out)
				}
				for _, pid := range readPIDs(t, pids) {
					waitFor(t, func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
				}
				if _, err := os.Stat(tr.Dir); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("the build's folder is still there: %v", err)
				}
			})
		}
	}
}

func readPIDs(t *testing.T, file string) []int {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	var pids []int
	for line := range strings.FieldsSeq(string(text)) {
		var pid int
		if _, err := fmt.Sscan(line, &pid); err != nil {
			t.Error(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("waited for 10 seconds in vain")
			return
		}
	}
}

// hugo.yml leaves what mktemp made; Go's module cache cannot be written to.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	const text = `
version: 0.2
phases:
  build:
    commands:
      - mktemp -d "$TMPDIR/left.XXXXXX" >/dev/null && echo ok
      - mkdir -p "$HOME/go/pkg" && echo x >"$HOME/go/pkg/f" && chmod -R a-w "$HOME/go"
`
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprintf("keep %t", keep), func(t *testing.T) {
			t.Parallel()
			tr := newTrial(t, text, map[string]string{"f": "x"})
			tr.Keep = keep
			tr.run(t.Context())
			if tr.err != nil || !slices.Equal(tr.out, []string{"ok"}) {
				t.Fatalf("error is %v, output %q", tr.err, tr.out)
			}
			_, err := os.Stat(filepath.Join(tr.Dir, "src", "f"))
			if keep != (err == nil) {
				t.Errorf("stat of the source: %v", err)
			}
			if err := leftovers.RemoveAll(tr.Dir); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHomeIsTheCallers(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "cache")
	for i, want := range []string{"1", "2"} {
		tr := newTrial(t, `{version: 0.2, phases: {build: {commands: ['echo x >>"$HOME/f"; echo $(($(wc -l <"$HOME/f")))']}}}`, nil)
		tr.Home = home
		tr.run(t.Context())
		if tr.err != nil || !slices.Equal(tr.out, []string{want}) {
			t.Errorf("build %d: error is %v, output %q, want %q", i, tr.err, tr.out, want)
		}
	}
}

func TestSourceIsCopied(t *testing.T) {
	t.Parallel()
	owner := t.TempDir()
	write(t, filepath.Join(owner, "run.sh"), "#!/bin/sh\necho ran\n", 0o755)
	write(t, filepath.Join(owner, "dir", ".hidden"), "x", 0o444)
	for link, target := range map[string]string{"link": "dir/.hidden", "broken": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(owner, link)); err != nil {
			t.Fatal(err)
		}
	}
	tr := newTrial(t, `
version: 0.2
phases:
  build:
    commands: [./run.sh, '[ -L link ] && [ -L broken ] && cat link', 'echo y >dir/.hidden', 'rm run.sh; echo new >new']
`, nil)
	tr.Source = owner
	tr.run(t.Context())
	if tr.err != nil || tr.result.Status != Succeeded || !slices.Equal(tr.out, []string{"ran", "x"}) {
		t.Errorf("error is %v, %s, output %q", tr.err, tr.summary(), tr.out)
	}
	entries, err := os.ReadDir(owner)
	if err != nil || len(entries) != 4 {
		t.Errorf("the owner's folder has %v (%v)", entries, err)
	}
	if content, err := os.ReadFile(filepath.Join(owner, "dir", ".hidden")); err != nil || string(content) != "x" {
		t.Errorf("the owner's file is %q (%v)", content, err)
	}
}

func write(t *testing.T, file, content string, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), mode)); err != nil {
		t.Fatal(err)
	}
}

// Lines come whole, in order, with their phase, and also without a line's end.
func TestOutput(t *testing.T) {
	t.Parallel()
	tr := newTrial(t, `
version: 0.2
phases:
  install: {commands: ['printf one; sleep 0.1; printf "more\n\ntwo"', 'echo three >&2']}
  build: {commands: ['i=0; while [ $i -lt 5000 ]; do echo "line $i"; i=$((i+1)); done']}
  post_build: {commands: ['yes x | tr -d "\n" | head -c 200000']}
`, nil)
	var got []Line
	tr.Output = func(l Line) { got = append(got, l) }
	tr.run(t.Context())
	if tr.err != nil {
		t.Fatal(tr.err)
	}
	want := []Line{
		{Install, "Entering phase INSTALL", true},
		{Install, `Running command printf one; sleep 0.1; printf "more\n\ntwo"`, true},
		{Install, "onemore", false},
		{Install, "", false},
		{Install, "two", false},
		{Install, "Running command echo three >&2", true},
		{Install, "three", false},
		{Install, "Phase complete: INSTALL State: SUCCEEDED", true},
		{Install, "Phase context status code:  Message:", true},
	}
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("got %v, want %v", got[:min(len(got), len(want))], want)
	}
	n, long := 0, 0
	for _, l := range got {
		if l.Phase == BuildPhase && !l.Agent {
			if l.Text != fmt.Sprintf("line %d", n) {
				t.Fatalf("line %d is %q", n, l.Text)
			}
			n++
		}
		if l.Phase == PostBuild && !l.Agent {
			long += len(l.Text)
		}
	}
	if n != 5000 || long != 200000 {
		t.Errorf("got %d lines and %d bytes, want 5000 and 200000", n, long)
	}
}

// unzip returns what is in an artifact: a file's content, or "-> target".
func unzip(t *testing.T, a *Artifact) map[string]string {
	t.Helper()
	if a == nil {
		t.Fatal("there is no artifact")
	}
	r, err := zip.OpenReader(a.Zip)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // it was only read
	files := make(map[string]string)
	var names []string
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, f.Name)
		files[f.Name] = string(content)
		if f.Mode()&fs.ModeSymlink != 0 {
			files[f.Name] = "-> " + string(content)
		}
	}
	if !slices.Equal(names, a.Files) || !slices.IsSorted(names) {
		t.Errorf("zip has %q, Files are %q, want both the same and sorted", names, a.Files)
	}
	return files
}
