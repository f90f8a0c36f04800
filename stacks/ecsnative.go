package stacks

import (
	"strconv"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/buildspec"
)

const (
	// taskTime is what a deployment may take for all but waiting: to start the tasks
	// and to stop the old ones.
	taskTime = 30 * time.Minute
	// A build takes 36 hours at most, and must outlast the deployment that it watches.
	maxDeployTime = 35 * time.Hour
)

// ecsActions answer what no rule takes. ECS moves rules, not the listeners' own
// action, so that CloudFormation can change a listener without moving visitors.
func ecsActions(loadBalancer) (production, test elb.ListenerAction) {
	nothing := func() elb.ListenerAction {
		return elb.ListenerAction_FixedResponse(jsii.Number(404), nil)
	}
	return nothing(), nothing()
}

// watchAlarms has ECS roll a deployment back when one of the alarms goes off.
func watchAlarms(props *awsecs.FargateServiceProps, alarms []awscloudwatch.IAlarm) {
	names := make([]*string, len(alarms))
	for i, alarm := range alarms {
		names[i] = alarm.AlarmName()
	}
	props.DeploymentAlarms = &awsecs.DeploymentAlarmConfig{AlarmNames: &names, Behavior: awsecs.AlarmBehavior_ROLLBACK_ON_ALARM}
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

// deliverByECS makes the service, which deploys itself, and the stages that get it
// there.
func deliverByECS(stack awscdk.Stack, s FargateService, parts serviceParts) (loadBalancer, awsecs.FargateService, []*awscodepipeline.StageProps) {
	balancer := newLoadBalancer(stack, s.LoadBalancer, s.Container, parts.vpc, s.VPC.cidr(), ecsActions)
	rules := newTrafficRules(stack, balancer)
	balancer.moved = append(balancer.moved, rules.production, rules.test)
	alarms := s.alarms(stack, balancer)
	service := newECSService(stack, s, parts, func(props *awsecs.FargateServiceProps) {
		s.Shift.byECS(props)
		if len(alarms) > 0 { // else CDK refuses it
			watchAlarms(props, alarms)
		}
		props.BakeTime = awscdk.Duration_Minutes(jsii.Number(s.KeepOld.Minutes()))
		props.CircuitBreaker = &awsecs.DeploymentCircuitBreaker{Enable: jsii.Bool(true), Rollback: jsii.Bool(true)}
	})
	if len(alarms) == 0 {
		watchNoAlarms(service)
	}
	attachByECS(stack, s, service, balancer, rules)
	newScaling(stack, s.Scaling, service, balancer)
	callHook(stack, s, service, parts.function)
	build := newImageBuild(stack, s, parts, "")
	deploy := newECSAction(stack, s, service, parts, build.output)
	return balancer, service, []*awscodepipeline.StageProps{stage("Build", build.action), stage("Deploy", deploy)}
}

// trafficRules are what ECS moves.
type trafficRules struct{ production, test elb.ApplicationListenerRule }

// newTrafficRules lead all requests to the tasks that there are.
func newTrafficRules(stack awscdk.Stack, balancer loadBalancer) trafficRules {
	rule := func(id string, listener elb.ApplicationListener) elb.ApplicationListenerRule {
		return elb.NewApplicationListenerRule(stack, jsii.String(id), &elb.ApplicationListenerRuleProps{
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
func attachByECS(stack awscdk.Stack, s FargateService, service awsecs.FargateService, balancer loadBalancer, rules trafficRules) {
	role := newTrafficRole(stack, s, balancer, rules)
	service.LoadBalancerTarget(&awsecs.LoadBalancerTargetOptions{
		ContainerName: jsii.String(containerName),
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
func newTrafficRole(stack awscdk.Stack, s FargateService, balancer loadBalancer, rules trafficRules) awsiam.Role {
	role := newServiceRole(stack, "TrafficRole", "ecs.amazonaws.com", "Shifts the traffic of the service "+s.Name)
	allow := func(resources []*string, names ...string) {
		role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings(names...), Resources: &resources}))
	}
	allow([]*string{balancer.blue.TargetGroupArn(), balancer.green.TargetGroupArn()},
		"elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets")
	allow([]*string{balancer.production.ListenerArn(), balancer.test.ListenerArn()}, "elasticloadbalancing:ModifyListener")
	allow([]*string{rules.production.ListenerRuleArn(), rules.test.ListenerRuleArn()}, "elasticloadbalancing:ModifyRule")
	// IAM knows no resource for these.
	allow(*jsii.Strings("*"), "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules",
		"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth")
	justifyWildcards(role, "Describing load balancers has no resource to name.")
	return role
}

// callHook has ECS call the function. CDK's own hooks lack one of the stages.
func callHook(stack awscdk.Stack, s FargateService, service awsecs.FargateService, function awslambda.Function) {
	invoker := newHookInvoker(stack, s.owner(), function)
	cfnService(service).AddPropertyOverride(jsii.String("DeploymentConfiguration.LifecycleHooks"), []map[string]any{{
		"HookTargetArn":   function.FunctionArn(),
		"RoleArn":         invoker.RoleArn(),
		"LifecycleStages": s.Hook.Events,
	}})
	service.Node().AddDependency(invoker)
}

// deployTime is how long ECS may take for a deployment, in all.
func (s FargateService) deployTime() time.Duration {
	steps, wait := s.Shift.steps()
	whole := taskTime + time.Duration(steps)*wait + s.KeepOld
	for _, event := range s.Hook.Events {
		calls := 1
		if event == ProductionTrafficShift {
			calls = steps // it is a stage of its own each time
		}
		whole += time.Duration(calls) * s.Hook.Deadline
	}
	return min((whole + time.Minute - 1).Truncate(time.Minute), maxDeployTime)
}

// newECSAction makes the action that registers the task definition, updates the
// service and waits for ECS: CodePipeline's own would copy the task definition that
// is in production, so that no change of it would ever get there.
func newECSAction(stack awscdk.Stack, s FargateService, service awsecs.FargateService, parts serviceParts, input awscodepipeline.Artifact) awscodepipeline.IAction {
	wait := s.deployTime()
	project, role := newBuildProject(stack, "Deploy", buildProject{
		description: "Deploys the service",
		image:       awscodebuild.LinuxBuildImage_FromCodeBuildImageId(jsii.String(defaultImage)),
		variables: map[string]string{
			buildspec.EnvCluster:              *service.Cluster().ClusterName(),
			buildspec.EnvService:              *service.ServiceName(),
			buildspec.EnvDeployTimeoutMinutes: strconv.Itoa(int(wait.Minutes())),
		},
		// So that what it says at its end is not cut off.
		timeout: wait + 10*time.Minute,
		logDays: s.Build.LogRetention,
		recipe:  buildspec.ECS,
	})
	parts.artifacts.GrantRead(role, nil)
	parts.task.allowRegistering(stack, role)
	parts.task.allowPassing(role)
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("ecs:DeregisterTaskDefinition"),
		// IAM knows no resource for it.
		Resources: jsii.Strings("*"),
	}))
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("ecs:UpdateService", "ecs:ListServiceDeployments"),
		Resources: &[]*string{service.ServiceArn()},
	}))
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("ecs:DescribeServiceDeployments", "ecs:DescribeServiceRevisions"),
		Resources: &[]*string{
			service.ServiceArn(), partOfService(stack, service, "service-deployment"), partOfService(stack, service, "service-revision"),
		},
	}))
	justify(project, noKey(s.owner()))
	justifyWildcards(role, artifactKeys+" ECS numbers revisions, and makes up the names of deployments. ecs:DeregisterTaskDefinition has no resource to name.")
	return newBuildAction("ECS", project, input)
}
