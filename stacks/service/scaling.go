package service

import (
	autoscaling "github.com/aws/aws-cdk-go/awscdk/v2/awsapplicationautoscaling"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/props"
)

// newScaling has Application Auto Scaling set the number of the service's tasks. It
// does so with its own service-linked role, which AWS makes in the account.
// https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
func newScaling(scope constructs.Construct, s props.Scaling, service awsecs.FargateService, balancer loadBalancer) {
	if s == (props.Scaling{}) {
		return
	}
	tasks := autoscaling.NewCfnScalableTarget(scope, jsii.String("Tasks"), &autoscaling.CfnScalableTargetProps{
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
		autoscaling.NewCfnScalingPolicy(scope, jsii.String("Tasks"+name), &autoscaling.CfnScalingPolicyProps{
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
					Id: jsii.String("both"), Expression: jsii.String(RequestsOfBoth), ReturnData: jsii.Bool(true),
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
const RequestsOfBoth = "blue + green"

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
