package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/rehearse/fakeaws"
)

const execution = "11111111-abcd-1111-abcd-111111abcdef"

// account returns an AWS account with the pipeline my-blog, and points the credentials of this process to it.
func account(t *testing.T, opts fakeaws.Options) *fakeaws.Cloud {
	t.Helper()
	cloud := fakeaws.New(opts)
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	stages := []fakeaws.PipelineStage{{Name: "Source", Actions: []fakeaws.PipelineAction{{Name: "Source"}}}, {Name: "Build", Actions: []fakeaws.PipelineAction{{Name: "Build"}}}}
	if err := cloud.AddPipeline(fakeaws.Pipeline{Name: "my-blog", Stages: stages}); err != nil {
		t.Fatal(err)
	}
	set(t, cloud, "InProgress", longAgo)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	use(t, cloud.Issue("arn:aws:iam::123456789012:user/me", time.Hour))
	t.Setenv("AWS_REGION", "")
	return cloud
}

// use makes this process have the credentials and no other ones.
func use(t *testing.T, key fakeaws.Credentials) {
	t.Helper()
	for name, value := range key.Env() {
		t.Setenv(name, value)
	}
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, "none")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_PROFILE", "")
}

// profile makes this process use a profile of a configuration.
func profile(t *testing.T, settings string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = none\n[profile mine]\n"+settings), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", file)
	t.Setenv("AWS_PROFILE", "mine")
}

// longAgo is worded in the same way by a slow machine.
const longAgo = 90 * time.Minute

// set sets the pipeline's execution.
func set(t *testing.T, cloud *fakeaws.Cloud, status string, ago time.Duration) {
	t.Helper()
	began := time.Now().Add(-ago)
	err := cloud.SetExecution("my-blog", fakeaws.Execution{
		ID: execution, Status: status, Started: began, Actions: []fakeaws.ActionExecution{{Stage: "Source", Action: "Source", Status: "Succeeded", Started: began}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// deployed adds the services shop, which exists and was deployed, and api, which has a pipeline and was not.
func deployed(t *testing.T, cloud *fakeaws.Cloud) {
	t.Helper()
	if _, err := cloud.StartDeployment(fakeaws.DeploymentInput{Application: "shop", DeploymentGroup: "blue-green"}); err != nil {
		t.Fatal(err)
	}
	if err := cloud.AddService("production", "api"); err != nil {
		t.Fatal(err)
	}
	variables := fmt.Sprintf(`[{"name":%q,"value":"production"},{"name":%q,"value":"api"}]`, buildspec.EnvCluster, buildspec.EnvService)
	stages := []fakeaws.PipelineStage{
		{Name: "Source", Actions: []fakeaws.PipelineAction{{Name: "Source"}}},
		{Name: "Deploy", Actions: []fakeaws.PipelineAction{{Name: "ECS", Configuration: map[string]string{"EnvironmentVariables": variables}}}},
	}
	if err := cloud.AddPipeline(fakeaws.Pipeline{Name: "api", Stages: stages}); err != nil {
		t.Fatal(err)
	}
}

// The services, as dist/app prints them.
const (
	shop = `{"Name":"shop","Region":"us-east-1","Service":{"Application":"shop","DeploymentGroup":"blue-green","Events":["AfterAllowTraffic"]}}`
	api  = `{"Name":"api","Region":"us-east-1","Service":{"Events":["POST_PRODUCTION_TRAFFIC_SHIFT"]}}`
)

const mine = `[{"Name":"my-blog","Region":"us-east-1"}]`

func TestRun(t *testing.T) {
	denied := func(c fakeaws.Call) error {
		if c.Action == "codepipeline:ListPipelineExecutions" {
			return errors.New("no identity-based policy allows the codepipeline:ListPipelineExecutions action")
		}
		return nil
	}
	deniedDeployments := func(c fakeaws.Call) error {
		if c.Action == "codedeploy:BatchGetDeploymentTargets" {
			return errors.New("no identity-based policy allows it")
		}
		return nil
	}
	throttledOnce := func(c fakeaws.Call) fakeaws.Fault {
		if c.N == 1 {
			return fakeaws.Fault{Kind: fakeaws.Throttle}
		}
		return fakeaws.Fault{}
	}
	tests := []struct {
		name       string
		opts       fakeaws.Options
		before     func(*testing.T, *fakeaws.Cloud)
		args       []string
		status     int
		out, wrong string // in stdout and stderr
	}{
		{name: "one", args: []string{"status", "-pipelines", mine}, out: "my-blog  us-east-1\n  Source      succeeded 1 h ago\n  Build       not run yet\n  Running     execution 11111111, for 1 h\n"},
		{name: "throttled once", opts: fakeaws.Options{Fault: throttledOnce}, args: []string{"status", "-pipelines", mine}, out: "Running"},
		{name: "one of two", args: []string{"status", "-pipelines", `[{"Name":"other","Region":"us-east-1"},{"Name":"my-blog","Region":"us-east-1"}]`}, status: exitFailed,
			out: "other  us-east-1\nmy-blog  us-east-1\n  Source", wrong: "there is no pipeline other in this account and us-east-1: deploy it, or use the credentials and the region that it was deployed with (AWS_PROFILE, AWS_REGION): Account '123456789012' does not have a pipeline with name 'other'\nthe status of other is not known, for the reasons above\n"},
		{name: "in the region of the environment", before: func(t *testing.T, _ *fakeaws.Cloud) { t.Setenv("AWS_REGION", "us-east-1") }, args: []string{"status", "-pipelines", `[{"Name":"my-blog"}]`}, out: "my-blog  us-east-1\n"},
		{name: "followed", before: func(t *testing.T, c *fakeaws.Cloud) { set(t, c, "InProgress", 0) }, args: []string{"status", "-watch", "-pipelines", mine}, out: "execution 11111111 began "},
		{name: "followed and failed", before: func(t *testing.T, c *fakeaws.Cloud) { set(t, c, "Failed", 0) }, args: []string{"status", "-watch", "-pipelines", mine}, status: exitFailed, wrong: "execution 11111111 failed after 0 s\n"},
		{name: "denied", opts: fakeaws.Options{Authorize: denied}, args: []string{"status", "-pipelines", mine}, status: exitFailed,
			wrong: "your credentials do not allow codepipeline:ListPipelineExecutions for my-blog: add that permission to your user or role: User: arn:aws:iam::123456789012:user/me is not authorized"},
		{name: "expired", before: func(t *testing.T, c *fakeaws.Cloud) {
			use(t, c.Issue("arn:aws:iam::123456789012:user/me", -time.Second))
		}, args: []string{"status", "-pipelines", mine}, status: exitFailed, wrong: "AWS does not accept your credentials: log in again (aws sso login), or check AWS_PROFILE: The security token included in the request is expired\n"},
		{name: "an MFA code", before: func(t *testing.T, _ *fakeaws.Cloud) {
			use(t, fakeaws.Credentials{})
			profile(t, "role_arn = arn:aws:iam::123456789012:role/me\nsource_profile = default\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n")
		}, args: []string{"status", "-pipelines", mine}, status: exitFailed, wrong: "your profile wants an MFA code, and this command cannot ask for it: run eval"},
		{name: "an SSO session that has ended", before: func(t *testing.T, _ *fakeaws.Cloud) {
			use(t, fakeaws.Credentials{})
			t.Setenv("HOME", t.TempDir())
			profile(t, "sso_start_url = https://example.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = me\n")
		}, args: []string{"status", "-pipelines", mine}, status: exitFailed, wrong: "there are no AWS credentials: name a profile with AWS_PROFILE=name, and log in to it (aws sso login): "},
		{name: "no region of AWS", before: func(t *testing.T, _ *fakeaws.Cloud) {
			t.Setenv("AWS_ENDPOINT_URL", "https://codepipeline.nowhere.invalid")
			t.Setenv("AWS_MAX_ATTEMPTS", "1")
		}, args: []string{"status", "-pipelines", `[{"Name":"my-blog","Region":"nowhere"}]`}, status: exitFailed, out: "my-blog  nowhere\n",
			wrong: "AWS is not found in the region nowhere: check its name (Region in blogs.go or services.go, or AWS_REGION), and whether this machine is online: "},
		{name: "no credentials", before: func(t *testing.T, _ *fakeaws.Cloud) { use(t, fakeaws.Credentials{}) }, args: []string{"status", "-pipelines", mine}, status: exitFailed, wrong: "there are no AWS credentials: name a profile"},
		{name: "no region", args: []string{"status", "-pipelines", `[{"Name":"my-blog"}]`}, status: exitFailed, wrong: "in which region is my-blog? Set its Region"},
		{name: "an existing service", before: deployed, args: []string{"status", "-pipelines", "[" + shop + "]"}, out: "shop  us-east-1\n  Deployment  d-"},
		{name: "a service with a pipeline", before: deployed, args: []string{"status", "-pipelines", "[" + shop + "," + api + "]"}, out: "api  us-east-1\n  Source      not run yet\n  Deploy      not run yet\n"},
		{name: "a service of ECS", before: deployed, args: []string{"status", "-pipelines", "[" + api + "]"}, out: "in the console\n  Deployment  none yet\n"},
		{name: "an unknown service", args: []string{"status", "-pipelines", "[" + shop + "]"}, status: exitFailed, out: "shop  us-east-1\n", wrong: "CodeDeploy has no deployment group blue-green of the application shop in this account and region: correct"},
		{name: "a service denied", opts: fakeaws.Options{Authorize: deniedDeployments}, before: deployed, args: []string{"status", "-pipelines", "[" + shop + "," + mine[1:]}, status: exitFailed,
			out: "shop  us-east-1\nmy-blog  us-east-1\n  Source", wrong: "your credentials do not allow codedeploy:BatchGetDeploymentTargets "},
		{name: "a deployment followed", before: deployed, args: []string{"status", "-watch", "-pipelines", "[" + shop + "]"}, out: "AfterAllowTraffic succeeded\n"},
		{name: "no command", status: exitUsage, wrong: `dist/operate has the commands releases, rollback, status, and got ""`},
		{name: "unknown command", args: []string{"start"}, status: exitUsage, wrong: `and got "start"`},
		{name: "unknown flag", args: []string{"status", "-blog"}, status: exitUsage, wrong: "flag provided but not defined: -blog"},
		{name: "no flag", args: []string{"status", "my-blog"}, status: exitUsage, wrong: `"my-blog" is not a flag`},
		{name: "no pipelines", args: []string{"status", "-pipelines", "[]"}, status: exitUsage, wrong: "there is no pipeline: list a blog in blogs.go"},
		{name: "two followed", args: []string{"status", "-watch", "-pipelines", `[{"Name":"a"},{"Name":"b"}]`}, status: exitUsage, wrong: "WATCH=1 follows one pipeline"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cloud := account(t, tt.opts)
			if tt.before != nil {
				tt.before(t, cloud)
			}
			var stdout, stderr strings.Builder
			quick := func(context.Context, time.Duration) error {
				set(t, cloud, "Succeeded", 0)
				return nil
			}
			if got := run(t.Context(), tt.args, terminal{stdout: &stdout, stderr: &stderr, sleep: quick}); got != tt.status {
				t.Errorf("status: got %d, want %d", got, tt.status)
			}
			if !strings.Contains(stdout.String(), tt.out) || !strings.Contains(stderr.String(), tt.wrong) || tt.wrong == "" && stderr.Len() > 0 {
				t.Errorf("got\n%s\nand\n%s\nwant %q and %q", &stdout, &stderr, tt.out, tt.wrong)
			}
		})
	}
}

// TestCtrlC stops a watch.
func TestCtrlC(t *testing.T) {
	account(t, fakeaws.Options{})
	ctx, stop := context.WithCancel(t.Context())
	var stdout, stderr strings.Builder
	stopping := func(context.Context, time.Duration) error {
		stop()
		return ctx.Err()
	}
	if got := run(ctx, []string{"status", "-watch", "-pipelines", mine}, terminal{stdout: &stdout, stderr: &stderr, sleep: stopping}); got != exitStopped || stderr.Len() > 0 {
		t.Errorf("got %d and %q, want %d and nothing", got, &stderr, exitStopped)
	}
}
