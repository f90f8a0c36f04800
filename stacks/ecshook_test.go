package stacks

import (
	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/props"
	"fmt"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/assembly"
)

// TestHookRefuses breaks one thing at a time, as TestValidateRefuses does.
func TestHookRefuses(t *testing.T) {
	native := func(change func(*props.ExistingService)) func(*props.ExistingService) {
		return func(s *props.ExistingService) {
			*s = news
			change(s)
		}
	}
	distributions := func(changed ...props.Invalidation) func(*props.ExistingService) {
		return func(s *props.ExistingService) { s.Hook.Invalidations = changed }
	}
	path := func(path string) func(*props.ExistingService) {
		return distributions(props.Invalidation{DistributionID: "E2QWRUHAPOMQZL", Paths: []string{path}})
	}
	tests := []struct {
		name   string
		change func(*props.ExistingService)
		want   string
	}{
		{"no distribution", distributions(), `Hook.Invalidations is "0 distributions": must be from 1 to 10`},
		{"eleven distributions", func(s *props.ExistingService) {
			s.Hook.Invalidations = nil
			for i := range 11 {
				s.Hook.Invalidations = append(s.Hook.Invalidations, props.Invalidation{DistributionID: fmt.Sprintf("E2QWRUHAPOMQ%02d", i)})
			}
		}, `Hook.Invalidations is "11 distributions"`},
		{"distribution twice", distributions(props.Invalidation{DistributionID: "E2QWRUHAPOMQZL"}, props.Invalidation{DistributionID: "E2QWRUHAPOMQZM"}, props.Invalidation{DistributionID: "E2QWRUHAPOMQZL"}),
			`Hook.Invalidations[2].DistributionID is "E2QWRUHAPOMQZL": is there twice; put all its paths in one`},
		{"distribution without id", distributions(props.Invalidation{Paths: []string{"/*"}}), `Hook.Invalidations[0].DistributionID is "": must be a distribution's id`},
		{"distribution's domain", distributions(props.Invalidation{DistributionID: "d111111abcdef8.cloudfront.net"}), "not its domain name or ARN"},
		{"path without slash", path("index.html"), `Hook.Invalidations[0].Paths[0] is "index.html": must start with /`},
		{"path not encoded", path("/a b"), `must be URL-encoded: "/a%20b"`},
		{"tag with a star", path("#post*"), "without *"},
		{"sixteen stars", distributions(props.Invalidation{DistributionID: "E2QWRUHAPOMQZL", Paths: strings.Fields(strings.Repeat("/* ", 16))}), `Hook.Invalidations[0].Paths is "16 paths with *": CloudFront clears at most 15`},
		{"too many paths", path("/" + strings.Repeat("a", 4000)), "and Lambda takes at most 4096; use wildcards or /*"},

		{"event of ECS", func(s *props.ExistingService) {
			s.Hook.Events = []props.HookEvent{props.HookEventPostProductionTrafficShift}
		}, `Hook.Events[0] is "POST_PRODUCTION_TRAFFIC_SHIFT": must be one of "BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"`},
		{"event of CodeDeploy", native(func(s *props.ExistingService) { s.Hook.Events = []props.HookEvent{props.HookEventAfterAllowTraffic} }), `Hook.Events[0] is "AfterAllowTraffic": must be one of "RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"`},
		{"event twice", func(s *props.ExistingService) {
			s.Hook.Events = []props.HookEvent{props.HookEventAfterInstall, props.HookEventAfterAllowTraffic, props.HookEventAfterInstall}
		}, `Hook.Events[2] is "AfterInstall": is there twice; name it once`},
		{"on failure", func(s *props.ExistingService) { s.Hook.OnFailure = "ignore" }, `Hook.OnFailure is "ignore": must be one of "proceed", "fail"`},
		{"deadline beyond Lambda's", func(s *props.ExistingService) { s.Hook.Deadline = 15 * time.Minute }, "Hook.Deadline is 15m0s: must be whole seconds, from 1 to 14 minutes"},
		{"deadline too short", func(s *props.ExistingService) { s.Hook.Deadline = time.Second }, "Hook.Deadline is 1s"},
		{"deadline by half seconds", func(s *props.ExistingService) { s.Hook.Deadline = 90500 * time.Millisecond }, "Hook.Deadline is 1m30.5s: must be whole seconds"},
		{"deadline beyond ECS's", native(func(s *props.ExistingService) { s.Hook.Deadline = 24 * time.Hour }), "Hook.Deadline is 24h0m0s: must be whole seconds, from 1 minute to 23 hours"},
		{"ECS's deadline too short", native(func(s *props.ExistingService) { s.Hook.Deadline = 59 * time.Second }), "Hook.Deadline is 59s"},
		{"days of log", func(s *props.ExistingService) { s.Hook.LogRetentionDays = 2 }, "Hook.LogRetentionDays is 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			given := shop
			tt.change(&given)
			wantProblem(t, given.Validate(), tt.want)
		})
	}
}

// Lambda counts the environment as the JSON object it is.
func TestHookEnvironmentFitsToTheByte(t *testing.T) {
	given := shop
	given.Hook.Invalidations = []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL", Paths: []string{"/"}}}
	spare := props.MaxEnvironment - len(contract.JSON(given.Hook.WithDefaults(props.ControllerCodeDeploy).FunctionEnvironment(given.Name)))
	given.Hook.Invalidations[0].Paths[0] += strings.Repeat("a", spare)
	if err := given.Validate(); err != nil {
		t.Errorf("4,096 bytes are refused: %v", err)
	}
	given.Hook.Invalidations[0].Paths[0] += "a"
	if err := given.Validate(); err == nil {
		t.Error("4,097 bytes are accepted")
	}
}

func TestHookFunction(t *testing.T) {
	tests := []struct {
		props       props.ExistingService
		name        string
		timeout     int
		logDays     int
		environment map[string]any
	}{
		{shop, contract.HookFunctionName("shop"), 640, 30, map[string]any{
			contract.EnvService: "shop", contract.EnvDistributions: contract.JSON([]contract.Distribution{{ID: "E2QWRUHAPOMQZL", Paths: []string{"/*"}}}),
			contract.EnvOnFailure: string(contract.OnFailureProceed), contract.EnvWaitFor: string(contract.WaitForCompleted), contract.EnvDeadline: "10m0s",
		}},
		{checkout, contract.HookFunctionName("checkout"), 880, 7, map[string]any{
			contract.EnvService: "checkout", contract.EnvDistributions: contract.JSON([]contract.Distribution{{ID: "E2QWRUHAPOMQZM", Paths: []string{"/checkout/*", "#prices"}}, {ID: "E2QWRUHAPOMQZN", Paths: []string{"/*"}}}),
			contract.EnvOnFailure: string(contract.OnFailureFail), contract.EnvWaitFor: string(contract.WaitForCreated), contract.EnvDeadline: "14m0s", contract.EnvRoleARN: roleARN,
		}},
		{news, contract.HookFunctionName("news"), 80, 30, map[string]any{
			contract.EnvService: "news", contract.EnvDistributions: contract.JSON([]contract.Distribution{{ID: "E2QWRUHAPOMQZP", Paths: []string{"/*"}}}),
			contract.EnvOnFailure: string(contract.OnFailureProceed), contract.EnvWaitFor: string(contract.WaitForCompleted), contract.EnvDeadline: "10m0s",
		}},
		{feed, contract.HookFunctionName("feed"), 80, 30, map[string]any{
			contract.EnvService: "feed", contract.EnvDistributions: contract.JSON([]contract.Distribution{{ID: "E2QWRUHAPOMQZQ", Paths: []string{"/feed.xml"}}}),
			contract.EnvOnFailure: string(contract.OnFailureFail), contract.EnvWaitFor: string(contract.WaitForCompleted), contract.EnvDeadline: "23h0m0s",
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
			if _, native := tt.props.DeployedBy.(props.ECSService); native {
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
	given := shop
	given.Name = strings.Repeat("x", 49)
	if err := given.Validate(); err != nil {
		t.Errorf("49 characters are refused: %v", err)
	}
	if n := len(contract.HookFunctionName(given.Name)); n != 64 {
		t.Errorf("the function's name has %d characters, want the 64 that Lambda takes", n)
	}
}

func TestHookRoles(t *testing.T) {
	const (
		us    = "arn:aws:codedeploy:us-east-1:" + account + ":deploymentgroup:"
		tokyo = "arn:aws:codedeploy:ap-northeast-1:" + account + ":deploymentgroup:"
	)
	tests := []struct {
		name  string
		props props.ExistingService
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
		{"CodeDeploy's hook of another account's distributions", checkout, "HookRole", func(*testing.T, *assembly.Template) []call {
			return []call{
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
			return append(invoking(arnOf(t, tmpl, tmpl.OfType("AWS::Lambda::Function")[0].ID)),
				call{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZP", false})
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tmpl := hookTemplate(t, tt.props)
			checkCalls(t, tmpl, tt.role, tt.calls(t, tmpl))
		})
	}
}

// Only ECS may take on the role that calls the function.
func TestWhoMayCallTheHook(t *testing.T) {
	for _, s := range []props.ExistingService{news, feed} {
		tmpl := hookTemplate(t, s)
		role := tmpl.Resources[roleID(t, tmpl, "HookInvoker")]
		equal(t, s.Name+"'s trust", at(t, tmpl, role.Properties, "AssumeRolePolicyDocument", "Statement", 0), map[string]any{
			"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "ecs.amazonaws.com"},
		})
	}
}

func TestHookAlarm(t *testing.T) {
	for _, s := range []props.ExistingService{shop, checkout, feed} {
		alarm := only(t, hookTemplate(t, s), "AWS::CloudWatch::Alarm")
		for field, want := range map[string]any{
			"Namespace": contract.MetricNamespace, "MetricName": contract.MetricFailed, "Dimensions": []any{map[string]any{"Name": contract.DimensionService, "Value": s.Name}},
			"Statistic": "Sum", "Threshold": 1, "EvaluationPeriods": 1, "Period": 300,
			"ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching",
		} {
			equal(t, s.Name+"'s "+field, alarm[field], want)
		}
		if text := fmt.Sprint(alarm["AlarmDescription"]); !strings.Contains(text, "service "+s.Name+":") || !strings.Contains(text, contract.HookFunctionName(s.Name)) {
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
