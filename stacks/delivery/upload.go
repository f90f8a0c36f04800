package delivery

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	actions "github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/pipeline"
	"blog-deploy-pipeline/stacks/props"
)

// newUpload makes CodePipeline's own action that uploads what the build left to the bucket.
func newUpload(scope constructs.Construct, base pipeline.Base, deploy props.Deploy, bucket awss3.IBucket, input awscodepipeline.Artifact) awscodepipeline.IAction {
	// The role that the CDK would make for this action may write to the whole bucket, and so
	// overwrite other blogs that share it.
	role := cdk.NewActionRole(scope, "DeployRole", base.Principal, "Uploads the blog")
	settings := &actions.S3DeployActionProps{
		ActionName: jsii.String("S3"),
		Bucket:     bucket,
		Input:      input,
		Extract:    jsii.Bool(true),
		Role:       role.WithoutPolicyUpdates(&awsiam.WithoutPolicyUpdatesOptions{}),
	}
	keys := "*"
	if deploy.KeyPrefix != "" {
		settings.ObjectKey = jsii.String(deploy.KeyPrefix)
		keys = deploy.KeyPrefix + "/*"
	}
	if deploy.CacheControl != "" {
		settings.CacheControl = &[]actions.CacheControl{actions.CacheControl_FromString(jsii.String(deploy.CacheControl))}
	}
	bucket.GrantPut(role, jsii.String(keys))
	base.Artifacts.GrantRead(role, nil)
	cdk.JustifyWildcards(role, "The pipeline writes whatever files the site has, below the blog's own prefix, and reads artifacts, whose keys CodePipeline makes up.")
	return actions.NewS3DeployAction(settings)
}
