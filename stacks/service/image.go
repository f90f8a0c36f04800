package service

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
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
	// keptImages bound what the repository costs. ECR counts pushes, and does not know
	// which image runs: production's must outlast those whose deployments fail.
	keptImages = 100
	armImage   = curated.Prefix + "amazonlinux-aarch64-standard:3.0"
)

// newRepository makes the repository of the service's images. Tags cannot be moved,
// so that a digest and its tag stay together. It goes with the scope, and so do the
// images: the source makes them again.
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

// newImageBuild makes the project that builds the image and pushes it, and leaves what
// the Deploy stage takes. appSpec is "" where CodeDeploy has no part.
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
		image = awscodebuild.LinuxBuildImage_FromCodeBuildImageId(jsii.String(props.DefaultImage))
	}
	project, role := pipeline.NewProject(scope, "Build", pipeline.ProjectProps{
		Description:      "Builds the image of the service " + s.Name,
		Image:            image,
		ComputeType:      s.Build.ComputeType,
		Privileged:       true,
		Variables:        variables,
		Timeout:          s.Build.Timeout,
		LogRetentionDays: s.Build.LogRetentionDays,
		Recipe:           buildspec.Container,
	})
	p.base.Artifacts.GrantRead(role, nil)
	p.base.Artifacts.GrantPut(role, nil)
	if p.base.Source.Connection != "" {
		pipeline.AllowConnection(role, p.base.Source.Connection)
	}
	cdk.Allow(role, []string{"ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
		"ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:BatchGetImage"}, *repository.RepositoryArn())
	// IAM has no resource for these actions.
	cdk.Allow(role, []string{"ecr:GetAuthorizationToken", "ecs:DescribeTaskDefinition"}, "*")
	cdk.Justify(project, pipeline.NoKey(s.Identity()),
		cdk.Justification{Rule: "AwsSolutions-CB3", Reason: "Docker needs privileged mode; the machine is the build's alone, and gone after it."})
	cdk.JustifyWildcards(role, cdk.ArtifactKeys+" ecr:GetAuthorizationToken and ecs:DescribeTaskDefinition have no resource to name.")

	output := awscodepipeline.NewArtifact(jsii.String("Image"), nil)
	return pipeline.BuildStage{Output: output, Action: pipeline.NewBuildAction("Build", project, p.base.Source.Output, output)}
}
