package codebuild

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestVariables checks the variables that commands find, and the variables that a build exports.
func TestVariables(t *testing.T) {
	t.Parallel()
	testRules(t, []rule{
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
			name:   "the project's value overrides the buildspec's",
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
			name: "parameters and secrets have the given values and are masked",
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
			name: "no source version for a source without versions",
			doc:  userdocs + "build-env-ref-env-vars.html#CODEBUILD_RESOLVED_SOURCE_VERSION",
			spec: `{version: 0.2, phases: {build: {commands: ['echo "${CODEBUILD_RESOLVED_SOURCE_VERSION-unset}"']}}}`,
			out:  []string{"unset"},
		},
	})
}

// The environment must contain only documented variables, and none of this process.
func TestEnvironmentIsClean(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "of the caller")
	t.Setenv("HUGO_BASEURL", "of the caller")
	tb := newTestBuild(t, `{version: 0.2, phases: {build: {commands: [env]}}}`, nil)
	tb.run(t.Context())
	if tb.err != nil {
		t.Fatal(tb.err)
	}
	known := append(slices.Collect(maps.Keys((&run{Build: tb.Build}).environment(time.Now(), "", ""))),
		"PWD", "OLDPWD", "SHLVL", "_", "CODEBUILD_LAST_EXIT")
	for _, line := range tb.out {
		if name, _, _ := strings.Cut(line, "="); !slices.Contains(known, name) {
			t.Errorf("the build sees %q", line)
		}
	}
}

func TestHomeIsTheCallers(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "cache")
	for i, want := range []string{"1", "2"} {
		tb := newTestBuild(t, `{version: 0.2, phases: {build: {commands: ['echo x >>"$HOME/f"; echo $(($(wc -l <"$HOME/f")))']}}}`, nil)
		tb.Home = home
		tb.run(t.Context())
		if tb.err != nil || !slices.Equal(tb.out, []string{want}) {
			t.Errorf("build %d: error is %v, output %q, want %q", i, tb.err, tb.out, want)
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

// machine returns a PATH with runtimes of known versions.
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
	const other = "public.ecr.aws/example/image:1" // an image with unknown runtimes
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
		// YAML reads 3.10 as 3.1, at CodeBuild, too.
		{versions: "python: 3.10", image: other, want: []string{"wants python 3.1; this machine's 3.12.1 is used"}},
		{versions: "ruby: 3.2", want: []string{"wants ruby 3.2, and this machine has no ruby"}},
		{versions: "android: 29", image: other, want: []string{"android 29 is not selected here"}},
		{name: "Hugo Modules", versions: "golang: 1.26", source: map[string]string{"go.mod": ""}, want: []string{"wants golang 1.26; this machine's 1.26.8 is used for go.mod"}},
		{name: "Hugo Modules in a folder", versions: "golang: 1.26", source: map[string]string{"site/go.mod": ""}, want: []string{"this machine's 1.26.8 is used for go.mod"}},
		{name: "Hugo Modules, no Go selected", versions: "nodejs: 24", source: map[string]string{"go.mod": ""}, want: []string{"the buildspec selects no golang, and aws/codebuild/standard:7.0 has 1.20.14 by default; this machine's 1.26.8 is used"}},
		{name: "npm, nothing selected", source: map[string]string{"package.json": "{}"}, want: []string{"the buildspec selects no nodejs, and aws/codebuild/standard:7.0 has 18.20.8 by default; this machine's 24.1.3 is used"}},
		{name: "npm, on an image that starts with the same", image: "aws/codebuild/standard:8.0", source: map[string]string{"package.json": "{}"}, want: []string{"has 24.14.0 by default; this machine's 24.1.3 is used"}},
		{name: "npm, on another image", image: other, source: map[string]string{"package.json": "{}"}},
	} {
		t.Run(tc.name+" "+tc.versions, func(t *testing.T) {
			t.Parallel()
			install := "commands: ['true']"
			if tc.versions != "" {
				install = "runtime-versions: {" + tc.versions + "}"
			}
			tb := newTestBuild(t, "{version: 0.2, env: {variables: {V: 24}}, phases: {install: {"+install+"}}}", tc.source)
			tb.Path, tb.Image = bin, tc.image
			tb.run(t.Context())
			if tb.err != nil || tb.result.Status != Succeeded {
				t.Fatal(tb.err, tb.summary(), tb.log)
			}
			wantNotes(t, tb.result.Notes, tc.want)
		})
	}
}
