package cdk

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// withoutTags keeps tags off the resources behind constructs, whoever sets them. A
// deployment has changed these since they were made, and CloudFormation, which puts a tag
// there by an update, would set all else of them back.
func WithoutTags(all ...constructs.IConstruct) {
	for _, construct := range all {
		Resource(construct).AddPropertyDeletionOverride(jsii.String("Tags"))
	}
}

// cfnResource is the resource behind a construct.
func Resource(construct constructs.IConstruct) awscdk.CfnResource {
	return construct.Node().DefaultChild().(awscdk.CfnResource)
}
