package stacks

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// The blogs that the tests look at. Between them they set every prop.
var (
	modern = props.Blog{
		Name: "modern",
		Source: props.GitHubConnection{
			Owner: "kzmorita", Repo: "blog", ConnectionARN: connectionARN,
			Trigger: props.Trigger{Paths: []string{"content/**"}, IgnorePaths: []string{"content/drafts/**"}},
		},
		Build:         props.Build{HugoExtended: true, Environment: map[string]string{"HUGO_FLAGS": "--gc"}},
		Deploy:        props.Deploy{Bucket: "kzmorita-blog", CacheControl: "public, max-age=0, must-revalidate"},
		Invalidate:    props.Invalidate{DistributionID: "E2QWRUHAPOMQZL"},
		Notifications: props.Notifications{Emails: []string{"me@blog.dev"}},
	}
	classic = props.Blog{
		Name:       "classic",
		Source:     props.GitHubToken{Owner: "kzmorita", Repo: "blog", Branch: "master", ParameterName: "/blog/github-oauth-token", Trigger: props.TokenTriggerPoll},
		Build:      props.Build{Buildspec: "code-pipeline/buildspec.yml"},
		Deploy:     props.Deploy{Bucket: "kzmorita-blog"},
		Invalidate: props.Invalidate{DistributionID: "E2QWRUHAPOMQZM"},
	}
	// full sets what the two above leave at its default.
	full = props.Blog{
		Name: "full", Account: account, Region: "ap-northeast-1",
		Source: props.GitHubConnection{
			Owner: "kzmorita", Repo: "notes", Branch: "trunk", ConnectionARN: connectionARN, FullClone: true,
			Trigger: props.Trigger{Tags: []string{"v*"}},
		},
		Build: props.Build{
			HugoVersion: "0.150.0", NodeVersion: "22", ComputeType: props.ComputeTypeLarge, Image: "aws/codebuild/amazonlinux-aarch64-standard:3.0",
			Timeout: props.MaxBuildTimeout, LogRetentionDays: 7,
			RootDirectory: "site", AssetScript: "build:css", AfterHugo: "npx pagefind --site public",
		},
		Deploy: props.Deploy{Bucket: "kzmorita-shared", KeyPrefix: "ja/notes", EncryptionKeyARN: "arn:aws:kms:ap-northeast-1:" + account + ":key/" + uuid},
		Invalidate: props.Invalidate{
			DistributionID: "E2QWRUHAPOMQZN", RoleARN: roleARN, Paths: []string{"/ja/notes/*", "#notes"},
			Deadline: time.Hour, OnFailure: props.OnFailureProceed, PollFor: 2 * time.Minute, LogRetentionDays: 14,
		},
		Notifications: props.Notifications{TopicARN: "arn:aws:sns:ap-northeast-1:" + account + ":alerts"},
		ExecutionMode: props.ExecutionModeQueued,
	}
	webhook = props.Blog{
		Name:          "webhook",
		Source:        props.GitHubToken{Owner: "kzmorita", Repo: "blog", SecretName: "github", SecretField: "token", SecretVersion: uuid},
		Build:         props.Build{NoCache: true, Buildspec: "buildspec.yml", Image: "public.ecr.aws/docker/library/node:24"},
		Deploy:        props.Deploy{Bucket: "kzmorita-webhook"},
		Invalidate:    props.Invalidate{DistributionID: "E2QWRUHAPOMQZP"},
		Notifications: props.Notifications{TopicARN: "arn:aws:sns:us-east-1:" + account + ":alerts"}, // in an account not named
		Schedule:      props.Schedule{Expression: "rate(6 hours)"},
		PipelineType:  props.PipelineTypeV1,
	}
)

var blogFixtures = slices.Concat([]props.Blog{modern, classic, full, webhook}, siteFixtures)

// aloneFixtures are also in an app of their own: one blog of each kind.
var aloneFixtures = []props.Blog{modern, complete}

// serviceFixtures are in the tests of each kind of service.
var serviceFixtures = slices.Concat(existingFixtures, fargateFixtures)

const (
	account       = "123456789012"
	uuid          = "01234567-89ab-cdef-0123-456789abcdef"
	connectionARN = "arn:aws:codeconnections:us-east-1:" + account + ":connection/" + uuid
	edgeAccount   = "210987654321"
	roleARN       = "arn:aws:iam::" + edgeAccount + ":role/edge/clear-cache"
)

// templates has one synthesised template for each fixture, by the name of its stack.
var (
	templates   = map[string]*assembly.Template{}
	assemblyDir string
	aloneDir    string // of an app that has aloneFixtures only
	// changedTemplates has the services whose owners have changed their minds, the blog
	// with the longest name, the service with the most secrets, and what still has example
	// values.
	changedTemplates = map[string]*assembly.Template{}
	changedDir       string
	platformDir      string // of all fixtures, as a platform has them
)

// TestMain synthesises all fixtures once, in one app, with the flags of cdk.json and
// cdk-nag looking on. Tests read the JSON, and never start the kernel again.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	what := os.Getenv(synthOnly)
	// CloudFormation's rules are checked by `make synth` and in extremes_test.go, at seconds
	// a run.
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
	// Else a finding of cdk-nag would end the run here, and not in its own test.
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
	cdk.Justifying = true
	synth(assemblyDir, blogFixtures, serviceFixtures)
	cdk.Justifying = false
	synth(aloneDir, aloneFixtures, nil)
	changedDir = filepath.Join(dir, "changed")
	synth(changedDir, append([]props.Blog{longNamed}, exampleBlogs...), slices.Concat(changedFixtures, exampleServices, []props.Service{secretive}))
	platformDir = filepath.Join(dir, "platform")
	maps.Copy(settings.Context, platform)
	synth(platformDir, slices.Concat(blogFixtures, exampleBlogs), slices.Concat(serviceFixtures, exampleServices))

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
