package stacks

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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

var (
	// root is the folder of the whole project.
	root string
	// work is the folder that the tests run in, and that has the apps' templates.
	work string
)

// synthesised is an app that has been synthesised.
type synthesised struct {
	dir       string
	templates map[string]*assembly.Template // by the names of their stacks
}

// justified has the constructs justify themselves: for cdk-nag, and so that tests can compare templates.
var justified = map[string]any{cdk.JustifyKey: true}

// These apps are synthesised when a test first reads them.
var (
	// allApp has all fixtures, and is checked by cdk-nag.
	allApp = sync.OnceValue(func() synthesised {
		app := newApp("all", justified)
		awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Verbose: jsii.Bool(true)}), nil)
		return synth(app, fixtures.Blogs, fixtures.Services)
	})
	// aloneApp has blogs of allApp without the others.
	aloneApp = sync.OnceValue(func() synthesised {
		return synth(newApp("alone", justified), fixtures.AloneBlogs, nil)
	})
	// changedApp has services of allApp after a change, the blog with the longest name, the service with the
	// most secrets, and what still has example values.
	changedApp = sync.OnceValue(func() synthesised {
		return synth(newApp("changed", justified), append([]props.Blog{fixtures.LongNamed}, fixtures.ExampleBlogs...),
			slices.Concat(fixtures.ChangedServices, fixtures.ExampleServices, []props.Service{fixtures.Secretive}))
	})
	// platformApp has all fixtures as a platform has them.
	platformApp = sync.OnceValue(func() synthesised {
		return synth(newApp("platform", union(justified, platform)),
			slices.Concat(fixtures.Blogs, fixtures.ExampleBlogs), slices.Concat(fixtures.Services, fixtures.ExampleServices))
	})
)

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

	var err error
	root, err = filepath.Abs("..")
	check(err)
	work, err = os.MkdirTemp("", "stacks")
	check(err)
	defer os.RemoveAll(work)
	for _, binary := range []string{"publish", "invalidate", "deployhook"} {
		folder := filepath.Join(work, "dist", binary)
		check(os.MkdirAll(folder, 0o755))
		check(os.WriteFile(filepath.Join(folder, "bootstrap"), []byte("stands for the binary"), 0o755))
	}
	check(os.Symlink(filepath.Join(root, "node_modules"), filepath.Join(work, "node_modules")))
	check(os.Chdir(work)) // An app runs where dist/ is, and the evaluator of policies where node_modules/ is.

	switch what {
	case "":
		return m.Run()
	case extremes:
		app := newApp("extremes", nil)
		addStacks(app, extremeBlogs, extremeServices)
		app.Synth(nil)
	case calls:
		synthTwoBlogs(newApp("calls", nil))
	default:
		synthVariants(what)
	}
	return 0
}

// newApp returns an app with the flags of cdk.json, and with more in its context. Its templates are in a
// folder below work, or in the one that is named by an absolute path.
func newApp(folder string, context map[string]any) awscdk.App {
	text, err := os.ReadFile(filepath.Join(root, "cdk.json"))
	check(err)
	var settings struct{ Context map[string]any }
	check(json.Unmarshal(text, &settings))
	// Without this, a finding of cdk-nag would end the run here, and not in its own test.
	settings.Context["@aws-cdk/core:annotationsInValidationReport"] = false
	maps.Copy(settings.Context, context)
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(work, folder)
	}
	return awscdk.NewApp(&awscdk.AppProps{Context: &settings.Context, Outdir: &folder, AnalyticsReporting: jsii.Bool(false), TreeMetadata: jsii.Bool(false)})
}

func addStacks(app awscdk.App, blogs []props.Blog, services []props.Service) {
	for _, given := range blogs {
		NewBlogStack(app, given)
	}
	for _, given := range services {
		NewServiceStack(app, given)
	}
}

// synth adds stacks to an app, and synthesises it.
func synth(app awscdk.App, blogs []props.Blog, services []props.Service) synthesised {
	addStacks(app, blogs, services)
	made := synthesised{*app.Synth(nil).Directory(), map[string]*assembly.Template{}}
	loaded, err := assembly.Load(made.dir)
	check(err)
	for _, template := range loaded {
		template.ParameterValues = map[string]string{}
		for name := range template.Parameters {
			template.ParameterValues[name] = "what CloudFormation finds"
		}
		made.templates[template.Name] = template
	}
	return made
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
	found := allApp().templates[id]
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

// named returns the resource of a type whose logical id begins with start.
func named(t *testing.T, template *assembly.Template, cfnType, start string) assembly.NamedResource {
	t.Helper()
	for _, resource := range template.OfType(cfnType) {
		if strings.HasPrefix(resource.ID, start) {
			return resource
		}
	}
	t.Fatalf("%s has no %s of type %s", template.Name, start, cfnType)
	return assembly.NamedResource{}
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
	raw, err := os.ReadFile(filepath.Join(allApp().dir, "manifest.json"))
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
