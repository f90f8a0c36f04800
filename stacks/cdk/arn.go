package cdk

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// ARN returns the ARN of a resource in the account and region of scope's stack. Resource is the
// rest of the ARN after these, such as "function:NAME" or "task-definition/FAMILY:*".
func ARN(scope constructs.Construct, service, resource string) string {
	return *awscdk.Stack_Of(scope).FormatArn(&awscdk.ArnComponents{Service: &service, Resource: &resource})
}

// RegionOf returns the region in an ARN, or "" if the text is not an ARN.
func RegionOf(arn string) string { return part(arn, 3) }

// AccountOf returns the account in an ARN, or "" if the text is not an ARN.
func AccountOf(arn string) string { return part(arn, 4) }

func part(arn string, i int) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[i]
	}
	return ""
}

// DistributionARN returns the ARN of a CloudFront distribution. Its account is that of scope's
// stack if account is "".
func DistributionARN(scope constructs.Construct, account, id string) string {
	arn := &awscdk.ArnComponents{
		Service:  jsii.String("cloudfront"),
		Region:   jsii.String(""),
		Resource: jsii.String("distribution/" + id),
	}
	if account != "" {
		arn.Account = &account
	}
	return *awscdk.Stack_Of(scope).FormatArn(arn)
}
