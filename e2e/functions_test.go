package e2e

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/s3"
)

// edges are the distributions that ownServices clear.
var edges = []string{"E2QWRUHAPOMQZL", "E2QWRUHAPOMQZM"}

// TestFunctionsAsDeployed runs the compiled functions as the templates configure them. The templates' roles decide on
// each call that the functions make.
func TestFunctionsAsDeployed(t *testing.T) {
	t.Parallel()
	c := sharedCheckout(t)
	templates, err := assembly.Load(c.synthesised())
	if err != nil {
		t.Fatal(err)
	}
	iam, err := iampolicy.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeIt(t, iam) })
	binaries, dir := map[string]string{}, t.TempDir()
	server, err := s3.Start(t.Context(), s3.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeIt(t, server) })
	// read returns the function of a stack, and for a pipeline that of the action.
	read := func(t *testing.T, stack, action string) deployedFunction {
		t.Helper()
		i := slices.IndexFunc(templates, func(template *assembly.Template) bool { return template.Name == stack })
		if i < 0 {
			t.Fatalf("there is no stack %s", stack)
		}
		f := readFunction(t, templates[i], action)
		f.iam, f.s3 = iam, server
		if binaries[f.pkg] == "" {
			binaries[f.pkg] = filepath.Join(dir, filepath.Base(f.pkg))
			if err := lambdaruntime.Compile(t.Context(), f.pkg, binaries[f.pkg]); err != nil {
				t.Fatal(err)
			}
		}
		f.binary = binaries[f.pkg]
		return f
	}

	for _, name := range []string{"own-pipeline", "example-pipeline", "site-pipeline"} {
		t.Run(name, func(t *testing.T) {
			f := read(t, name, "Invalidate")
			publishes := func(map[string]string) {}
			if name != uploadedPipeline {
				publish := read(t, name, "Publish")
				publish.makeBuckets(t)
				publishes = func(blog map[string]string) {
					if report := publish.publish(t, blog); !report.Success || report.OutputVariables["Put"] == "0" {
						t.Fatalf("as deployed it publishes %+v", report)
					}
				}
				// The role allows one bucket, and no other.
				another := publish
				another.env = maps.Clone(publish.env)
				another.env[contract.EnvSiteBucket] = f.createBucket(t, "another-"+name)
				if report := another.publish(t, map[string]string{"index.html": "x"}); report.FailureType != "PermissionError" || !strings.Contains(report.FailureMessage, "role must allow") {
					t.Errorf("with another bucket it ends as %+v, want a PermissionError that says what to do", report)
				}
			}
			publishes(map[string]string{"index.html": "one", "old/index.html": "x"})
			publishes(map[string]string{"index.html": "two"}) // also removes, and compares with the build before
			params := f.clears(t)
			report := f.runAction(t, params)
			if !report.Success || report.OutputVariables["InvalidationId"] == "" {
				t.Errorf("as deployed it ends as %+v, want an invalidation", report)
			}
			// The role allows one distribution, and no other.
			publishes(map[string]string{"index.html": "three"})
			params.ID = "E3ANOTHERONE000"
			report = f.runAction(t, params)
			if report.FailureType != "PermissionError" || !strings.Contains(report.FailureMessage, "role must allow") {
				t.Errorf("with another distribution it ends as %+v, want a PermissionError that says what to do", report)
			}
		})
	}

	for _, name := range []string{"shop-hook", "api-service"} {
		t.Run(name, func(t *testing.T) {
			f := read(t, name, "")
			hooks := f.appSpecHooks(t, c)
			application, group := "shop", "blue-green"
			if made := f.template.OfType("AWS::CodeDeploy::DeploymentGroup"); len(made) > 0 {
				application = f.resolve(t, made[0].Properties["ApplicationName"]).(string)
				group = f.resolve(t, map[string]any{"Ref": made[0].ID}).(string)
			}
			deploy := func(group string, edges ...string) *fakeaws.Deployment {
				world := f.start(t, edges...)
				deployment, err := world.cloud.StartDeployment(fakeaws.DeploymentInput{Application: application, DeploymentGroup: group, Hooks: hooks, AutoRollback: true})
				if err != nil {
					t.Fatal(err)
				}
				for hook := deployment.Next(); hook != nil; hook = deployment.Next() {
					if _, err := world.function.Invoke(t.Context(), hook.Event()); err != nil {
						t.Fatal(err)
					}
				}
				return deployment
			}
			if got := deploy(group, edges...).Status(); got != "Succeeded" {
				t.Errorf("as deployed it ends as %s", got)
			}
			// One of the distributions does not exist, and the owner wants a rollback then.
			if got := deploy(group, edges[0]); got.Status() != "Failed" || got.Rollback() == nil {
				t.Errorf("without a distribution it ends as %s, want Failed and a rollback", got.Status())
			}
			// The role may report to one deployment group only.
			if got := deploy("another", edges...).Status(); got != "Failed" {
				t.Errorf("another group's deployment ends as %s, want Failed for want of a report", got)
			}
		})
	}

	for _, name := range []string{"news-hook", "docs-service"} {
		t.Run(name, func(t *testing.T) {
			f := read(t, name, "")
			hooks := f.lifecycleHooks(t)
			deploy := func(edges ...string) *fakeaws.ServiceDeployment {
				world := f.start(t, edges...)
				deployment, err := world.cloud.StartServiceDeployment(fakeaws.ServiceDeploymentInput{Cluster: "production", Service: "news", Hooks: hooks})
				if err != nil {
					t.Fatal(err)
				}
				for call := deployment.Next(); call != nil; call = deployment.Next() {
					result, err := world.function.Invoke(t.Context(), call.Event())
					if err != nil {
						t.Fatal(err)
					}
					if err := call.Answer(result.Payload, nil); err != nil {
						t.Fatal(err)
					}
				}
				return deployment
			}
			if got := deploy(edges...).Status(); got != "SUCCESSFUL" {
				t.Errorf("as deployed it ends as %s", got)
			}
			if got := deploy(edges[0]).Status(); got != "ROLLBACK_SUCCESSFUL" {
				t.Errorf("without a distribution it ends as %s, want it rolled back", got)
			}
		})
	}
}

// appSpecHooks returns the hooks in the AppSpec that `make appspec` prints for the template's service.
func (f deployedFunction) appSpecHooks(t *testing.T, c checkout) map[string]string {
	t.Helper()
	service, _, _ := strings.Cut(f.template.Name, "-")
	text, err := c.make("-s appspec SERVICE=" + service)
	if err != nil {
		t.Fatalf("make appspec: %v\n%s", err, text)
	}
	var spec struct {
		Hooks []map[string]string `yaml:"Hooks"`
	}
	if err := yaml.Unmarshal([]byte(text), &spec); err != nil || len(spec.Hooks) == 0 {
		t.Fatalf("%v, want hooks\n%s", err, text)
	}
	hooks := map[string]string{}
	for _, hook := range spec.Hooks {
		for event, function := range hook {
			hooks[event] = function
			if function != f.name {
				t.Errorf("the AppSpec calls %s, want %s, which the stack makes", function, f.name)
			}
		}
	}
	return hooks
}

// lifecycleHooks returns the hooks that ECS calls: those of the service in the template, or those that the template
// has as an output for a service elsewhere.
func (f deployedFunction) lifecycleHooks(t *testing.T) (hooks []fakeaws.ServiceHook) {
	t.Helper()
	text, err := []byte(nil), error(nil)
	if made := f.template.OfType("AWS::ECS::Service"); len(made) > 0 {
		configuration := made[0].Properties["DeploymentConfiguration"].(map[string]any)
		text, err = json.Marshal(f.resolve(t, configuration["LifecycleHooks"]))
	} else {
		text = []byte(f.resolve(t, f.template.Outputs["LifecycleHooks"].Value).(string))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &hooks); err != nil || len(hooks) == 0 {
		t.Fatalf("%v, want hooks\n%s", err, text)
	}
	for _, hook := range hooks {
		if !strings.HasSuffix(hook.HookTargetARN, ":function:"+f.name) {
			t.Errorf("the hook calls %s, want %s, which the stack makes", hook.HookTargetARN, f.name)
		}
	}
	return hooks
}

// deployedFunction is a function as its stack's template describes it.
type deployedFunction struct {
	template *assembly.Template
	name     string // "" if CloudFormation chooses it
	env      map[string]string
	timeout  time.Duration
	role     string
	policies []json.RawMessage
	iam      *iampolicy.Evaluator
	s3       *s3.Server
	params   string // the UserParameters of the pipeline's action
	pkg      string // the Go package of the code
	binary   string // the code, compiled for this machine
}

// readFunction reads a template's function, which is that of an action if the template is a pipeline's.
func readFunction(t *testing.T, template *assembly.Template, actionName string) deployedFunction {
	t.Helper()
	f := deployedFunction{template: template, env: map[string]string{}}
	function := template.OfType("AWS::Lambda::Function")[0]
	if actionName != "" {
		configuration := actionOf(t, template, actionName)
		f.params = f.resolve(t, configuration["UserParameters"]).(string)
		id := configuration["FunctionName"].(map[string]any)["Ref"].(string)
		function = assembly.NamedResource{ID: id, Resource: template.Resources[id]}
	}
	if name, ok := function.Properties["FunctionName"].(string); ok {
		f.name = name
	}
	for name, value := range function.Properties["Environment"].(map[string]any)["Variables"].(map[string]any) {
		f.env[name] = fmt.Sprint(f.resolve(t, value))
	}
	var seconds float64
	if _, err := fmt.Sscan(fmt.Sprint(function.Properties["Timeout"]), &seconds); err != nil {
		t.Fatal(err)
	}
	f.timeout = time.Duration(seconds * float64(time.Second))
	roleID := function.Properties["Role"].(map[string]any)["Fn::GetAtt"].([]any)[0].(string)
	f.role = f.resolve(t, function.Properties["Role"]).(string)
	var err error
	if f.policies, err = template.RolePolicies(roleID); err != nil {
		t.Fatal(err)
	}
	// The deployed file is for Lambda's processor, so the same code is compiled for this machine.
	folder, err := template.FunctionAssetDir(function.ID)
	if err != nil {
		t.Fatal(err)
	}
	if f.pkg, err = lambdaruntime.PackageOf(".", folder); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f deployedFunction) resolve(t *testing.T, v any) any {
	t.Helper()
	resolved, err := f.template.Resolve(v)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// actionOf returns the configuration of a pipeline's action.
func actionOf(t *testing.T, template *assembly.Template, name string) map[string]any {
	t.Helper()
	for _, stage := range template.OfType("AWS::CodePipeline::Pipeline")[0].Properties["Stages"].([]any) {
		for _, action := range stage.(map[string]any)["Actions"].([]any) {
			if action := action.(map[string]any); action["Name"] == name {
				return action["Configuration"].(map[string]any)
			}
		}
	}
	t.Fatalf("the pipeline of %s has no action %s", template.Name, name)
	return nil
}

// clears returns the parameters that the pipeline passes to the function that clears the cache.
func (f deployedFunction) clears(t *testing.T) (params contract.UserParameters) {
	t.Helper()
	if err := json.Unmarshal([]byte(f.params), &params); err != nil {
		t.Fatal(err)
	}
	return params
}

// artifacts returns the name of the bucket in which the pipeline stores artifacts.
func (f deployedFunction) artifacts(t *testing.T) string {
	t.Helper()
	store := f.template.OfType("AWS::CodePipeline::Pipeline")[0].Properties["ArtifactStore"].(map[string]any)
	return f.resolve(t, store["Location"]).(string)
}

func (f deployedFunction) createBucket(t *testing.T, name string) string {
	t.Helper()
	if err := f.s3.CreateBucket(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return name
}

// makeBuckets makes the buckets that the function reads and writes.
func (f deployedFunction) makeBuckets(t *testing.T) {
	t.Helper()
	for _, name := range []string{f.env[contract.EnvSiteBucket], f.env[contract.EnvReleases], f.artifacts(t)} {
		f.createBucket(t, name)
	}
}

// publish runs the action that publishes, with these files as its input.
func (f deployedFunction) publish(t *testing.T, blog map[string]string) fakeaws.Report {
	t.Helper()
	build := zipOf(t, blog)
	input := fakeaws.Artifact{Name: "Site", Bucket: f.artifacts(t), Key: "Site/build"}
	if err := f.s3.PutObject(t.Context(), input.Bucket, s3.Object{Key: input.Key, Size: int64(len(build))}, bytes.NewReader(build)); err != nil {
		t.Fatal(err)
	}
	// What CodePipeline puts in place of the variables of a push.
	variables := regexp.MustCompile(`#\{[A-Za-z]+\.([A-Za-z]+)\}`)
	params := variables.ReplaceAllStringFunc(f.params, func(variable string) string {
		if strings.Contains(variable, contract.VariableAllowDeletions) {
			return contract.AllowDeletionsNo
		}
		return "v-1"
	})
	return f.run(t, fakeaws.Action{UserParameters: params, Input: input})
}

// zipOf returns an archive of files.
func zipOf(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for name, content := range files {
		file, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(file, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	closeIt(t, w)
	return archive.Bytes()
}

// world is a function in an AWS account in which its role decides on each call.
type world struct {
	cloud    *fakeaws.Cloud
	function *lambdaruntime.Runtime
}

// start starts the function in an account that has these distributions.
func (f deployedFunction) start(t *testing.T, distributions ...string) world {
	t.Helper()
	w := world{cloud: fakeaws.New(fakeaws.Options{Account: f.template.Account, Region: f.template.Region, S3: f.s3.Unsigned(), Authorize: func(call fakeaws.Call) error {
		decisions, err := f.iam.Evaluate(t.Context(), f.policies, []iampolicy.Request{{Principal: f.role, Action: call.Action, Resource: call.Resource, Context: call.Context}})
		if err != nil {
			t.Error(err) // Otherwise a broken evaluator would look like a strict role.
			return err
		}
		if !decisions[0].Allowed {
			return errors.New(decisions[0].Reason)
		}
		return nil
	}})}
	for _, id := range distributions {
		w.cloud.AddDistribution(fakeaws.Distribution{ID: id, CompleteAfterGets: 1})
	}
	server := httptest.NewServer(w.cloud)
	t.Cleanup(server.Close)

	env := maps.Clone(f.env)
	maps.Copy(env, w.cloud.Issue(f.role, time.Hour).Env())
	env["AWS_ENDPOINT_URL"], env["AWS_REGION"], env[contract.EnvPollEvery] = server.URL, f.template.Region, "50ms"
	var err error
	w.function, err = lambdaruntime.Start(lambdaruntime.Function{Binary: f.binary, Name: "function", Env: env, Timeout: f.timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeIt(t, w.function) })
	return w
}

// runAction runs the action that clears the cache with these parameters. The distribution that they name exists.
func (f deployedFunction) runAction(t *testing.T, params contract.UserParameters) fakeaws.Report {
	t.Helper()
	return f.run(t, fakeaws.Action{UserParameters: contract.JSON(params)}, params.ID)
}

// run runs an action in an account that has these distributions.
func (f deployedFunction) run(t *testing.T, action fakeaws.Action, distributions ...string) fakeaws.Report {
	t.Helper()
	w := f.start(t, distributions...)
	action.FunctionName = "function"
	job, err := w.cloud.StartAction(action)
	if err != nil {
		t.Fatal(err)
	}
	result, err := w.function.Invoke(t.Context(), job.Event())
	if err != nil || result.Err != nil {
		t.Fatalf("invoke: %v %v\n%s", err, result.Err, w.function.Logs())
	}
	reports := job.Reports()
	if len(reports) != 1 || reports[0].ContinuationToken != "" {
		t.Fatalf("reports are %+v, want one that is final\n%s", reports, w.function.Logs())
	}
	return reports[0]
}

// closeIt fails the test if closing fails, as it does when a child process ends badly.
func closeIt(t testing.TB, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestFunctionsAreWhatLambdaRuns checks the files that are uploaded to Lambda.
func TestFunctionsAreWhatLambdaRuns(t *testing.T) {
	for _, name := range []string{"publish", "invalidate", "deployhook"} {
		deployed := filepath.Join("dist", name, "bootstrap")
		file, err := elf.Open(deployed)
		if err != nil {
			t.Fatalf("%v; run `make build`", err)
		}
		defer closeIt(t, file)
		if file.Machine != elf.EM_AARCH64 {
			t.Errorf("%s is for %v, want arm64", name, file.Machine)
		}
		if _, zipped := sizes(t, deployed); zipped > 4_000_000 {
			t.Errorf("%s is %d bytes zipped, want at most 4 MB", name, zipped)
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "lambda.norpc", "./lambdas/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.FieldsSeq(string(out)) {
		for _, needless := range []string{"aws-sdk-go-v2/config", "aws-sdk-go-v2/service/sso", "aws-cdk-go", "jsii-runtime-go", "net/rpc", "blog-deploy-pipeline/stacks", "blog-deploy-pipeline/rehearse"} {
			if strings.Contains(pkg, needless) {
				t.Errorf("a function links %s, which it does not need", pkg)
			}
		}
	}
}
