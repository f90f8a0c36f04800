package stacks

import (
	"encoding/json"
	"strings"
	"testing"

	"blog-deploy-pipeline/appspec"
	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func hookTemplate(t *testing.T, s props.ExistingService) *assembly.Template {
	t.Helper()
	return stackTemplate(t, s.StackName())
}

func TestHookOutputsSayWhatToDo(t *testing.T) {
	output := func(t *testing.T, tmpl *assembly.Template, id string) string {
		t.Helper()
		return at(t, tmpl, tmpl.Outputs[id].Value).(string)
	}
	for _, s := range fixtures.ExistingServices {
		tmpl := stackTemplate(t, s.StackName())
		equal(t, tmpl.Name+"'s function", output(t, tmpl, "FunctionARN"), arnOf(t, tmpl, tmpl.OfType("AWS::Lambda::Function")[0].ID))
	}
	for _, s := range []props.ExistingService{fixtures.Shop, fixtures.Checkout} {
		equal(t, s.Name+"'s AppSpec", output(t, hookTemplate(t, s), "AppSpec"), appSpec(t, s))
	}
	for s, stages := range map[*props.ExistingService][]any{
		&fixtures.News: {"PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"},
		&fixtures.Feed: {"POST_PRODUCTION_TRAFFIC_SHIFT"},
	} {
		tmpl := hookTemplate(t, *s)
		invoker := arnOf(t, tmpl, roleID(t, tmpl, "HookInvoker"))
		equal(t, s.Name+"'s role", output(t, tmpl, "InvokerRoleARN"), invoker)
		var got any
		if err := json.Unmarshal([]byte(output(t, tmpl, contract.OutputLifecycleHooks)), &got); err != nil {
			t.Fatal(err)
		}
		equal(t, s.Name+"'s hooks", got, []any{map[string]any{
			"hookTargetArn":   output(t, tmpl, "FunctionARN"),
			"roleArn":         invoker,
			"lifecycleStages": stages,
		}})
	}
}

// The longest possible output fits into CloudFormation's 1,024 characters.
func TestHookOutputsFit(t *testing.T) {
	long := strings.Repeat("x", 49)
	text := appSpec(t, props.ExistingService{
		Name:       long,
		DeployedBy: props.CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: strings.Repeat("c", 255), Port: 65535},
		Hook:       props.Hook{Invalidations: fixtures.Shop.Hook.Invalidations, Events: props.ControllerCodeDeploy.Events()},
	})
	if len(text) > 1024 {
		t.Errorf("the AppSpec has %d characters", len(text))
	}
}

// appSpec returns the AppSpec file of a service.
func appSpec(t *testing.T, service props.Service) string {
	t.Helper()
	spec, err := service.AppSpec()
	if err != nil {
		t.Fatal(err)
	}
	text, err := appspec.Render(spec)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAppSpecOfAService(t *testing.T) {
	text := appSpec(t, fixtures.Checkout)
	for _, want := range []string{`ContainerName: "nginx"`, "ContainerPort: 8080", `- AfterAllowTestTraffic: "` + contract.HookFunctionName("checkout") + `"`, `- AfterAllowTraffic: "` + contract.HookFunctionName("checkout") + `"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the AppSpec is\n%s\nwant %s in it", text, want)
		}
	}
	if _, err := fixtures.News.AppSpec(); err == nil || !strings.Contains(err.Error(), `service "news" is deployed by ECS itself, which has no AppSpec: copy the output LifecycleHooks of the stack news-hook`) {
		t.Errorf("AppSpec of a service that ECS deploys: %v", err)
	}
}
