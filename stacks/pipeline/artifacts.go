package pipeline

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
)

// artifactDays is how many days S3 keeps a stage's output. A failed stage can be retried, and a
// stage rolled back, only while its input is there.
const artifactDays = 30

// newArtifactBucket makes the bucket in which one stage leaves its output for the next: private,
// encrypted, reached over TLS only, and deleting objects after 30 days. The bucket stays when the
// stack is deleted, because CloudFormation cannot delete a bucket that is not empty; it costs
// nothing once its objects have expired. It is deleted if a first deployment fails.
func newArtifactBucket(scope constructs.Construct) awss3.Bucket {
	bucket := awss3.NewBucket(scope, jsii.String("Artifacts"), &awss3.BucketProps{
		BlockPublicAccess: cdk.BlockPublicAccess(),
		EnforceSSL:        jsii.Bool(true),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE,
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Expiration:                          cdk.Days(artifactDays),
			AbortIncompleteMultipartUploadAfter: cdk.Days(1),
		}},
	})
	cdk.Justify(bucket, cdk.Justification{Rule: "AwsSolutions-S1", Reason: "Access logs of a bucket that only this pipeline touches would cost more than they tell; CloudTrail has data events for who needs them."})
	return bucket
}
