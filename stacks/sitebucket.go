package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// BucketRemoval is what becomes of a Site's bucket when its stack goes.
type BucketRemoval string

const (
	// KeepBucket leaves it, and all that is in it, in the account.
	KeepBucket BucketRemoval = "keep"
	// DeleteBucket empties it, every version of every file, and removes it. A function
	// of CDK's own does so.
	DeleteBucket BucketRemoval = "delete"
)

// versionDays is how long a file stays that a later delivery has replaced. Every
// delivery uploads every file: with one a day, S3 stores the blog 31 times.
const versionDays = 30

// newSiteBucket makes the bucket the distribution serves from: private, over TLS only,
// encrypted, with each file's former versions of the last 30 days.
func newSiteBucket(scope constructs.Construct, removal BucketRemoval) awss3.Bucket {
	props := &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		EnforceSSL:        jsii.Bool(true),
		// CloudFront would need a grant for a key of KMS, and each request would cost.
		Encryption: awss3.BucketEncryption_S3_MANAGED,
		Versioned:  jsii.Bool(true),
		LifecycleRules: &[]*awss3.LifecycleRule{{
			NoncurrentVersionExpiration:         awscdk.Duration_Days(jsii.Number(versionDays)),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		}},
		// It goes when a first deployment fails: it is empty then.
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE,
	}
	if removal == DeleteBucket {
		props.RemovalPolicy, props.AutoDeleteObjects = awscdk.RemovalPolicy_DESTROY, jsii.Bool(true)
	}
	bucket := awss3.NewBucket(scope, jsii.String("Bucket"), props)
	justify(bucket, justification{rule: "AwsSolutions-S1", reason: "Readers' requests end at CloudFront, which has its own access logs; S3's would show CloudFront and the pipeline alone."})
	return bucket
}
