// Package buildspec holds the build recipes for blogs and services.
//
// The recipes are plain CodeBuild files. Build projects contain them, the rehearsal
// runs them, and an owner can copy one into a repository.
package buildspec

import (
	_ "embed"
	"strings"
)

// Hugo is the recipe for a Hugo blog: a CodeBuild buildspec, version 0.2, as
// YAML. Its head documents every variable it reads. It builds into public/,
// which is the base directory of its artifact. It is too long for a project; [Inline]
// shortens it.
//
//go:embed hugo.yml
var Hugo string

// Lines of [Hugo]'s log that begin so are for the blog's owner, also when the build succeeds.
const (
	Warning       = "==> WARNING: "
	LeftOutFuture = "==> Hugo: left out, future: "
)

// MaxInline limits a buildspec inside a project, in characters. AWS
// documents no limit; CodeBuild refuses a longer one with "Max buildspec length is
// 25600" (https://github.com/aws/aws-cdk/issues/30326).
const MaxInline = 25_600

// Inline removes from a recipe what only its readers need: comments, blank lines and
// most of the indentation. The recipes' commands do not depend on indentation.
func Inline(recipe string) string {
	var out strings.Builder
	for line := range strings.Lines(recipe) {
		text := strings.TrimLeft(line, " ")
		if text == "\n" || strings.HasPrefix(text, "#") {
			continue
		}
		// Each level of YAML keeps one space. A phase's list of commands may be as deep as
		// its key, and lines inside a command need no more than the command.
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
	// EnvHugoVersion names a Hugo release, with or without "v". If it is not set, the
	// build uses the one that the blog names for another host or tool, such as in
	// netlify.toml, package.json or a workflow, or else [DefaultHugoVersion].
	EnvHugoVersion = "HUGO_VERSION"
	// EnvHugoExtended is "true" for Hugo's extended edition, otherwise "false". If it is
	// not set, the build uses what the blog's files say or need, or else
	// [DefaultHugoExtended].
	EnvHugoExtended = "HUGO_EXTENDED"
	// EnvHugoEnvironment is Hugo's environment, such as "production" or "staging".
	EnvHugoEnvironment = "HUGO_ENVIRONMENT"
	// EnvHugoFlags holds more flags for hugo, split at spaces, such as
	// "--gc --minify". It has no default.
	EnvHugoFlags = "HUGO_FLAGS"
	// EnvHugoBaseURL is the site's address, ending in "/". Hugo itself reads it, and
	// prefers it to the baseURL of the blog's configuration. It has no default.
	// https://gohugo.io/configuration/introduction/#environment-variables
	EnvHugoBaseURL = "HUGO_BASEURL"
	// EnvNodeVersion is a Node.js version as CodeBuild's runtime-versions accepts it: a
	// major version that the image has ("24"), or a full version, which is downloaded.
	EnvNodeVersion = "NODE_VERSION"
	// EnvAssetScript names the npm script that makes the blog's assets, or is
	// [NoAssetScript]. If it is not set, the build runs "build", or else the only script
	// that runs a known asset tool. If the script runs hugo itself, with its own flags,
	// that run is published.
	EnvAssetScript = "ASSET_SCRIPT"
	// EnvRootDirectory is the folder of the repository that the site is in, such as
	// "site". If it is not set, that is the repository's top.
	EnvRootDirectory = "ROOT_DIRECTORY"
	// EnvAfterHugo is a shell command that runs once Hugo has written the site, such
	// as one that makes a search index. It has no default.
	EnvAfterHugo = "AFTER_HUGO"
)

// NoAssetScript is the value of [EnvAssetScript] that runs no npm script.
const NoAssetScript = "none"

// Defaults of the variables of [Hugo].
const (
	DefaultHugoVersion     = "0.164.0"
	DefaultHugoExtended    = "false"
	DefaultHugoEnvironment = "production"
	DefaultNodeVersion     = "24"
)

// GoVersion is the version of Go that [Hugo] selects for Hugo Modules: the newest one
// that all maintained images of CodeBuild have. Some of these images start with Go
// 1.20, which cannot read the "go 1.26.8" that `hugo mod init` writes to go.mod today.
// This one can, and downloads a newer Go if go.mod asks for it
// (https://go.dev/doc/toolchain).
const GoVersion = "1.26"

// Container is the recipe that builds a container image, pushes it to ECR and
// writes what a deployment to ECS needs: [ImageDetailFile], [TaskDefinitionFile]
// and, if [EnvAppSpec] is set, [AppSpecFile]. Its head documents its variables and
// the permissions that it needs. The build must be privileged, and run on the
// tasks' architecture.
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
	// definition under. If it is not set, that is [EnvTaskFamily]. With a family of its
	// own, the pipeline adds nothing to that of [EnvTaskFamily], so that its owner loses
	// no change that is made during a deployment.
	EnvServiceFamily = "SERVICE_FAMILY"
	// EnvAppSpec is the text of [AppSpecFile]. It has no default; a service that
	// CodeDeploy does not deploy needs none.
	EnvAppSpec = "APPSPEC"
	// EnvDockerfile is the path of the Dockerfile from the source's top.
	EnvDockerfile = "DOCKERFILE"
	// EnvContext is the folder to build in, from the source's top.
	EnvContext = "CONTEXT"
)

// Defaults of the variables of [Container].
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
	// TaskDefinitionFile is the input of RegisterTaskDefinition, with
	// <[ImagePlaceholder]> in place of the image.
	TaskDefinitionFile = "taskdef.json"
	// AppSpecFile has the text of [EnvAppSpec].
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
	// minutes, 1 to 2160. The build's own timeout must be longer.
	EnvDeployTimeoutMinutes = "DEPLOY_TIMEOUT_MINUTES"
)

// DefaultDeployTimeoutMinutes is the default of [EnvDeployTimeoutMinutes].
const DefaultDeployTimeoutMinutes = "45"
