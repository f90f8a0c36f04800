package stacks

import (
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// rolePattern is a role's ARN with its path, if it has one. What IAM would take for a
// wildcard or a variable is not among the characters.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
var rolePattern = regexp.MustCompile(`^arn:aws:iam::\d{12}:role/([\w+=,.@/-]{1,510}/)?[\w+=,.@-]{1,64}$`)

// validateRole reports what is no role to take on; "" is none.
func validateRole(p *problems, field, roleARN string) {
	if roleARN != "" {
		p.match(field, roleARN, rolePattern, "must be a role's ARN (not its name, nor the ARN of a session), in the distribution's account, such as arn:aws:iam::123456789012:role/clear-cache")
	}
}

// withRole adds to a function's environment the role to take on.
func withRole(roleARN string, environment map[string]string) map[string]string {
	if roleARN != "" {
		environment["ROLE_ARN"] = roleARN
	}
	return environment
}

// clearingActions are what it takes to clear a cache, and to see it done.
var clearingActions = []string{"cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"}

// grantClearing lets a function's role clear distributions of the stack's account. Where
// the function takes on a role, in another account, it lets it do that and nothing else;
// what that role must be, the stack puts out for its owner. An external id in its trust
// would guard nothing: it tells the customers of one service apart, and this trust names
// one role alone.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func grantClearing(stack awscdk.Stack, role awsiam.Role, roleARN string, distributionIDs ...string) {
	var distributions []string
	for _, id := range distributionIDs {
		distributions = append(distributions, *distributionARN(stack, arnPart(roleARN, 4), id))
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
	newOutput(stack, "RoleTrust", "The trust policy of "+roleARN+": the function that clears CloudFront may take it on, and nobody else",
		policy(statement{Effect: "Allow", Principal: map[string]string{"AWS": *role.RoleArn()}, Action: []string{"sts:AssumeRole"}}))
	newOutput(stack, "RolePermissions", "The one policy that "+roleARN+" needs",
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
	return encodeJSON(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{only}})
}

// distributionARN names a distribution of an account; "" is the stack's own.
func distributionARN(stack awscdk.Stack, account, id string) *string {
	arn := &awscdk.ArnComponents{
		Service:      jsii.String("cloudfront"),
		Region:       jsii.String(""),
		Resource:     jsii.String("distribution"),
		ResourceName: jsii.String(id),
	}
	if account != "" {
		arn.Account = jsii.String(account)
	}
	return stack.FormatArn(arn)
}
