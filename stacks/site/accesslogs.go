package site

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

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// maxDeliveryName limits the names of delivery sources and destinations.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDeliverySource.html
const maxDeliveryName = 60

// accessLogFields are the fields of the former standard logs, and the visitor's country. Cookies
// are left out, because they may be secrets, and so are the fields of field-level encryption,
// which a blog does not use.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
var accessLogFields = []string{
	"date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status",
	"cs(Referer)", "cs(User-Agent)", "cs-uri-query", "x-edge-result-type", "x-edge-request-id", "x-host-header",
	"cs-protocol", "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher",
	"x-edge-response-result-type", "cs-protocol-version", "c-port", "time-to-first-byte",
	"x-edge-detailed-result-type", "sc-content-type", "sc-content-len", "sc-range-start", "sc-range-end", "c-country",
}

// newAccessLogBucket makes the bucket of CloudFront's access logs: private, encrypted, reached over
// TLS only, and deleting each log after some days. The bucket stays, and goes on deleting logs,
// when logging ends or the stack is deleted: CloudFormation cannot delete a bucket that is not
// empty. It is deleted if a first deployment fails.
func newAccessLogBucket(scope constructs.Construct, days int) awss3.Bucket {
	bucket := awss3.NewBucket(scope, jsii.String("AccessLogs"), &awss3.BucketProps{
		BlockPublicAccess: cdk.BlockPublicAccess(),
		EnforceSSL:        jsii.Bool(true),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE,
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Expiration:                          cdk.Days(days),
			AbortIncompleteMultipartUploadAfter: cdk.Days(1),
		}},
	})
	// Without this statement, CloudWatch Logs would write the bucket's policy itself.
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-S3.html
	bucket.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{cdk.ServicePrincipal("delivery.logs.amazonaws.com")},
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

// AccessLogsProps describe [AccessLogs].
type AccessLogsProps struct {
	// BlogName is part of the names of the delivery. Required. Example: "travel".
	BlogName string

	// Distribution and Bucket are the Distribution and the AccessLogBucket of a [Site]. Required.
	Distribution awscloudfront.IDistribution
	Bucket       awss3.Bucket
}

// AccessLogs has CloudFront write the access logs of a distribution to a bucket.
//
//	site.NewAccessLogs(stackInUSEast1, "AccessLogs", site.AccessLogsProps{
//		BlogName: "travel", Distribution: s.Distribution, Bucket: s.AccessLogBucket,
//	})
type AccessLogs struct {
	constructs.Construct

	// Source is where another delivery of the same logs begins, to CloudWatch Logs for example.
	Source awslogs.CfnDeliverySource
}

// NewAccessLogs makes the delivery of access logs. scope must be in us-east-1, because CloudFront
// delivers logs from there.
func NewAccessLogs(scope constructs.Construct, id string, p AccessLogsProps) *AccessLogs {
	this := &AccessLogs{Construct: cdk.NewConstruct(scope, id)}
	name := jsii.String(deliveryName(p.BlogName))
	// BucketArn is for stacks of the bucket's region. In another one the CDK makes an ARN of the
	// physical name, which this bucket does not have.
	bucketARN := cdk.Resource(p.Bucket).(awss3.CfnBucket).AttrArn()
	this.Source = awslogs.NewCfnDeliverySource(this.Construct, jsii.String("AccessLogSource"), &awslogs.CfnDeliverySourceProps{
		Name:        name,
		LogType:     jsii.String("ACCESS_LOGS"),
		ResourceArn: jsii.String(cdk.DistributionARN(scope, "", *p.Distribution.DistributionId())),
	})
	target := awslogs.NewCfnDeliveryDestination(this.Construct, jsii.String("AccessLogDestination"), &awslogs.CfnDeliveryDestinationProps{
		Name:                    name,
		DeliveryDestinationType: jsii.String("S3"),
		DestinationResourceArn:  bucketARN,
		// In JSON each line names its fields, so that no program depends on their order. AWS
		// charges for Parquet.
		OutputFormat: jsii.String("json"),
	})
	delivery := awslogs.NewCfnDelivery(this.Construct, jsii.String("AccessLogDelivery"), &awslogs.CfnDeliveryProps{
		DeliverySourceName:     this.Source.Ref(),
		DeliveryDestinationArn: target.AttrArn(),
		RecordFields:           jsii.Strings(accessLogFields...),
		// CloudFront puts AWSLogs/ACCOUNT/CloudFront/ before this path.
		S3SuffixPath: jsii.String("{DistributionId}/{yyyy}/{MM}/{dd}"),
	})
	delivery.Node().AddDependency(p.Bucket.Policy())
	return this
}

// deliveryName returns a name that is unique in the account: the blog's, or if that is too long,
// its beginning and a hash of it.
func deliveryName(blog string) string {
	const suffix = "-access-logs"
	if len(blog+suffix) <= maxDeliveryName {
		return blog + suffix
	}
	hash := fmt.Sprintf("-%x", sha256.Sum256([]byte(blog)))[:9]
	return blog[:maxDeliveryName-len(suffix)-len(hash)] + hash + suffix
}
