package main

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/awsenv"
	"blog-deploy-pipeline/lambdas/internal/invalidation/invalidationtest"
	"blog-deploy-pipeline/lambdas/internal/invocation/invocationtest"
	"blog-deploy-pipeline/rehearse/fakeaws"
)

// The names of the function under test for CodeDeploy and ECS.
const (
	functionName = contract.HookFunctionPrefix + "shop"
	functionARN  = "arn:aws:lambda:us-east-1:123456789012:function:" + functionName
	roleARN      = "arn:aws:iam::123456789012:role/invoke-hook"
)

// everyChoice has each of the owner's choices with a distribution that exists and with one
// that does not.
var everyChoice = []struct {
	env    map[string]string
	passes bool
}{
	{map[string]string{contract.EnvOnFailure: proceed}, true},
	{map[string]string{contract.EnvOnFailure: fail}, true},
	{map[string]string{contract.EnvOnFailure: proceed, contract.EnvDistributions: distributions(contract.Distribution{ID: "E1NOTTHERE0000"})}, true},
	{map[string]string{contract.EnvOnFailure: fail, contract.EnvDistributions: distributions(contract.Distribution{ID: "E1NOTTHERE0000"})}, false},
}

// withCloud returns a handler that calls the double of AWS with the clients that it also
// has in AWS.
func withCloud(t *testing.T, env map[string]string) (*handler, *fakeaws.Cloud) {
	t.Helper()
	cloud := fakeaws.New(fakeaws.Options{})
	cloud.AddDistribution(fakeaws.Distribution{ID: "E2EXAMPLE"})
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	variables := cloud.Issue("arn:aws:sts::123456789012:assumed-role/hook/"+functionName, time.Hour).Env()
	variables["AWS_REGION"], variables["AWS_ENDPOINT_URL"] = "us-east-1", server.URL
	cfg := awsenv.Config(func(name string) string { return variables[name] })
	h := newWorld(invalidationtest.Says("Completed"), env).handler
	h.cloudFront, h.codeDeploy = cloudfront.NewFromConfig(cfg), codedeploy.NewFromConfig(cfg)
	h.settings.invalidation.PollEvery = time.Millisecond
	return h, cloud
}

func TestEveryHookOfCodeDeploy(t *testing.T) {
	for _, event := range []string{"BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"} {
		for _, tt := range everyChoice {
			t.Run(fmt.Sprint(event, tt.env), func(t *testing.T) {
				h, cloud := withCloud(t, tt.env)
				d, err := cloud.StartDeployment(fakeaws.DeploymentInput{Application: "shop", DeploymentGroup: "shop", TestListener: true, AutoRollback: true, Hooks: map[string]string{event: functionName}})
				if err != nil {
					t.Fatal(err)
				}
				hook := d.Next()
				if _, err := invocationtest.Invoke(t, h, invocationtest.Limit, hook.Event()); err != nil {
					t.Fatal(err)
				}
				if n := len(hook.Reports()); n != 1 || hook.LifecycleEvent() != event {
					t.Errorf("%d reports at %s, want 1 at %s", n, hook.LifecycleEvent(), event)
				}
				want, wantRollback := "Succeeded", false
				if !tt.passes {
					// Nothing is installed yet that CodeDeploy could roll back.
					want, wantRollback = "Failed", event != "BeforeInstall"
				}
				if got := d.Status(); got != want || (d.Rollback() != nil) != wantRollback {
					t.Errorf("deployment is %s, rolled back: %v, want %s, %v", got, d.Rollback() != nil, want, wantRollback)
				}
			})
		}
	}
}

func TestEveryStageOfECS(t *testing.T) {
	for _, stage := range []string{"RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"} {
		for _, tt := range everyChoice {
			t.Run(fmt.Sprint(stage, tt.env), func(t *testing.T) {
				h, cloud := withCloud(t, tt.env)
				d, err := cloud.StartServiceDeployment(fakeaws.ServiceDeploymentInput{Cluster: "production", Service: "shop", Reconcile: true,
					Hooks: []fakeaws.ServiceHook{{HookTargetARN: functionARN, RoleARN: roleARN, LifecycleStages: []string{stage}}}})
				if err != nil {
					t.Fatal(err)
				}
				for call := d.Next(); call != nil; call = d.Next() {
					payload, err := invocationtest.Invoke(t, h, invocationtest.Limit, call.Event())
					if err := call.Answer(payload, err); err != nil {
						t.Errorf("at %s: %v", call.Stage(), err)
					}
				}
				want := "SUCCESSFUL"
				if !tt.passes {
					want = "ROLLBACK_SUCCESSFUL"
				}
				if got := d.Status(); got != want {
					t.Errorf("deployment is %s, want %s", got, want)
				}
			})
		}
	}
}
