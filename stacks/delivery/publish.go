package delivery

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	actions "github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/function"
	"blog-deploy-pipeline/stacks/pipeline"
	"blog-deploy-pipeline/stacks/props"
)

const (
	// publishMB gives the function 0.58 of a processor, in proportion to its memory. Of a full upload's time
	// half is spent on unpacking: with 512 MB the upload of 2,000 files takes twice as long, and costs as much.
	publishMB = 1024
	// publishTimeout is the longest that Lambda offers. A blog that needs longer continues in another call.
	publishTimeout = 15 * time.Minute
)

// newPublish makes the function that publishes what the build left, and the action that calls it. The lease
// in the releases bucket keeps two executions apart, so that any execution mode is right.
func newPublish(scope constructs.Construct, base pipeline.Base, blog props.Blog, bucket awss3.IBucket, kept releases, input awscodepipeline.Artifact) (*function.GoFunction, awscodepipeline.IAction) {
	publish := function.NewGoFunction(scope, "Publish", function.Props{
		Binary:           "publish",
		Description:      "Publishes the blog " + base.Identity.Name,
		Environment:      props.PublishEnvironment(blog.Deploy, *bucket.BucketName(), kept.name),
		MemoryMB:         publishMB,
		Timeout:          publishTimeout,
		MaxEventAge:      replyTimeout,
		LogRetentionDays: blog.Deploy.LogRetentionDays,
	})
	grantPublishing(publish, blog.Deploy, *bucket.BucketArn())
	cdk.Allow(publish.Role, []string{"s3:GetObject"}, *base.Artifacts.BucketArn()+"/*")
	kept.grantPublish(publish.Role)
	cdk.JustifyWildcards(publish.Role, "The function writes whatever files the site has, below the blog's own prefix, and reads artifacts, whose keys CodePipeline makes up. CodePipeline's PutJobSuccessResult and PutJobFailureResult have no resource to name.")

	role := cdk.NewActionRole(scope, "PublishActionRole", base.Principal, "Calls the function that publishes the blog")
	parameters := contract.PublishParameters{
		PipelineName: base.Identity.Name,
		Execution:    "#{codepipeline.PipelineExecutionId}",
		Revision:     "#{" + pipeline.SourceNamespace + ".CommitId}",
	}
	if blog.PipelineType == props.PipelineTypeV2 { // V1 has no variables
		parameters.AllowDeletions = "#{variables." + contract.VariableAllowDeletions + "}"
	}
	action := actions.NewLambdaInvokeAction(&actions.LambdaInvokeActionProps{
		ActionName:           jsii.String("Publish"),
		Lambda:               publish.Function,
		Role:                 role,
		Inputs:               &[]awscodepipeline.Artifact{input},
		UserParametersString: jsii.String(contract.JSON(parameters)),
		VariablesNamespace:   jsii.String("Publish"),
	})
	publish.Function.GrantInvoke(role)
	cdk.JustifyWildcards(role, "CDK grants the versions of the one function, the artifacts that CodePipeline passes to it, and the listing of functions that CodePipeline's documentation asks for.")
	return publish, action
}

// grantPublishing lets the function list, write and delete the blog's files, and nothing else in the bucket. It
// does not read them: the manifest says what they are.
func grantPublishing(publish *function.GoFunction, deploy props.Deploy, bucketARN string) {
	keys := bucketARN + "/*"
	if deploy.KeyPrefix == "" {
		cdk.Allow(publish.Role, []string{"s3:ListBucket"}, bucketARN)
	} else {
		keys = bucketARN + "/" + deploy.KeyPrefix + "/*"
		cdk.AllowIf(publish.Role, []string{"s3:ListBucket"}, "s3:prefix", deploy.KeyPrefix+"/", bucketARN)
	}
	cdk.Allow(publish.Role, []string{"s3:PutObject", "s3:DeleteObject"}, keys)
	if key := deploy.EncryptionKeyARN; key != "" {
		// S3 asks for the data key of an object in the name of who puts it.
		cdk.AllowIf(publish.Role, []string{"kms:GenerateDataKey"}, "kms:ViaService", "s3."+cdk.RegionOf(key)+".amazonaws.com", key)
	}
}

// publishVariables are the variables of a pipeline that publishes by the function.
func publishVariables(blog props.Blog) *[]awscodepipeline.Variable {
	if blog.Deploy.By != props.DeployByFunction || blog.PipelineType == props.PipelineTypeV1 {
		return nil
	}
	return &[]awscodepipeline.Variable{awscodepipeline.NewVariable(&awscodepipeline.VariableProps{
		VariableName: jsii.String(contract.VariableAllowDeletions),
		DefaultValue: jsii.String(contract.AllowDeletionsNo),
		Description:  jsii.String(contract.AllowDeletionsYes + " lets this execution remove any number of the blog's files"),
	})}
}
