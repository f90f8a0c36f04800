package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// justification says why one of cdk-nag's rules does not apply.
type justification struct {
	rule, reason string
}

// justify puts justifications on the resource behind construct, as the metadata
// that cdk-nag reads: the app does not have to load cdk-nag, the tests do. One
// resource takes one call.
func justify(construct constructs.IConstruct, justifications ...justification) {
	rules := make([]map[string]string, len(justifications))
	for i, j := range justifications {
		rules[i] = map[string]string{"id": j.rule, "reason": j.reason}
	}
	cfnResource(construct).AddMetadata(jsii.String("cdk_nag"), map[string]any{
		"rules_to_suppress": rules,
	})
}

// justifyWildcards says why a role's policy has to name more than single resources.
// The role must have its grants by then.
func justifyWildcards(role awsiam.IRole, reason string) {
	justify(role.Node().FindChild(jsii.String("DefaultPolicy")), justification{rule: "AwsSolutions-IAM5", reason: reason})
}

// artifactKeys is the reason of every role that touches the artifact bucket.
const artifactKeys = "CDK grants access to the objects of the artifact bucket, whose keys CodePipeline makes up."
