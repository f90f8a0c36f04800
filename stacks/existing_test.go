package stacks

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/assembly"
)

// The services that exist already. Between them they set every prop.
var (
	shop = ExistingService{
		Name:          "shop",
		DeployedBy:    CodeDeployGroup{Application: "shop", DeploymentGroup: "shop-blue-green", Container: "web", Port: 80},
		Hook:          Hook{Distributions: []Distribution{{ID: "E2QWRUHAPOMQZL"}}},
		Notifications: Notifications{Emails: []string{"me@shop.dev"}},
	}
	checkout = ExistingService{
		Name: "checkout", Account: account, Region: "ap-northeast-1",
		DeployedBy: CodeDeployGroup{Application: "AppECS-production-checkout", DeploymentGroup: "DgpECS-production-checkout", Container: "nginx", Port: 8080},
		Hook: Hook{
			Distributions: []Distribution{
				{ID: "E2QWRUHAPOMQZM", Paths: []string{"/checkout/*", "#prices"}},
				{ID: "E2QWRUHAPOMQZN"},
			},
			RoleARN: roleARN,
			Events:  []HookEvent{AfterAllowTestTraffic, AfterAllowTraffic}, OnFailure: RollBack,
			Deadline: 14 * time.Minute, NoWait: true, LogRetention: 7,
		},
		Notifications: Notifications{TopicARN: "arn:aws:sns:ap-northeast-1:" + account + ":alerts"},
	}
	news = ExistingService{
		Name:       "news",
		DeployedBy: ECSService{Cluster: "production", Service: "news"},
		Hook:       Hook{Distributions: []Distribution{{ID: "E2QWRUHAPOMQZP"}}},
	}
	feed = ExistingService{
		Name:       "feed",
		DeployedBy: ECSService{Cluster: "production", Service: "feed-v2"},
		Hook: Hook{
			Distributions: []Distribution{{ID: "E2QWRUHAPOMQZQ", Paths: []string{"/feed.xml"}}},
			Events:        []HookEvent{PostProductionTrafficShift}, OnFailure: RollBack, Deadline: 23 * time.Hour,
		},
		Notifications: Notifications{Emails: []string{"me@feed.dev"}, TopicARN: "arn:aws:sns:us-east-1:" + account + ":alerts"},
	}
)

var existingFixtures = []Service{shop, checkout, news, feed}

func hookTemplate(t *testing.T, s ExistingService) *assembly.Template {
	t.Helper()
	return stackTemplate(t, ServiceStackID(s))
}

// TestExistingServiceRefuses breaks one thing at a time, as TestValidateRefuses does.
func TestExistingServiceRefuses(t *testing.T) {
	group := func(change func(*CodeDeployGroup)) func(*ExistingService) {
		return func(s *ExistingService) {
			by := shop.DeployedBy.(CodeDeployGroup)
			change(&by)
			s.DeployedBy = by
		}
	}
	native := func(change func(*ExistingService)) func(*ExistingService) {
		return func(s *ExistingService) {
			*s = news
			change(s)
		}
	}
	tests := []struct {
		name   string
		change func(*ExistingService)
		want   string
	}{
		{"no name", func(s *ExistingService) { s.Name = "" }, `service "": Name is "": must start with a letter`},
		{"name too long", func(s *ExistingService) { s.Name = strings.Repeat("x", 50) }, "at most 49"},
		{"name with an underscore", func(s *ExistingService) { s.Name = "my_shop" }, `Name is "my_shop"`},
		{"account", func(s *ExistingService) { s.Account = "1234" }, `service "shop": Account is "1234"`},
		{"region of China", func(s *ExistingService) { s.Region = "cn-north-1" }, "commercial regions"},
		{"nobody deploys", func(s *ExistingService) { s.DeployedBy = nil }, `DeployedBy is missing: must be a stacks.CodeDeployGroup{…} or a stacks.ECSService{…}`},
		{"deployed by a pointer", func(s *ExistingService) { s.DeployedBy = (*ECSService)(nil) }, `DeployedBy is a *stacks.ECSService`},
		{"no application", group(func(g *CodeDeployGroup) { g.Application = "" }), `DeployedBy.Application is "": must be the name of a CodeDeploy application`},
		{"application as ARN", group(func(g *CodeDeployGroup) { g.Application = "arn:aws:codedeploy:us-east-1:123456789012:application:shop" }), "DeployedBy.Application"},
		{"every application", group(func(g *CodeDeployGroup) { g.Application = "*" }), `DeployedBy.Application is "*"`},
		{"no group", group(func(g *CodeDeployGroup) { g.DeploymentGroup = "" }), `DeployedBy.DeploymentGroup is "": must be the name of a deployment group`},
		{"every group", group(func(g *CodeDeployGroup) { g.DeploymentGroup = "shop-*" }), `DeployedBy.DeploymentGroup is "shop-*"`},
		{"no container", group(func(g *CodeDeployGroup) { g.Container = "" }), `DeployedBy.Container is "": must be the container's name in the task definition`},
		{"container as image", group(func(g *CodeDeployGroup) { g.Container = "nginx:1" }), `DeployedBy.Container is "nginx:1"`},
		{"no port", group(func(g *CodeDeployGroup) { g.Port = 0 }), "DeployedBy.Port is 0: must be the container's port"},
		{"port too high", group(func(g *CodeDeployGroup) { g.Port = 65536 }), "from 1 to 65535"},
		{"no cluster", native(func(s *ExistingService) { s.DeployedBy = ECSService{Service: "news"} }), `DeployedBy.Cluster is "": must be a cluster's name`},
		{"cluster as ARN", native(func(s *ExistingService) {
			s.DeployedBy = ECSService{Cluster: "arn:aws:ecs:us-east-1:123456789012:cluster/c", Service: "news"}
		}), "DeployedBy.Cluster"},
		{"no service", native(func(s *ExistingService) { s.DeployedBy = ECSService{Cluster: "production"} }), `DeployedBy.Service is "": must be a service's name`},
		{"address", func(s *ExistingService) { s.Notifications.Emails = []string{"me"} }, `Notifications.Emails[0] is "me"`},
		{"topic of another region", func(s *ExistingService) {
			*s = checkout
			s.Notifications.TopicARN = "arn:aws:sns:us-east-1:" + account + ":alerts"
		}, "must be in the service's Region, ap-northeast-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			props := shop
			tt.change(&props)
			wantProblem(t, props.Validate(), tt.want)
		})
	}
}

func TestServicesShareNames(t *testing.T) {
	twin := news
	twin.Name = "Shop"
	if err := Validate(nil, []Service{shop, twin}); err == nil || !strings.Contains(err.Error(), `service "Shop": Name is "Shop": another service has this name`) {
		t.Errorf("two services with one name: %v", err)
	}
	twin.Name = modern.Name
	if err := Validate([]BlogProps{modern}, []Service{twin}); err == nil || !strings.Contains(err.Error(), "another blog has this name") {
		t.Errorf("a blog and a service with one name: %v", err)
	}
	if err := Validate([]BlogProps{modern}, []Service{shop, nil}); err == nil || !strings.Contains(err.Error(), "services[1] is nil: remove it") {
		t.Errorf("no service: %v", err)
	}
}

func TestHookOutputsSayWhatToDo(t *testing.T) {
	output := func(t *testing.T, tmpl *assembly.Template, id string) string {
		t.Helper()
		return at(t, tmpl, tmpl.Outputs[id].Value).(string)
	}
	for _, s := range existingFixtures {
		tmpl := stackTemplate(t, ServiceStackID(s))
		equal(t, tmpl.Name+"'s function", output(t, tmpl, "FunctionARN"), arnOf(t, tmpl, tmpl.OfType("AWS::Lambda::Function")[0].ID))
	}
	for _, s := range []ExistingService{shop, checkout} {
		want, err := AppSpec(nil, []Service{s}, s.Name)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, s.Name+"'s AppSpec", output(t, hookTemplate(t, s), "AppSpec"), want)
	}
	for s, stages := range map[*ExistingService][]any{
		&news: {"PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"},
		&feed: {"POST_PRODUCTION_TRAFFIC_SHIFT"},
	} {
		tmpl := hookTemplate(t, *s)
		invoker := arnOf(t, tmpl, roleID(t, tmpl, "HookInvoker"))
		equal(t, s.Name+"'s role", output(t, tmpl, "InvokerRoleARN"), invoker)
		var got any
		if err := json.Unmarshal([]byte(output(t, tmpl, "LifecycleHooks")), &got); err != nil {
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
	text, err := AppSpec(nil, []Service{ExistingService{
		Name:       long,
		DeployedBy: CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: strings.Repeat("c", 255), Port: 65535},
		Hook:       Hook{Distributions: shop.Hook.Distributions, Events: CodeDeploy.events()},
	}}, long)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 1024 {
		t.Errorf("the AppSpec has %d characters", len(text))
	}
	// A role's generated name has at most 64 characters, a region at most 14.
	function := "arn:aws:lambda:ap-southeast-1:" + account + ":function:" + hookFunctionName(long)
	if text := lifecycleHooks(function, "arn:aws:iam::"+account+":role/"+strings.Repeat("r", 64), ECS.events()); len(text) > 1024 {
		t.Errorf("the hooks have %d characters", len(text))
	}
}

func TestAppSpecOfAService(t *testing.T) {
	services := []Service{shop, checkout, news}
	text, err := AppSpec([]BlogProps{modern}, services, "checkout")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`ContainerName: "nginx"`, "ContainerPort: 8080", `- AfterAllowTestTraffic: "CodeDeployHook_checkout"`, `- AfterAllowTraffic: "CodeDeployHook_checkout"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the AppSpec is\n%s\nwant %s in it", text, want)
		}
	}
	broken := shop
	broken.Name, broken.Hook.Distributions = "broken", nil
	for _, tt := range []struct {
		name     string
		services []Service
		want     string
	}{
		{"nope", services, `no service "nope" in services.go; there are: shop, checkout, news`},
		{"Shop", services, `no service "Shop" in services.go`},
		{"shop", nil, `no service "shop" in services.go; there are: none`},
		{"modern", services, `blog "modern" has no AppSpec, only services have; there are: shop, checkout, news`},
		{"news", services, `service "news" is deployed by ECS itself, which takes no AppSpec: the output LifecycleHooks of the stack news-hook`},
		{"broken", []Service{shop, broken}, "Hook.Distributions is"},
		{"shop", []Service{nil, shop}, "services[0] is nil"},
	} {
		text, err := AppSpec([]BlogProps{modern}, tt.services, tt.name)
		if err == nil || !strings.Contains(err.Error(), tt.want) || text != "" {
			t.Errorf("AppSpec of %s: %q, %v, want %q in the error", tt.name, text, err, tt.want)
		}
	}
}

func TestExampleValuesOfAService(t *testing.T) {
	example := ExistingService{
		Name: "example", Account: "111122223333",
		Hook:          Hook{Distributions: []Distribution{{ID: "E2QWRUHAPOMQZL"}, {ID: "EDFDVBD6EXAMPLE"}}},
		Notifications: Notifications{Emails: []string{"me@example.com"}},
	}
	equal(t, "example values", example.exampleValues(), []string{"Account", "Hook.Distributions[1].ID", "Notifications.Emails"})
	if found := shop.exampleValues(); len(found) > 0 {
		t.Errorf("shop's own values are taken for examples: %v", found)
	}
}
