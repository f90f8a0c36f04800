package codebuild

import (
	"testing"
)

// TestWhatCommandsLeave checks what a command leaves to the next one: variables, the folder and tasks in the
// background.
func TestWhatCommandsLeave(t *testing.T) {
	t.Parallel()
	testRules(t, []rule{
		{
			name: "0.2: variables and the folder are kept from phase to phase",
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
			name:   "0.2: a command that exits does not end the others",
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
			name: "0.1: each command has a shell of its own",
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
	})
}

// TestCommands checks how the shell runs the text of a command.
func TestCommands(t *testing.T) {
	t.Parallel()
	testRules(t, []rule{
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
			shells:  []string{"dash"}, // Other shells have another status.
			summary: "FAILED: INSTALL FAILED",
			context: "COMMAND_EXECUTION_ERROR: Error while executing command: if. Reason: exit status 2",
			out:     []string{anything}, // the shell's message
		},
		{
			name:   "env.shell is bash",
			doc:    specRef + "build-spec.env.shell",
			spec:   `{version: 0.2, env: {shell: bash}, phases: {build: {commands: ['x=(a b); declare -x Y="q''s"', '[[ b == b && $BASH_VERSION ]] && echo "$Y"']}}}`,
			shells: []string{"bash"},
			out:    []string{"q's"},
		},
	})
}
