package cdk

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newServiceRole makes a role for an AWS service, without the managed policies that
// CDK would attach: those reach every log group of the account.
//
// Its trust has no condition on aws:SourceAccount: AWS documents it for some of the
// services that take on our roles and not for others (ECS's hooks and load balancers),
// and where a service does not send it, every deployment would fail. Nobody of another
// account can hand the role to the service in any case.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
func NewServiceRole(scope constructs.Construct, id, service, description string) awsiam.Role {
	return awsiam.NewRole(scope, jsii.String(id), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String(service), nil),
		Description: jsii.String(description),
	})
}

// newActionRole makes a role that only the pipeline can take on, for one of its
// actions.
func NewActionRole(scope constructs.Construct, id string, pipelineRole awsiam.IRole, description string) awsiam.Role {
	return awsiam.NewRole(scope, jsii.String(id), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewArnPrincipal(pipelineRole.RoleArn()),
		Description: jsii.String(description),
	})
}
