package service

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscodedeploy"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// shiftByCodeDeploy returns CodeDeploy's own configurations.
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

// shiftByECS returns the settings that correspond to CodeDeploy's configurations.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service-options.html
func shiftByECS(s props.Shift) awsecs.FargateServiceProps {
	step := func(percent int, wait time.Duration) *awsecs.TrafficShiftConfig {
		return &awsecs.TrafficShiftConfig{StepPercent: jsii.Number(percent), StepBakeTime: cdk.Duration(wait)}
	}
	switch s {
	case props.ShiftCanary:
		return awsecs.FargateServiceProps{
			DeploymentStrategy:  awsecs.DeploymentStrategy_CANARY,
			CanaryConfiguration: step(props.CanaryPercent, props.CanaryWait),
		}
	case props.ShiftLinear:
		return awsecs.FargateServiceProps{
			DeploymentStrategy:  awsecs.DeploymentStrategy_LINEAR,
			LinearConfiguration: step(props.LinearPercent, props.LinearWait),
		}
	}
	return awsecs.FargateServiceProps{DeploymentStrategy: awsecs.DeploymentStrategy_BLUE_GREEN}
}
