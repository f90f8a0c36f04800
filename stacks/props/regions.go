package props

import (
	"regexp"
	"slices"
)

// CloudFrontRegion is the region of all that CloudFront accepts from one region only: certificates,
// web ACLs and the delivery of access logs.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html
const CloudFrontRegion = "us-east-1"

// regions are the regions of AWS's commercial partition, as of botocore 1.44.8.
// https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json
var regions = []string{
	"af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
	"ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
	"ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1",
	"eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
	"me-west-1", "mx-central-1", "sa-east-1", "sa-west-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
}

func isRegion(name string) bool { return slices.Contains(regions, name) }

// otherPartitionPattern matches regions of other partitions. These have no CloudFront, or another
// CloudFront with other endpoints.
var otherPartitionPattern = regexp.MustCompile(`^(cn|us-gov|us-iso[a-z]*|eu-isoe|eusc-[a-z]+)-`)

// Regions in which CloudFormation cannot create a resource, as of cfn-lint 1.58. It refuses the whole
// template there.
var (
	withoutBuilds   = []string{"ap-east-2", "ca-west-1", "mx-central-1"} // AWS::CodeBuild::Project
	withoutWebhooks = []string{"ap-southeast-5", "ap-southeast-7"}       // AWS::CodePipeline::Webhook, besides those without builds
	// AWS::Budgets::Budget
	// https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2177
	withoutBudgets = []string{
		"af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-3", "ap-south-2", "ap-southeast-3", "ap-southeast-4",
		"ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-north-1", "eu-south-1",
		"eu-south-2", "il-central-1", "me-central-1", "mx-central-1",
	}
)
