package codebuild

import (
	"testing"
)

// TestPhases checks in which order phases run, and which of them run after one has failed.
func TestPhases(t *testing.T) {
	t.Parallel()
	testRules(t, []rule{
		{
			name: "phases run in the documented order, not in the order of the file",
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
			name: "nothing to upload without artifacts",
			doc:  specRef + "build-spec.artifacts",
			spec: "{version: 0.2, phases: {build: {commands: ['true']}}}",
		},
	})
}

// TestOnFailure checks what a phase's on-failure does.
func TestOnFailure(t *testing.T) {
	t.Parallel()
	testRules(t, []rule{
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
			// Each try starts with the original source.
			out:   []string{"install", "f", "install", "f", "install", "f", "install", "f"},
			notes: []string{"this is try 4"},
		},
		{
			name:    "after RETRY-count the next phase runs as without it",
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
	})
}

// TestFinally checks when a phase runs its finally commands.
func TestFinally(t *testing.T) {
	t.Parallel()
	testRules(t, []rule{
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
	})
}
