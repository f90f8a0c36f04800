package stacks

import (
	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/props"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/assembly"
)

// The services that exist already. Between them they set every prop.
var (
	shop = props.ExistingService{
		Name:          "shop",
		DeployedBy:    props.CodeDeployGroup{Application: "shop", DeploymentGroup: "shop-blue-green", Container: "web", Port: 80},
		Hook:          props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
		Notifications: props.Notifications{Emails: []string{"me@shop.dev"}},
	}
	checkout = props.ExistingService{
		Name: "checkout", Account: account, Region: "ap-northeast-1",
		DeployedBy: props.CodeDeployGroup{Application: "AppECS-production-checkout", DeploymentGroup: "DgpECS-production-checkout", Container: "nginx", Port: 8080},
		Hook: props.Hook{
			Invalidations: []props.Invalidation{
				{DistributionID: "E2QWRUHAPOMQZM", Paths: []string{"/checkout/*", "#prices"}},
				{DistributionID: "E2QWRUHAPOMQZN"},
			},
			RoleARN: roleARN,
			Events:  []props.HookEvent{props.HookEventAfterAllowTestTraffic, props.HookEventAfterAllowTraffic}, OnFailure: props.OnFailureFail,
			Deadline: 14 * time.Minute, NoWait: true, LogRetentionDays: 7,
		},
		Notifications: props.Notifications{TopicARN: "arn:aws:sns:ap-northeast-1:" + account + ":alerts"},
	}
	news = props.ExistingService{
		Name:       "news",
		DeployedBy: props.ECSService{Cluster: "production", Service: "news"},
		Hook:       props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZP"}}},
	}
	feed = props.ExistingService{
		Name:       "feed",
		DeployedBy: props.ECSService{Cluster: "production", Service: "feed-v2"},
		Hook: props.Hook{
			Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZQ", Paths: []string{"/feed.xml"}}},
			Events:        []props.HookEvent{props.HookEventPostProductionTrafficShift}, OnFailure: props.OnFailureFail, Deadline: 23 * time.Hour,
		},
		Notifications: props.Notifications{Emails: []string{"me@feed.dev"}, TopicARN: "arn:aws:sns:us-east-1:" + account + ":alerts"},
	}
)

var existingFixtures = []props.Service{shop, checkout, news, feed}

func hookTemplate(t *testing.T, s props.ExistingService) *assembly.Template {
	t.Helper()
	return stackTemplate(t, s.StackName())
}

// TestExistingServiceRefuses breaks one thing at a time, as TestValidateRefuses does.
func TestExistingServiceRefuses(t *testing.T) {
	group := func(change func(*props.CodeDeployGroup)) func(*props.ExistingService) {
		return func(s *props.ExistingService) {
			by := shop.DeployedBy.(props.CodeDeployGroup)
			change(&by)
			s.DeployedBy = by
		}
	}
	native := func(change func(*props.ExistingService)) func(*props.ExistingService) {
		return func(s *props.ExistingService) {
			*s = news
			change(s)
		}
	}
	tests := []struct {
		name   string
		change func(*props.ExistingService)
		want   string
	}{
		{"no name", func(s *props.ExistingService) { s.Name = "" }, `service "": Name is "": must start with a letter`},
		{"name too long", func(s *props.ExistingService) { s.Name = strings.Repeat("x", 50) }, "at most 49"},
		{"name with an underscore", func(s *props.ExistingService) { s.Name = "my_shop" }, `Name is "my_shop"`},
		{"account", func(s *props.ExistingService) { s.Account = "1234" }, `service "shop": Account is "1234"`},
		{"region of China", func(s *props.ExistingService) { s.Region = "cn-north-1" }, "commercial regions"},
		{"nobody deploys", func(s *props.ExistingService) { s.DeployedBy = nil }, `DeployedBy is missing: must be a props.CodeDeployGroup{…} or a props.ECSService{…}`},
		{"deployed by a pointer", func(s *props.ExistingService) { s.DeployedBy = (*props.ECSService)(nil) }, `DeployedBy is a *props.ECSService`},
		{"no application", group(func(g *props.CodeDeployGroup) { g.Application = "" }), `DeployedBy.Application is "": must be the name of a CodeDeploy application`},
		{"application as ARN", group(func(g *props.CodeDeployGroup) {
			g.Application = "arn:aws:codedeploy:us-east-1:123456789012:application:shop"
		}), "DeployedBy.Application"},
		{"every application", group(func(g *props.CodeDeployGroup) { g.Application = "*" }), `DeployedBy.Application is "*"`},
		{"no group", group(func(g *props.CodeDeployGroup) { g.DeploymentGroup = "" }), `DeployedBy.DeploymentGroup is "": must be the name of a deployment group`},
		{"every group", group(func(g *props.CodeDeployGroup) { g.DeploymentGroup = "shop-*" }), `DeployedBy.DeploymentGroup is "shop-*"`},
		{"no container", group(func(g *props.CodeDeployGroup) { g.Container = "" }), `DeployedBy.Container is "": must be the container's name in the task definition`},
		{"container as image", group(func(g *props.CodeDeployGroup) { g.Container = "nginx:1" }), `DeployedBy.Container is "nginx:1"`},
		{"no port", group(func(g *props.CodeDeployGroup) { g.Port = 0 }), "DeployedBy.Port is 0: must be the container's port"},
		{"port too high", group(func(g *props.CodeDeployGroup) { g.Port = 65536 }), "from 1 to 65535"},
		{"no cluster", native(func(s *props.ExistingService) { s.DeployedBy = props.ECSService{Service: "news"} }), `DeployedBy.Cluster is "": must be a cluster's name`},
		{"cluster as ARN", native(func(s *props.ExistingService) {
			s.DeployedBy = props.ECSService{Cluster: "arn:aws:ecs:us-east-1:123456789012:cluster/c", Service: "news"}
		}), "DeployedBy.Cluster"},
		{"no service", native(func(s *props.ExistingService) { s.DeployedBy = props.ECSService{Cluster: "production"} }), `DeployedBy.Service is "": must be a service's name`},
		{"address", func(s *props.ExistingService) { s.Notifications.Emails = []string{"me"} }, `Notifications.Emails[0] is "me"`},
		{"topic of another region", func(s *props.ExistingService) {
			*s = checkout
			s.Notifications.TopicARN = "arn:aws:sns:us-east-1:" + account + ":alerts"
		}, "must be in the service's Region, ap-northeast-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			given := shop
			tt.change(&given)
			wantProblem(t, given.Validate(), tt.want)
		})
	}
}

func TestServicesShareNames(t *testing.T) {
	twin := news
	twin.Name = "Shop"
	if err := props.Validate(nil, []props.Service{shop, twin}); err == nil || !strings.Contains(err.Error(), `service "Shop": Name is "Shop": another service has this name`) {
		t.Errorf("two services with one name: %v", err)
	}
	twin.Name = modern.Name
	if err := props.Validate([]props.Blog{modern}, []props.Service{twin}); err == nil || !strings.Contains(err.Error(), "another blog has this name") {
		t.Errorf("a blog and a service with one name: %v", err)
	}
	if err := props.Validate([]props.Blog{modern}, []props.Service{shop, nil}); err == nil || !strings.Contains(err.Error(), "services[1] is nil: remove it") {
		t.Errorf("no service: %v", err)
	}
}

func TestHookOutputsSayWhatToDo(t *testing.T) {
	output := func(t *testing.T, tmpl *assembly.Template, id string) string {
		t.Helper()
		return at(t, tmpl, tmpl.Outputs[id].Value).(string)
	}
	for _, s := range existingFixtures {
		tmpl := stackTemplate(t, s.StackName())
		equal(t, tmpl.Name+"'s function", output(t, tmpl, "FunctionARN"), arnOf(t, tmpl, tmpl.OfType("AWS::Lambda::Function")[0].ID))
	}
	for _, s := range []props.ExistingService{shop, checkout} {
		want, err := AppSpec(nil, []props.Service{s}, s.Name)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, s.Name+"'s AppSpec", output(t, hookTemplate(t, s), "AppSpec"), want)
	}
	for s, stages := range map[*props.ExistingService][]any{
		&news: {"PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"},
		&feed: {"POST_PRODUCTION_TRAFFIC_SHIFT"},
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

// The largest output there may be still fits CloudFormation's 1,024 characters.
func TestHookOutputsFit(t *testing.T) {
	long := strings.Repeat("x", 49)
	text, err := AppSpec(nil, []props.Service{props.ExistingService{
		Name:       long,
		DeployedBy: props.CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: strings.Repeat("c", 255), Port: 65535},
		Hook:       props.Hook{Invalidations: shop.Hook.Invalidations, Events: props.ControllerCodeDeploy.Events()},
	}}, long)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 1024 {
		t.Errorf("the AppSpec has %d characters", len(text))
	}
}

func TestAppSpecOfAService(t *testing.T) {
	services := []props.Service{shop, checkout, news}
	text, err := AppSpec([]props.Blog{modern}, services, "checkout")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`ContainerName: "nginx"`, "ContainerPort: 8080", `- AfterAllowTestTraffic: "` + contract.HookFunctionName("checkout") + `"`, `- AfterAllowTraffic: "` + contract.HookFunctionName("checkout") + `"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the AppSpec is\n%s\nwant %s in it", text, want)
		}
	}
	broken := shop
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
		{"news", services, `service "news" is deployed by ECS itself, which takes no AppSpec: the output LifecycleHooks of the stack news-hook`},
		{"broken", []props.Service{shop, broken}, "Hook.Invalidations is"},
		{"shop", []props.Service{nil, shop}, "services[0] is nil"},
	} {
		text, err := AppSpec([]props.Blog{modern}, tt.services, tt.name)
		if err == nil || !strings.Contains(err.Error(), tt.want) || text != "" {
			t.Errorf("AppSpec of %s: %q, %v, want %q in the error", tt.name, text, err, tt.want)
		}
	}
}

func TestExampleValuesOfAService(t *testing.T) {
	example := props.ExistingService{
		Name: "example", Account: "111122223333",
		Hook:          props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}, {DistributionID: "EDFDVBD6EXAMPLE"}}},
		Notifications: props.Notifications{Emails: []string{"me@example.com"}},
	}
	equal(t, "example values", props.ExampleValues(example), []string{"Account", "Hook.Invalidations[1].DistributionID", "Notifications.Emails[0]"})
	if found := props.ExampleValues(shop); len(found) > 0 {
		t.Errorf("shop's own values are taken for examples: %v", found)
	}
}
