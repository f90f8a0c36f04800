package delivery

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/cdk"
)

// releases is the bucket in which the functions keep what they know of the blog's releases.
type releases struct {
	bucket    awss3.Bucket
	name, arn string // tokens
}

// newReleases makes the bucket: private, encrypted and reached over TLS only. S3 deletes builds after keepDays.
// The lists of files are small, and the current one is needed however old it is, so they stay. The bucket stays
// when the stack is deleted, because CloudFormation cannot delete a bucket that is not empty. It is deleted if a
// first deployment fails. Without it, the next publication uploads every file, and deletes none.
func newReleases(scope constructs.Construct, keepDays int) releases {
	bucket := awss3.NewBucket(scope, jsii.String("Releases"), &awss3.BucketProps{
		BlockPublicAccess: cdk.BlockPublicAccess(),
		EnforceSSL:        jsii.Bool(true),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE,
		LifecycleRules: &[]*awss3.LifecycleRule{
			{Prefix: jsii.String(contract.ReleaseArtifacts), Expiration: cdk.Days(keepDays)},
			{AbortIncompleteMultipartUploadAfter: cdk.Days(1)},
		},
	})
	cdk.Justify(bucket, cdk.Justification{Rule: "AwsSolutions-S1", Reason: "Access logs of a bucket that only this blog's functions touch would cost more than they tell; CloudTrail has data events for who needs them."})
	return releases{bucket, *bucket.BucketName(), *bucket.BucketArn()}
}

// grantPublish lets a function begin and record a release, and compare it with the build of the one before.
func (r releases) grantPublish(role awsiam.Role) {
	r.allow(role, "s3:GetObject", contract.ReleaseState, contract.ReleaseManifests+"*", contract.ReleaseArtifacts+"*")
	r.allow(role, "s3:PutObject", contract.ReleaseState, contract.ReleaseManifests+"*", contract.ReleaseArtifacts+"*")
	r.allowListing(role)
}

// grantClearing lets a function read what the releases have changed, and record what it has cleared.
func (r releases) grantClearing(role awsiam.Role) {
	r.allow(role, "s3:GetObject", contract.ReleaseState, contract.ReleaseManifests+"*")
	r.allow(role, "s3:PutObject", contract.ReleaseState)
	r.allowListing(role)
}

func (r releases) allow(role awsiam.Role, action string, keys ...string) {
	for i, key := range keys {
		keys[i] = r.arn + "/" + key
	}
	cdk.Allow(role, []string{action}, keys...)
}

// allowListing makes S3 answer that an object does not exist. Otherwise it answers that access is denied.
func (r releases) allowListing(role awsiam.Role) {
	cdk.Allow(role, []string{"s3:ListBucket"}, r.arn)
}
