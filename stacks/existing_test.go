package stacks

import (
	"encoding/json"
	"strings"
	"testing"

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
		want, err := AppSpec(nil, []props.Service{s}, s.Name)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, s.Name+"'s AppSpec", output(t, hookTemplate(t, s), "AppSpec"), want)
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
	text, err := AppSpec(nil, []props.Service{props.ExistingService{
		Name:       long,
		DeployedBy: props.CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: strings.Repeat("c", 255), Port: 65535},
		Hook:       props.Hook{Invalidations: fixtures.Shop.Hook.Invalidations, Events: props.ControllerCodeDeploy.Events()},
	}}, long)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 1024 {
		t.Errorf("the AppSpec has %d characters", len(text))
	}
}

func TestAppSpecOfAService(t *testing.T) {
	services := []props.Service{fixtures.Shop, fixtures.Checkout, fixtures.News}
	text, err := AppSpec([]props.Blog{fixtures.Modern}, services, "checkout")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`ContainerName: "nginx"`, "ContainerPort: 8080", `- AfterAllowTestTraffic: "` + contract.HookFunctionName("checkout") + `"`, `- AfterAllowTraffic: "` + contract.HookFunctionName("checkout") + `"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the AppSpec is\n%s\nwant %s in it", text, want)
		}
	}
	broken := fixtures.Shop
	broken.Name, broken.Hook.Invalidations = "broken", nil
	for _, tt := range []struct {
		name     string
		services []props.Service
		want     string
	}{
		{"nope", services, `no service "nope" in services.go; there are: shop, checkout, news`},
		{"Shop", services, `no service "Shop" in services.go`},
		{"shop", nil, `no service "shop" in services.go; there are: none`},
		{"modern", services, `blog "modern" has no AppSpec, only services have; there are: shop, checkout, news`},
		{"news", services, `service "news" is deployed by ECS itself, which has no AppSpec: copy the output LifecycleHooks of the stack news-hook`},
		{"broken", []props.Service{fixtures.Shop, broken}, "Hook.Invalidations is"},
		{"shop", []props.Service{nil, fixtures.Shop}, "services[0] is nil"},
	} {
		text, err := AppSpec([]props.Blog{fixtures.Modern}, tt.services, tt.name)
		if err == nil || !strings.Contains(err.Error(), tt.want) || text != "" {
			t.Errorf("AppSpec of %s: %q, %v, want %q in the error", tt.name, text, err, tt.want)
		}
	}
}
