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
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/hook"
	"blog-deploy-pipeline/stacks/pipeline"
	"blog-deploy-pipeline/stacks/props"
)

const (
	// taskTime is what a deployment may take for all but waiting: to start the tasks
	// and to stop the old ones.
	taskTime = 30 * time.Minute
	// A build takes 36 hours at most, and must outlast the deployment that it watches.
	maxDeployTime = 35 * time.Hour
)

// nothing answers what no rule matches. ECS moves rules, not the listeners' own action, so
// that CloudFormation can change a listener without moving visitors.
func nothing() elb.ListenerAction { return elb.ListenerAction_FixedResponse(jsii.Number(404), nil) }

// rollBackOn has ECS roll a deployment back when one of the alarms goes off.
func rollBackOn(alarms []awscloudwatch.IAlarm) *awsecs.DeploymentAlarmConfig {
	names := make([]*string, len(alarms))
	for i, alarm := range alarms {
		names[i] = alarm.AlarmName()
	}
	return &awsecs.DeploymentAlarmConfig{AlarmNames: &names, Behavior: awsecs.AlarmBehavior_ROLLBACK_ON_ALARM}
}

// watchNoAlarms says so: ECS may keep what an update leaves out, and the alarms that a
// service had before are gone.
func watchNoAlarms(service awsecs.FargateService) {
	cfnService(service).AddPropertyOverride(jsii.String("DeploymentConfiguration.Alarms"), map[string]any{
		"AlarmNames": []string{}, "Enable": false, "Rollback": false,
	})
}

// cfnService is the service without CDK's cover, for what that does not offer.
func cfnService(service awsecs.FargateService) awsecs.CfnService {
	return service.Node().FindChild(jsii.String("Service")).(awsecs.CfnService)
}

// deployByECS makes the service, which deploys itself, and the stages that get it there.
func deployByECS(scope constructs.Construct, s props.FargateService, p parts) deployed {
	groups := newTargetGroups(scope, s.Container, p.vpc)
	balancer := newLoadBalancer(scope, s.LoadBalancer, p.vpc, s.VPC.Range(), groups, nothing(), nothing())
	rules := newTrafficRules(scope, balancer)
	balancer.moved = append(balancer.moved, rules.production, rules.test)
	alarms := newAlarms(scope, s, balancer)
	settings := shiftByECS(s.Shift)
	settings.BakeTime = cdk.Duration(s.KeepOld)
	settings.CircuitBreaker = &awsecs.DeploymentCircuitBreaker{Enable: jsii.Bool(true), Rollback: jsii.Bool(true)}
	if len(alarms) > 0 { // else the CDK refuses it
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
	deploy := newECSAction(scope, s, service, p, build.Output)
	return deployed{balancer, service, []*awscodepipeline.StageProps{pipeline.Stage("Build", build.Action), pipeline.Stage("Deploy", deploy)}}
}

// trafficRules are what ECS moves.
type trafficRules struct{ production, test elb.ApplicationListenerRule }

// newTrafficRules lead all requests to the tasks that there are.
func newTrafficRules(scope constructs.Construct, balancer loadBalancer) trafficRules {
	rule := func(id string, listener elb.ApplicationListener) elb.ApplicationListenerRule {
		return elb.NewApplicationListenerRule(scope, jsii.String(id), &elb.ApplicationListenerRuleProps{
			Listener:   listener,
			Priority:   jsii.Number(1),
			Conditions: &[]elb.ListenerCondition{elb.ListenerCondition_PathPatterns(jsii.Strings("/*"))},
			// Both are named, so that both belong to the balancer from the start.
			Action: elb.ListenerAction_WeightedForward(&[]*elb.WeightedTargetGroup{
				{TargetGroup: balancer.blue, Weight: jsii.Number(100)},
				{TargetGroup: balancer.green, Weight: jsii.Number(0)},
			}, nil),
		})
	}
	return trafficRules{rule("ProductionRule", balancer.production), rule("TestRule", balancer.test)}
}

// attachByECS gives ECS the two target groups, and the rules that lead to them.
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

// newTrafficRole allows what AmazonECSInfrastructureRolePolicyForLoadBalancers does,
// of this service's load balancer alone.
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

// callHook has ECS call the function. CDK's own hooks lack one of the stages.
func callHook(service awsecs.FargateService, h *hook.Hook, events []props.HookEvent) {
	cfnService(service).AddPropertyOverride(jsii.String("DeploymentConfiguration.LifecycleHooks"), []map[string]any{{
		"HookTargetArn":   h.Function.FunctionArn(),
		"RoleArn":         h.Invoker.RoleArn(),
		"LifecycleStages": events,
	}})
	service.Node().AddDependency(h.Invoker)
}

// deployTime is how long ECS may take for a deployment, in all.
func deployTime(s props.FargateService) time.Duration {
	steps, wait := s.Shift.Steps()
	whole := taskTime + time.Duration(steps)*wait + s.KeepOld
	for _, event := range s.Hook.Events {
		calls := 1
		if event == props.HookEventProductionTrafficShift {
			calls = steps // it is a stage of its own each time
		}
		whole += time.Duration(calls) * s.Hook.Deadline
	}
	return min((whole + time.Minute - 1).Truncate(time.Minute), maxDeployTime)
}

// newECSAction makes the action that registers the task definition, updates the
// service and waits for ECS: CodePipeline's own would copy the task definition that
// is in production, so that no change of it would ever get there.
func newECSAction(scope constructs.Construct, s props.FargateService, service awsecs.FargateService, p parts, input awscodepipeline.Artifact) awscodepipeline.IAction {
	wait := deployTime(s)
	project, role := pipeline.NewProject(scope, "Deploy", pipeline.ProjectProps{
		Description: "Deploys the service",
		Image:       awscodebuild.LinuxBuildImage_FromCodeBuildImageId(jsii.String(props.DefaultImage)),
		Variables: map[string]string{
			buildspec.EnvCluster:              *service.Cluster().ClusterName(),
			buildspec.EnvService:              *service.ServiceName(),
			buildspec.EnvDeployTimeoutMinutes: strconv.Itoa(int(wait.Minutes())),
		},
		// So that what it says at its end is not cut off.
		Timeout:          wait + 10*time.Minute,
		LogRetentionDays: s.Build.LogRetentionDays,
		Recipe:           buildspec.ECS,
	})
	p.base.Artifacts.GrantRead(role, nil)
	p.task.allowRegistering(scope, role)
	p.task.allowPassing(role)
	cdk.Allow(role, []string{"ecs:DeregisterTaskDefinition"}, "*") // IAM has no resource for this action.
	cdk.Allow(role, []string{"ecs:UpdateService", "ecs:ListServiceDeployments"}, *service.ServiceArn())
	cdk.Allow(role, []string{"ecs:DescribeServiceDeployments", "ecs:DescribeServiceRevisions"},
		*service.ServiceArn(), partOfService(scope, service, "service-deployment"), partOfService(scope, service, "service-revision"))
	cdk.Justify(project, pipeline.NoKey(s.Identity()))
	cdk.JustifyWildcards(role, cdk.ArtifactKeys+" ECS numbers revisions, and makes up the names of deployments. ecs:DeregisterTaskDefinition has no resource to name.")
	return pipeline.NewBuildAction("ECS", project, input)
}
