package service

import (
	"strconv"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/buildspec/curated"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/hook"
	"blog-deploy-pipeline/stacks/pipeline"
	"blog-deploy-pipeline/stacks/props"
)

const (
	// taskTime is how long a deployment may take to start new tasks and to stop the old ones.
	taskTime = 30 * time.Minute
	// The steps of CodeDeploy's predefined configurations. ECS has none with names.
	canaryPercent, canaryWait = 10, 5 * time.Minute
	linearPercent, linearWait = 10, time.Minute
	// maxDeployTime leaves the build that watches a deployment some time until its limit, 36 hours.
	maxDeployTime = 35 * time.Hour
)

// deployByECS makes a service that ECS itself deploys, its load balancer, and the stages of the
// pipeline that build and deploy the image.
func deployByECS(scope constructs.Construct, s props.FargateService, p parts) delivered {
	groups := newTargetGroups(scope, s.Container, p.vpc)
	balancer := newLoadBalancer(scope, s.LoadBalancer, p.vpc, s.VPC.Range(), groups, notFound(), notFound())
	rules := newTrafficRules(scope, balancer)
	balancer.moved = append(balancer.moved, rules.production, rules.test)
	alarms := newAlarms(scope, s, balancer)
	settings := shiftByECS(s.Shift)
	settings.BakeTime = cdk.Duration(s.KeepOld)
	settings.CircuitBreaker = &awsecs.DeploymentCircuitBreaker{Enable: jsii.Bool(true), Rollback: jsii.Bool(true)}
	if len(alarms) > 0 { // The CDK accepts this only with alarms.
		settings.DeploymentAlarms = rollBackOn(alarms)
	}
	service := newECSService(scope, s, p, settings)
	if len(alarms) == 0 {
		watchNoAlarms(service)
	}
	attachByECS(scope, s, service, balancer, rules)
	newScaling(scope, s.Scaling, service, balancer)
	callHook(service, p.hook, s.Hook.Events)
	build := newImageBuild(scope, s, p, "")
	return delivered{balancer, service, build, newECSAction(scope, s, service, p, build.Output)}
}

// notFound answers requests that match no rule. ECS changes rules and not the default action of a
// listener, so that CloudFormation can change a listener without moving visitors.
func notFound() elb.ListenerAction { return elb.ListenerAction_FixedResponse(jsii.Number(404), nil) }

// rollBackOn has ECS roll back a deployment when one of the alarms goes off.
func rollBackOn(alarms []awscloudwatch.IAlarm) *awsecs.DeploymentAlarmConfig {
	names := make([]*string, len(alarms))
	for i, alarm := range alarms {
		names[i] = alarm.AlarmName()
	}
	return &awsecs.DeploymentAlarmConfig{AlarmNames: &names, Behavior: awsecs.AlarmBehavior_ROLLBACK_ON_ALARM}
}

// watchNoAlarms tells ECS that the service has no alarms. An update that says nothing of alarms may
// leave the former ones in place, which no longer exist.
func watchNoAlarms(service awsecs.FargateService) {
	cfnService(service).AddPropertyOverride(jsii.String("DeploymentConfiguration.Alarms"), map[string]any{
		"AlarmNames": []string{}, "Enable": false, "Rollback": false,
	})
}

// shiftByECS returns the settings that mean the same for ECS as CodeDeploy's configurations.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service-options.html
func shiftByECS(s props.Shift) awsecs.FargateServiceProps {
	step := func(percent int, wait time.Duration) *awsecs.TrafficShiftConfig {
		return &awsecs.TrafficShiftConfig{StepPercent: jsii.Number(percent), StepBakeTime: cdk.Duration(wait)}
	}
	switch s {
	case props.ShiftCanary:
		return awsecs.FargateServiceProps{
			DeploymentStrategy:  awsecs.DeploymentStrategy_CANARY,
			CanaryConfiguration: step(canaryPercent, canaryWait),
		}
	case props.ShiftLinear:
		return awsecs.FargateServiceProps{
			DeploymentStrategy:  awsecs.DeploymentStrategy_LINEAR,
			LinearConfiguration: step(linearPercent, linearWait),
		}
	}
	return awsecs.FargateServiceProps{DeploymentStrategy: awsecs.DeploymentStrategy_BLUE_GREEN}
}

// trafficRules are the listeners' rules, which a deployment by ECS changes.
type trafficRules struct{ production, test elb.ApplicationListenerRule }

// newTrafficRules makes rules that send all requests to the first tasks.
func newTrafficRules(scope constructs.Construct, balancer loadBalancer) trafficRules {
	rule := func(id string, listener elb.ApplicationListener) elb.ApplicationListenerRule {
		return elb.NewApplicationListenerRule(scope, jsii.String(id), &elb.ApplicationListenerRuleProps{
			Listener:   listener,
			Priority:   jsii.Number(1),
			Conditions: &[]elb.ListenerCondition{elb.ListenerCondition_PathPatterns(jsii.Strings("/*"))},
			// ECS needs both groups to belong to the load balancer from the start.
			Action: elb.ListenerAction_WeightedForward(&[]*elb.WeightedTargetGroup{
				{TargetGroup: balancer.blue, Weight: jsii.Number(100)},
				{TargetGroup: balancer.green, Weight: jsii.Number(0)},
			}, nil),
		})
	}
	return trafficRules{rule("ProductionRule", balancer.production), rule("TestRule", balancer.test)}
}

// attachByECS gives the service its two target groups, and the rules that lead to them.
func attachByECS(scope constructs.Construct, s props.FargateService, service awsecs.FargateService, balancer loadBalancer, rules trafficRules) {
	role := newTrafficRole(scope, s, balancer, rules)
	service.LoadBalancerTarget(&awsecs.LoadBalancerTargetOptions{
		ContainerName: jsii.String(props.ContainerName),
		ContainerPort: jsii.Number(s.Container.Port),
		AlternateTarget: awsecs.NewAlternateTarget(jsii.String("Alternate"), &awsecs.AlternateTargetProps{
			AlternateTargetGroup: balancer.green,
			ProductionListener:   awsecs.ListenerRuleConfiguration_ApplicationListenerRule(rules.production),
			TestListener:         awsecs.ListenerRuleConfiguration_ApplicationListenerRule(rules.test),
			Role:                 role,
		}),
	}).AttachToApplicationTargetGroup(balancer.blue)
	service.Node().AddDependency(role)
}

// newTrafficRole makes a role that allows what AWS's policy
// AmazonECSInfrastructureRolePolicyForLoadBalancers does, but with this service's load balancer
// alone.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonECSInfrastructureRolePolicyForLoadBalancers.html
func newTrafficRole(scope constructs.Construct, s props.FargateService, balancer loadBalancer, rules trafficRules) awsiam.Role {
	role := cdk.NewServiceRole(scope, "TrafficRole", "ecs.amazonaws.com", "Shifts the traffic of the service "+s.Name)
	cdk.Allow(role, []string{"elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"},
		*balancer.blue.TargetGroupArn(), *balancer.green.TargetGroupArn())
	cdk.Allow(role, []string{"elasticloadbalancing:ModifyListener"}, *balancer.production.ListenerArn(), *balancer.test.ListenerArn())
	cdk.Allow(role, []string{"elasticloadbalancing:ModifyRule"}, *rules.production.ListenerRuleArn(), *rules.test.ListenerRuleArn())
	// IAM has no resource for these actions.
	cdk.Allow(role, []string{"elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules",
		"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth"}, "*")
	cdk.JustifyWildcards(role, "Describing load balancers has no resource to name.")
	return role
}

// callHook has ECS call the hook's function. It sets the property itself, because the CDK's hooks do
// not know one of the stages.
func callHook(service awsecs.FargateService, h *hook.Hook, events []props.HookEvent) {
	cfnService(service).AddPropertyOverride(jsii.String("DeploymentConfiguration.LifecycleHooks"), []map[string]any{{
		"HookTargetArn":   h.Function.FunctionArn(),
		"RoleArn":         h.Invoker.RoleArn(),
		"LifecycleStages": events,
	}})
	service.Node().AddDependency(h.Invoker)
}

// stepsOf returns the number of steps in which visitors are moved, and how long each step is watched.
func stepsOf(s props.Shift) (steps int, wait time.Duration) {
	switch s {
	case props.ShiftCanary:
		return 2, canaryWait
	case props.ShiftLinear:
		return 100 / linearPercent, linearWait
	}
	return 1, 0
}

// deployTime returns how long a deployment by ECS may take in all.
func deployTime(s props.FargateService) time.Duration {
	steps, wait := stepsOf(s.Shift)
	whole := taskTime + time.Duration(steps)*wait + s.KeepOld
	for _, event := range s.Hook.Events {
		calls := 1
		if event == props.HookEventProductionTrafficShift {
			calls = steps // ECS calls the hook at each step.
		}
		whole += time.Duration(calls) * s.Hook.Deadline
	}
	return min((whole + time.Minute - 1).Truncate(time.Minute), maxDeployTime)
}

// newECSAction makes the action that registers the task definition, updates the service and waits
// for ECS. It is a build, because CodePipeline's own action for ECS copies the task definition that
// is in production, so that no change of Container would ever reach it.
func newECSAction(scope constructs.Construct, s props.FargateService, service awsecs.FargateService, p parts, input awscodepipeline.Artifact) awscodepipeline.IAction {
	wait := deployTime(s)
	project, role := pipeline.NewProject(scope, "Deploy", pipeline.ProjectProps{
		Base:        p.base,
		Description: "Deploys the service",
		Image:       awscodebuild.LinuxBuildImage_FromCodeBuildImageId(jsii.String(curated.Default)),
		Variables: map[string]string{
			buildspec.EnvDeployTimeoutMinutes: strconv.Itoa(int(wait.Minutes())),
		},
		// It needs some time after the deployment to say how that ended.
		Timeout:          wait + 10*time.Minute,
		LogRetentionDays: s.Build.LogRetentionDays,
		Recipe:           buildspec.ECS,
	})
	p.task.allowRegistering(scope, role)
	p.task.allowPassing(role)
	cdk.Allow(role, []string{"ecs:DeregisterTaskDefinition"}, "*") // IAM has no resource for this action.
	cdk.Allow(role, []string{"ecs:UpdateService", "ecs:ListServiceDeployments"}, *service.ServiceArn())
	cdk.Allow(role, []string{"ecs:DescribeServiceDeployments", "ecs:DescribeServiceRevisions"},
		*service.ServiceArn(), partOfService(scope, service, "service-deployment"), partOfService(scope, service, "service-revision"))
	cdk.JustifyWildcards(role, cdk.ArtifactKeys+" ECS numbers revisions, and makes up the names of deployments. ecs:DeregisterTaskDefinition has no resource to name.")
	// Whoever may read the pipeline finds in it which service it deploys, as with CodeDeploy's action.
	return pipeline.NewBuildAction("ECS", project, input, map[string]string{
		buildspec.EnvCluster: *service.Cluster().ClusterName(),
		buildspec.EnvService: *service.ServiceName(),
	})
}
