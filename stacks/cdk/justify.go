package cdk

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Justification says why one of cdk-nag's rules does not apply.
type Justification struct {
	Rule, Reason string
}

// Justify puts justifications on the resource behind construct, as the metadata that cdk-nag
// reads. A resource needs all of its justifications in one call.
func Justify(construct constructs.IConstruct, justifications ...Justification) {
	if !current.justifies {
		return
	}
	rules := make([]map[string]string, len(justifications))
	for i, j := range justifications {
		rules[i] = map[string]string{"id": j.Rule, "reason": j.Reason}
	}
	Resource(construct).AddMetadata(jsii.String("cdk_nag"), map[string]any{
		"rules_to_suppress": rules,
	})
}

// JustifyWildcards says why a role's policy has to name more than single resources.
// The role must have its grants by then.
func JustifyWildcards(role awsiam.IRole, reason string) {
	if current.justifies {
		Justify(role.Node().FindChild(jsii.String("DefaultPolicy")), Justification{Rule: "AwsSolutions-IAM5", Reason: reason})
	}
}

// ArtifactKeys is the reason of every role that touches the artifact bucket.
const ArtifactKeys = "CDK grants access to the objects of the artifact bucket, whose keys CodePipeline makes up."
