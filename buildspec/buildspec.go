// Package buildspec holds the build recipes that a blog can use as they are.
//
// The recipes are plain CodeBuild files: they go into a build project
// unchanged, are run by the rehearsal, and can be copied into a blog's own
// repository. This package imports nothing but their text.
package buildspec

import _ "embed"

// Hugo is the recipe for a Hugo blog: a CodeBuild buildspec, version 0.2, as
// YAML. Its head documents every variable it reads. It builds into public/,
// which is the base directory of its artifact.
//
//go:embed hugo.yml
var Hugo string

// Names of the environment variables that [Hugo] reads. A value set on the
// CodeBuild project replaces the recipe's default, and one given at start-build
// replaces both.
//
// AWS source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
// (env/variables).
const (
	// EnvHugoVersion names a Hugo release, 0.103.0 or newer, with or without "v".
	EnvHugoVersion = "HUGO_VERSION"
	// EnvHugoExtended is "true" for Hugo's extended edition, otherwise "false".
	EnvHugoExtended = "HUGO_EXTENDED"
	// EnvHugoEnvironment is Hugo's environment, such as "production" or "staging".
	EnvHugoEnvironment = "HUGO_ENVIRONMENT"
	// EnvHugoFlags holds more flags for hugo, split at spaces, such as
	// "--gc --minify". It has no default; leave it unset for plain hugo.
	EnvHugoFlags = "HUGO_FLAGS"
	// EnvNodeVersion is a Node.js version as CodeBuild's runtime-versions takes
	// it: a major ("24"), or on images that can fetch others a full version.
	EnvNodeVersion = "NODE_VERSION"
	// EnvAssetScript names the npm script that makes the blog's assets. It runs
	// only where package.json has it.
	EnvAssetScript = "ASSET_SCRIPT"
)

// What [Hugo] uses for variables that nothing else sets.
const (
	DefaultHugoVersion     = "0.164.0"
	DefaultHugoExtended    = "false"
	DefaultHugoEnvironment = "production"
	DefaultNodeVersion     = "24"
	DefaultAssetScript     = "build"
)
