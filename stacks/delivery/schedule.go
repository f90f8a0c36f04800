package delivery

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// newSchedule starts the pipeline at the times of s. Only schedules of this account's default
// group may use the role. The condition names the group because that is what EventBridge
// Scheduler sends, not the schedule.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
func newSchedule(scope constructs.Construct, s props.Schedule, made awscodepipeline.Pipeline) {
	role := awsiam.NewRole(scope, jsii.String("ScheduleRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("scheduler.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"StringEquals": map[string]*string{"aws:SourceAccount": awscdk.Stack_Of(scope).Account(), "aws:SourceArn": jsii.String(cdk.ARN(scope, "scheduler", "schedule-group/default"))}},
		}),
		Description: jsii.String("Starts the pipeline at certain times"),
	})
	cdk.Allow(role, []string{"codepipeline:StartPipelineExecution"}, *made.PipelineArn())
	schedule := awsscheduler.NewCfnSchedule(scope, jsii.String("Schedule"), &awsscheduler.CfnScheduleProps{
		Description:                jsii.String("Publishes posts that were dated in the future"),
		ScheduleExpression:         jsii.String(s.Expression),
		ScheduleExpressionTimezone: jsii.String(s.TimeZone),
		FlexibleTimeWindow:         &awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
		Target: &awsscheduler.CfnSchedule_TargetProperty{
			Arn:     made.PipelineArn(),
			RoleArn: role.RoleArn(),
			// By default Scheduler tries for a day. A start that is an hour late may as well be left
			// to the next one.
			RetryPolicy: &awsscheduler.CfnSchedule_RetryPolicyProperty{
				MaximumEventAgeInSeconds: jsii.Number(time.Hour.Seconds()),
			},
		},
	})
	// A start before the role has its permission would be lost.
	schedule.Node().AddDependency(role)
}
