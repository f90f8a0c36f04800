package service

import (
	autoscaling "github.com/aws/aws-cdk-go/awscdk/v2/awsapplicationautoscaling"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/props"
)

// newScaling has Application Auto Scaling set the number of the service's tasks. For that it uses a
// service-linked role, which AWS makes in the account.
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

// RequestsOfBoth is a CloudWatch expression for the requests that each task gets in a minute: the sum
// of the averages of the two target groups. AWS's own metric for scaling, ALBRequestCountPerTarget,
// watches one group only.
//
// Each group in use has as many tasks as the service should have, so the sum is right however the
// requests are shared out. Requests of tests add to it. If only one group has a value, CloudWatch
// counts the other as 0. FILL must not be used: it also makes a 0 of the newest minute, whose value
// is only late, and tasks would never be added.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
const RequestsOfBoth = "blue + green"

// requestsPerTask queries the requests that each task of a group got in a minute, on average. Sum is
// the only statistic of this metric.
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
