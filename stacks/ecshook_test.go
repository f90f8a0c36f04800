package stacks

import (
	"encoding/json"
	"fmt"
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
			Events: []HookEvent{AfterAllowTestTraffic, AfterAllowTraffic}, OnFailure: RollBack,
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

// TestHookRefuses breaks one thing at a time, as TestValidateRefuses does.
func TestHookRefuses(t *testing.T) {
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
	distributions := func(changed ...Distribution) func(*ExistingService) {
		return func(s *ExistingService) { s.Hook.Distributions = changed }
	}
	path := func(path string) func(*ExistingService) {
		return distributions(Distribution{ID: "E2QWRUHAPOMQZL", Paths: []string{path}})
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
		{"nobody deploys", func(s *ExistingService) { s.DeployedBy = nil }, `DeployedBy is "<nil>": must be a stacks.CodeDeployGroup{…} or a stacks.ECSService{…}`},
		{"deployed by a pointer", func(s *ExistingService) { s.DeployedBy = (*ECSService)(nil) }, `DeployedBy is "*stacks.ECSService"`},
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

		{"no distribution", distributions(), `Hook.Distributions is "0 distributions": must be from 1 to 10`},
		{"eleven distributions", func(s *ExistingService) {
			s.Hook.Distributions = nil
			for i := range 11 {
				s.Hook.Distributions = append(s.Hook.Distributions, Distribution{ID: fmt.Sprintf("E2QWRUHAPOMQ%02d", i)})
			}
		}, `Hook.Distributions is "11 distributions"`},
		{"distribution twice", distributions(Distribution{ID: "E2QWRUHAPOMQZL"}, Distribution{ID: "E2QWRUHAPOMQZM"}, Distribution{ID: "E2QWRUHAPOMQZL"}),
			`Hook.Distributions[2].ID is "E2QWRUHAPOMQZL": is there twice; put all its paths in one`},
		{"distribution without id", distributions(Distribution{Paths: []string{"/*"}}), `Hook.Distributions[0].ID is "": must be a distribution's id`},
		{"distribution's domain", distributions(Distribution{ID: "d111111abcdef8.cloudfront.net"}), "not its domain name or ARN"},
		{"path without slash", path("index.html"), `Hook.Distributions[0].Paths[0] is "index.html": must start with /`},
		{"path not encoded", path("/a b"), `must be URL-encoded: "/a%20b"`},
		{"tag with a star", path("#post*"), "without *"},
		{"sixteen stars", distributions(Distribution{ID: "E2QWRUHAPOMQZL", Paths: strings.Fields(strings.Repeat("/* ", 16))}), `Hook.Distributions[0].Paths is "16 paths with *": CloudFront clears at most 15`},
		{"too many paths", path("/" + strings.Repeat("a", 4000)), "and Lambda takes at most 4096; use wildcards or /*"},

		{"event of ECS", func(s *ExistingService) { s.Hook.Events = []HookEvent{PostProductionTrafficShift} }, `Hook.Events[0] is "POST_PRODUCTION_TRAFFIC_SHIFT": must be one of "BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"`},
		{"event of CodeDeploy", native(func(s *ExistingService) { s.Hook.Events = []HookEvent{AfterAllowTraffic} }), `Hook.Events[0] is "AfterAllowTraffic": must be one of "RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"`},
		{"event twice", func(s *ExistingService) { s.Hook.Events = []HookEvent{AfterInstall, AfterAllowTraffic, AfterInstall} }, `Hook.Events[2] is "AfterInstall": is there twice; name it once`},
		{"on failure", func(s *ExistingService) { s.Hook.OnFailure = "ignore" }, `Hook.OnFailure is "ignore": must be one of "proceed", "roll-back"`},
		{"deadline beyond Lambda's", func(s *ExistingService) { s.Hook.Deadline = 15 * time.Minute }, "Hook.Deadline is 15m0s: must be whole seconds, from 1 to 14 minutes"},
		{"deadline too short", func(s *ExistingService) { s.Hook.Deadline = time.Second }, "Hook.Deadline is 1s"},
		{"deadline by half seconds", func(s *ExistingService) { s.Hook.Deadline = 90500 * time.Millisecond }, "Hook.Deadline is 1m30.5s: must be whole seconds"},
		{"deadline beyond ECS's", native(func(s *ExistingService) { s.Hook.Deadline = 24 * time.Hour }), "Hook.Deadline is 24h0m0s: must be whole seconds, from 1 minute to 23 hours"},
		{"ECS's deadline too short", native(func(s *ExistingService) { s.Hook.Deadline = 59 * time.Second }), "Hook.Deadline is 59s"},
		{"days of log", func(s *ExistingService) { s.Hook.LogRetention = 2 }, "Hook.LogRetention is 2"},
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
			err := props.Validate()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("Validate: %v, want %q in it", err, tt.want)
			}
			if n := strings.Count(err.Error(), "\n"); n > 0 {
				t.Errorf("one mistake, %d messages: %q", n+1, err)
			}
		})
	}
}

// Lambda counts the environment as the JSON object it is.
func TestHookEnvironmentFitsToTheByte(t *testing.T) {
	props := shop
	props.Hook.Distributions = []Distribution{{ID: "E2QWRUHAPOMQZL", Paths: []string{"/"}}}
	spare := maxEnvironment - len(encodeJSON(props.Hook.environment(props.Name)))
	props.Hook.Distributions[0].Paths[0] += strings.Repeat("a", spare)
	if err := props.Validate(); err != nil {
		t.Errorf("4,096 bytes are refused: %v", err)
	}
	props.Hook.Distributions[0].Paths[0] += "a"
	if err := props.Validate(); err == nil {
		t.Error("4,097 bytes are accepted")
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

func TestHookFunction(t *testing.T) {
	tests := []struct {
		props       ExistingService
		name        string
		timeout     int
		logDays     int
		environment map[string]any
	}{
		{shop, "CodeDeployHook_shop", 640, 30, map[string]any{
			"SERVICE": "shop", "DISTRIBUTIONS": `[{"DistributionId":"E2QWRUHAPOMQZL","Paths":["/*"]}]`,
			"ON_FAILURE": "proceed", "WAIT_FOR": "completed", "DEADLINE": "10m0s",
		}},
		{checkout, "CodeDeployHook_checkout", 880, 7, map[string]any{
			"SERVICE": "checkout", "DISTRIBUTIONS": `[{"DistributionId":"E2QWRUHAPOMQZM","Paths":["/checkout/*","#prices"]},{"DistributionId":"E2QWRUHAPOMQZN","Paths":["/*"]}]`,
			"ON_FAILURE": "roll-back", "WAIT_FOR": "created", "DEADLINE": "14m0s",
		}},
		{news, "CodeDeployHook_news", 80, 30, map[string]any{
			"SERVICE": "news", "DISTRIBUTIONS": `[{"DistributionId":"E2QWRUHAPOMQZP","Paths":["/*"]}]`,
			"ON_FAILURE": "proceed", "WAIT_FOR": "completed", "DEADLINE": "10m0s",
		}},
		{feed, "CodeDeployHook_feed", 80, 30, map[string]any{
			"SERVICE": "feed", "DISTRIBUTIONS": `[{"DistributionId":"E2QWRUHAPOMQZQ","Paths":["/feed.xml"]}]`,
			"ON_FAILURE": "roll-back", "WAIT_FOR": "completed", "DEADLINE": "23h0m0s",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.props.Name, func(t *testing.T) {
			tmpl := hookTemplate(t, tt.props)
			function := only(t, tmpl, "AWS::Lambda::Function")
			equal(t, "name", function["FunctionName"], tt.name)
			equal(t, "timeout", function["Timeout"], tt.timeout)
			equal(t, "environment", at(t, tmpl, function, "Environment", "Variables"), tt.environment)
			equal(t, "days of log", only(t, tmpl, "AWS::Logs::LogGroup")["RetentionInDays"], tt.logDays)
			if _, native := tt.props.DeployedBy.(ECSService); native {
				if n := len(tmpl.OfType("AWS::Lambda::EventInvokeConfig")); n != 0 {
					t.Errorf("it has %d configurations of queued calls, want none: ECS waits for the answer", n)
				}
				return
			}
			retries := only(t, tmpl, "AWS::Lambda::EventInvokeConfig")
			equal(t, "oldest event", retries["MaximumEventAgeInSeconds"], 3600)
			equal(t, "retries", retries["MaximumRetryAttempts"], 2)
		})
	}
}

// The longest name there may be is a name that Lambda takes.
func TestHookFunctionNameFits(t *testing.T) {
	props := shop
	props.Name = strings.Repeat("x", 49)
	if err := props.Validate(); err != nil {
		t.Errorf("49 characters are refused: %v", err)
	}
	if n := len(hookFunctionName(props.Name)); n != 64 {
		t.Errorf("the function's name has %d characters, want the 64 that Lambda takes", n)
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
		{"nope", services, `no service "nope" in blogs.go; there are: shop, checkout, news`},
		{"Shop", services, `no service "Shop" in blogs.go`},
		{"shop", nil, `no service "shop" in blogs.go; there are: none`},
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

func TestHookRoles(t *testing.T) {
	const (
		us    = "arn:aws:codedeploy:us-east-1:" + account + ":deploymentgroup:"
		tokyo = "arn:aws:codedeploy:ap-northeast-1:" + account + ":deploymentgroup:"
	)
	tests := []struct {
		name  string
		props ExistingService
		role  string
		calls func(t *testing.T, tmpl *assembly.Template) []call
	}{
		{"CodeDeploy's hook", shop, "HookRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZL", true},
				{"cloudfront:GetInvalidation", edge + "E2QWRUHAPOMQZL", true},
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZM", false},
				{"cloudfront:GetDistribution", edge + "E2QWRUHAPOMQZL", false},
				{"cloudfront:UpdateDistribution", edge + "E2QWRUHAPOMQZL", false},
				{"codedeploy:PutLifecycleEventHookExecutionStatus", us + "shop/shop-blue-green", true},
				{"codedeploy:PutLifecycleEventHookExecutionStatus", us + "shop/another", false},
				{"codedeploy:PutLifecycleEventHookExecutionStatus", us + "another/shop-blue-green", false},
				{"codedeploy:CreateDeployment", us + "shop/shop-blue-green", false},
				{"logs:PutLogEvents", log(t, tmpl, "HookLog"), true},
				{"logs:PutLogEvents", "arn:aws:logs:us-east-1:" + account + ":log-group:/aws/lambda/another:log-stream:s", false},
			}
		}},
		{"CodeDeploy's hook of two distributions", checkout, "HookRole", func(*testing.T, *assembly.Template) []call {
			return []call{
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZM", true},
				{"cloudfront:GetInvalidation", edge + "E2QWRUHAPOMQZN", true},
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZL", false},
				{"codedeploy:PutLifecycleEventHookExecutionStatus", tokyo + "AppECS-production-checkout/DgpECS-production-checkout", true},
				{"codedeploy:PutLifecycleEventHookExecutionStatus", us + "AppECS-production-checkout/DgpECS-production-checkout", false},
			}
		}},
		{"ECS's hook", news, "HookRole", func(*testing.T, *assembly.Template) []call {
			return []call{
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZP", true},
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZQ", false},
				// It answers, and reports to nobody.
				{"codedeploy:PutLifecycleEventHookExecutionStatus", us + "news/news", false},
			}
		}},
		{"ECS", news, "HookInvoker", func(t *testing.T, tmpl *assembly.Template) []call {
			function := arnOf(t, tmpl, tmpl.OfType("AWS::Lambda::Function")[0].ID)
			return []call{
				{"lambda:InvokeFunction", function, true},
				{"lambda:InvokeFunction", function + "2", false},
				{"lambda:UpdateFunctionCode", function, false},
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZP", false},
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tmpl := hookTemplate(t, tt.props)
			checkCalls(t, tmpl, tt.role, tt.calls(t, tmpl))
		})
	}
}

// Only ECS may take on the role that calls the function; where it says for whom, for
// this account alone.
func TestWhoMayCallTheHook(t *testing.T) {
	for _, s := range []ExistingService{news, feed} {
		tmpl := hookTemplate(t, s)
		role := tmpl.Resources[roleID(t, tmpl, "HookInvoker")]
		equal(t, s.Name+"'s trust", at(t, tmpl, role.Properties, "AssumeRolePolicyDocument", "Statement", 0), map[string]any{
			"Effect": "Allow", "Action": "sts:AssumeRole",
			"Principal": map[string]any{"Service": "ecs.amazonaws.com"},
			"Condition": map[string]any{"StringEqualsIfExists": map[string]any{"aws:SourceAccount": account}},
		})
	}
}

func TestHookAlarm(t *testing.T) {
	for _, s := range []ExistingService{shop, checkout, feed} {
		alarm := only(t, hookTemplate(t, s), "AWS::CloudWatch::Alarm")
		for field, want := range map[string]any{
			"Namespace": "BlogDeployPipeline", "MetricName": "InvalidationFailed", "Dimensions": []any{map[string]any{"Name": "service", "Value": s.Name}},
			"Statistic": "Sum", "Threshold": 1, "EvaluationPeriods": 1, "Period": 300,
			"ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching",
		} {
			equal(t, s.Name+"'s "+field, alarm[field], want)
		}
		if text := fmt.Sprint(alarm["AlarmDescription"]); !strings.Contains(text, "service "+s.Name+":") || !strings.Contains(text, "CodeDeployHook_"+s.Name) {
			t.Errorf("%s's alarm says %q, want the service and its function in it", s.Name, text)
		}
	}
	if n := len(hookTemplate(t, news).OfType("AWS::CloudWatch::Alarm")); n != 0 {
		t.Errorf("news has %d alarms, want none: nobody is to be told", n)
	}
	equal(t, "who is told", at(t, hookTemplate(t, checkout), only(t, hookTemplate(t, checkout), "AWS::CloudWatch::Alarm"), "AlarmActions"), []any{checkout.Notifications.TopicARN})

	tmpl := hookTemplate(t, feed)
	topic := at(t, tmpl, map[string]any{"Ref": tmpl.OfType("AWS::SNS::Topic")[0].ID})
	equal(t, "who is told", at(t, tmpl, only(t, tmpl, "AWS::CloudWatch::Alarm"), "AlarmActions"), []any{topic, feed.Notifications.TopicARN})
	equal(t, "address", only(t, tmpl, "AWS::SNS::Subscription")["Endpoint"], "me@feed.dev")
	// Without this statement CloudWatch could not publish, and would tell nobody.
	statements := at(t, tmpl, only(t, tmpl, "AWS::SNS::TopicPolicy"), "PolicyDocument", "Statement").([]any)
	if len(statements) != 2 {
		t.Fatalf("the topic's policy has %d statements, want 2", len(statements))
	}
	equal(t, "plain HTTP", at(t, tmpl, statements[0], "Effect"), "Deny")
	equal(t, "who may publish", at(t, tmpl, statements[1], "Principal"), map[string]any{"Service": "cloudwatch.amazonaws.com"})
	equal(t, "what", []any{at(t, tmpl, statements[1], "Effect"), at(t, tmpl, statements[1], "Action"), at(t, tmpl, statements[1], "Resource")}, []any{"Allow", "sns:Publish", topic})
	equal(t, "for whom", at(t, tmpl, statements[1], "Condition"), map[string]any{
		"StringEquals": map[string]any{"aws:SourceAccount": account},
		"ArnEquals":    map[string]any{"aws:SourceArn": arnOf(t, tmpl, tmpl.OfType("AWS::CloudWatch::Alarm")[0].ID)},
	})
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
