package delivery

import (
	"maps"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/buildspec/curated"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/pipeline"
	"blog-deploy-pipeline/stacks/props"
)

// environment are the variables of the build project. They win over the ones in a
// buildspec. baseURL is the site's address, or "".
func environment(b props.Build, baseURL string) map[string]string {
	variables := map[string]string{}
	set := func(name, value string) {
		if value != "" {
			variables[name] = value
		}
	}
	// Hugo's version and edition only if they were asked for: otherwise the recipe
	// takes what the blog says.
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

func buildImage(b props.Build) awscodebuild.IBuildImage {
	switch id := b.Image; {
	case !strings.HasPrefix(id, curated.Prefix):
		return awscodebuild.LinuxBuildImage_FromDockerRegistry(jsii.String(id), nil)
	case b.OnARM():
		return awscodebuild.LinuxArmBuildImage_FromCodeBuildImageId(jsii.String(id))
	default:
		return awscodebuild.LinuxBuildImage_FromCodeBuildImageId(jsii.String(id))
	}
}

// newBuild makes the project that builds a blog for the address baseURL. Its role may
// use the artifacts and write its own log, and nothing else.
func newBuild(scope constructs.Construct, base pipeline.Base, build props.Build, baseURL string) pipeline.BuildStage {
	wanted := pipeline.ProjectProps{
		Description:      "Builds the blog",
		Image:            buildImage(build),
		ComputeType:      build.ComputeType,
		Variables:        environment(build, baseURL),
		Timeout:          build.Timeout,
		LogRetentionDays: build.LogRetentionDays,
		Recipe:           buildspec.Inline(buildspec.Hugo),
		File:             build.Buildspec,
	}
	if !build.NoCache && !build.OnARM() {
		wanted.Cache = awscodebuild.Cache_Local(awscodebuild.LocalCacheMode_CUSTOM)
	}
	project, role := pipeline.NewProject(scope, "Build", wanted)
	base.Artifacts.GrantRead(role, nil)
	base.Artifacts.GrantPut(role, nil)
	if base.Source.Connection != "" {
		pipeline.AllowConnection(role, base.Source.Connection)
	}
	reasons := []cdk.Justification{pipeline.NoKey(base.Identity)}
	if !strings.HasPrefix(build.Image, curated.Prefix) {
		reasons = append(reasons, cdk.Justification{Rule: "AwsSolutions-CB5", Reason: "The blog's owner chose this image."})
	}
	cdk.Justify(project, reasons...)
	cdk.JustifyWildcards(role, cdk.ArtifactKeys)

	output := awscodepipeline.NewArtifact(jsii.String("Site"), nil)
	return pipeline.BuildStage{Output: output, Action: pipeline.NewBuildAction("Build", project, base.Source.Output, output)}
}
