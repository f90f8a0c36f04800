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

// newSchedule starts the pipeline at the times of s. The role can be used by schedules
// of this account's default group alone: Scheduler knows the group at that point, not
// the schedule.
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
			// Scheduler would try for a day, and the next start is as good.
			RetryPolicy: &awsscheduler.CfnSchedule_RetryPolicyProperty{
				MaximumEventAgeInSeconds: jsii.Number(time.Hour.Seconds()),
			},
		},
	})
	// Without its permission, a start would be lost.
	schedule.Node().AddDependency(role)
}
