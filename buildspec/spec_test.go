package buildspec

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// spec is CodeBuild's buildspec as AWS documents it, without the parts that no
// recipe here has a use for (batch, reports, proxy, secondary artifacts). It is
// decoded strictly: a key that is misspelt, or stands in the wrong place, is one
// that CodeBuild ignores or refuses.
//
// AWS source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
type spec struct {
	Version string `yaml:"version"`
	Env     struct {
		Shell               string            `yaml:"shell"`
		Variables           map[string]string `yaml:"variables"`
		GitCredentialHelper string            `yaml:"git-credential-helper"`
	} `yaml:"env"`
	Phases struct {
		Install   installPhase `yaml:"install"`
		PreBuild  phase        `yaml:"pre_build"`
		Build     phase        `yaml:"build"`
		PostBuild phase        `yaml:"post_build"`
	} `yaml:"phases"`
	Artifacts struct {
		BaseDirectory string   `yaml:"base-directory"`
		Files         []string `yaml:"files"`
	} `yaml:"artifacts"`
	Cache struct {
		Paths []string `yaml:"paths"`
	} `yaml:"cache"`
}

type phase struct {
	OnFailure string   `yaml:"on-failure"`
	Commands  []string `yaml:"commands"`
}

// installPhase repeats phase's fields because the decoder cannot embed an
// unexported type. Only this phase may select runtimes.
type installPhase struct {
	OnFailure       string            `yaml:"on-failure"`
	Commands        []string          `yaml:"commands"`
	RuntimeVersions map[string]string `yaml:"runtime-versions"`
}

// namedPhase is one phase under the name CodeBuild gives it.
type namedPhase struct {
	name string
	phase
}

// phases lists all phases in the order CodeBuild runs them.
func (s spec) phases() []namedPhase {
	install := s.Phases.Install
	return []namedPhase{
		{"install", phase{install.OnFailure, install.Commands}},
		{"pre_build", s.Phases.PreBuild},
		{"build", s.Phases.Build},
		{"post_build", s.Phases.PostBuild},
	}
}

// command is one item of a phase's commands list.
type command struct {
	name   string // such as "install-3", for messages and file names
	script string
}

// commands lists what CodeBuild runs, in its order.
func (s spec) commands() []command {
	var all []command
	for _, p := range s.phases() {
		for i, script := range p.Commands {
			all = append(all, command{name: fmt.Sprintf("%s-%d", p.name, i+1), script: script})
		}
	}
	return all
}

func parse(text string) (spec, error) {
	var s spec
	// goccy/go-yaml refuses duplicate keys by itself.
	err := yaml.NewDecoder(bytes.NewReader([]byte(text)), yaml.DisallowUnknownField()).Decode(&s)
	return s, err
}

func mustParse(t *testing.T) spec {
	t.Helper()
	s, err := parse(Hugo)
	if err != nil {
		t.Fatalf("parse hugo.yml: %v", err)
	}
	return s
}

func TestParseRefusesWhatCodeBuildDoesNotKnow(t *testing.T) {
	t.Parallel()
	mustParse(t) // else every case below would pass
	for name, edit := range map[string][2]string{
		"misspelt phase":          {"  pre_build:", "  prebuild:"},
		"misspelt key in a phase": {"    on-failure:", "    on_failure:"},
		"key at the wrong level":  {"artifacts:\n  base-directory:", "base-directory:"},
		"runtimes outside install": {
			"  build:\n    on-failure: ABORT\n",
			"  build:\n    on-failure: ABORT\n    runtime-versions: {nodejs: 24}\n",
		},
		"duplicate key": {"version: 0.2\n", "version: 0.2\nversion: 0.2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := strings.Replace(Hugo, edit[0], edit[1], 1)
			if broken == Hugo {
				t.Fatalf("hugo.yml does not contain %q", edit[0])
			}
			if _, err := parse(broken); err == nil {
				t.Error("parsed without an error")
			}
		})
	}
}

func TestHugoFollowsBuildspecReference(t *testing.T) {
	t.Parallel()
	s := mustParse(t)

	if got, want := s.Version, "0.2"; got != want {
		t.Errorf("version is %q, want %q", got, want)
	}
	if got, want := s.Env.GitCredentialHelper, "yes"; got != want {
		t.Errorf("git-credential-helper is %q, want %q: private submodules need it", got, want)
	}
	if got, want := s.Phases.Install.RuntimeVersions["nodejs"], "$"+EnvNodeVersion; got != want {
		t.Errorf("runtime version of nodejs is %q, want %q", got, want)
	}
	for _, p := range s.phases() {
		if p.name == "post_build" {
			if n := len(p.Commands); n != 0 {
				t.Errorf("post_build has %d commands, want none: it can run after a failed build", n)
			}
			continue
		}
		if got, want := p.OnFailure, "ABORT"; got != want {
			t.Errorf("on-failure of %s is %q, want %q", p.name, got, want)
		}
		if len(p.Commands) == 0 {
			t.Errorf("%s has no commands", p.name)
		}
	}
	if got, want := s.Artifacts.BaseDirectory, "public"; got != want {
		t.Errorf("base-directory is %q, want %q", got, want)
	}
	if got, want := s.Artifacts.Files, []string{"**/*"}; !slices.Equal(got, want) {
		t.Errorf("artifact files are %q, want %q", got, want)
	}
}

func TestHugoDefaultsAreTheExportedOnes(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		EnvHugoVersion:     DefaultHugoVersion,
		EnvHugoExtended:    DefaultHugoExtended,
		EnvHugoEnvironment: DefaultHugoEnvironment,
		EnvNodeVersion:     DefaultNodeVersion,
		EnvAssetScript:     DefaultAssetScript,
	}
	got := mustParse(t).Env.Variables
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("env.variables sets %s, which the package does not export", name)
		}
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("env.variables sets %s to %q, want %q", name, got[name], value)
		}
	}
}

// The head of the file is the documentation of a recipe that is copied into a
// blog's repository without this package.
func TestHugoDocumentsItsVariables(t *testing.T) {
	t.Parallel()
	head, _, ok := strings.Cut(Hugo, "\nversion:")
	if !ok {
		t.Fatal("hugo.yml has no version")
	}
	documented := make(map[string]string)
	for line := range strings.Lines(head) {
		if f := strings.Fields(strings.TrimPrefix(line, "#")); len(f) > 2 && f[0] == strings.ToUpper(f[0]) {
			documented[f[0]] = f[1]
		}
	}
	for name, value := range map[string]string{
		EnvHugoVersion:     DefaultHugoVersion,
		EnvHugoExtended:    DefaultHugoExtended,
		EnvHugoEnvironment: DefaultHugoEnvironment,
		EnvHugoFlags:       "(empty)",
		EnvNodeVersion:     DefaultNodeVersion,
		EnvAssetScript:     DefaultAssetScript,
	} {
		if got := documented[name]; got != value {
			t.Errorf("head of hugo.yml gives %s the default %q, want %q", name, got, value)
		}
	}
}

// A local custom cache takes folders only, and replaces what the source has
// under the same path.
//
// AWS source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-caching.html
func TestHugoCachesFoldersOutsideTheSource(t *testing.T) {
	t.Parallel()
	paths := mustParse(t).Cache.Paths
	if len(paths) == 0 {
		t.Fatal("cache has no paths")
	}
	for _, path := range paths {
		// HOME is always /root in CodeBuild; the source is elsewhere.
		if !strings.HasPrefix(path, "/root/.") || !strings.HasSuffix(path, "/**/*") {
			t.Errorf("cache path is %q, want a folder under /root, all of it", path)
		}
	}
}
