package site

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// versionDays is how many days S3 keeps a file that a later delivery has replaced or removed. The S3
// action uploads every file each time: with one delivery a day, S3 then stores the blog 31 times.
const versionDays = 30

// newBucket makes the bucket that the distribution serves: private, encrypted, reached over TLS
// only, and with each file's former versions of the last 30 days.
func newBucket(scope constructs.Construct, removal props.BucketRemoval) awss3.Bucket {
	settings := &awss3.BucketProps{
		BlockPublicAccess: cdk.BlockPublicAccess(),
		EnforceSSL:        jsii.Bool(true),
		// With a KMS key CloudFront would need a grant, and each request would cost.
		Encryption: awss3.BucketEncryption_S3_MANAGED,
		Versioned:  jsii.Bool(true),
		LifecycleRules: &[]*awss3.LifecycleRule{{
			NoncurrentVersionExpiration:         cdk.Days(versionDays),
			AbortIncompleteMultipartUploadAfter: cdk.Days(1),
		}},
		// Only after a first deployment that failed is the bucket deleted: it is empty then.
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE,
	}
	if removal == props.BucketRemovalDelete {
		settings.RemovalPolicy, settings.AutoDeleteObjects = awscdk.RemovalPolicy_DESTROY, jsii.Bool(true)
	}
	bucket := awss3.NewBucket(scope, jsii.String("Bucket"), settings)
	cdk.Justify(bucket, cdk.Justification{Rule: "AwsSolutions-S1", Reason: "Readers' requests end at CloudFront, which has its own access logs; S3's would show CloudFront and the pipeline alone."})
	return bucket
}
