package site

import (
	"crypto/sha256"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

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

// newAccessLogBucket makes the bucket of CloudFront's access logs: private, over TLS
// only, encrypted, each log gone after so many days. It stays when logging ends or the
// stack goes (CloudFormation cannot delete a bucket that is not empty), and goes on
// removing its logs. It goes when a first deployment fails.
func newAccessLogBucket(scope constructs.Construct, days int) awss3.Bucket {
	bucket := awss3.NewBucket(scope, jsii.String("AccessLogs"), &awss3.BucketProps{
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
		Resources:  &[]*string{bucket.ArnForObjects(jsii.String("AWSLogs/" + *awscdk.Stack_Of(scope).Account() + "/*"))},
		Conditions: &map[string]any{
			"StringEquals": map[string]*string{
				"s3:x-amz-acl":      jsii.String("bucket-owner-full-control"),
				"aws:SourceAccount": awscdk.Stack_Of(scope).Account(),
			},
			"ArnLike": map[string]*string{"aws:SourceArn": awscdk.Stack_Of(scope).FormatArn(&awscdk.ArnComponents{
				Service: jsii.String("logs"), Region: jsii.String(props.CloudFrontRegion), Resource: jsii.String("delivery-source:*"),
			})},
		},
	}))
	cdk.NewOutput(scope, "AccessLogBucketName", "Where CloudFront's access logs are", *bucket.BucketName())
	cdk.Justify(bucket, cdk.Justification{Rule: "AwsSolutions-S1", Reason: "It holds logs: those of its own accesses would tell of nothing but CloudFront's deliveries."})
	return bucket
}

// NewAccessLogs has CloudFront write a Site's access logs to its AccessLogBucket. Its stack
// must be in us-east-1, where CloudFront delivers logs from.
func NewAccessLogs(scope constructs.Construct, blogName string, site *Site) {
	bucket := site.AccessLogBucket
	name := jsii.String(deliveryName(blogName))
	// What the Bucket itself returns is a name for its own region alone.
	bucketARN := cdk.Resource(bucket).(awss3.CfnBucket).AttrArn()
	source := awslogs.NewCfnDeliverySource(scope, jsii.String("AccessLogSource"), &awslogs.CfnDeliverySourceProps{
		Name:        name,
		LogType:     jsii.String("ACCESS_LOGS"),
		ResourceArn: jsii.String(cdk.DistributionARN(scope, "", *site.Distribution.DistributionId())),
	})
	target := awslogs.NewCfnDeliveryDestination(scope, jsii.String("AccessLogDestination"), &awslogs.CfnDeliveryDestinationProps{
		Name:                    name,
		DeliveryDestinationType: jsii.String("S3"),
		DestinationResourceArn:  bucketARN,
		// Each line names its fields, so that no reader depends on their order. Parquet
		// is charged for.
		OutputFormat: jsii.String("json"),
	})
	delivery := awslogs.NewCfnDelivery(scope, jsii.String("AccessLogDelivery"), &awslogs.CfnDeliveryProps{
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
