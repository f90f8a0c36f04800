package buildspec

import (
	"bytes"
	"fmt"
	"maps"
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

func mustParse(t *testing.T, recipe string) spec {
	t.Helper()
	s, err := parse(recipe)
	if err != nil {
		t.Fatalf("parse recipe: %v\n%s", err, recipe)
	}
	return s
}

// recipes are all of them, with what each says of itself.
var recipes = []struct {
	name     string // the file's
	text     string
	defaults map[string]string // what env.variables sets, from the exported constants
	others   map[string]string // variables without a default, and what the head says instead
	artifact string            // the base directory, or "" for none
	helper   string            // git-credential-helper
	skips    []string          // phases without commands
}{
	{
		name: "hugo.yml",
		text: Hugo,
		defaults: map[string]string{
			EnvHugoVersion:     DefaultHugoVersion,
			EnvHugoExtended:    DefaultHugoExtended,
			EnvHugoEnvironment: DefaultHugoEnvironment,
			EnvNodeVersion:     DefaultNodeVersion,
			EnvAssetScript:     DefaultAssetScript,
		},
		others:   map[string]string{EnvHugoFlags: "(empty)"},
		artifact: "public",
		helper:   "yes", // private submodules need it
	},
	{
		name:     "container.yml",
		text:     Container,
		defaults: map[string]string{EnvDockerfile: DefaultDockerfile, EnvContext: DefaultContext},
		others: map[string]string{
			EnvRepositoryURI: "(required)",
			EnvTaskFamily:    "(required)",
			EnvContainerName: "(required)",
			EnvAppSpec:       "(empty)",
		},
		artifact: "deploy-artifact",
		skips:    []string{"install"},
	},
	{
		name:     "ecs.yml",
		text:     ECS,
		defaults: map[string]string{EnvDeployTimeoutMinutes: DefaultDeployTimeoutMinutes},
		others:   map[string]string{EnvCluster: "(required)", EnvService: "(required)"},
		skips:    []string{"install"},
	},
}

func TestParseRefusesWhatCodeBuildDoesNotKnow(t *testing.T) {
	t.Parallel()
	mustParse(t, Hugo) // else every case below would pass
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

func TestRecipesFollowBuildspecReference(t *testing.T) {
	t.Parallel()
	for _, recipe := range recipes {
		t.Run(recipe.name, func(t *testing.T) {
			t.Parallel()
			s := mustParse(t, recipe.text)

			if got, want := s.Version, "0.2"; got != want {
				t.Errorf("version is %q, want %q", got, want)
			}
			if got, want := s.Env.GitCredentialHelper, recipe.helper; got != want {
				t.Errorf("git-credential-helper is %q, want %q", got, want)
			}
			if got := s.Env.Shell; got != "" {
				t.Errorf("shell is %q, want CodeBuild's default", got)
			}
			skips := append([]string{"post_build"}, recipe.skips...) // post_build can run after a failed build
			for _, p := range s.phases() {
				if slices.Contains(skips, p.name) {
					if n := len(p.Commands); n != 0 {
						t.Errorf("%s has %d commands, want none", p.name, n)
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
			if got, want := s.Artifacts.BaseDirectory, recipe.artifact; got != want {
				t.Errorf("base-directory is %q, want %q", got, want)
			}
			files := []string{"**/*"}
			if recipe.artifact == "" {
				files = nil
			}
			if got := s.Artifacts.Files; !slices.Equal(got, files) {
				t.Errorf("artifact files are %q, want %q", got, files)
			}
		})
	}
}

func TestHugoSelectsNode(t *testing.T) {
	t.Parallel()
	if got, want := mustParse(t, Hugo).Phases.Install.RuntimeVersions["nodejs"], "$"+EnvNodeVersion; got != want {
		t.Errorf("runtime version of nodejs is %q, want %q", got, want)
	}
}

func TestDefaultsAreTheExportedOnes(t *testing.T) {
	t.Parallel()
	for _, recipe := range recipes {
		t.Run(recipe.name, func(t *testing.T) {
			t.Parallel()
			got := mustParse(t, recipe.text).Env.Variables
			for name := range got {
				if _, ok := recipe.defaults[name]; !ok {
					t.Errorf("env.variables sets %s, which the package does not export", name)
				}
			}
			for name, value := range recipe.defaults {
				if got[name] != value {
					t.Errorf("env.variables sets %s to %q, want %q", name, got[name], value)
				}
			}
		})
	}
}

// The head of the file is the documentation of a recipe that is copied into
// somebody's repository without this package.
func TestRecipesDocumentTheirVariables(t *testing.T) {
	t.Parallel()
	for _, recipe := range recipes {
		t.Run(recipe.name, func(t *testing.T) {
			t.Parallel()
			head, _, ok := strings.Cut(recipe.text, "\nversion:")
			if !ok {
				t.Fatal("recipe has no version")
			}
			documented := make(map[string]string)
			for line := range strings.Lines(head) {
				if f := strings.Fields(strings.TrimPrefix(line, "#")); len(f) > 2 && f[0] == strings.ToUpper(f[0]) {
					documented[f[0]] = f[1]
				}
			}
			want := maps.Clone(recipe.defaults)
			maps.Copy(want, recipe.others)
			for name, value := range want {
				if got := documented[name]; got != value {
					t.Errorf("head gives %s the default %q, want %q", name, got, value)
				}
			}
		})
	}
}

// A local custom cache takes folders only, and replaces what the source has
// under the same path.
//
// AWS source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-caching.html
func TestHugoCachesFoldersOutsideTheSource(t *testing.T) {
	t.Parallel()
	paths := mustParse(t, Hugo).Cache.Paths
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
