package delivery

import (
	"maps"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/buildspec/curated"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/pipeline"
	"blog-deploy-pipeline/stacks/props"
)

// environment returns the variables of the build project. baseURL is the blog's address, or "".
func environment(b props.Build, baseURL string) map[string]string {
	variables := map[string]string{}
	set := func(name, value string) {
		if value != "" {
			variables[name] = value
		}
	}
	// Without a version and an edition from the owner, the recipe uses what the blog says.
	set(buildspec.EnvHugoVersion, b.HugoVersion)
	if b.HugoExtended {
		set(buildspec.EnvHugoExtended, "true")
	}
	set(buildspec.EnvNodeVersion, b.NodeVersion)
	set(buildspec.EnvHugoBaseURL, baseURL)
	set(buildspec.EnvRootDirectory, b.RootDirectory)
	set(buildspec.EnvAssetScript, b.AssetScript)
	set(buildspec.EnvAfterHugo, b.AfterHugo)
	maps.Copy(variables, b.Environment)
	return variables
}

// onARM returns whether an image is one of CodeBuild's for Arm.
func onARM(image string) bool {
	return strings.HasPrefix(image, curated.Prefix) && strings.Contains(image, "aarch64")
}

// buildImage returns one of CodeBuild's own images, or one from a registry.
func buildImage(b props.Build) awscodebuild.IBuildImage {
	switch id := b.Image; {
	case !strings.HasPrefix(id, curated.Prefix):
		return awscodebuild.LinuxBuildImage_FromDockerRegistry(jsii.String(id), nil)
	case onARM(id):
		return awscodebuild.LinuxArmBuildImage_FromCodeBuildImageId(jsii.String(id))
	default:
		return awscodebuild.LinuxBuildImage_FromCodeBuildImageId(jsii.String(id))
	}
}

// newBuild makes the stage that builds a blog for the address baseURL.
func newBuild(scope constructs.Construct, base pipeline.Base, build props.Build, baseURL string) pipeline.BuildStage {
	settings := pipeline.ProjectProps{
		Base:             base,
		Description:      "Builds the blog",
		Image:            buildImage(build),
		ComputeType:      build.ComputeType,
		Variables:        environment(build, baseURL),
		Timeout:          build.Timeout,
		LogRetentionDays: build.LogRetentionDays,
		Recipe:           buildspec.Inline(buildspec.Hugo),
		File:             build.Buildspec,
	}
	if !build.NoCache && !onARM(build.Image) {
		settings.Cache = awscodebuild.Cache_Local(awscodebuild.LocalCacheMode_CUSTOM)
	}
	if !strings.HasPrefix(build.Image, curated.Prefix) {
		settings.Justifications = []cdk.Justification{{Rule: "AwsSolutions-CB5", Reason: "The blog's owner chose this image."}}
	}
	project, role := pipeline.NewProject(scope, "Build", settings)
	base.GrantBuild(role)
	cdk.JustifyWildcards(role, cdk.ArtifactKeys)
	return base.NewBuildStage(project, role, "Site")
}
