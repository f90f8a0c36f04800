// Package buildspec holds the build recipes that a blog or a service can use as
// they are.
//
// The recipes are plain CodeBuild files: they go into a build project, are run by
// the rehearsal, and can be copied into an owner's own repository.
package buildspec

import (
	_ "embed"
	"strings"
)

// Hugo is the recipe for a Hugo blog: a CodeBuild buildspec, version 0.2, as
// YAML. Its head documents every variable it reads. It builds into public/,
// which is the base directory of its artifact. It is too long for a project, which
// takes it as [Inline] makes it.
//
//go:embed hugo.yml
var Hugo string

// How the lines of [Hugo]'s log begin that its owner should see although all is green.
const (
	Warning       = "==> WARNING: "
	LeftOutFuture = "==> Hugo: left out, future: "
)

// MaxInline is how long a buildspec inside a project may be, in characters. AWS
// documents no limit; CodeBuild refuses a longer one with "Max buildspec length is
// 25600" (https://github.com/aws/aws-cdk/issues/30326).
const MaxInline = 25_600

// Inline is a recipe without what only its readers need: comments, blank lines and
// most of the indentation. Its commands do not depend on how they are indented.
func Inline(recipe string) string {
	var out strings.Builder
	for line := range strings.Lines(recipe) {
		text := strings.TrimLeft(line, " ")
		if text == "\n" || strings.HasPrefix(text, "#") {
			continue
		}
		// One space for each level of YAML, in which a phase's list of commands may be as
		// deep as its key; and no more inside a command.
		indent := min(len(line)-len(text), 8) / 2
		if indent == 4 || indent == 3 && strings.HasPrefix(text, "- ") {
			indent--
		}
		out.WriteString(strings.Repeat(" ", indent))
		out.WriteString(text)
	}
	return out.String()
}

// Names of the environment variables that [Hugo] reads. A value set on the
// CodeBuild project replaces the recipe's default, and one given at start-build
// replaces both.
//
// AWS source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
// (env/variables).
const (
	// EnvHugoVersion names a Hugo release, with or without "v". It has no default; leave
	// it unset for the one that the blog names for another host or tool, such as in
	// netlify.toml, package.json or a workflow, or else [DefaultHugoVersion].
	EnvHugoVersion = "HUGO_VERSION"
	// EnvHugoExtended is "true" for Hugo's extended edition, otherwise "false". It has
	// no default; leave it unset for what the blog says or needs as far as its files
	// show it, or else [DefaultHugoExtended].
	EnvHugoExtended = "HUGO_EXTENDED"
	// EnvHugoEnvironment is Hugo's environment, such as "production" or "staging".
	EnvHugoEnvironment = "HUGO_ENVIRONMENT"
	// EnvHugoFlags holds more flags for hugo, split at spaces, such as
	// "--gc --minify". It has no default; leave it unset for plain hugo.
	EnvHugoFlags = "HUGO_FLAGS"
	// EnvHugoBaseURL is the site's address, ending in "/". Hugo itself reads it, and
	// takes it over the baseURL of the blog's configuration. It has no default; leave
	// it unset for that one. https://gohugo.io/configuration/introduction/#environment-variables
	EnvHugoBaseURL = "HUGO_BASEURL"
	// EnvNodeVersion is a Node.js version as CodeBuild's runtime-versions takes
	// it: a major that the image has ("24"), or a full version, which is fetched.
	EnvNodeVersion = "NODE_VERSION"
	// EnvAssetScript names the npm script that makes the blog's assets, or is
	// [NoAssetScript]. It has no default; leave it unset for "build", or for the only
	// script that runs a known asset tool. Where the script runs hugo itself, that run,
	// with its own flags, is the one that is published.
	EnvAssetScript = "ASSET_SCRIPT"
	// EnvRootDirectory is the folder of the repository that the site is in, such as
	// "site". It has no default; leave it unset for the repository's top.
	EnvRootDirectory = "ROOT_DIRECTORY"
	// EnvAfterHugo is a shell command that runs once Hugo has written the site, such
	// as one that makes a search index. It has no default; leave it unset for none.
	EnvAfterHugo = "AFTER_HUGO"
)

// NoAssetScript is the [EnvAssetScript] that runs no npm script.
const NoAssetScript = "none"

// What [Hugo] uses for variables that nothing else sets.
const (
	DefaultHugoVersion     = "0.164.0"
	DefaultHugoExtended    = "false"
	DefaultHugoEnvironment = "production"
	DefaultNodeVersion     = "24"
)

// GoVersion is the Go that [Hugo] selects, for Hugo Modules: the newest that all images
// which CodeBuild maintains have. Some of them start with Go 1.20, which cannot read
// what `hugo mod init` writes today, "go 1.26.8" in go.mod; this one can, and fetches a
// newer Go where go.mod asks for one (https://go.dev/doc/toolchain).
const GoVersion = "1.26"

// Container is the recipe that builds a container image, pushes it to ECR and
// leaves what a deployment to ECS takes: [ImageDetailFile],
// [TaskDefinitionFile] and, if [EnvAppSpec] is set, [AppSpecFile]. Its head
// documents its variables and the permissions it needs. The build has to be
// privileged, and to run on the tasks' architecture.
//
//go:embed container.yml
var Container string

// Names of the environment variables that [Container] reads.
const (
	// EnvRepositoryURI is the URI of an ECR repository, without a tag. Required.
	EnvRepositoryURI = "REPOSITORY_URI"
	// EnvTaskFamily is the family of the service's task definition, whose newest
	// revision becomes [TaskDefinitionFile]. Required.
	EnvTaskFamily = "TASK_FAMILY"
	// EnvContainerName is the container in that task definition that runs the
	// image. Required.
	EnvContainerName = "CONTAINER_NAME"
	// EnvServiceFamily is the family that a deployment registers the task
	// definition under. It has no default; leave it unset for [EnvTaskFamily]. With
	// another one, whoever owns the family of [EnvTaskFamily] shares it with no
	// pipeline: a change made while a deployment is under way is not lost.
	EnvServiceFamily = "SERVICE_FAMILY"
	// EnvAppSpec is the text of [AppSpecFile]. It has no default; leave it unset
	// for a service that CodeDeploy does not deploy.
	EnvAppSpec = "APPSPEC"
	// EnvDockerfile is the path of the Dockerfile from the source's top.
	EnvDockerfile = "DOCKERFILE"
	// EnvContext is the folder to build in, from the source's top.
	EnvContext = "CONTEXT"
)

// What [Container] uses for variables that nothing else sets.
const (
	DefaultDockerfile = "Dockerfile"
	DefaultContext    = "."
)

// The files in the artifact of [Container]. CodePipeline's CodeDeployToECS
// action looks for them by these names.
//
// AWS source: https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html
const (
	// ImageDetailFile names the image by digest: {"ImageURI": "REPOSITORY@sha256:…"}.
	ImageDetailFile = "imageDetail.json"
	// TaskDefinitionFile is what RegisterTaskDefinition takes, with
	// <[ImagePlaceholder]> in place of the image.
	TaskDefinitionFile = "taskdef.json"
	// AppSpecFile is the text of [EnvAppSpec].
	AppSpecFile = "appspec.yaml"
	// ImagePlaceholder stands, between < and >, for the image.
	ImagePlaceholder = "IMAGE1_NAME"
)

// ECS is the recipe that deploys the artifact of [Container] to a service whose
// deployments ECS runs itself, and waits for the outcome. Its head documents its
// variables and the permissions it needs.
//
//go:embed ecs.yml
var ECS string

// Names of the environment variables that [ECS] reads.
const (
	// EnvCluster is the name or ARN of the service's cluster. Required.
	EnvCluster = "CLUSTER"
	// EnvService is the name of the service. Required.
	EnvService = "SERVICE"
	// EnvDeployTimeoutMinutes is how long a deployment is watched, in whole
	// minutes, 1 to 2160. The build's own timeout has to be longer.
	EnvDeployTimeoutMinutes = "DEPLOY_TIMEOUT_MINUTES"
)

// DefaultDeployTimeoutMinutes is what [ECS] uses where
// [EnvDeployTimeoutMinutes] is not set.
const DefaultDeployTimeoutMinutes = "45"
