package props_test

import (
	"testing"
	"time"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestBuildRefuses(t *testing.T) {
	wantRefusals(t, fixtures.Modern, []refusal[props.Blog]{
		{"buildspec outside", func(b *props.Blog) { b.Build.Buildspec = "../buildspec.yml" }, "Build.Buildspec"},
		{"buildspec is a folder", func(b *props.Blog) { b.Build.Buildspec = "." }, "Build.Buildspec"},
		{"buildspec absolute", func(b *props.Blog) { b.Build.Buildspec = "/buildspec.yml" }, "inside the blog's repository"},
		{"Hugo's version", func(b *props.Blog) { b.Build.HugoVersion = "latest" }, `Build.HugoVersion is "latest": must be a version of Hugo, such as 0.164.0`},
		{"Node's version", func(b *props.Blog) { b.Build.NodeVersion = "v24" }, "Build.NodeVersion"},
		{"variable", func(b *props.Blog) { b.Build.Environment = map[string]string{"A-B": ""} }, `Build.Environment is "A-B"`},
		{"variable of CodeBuild", func(b *props.Blog) { b.Build.Environment = map[string]string{"CODEBUILD_X": ""} }, "reserves"},
		{"variable with a prop", func(b *props.Blog) { b.Build.Environment = map[string]string{"HUGO_VERSION": "1"} }, "set Build.HugoVersion"},
		{"variable with a prop of the recipe", func(b *props.Blog) { b.Build.Environment = map[string]string{"ASSET_SCRIPT": "x"} }, "set Build.AssetScript"},
		{"root outside", func(b *props.Blog) { b.Build.RootDirectory = "../site" }, `Build.RootDirectory is "../site": must be a folder inside`},
		{"root is the top", func(b *props.Blog) { b.Build.RootDirectory = "." }, "leave it out for the repository's top"},
		{"root with a slash at its end", func(b *props.Blog) { b.Build.RootDirectory = "site/" }, "Build.RootDirectory"},
		{"root with a space at its end", func(b *props.Blog) { b.Build.RootDirectory = "site " }, "Build.RootDirectory"},
		{"root of Windows", func(b *props.Blog) { b.Build.RootDirectory = `docs\site` }, "Build.RootDirectory"},
		{"root like an option", func(b *props.Blog) { b.Build.RootDirectory = "-site" }, "Build.RootDirectory"},
		{"script like a command", func(b *props.Blog) { b.Build.AssetScript = "npm run build" }, "one of package.json's scripts"},
		{"script like an option", func(b *props.Blog) { b.Build.AssetScript = "--silent" }, "Build.AssetScript"},
		{"blank command", func(b *props.Blog) { b.Build.AfterHugo = " " }, `Build.AfterHugo is " ": must be a shell command`},
		{"root beside a buildspec", func(b *props.Blog) { b.Build.Buildspec, b.Build.RootDirectory = "buildspec.yml", "site" }, "Build.RootDirectory is \"site\": must be empty: only this project's recipe uses it"},
		{"script beside a buildspec", func(b *props.Blog) { b.Build.Buildspec, b.Build.AssetScript = "buildspec.yml", "css" }, "Build.AssetScript"},
		{"command beside a buildspec", func(b *props.Blog) { b.Build.Buildspec, b.Build.AfterHugo = "buildspec.yml", "true" }, "Build.AfterHugo"},
		{"compute type", func(b *props.Blog) { b.Build.ComputeType = "HUGE" }, `Build.ComputeType is "HUGE"`},
		{"image for Windows", func(b *props.Blog) { b.Build.Image = "aws/codebuild/windows-base:2019-3.0" }, "for Linux containers"},
		{"image for Lambda", func(b *props.Blog) { b.Build.Image = "aws/codebuild/amazonlinux-x86_64-lambda-standard:nodejs20" }, "for Linux containers"},
		{"private image", func(b *props.Blog) {
			b.Build.Image, b.Build.Buildspec = "123456789012.dkr.ecr.us-east-1.amazonaws.com/hugo:1", "buildspec.yml"
		}, "must be public"},
		{"image unknown", func(b *props.Blog) { b.Build.Image = "aws/codebuild/standard:9.0" }, `Build.Image is "aws/codebuild/standard:9.0": must be one of CodeBuild's images, which are "aws/codebuild/standard:8.0", "aws/codebuild/standard:7.0"`},
		{"image unknown, with a buildspec", func(b *props.Blog) { b.Build.Image, b.Build.Buildspec = "aws/codebuild/standard", "buildspec.yml" }, "must be one of CodeBuild's images"},
		{"image too old for the recipe", func(b *props.Blog) { b.Build.Image, b.Build.NodeVersion = "aws/codebuild/standard:6.0", "16" }, "has no Go 1.26"},
		{"Node.js too old for the image", func(b *props.Blog) { b.Build.NodeVersion = "14" }, `Build.NodeVersion is "14": is not on aws/codebuild/standard:7.0, which has 18, 20, 22, 24`},
		{"Node.js too old for a newer image", func(b *props.Blog) { b.Build.NodeVersion, b.Build.Image = "20.x", "aws/codebuild/standard:8.0" }, "which has 22, 24"},
		{"Node.js too new for an old image", func(b *props.Blog) {
			b.Build.Buildspec, b.Build.NodeVersion, b.Build.Image = "buildspec.yml", "24", "aws/codebuild/standard:6.0"
		}, "which has 16"},
		{"image without a choice of Node.js", func(b *props.Blog) { b.Build.Image = "public.ecr.aws/hugo:1" }, "set Build.Buildspec"},
		{"image", func(b *props.Blog) { b.Build.Image, b.Build.Buildspec = "-x", "buildspec.yml" }, "Build.Image"},
		{"timeout too short", func(b *props.Blog) { b.Build.Timeout = time.Minute }, "Build.Timeout is 1m0s: must be whole minutes, from 5"},
		{"timeout with seconds", func(b *props.Blog) { b.Build.Timeout = 10*time.Minute + time.Second }, "Build.Timeout"},
		{"days of log", func(b *props.Blog) { b.Build.LogRetentionDays = 31 }, "Build.LogRetentionDays is 31: must be one of [1 3 5 7"},
	})
}

func TestImageBuildRefuses(t *testing.T) {
	wantRefusals(t, fixtures.API, []refusal[props.FargateService]{
		{"build's machine", func(s *props.FargateService) { s.Build.ComputeType = "HUGE" }, `Build.ComputeType is "HUGE"`},
		{"build's timeout", func(s *props.FargateService) { s.Build.Timeout = time.Minute }, "Build.Timeout is 1m0s"},
		{"build's days of log", func(s *props.FargateService) { s.Build.LogRetentionDays = 2 }, "Build.LogRetentionDays is 2"},
	})
}
