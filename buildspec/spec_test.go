package buildspec

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/codebuild"
)

func mustParse(t *testing.T, recipe string) *codebuild.Buildspec {
	t.Helper()
	s, err := codebuild.Parse(recipe)
	if err != nil {
		t.Fatalf("parse recipe: %v\n%s", err, recipe)
	}
	return s
}

// recipes lists all recipes, and what each one's head and settings should be.
var recipes = []struct {
	name     string // the file's
	text     string
	defaults map[string]string // what env.variables sets, from the exported constants
	others   map[string]string // variables without a default, and what the head says instead
	artifact string            // the base directory, or "" for none
	helper   codebuild.YesNo   // git-credential-helper
	skips    []string          // phases without commands
}{
	{
		name: "hugo.yml",
		text: Hugo,
		defaults: map[string]string{
			EnvHugoEnvironment: DefaultHugoEnvironment,
			EnvNodeVersion:     DefaultNodeVersion,
		},
		others: map[string]string{
			EnvHugoVersion:   "(found)",
			EnvHugoExtended:  "(found)",
			EnvAssetScript:   "(found)",
			EnvRootDirectory: "(top)",
			EnvHugoFlags:     "(empty)",
			EnvHugoBaseURL:   "(empty)",
			EnvAfterHugo:     "(empty)",
		},
		artifact: "public",
		helper:   true, // private submodules need it
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
				t.Errorf("git-credential-helper is %t, want %t", got, want)
			}
			if got := s.Env.Shell; got != "" {
				t.Errorf("shell is %q, want CodeBuild's default", got)
			}
			skips := append([]string{"post_build"}, recipe.skips...) // post_build can run after a failed build
			for name, p := range map[string]*codebuild.Phase{
				"install": s.Phases.Install, "pre_build": s.Phases.PreBuild, "build": s.Phases.Build, "post_build": s.Phases.PostBuild,
			} {
				if slices.Contains(skips, name) != (p == nil) {
					t.Errorf("phase %s is %+v, want none of %q and all others", name, p, skips)
					continue
				}
				if p == nil {
					continue
				}
				if got, want := p.OnFailure, "ABORT"; got != want {
					t.Errorf("on-failure of %s is %q, want %q", name, got, want)
				}
				if len(p.Finally) != 0 {
					t.Errorf("%s has %d commands in finally, want none", name, len(p.Finally))
				}
			}
			if recipe.artifact == "" {
				if s.Artifacts != nil {
					t.Errorf("artifacts are %+v, want none", s.Artifacts)
				}
				return
			}
			if got, want := s.Artifacts.BaseDirectory, recipe.artifact; got != want {
				t.Errorf("base-directory is %q, want %q", got, want)
			}
			if got, want := s.Artifacts.Files, []string{"**/*"}; !slices.Equal(got, want) {
				t.Errorf("artifact files are %q, want %q", got, want)
			}
		})
	}
}

func TestRecipesFitIntoAProject(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"hugo.yml": Inline(Hugo), "container.yml": Container, "ecs.yml": ECS} {
		if got := len(text); got > MaxInline {
			t.Errorf("%s has %d bytes inside a project, want at most %d", name, got, MaxInline)
		}
	}
}

// Only comments and indentation differ.
func TestInlineKeepsTheCommands(t *testing.T) {
	t.Parallel()
	got, want := mustParse(t, Inline(Hugo)), mustParse(t, Hugo)
	gotCommands, wantCommands := got.Commands(), want.Commands()
	if len(gotCommands) != len(wantCommands) {
		t.Fatalf("inline has %d commands, want %d", len(gotCommands), len(wantCommands))
	}
	for i, c := range wantCommands {
		if got := strings.Fields(gotCommands[i].Text); len(got) == 0 || len(got) > len(strings.Fields(c.Text)) {
			t.Errorf("command %s has %d words, want some, and not more than %d", c, len(got), len(strings.Fields(c.Text)))
		}
	}
	// Indentation would need a sixteenth of the characters that a project may have.
	for line := range strings.Lines(Inline(Hugo)) {
		if deepest := 3; strings.HasPrefix(line, strings.Repeat(" ", deepest+1)) {
			t.Errorf("inline has the line %q, want it no deeper than %d", line, deepest)
		}
	}
	for name, same := range map[string]bool{
		"env":       reflect.DeepEqual(got.Env, want.Env),
		"artifacts": reflect.DeepEqual(got.Artifacts, want.Artifacts),
		"cache":     reflect.DeepEqual(got.Cache, want.Cache),
		"runtimes":  reflect.DeepEqual(got.Phases.Install.RuntimeVersions, want.Phases.Install.RuntimeVersions),
	} {
		if !same {
			t.Errorf("%s differs", name)
		}
	}
}

func TestHugoFallsBackToTheExportedVersion(t *testing.T) {
	t.Parallel()
	if want := "found=" + DefaultHugoVersion + " "; !strings.Contains(Hugo, want) {
		t.Errorf("hugo.yml lacks %q", want)
	}
	if want := "extended=" + DefaultHugoExtended + "\n"; !strings.Contains(Hugo, want) {
		t.Errorf("hugo.yml lacks %q", want)
	}
}

func TestHugoSelectsGoAndNode(t *testing.T) {
	t.Parallel()
	if got := mustParse(t, Hugo).Phases.Install.RuntimeVersions["golang"]; got != GoVersion {
		t.Errorf("hugo.yml selects Go %s, want %s", got, GoVersion)
	}
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

// A local custom cache accepts only folders, and replaces the source's folder at the
// same path.
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
