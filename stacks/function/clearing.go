package function

import (
	"time"

	"github.com/aws/constructs-go/constructs/v10"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/cdk"
)

// AfterPolling is the time that a function needs after it has waited for CloudFront, for one last slow call, one look
// at the blog's address and the report. What does not fit is for the next call.
const AfterPolling = 40 * time.Second

// clearingActions are what a function calls to clear a cache, and to see whether that is done.
var clearingActions = []string{"cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"}

// GrantClearing lets the function clear the distributions. With a roleARN these are in the
// account of that role, and the function may only assume the role; two outputs in scope say
// which policies the role's owner has to give it.
//
// The role's trust policy needs no external id. That tells the customers of one service apart,
// and this policy names one role alone.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func (f *GoFunction) GrantClearing(scope constructs.Construct, roleARN string, distributionIDs ...string) {
	var distributions []string
	for _, id := range distributionIDs {
		distributions = append(distributions, cdk.DistributionARN(scope, cdk.AccountOf(roleARN), id))
	}
	if roleARN == "" {
		cdk.Allow(f.Role, clearingActions, distributions...)
		return
	}
	cdk.Allow(f.Role, []string{"sts:AssumeRole"}, roleARN)
	cdk.NewOutput(scope, contract.OutputRoleTrust, "The trust policy of "+roleARN+": only the function that clears CloudFront may assume the role",
		policy(statement{Effect: "Allow", Principal: map[string]string{"AWS": *f.Role.RoleArn()}, Action: []string{"sts:AssumeRole"}}))
	cdk.NewOutput(scope, contract.OutputRolePermissions, "The one policy that "+roleARN+" needs",
		policy(statement{Effect: "Allow", Action: clearingActions, Resource: distributions}))
}

type statement struct {
	Effect    string
	Principal map[string]string `json:",omitempty"`
	Action    []string
	Resource  []string `json:",omitempty"`
}

// policy returns an IAM policy with one statement, as JSON.
func policy(only statement) string {
	return contract.JSON(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{only}})
}
