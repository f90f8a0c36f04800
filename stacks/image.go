package stacks

import (
	"cmp"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/buildspec/curated"
)

// ImageBuild says how CodeBuild makes the image of a service, from the repository's
// Dockerfile.
type ImageBuild struct {
	// ComputeType is the size of the machine. Default: Small (4 GiB, 2 vCPU, 0.0034
	// USD a minute on Arm and 0.005 on x86).
	ComputeType ComputeType

	// Timeout ends a build that hangs: whole minutes, from 5 minutes to 36 hours.
	// Default: 15 minutes. Example: 30 * time.Minute.
	Timeout time.Duration

	// LogRetention is how long the build's log is kept, in days. Default: 30.
	LogRetention LogDays
}

// WithDefaults returns these props with every default in its field.
func (b ImageBuild) WithDefaults() ImageBuild {
	b.ComputeType = cmp.Or(b.ComputeType, Small)
	b.Timeout = cmp.Or(b.Timeout, defaultBuildTimeout)
	b.LogRetention = b.LogRetention.withDefault()
	return b
}

func (b ImageBuild) validate(p *problems) {
	oneOf(p, "Build.ComputeType", b.ComputeType, Small, Medium, Large, XLarge, X2Large)
	validateBuildTimeout(p, b.Timeout)
	b.LogRetention.validate(p, "Build.LogRetention")
}

const (
	// keptImages bound what the repository costs. ECR counts pushes, and does not know
	// which image runs: production's must outlast those whose deployments fail.
	keptImages = 100
	armImage   = curated.Prefix + "amazonlinux-aarch64-standard:3.0"
)

// newRepository makes the repository of the service's images. Tags cannot be moved,
// so that a digest and its tag stay together. It goes with the stack, and so do the
// images: the source makes them again.
func newRepository(stack awscdk.Stack) awsecr.Repository {
	return awsecr.NewRepository(stack, jsii.String("Images"), &awsecr.RepositoryProps{
		ImageTagMutability: awsecr.TagMutability_IMMUTABLE,
		ImageScanOnPush:    jsii.Bool(true),
		EmptyOnDelete:      jsii.Bool(true),
		RemovalPolicy:      awscdk.RemovalPolicy_DESTROY,
		LifecycleRules: &[]*awsecr.LifecycleRule{{
			Description:   jsii.String("Storage is 0.10 USD a GB and month"),
			MaxImageCount: jsii.Number(keptImages),
		}},
	})
}

// newImageBuild makes the project that builds the image and pushes it, and leaves what
// the Deploy stage takes. appSpec is "" where CodeDeploy has no part.
func newImageBuild(stack awscdk.Stack, s FargateService, parts serviceParts, appSpec string) buildStage {
	c, repository := s.Container, parts.repository
	variables := map[string]string{
		buildspec.EnvRepositoryURI: *repository.RepositoryUri(),
		buildspec.EnvTaskFamily:    parts.task.templateFamily,
		buildspec.EnvServiceFamily: parts.task.family,
		buildspec.EnvContainerName: containerName,
		buildspec.EnvDockerfile:    c.Dockerfile,
		buildspec.EnvContext:       c.Context,
	}
	if appSpec != "" {
		variables[buildspec.EnvAppSpec] = appSpec
	}
	image := awscodebuild.LinuxArmBuildImage_FromCodeBuildImageId(jsii.String(armImage))
	if c.Architecture == X86 {
		image = awscodebuild.LinuxBuildImage_FromCodeBuildImageId(jsii.String(defaultImage))
	}
	project, role := newBuildProject(stack, "Build", buildProject{
		description: "Builds the image of the service " + s.Name,
		image:       image,
		computeType: s.Build.ComputeType,
		privileged:  true,
		variables:   variables,
		timeout:     s.Build.Timeout,
		logDays:     s.Build.LogRetention,
		recipe:      buildspec.Container,
	})
	parts.artifacts.GrantRead(role, nil)
	parts.artifacts.GrantPut(role, nil)
	if parts.source.connection != "" {
		allowConnection(role, parts.source.connection)
	}
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
			"ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:BatchGetImage"),
		Resources: &[]*string{repository.RepositoryArn()},
	}))
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("ecr:GetAuthorizationToken", "ecs:DescribeTaskDefinition"),
		// IAM knows no resource for either.
		Resources: jsii.Strings("*"),
	}))
	justify(project, noKey(s.owner()),
		justification{rule: "AwsSolutions-CB3", reason: "Docker needs privileged mode; the machine is the build's alone, and gone after it."})
	justifyWildcards(role, artifactKeys+" ecr:GetAuthorizationToken and ecs:DescribeTaskDefinition have no resource to name.")

	output := awscodepipeline.NewArtifact(jsii.String("Image"), nil)
	return buildStage{output: output, action: newBuildAction("Build", project, parts.source.output, output)}
}
