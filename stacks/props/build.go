package props

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/buildspec/curated"
)

// Build says how CodeBuild builds a blog's site.
type Build struct {
	// Buildspec is the path of a buildspec, a YAML file, in the blog's repository. Default: this project's
	// recipe for Hugo, buildspec/hugo.yml. Example: "code-pipeline/buildspec.yml".
	Buildspec string

	// RootDirectory is the folder with the site's hugo.toml and package.json, as a path from the repository's
	// top. Default: the top itself. Example: "site".
	RootDirectory string

	// HugoVersion is the version of Hugo. Default: the version in the blog's repository (in its netlify.toml,
	// package.json, .tool-versions or similar; the build's log says where), or else "0.164.0".
	HugoVersion string

	// HugoExtended builds with Hugo's extended edition, for themes with SCSS. Default: false, which builds with
	// the edition that the blog's repository names, or else with the standard edition.
	HugoExtended bool

	// AssetScript is an npm script, one of package.json's "scripts", that runs before Hugo and makes what
	// Hugo needs from npm's tools, such as styles. A script that runs hugo itself builds the site, with its
	// own flags; the build fails if it is for a preview, with drafts. NoAssetScript runs none. Default:
	// "build" or, if there is no such script, the only one that runs a known tool. Example: "build:css".
	AssetScript string

	// AfterHugo is a shell command that runs in RootDirectory after Hugo has written the site to public/. It
	// may add files there. If it fails, nothing is published. Default: none. Example: "npx pagefind --site
	// public".
	AfterHugo string

	// NodeVersion is the version of Node.js: a version that Image has, such as "24" or "24.x", or a full
	// version, such as "24.1.0", which each build downloads. Default: "24".
	NodeVersion string

	// Environment has further variables for the build. Everybody who can see the console or the template
	// can read them, so they must not contain secrets. Hugo reads some settings from variables: HUGO_BASEURL
	// has priority over the address that a Site gives to the build. Default: none. Example:
	// map[string]string{"HUGO_FLAGS": "--gc --minify"}.
	Environment map[string]string

	// ComputeType is the size of the machine. Default: ComputeTypeSmall (4 GiB, 2 vCPU, 0.005 USD a minute,
	// with 100 minutes a month free).
	ComputeType ComputeType

	// Image is the build image: one of CodeBuild's for Linux or, with a Buildspec, the name of a public
	// image. The recipe needs CodeBuild's images, on which it can choose the versions of Node.js and Go. An
	// image of CodeBuild's for aarch64 runs on Arm, which costs a third less and is not available in every
	// region. Default: "aws/codebuild/standard:7.0". Example:
	// "aws/codebuild/amazonlinux-aarch64-standard:3.0".
	Image string

	// Timeout ends a build that takes too long: whole minutes, from 5 minutes to 36 hours. Default: 15
	// minutes. Example: 30 * time.Minute.
	Timeout time.Duration

	// NoCache switches off the local cache, with which npm's downloads and the images that Hugo has processed
	// stay on the build host for a while; the next build uses them if it runs on the same host. On Arm there
	// is no cache, since AWS does not document it there. Default: false.
	NoCache bool

	// LogRetentionDays is the number of days for which the build's log is kept, one that CloudWatch Logs
	// offers: 1, 3, 5, 7, 14, 30, 60, 90, … Default: 30.
	LogRetentionDays int
}

// NoAssetScript is a Build.AssetScript that runs no script.
const NoAssetScript = buildspec.NoAssetScript

// ImageBuild says how CodeBuild builds the image of a service, from the Dockerfile in its repository.
type ImageBuild struct {
	// ComputeType is the size of the machine. Default: ComputeTypeSmall (4 GiB, 2 vCPU, 0.0034 USD a minute
	// on Arm and 0.005 on x86).
	ComputeType ComputeType

	// Timeout ends a build that takes too long: whole minutes, from 5 minutes to 36 hours. Default: 15
	// minutes. Example: 30 * time.Minute.
	Timeout time.Duration

	// LogRetentionDays is the number of days for which the build's log is kept. Default: 30.
	LogRetentionDays int
}

// ComputeType is the size of a build machine. Every image runs on these sizes.
// https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-compute-types.html
type ComputeType string

// The sizes of a build machine.
const (
	ComputeTypeSmall   ComputeType = "SMALL"    // 4 GiB, 2 vCPU
	ComputeTypeMedium  ComputeType = "MEDIUM"   // 8 GiB, 4 vCPU
	ComputeTypeLarge   ComputeType = "LARGE"    // 16 GiB, 8 vCPU
	ComputeTypeXLarge  ComputeType = "X_LARGE"  // 72 GiB, 36 vCPU
	ComputeTypeX2Large ComputeType = "X2_LARGE" // 144 GiB, 72 vCPU
)

const (
	defaultBuildTimeout = 15 * time.Minute
	// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html
	minBuildTimeout, maxBuildTimeout = 5 * time.Minute, 36 * time.Hour
)

// imagePart matches one part of the path in an image's name.
const imagePart = `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`

var (
	hugoVersionPattern = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	nodeVersionPattern = regexp.MustCompile(`^\d+(\.x|(\.\d+){1,2})?$`)
	variablePattern    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	scriptPattern      = regexp.MustCompile(`^[^-\s]\S*$`)
	notLinuxPattern    = regexp.MustCompile(`windows|lambda|mac`)
	yamlPattern        = regexp.MustCompile(`(?i)\.(ya?ml|json)$`) // JSON is YAML, too
	// imagePattern matches host:port/path:tag@digest, of which only the path is required.
	// https://pkg.go.dev/github.com/distribution/reference
	imagePattern = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:\d+)?/)?` +
		imagePart + `(/` + imagePart + `)*(:\w[\w.-]{0,127})?(@[a-z0-9+._-]+:[0-9a-fA-F]{32,})?$`)
	// https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
	privateImagePattern = regexp.MustCompile(`(?i)\.dkr[.-]ecr[.-]`)
)

// withDefaults returns these props with every default in its field. With a Buildspec, that file chooses
// the version of Node.js.
func (b Build) withDefaults() Build {
	if b.Buildspec == "" {
		b.NodeVersion = cmp.Or(b.NodeVersion, buildspec.DefaultNodeVersion)
	}
	b.Image = cmp.Or(b.Image, curated.Default)
	b.ComputeType = cmp.Or(b.ComputeType, ComputeTypeSmall)
	b.Timeout = cmp.Or(b.Timeout, defaultBuildTimeout)
	b.LogRetentionDays = logDaysWithDefault(b.LogRetentionDays)
	return b
}

func (b Build) validate(p *problems) {
	// CodeBuild reads an ARN as the place of a buildspec in S3.
	if b.Buildspec != "" && (!isFileInside(b.Buildspec) || !yamlPattern.MatchString(b.Buildspec) || strings.HasPrefix(b.Buildspec, "arn:")) {
		p.add("Build.Buildspec", b.Buildspec, "must be the path of a YAML file inside the blog's repository, such as code-pipeline/buildspec.yml")
	}
	if b.HugoVersion != "" {
		p.match("Build.HugoVersion", b.HugoVersion, hugoVersionPattern, "must be a version of Hugo, such as 0.164.0")
	}
	b.validateRecipe(p)
	if b.NodeVersion != "" {
		p.match("Build.NodeVersion", b.NodeVersion, nodeVersionPattern, "must be a version of Node.js, such as 24, 24.x or 24.1.0")
	}
	validateVariables(p, "Build.Environment", b.Environment, func(name string) string {
		switch prop := b.reserved()[name]; {
		case strings.HasPrefix(name, "CODEBUILD_"):
			return "must have another name: CodeBuild reserves names that start with CODEBUILD_"
		case prop != "":
			return "has a field of its own: set Build." + prop + " instead"
		}
		return ""
	})
	oneOf(p, "Build.ComputeType", b.ComputeType, ComputeTypeSmall, ComputeTypeMedium, ComputeTypeLarge, ComputeTypeXLarge, ComputeTypeX2Large)
	switch image := b.Image; {
	case !imagePattern.MatchString(image):
		p.add("Build.Image", image, "must be an image of CodeBuild's, such as aws/codebuild/standard:7.0, or the name of a public image")
	case strings.HasPrefix(image, curated.Prefix) && notLinuxPattern.MatchString(image):
		p.add("Build.Image", image, "must be one of CodeBuild's images for Linux containers")
	case strings.HasPrefix(image, curated.Prefix) && !isCurated(image):
		p.add("Build.Image", image, "must be one of CodeBuild's images, which are "+listOf(curated.Maintained()))
	case privateImagePattern.MatchString(image):
		p.add("Build.Image", image, "must be public: the build's role cannot read private repositories")
	case !strings.HasPrefix(image, curated.Prefix) && b.Buildspec == "":
		p.add("Build.Image", image, "must be one of CodeBuild's images, on which the recipe can choose a version of Node.js; for another image, set Build.Buildspec")
	}
	b.validateRuntimes(p)
	validateBuildTimeout(p, b.Timeout)
	validateLogDays(p, "Build.LogRetentionDays", b.LogRetentionDays)
}

// validateRecipe checks the fields that only the recipe uses.
func (b Build) validateRecipe(p *problems) {
	if b.Buildspec != "" {
		const why = "only this project's recipe uses it, and with Build.Buildspec that file says what to do"
		p.empty("Build.RootDirectory", b.RootDirectory, why)
		p.empty("Build.AssetScript", b.AssetScript, why)
		p.empty("Build.AfterHugo", b.AfterHugo, why)
		return
	}
	if b.RootDirectory != "" && !isFileInside(b.RootDirectory) {
		p.add("Build.RootDirectory", b.RootDirectory, "must be a folder inside the blog's repository, such as site; leave it out for the repository's top")
	}
	validateVariable(p, "Build.AssetScript", b.AssetScript)
	validateVariable(p, "Build.AfterHugo", b.AfterHugo)
	if b.AssetScript != "" {
		p.match("Build.AssetScript", b.AssetScript, scriptPattern, "must be the name of one of package.json's scripts, such as build:css, or props.NoAssetScript")
	}
	if b.AfterHugo == "" {
		return
	}
	if strings.TrimSpace(b.AfterHugo) == "" || tokenInsidePattern.MatchString(b.AfterHugo) {
		p.add("Build.AfterHugo", b.AfterHugo, "must be a shell command, such as npx pagefind --site public, without secrets, since the template shows it")
	}
}

func isCurated(image string) bool {
	_, known := curated.Find(image)
	return known
}

// validateRuntimes reports versions of Go and Node.js that the image is known not to have.
func (b Build) validateRuntimes(p *problems) {
	image, known := curated.Find(b.Image)
	if !known || image.Runtimes == nil {
		return
	}
	node := b.NodeVersion
	if b.Buildspec == "" {
		if image.Refuses("golang", buildspec.GoVersion) != "" {
			p.add("Build.Image", b.Image, "has no Go "+buildspec.GoVersion+", which the recipe needs for Hugo Modules: choose an image that has it, one of "+listOf(curated.Maintained()))
			return
		}
	}
	if node != "" && nodeVersionPattern.MatchString(node) && image.Refuses("nodejs", node) != "" {
		p.add("Build.NodeVersion", node, fmt.Sprintf("is not on %s, which has %s: choose one of those, or a full version, such as 22.12.0", b.Image, strings.Join(image.Runtimes["nodejs"], ", ")))
	}
}

func validateBuildTimeout(p *problems, timeout time.Duration) {
	if timeout < minBuildTimeout || timeout > maxBuildTimeout || timeout%time.Minute != 0 {
		p.add("Build.Timeout", timeout, "must be whole minutes, from 5 minutes to 36 hours, written as 30 * time.Minute")
	}
}

// isInside returns whether name is a path inside a folder, or the folder itself, ".". Docker would read a
// name that starts with - as an option or as its standard input, and a backslash separates folders on
// Windows only.
func isInside(name string) bool {
	if strings.TrimSpace(name) != name || strings.HasPrefix(name, "-") || strings.Contains(name, `\`) ||
		strings.ContainsFunc(name, unicode.IsControl) || !utf8.ValidString(name) {
		return false
	}
	return !path.IsAbs(name) && path.Clean(name) == name && name != ".." && !strings.HasPrefix(name, "../")
}

// isFileInside returns whether name is the path of something in the folder.
func isFileInside(name string) bool { return name != "." && isInside(name) }

// validateVariables reports names and values that a variable cannot have, and AWS's keys. refuse returns
// what else is wrong with a name, or "".
func validateVariables(p *problems, field string, variables map[string]string, refuse func(name string) string) {
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if !variablePattern.MatchString(name) {
			p.add(field, name, "must consist of letters, digits and underscores, and not start with a digit")
		} else if problem := refuse(name); problem != "" {
			p.add(field, name, problem)
		}
		validateVariable(p, fmt.Sprintf("%s[%q]", field, name), variables[name])
		if name == "AWS_SECRET_ACCESS_KEY" || name == "AWS_ACCESS_KEY_ID" {
			p.add(field, name, "must be removed: AWS gives a role to what runs here, and the template shows this value to everybody who can read it")
		}
	}
}

// validateVariable reports a value that a variable cannot have.
func validateVariable(p *problems, field, value string) {
	if strings.Contains(value, "\x00") || !utf8.ValidString(value) {
		p.add(field, value, "must be text in UTF-8, without NUL")
	}
}

// reserved returns the variables that have a field, by their names.
func (b Build) reserved() map[string]string {
	props := map[string]string{
		buildspec.EnvHugoVersion:  "HugoVersion",
		buildspec.EnvHugoExtended: "HugoExtended",
		buildspec.EnvNodeVersion:  "NodeVersion",
	}
	if b.Buildspec == "" {
		props[buildspec.EnvRootDirectory] = "RootDirectory"
		props[buildspec.EnvAssetScript] = "AssetScript"
		props[buildspec.EnvAfterHugo] = "AfterHugo"
	}
	return props
}

// withDefaults returns these props with every default in its field.
func (b ImageBuild) withDefaults() ImageBuild {
	b.ComputeType = cmp.Or(b.ComputeType, ComputeTypeSmall)
	b.Timeout = cmp.Or(b.Timeout, defaultBuildTimeout)
	b.LogRetentionDays = logDaysWithDefault(b.LogRetentionDays)
	return b
}

func (b ImageBuild) validate(p *problems) {
	oneOf(p, "Build.ComputeType", b.ComputeType, ComputeTypeSmall, ComputeTypeMedium, ComputeTypeLarge, ComputeTypeXLarge, ComputeTypeX2Large)
	validateBuildTimeout(p, b.Timeout)
	validateLogDays(p, "Build.LogRetentionDays", b.LogRetentionDays)
}
