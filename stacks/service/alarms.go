package service

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// minErrors is the number of errors in a minute below which nothing is rolled back, so that one failed
// request at night has no effect.
const minErrors = 5

// newAlarms returns the alarms that roll a deployment back: two that it makes, unless
// MaxErrorPercent is 100, and those that the owner names.
func newAlarms(scope constructs.Construct, s props.FargateService, balancer loadBalancer) []awscloudwatch.IAlarm {
	var alarms []awscloudwatch.IAlarm
	if s.MaxErrorPercent < 100 {
		alarms = append(alarms,
			newErrorAlarm(scope, "BlueErrors", s, balancer.blue),
			newErrorAlarm(scope, "GreenErrors", s, balancer.green))
	}
	for i, name := range s.AlarmNames {
		alarms = append(alarms, awscloudwatch.Alarm_FromAlarmName(scope, jsii.String(fmt.Sprintf("Alarm%d", i)), jsii.String(name)))
	}
	return alarms
}

// newErrorAlarm makes the alarm that watches for errors of the tasks in one target group. Each group
// has an alarm, because either may have the new version: while that gets few of the requests, its
// errors would be lost among the answers of the former one.
func newErrorAlarm(scope constructs.Construct, id string, s props.FargateService, group elb.ApplicationTargetGroup) awscloudwatch.Alarm {
	minute := &awscloudwatch.MetricOptions{Period: cdk.Duration(time.Minute), Statistic: jsii.String("Sum")}
	return awscloudwatch.NewAlarm(scope, jsii.String(id), &awscloudwatch.AlarmProps{
		AlarmDescription: jsii.String(fmt.Sprintf("More than %d %% of the answers of the service %s are errors (5xx), and %d or more a minute: a deployment that is under way is rolled back", s.MaxErrorPercent, s.Name, minErrors)),
		Metric: awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression: jsii.String(fmt.Sprintf("IF(errors >= %d, 100 * errors / requests, 0)", minErrors)),
			Label:      jsii.String("Answers that are errors, in percent"),
			Period:     minute.Period,
			UsingMetrics: &map[string]awscloudwatch.IMetric{
				"errors":   group.Metrics().HttpCodeTarget(elb.HttpCodeTarget_TARGET_5XX_COUNT, minute),
				"requests": group.Metrics().RequestCount(minute),
			},
		}),
		Threshold:          jsii.Number(s.MaxErrorPercent),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
		EvaluationPeriods:  jsii.Number(1),
		// The metric of errors has no data while there are none.
		TreatMissingData: awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
}
