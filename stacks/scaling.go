package stacks

import (
	"cmp"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	autoscaling "github.com/aws/aws-cdk-go/awscdk/v2/awsapplicationautoscaling"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/jsii-runtime-go"
)

// Scaling has AWS add tasks when there is more to do, within minutes, and take them
// away when there has been less for a quarter of an hour. Of two targets, the one that
// needs more tasks decides.
//
// It can be added, changed and taken away at any time. Added, it leaves the number of
// tasks as it is, if that is from MinTasks to MaxTasks. Taken away, the number stays
// what it is under CodeDeploy; under ECS it is DesiredCount's from then on. With ECS, a
// change is a deployment if it adds Scaling or takes it away. A new service begins with
// one task under ECS, with DesiredCount under CodeDeploy, and MinTasks follow as soon as
// it is there.
//
// While a deployment is under way, tasks are added, but not taken away, and as both
// versions have that many, up to twice MaxTasks run. CodeDeploy gives a deployment up
// if tasks that were added meanwhile are not healthy within 5 minutes.
//
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-bluegreen.html
type Scaling struct {
	// MinTasks is the least number of tasks, 1 to 100. Default: 2, one in each zone.
	MinTasks int

	// MaxTasks is the most, from MinTasks to 100. Required with one of the targets
	// below. Example: 10.
	MaxTasks int

	// CPUPercent is how much of their CPU the tasks are to use on average, 1 to 99.
	// The old version's tasks count, too: while they are kept without requests
	// (KeepOld), CPU looks half as busy as it is. Its two alarms cost 0.20 USD a
	// month. Default: none. Example: 60.
	CPUPercent int

	// RequestsPerTask is how many requests a task is to get in a minute on average, 1
	// or more; both versions' are counted. In a quarter of an hour without a single
	// request AWS has no data, and takes no tasks away, whatever CPUPercent says. Its
	// two alarms, of two metrics each, cost 0.40 USD a month. Default: none. Example:
	// 1000.
	RequestsPerTask int
}

// WithDefaults returns these props with every default in its field. Props that are not
// set at all stay so: there is no scaling then.
func (s Scaling) WithDefaults() Scaling {
	if s != (Scaling{}) {
		s.MinTasks = cmp.Or(s.MinTasks, defaultDesiredCount)
	}
	return s
}

func (s Scaling) validate(p *problems) {
	if s == (Scaling{}) {
		return
	}
	least := s.MinTasks
	if least < 1 || least > maxDesiredCount {
		p.add("Scaling.MinTasks", s.MinTasks, "must be from 1 to 100 tasks")
		least = 1
	}
	if s.MaxTasks < least || s.MaxTasks > maxDesiredCount {
		p.add("Scaling.MaxTasks", s.MaxTasks, fmt.Sprintf("must be from %d, the least, to 100 tasks", least))
	}
	if s.CPUPercent < 0 || s.CPUPercent > 99 {
		p.add("Scaling.CPUPercent", s.CPUPercent, "must be from 1 to 99 percent: more than 100 is never used, so no tasks would be added")
	}
	if s.RequestsPerTask < 0 {
		p.add("Scaling.RequestsPerTask", s.RequestsPerTask, "must be 1 or more requests a minute")
	}
	if s.CPUPercent == 0 && s.RequestsPerTask == 0 {
		p.add("Scaling.CPUPercent", s.CPUPercent, "must be set, such as to 60, or RequestsPerTask must: without a target no tasks are added. For a fixed number take DesiredCount alone")
	}
}

// newScaling has Application Auto Scaling set the number of the service's tasks. It
// does so with its own service-linked role, which AWS makes in the account.
// https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
func newScaling(stack awscdk.Stack, s Scaling, service awsecs.FargateService, balancer loadBalancer) {
	if s == (Scaling{}) {
		return
	}
	tasks := autoscaling.NewCfnScalableTarget(stack, jsii.String("Tasks"), &autoscaling.CfnScalableTargetProps{
		ServiceNamespace:  jsii.String("ecs"),
		ScalableDimension: jsii.String("ecs:service:DesiredCount"),
		ResourceId:        jsii.String("service/" + *service.Cluster().ClusterName() + "/" + *service.ServiceName()),
		MinCapacity:       jsii.Number(s.MinTasks),
		MaxCapacity:       jsii.Number(s.MaxTasks),
	})
	follow := func(name string, target int, configuration autoscaling.CfnScalingPolicy_TargetTrackingScalingPolicyConfigurationProperty) {
		if target == 0 {
			return
		}
		configuration.TargetValue = jsii.Number(target)
		autoscaling.NewCfnScalingPolicy(stack, jsii.String("Tasks"+name), &autoscaling.CfnScalingPolicyProps{
			PolicyName:                               jsii.String(name),
			PolicyType:                               jsii.String("TargetTrackingScaling"),
			ScalingTargetId:                          tasks.Ref(),
			TargetTrackingScalingPolicyConfiguration: &configuration,
		})
	}
	follow("CPU", s.CPUPercent, autoscaling.CfnScalingPolicy_TargetTrackingScalingPolicyConfigurationProperty{
		PredefinedMetricSpecification: &autoscaling.CfnScalingPolicy_PredefinedMetricSpecificationProperty{
			PredefinedMetricType: jsii.String("ECSServiceAverageCPUUtilization"),
		},
	})
	follow("Requests", s.RequestsPerTask, autoscaling.CfnScalingPolicy_TargetTrackingScalingPolicyConfigurationProperty{
		CustomizedMetricSpecification: &autoscaling.CfnScalingPolicy_CustomizedMetricSpecificationProperty{
			Metrics: []*autoscaling.CfnScalingPolicy_TargetTrackingMetricDataQueryProperty{
				requestsPerTask("blue", balancer, balancer.blue),
				requestsPerTask("green", balancer, balancer.green),
				{
					Id: jsii.String("both"), Expression: jsii.String(requestsOfBoth), ReturnData: jsii.Bool(true),
					Label: jsii.String("Requests a minute for each task"),
				},
			},
		},
	})
}

// requestsOfBoth adds up the two target groups' averages. AWS's own metric for it,
// ALBRequestCountPerTarget, watches one group, and is not for blue/green deployments.
// Each group in use has as many tasks as the service is to have, so that the sum is
// right however the requests are shared; those of tests come on top. A value that is
// missing beside another one counts as 0. FILL is not needed, and would do harm: it
// makes a 0 of the newest minute, too, whose value is only late, and tasks would never
// be added.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
const requestsOfBoth = "blue + green"

// requestsPerTask asks for the requests that each task of a group got in a minute. Sum
// is the only statistic that this metric has, and is the average of the tasks.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
func requestsPerTask(id string, balancer loadBalancer, group elb.ApplicationTargetGroup) *autoscaling.CfnScalingPolicy_TargetTrackingMetricDataQueryProperty {
	dimension := func(name string, value *string) *autoscaling.CfnScalingPolicy_TargetTrackingMetricDimensionProperty {
		return &autoscaling.CfnScalingPolicy_TargetTrackingMetricDimensionProperty{Name: jsii.String(name), Value: value}
	}
	return &autoscaling.CfnScalingPolicy_TargetTrackingMetricDataQueryProperty{
		Id: jsii.String(id), ReturnData: jsii.Bool(false),
		MetricStat: &autoscaling.CfnScalingPolicy_TargetTrackingMetricStatProperty{
			Stat: jsii.String("Sum"),
			Metric: &autoscaling.CfnScalingPolicy_TargetTrackingMetricProperty{
				Namespace: jsii.String("AWS/ApplicationELB"), MetricName: jsii.String("RequestCountPerTarget"),
				Dimensions: []*autoscaling.CfnScalingPolicy_TargetTrackingMetricDimensionProperty{
					dimension("LoadBalancer", balancer.balancer.LoadBalancerFullName()),
					dimension("TargetGroup", group.TargetGroupFullName()),
				},
			},
		},
	}
}
