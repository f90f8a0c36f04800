package main

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/stacks"
)

// These tests use the project as its owner does: make, the real CDK CLI, the
// compiled app and functions. They hold whatever blogs.go says.

// checkout is a copy of this project in a folder of its own, which shares what was
// installed. Its path has a space, as users' paths do.
type checkout struct {
	t   testing.TB
	dir string
}

func newCheckout(t testing.TB) checkout {
	t.Helper()
	if _, err := os.Stat("node_modules/.package-lock.json"); err != nil {
		t.Fatalf("the CDK CLI is not installed: %v; run `make build`", err)
	}
	dir := filepath.Join(t.TempDir(), "a checkout")
	for name := range strings.FieldsSeq("go.mod go.sum main.go context.go blogs.go stacks lambdas buildspec appspec Makefile cdk.json package.json package-lock.json") {
		copyTree(t, name, filepath.Join(dir, name))
	}
	installed, err := filepath.Abs("node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(installed, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return checkout{t, dir}
}

// copyTree keeps times, by which make knows what is up to date.
func copyTree(t testing.TB, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, content, 0o644); err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return os.Chtimes(target, info.ModTime(), info.ModTime())
	})
	if err != nil {
		t.Fatalf("copy %s: %v", from, err)
	}
}

// make runs a make target and returns all that it printed. CloudFormation's rules
// are checked only where env says so: they take seconds.
func (c checkout) make(target string, env ...string) (string, error) {
	c.t.Helper()
	return c.run(append([]string{"CDK_VALIDATION=false"}, env...), "make", strings.Fields(target)...)
}

// run runs a command in the checkout.
func (c checkout) run(env []string, name string, args ...string) (string, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = c.dir
	// Not this process's make, and no credentials that a developer may have.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS") || strings.HasPrefix(v, "AWS_")
	})
	cmd.Env = append(cmd.Env, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	cmd.Env = append(cmd.Env, env...)
	// What the command started may outlive it, and keep its output open.
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// blogs replaces the checkout's list of blogs; it has no services then.
func (c checkout) blogs(literal string) { c.lists(literal, "") }

// lists replaces the checkout's blogs and services.
func (c checkout) lists(blogs, services string) {
	c.t.Helper()
	text := "package main\n\nimport \"blog-deploy-pipeline/stacks\"\n\nvar blogs = []stacks.BlogProps{" + blogs + "}\n\nvar services = []stacks.Service{" + services + "}\n"
	if err := os.WriteFile(filepath.Join(c.dir, "blogs.go"), []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// stackIDs names the stacks of blogs.go.
func stackIDs() []string {
	var ids []string
	for _, blog := range blogs {
		ids = append(ids, stacks.BlogStackID(blog.Name))
	}
	for _, service := range services {
		ids = append(ids, stacks.ServiceStackID(service))
	}
	return ids
}

// TestCheckoutsAgree: two machines must make the same templates and the same asset
// hashes, or every deployment from another one would change something.
func TestCheckoutsAgree(t *testing.T) {
	var outputs []map[string][]byte
	for range 2 {
		c := newCheckout(t)
		if out, err := c.make("synth"); err != nil {
			t.Fatalf("make synth: %v\n%s", err, out)
		}
		files := map[string][]byte{}
		dir := filepath.Join(c.dir, "cdk.out")
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			if strings.HasSuffix(rel, ".template.json") || strings.HasSuffix(rel, ".assets.json") || strings.HasPrefix(rel, "asset.") {
				files[rel], err = os.ReadFile(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, files)
	}
	functions := min(len(blogs), 1) + min(len(services), 1)
	if want := 2*len(stackIDs()) + functions; len(outputs[0]) != want {
		t.Errorf("made %d files, want %d: two for each stack, and the %d functions", len(outputs[0]), want, functions)
	}
	for name, content := range outputs[0] {
		if !bytes.Equal(content, outputs[1][name]) {
			t.Errorf("%s differs between two checkouts", name)
		}
	}
}

// TestSynthIsTheCLIs: `make synth` starts the app itself, for speed. It must make
// what `cdk deploy` deploys.
func TestSynthIsTheCLIs(t *testing.T) {
	c := newCheckout(t)
	if out, err := c.make("synth"); err != nil {
		t.Fatalf("make synth: %v\n%s", err, out)
	}
	if out, err := c.run([]string{"CDK_VALIDATION=false"}, "node_modules/.bin/cdk", "synth", "--quiet", "--output", "by-cli"); err != nil {
		t.Fatalf("cdk synth: %v\n%s", err, out)
	}
	for _, id := range stackIDs() {
		name := id + ".template.json"
		ours, err := os.ReadFile(filepath.Join(c.dir, "cdk.out", name))
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := os.ReadFile(filepath.Join(c.dir, "by-cli", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours, theirs) {
			t.Errorf("%s: make synth and cdk synth differ", name)
		}
	}
}

// TestSynthAgainCompilesNothing takes the compiler away after the first synth.
func TestSynthAgainCompilesNothing(t *testing.T) {
	c := newCheckout(t)
	if out, err := c.make("synth"); err != nil {
		t.Fatalf("make synth: %v\n%s", err, out)
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "go"), []byte("#!/bin/sh\necho \"the compiler ran: go $*\" >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(c.dir, "cdk.out")); err != nil {
		t.Fatal(err)
	}
	if out, err := c.make("synth", "PATH="+broken+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		t.Errorf("make synth with nothing changed: %v\n%s", err, out)
	}
	// And back: a change must reach the template.
	c.blogs(exampleBlog)
	if out, err := c.make("synth"); err != nil || !strings.Contains(out, "Compiling the app") {
		t.Errorf("make synth with a changed blogs.go: %v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(c.dir, "cdk.out", "example-pipeline.template.json")); err != nil {
		t.Error(err)
	}
}

// ownBlog is a blog as an owner would have it, in an account and region of its own.
const ownBlog = `{
	Name:          "own", Account: "210987654321", Region: "eu-central-1",
	Source:        stacks.GitHubToken{Owner: "me", Repo: "blog", SecretName: "github"},
	Deploy:        stacks.Deploy{Bucket: "my-bucket"},
	Invalidate:    stacks.Invalidate{DistributionID: "E2QWRUHAPOMQZL"},
}`

const exampleBlog = `{
	Name:       "example",
	Source:     stacks.GitHubToken{Owner: "example", Repo: "blog", SecretName: "github"},
	Deploy:     stacks.Deploy{Bucket: "amzn-s3-demo-bucket"},
	Invalidate: stacks.Invalidate{DistributionID: "EDFDVBD6EXAMPLE"},
}`

func TestDeployRefusesExampleValues(t *testing.T) {
	c := newCheckout(t)
	c.blogs(exampleBlog)
	out, err := c.make("deploy BLOG=example")
	if err == nil {
		t.Fatal("make deploy of example values: no error")
	}
	for _, want := range []string{`blog "example" still has example values and cannot be deployed: Source.Owner, Deploy.Bucket, Invalidate.DistributionID`, "Put your own into blogs.go", "not deployed"} {
		if !strings.Contains(out, want) {
			t.Errorf("make deploy printed\n%s\nwant %q in it", out, want)
		}
	}
	if strings.Contains(out, "credentials") {
		t.Errorf("it got as far as AWS:\n%s", out)
	}
	for _, tt := range []struct{ target, want string }{
		{"deploy", "which blog or service? make deploy BLOG=name or SERVICE=name"},
		{"destroy", "which blog or service? make destroy BLOG=name or SERVICE=name"},
		{"deploy BLOG=nope", `no blog "nope" in blogs.go; there are: example`},
		{"destroy BLOG=nope", `no blog "nope" in blogs.go; there are: example`},
		{"destroy BLOG=*", `no blog "*" in blogs.go`},
		{"diff BLOG=example-pipeline", `no blog "example-pipeline" in blogs.go`},
		{"deploy SERVICE=example", `no service "example" in blogs.go; there are: none`},
	} {
		if out, err := c.make(tt.target); err == nil || !strings.Contains(out, tt.want) {
			t.Errorf("make %s: %v\n%s\nwant %q in it", tt.target, err, out, tt.want)
		}
	}
}

// Two services: CodeDeploy deploys one, ECS the other.
const exampleServices = `
	stacks.ExistingService{
		Name:       "shop",
		DeployedBy: stacks.CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: "web", Port: 80},
		Hook:       stacks.Hook{Distributions: []stacks.Distribution{{ID: "EDFDVBD6EXAMPLE"}}},
	},
	stacks.ExistingService{
		Name:       "news",
		DeployedBy: stacks.ECSService{Cluster: "c", Service: "s"},
		Hook:       stacks.Hook{Distributions: []stacks.Distribution{{ID: "E2QWRUHAPOMQZL"}}},
	},
`

func TestMakeOfServices(t *testing.T) {
	c := newCheckout(t)
	c.lists(exampleBlog, exampleServices)
	// On standard output there is the file, and nothing else.
	out, err := c.run(nil, "sh", "-c", "make appspec SERVICE=shop 2>/dev/null")
	if err != nil || !strings.HasPrefix(out, "version: 0.0\n") || !strings.HasSuffix(out, "- AfterAllowTraffic: \"CodeDeployHook_shop\"\n") {
		t.Errorf("make appspec: %v\n%s", err, out)
	}
	for _, tt := range []struct{ target, want string }{
		{"appspec", "which service? make appspec SERVICE=name"},
		{"appspec SERVICE=nope", `no service "nope" in blogs.go; there are: shop, news`},
		{"appspec SERVICE=example", `blog "example" has no AppSpec, only services have; there are: shop, news`},
		{"appspec SERVICE=news", `service "news" is deployed by ECS itself, which takes no AppSpec: the output LifecycleHooks of the stack news-hook`},
		{"deploy BLOG=example SERVICE=shop", "BLOG=example and SERVICE=shop: name one of them"},
		{"destroy BLOG=example SERVICE=shop", "name one of them"},
		{"diff BLOG=example SERVICE=shop", "name one of them"},
		{"deploy SERVICE=nope", `no service "nope" in blogs.go; there are: news shop`},
		{"destroy SERVICE=example", `no service "example" in blogs.go; there are: news shop`},
		{"destroy SERVICE=*", `no service "*" in blogs.go`},
		{"diff SERVICE=shop-hook", `no service "shop-hook" in blogs.go`},
		{"diff BLOG=shop", `no blog "shop" in blogs.go; there are: example`},
		{"deploy SERVICE=shop", `service "shop" still has example values and cannot be deployed: Hook.Distributions[0].ID`},
		{"deploy SERVICE=news APPROVAL=never", "Unable to resolve AWS account"},
	} {
		if out, err := c.make(tt.target); err == nil || !strings.Contains(out, tt.want) {
			t.Errorf("make %s: %v\n%s\nwant %q in it", tt.target, err, out, tt.want)
		}
	}
}

// A blog that is ready gets as far as AWS, and asks for credentials.
func TestDeployOfAnOwnBlogAsksForCredentials(t *testing.T) {
	c := newCheckout(t)
	c.blogs(ownBlog)
	out, err := c.make("deploy BLOG=own APPROVAL=never")
	if err == nil || !strings.Contains(out, "no credentials") && !strings.Contains(out, "Unable to resolve AWS account") {
		t.Errorf("make deploy without credentials: %v\n%s\nwant it to say so", err, out)
	}
}

func TestSynthReportsEveryProblemAndMakesNothing(t *testing.T) {
	c := newCheckout(t)
	c.blogs("")
	if out, err := c.make("synth"); err == nil || !strings.Contains(out, "blogs.go lists no blog and no service") {
		t.Errorf("make synth of no blogs: %v\n%s", err, out)
	}
	c.blogs(`{Name: "one", Source: stacks.GitHubToken{Owner: "", Repo: "r", SecretName: "s"}, Deploy: stacks.Deploy{Bucket: "X"}, Invalidate: stacks.Invalidate{DistributionID: "E2QWRUHAPOMQZL"}},
		{Name: "one", Deploy: stacks.Deploy{Bucket: "good-bucket"}, Invalidate: stacks.Invalidate{DistributionID: "E2QWRUHAPOMQZL", Paths: []string{"a"}}}`)
	out, err := c.make("synth")
	if err == nil {
		t.Fatal("make synth with bad props: no error")
	}
	for _, want := range []string{`blog "one": Source.Owner is "": must be`, `Deploy.Bucket is "X"`, `Source is`, `Invalidate.Paths[0] is "a": must start with /`, "another blog has this name"} {
		if !strings.Contains(out, want) {
			t.Errorf("make synth printed\n%s\nwant %q in it", out, want)
		}
	}
	if strings.Contains(out, "goroutine") {
		t.Errorf("the owner sees a stack trace:\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(c.dir, "cdk.out", "manifest.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a cloud assembly: %v", err)
	}
}

// TestFunctionAndStackFit runs the compiled function as the synthesised template
// configures it, and lets the synthesised role decide every call that it makes.
func TestFunctionAndStackFit(t *testing.T) {
	c := newCheckout(t)
	c.blogs(ownBlog + ", " + exampleBlog)
	if out, err := c.make("synth", "CDK_VALIDATION=true"); err != nil {
		t.Fatalf("make synth: %v\n%s", err, out)
	}
	templates, err := assembly.Load(filepath.Join(c.dir, "cdk.out"))
	if err != nil {
		t.Fatal(err)
	}
	if len(templates) != 2 {
		t.Fatalf("%d templates for 2 blogs", len(templates))
	}
	binary := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-o", binary, "./lambdas/invalidate")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("compile the function: %v\n%s", err, out)
	}

	for _, template := range templates {
		t.Run(template.Name, func(t *testing.T) {
			f := readFunction(t, template)
			report := f.invoke(t, binary, f.distribution)
			if !report.Success {
				t.Errorf("as deployed it ends as %s: %s", report.FailureType, report.FailureMessage)
			}
			// The role names one distribution: for any other it is worth nothing.
			report = f.invoke(t, binary, "E3ANOTHERONE000")
			if report.FailureType != "PermissionError" || !strings.Contains(report.FailureMessage, "role must allow") {
				t.Errorf("with another distribution it ends as %+v, want a PermissionError that says what to do", report)
			}
		})
	}
}

// deployedFunction is the Invalidate stage as a template describes it.
type deployedFunction struct {
	env          map[string]string
	timeout      time.Duration
	params       map[string]any
	distribution string
	account      string
	role         string
	policies     []json.RawMessage
}

func readFunction(t *testing.T, template *assembly.Template) deployedFunction {
	t.Helper()
	resolve := func(v any) any {
		resolved, err := template.Resolve(v)
		if err != nil {
			t.Fatal(err)
		}
		return resolved
	}
	function := template.OfType("AWS::Lambda::Function")[0]
	f := deployedFunction{env: map[string]string{}, account: template.Account}
	for name, value := range function.Properties["Environment"].(map[string]any)["Variables"].(map[string]any) {
		f.env[name] = fmt.Sprint(resolve(value))
	}
	var seconds float64
	if _, err := fmt.Sscan(fmt.Sprint(function.Properties["Timeout"]), &seconds); err != nil {
		t.Fatal(err)
	}
	f.timeout = time.Duration(seconds * float64(time.Second))
	roleID := function.Properties["Role"].(map[string]any)["Fn::GetAtt"].([]any)[0].(string)
	f.role = resolve(function.Properties["Role"]).(string)
	var err error
	if f.policies, err = template.RolePolicies(roleID); err != nil {
		t.Fatal(err)
	}
	stages := template.OfType("AWS::CodePipeline::Pipeline")[0].Properties["Stages"].([]any)
	action := stages[len(stages)-1].(map[string]any)["Actions"].([]any)[0].(map[string]any)
	text := resolve(action["Configuration"].(map[string]any)["UserParameters"]).(string)
	if err := json.Unmarshal([]byte(text), &f.params); err != nil {
		t.Fatal(err)
	}
	f.distribution = f.params["DistributionId"].(string)
	return f
}

// invoke runs the action for a distribution, which exists.
func (f deployedFunction) invoke(t *testing.T, binary, distribution string) fakeaws.Report {
	t.Helper()
	iam, err := iampolicy.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closeIt(t, iam)
	cloud := fakeaws.New(fakeaws.Options{Account: f.account, Authorize: func(call fakeaws.Call) error {
		decisions, err := iam.Evaluate(t.Context(), f.policies, []iampolicy.Request{{Principal: f.role, Action: call.Action, Resource: call.Resource}})
		if err != nil {
			t.Error(err) // else a broken evaluator would look like a strict role
			return err
		}
		if !decisions[0].Allowed {
			return errors.New(decisions[0].Reason)
		}
		return nil
	}})
	cloud.AddDistribution(fakeaws.Distribution{ID: distribution, CompleteAfterGets: 1})
	server := httptest.NewServer(cloud)
	defer server.Close()

	f.env["AWS_ENDPOINT_URL"] = server.URL
	function, err := lambdaruntime.Start(lambdaruntime.Function{Binary: binary, Name: "invalidate", Env: f.env, Timeout: f.timeout})
	if err != nil {
		t.Fatal(err)
	}
	defer closeIt(t, function)
	f.params["DistributionId"] = distribution
	params, err := json.Marshal(f.params)
	if err != nil {
		t.Fatal(err)
	}
	job, err := cloud.StartAction(fakeaws.Action{FunctionName: "invalidate", UserParameters: string(params)})
	if err != nil {
		t.Fatal(err)
	}
	result, err := function.Invoke(t.Context(), job.Event())
	if err != nil || result.Err != nil {
		t.Fatalf("invoke: %v %v\n%s", err, result.Err, function.Logs())
	}
	reports := job.Reports()
	if len(reports) != 1 || reports[0].ContinuationToken != "" {
		t.Fatalf("reports are %+v, want one that is final\n%s", reports, function.Logs())
	}
	return reports[0]
}

// closeIt fails a test whose children do not end as they should.
func closeIt(t testing.TB, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestBlogsAreValid(t *testing.T) {
	if err := stacks.Validate(blogs, services); err != nil {
		t.Error(err)
	}
}

// TestFunctionIsWhatLambdaRuns looks at the file that is uploaded.
func TestFunctionIsWhatLambdaRuns(t *testing.T) {
	const deployed = "dist/invalidate/bootstrap"
	file, err := elf.Open(deployed)
	if err != nil {
		t.Fatalf("%v; run `make build`", err)
	}
	defer closeIt(t, file)
	if file.Machine != elf.EM_AARCH64 {
		t.Errorf("it is for %v, want arm64", file.Machine)
	}
	if _, zipped := sizes(t, deployed); zipped > 3_500_000 {
		t.Errorf("it is %d bytes zipped, want at most 3.5 MB", zipped)
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "lambda.norpc", "./lambdas/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.FieldsSeq(string(out)) {
		for _, needless := range []string{"aws-sdk-go-v2/config", "aws-sdk-go-v2/service/sso", "aws-cdk-go", "jsii-runtime-go", "net/rpc", "blog-deploy-pipeline/stacks", "blog-deploy-pipeline/rehearse"} {
			if strings.Contains(pkg, needless) {
				t.Errorf("it links %s, which it does not need", pkg)
			}
		}
	}
}
