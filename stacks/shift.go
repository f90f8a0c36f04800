package stacks

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodedeploy"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/jsii-runtime-go"
)

// Shift is how visitors are moved to a new version.
type Shift string

const (
	// AllAtOnce moves all of them at one moment.
	AllAtOnce Shift = "all-at-once"
	// Canary moves a tenth of the requests, and five minutes later the rest.
	Canary Shift = "canary"
	// Linear moves a tenth of the requests every minute.
	Linear Shift = "linear"
)

// What CodeDeploy's configurations say, for ECS, which has none by name.
const (
	canaryPercent, canaryWait = 10, 5 * time.Minute
	linearPercent, linearWait = 10, time.Minute
)

// byCodeDeploy are CodeDeploy's own configurations.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
func (s Shift) byCodeDeploy() awscodedeploy.IEcsDeploymentConfig {
	switch s {
	case Canary:
		return awscodedeploy.EcsDeploymentConfig_CANARY_10PERCENT_5MINUTES()
	case Linear:
		return awscodedeploy.EcsDeploymentConfig_LINEAR_10PERCENT_EVERY_1MINUTES()
	}
	return awscodedeploy.EcsDeploymentConfig_ALL_AT_ONCE()
}

// byECS sets what corresponds to CodeDeploy's configurations.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service-options.html
func (s Shift) byECS(props *awsecs.FargateServiceProps) {
	step := func(percent int, wait time.Duration) *awsecs.TrafficShiftConfig {
		return &awsecs.TrafficShiftConfig{StepPercent: jsii.Number(percent), StepBakeTime: awscdk.Duration_Minutes(jsii.Number(wait.Minutes()))}
	}
	switch s {
	case Canary:
		props.DeploymentStrategy = awsecs.DeploymentStrategy_CANARY
		props.CanaryConfiguration = step(canaryPercent, canaryWait)
	case Linear:
		props.DeploymentStrategy = awsecs.DeploymentStrategy_LINEAR
		props.LinearConfiguration = step(linearPercent, linearWait)
	default:
		props.DeploymentStrategy = awsecs.DeploymentStrategy_BLUE_GREEN
	}
}

// steps returns in how many steps visitors are moved, and how long each is watched.
func (s Shift) steps() (steps int, wait time.Duration) {
	switch s {
	case Canary:
		return 2, canaryWait
	case Linear:
		return 100 / linearPercent, linearWait
	}
	return 1, 0
}
