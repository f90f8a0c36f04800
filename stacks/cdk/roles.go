package cdk

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NewServiceRole makes a role that an AWS service assumes. It has none of the managed policies
// that the CDK would attach, which allow writing to every log group of the account.
//
// The trust policy has no condition on aws:SourceAccount. AWS documents that key for some of
// the services that assume these roles and not for others (ECS with its hooks and load
// balancers), and every deployment would fail with a service that does not send it. Only who
// may pass the role can give it to a service, which nobody of another account may.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
func NewServiceRole(scope constructs.Construct, id, service, description string) awsiam.Role {
	return awsiam.NewRole(scope, jsii.String(id), &awsiam.RoleProps{
		AssumedBy:   ServicePrincipal(service),
		Description: jsii.String(description),
	})
}

// NewActionRole makes a role for one action of a pipeline. Only the pipeline's own role may
// assume it.
func NewActionRole(scope constructs.Construct, id string, pipeline awsiam.IPrincipal, description string) awsiam.Role {
	return awsiam.NewRole(scope, jsii.String(id), &awsiam.RoleProps{
		AssumedBy:   pipeline,
		Description: jsii.String(description),
	})
}

// Allow adds a statement to a role's policy: the role may do the actions with the resources.
// These are ARNs, or "*" where IAM has no resource for an action.
func Allow(role awsiam.Role, actions []string, resources ...string) {
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings(actions...),
		Resources: jsii.Strings(resources...),
	}))
}

// AllowIf is [Allow] under the condition that a key of the request's context has a value.
func AllowIf(role awsiam.Role, actions []string, key, value string, resources ...string) {
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:    jsii.Strings(actions...),
		Resources:  jsii.Strings(resources...),
		Conditions: &map[string]any{"StringEquals": map[string]string{key: value}},
	}))
}
