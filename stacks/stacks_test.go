package stacks

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// templates has the synthesised templates of all fixtures, by the names of their stacks.
var (
	templates   = map[string]*assembly.Template{}
	assemblyDir string
	aloneDir    string // of an app that has fixtures.AloneBlogs only
	// changedTemplates has the templates of fixtures.ChangedServices, of the blog with the longest name,
	// of the service with the most secrets, and of what still has example values.
	changedTemplates = map[string]*assembly.Template{}
	changedDir       string
	platformDir      string // of all fixtures, as a platform has them
)

// TestMain synthesises all fixtures once, in one app, with the flags of cdk.json and with cdk-nag. Most
// tests only read the JSON.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	what := os.Getenv(synthOnly)
	// `make synth` and extremes_test.go check CloudFormation's rules, which takes seconds.
	if what != extremes {
		check(os.Setenv("CDK_VALIDATION", "false"))
	}
	jsii.Close() // so that the kernel starts with this environment
	defer jsii.Close()

	dir, err := os.MkdirTemp("", "stacks")
	check(err)
	defer os.RemoveAll(dir)
	project, err := filepath.Abs("..")
	check(err)
	for _, binary := range []string{"invalidate", "deployhook"} {
		folder := filepath.Join(dir, "dist", binary)
		check(os.MkdirAll(folder, 0o755))
		check(os.WriteFile(filepath.Join(folder, "bootstrap"), []byte("stands for the binary"), 0o755))
	}
	golden, err = filepath.Abs("testdata")
	check(err)

	cdkJSON, err := os.ReadFile(filepath.Join(project, "cdk.json"))
	check(err)
	var settings struct{ Context map[string]any }
	check(json.Unmarshal(cdkJSON, &settings))
	// Without this, a finding of cdk-nag would end the run here, and not in its own test.
	settings.Context["@aws-cdk/core:annotationsInValidationReport"] = false

	check(os.Chdir(dir)) // the app runs where dist/ is
	assemblyDir, aloneDir = filepath.Join(dir, "cdk.out"), filepath.Join(dir, "alone")
	newApp := func(outdir string) awscdk.App {
		return awscdk.NewApp(&awscdk.AppProps{Context: &settings.Context, Outdir: &outdir, AnalyticsReporting: jsii.Bool(false), TreeMetadata: jsii.Bool(false)})
	}
	synth := func(outdir string, blogs []props.Blog, services []props.Service) {
		app := newApp(outdir)
		if what == "" {
			awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Verbose: jsii.Bool(true)}), nil)
		}
		for _, given := range blogs {
			NewBlogStack(app, given)
		}
		for _, made := range services {
			NewServiceStack(app, made)
		}
		app.Synth(nil)
	}
	switch what {
	case "":
	case extremes:
		synth(assemblyDir, extremeBlogs, extremeServices)
		return 0
	case calls:
		synthTwoBlogs(newApp(assemblyDir))
		return 0
	default:
		synthVariants(newApp, what)
		return 0
	}
	settings.Context[cdk.JustifyKey] = true // for cdk-nag, and so that tests can compare the templates of these apps
	synth(assemblyDir, fixtures.Blogs, fixtures.Services)
	synth(aloneDir, fixtures.AloneBlogs, nil)
	changedDir = filepath.Join(dir, "changed")
	synth(changedDir, append([]props.Blog{fixtures.LongNamed}, fixtures.ExampleBlogs...), slices.Concat(fixtures.ChangedServices, fixtures.ExampleServices, []props.Service{fixtures.Secretive}))
	platformDir = filepath.Join(dir, "platform")
	maps.Copy(settings.Context, platform)
	synth(platformDir, slices.Concat(fixtures.Blogs, fixtures.ExampleBlogs), slices.Concat(fixtures.Services, fixtures.ExampleServices))

	load := func(dir string, into map[string]*assembly.Template) {
		loaded, err := assembly.Load(dir)
		check(err)
		for _, template := range loaded {
			template.ParameterValues = map[string]string{}
			for name := range template.Parameters {
				template.ParameterValues[name] = "what CloudFormation finds"
			}
			into[template.Name] = template
		}
	}
	load(assemblyDir, templates)
	load(changedDir, changedTemplates)
	check(os.Chdir(project)) // where the evaluator of policies finds node_modules
	return m.Run()
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// template returns the synthesised template of a blog.
func template(t *testing.T, given props.Blog) *assembly.Template {
	t.Helper()
	return stackTemplate(t, contract.StackName(given.Name, contract.StackPipeline))
}

// stackTemplate returns the synthesised template of a stack.
func stackTemplate(t *testing.T, id string) *assembly.Template {
	t.Helper()
	found := templates[id]
	if found == nil {
		t.Fatalf("no template for %s", id)
	}
	return found
}

// only returns the properties of the one resource of a type.
func only(t *testing.T, template *assembly.Template, cfnType string) map[string]any {
	t.Helper()
	found := template.OfType(cfnType)
	if len(found) != 1 {
		t.Fatalf("%s has %d resources of type %s, want 1", template.Name, len(found), cfnType)
	}
	return found[0].Properties
}

// at follows keys and indices into decoded JSON, with intrinsics resolved.
func at(t *testing.T, template *assembly.Template, v any, path ...any) any {
	t.Helper()
	for i, step := range path {
		switch step := step.(type) {
		case string:
			object, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("%v: %v is no object", path[:i+1], v)
			}
			v = object[step]
		case int:
			list, ok := v.([]any)
			if !ok || step >= len(list) {
				t.Fatalf("%v: %v has no such element", path[:i+1], v)
			}
			v = list[step]
		}
	}
	if v == nil {
		return nil
	}
	resolved, err := template.Resolve(v)
	if err != nil {
		t.Fatalf("resolve %v: %v", path, err)
	}
	return resolved
}

// action returns the pipeline's action in the given stage.
func action(t *testing.T, template *assembly.Template, stage int) map[string]any {
	t.Helper()
	found, ok := at(t, template, only(t, template, "AWS::CodePipeline::Pipeline"), "Stages", stage, "Actions", 0).(map[string]any)
	if !ok {
		t.Fatalf("no action in stage %d", stage)
	}
	return found
}

// Positions of the stages.
const (
	stageSource = iota
	stageBuild
	stageDeploy
	stageInvalidate
)

// dependencies returns, for each stack, those that the CDK CLI deploys before it.
func dependencies(t *testing.T) map[string][]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(assemblyDir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Artifacts map[string]struct{ Dependencies []string }
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	after := map[string][]string{}
	for id, artifact := range manifest.Artifacts {
		after[id] = artifact.Dependencies
	}
	return after
}

// equal compares decoded JSON by its text, which sorts maps.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s is %s, want %s", what, g, w)
	}
}
