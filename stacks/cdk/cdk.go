// Package cdk has what the constructs need of the CDK again and again: roles and their policies,
// log groups, ARNs, outputs, values without a scope, and the reasons that cdk-nag asks for.
package cdk

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// MaxDescription limits the description of an output, in bytes.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html
const MaxDescription = 1024

// NewOutput adds an output, which the CDK CLI shows after a deployment and the console always.
func NewOutput(scope constructs.Construct, id, description, value string) {
	awscdk.NewCfnOutput(scope, jsii.String(id), &awscdk.CfnOutputProps{Description: jsii.String(description), Value: jsii.String(value)})
}

// Resource returns the CloudFormation resource of a construct that has one main resource.
func Resource(construct constructs.IConstruct) awscdk.CfnResource {
	return construct.Node().DefaultChild().(awscdk.CfnResource)
}

// WithoutTags keeps tags off the resources of constructs, whoever sets them. It is for what
// deployments change: CloudFormation adds a tag by an update, and an update would also set
// every property back to what the template says.
func WithoutTags(all ...constructs.IConstruct) {
	for _, construct := range all {
		Resource(construct).AddPropertyDeletionOverride(jsii.String("Tags"))
	}
}
