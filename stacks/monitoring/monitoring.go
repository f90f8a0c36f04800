// Package monitoring has the dashboard and the alarms of a blog's publications.
package monitoring

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/notify"
	"blog-deploy-pipeline/stacks/props"
)

// Props describe what is watched, and how.
type Props struct {
	props.Monitoring

	// BlogName is the name of the blog and of its pipeline, which is the dimension of its metrics. Required.
	BlogName string

	// Address is where readers have the blog. It may be a token. Default: nobody knows.
	Address string

	// Publish and Invalidate are the functions. A blog that CodePipeline's own action publishes has no Publish.
	Publish, Invalidate awslambda.Function

	// ClearsChanges is true if Invalidate clears what has changed, and Proves if it looks at Address afterwards.
	ClearsChanges, Proves bool

	// Topics are told of alarms.
	Topics notify.Topics
}

// The metrics of Lambda.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
const (
	lambdaNamespace = "AWS/Lambda"
	lambdaDimension = "FunctionName"
)

// New makes what the props ask for, in a construct of its own, or nothing.
func New(scope constructs.Construct, id string, p Props) {
	if p.Monitoring == (props.Monitoring{}) {
		return
	}
	this := cdk.NewConstruct(scope, id)
	var toldOf []awscloudwatch.Alarm
	if p.Alarms {
		toldOf = newAlarms(this, p)
	}
	if p.Dashboard {
		newDashboard(this, p, *awscdk.Stack_Of(this).Region(), toldOf)
	}
}
