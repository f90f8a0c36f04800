package stacks

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestServiceRoles(t *testing.T) {
	const us = "us-east-1:" + fixtures.Account + ":"
	ref := func(t *testing.T, tmpl *assembly.Template, cfnType string, i int) string {
		t.Helper()
		return at(t, tmpl, map[string]any{"Ref": tmpl.OfType(cfnType)[i].ID}).(string)
	}
	role := func(t *testing.T, tmpl *assembly.Template, id string) string {
		return arnOf(t, tmpl, roleID(t, tmpl, id))
	}
	repository := func(t *testing.T, tmpl *assembly.Template) string {
		return arnOf(t, tmpl, tmpl.OfType("AWS::ECR::Repository")[0].ID)
	}
	// part names something that ECS makes for the service.
	part := func(t *testing.T, tmpl *assembly.Template, kind string) string {
		return strings.Replace(ref(t, tmpl, "AWS::ECS::Service", 0), ":service/", ":"+kind+"/", 1) + "/1234567890"
	}
	checkRoles(t, fargateTemplate, []roleOf[props.FargateService]{
		{"pipeline", fixtures.API, "PipelineRole", ofPipeline},
		{"source", fixtures.API, "SourceRole", ofSource},
		{"build action", fixtures.API, "PipelineBuildCodePipelineActionRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return ofBuildAction(arnOf(t, tmpl, named(t, tmpl, "AWS::CodeBuild::Project", "Build").ID))
		}},
		{"deploy action by ECS", fixtures.Docs, "PipelineDeployECSCodePipelineActionRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return ofBuildAction(arnOf(t, tmpl, named(t, tmpl, "AWS::CodeBuild::Project", "Deploy").ID))
		}},
		{"notifications to an existing topic", fixtures.Store, "ActionFailedEventsRole", func(*testing.T, *assembly.Template) []call {
			return []call{
				{"sns:Publish", fixtures.Store.Notifications.TopicARN, true},
				{"sns:Publish", fixtures.Store.Notifications.TopicARN + "2", false},
			}
		}},
		{"notifications of successes", fixtures.Store, "SucceededEventsRole", func(*testing.T, *assembly.Template) []call {
			return []call{
				{"sns:Publish", fixtures.Store.Notifications.TopicARN, true},
				{"sns:Publish", fixtures.Store.Notifications.TopicARN + "2", false},
			}
		}},
		{"image build", fixtures.API, "BuildRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return slices.Concat(reading(t, tmpl), putting(artifacts(t, tmpl)), logging(t, tmpl, "BuildLog"), []call{
				{"ecr:GetAuthorizationToken", "*", true},
				{"ecs:DescribeTaskDefinition", "*", true},
				{"ecr:BatchCheckLayerAvailability", repository(t, tmpl), true},
				{"ecr:InitiateLayerUpload", repository(t, tmpl), true},
				{"ecr:UploadLayerPart", repository(t, tmpl), true},
				{"ecr:CompleteLayerUpload", repository(t, tmpl), true},
				{"ecr:PutImage", repository(t, tmpl), true},
				{"ecr:BatchGetImage", repository(t, tmpl), true},
				{"ecr:BatchGetImage", repository(t, tmpl) + "-of-somebody-else", false},
				{"ecr:PutImage", repository(t, tmpl) + "-of-somebody-else", false},
				{"ecr:BatchDeleteImage", repository(t, tmpl), false},
				{"ecr:SetRepositoryPolicy", repository(t, tmpl), false},
				{"s3:DeleteObject", artifacts(t, tmpl) + "/image.zip", false},
				{"logs:PutLogEvents", log(t, tmpl, "ContainerLog"), false},
				{"ecs:UpdateService", ref(t, tmpl, "AWS::ECS::Service", 0), false},
				{"iam:PassRole", role(t, tmpl, "TaskRole"), false},
				{"codeconnections:UseConnection", fixtures.ConnectionARN, false},
			})
		}},
		{"image build that clones", fixtures.Store, "BuildRole", func(*testing.T, *assembly.Template) []call { return ofConnection() }},
		{"start of a task", fixtures.Store, "ExecutionRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"ecr:GetAuthorizationToken", "*", true},
				{"ecr:BatchGetImage", repository(t, tmpl), true},
				{"ecr:GetDownloadUrlForLayer", repository(t, tmpl), true},
				{"ecr:BatchGetImage", repository(t, tmpl) + "2", false},
				{"ecr:PutImage", repository(t, tmpl), false},
				{"logs:CreateLogStream", log(t, tmpl, "ContainerLog"), true},
				{"logs:PutLogEvents", log(t, tmpl, "ContainerLog"), true},
				{"logs:PutLogEvents", log(t, tmpl, "HookLog"), false},
				{"ssm:GetParameters", "arn:aws:ssm:ap-northeast-1:" + fixtures.Account + ":parameter/store/token", true},
				{"ssm:GetParameters", "arn:aws:ssm:ap-northeast-1:" + fixtures.Account + ":parameter/store/token2", false},
				{"ssm:GetParameters", "arn:aws:ssm:ap-northeast-1:" + fixtures.Account + ":parameter/store/old-token", true},
				{"ssm:GetParameter", "arn:aws:ssm:ap-northeast-1:" + fixtures.Account + ":parameter/store/token", false},
				{"ssm:GetParameterHistory", "arn:aws:ssm:ap-northeast-1:" + fixtures.Account + ":parameter/store/token", false},
				{"secretsmanager:DescribeSecret", fixtures.Store.Container.Secrets["DATABASE"], false},
				{"secretsmanager:GetSecretValue", fixtures.Store.Container.Secrets["DATABASE"], true},
				{"secretsmanager:GetSecretValue", fixtures.StoreSecret + "old-AbCdEf", true},
				{"secretsmanager:GetSecretValue", fixtures.StoreSecret + "rds!cluster-" + fixtures.UUID + "-AbCdEf", true},
				{"secretsmanager:GetSecretValue", fixtures.StoreSecret + "prod/a_b+c=d.e@f-g-AbCdEf", true},
				{"secretsmanager:GetSecretValue", fixtures.StoreSecret + "prod/db-secret", true},
				{"secretsmanager:GetSecretValue", fixtures.StoreSecret + "prod/db-secret-AbCdEf", false},
				{"secretsmanager:GetSecretValue", fixtures.StoreSecret + "store-AbCdEg", false},
				{"secretsmanager:GetSecretValue", fixtures.StoreSecret + "store-AbCdEf-AbCdEf", false},
				{"secretsmanager:GetSecretValue", fixtures.StoreSecret + "other-AbCdEf", false},
			}
		}},
		{"start of a private image", fixtures.Inner, "ExecutionRole", func(t *testing.T, tmpl *assembly.Template) []call {
			const first = "arn:aws:ecr:" + us + "repository/team/first"
			return []call{
				{"ecr:BatchCheckLayerAvailability", first, true},
				{"ecr:GetDownloadUrlForLayer", first, true},
				{"ecr:BatchGetImage", first, true},
				{"ecr:BatchGetImage", first + "2", false},
				{"ecr:PutImage", first, false},
				{"ecr:BatchGetImage", repository(t, tmpl), true},
			}
		}},
		{"task", fixtures.Store, "TaskRole", func(t *testing.T, tmpl *assembly.Template) []call {
			return []call{
				{"logs:PutLogEvents", log(t, tmpl, "ContainerLog"), false},
				{"secretsmanager:GetSecretValue", fixtures.Store.Container.Secrets["DATABASE"], false},
				{"s3:GetObject", artifacts(t, tmpl) + "/source.zip", false},
			}
		}},
		{"CodeDeploy", fixtures.API, "DeploymentRole", func(t *testing.T, tmpl *assembly.Template) []call {
			const listener = "AWS::ElasticLoadBalancingV2::Listener"
			rule := strings.Replace(ref(t, tmpl, listener, 0), ":listener/", ":listener-rule/", 1) + "/1234567890abcdef"
			return append(invoking("arn:aws:lambda:"+us+"function:"+contract.HookFunctionName("api")), []call{
				{"ecs:DescribeServices", ref(t, tmpl, "AWS::ECS::Service", 0), true},
				{"ecs:UpdateServicePrimaryTaskSet", ref(t, tmpl, "AWS::ECS::Service", 0), true},
				{"ecs:CreateTaskSet", part(t, tmpl, "task-set"), true},
				{"ecs:DeleteTaskSet", part(t, tmpl, "task-set"), true},
				{"ecs:DeleteTaskSet", "arn:aws:ecs:" + us + "task-set/production/shop/1234567890", false},
				{"ecs:UpdateServicePrimaryTaskSet", ref(t, tmpl, "AWS::ECS::Service", 0) + "2", false},
				{"ecs:DeleteService", ref(t, tmpl, "AWS::ECS::Service", 0), false},
				{"elasticloadbalancing:DescribeTargetGroups", "*", true},
				{"elasticloadbalancing:DescribeListeners", "*", true},
				{"elasticloadbalancing:DescribeRules", "*", true},
				{"elasticloadbalancing:ModifyListener", ref(t, tmpl, listener, 0), true},
				{"elasticloadbalancing:ModifyListener", ref(t, tmpl, listener, 1), true},
				{"elasticloadbalancing:ModifyListener", "arn:aws:elasticloadbalancing:" + us + "listener/app/other/0123456789abcdef/0123456789abcdef", false},
				{"elasticloadbalancing:ModifyRule", rule, true},
				{"elasticloadbalancing:DeleteListener", ref(t, tmpl, listener, 0), false},
				{"lambda:InvokeFunction", "arn:aws:lambda:" + us + "function:" + contract.HookFunctionName("store"), false},
				{"cloudwatch:DescribeAlarms", "arn:aws:cloudwatch:" + us + "alarm:api-latency", true},
				{"cloudwatch:PutMetricAlarm", "arn:aws:cloudwatch:" + us + "alarm:api-latency", false},
				{"s3:GetObject", artifacts(t, tmpl) + "/image.zip", true},
				{"s3:GetObjectVersion", artifacts(t, tmpl) + "/image.zip", true},
				{"s3:PutObject", artifacts(t, tmpl) + "/image.zip", false},
				{"sns:Publish", "arn:aws:sns:" + us + "alerts", false},
			}...)
		}},
		{"CodeDeploy in a shared cluster", fixtures.Shared, "DeploymentRole", func(t *testing.T, tmpl *assembly.Template) []call {
			made := "arn:aws:ecs:" + us + "service/production/" + at(t, tmpl, tmpl.Outputs["ServiceName"].Value).(string)
			return []call{
				{"ecs:UpdateServicePrimaryTaskSet", made, true},
				{"ecs:UpdateServicePrimaryTaskSet", "arn:aws:ecs:" + us + "service/production/another", false},
				{"ecs:DeleteTaskSet", strings.Replace(made, ":service/", ":task-set/", 1) + "/1234567890", true},
				{"ecs:DeleteTaskSet", "arn:aws:ecs:" + us + "task-set/production/another/1234567890", false},
			}
		}},
		{"deploy by CodeDeploy", fixtures.API, "DeployRole", func(t *testing.T, tmpl *assembly.Template) []call {
			application, group := ref(t, tmpl, "AWS::CodeDeploy::Application", 0), ref(t, tmpl, "AWS::CodeDeploy::DeploymentGroup", 0)
			const deploy = "arn:aws:codedeploy:" + us
			return append(reading(t, tmpl), []call{
				{"codedeploy:GetApplication", deploy + "application:" + application, true},
				{"codedeploy:GetApplicationRevision", deploy + "application:" + application, true},
				{"codedeploy:RegisterApplicationRevision", deploy + "application:" + application, true},
				{"codedeploy:RegisterApplicationRevision", deploy + "application:another", false},
				{"codedeploy:CreateDeployment", deploy + "deploymentgroup:" + application + "/" + group, true},
				{"codedeploy:GetDeployment", deploy + "deploymentgroup:" + application + "/" + group, true},
				{"codedeploy:CreateDeployment", deploy + "deploymentgroup:" + application + "/another", false},
				{"codedeploy:GetDeploymentConfig", deploy + "deploymentconfig:CodeDeployDefault.ECSAllAtOnce", true},
				{"codedeploy:DeleteDeploymentGroup", deploy + "deploymentgroup:" + application + "/" + group, false},
				{"ecs:RegisterTaskDefinition", "arn:aws:ecs:" + us + "task-definition/api-service:7", true},
				{"ecs:RegisterTaskDefinition", "arn:aws:ecs:" + us + "task-definition/another:7", false},
				{"ecs:UpdateService", ref(t, tmpl, "AWS::ECS::Service", 0), false},
				{"s3:PutObject", artifacts(t, tmpl) + "/image.zip", false},
			}...)
		}},
		{"deploy by ECS", fixtures.Docs, "DeployRole", func(t *testing.T, tmpl *assembly.Template) []call {
			made := ref(t, tmpl, "AWS::ECS::Service", 0)
			return slices.Concat(reading(t, tmpl), logging(t, tmpl, "DeployLog"), []call{
				{"ecs:RegisterTaskDefinition", "arn:aws:ecs:" + us + "task-definition/docs-service:7", true},
				{"ecs:RegisterTaskDefinition", "arn:aws:ecs:" + us + "task-definition/docs-service-template:7", false},
				{"ecs:DeregisterTaskDefinition", "*", true},
				{"ecs:DeleteTaskDefinitions", "arn:aws:ecs:" + us + "task-definition/docs-service:7", false},
				{"ecs:UpdateService", made, true},
				{"ecs:UpdateService", made + "2", false},
				{"ecs:ListServiceDeployments", made, true},
				{"ecs:DescribeServiceDeployments", part(t, tmpl, "service-deployment"), true},
				{"ecs:DescribeServiceRevisions", part(t, tmpl, "service-revision"), true},
				{"ecs:DescribeServiceRevisions", "arn:aws:ecs:" + us + "service-revision/production/shop/1234567890", false},
				{"ecs:DeleteService", made, false},
				{"s3:PutObject", artifacts(t, tmpl) + "/image.zip", false},
				{"logs:PutLogEvents", log(t, tmpl, "BuildLog"), false},
				{"ecr:PutImage", repository(t, tmpl), false},
			})
		}},
		{"ECS's traffic", fixtures.Docs, "TrafficRole", func(t *testing.T, tmpl *assembly.Template) []call {
			const (
				listener = "AWS::ElasticLoadBalancingV2::Listener"
				rule     = listener + "Rule"
				group    = "AWS::ElasticLoadBalancingV2::TargetGroup"
			)
			return []call{
				{"elasticloadbalancing:DescribeListeners", "*", true},
				{"elasticloadbalancing:DescribeRules", "*", true},
				{"elasticloadbalancing:DescribeTargetGroups", "*", true},
				{"elasticloadbalancing:DescribeTargetHealth", "*", true},
				{"elasticloadbalancing:RegisterTargets", ref(t, tmpl, group, 0), true},
				{"elasticloadbalancing:DeregisterTargets", ref(t, tmpl, group, 1), true},
				{"elasticloadbalancing:RegisterTargets", "arn:aws:elasticloadbalancing:" + us + "targetgroup/other/0123456789abcdef", false},
				{"elasticloadbalancing:ModifyRule", ref(t, tmpl, rule, 0), true},
				{"elasticloadbalancing:ModifyRule", ref(t, tmpl, rule, 1), true},
				{"elasticloadbalancing:ModifyRule", ref(t, tmpl, rule, 0) + "0", false},
				{"elasticloadbalancing:ModifyListener", ref(t, tmpl, listener, 0), true},
				{"elasticloadbalancing:DeleteRule", ref(t, tmpl, rule, 0), false},
			}
		}},
		{"ECS's hook", fixtures.Docs, "HookInvoker", func(t *testing.T, tmpl *assembly.Template) []call {
			return invoking(arnOf(t, tmpl, tmpl.OfType("AWS::Lambda::Function")[0].ID))
		}},
		{"hook", fixtures.Store, "HookRole", func(t *testing.T, tmpl *assembly.Template) []call {
			group := "arn:aws:codedeploy:ap-northeast-1:" + fixtures.Account + ":deploymentgroup:" +
				ref(t, tmpl, "AWS::CodeDeploy::Application", 0) + "/" + ref(t, tmpl, "AWS::CodeDeploy::DeploymentGroup", 0)
			return append(logging(t, tmpl, "HookLog"), []call{
				{"codedeploy:PutLifecycleEventHookExecutionStatus", group, true},
				{"codedeploy:PutLifecycleEventHookExecutionStatus", group + "2", false},
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZM", true},
				{"cloudfront:GetInvalidation", edge + "E2QWRUHAPOMQZM", true},
				{"cloudfront:CreateInvalidation", edge + "E2QWRUHAPOMQZL", false},
			}...)
		}},
	})
}

// CodeDeploy and the pipeline may pass only two roles to ECS tasks: the execution role and the task role.
func TestPassedRoles(t *testing.T) {
	eachFargate(t, func(t *testing.T, _ props.FargateService, tmpl *assembly.Template) {
		want := []any{arnOf(t, tmpl, roleID(t, tmpl, "ExecutionRole")), arnOf(t, tmpl, roleID(t, tmpl, "TaskRole"))}
		passing := 0
		for _, policy := range tmpl.OfType("AWS::IAM::Policy") {
			for _, s := range at(t, tmpl, policy.Properties, "PolicyDocument", "Statement").([]any) {
				statement := s.(map[string]any)
				if !strings.Contains(fmt.Sprint(statement["Action"]), "iam:") {
					continue
				}
				passing++
				equal(t, policy.ID+"'s action", statement["Action"], "iam:PassRole")
				equal(t, policy.ID+"'s roles", statement["Resource"], want)
				equal(t, policy.ID+"'s condition", statement["Condition"], map[string]any{"StringEquals": map[string]any{"iam:PassedToService": "ecs-tasks.amazonaws.com"}})
			}
		}
		if passing == 0 {
			t.Error("nobody may hand the roles over")
		}
	})
}
