package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodedeploy"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	actions "github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/buildspec"
)

// codeDeployActions lead production to the tasks that there are, and tests to where
// the next ones will be. CodeDeploy moves both.
func codeDeployActions(b loadBalancer) (production, test elb.ListenerAction) {
	return elb.ListenerAction_Forward(&[]elb.IApplicationTargetGroup{b.blue}, nil),
		elb.ListenerAction_Forward(&[]elb.IApplicationTargetGroup{b.green}, nil)
}

// deliverByCodeDeploy makes the service, what deploys it, and the stages that get it
// there.
func deliverByCodeDeploy(stack awscdk.Stack, s FargateService, parts serviceParts) (loadBalancer, awsecs.FargateService, []*awscodepipeline.StageProps) {
	balancer := newLoadBalancer(stack, s.LoadBalancer, s.Container, parts.vpc, s.VPC.cidr(), codeDeployActions)
	service := newECSService(stack, s, parts, func(*awsecs.FargateServiceProps) {})
	service.AttachToApplicationTargetGroup(balancer.blue)
	newScaling(stack, s.Scaling, service, balancer)
	group := newDeploymentGroup(stack, s, service, parts, balancer)
	grantHookReport(stack, parts.hookRole, group.Application().ApplicationName(), group.DeploymentGroupName())
	build := newImageBuild(stack, s, parts, s.renderAppSpec())
	deploy := newCodeDeployAction(stack, group, parts, build.output)
	return balancer, service, []*awscodepipeline.StageProps{stage("Build", build.action), stage("Deploy", deploy)}
}

// newDeploymentGroup makes what CodeDeploy deploys a service with. A deployment that
// fails, is stopped or sets off an alarm goes back to the version before.
func newDeploymentGroup(stack awscdk.Stack, s FargateService, service awsecs.FargateService, parts serviceParts, balancer loadBalancer) awscodedeploy.EcsDeploymentGroup {
	role := newDeploymentRole(stack, s, service, parts, balancer)
	alarms := s.alarms(stack, balancer)
	watched := make([]interfacesawscloudwatch.IAlarmRef, len(alarms))
	for i, alarm := range alarms {
		watched[i] = alarm
	}
	rollback := &awscodedeploy.AutoRollbackConfig{FailedDeployment: jsii.Bool(true), StoppedDeployment: jsii.Bool(true)}
	if len(alarms) > 0 { // else CodeDeploy refuses it
		rollback.DeploymentInAlarm = jsii.Bool(true)
	}
	group := awscodedeploy.NewEcsDeploymentGroup(stack, jsii.String("Deployments"), &awscodedeploy.EcsDeploymentGroupProps{
		Application: awscodedeploy.NewEcsApplication(stack, jsii.String("Application"), nil),
		Service:     service,
		// Without the managed policy that CDK attaches, which may shift the traffic of
		// every load balancer, call every function and hand on every role.
		Role:             role.WithoutPolicyUpdates(&awsiam.WithoutPolicyUpdatesOptions{}),
		DeploymentConfig: s.Shift.byCodeDeploy(),
		BlueGreenDeploymentConfig: &awscodedeploy.EcsBlueGreenDeploymentConfig{
			BlueTargetGroup:     balancer.blue,
			GreenTargetGroup:    balancer.green,
			Listener:            balancer.production,
			TestListener:        balancer.test,
			TerminationWaitTime: awscdk.Duration_Minutes(jsii.Number(s.KeepOld.Minutes())),
		},
		Alarms:       &watched,
		AutoRollback: rollback,
	})
	group.Node().AddDependency(role)
	return group
}

// newDeploymentRole allows what AWSCodeDeployRoleForECS does, of this service alone.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCodeDeployRoleForECS.html
func newDeploymentRole(stack awscdk.Stack, s FargateService, service awsecs.FargateService, parts serviceParts, balancer loadBalancer) awsiam.Role {
	role := newServiceRole(stack, "DeploymentRole", "codedeploy.amazonaws.com", "Shifts the traffic of the service "+s.Name)
	allow := func(resources []*string, names ...string) {
		role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings(names...), Resources: &resources}))
	}
	allow([]*string{service.ServiceArn(), partOfService(stack, service, "task-set")},
		"ecs:DescribeServices", "ecs:CreateTaskSet", "ecs:UpdateServicePrimaryTaskSet", "ecs:DeleteTaskSet")
	parts.task.allowPassing(role)
	production, test := balancer.production.ListenerArn(), balancer.test.ListenerArn()
	allow([]*string{production, test}, "elasticloadbalancing:ModifyListener")
	allow([]*string{rulesOf(production), rulesOf(test)}, "elasticloadbalancing:ModifyRule")
	// By its name: the function's role names the deployment group. The second ARN is that
	// of its versions and aliases, which AWS's policy allows as well.
	hook := stack.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("lambda"), Resource: jsii.String("function"), ResourceName: jsii.String(hookFunctionName(s.Name)),
		ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
	allow([]*string{hook, jsii.String(*hook + ":*")}, "lambda:InvokeFunction")
	// Not documented: whether CodePipeline hands the revision over itself or by its
	// place in the bucket.
	allow([]*string{parts.artifacts.ArnForObjects(jsii.String("*"))}, "s3:GetObject", "s3:GetObjectVersion")
	// CloudWatch asks for all alarms, also where a call names some.
	allow([]*string{stack.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("cloudwatch"), Resource: jsii.String("alarm"), ResourceName: jsii.String("*"),
		ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})}, "cloudwatch:DescribeAlarms")
	// IAM knows no resource for these.
	allow(*jsii.Strings("*"), "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules")
	justifyWildcards(role, "CodeDeploy and CodePipeline make up the names of task sets, rules and artifacts; the hook's function may be called by a version or alias; describing load balancers has no resource to name.")
	return role
}

// partOfService returns the ARN of all that ECS makes of a kind for one service.
func partOfService(stack awscdk.Stack, service awsecs.FargateService, kind string) *string {
	return stack.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("ecs"), Resource: jsii.String(kind),
		ResourceName: jsii.String(*service.Cluster().ClusterName() + "/" + *service.ServiceName() + "/*"),
	})
}

// rulesOf returns the ARN of all rules of a listener.
func rulesOf(listenerARN *string) *string {
	parts := awscdk.Fn_Split(jsii.String(":listener/"), listenerARN, nil)
	return jsii.String(*awscdk.Fn_Select(jsii.Number(0), parts) + ":listener-rule/" + *awscdk.Fn_Select(jsii.Number(1), parts) + "/*")
}

// newCodeDeployAction makes the action that registers the task definition and has
// CodeDeploy deploy it.
func newCodeDeployAction(stack awscdk.Stack, group awscodedeploy.EcsDeploymentGroup, parts serviceParts, input awscodepipeline.Artifact) awscodepipeline.IAction {
	role := newActionRole(stack, "DeployRole", parts.pipelineRole, "Deploys the service")
	parts.artifacts.GrantRead(role, nil)
	allow := func(resource *string, names ...string) {
		role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings(names...), Resources: &[]*string{resource}}))
	}
	allow(group.Application().ApplicationArn(), "codedeploy:GetApplication", "codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision")
	allow(group.DeploymentGroupArn(), "codedeploy:CreateDeployment", "codedeploy:GetDeployment")
	allow(group.DeploymentConfig().DeploymentConfigArn(), "codedeploy:GetDeploymentConfig")
	parts.task.allowRegistering(stack, role)
	parts.task.allowPassing(role)
	justifyWildcards(role, artifactKeys+" ECS numbers the revisions of the task definition.")

	return actions.NewCodeDeployEcsDeployAction(&actions.CodeDeployEcsDeployActionProps{
		ActionName:      jsii.String("CodeDeploy"),
		DeploymentGroup: group,
		// Without CDK's own grants: it may hand every role of the account to ECS.
		Role:                       role.WithoutPolicyUpdates(&awsiam.WithoutPolicyUpdatesOptions{}),
		AppSpecTemplateFile:        input.AtPath(jsii.String(buildspec.AppSpecFile)),
		TaskDefinitionTemplateFile: input.AtPath(jsii.String(buildspec.TaskDefinitionFile)),
		ContainerImageInputs: &[]*actions.CodeDeployEcsContainerImageInput{{
			Input: input, TaskDefinitionPlaceholder: jsii.String(buildspec.ImagePlaceholder),
		}},
	})
}
