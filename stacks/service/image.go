package service

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/buildspec/curated"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/pipeline"
	"blog-deploy-pipeline/stacks/props"
)

const (
	// keptImages limits what the repository costs. ECR deletes the oldest image and does not know
	// which one is in production, so the number leaves room for many deployments that fail.
	keptImages = 100

	armImage = curated.Prefix + "amazonlinux-aarch64-standard:3.0"
)

// newRepository makes the repository of the service's images. Tags are immutable, so that a tag
// always means the same image. The images are deleted with the stack: the source makes them again.
func newRepository(scope constructs.Construct) awsecr.Repository {
	return awsecr.NewRepository(scope, jsii.String("Images"), &awsecr.RepositoryProps{
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

// newImageBuild makes the stage that builds the image and pushes it. appSpec is "" for a service that ECS deploys.
func newImageBuild(scope constructs.Construct, s props.FargateService, p parts, appSpec string) pipeline.BuildStage {
	c, repository := s.Container, p.repository
	variables := map[string]string{
		buildspec.EnvRepositoryURI: *repository.RepositoryUri(),
		buildspec.EnvTaskFamily:    p.task.templateFamily,
		buildspec.EnvServiceFamily: p.task.family,
		buildspec.EnvContainerName: props.ContainerName,
		buildspec.EnvDockerfile:    c.Dockerfile,
		buildspec.EnvContext:       c.Context,
	}
	if appSpec != "" {
		variables[buildspec.EnvAppSpec] = appSpec
	}
	image := awscodebuild.LinuxArmBuildImage_FromCodeBuildImageId(jsii.String(armImage))
	if c.Architecture == props.ArchitectureX86_64 {
		image = awscodebuild.LinuxBuildImage_FromCodeBuildImageId(jsii.String(curated.Default))
	}
	project, role := pipeline.NewProject(scope, "Build", pipeline.ProjectProps{
		Base:             p.base,
		Description:      "Builds the image of the service " + s.Name,
		Image:            image,
		ComputeType:      s.Build.ComputeType,
		Privileged:       true,
		Variables:        variables,
		Timeout:          s.Build.Timeout,
		LogRetentionDays: s.Build.LogRetentionDays,
		Recipe:           buildspec.Container,
		Justifications: []cdk.Justification{
			{Rule: "AwsSolutions-CB3", Reason: "Docker needs privileged mode; the machine is the build's alone, and gone after it."},
		},
	})
	p.base.GrantBuild(role)
	cdk.Allow(role, []string{"ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
		"ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:BatchGetImage"}, *repository.RepositoryArn())
	// IAM has no resource for these actions.
	cdk.Allow(role, []string{"ecr:GetAuthorizationToken", "ecs:DescribeTaskDefinition"}, "*")
	cdk.JustifyWildcards(role, cdk.ArtifactKeys+" ecr:GetAuthorizationToken and ecs:DescribeTaskDefinition have no resource to name.")
	return p.base.NewBuildStage(project, role, "Image")
}
