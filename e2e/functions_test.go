package e2e

import (
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
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
	read := func(t *testing.T, stack string) deployedFunction {
		t.Helper()
		i := slices.IndexFunc(templates, func(template *assembly.Template) bool { return template.Name == stack })
		if i < 0 {
			t.Fatalf("there is no stack %s", stack)
		}
		f := readFunction(t, templates[i])
		f.iam = iam
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
			f := read(t, name)
			params := f.userParameters(t)
			report := f.runAction(t, params)
			if !report.Success {
				t.Errorf("as deployed it ends as %s: %s", report.FailureType, report.FailureMessage)
			}
			// The role allows one distribution, and no other.
			params.ID = "E3ANOTHERONE000"
			report = f.runAction(t, params)
			if report.FailureType != "PermissionError" || !strings.Contains(report.FailureMessage, "role must allow") {
				t.Errorf("with another distribution it ends as %+v, want a PermissionError that says what to do", report)
			}
		})
	}

	for _, name := range []string{"shop-hook", "api-service"} {
		t.Run(name, func(t *testing.T) {
			f := read(t, name)
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
			f := read(t, name)
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
	pkg      string // the Go package of the code
	binary   string // the code, compiled for this machine
}

func readFunction(t *testing.T, template *assembly.Template) deployedFunction {
	t.Helper()
	f := deployedFunction{template: template, env: map[string]string{}}
	function := template.OfType("AWS::Lambda::Function")[0]
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

// userParameters returns the parameters that the pipeline's last action passes to the function.
func (f deployedFunction) userParameters(t *testing.T) contract.UserParameters {
	t.Helper()
	stages := f.template.OfType("AWS::CodePipeline::Pipeline")[0].Properties["Stages"].([]any)
	action := stages[len(stages)-1].(map[string]any)["Actions"].([]any)[0].(map[string]any)
	text := f.resolve(t, action["Configuration"].(map[string]any)["UserParameters"]).(string)
	var params contract.UserParameters
	if err := json.Unmarshal([]byte(text), &params); err != nil {
		t.Fatal(err)
	}
	return params
}

// world is a function in an AWS account in which its role decides on each call.
type world struct {
	cloud    *fakeaws.Cloud
	function *lambdaruntime.Runtime
}

// start starts the function in an account that has these distributions.
func (f deployedFunction) start(t *testing.T, distributions ...string) world {
	t.Helper()
	w := world{cloud: fakeaws.New(fakeaws.Options{Account: f.template.Account, Region: f.template.Region, Authorize: func(call fakeaws.Call) error {
		decisions, err := f.iam.Evaluate(t.Context(), f.policies, []iampolicy.Request{{Principal: f.role, Action: call.Action, Resource: call.Resource}})
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

// runAction runs the pipeline's last action with these parameters. The distribution that they name exists.
func (f deployedFunction) runAction(t *testing.T, params contract.UserParameters) fakeaws.Report {
	t.Helper()
	w := f.start(t, params.ID)
	job, err := w.cloud.StartAction(fakeaws.Action{FunctionName: "function", UserParameters: contract.JSON(params)})
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
