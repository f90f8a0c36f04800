package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/props"
)

func TestBlogsAreValid(t *testing.T) {
	if err := props.Validate(blogs, services); err != nil {
		t.Error(err)
	}
}

func TestSynthReportsEveryProblemAndMakesNothing(t *testing.T) {
	were, wereServices := blogs, services
	t.Cleanup(func() { blogs, services = were, wereServices })
	token := props.GitHubToken{Repo: "r", SecretName: "s"}
	blogs, services = []props.Blog{
		{Name: "one", Source: token, Deploy: props.Deploy{Bucket: "X"}, Invalidate: props.Invalidate{DistributionID: "E2QWRUHAPOMQZL"}},
		{Name: "one", Deploy: props.Deploy{Bucket: "good-bucket"}, Invalidate: props.Invalidate{DistributionID: "E2QWRUHAPOMQZL", Paths: []string{"a"}}},
	}, nil
	dir := t.TempDir()
	t.Setenv("CDK_OUTDIR", dir)
	err := run(nil)
	if err == nil {
		t.Fatal("synth with bad props: no error")
	}
	for _, want := range []string{`blog "one": Source.Owner is "": must be`, `Deploy.Bucket is "X"`, `Source is`, `Invalidate.Paths[0] is "a": must start with /`, "another blog has this name"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("synth reports\n%v\nwant %q in it", err, want)
		}
	}
	if made, err := os.ReadDir(dir); err != nil || len(made) > 0 {
		t.Errorf("it made %v, %v", made, err)
	}
}

func TestStackTagsAreRefused(t *testing.T) {
	const tags = `{"tags": [{"Key": "team", "Value": "web"}]}`
	made, hook := props.FargateService{Name: "api"}, props.ExistingService{Name: "shop"}
	for _, tt := range []struct {
		name          string
		project, home string
		variable      string
		services      []props.Service
		want          string // "" for no error
	}{
		{"no tags", "{}", "{}", "", []props.Service{made}, ""},
		{"empty list", `{"tags": []}`, `{"tags": null}`, "", []props.Service{made}, ""},
		{"tags in cdk.json", tags, "{}", "", []props.Service{hook, made}, `"tags" in cdk.json sets tags of whole stacks, and there is the service "api": `},
		{"tags in ~/.cdk.json", "{}", tags, "", []props.Service{made}, `/.cdk.json sets tags of whole stacks`},
		{"tags in the environment", "{}", "{}", "team=web", []props.Service{made}, `CDK_TAGS, in the environment, sets tags`},
		{"tags in ~/.cdk.json, and an empty list in cdk.json", `{"tags": []}`, tags, "", []props.Service{made}, ""},
		{"tags in an unknown form", `{"tags": {"team": "web"}}`, "{}", "", []props.Service{made}, `"tags" in cdk.json sets tags`},
		{"no service", tags, tags, "team=web", nil, ""},
		{"existing service", tags, "{}", "", []props.Service{hook}, ""},
		{"service deployed with tags from the start", tags, "{}", "", []props.Service{props.FargateService{Name: "api", Tagged: true}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, home := t.TempDir(), t.TempDir()
			for path, text := range map[string]string{filepath.Join(dir, "cdk.json"): tt.project, filepath.Join(home, ".cdk.json"): tt.home} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Chdir(dir)
			variables := map[string]string{"HOME": home, "CDK_TAGS": tt.variable}
			err := refuseStackTags(func(name string) (string, bool) { return variables[name], true }, tt.services)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), `docs/platform.md says under "Tags"`)):
				t.Errorf("got %v, want %q in it, and where tags go", err, tt.want)
			}
		})
	}
}
