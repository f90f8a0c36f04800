package function

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// clearingActions are what it takes to clear a cache, and to see it done.
var clearingActions = []string{"cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"}

// GrantClearing lets a function's role clear distributions of the stack's account. Where
// the function takes on a role, in another account, it lets it do that and nothing else;
// what that role must be, the stack puts out for its owner. An external id in its trust
// would guard nothing: it tells the customers of one service apart, and this trust names
// one role alone.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func GrantClearing(scope constructs.Construct, role awsiam.Role, roleARN string, distributionIDs ...string) {
	var distributions []string
	for _, id := range distributionIDs {
		distributions = append(distributions, *DistributionARN(scope, props.ArnPart(roleARN, 4), id))
	}
	if roleARN == "" {
		role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions:   jsii.Strings(clearingActions...),
			Resources: jsii.Strings(distributions...),
		}))
		return
	}
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("sts:AssumeRole"),
		Resources: jsii.Strings(roleARN),
	}))
	cdk.NewOutput(scope, contract.OutputRoleTrust, "The trust policy of "+roleARN+": the function that clears CloudFront may take it on, and nobody else",
		policy(statement{Effect: "Allow", Principal: map[string]string{"AWS": *role.RoleArn()}, Action: []string{"sts:AssumeRole"}}))
	cdk.NewOutput(scope, contract.OutputRolePermissions, "The one policy that "+roleARN+" needs",
		policy(statement{Effect: "Allow", Action: clearingActions, Resource: distributions}))
}

type statement struct {
	Effect    string
	Principal map[string]string `json:",omitempty"`
	Action    []string
	Resource  []string `json:",omitempty"`
}

// policy is one of IAM's, as its console and the AWS CLI take it.
func policy(only statement) string {
	return contract.JSON(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{only}})
}

// DistributionARN names a distribution of an account; "" is the stack's own.
func DistributionARN(scope constructs.Construct, account, id string) *string {
	arn := &awscdk.ArnComponents{
		Service:      jsii.String("cloudfront"),
		Region:       jsii.String(""),
		Resource:     jsii.String("distribution"),
		ResourceName: jsii.String(id),
	}
	if account != "" {
		arn.Account = jsii.String(account)
	}
	return awscdk.Stack_Of(scope).FormatArn(arn)
}
