package codebuild

import (
	"strings"
	"testing"
)

const minimal = "version: 0.2\nphases:\n  build:\n    commands:\n      - make\n"

// full has every key that the reference shows.
const full = `
version: 0.2
run-as: Linux-user-name
env:
  shell: bash
  variables: {key: "value"}
  parameter-store: {key2: "value"}
  exported-variables: [variable]
  secrets-manager: {key3: "secret-id:json-key:version-stage:version-id"}
  git-credential-helper: no
proxy: {upload-artifacts: no, logs: yes}
batch: {fast-fail: false}
phases:
  install:
    run-as: Linux-user-name
    on-failure: ABORT
    runtime-versions: {java: corretto8, python: 3.x, ruby: "$MY_RUBY_VAR"}
    commands: [command]
    finally: [command]
  pre_build: {run-as: x, on-failure: RETRY, commands: [command], finally: [command]}
  build: {on-failure: RETRY-8-invalid+, commands: [command]}
  post_build: {on-failure: CONTINUE, commands: [command, command]}
reports:
  arn:aws:codebuild:your-region:your-aws-account-id:report-group/report-group-name-1:
    files: ["**/*"]
    base-directory: 'target/tests/reports'
    discard-paths: no
  reportGroupCucumberJson: {files: [x.xml], discard-paths: yes, file-format: CUCUMBERJSON}
artifacts:
  files: [location]
  name: artifact-name
  discard-paths: no
  base-directory: location
  exclude-paths: excluded paths
  enable-symlinks: yes
  s3-prefix: prefix
  secondary-artifacts:
    artifact1: {files: [location], name: n, discard-paths: yes, base-directory: location}
cache: {key: key, fallback-keys: [fallback-key], action: restore, paths: [path]}
`

func TestParseTakesAllOfTheReference(t *testing.T) {
	t.Parallel()
	s, err := Parse(full)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range s.Commands() {
		names = append(names, c.String())
	}
	const want = "install-1 install-finally-1 pre_build-1 pre_build-finally-1 build-1 post_build-1 post_build-2"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("commands are %q, want %q", got, want)
	}
	a := s.Artifacts
	if a.DiscardPaths || !a.EnableSymlinks || !a.Secondary["artifact1"].DiscardPaths || len(a.ExcludePaths) != 1 || a.ExcludePaths[0] != "excluded paths" {
		t.Errorf("artifacts are %+v", a)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	if _, err := Parse(minimal); err != nil {
		t.Fatal(err) // else every case below would pass
	}
	for _, tc := range []struct{ name, text, want string }{
		{"nothing", "", "the buildspec is empty"},
		{"no YAML", minimal + "  x: [", "line "},
		{"a list", "- version: 0.2\n", "line 1"},
		{"two documents", minimal + "---\n" + minimal, "not several"},
		{"a key that does not exist", minimal + "artefacts: {}\n", `line 6: unknown key "artefacts"`},
		{"misspelt phase", strings.Replace(minimal, "build:", "prebuild:", 1), `line 3: unknown key "prebuild"`},
		{"misspelt key of a phase", minimal + "    on_failure: ABORT\n", `line 6: unknown key "on_failure"`},
		{"key at the wrong level", minimal + "base-directory: public\n", `line 6: unknown key "base-directory"`},
		{"misspelt key of env", minimal + "env: {vars: {}}\n", `line 6: unknown key "vars"`},
		{"misspelt key of artifacts", minimal + "artifacts:\n  file: [x]\n", `line 7: unknown key "file"`},
		{"misspelt key of secondary artifacts", minimal + "artifacts: {files: [x], secondary-artifacts: {a: {filse: [x]}}}\n", `line 6: unknown key "filse"`},
		{"misspelt key of cache", minimal + "cache: {path: [x]}\n", `line 6: unknown key "path"`},
		{"misspelt key of proxy", minimal + "proxy: {log: yes}\n", `proxy has the key "log"`},
		{"key twice", minimal + "version: 0.2\n", "line 6"},
		{
			// YAML_FILE_ERROR: Expected Commands[0] to be of string type: found subkeys instead …
			"colon in a command", minimal + "      - echo \"Step 1: x\"\n", "line 6: expected a command to be of string type, found subkeys instead; quote",
		},
		{"commands is text", "version: 0.2\nphases:\n  build:\n    commands: make\n", "line 4"},
		{"mapping for text", minimal + "artifacts: {files: [x], name: {a: b}}\n", "line 6: found map[string]interface {}, want another type"},
		{"empty command", minimal + "      -\n", "empty command (build-2)"},
		{"no version", strings.Replace(minimal, "version: 0.2\n", "", 1), "version is missing"},
		{"other version", strings.Replace(minimal, "0.2", "0.3", 1), `version is "0.3"`},
		{"no phases", "version: 0.2\n", "phases is missing"},
		{"empty phases", "version: 0.2\nphases: {}\n", "phases is missing"},
		{"no commands", "version: 0.2\nphases: {build: {finally: [x]}}\n", "phases.build.commands is missing"},
		{"runtimes outside install", minimal + "    runtime-versions: {nodejs: 24}\n", "phases.build.runtime-versions"},
		{"no runtimes", "version: 0.2\nphases: {install: {runtime-versions: {}}}\n", "phases.install.runtime-versions is empty"},
		{"on-failure", minimal + "    on-failure: abort\n", `phases.build.on-failure: "abort" is not one of`},
		{"retries", minimal + "    on-failure: RETRY-101\n", "want 0 to 100"},
		{"retry pattern", minimal + "    on-failure: RETRY-3-(\n", "an invalid regular expression"},
		{"shell of Windows", minimal + "env: {shell: powershell.exe}\n", `env.shell is "powershell.exe"`},
		{"variable's name", minimal + "env: {variables: {a-b: x}}\n", `variable "a-b"`},
		{"exported variable's name", minimal + "env: {exported-variables: [a-b]}\n", `env.exported-variables has "a-b"`},
		{"neither yes nor no", minimal + "artifacts: {files: [x], discard-paths: maybe}\n", `"maybe" is neither yes nor no`},
		{"no files", minimal + "artifacts: {base-directory: x}\n", "artifacts.files is missing"},
		{"no files, only secondary ones", minimal + "artifacts: {secondary-artifacts: {a: {files: [x]}}}\n", "artifacts.files is missing"},
		{"no files of secondary artifacts", minimal + "artifacts: {files: [x], secondary-artifacts: {a: {name: x}}}\n", "secondary-artifacts.a.files is missing"},
		{"empty secondary artifacts", minimal + "artifacts: {files: [x], secondary-artifacts: {a: }}\n", "secondary-artifacts.a is empty"},
		{"pattern", minimal + "artifacts: {files: ['[x']}\n", "has a [ without a ]"},
		{"no report files", minimal + "reports: {unit: {base-directory: x}}\n", "reports.unit.files is missing"},
		{"cache action", minimal + "cache: {action: both}\n", `cache.action is "both"`},
		{"cache keys", minimal + "cache: {fallback-keys: [a, b, c, d, e, f]}\n", "has 6 keys, want 5"},
		{"0.1's variables in 0.2", minimal + "environment_variables: {plaintext: {a: b}}\n", "environment_variables is for version 0.1"},
		{"0.2's variables in 0.1", strings.Replace(minimal, "0.2", "0.1", 1) + "env: {variables: {a: b}}\n", "env is for version 0.2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(tc.text)
			if err == nil {
				t.Fatal("parsed without an error")
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error is %q, want %q in it", err, tc.want)
			}
		})
	}
}

func TestParseReportsAllProblems(t *testing.T) {
	t.Parallel()
	_, err := Parse("version: 1\nenv: {shell: fish}\nartifacts: {}\n")
	for _, want := range []string{"version", "env.shell", "phases", "artifacts.files"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q in it", err, want)
		}
	}
}

// TestUnsupported checks that a build tells which keys of the buildspec have no effect in a rehearsal.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	testRules(t, []rule{
		{
			name: "keys without effect have notes",
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
				"git-credential-helper", "proxy", "batch", "reports: these are not published here: unit", "cache", "s3-prefix",
			},
		},
	})
}
