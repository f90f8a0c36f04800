package service

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodedeploy"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	actions "github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/appspec"
	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// deployByCodeDeploy makes a service that CodeDeploy deploys, its load balancer, and the stages of
// the pipeline that build and deploy the image.
func deployByCodeDeploy(scope constructs.Construct, s props.FargateService, p parts) delivered {
	groups := newTargetGroups(scope, s.Container, p.vpc)
	// At first, the production listener leads to the first tasks, and the test listener to where
	// those of the next version will be. CodeDeploy changes both.
	balancer := newLoadBalancer(scope, s.LoadBalancer, p.vpc, s.VPC.Range(), groups, forwardTo(groups.blue), forwardTo(groups.green))
	service := newECSService(scope, s, p, awsecs.FargateServiceProps{})
	service.AttachToApplicationTargetGroup(balancer.blue)
	newScaling(scope, s.Scaling, service, balancer)
	group := newDeploymentGroup(scope, s, service, p, balancer)
	p.hook.GrantReport(*group.Application().ApplicationName(), *group.DeploymentGroupName())
	build := newImageBuild(scope, s, p, renderAppSpec(s))
	return delivered{balancer, service, build, newCodeDeployAction(scope, group, p, build.Output)}
}

// forwardTo sends all requests to one target group.
func forwardTo(group elb.IApplicationTargetGroup) elb.ListenerAction {
	return elb.ListenerAction_Forward(&[]elb.IApplicationTargetGroup{group}, nil)
}

// shiftByCodeDeploy returns the deployment configuration of CodeDeploy for a Shift.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
func shiftByCodeDeploy(s props.Shift) awscodedeploy.IEcsDeploymentConfig {
	switch s {
	case props.ShiftCanary:
		return awscodedeploy.EcsDeploymentConfig_CANARY_10PERCENT_5MINUTES()
	case props.ShiftLinear:
		return awscodedeploy.EcsDeploymentConfig_LINEAR_10PERCENT_EVERY_1MINUTES()
	}
	return awscodedeploy.EcsDeploymentConfig_ALL_AT_ONCE()
}

// newDeploymentGroup makes the deployment group. A deployment that fails, is stopped or sets off an
// alarm is rolled back.
func newDeploymentGroup(scope constructs.Construct, s props.FargateService, service awsecs.FargateService, p parts, balancer loadBalancer) awscodedeploy.EcsDeploymentGroup {
	role := newDeploymentRole(scope, s, service, p, balancer)
	alarms := newAlarms(scope, s, balancer)
	watched := make([]interfacesawscloudwatch.IAlarmRef, len(alarms))
	for i, alarm := range alarms {
		watched[i] = alarm
	}
	rollback := &awscodedeploy.AutoRollbackConfig{FailedDeployment: jsii.Bool(true), StoppedDeployment: jsii.Bool(true)}
	if len(alarms) > 0 { // CodeDeploy accepts this only with alarms.
		rollback.DeploymentInAlarm = jsii.Bool(true)
	}
	group := awscodedeploy.NewEcsDeploymentGroup(scope, jsii.String("Deployments"), &awscodedeploy.EcsDeploymentGroupProps{
		Application: awscodedeploy.NewEcsApplication(scope, jsii.String("Application"), nil),
		Service:     service,
		// Without the managed policy that the CDK attaches, which allows changing every load
		// balancer, calling every function and passing every role.
		Role:             role.WithoutPolicyUpdates(&awsiam.WithoutPolicyUpdatesOptions{}),
		DeploymentConfig: shiftByCodeDeploy(s.Shift),
		BlueGreenDeploymentConfig: &awscodedeploy.EcsBlueGreenDeploymentConfig{
			BlueTargetGroup:     balancer.blue,
			GreenTargetGroup:    balancer.green,
			Listener:            balancer.production,
			TestListener:        balancer.test,
			TerminationWaitTime: cdk.Duration(s.KeepOld),
		},
		Alarms:       &watched,
		AutoRollback: rollback,
	})
	group.Node().AddDependency(role)
	return group
}

// newDeploymentRole makes a role that allows what AWS's policy AWSCodeDeployRoleForECS does, but
// with this service alone.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCodeDeployRoleForECS.html
func newDeploymentRole(scope constructs.Construct, s props.FargateService, service awsecs.FargateService, p parts, balancer loadBalancer) awsiam.Role {
	role := cdk.NewServiceRole(scope, "DeploymentRole", "codedeploy.amazonaws.com", "Shifts the traffic of the service "+s.Name)
	cdk.Allow(role, []string{"ecs:DescribeServices", "ecs:CreateTaskSet", "ecs:UpdateServicePrimaryTaskSet", "ecs:DeleteTaskSet"},
		*service.ServiceArn(), partOfService(scope, service, "task-set"))
	p.task.allowPassing(role)
	production, test := *balancer.production.ListenerArn(), *balancer.test.ListenerArn()
	cdk.Allow(role, []string{"elasticloadbalancing:ModifyListener"}, production, test)
	cdk.Allow(role, []string{"elasticloadbalancing:ModifyRule"}, rulesOf(production), rulesOf(test))
	// The function is named by its text, because its own role refers to the deployment group,
	// which refers to this role. Its versions and aliases have the second ARN; AWS's policy
	// allows these, too.
	hook := cdk.ARN(scope, "lambda", "function:"+contract.HookFunctionName(s.Name))
	cdk.Allow(role, []string{"lambda:InvokeFunction"}, hook, hook+":*")
	// AWS does not document whether CodePipeline hands over the revision itself or its place in
	// the bucket.
	cdk.Allow(role, []string{"s3:GetObject", "s3:GetObjectVersion"}, *p.base.Artifacts.ArnForObjects(jsii.String("*")))
	// CloudWatch checks the permission for all alarms, even if a call names some.
	cdk.Allow(role, []string{"cloudwatch:DescribeAlarms"}, cdk.ARN(scope, "cloudwatch", "alarm:*"))
	// IAM has no resource for these actions.
	cdk.Allow(role, []string{"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules"}, "*")
	cdk.JustifyWildcards(role, "CodeDeploy and CodePipeline make up the names of task sets, rules and artifacts; the hook's function may be called by a version or alias; describing load balancers has no resource to name.")
	return role
}

// rulesOf returns the ARN of all rules of a listener.
func rulesOf(listenerARN string) string {
	parts := awscdk.Fn_Split(jsii.String(":listener/"), &listenerARN, nil)
	return *awscdk.Fn_Select(jsii.Number(0), parts) + ":listener-rule/" + *awscdk.Fn_Select(jsii.Number(1), parts) + "/*"
}

// newCodeDeployAction makes the action that registers the task definition, and has CodeDeploy
// deploy it.
func newCodeDeployAction(scope constructs.Construct, group awscodedeploy.EcsDeploymentGroup, p parts, input awscodepipeline.Artifact) awscodepipeline.IAction {
	role := cdk.NewActionRole(scope, "DeployRole", p.base.Principal, "Deploys the service")
	p.base.Artifacts.GrantRead(role, nil)
	cdk.Allow(role, []string{"codedeploy:GetApplication", "codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision"},
		*group.Application().ApplicationArn())
	cdk.Allow(role, []string{"codedeploy:CreateDeployment", "codedeploy:GetDeployment"}, *group.DeploymentGroupArn())
	cdk.Allow(role, []string{"codedeploy:GetDeploymentConfig"}, *group.DeploymentConfig().DeploymentConfigArn())
	p.task.allowRegistering(scope, role)
	p.task.allowPassing(role)
	cdk.JustifyWildcards(role, cdk.ArtifactKeys+" ECS numbers the revisions of the task definition.")

	return actions.NewCodeDeployEcsDeployAction(&actions.CodeDeployEcsDeployActionProps{
		ActionName:      jsii.String("CodeDeploy"),
		DeploymentGroup: group,
		// Without the CDK's own grants, which allow passing every role of the account to ECS.
		Role:                       role.WithoutPolicyUpdates(&awsiam.WithoutPolicyUpdatesOptions{}),
		AppSpecTemplateFile:        input.AtPath(jsii.String(buildspec.AppSpecFile)),
		TaskDefinitionTemplateFile: input.AtPath(jsii.String(buildspec.TaskDefinitionFile)),
		ContainerImageInputs: &[]*actions.CodeDeployEcsContainerImageInput{{
			Input: input, TaskDefinitionPlaceholder: jsii.String(buildspec.ImagePlaceholder),
		}},
	})
}

// renderAppSpec returns the AppSpec that the build hands on to CodeDeploy. s must be valid.
func renderAppSpec(s props.FargateService) string {
	spec, err := s.AppSpec()
	if err != nil {
		panic(err)
	}
	text, err := appspec.Render(spec)
	if err != nil {
		panic(err)
	}
	return text
}
