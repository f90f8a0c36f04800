package pipeline

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/buildspec"
)

func TestTheBuildFails(t *testing.T) {
	const denied = "is not authorized to perform: "
	failsAt(t, 1, []failing{
		{name: "no permission to start the build", edit: replace(t, `"codebuild:StartBuild"`, `"codebuild:RetryBuild"`), code: "AccessDenied", reason: []string{denied + "codebuild:StartBuild on resource: arn:aws:codebuild:us-east-1:123456789012:project/"}},
		{name: "build that may not write its log", edit: replace(t, `"logs:CreateLogStream"`, `"logs:DeleteLogStream"`), code: "JobFailed", reason: []string{"Phase: PROVISIONING, Code: ACCESS_DENIED", denied + "logs:CreateLogStream"}},
		{name: "buildspec that is missing", spoil: func(t *testing.T, source string) {
			if err := os.RemoveAll(filepath.Join(source, "buildspec")); err != nil {
				t.Fatal(err)
			}
		}, code: "JobFailed", reason: []string{"Phase: DOWNLOAD_SOURCE, Code: YAML_FILE_ERROR", "buildspec/hugo.yml: no such file or directory"}, look: "buildspec/hugo.yml in the source"},
		{name: "buildspec that is broken", spoil: func(t *testing.T, source string) {
			write(t, source, map[string]string{"buildspec/hugo.yml": "version: 0.2\nphases:\n  build:\n  commands: [x]\n"})
		}, code: "JobFailed", reason: []string{"YAML_FILE_ERROR", "commands"}, look: "buildspec/hugo.yml in the source"},
		{name: "runtime that the image does not have", spoil: func(t *testing.T, source string) {
			write(t, source, map[string]string{"buildspec/hugo.yml": "version: 0.2\nphases:\n  install:\n    runtime-versions: {nodejs: 14}\n  build:\n    commands: [exit 1]\n"})
		}, code: "JobFailed", reason: []string{"Phase: DOWNLOAD_SOURCE, Code: YAML_FILE_ERROR, Message: Unknown runtime version named '14' of nodejs. This build image has the following versions: 18, 20, 22, 24"}, look: "runtime-versions in buildspec/hugo.yml in the source: name a version that the image has"},
		{name: "command that fails", spoil: func(t *testing.T, source string) {
			write(t, source, map[string]string{"buildspec/hugo.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - echo one\n      - |\n        set -u\n        # two\n        fail() {\n          echo \"ERROR: $*\"\n          exit 7\n        }\n        echo two\n        fail no theme\nartifacts:\n  files: ['**/*']\n"})
		}, code: "JobFailed", reason: []string{"Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR, Message: Error while executing command: echo two …. Reason: exit status 7"}, cause: "ERROR: no theme", look: "build-2 of buildspec/hugo.yml"},
		{name: "artifact that is missing", spoil: func(t *testing.T, source string) {
			write(t, source, map[string]string{"buildspec/hugo.yml": "version: 0.2\nphases:\n  build:\n    commands: [echo]\n"})
		}, code: "JobFailed", reason: []string{"Phase: UPLOAD_ARTIFACTS, Code: CLIENT_ERROR"}},
		{name: "build fault", faults: "build=fail", code: "JobFailed", reason: []string{"COMMAND_EXECUTION_ERROR"}},
	})
}

func TestFirstCommandIsTheFirstLineThatDoesSomething(t *testing.T) {
	for script, want := range map[string]string{
		"(\n  set -eu\n  npm ci\n)": "npm ci",
		"set -eu\n\n# why\nhugo":    "hugo",
		"(\nset -e\n":               "(",
		"echo":                      "echo",
		"(\n  set -eu\n  fail() { echo \"$*\"; exit 1; }\n  get() {\n    curl\n  }\n  hugo\n)": "hugo",
	} {
		if got := firstCommand(script); got != want {
			t.Errorf("%q: got %q, want %q", script, got, want)
		}
	}
}

func TestWarningsOfARecipeAreRepeated(t *testing.T) {
	t.Parallel()
	source := blog(t)
	write(t, source, map[string]string{"buildspec/hugo.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - |\n" +
		"        echo '" + buildspec.Warning + "the links lead elsewhere'\n" +
		"        echo '" + buildspec.LeftOutFuture + "1 (content/a.md)'\n" +
		"        echo '==> Hugo: 3 files in public/'\n" +
		"artifacts:\n  files: ['site/index.html']\n"})
	r := rehearse(t, t.Context(), read(t, template(t, "uploaded-pipeline")), Options{Source: source}, nil)
	var ofBuild []string
	for _, warning := range r.Warnings {
		if strings.HasPrefix(warning, "build: ") {
			ofBuild = append(ofBuild, warning)
		}
	}
	if want := []string{"build: the links lead elsewhere", "build: Hugo: left out, future: 1 (content/a.md)"}; r.statuses() != allSucceeded || !slices.Equal(ofBuild, want) {
		t.Errorf("stages end as %s (%v), warnings are %q, want %q", r.statuses(), r.err, ofBuild, want)
	}
}
