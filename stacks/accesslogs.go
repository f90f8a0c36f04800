package stacks

import (
	"crypto/sha256"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// deliveryRegion is where CloudFront's logs are delivered from, wherever they go.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html#enable-access-logging-api
const deliveryRegion = "us-east-1"

// maxAccessLogDays is ten years, as for the other logs.
const maxAccessLogDays = 3653

// maxDeliveryName is for delivery sources and destinations, unique in the account.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDeliverySource.html
const maxDeliveryName = 60

// accessLogFields are what is known of a request: those of the former standard logs,
// and the visitor's country. Left out are cookies, which may be anybody's secret, and
// what a blog does not use (field-level encryption).
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
var accessLogFields = []string{
	"date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status",
	"cs(Referer)", "cs(User-Agent)", "cs-uri-query", "x-edge-result-type", "x-edge-request-id", "x-host-header",
	"cs-protocol", "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher",
	"x-edge-response-result-type", "cs-protocol-version", "c-port", "time-to-first-byte",
	"x-edge-detailed-result-type", "sc-content-type", "sc-content-len", "sc-range-start", "sc-range-end", "c-country",
}

func validateAccessLogDays(p *problems, days int) {
	if days < 0 || days > maxAccessLogDays {
		p.add("Site.AccessLogDays", days, "must be from 1 to 3653 days, or 0 for no logs")
	}
}

// newAccessLogBucket makes the bucket of CloudFront's access logs: private, over TLS
// only, encrypted, each log gone after so many days. It stays when logging ends or the
// stack goes (CloudFormation cannot delete a bucket that is not empty), and goes on
// removing its logs. It goes when a first deployment fails.
func newAccessLogBucket(stack awscdk.Stack, days int) awss3.Bucket {
	bucket := awss3.NewBucket(stack, jsii.String("AccessLogs"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		EnforceSSL:        jsii.Bool(true),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE,
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Expiration:                          awscdk.Duration_Days(jsii.Number(days)),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		}},
	})
	// Without it the service would write the bucket's policy itself.
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-S3.html
	bucket.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("delivery.logs.amazonaws.com"), nil)},
		Actions:    jsii.Strings("s3:PutObject"),
		Resources:  &[]*string{bucket.ArnForObjects(jsii.String("AWSLogs/" + *stack.Account() + "/*"))},
		Conditions: &map[string]any{
			"StringEquals": map[string]*string{
				"s3:x-amz-acl":      jsii.String("bucket-owner-full-control"),
				"aws:SourceAccount": stack.Account(),
			},
			"ArnLike": map[string]*string{"aws:SourceArn": stack.FormatArn(&awscdk.ArnComponents{
				Service: jsii.String("logs"), Region: jsii.String(deliveryRegion),
				Resource: jsii.String("delivery-source"), ResourceName: jsii.String("*"),
				ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
			})},
		},
	}))
	justify(bucket, justification{rule: "AwsSolutions-S1", reason: "It holds logs: those of its own accesses would tell of nothing but CloudFront's deliveries."})
	return bucket
}

// newAccessLogs has CloudFront log what a distribution was asked: the bucket is in the
// distribution's stack, what writes to it in one of its own in scope, unless the former
// is where CloudFront delivers from.
func newAccessLogs(scope constructs.Construct, stack awscdk.Stack, owner owner, days int, distribution awscloudfront.Distribution) {
	bucket := newAccessLogBucket(stack, days)
	newOutput(stack, "AccessLogBucketName", "Where CloudFront's access logs are", *bucket.BucketName())
	in := stack
	if owner.region != deliveryRegion {
		elsewhere := owner
		elsewhere.region = deliveryRegion
		in = awscdk.NewStack(scope, jsii.String(logsStackID(owner.name)),
			elsewhere.stackProps("Access logs of the blog "+owner.name+", from the region that CloudFront delivers them from"))
	}
	newAccessLogDelivery(in, owner, distributionARN(in, "", *distribution.DistributionId()), bucket)
}

// newAccessLogDelivery connects the distribution with the bucket, in us-east-1.
func newAccessLogDelivery(stack awscdk.Stack, owner owner, distributionARN *string, bucket awss3.Bucket) {
	name := jsii.String(deliveryName(owner.name))
	// What the Bucket itself returns is a name for its own region alone.
	bucketARN := bucket.Node().DefaultChild().(awss3.CfnBucket).AttrArn()
	source := awslogs.NewCfnDeliverySource(stack, jsii.String("AccessLogSource"), &awslogs.CfnDeliverySourceProps{
		Name:        name,
		LogType:     jsii.String("ACCESS_LOGS"),
		ResourceArn: distributionARN,
	})
	target := awslogs.NewCfnDeliveryDestination(stack, jsii.String("AccessLogDestination"), &awslogs.CfnDeliveryDestinationProps{
		Name:                    name,
		DeliveryDestinationType: jsii.String("S3"),
		DestinationResourceArn:  bucketARN,
		// Each line names its fields, so that no reader depends on their order. Parquet
		// is charged for.
		OutputFormat: jsii.String("json"),
	})
	delivery := awslogs.NewCfnDelivery(stack, jsii.String("AccessLogDelivery"), &awslogs.CfnDeliveryProps{
		DeliverySourceName:     source.Ref(),
		DeliveryDestinationArn: target.AttrArn(),
		RecordFields:           jsii.Strings(accessLogFields...),
		// Below AWSLogs/ACCOUNT/CloudFront/, which CloudFront puts before it.
		S3SuffixPath: jsii.String("{DistributionId}/{yyyy}/{MM}/{dd}"),
	})
	delivery.Node().AddDependency(bucket.Policy())
}

// deliveryName is the blog's name, as far as there is room, and then a hash of it.
func deliveryName(blog string) string {
	const suffix = "-access-logs"
	if len(blog+suffix) <= maxDeliveryName {
		return blog + suffix
	}
	hash := fmt.Sprintf("-%x", sha256.Sum256([]byte(blog)))[:9]
	return blog[:maxDeliveryName-len(suffix)-len(hash)] + hash + suffix
}
