package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
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
	construct.Node().DefaultChild().(awscdk.CfnResource).AddMetadata(jsii.String("cdk_nag"), map[string]any{
		"rules_to_suppress": rules,
	})
}

// justifyWildcards says why a role's policy has to name more than single resources.
// The role must have its grants by then.
func justifyWildcards(role awsiam.IRole, reason string) {
	justify(role.Node().FindChild(jsii.String("DefaultPolicy")), justification{"AwsSolutions-IAM5", reason})
}

const artifactKeys = "CDK grants access to the objects of the artifact bucket, whose keys CodePipeline makes up."

// justifyPipelineRoles covers the roles with wildcards that CDK makes inside a
// pipeline.
func justifyPipelineRoles(pipeline awscodepipeline.Pipeline) {
	justifyWildcards(pipeline.Role(), artifactKeys)
	var role constructs.IConstruct = pipeline
	for _, id := range []string{"Invalidate", "Invalidate", "CodePipelineActionRole"} { // stage, action, role
		role = role.Node().FindChild(jsii.String(id))
	}
	justify(role.Node().FindChild(jsii.String("DefaultPolicy")), justification{"AwsSolutions-IAM5",
		"CDK grants the versions of the one function, and the listing of functions that CodePipeline's console does."})
}
