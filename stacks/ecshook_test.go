package stacks

import (
	"fmt"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestHookFunction(t *testing.T) {
	tests := []struct {
		props       props.ExistingService
		name        string
		timeout     int
		logDays     int
		environment map[string]any
	}{
		{fixtures.Shop, contract.HookFunctionName("shop"), 640, 30, map[string]any{
			contract.EnvService: "shop", contract.EnvDistributions: contract.JSON([]contract.Distribution{{ID: "E2QWRUHAPOMQZL", Paths: []string{"/*"}}}),
			contract.EnvOnFailure: string(contract.OnFailureProceed), contract.EnvWaitFor: string(contract.WaitForCompleted), contract.EnvDeadline: "10m0s",
		}},
		{fixtures.Checkout, contract.HookFunctionName("checkout"), 880, 7, map[string]any{
			contract.EnvService: "checkout", contract.EnvDistributions: contract.JSON([]contract.Distribution{{ID: "E2QWRUHAPOMQZM", Paths: []string{"/checkout/*", "#prices"}}, {ID: "E2QWRUHAPOMQZN", Paths: []string{"/*"}}}),
			contract.EnvOnFailure: string(contract.OnFailureFail), contract.EnvWaitFor: string(contract.WaitForCreated), contract.EnvDeadline: "14m0s", contract.EnvRoleARN: fixtures.RoleARN,
		}},
		{fixtures.News, contract.HookFunctionName("news"), 80, 30, map[string]any{
			contract.EnvService: "news", contract.EnvDistributions: contract.JSON([]contract.Distribution{{ID: "E2QWRUHAPOMQZP", Paths: []string{"/*"}}}),
			contract.EnvOnFailure: string(contract.OnFailureProceed), contract.EnvWaitFor: string(contract.WaitForCompleted), contract.EnvDeadline: "10m0s",
		}},
		{fixtures.Feed, contract.HookFunctionName("feed"), 80, 30, map[string]any{
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

// Lambda accepts the name of the function for the longest name of a service.
func TestHookFunctionNameFits(t *testing.T) {
	given := fixtures.Shop
	given.Name = strings.Repeat("x", 49)
	if err := given.Validate(); err != nil {
		t.Errorf("49 characters are refused: %v", err)
	}
	if n := len(contract.HookFunctionName(given.Name)); n != 64 {
		t.Errorf("the function's name has %d characters, want the 64 that Lambda allows", n)
	}
}

func TestHookRoles(t *testing.T) {
	const (
		us    = "arn:aws:codedeploy:us-east-1:" + fixtures.Account + ":deploymentgroup:"
		tokyo = "arn:aws:codedeploy:ap-northeast-1:" + fixtures.Account + ":deploymentgroup:"
	)
	checkRoles(t, hookTemplate, []roleOf[props.ExistingService]{
		{"CodeDeploy's hook", fixtures.Shop, "HookRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return append(logging(t, tmpl, "HookLog"), []call{
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZL", true},
				{"cloudfront:GetInvalidation", edge + "E2QWRUHAPOMQZL", true},
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZM", false},
				{"cloudfront:GetDistribution", edge + "E2QWRUHAPOMQZL", false},
				{"cloudfront:UpdateDistribution", edge + "E2QWRUHAPOMQZL", false},
				{"codedeploy:PutLifecycleEventHookExecutionStatus", us + "shop/shop-blue-green", true},
				{"codedeploy:PutLifecycleEventHookExecutionStatus", us + "shop/another", false},
				{"codedeploy:PutLifecycleEventHookExecutionStatus", us + "another/shop-blue-green", false},
				{"codedeploy:CreateDeployment", us + "shop/shop-blue-green", false},
				{"logs:PutLogEvents", "arn:aws:logs:us-east-1:" + fixtures.Account + ":log-group:/aws/lambda/another:log-stream:s", false},
			}...)
		}},
		{"CodeDeploy's hook of another account's distributions", fixtures.Checkout, "HookRole", func(*testing.T, *assembly.Template) []call {
			return []call{
				{"codedeploy:PutLifecycleEventHookExecutionStatus", tokyo + "AppECS-production-checkout/DgpECS-production-checkout", true},
				{"codedeploy:PutLifecycleEventHookExecutionStatus", us + "AppECS-production-checkout/DgpECS-production-checkout", false},
				{"sts:AssumeRole", fixtures.RoleARN, true},
				{"sts:AssumeRole", fixtures.RoleARN + "2", false},
			}
		}},
		{"ECS's hook", fixtures.News, "HookRole", func(*testing.T, *assembly.Template) []call {
			return []call{
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZP", true},
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZQ", false},
				// The function answers ECS, and needs no permission to report.
				{"codedeploy:PutLifecycleEventHookExecutionStatus", us + "news/news", false},
			}
		}},
		{"ECS", fixtures.News, "HookInvoker", func(t *testing.T, tmpl *assembly.Template) []call {
			return append(invoking(arnOf(t, tmpl, tmpl.OfType("AWS::Lambda::Function")[0].ID)),
				call{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZP", false})
		}},
	})
}

// Only ECS may assume the role that calls the function.
func TestWhoMayCallTheHook(t *testing.T) {
	for _, s := range []props.ExistingService{fixtures.News, fixtures.Feed} {
		tmpl := hookTemplate(t, s)
		role := tmpl.Resources[roleID(t, tmpl, "HookInvoker")]
		equal(t, s.Name+"'s trust", at(t, tmpl, role.Properties, "AssumeRolePolicyDocument", "Statement", 0), map[string]any{
			"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "ecs.amazonaws.com"},
		})
	}
}

func TestHookAlarm(t *testing.T) {
	for _, s := range []props.ExistingService{fixtures.Shop, fixtures.Checkout, fixtures.Feed} {
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
	if n := len(hookTemplate(t, fixtures.News).OfType("AWS::CloudWatch::Alarm")); n != 0 {
		t.Errorf("news has %d alarms, want none: nobody is to be told", n)
	}
	equal(t, "who is told", at(t, hookTemplate(t, fixtures.Checkout), only(t, hookTemplate(t, fixtures.Checkout), "AWS::CloudWatch::Alarm"), "AlarmActions"), []any{fixtures.Checkout.Notifications.TopicARN})

	tmpl := hookTemplate(t, fixtures.Feed)
	topic := at(t, tmpl, map[string]any{"Ref": tmpl.OfType("AWS::SNS::Topic")[0].ID})
	equal(t, "who is told", at(t, tmpl, only(t, tmpl, "AWS::CloudWatch::Alarm"), "AlarmActions"), []any{topic, fixtures.Feed.Notifications.TopicARN})
	equal(t, "address", only(t, tmpl, "AWS::SNS::Subscription")["Endpoint"], "me@feed.dev")
	// Without this statement CloudWatch could not publish, and nobody would be notified.
	statements := at(t, tmpl, only(t, tmpl, "AWS::SNS::TopicPolicy"), "PolicyDocument", "Statement").([]any)
	if len(statements) != 2 {
		t.Fatalf("the topic's policy has %d statements, want 2", len(statements))
	}
	equal(t, "plain HTTP", at(t, tmpl, statements[0], "Effect"), "Deny")
	equal(t, "who may publish", at(t, tmpl, statements[1], "Principal"), map[string]any{"Service": "cloudwatch.amazonaws.com"})
	equal(t, "what", []any{at(t, tmpl, statements[1], "Effect"), at(t, tmpl, statements[1], "Action"), at(t, tmpl, statements[1], "Resource")}, []any{"Allow", "sns:Publish", topic})
	equal(t, "for whom", at(t, tmpl, statements[1], "Condition"), map[string]any{
		"StringEquals": map[string]any{"aws:SourceAccount": fixtures.Account},
		"ArnEquals":    map[string]any{"aws:SourceArn": arnOf(t, tmpl, tmpl.OfType("AWS::CloudWatch::Alarm")[0].ID)},
	})
}
