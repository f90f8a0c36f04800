package props

import (
	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/buildspec/curated"
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
)

// Build says how CodeBuild makes the site.
type Build struct {
	// Buildspec is the path of a buildspec, a YAML file, in the blog's own repository.
	// Default: this project's recipe for Hugo, buildspec/hugo.yml. Example:
	// "code-pipeline/buildspec.yml".
	Buildspec string

	// RootDirectory is the folder of the repository that the site is in: that of its
	// hugo.toml and package.json. A path from the repository's top. Default: the top
	// itself. Example: "site".
	RootDirectory string

	// HugoVersion is the release of Hugo to build with. Default: what the blog's
	// repository itself says (its netlify.toml, package.json, .tool-versions and the
	// like; the build's log says which), or else "0.164.0".
	HugoVersion string

	// HugoExtended takes Hugo's extended edition, for themes with SCSS. Default: false,
	// the edition that the blog's repository itself names, or else the standard one.
	HugoExtended bool

	// AssetScript is the npm script that makes what Hugo takes from npm's tools, such
	// as styles: one of package.json's "scripts". It runs before Hugo. One that runs
	// hugo itself makes the site, with its own flags; one that does so for a preview,
	// with drafts, fails the build. NoAssetScript runs none. Default: "build" or, without
	// that, the only script that runs a known tool. Example: "build:css".
	AssetScript string

	// AfterHugo is a shell command that runs in RootDirectory once Hugo has written
	// the site to public/, and may add to it there. If it fails, nothing is published.
	// Default: none. Example: "npx pagefind --site public".
	AfterHugo string

	// NodeVersion is the version of Node.js that CodeBuild selects: one that Image has,
	// such as "24" or "24.x", or one in full, such as "24.1.0", which is downloaded at
	// every build. Default: "24".
	NodeVersion string

	// Environment holds more variables for the build. Default: none. Example:
	// map[string]string{"HUGO_FLAGS": "--gc --minify"}. They are readable in the
	// console and in the template, so no secret belongs here. Hugo reads its own settings
	// from variables, too: HUGO_BASEURL wins over the address that a Site gives the build.
	Environment map[string]string

	// ComputeType is the size of the machine. Default: Small (4 GiB, 2 vCPU,
	// 0.005 USD a minute, the first 100 minutes a month free).
	ComputeType ComputeType

	// Image is the build image: one of CodeBuild's for Linux, or, with a Buildspec of
	// the blog's own, a public one by name (only CodeBuild's let the recipe choose a
	// Node.js and a Go, which Hugo Modules need). One of CodeBuild's for aarch64 runs on
	// Arm, which costs a third less and is not in every region. Default:
	// "aws/codebuild/standard:7.0". Example:
	// "aws/codebuild/amazonlinux-aarch64-standard:3.0".
	Image string

	// Timeout ends a build that hangs: whole minutes, from 5 minutes to 36 hours.
	// Default: 15 minutes. Example: 30 * time.Minute.
	Timeout time.Duration

	// NoCache turns the local cache off: npm's downloads and Hugo's processed
	// images otherwise stay on the build host for a while, and are used if the next
	// build happens to run there. There is none on Arm, where AWS's guide does not
	// offer it. Default: false.
	NoCache bool

	// LogRetentionDays is how long the build's log is kept, in days that CloudWatch
	// knows: 1, 3, 5, 7, 14, 30, 60, 90, … Default: 30.
	LogRetentionDays int
}

// NoAssetScript is the Build.AssetScript that runs none.
const NoAssetScript = buildspec.NoAssetScript

// ComputeType is a size of build machine.
// https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-compute-types.html
type ComputeType string

// The sizes that every image runs on.
const (
	ComputeTypeSmall   ComputeType = "SMALL"    // 4 GiB, 2 vCPU
	ComputeTypeMedium  ComputeType = "MEDIUM"   // 8 GiB, 4 vCPU
	ComputeTypeLarge   ComputeType = "LARGE"    // 16 GiB, 8 vCPU
	ComputeTypeXLarge  ComputeType = "X_LARGE"  // 72 GiB, 36 vCPU
	ComputeTypeX2Large ComputeType = "X2_LARGE" // 144 GiB, 72 vCPU
)

const (
	// The one of those that are maintained which has been there longest. standard:8.0 has
	// nothing that the recipe cannot select here, and AWS lists no regions for it.
	DefaultImage        = curated.Prefix + "standard:7.0"
	defaultBuildTimeout = 15 * time.Minute
	// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html
	MinBuildTimeout, MaxBuildTimeout = 5 * time.Minute, 36 * time.Hour
)

// imagePart is what stands between slashes in the path of an image's name.
const imagePart = `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`

var (
	hugoVersionPattern = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	nodeVersionPattern = regexp.MustCompile(`^\d+(\.x|(\.\d+){1,2})?$`)
	variablePattern    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	scriptPattern      = regexp.MustCompile(`^[^-\s]\S*$`)
	notLinuxPattern    = regexp.MustCompile(`windows|lambda|mac`)
	yamlPattern        = regexp.MustCompile(`(?i)\.(ya?ml|json)$`) // JSON is YAML, too
	// imagePattern is host:port/path:tag@digest, of which only the path has to be there.
	// https://pkg.go.dev/github.com/distribution/reference
	imagePattern = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:\d+)?/)?` +
		imagePart + `(/` + imagePart + `)*(:\w[\w.-]{0,127})?(@[a-z0-9+._-]+:[0-9a-fA-F]{32,})?$`)
	// https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
	privateImagePattern = regexp.MustCompile(`(?i)\.dkr[.-]ecr[.-]`) // a host in any case
)

// WithDefaults returns these props with every default in its field. With a Buildspec of
// the blog's own, that file chooses the Node.js.
func (b Build) WithDefaults() Build {
	if b.Buildspec == "" {
		b.NodeVersion = cmp.Or(b.NodeVersion, buildspec.DefaultNodeVersion)
	}
	b.Image = cmp.Or(b.Image, DefaultImage)
	b.ComputeType = cmp.Or(b.ComputeType, ComputeTypeSmall)
	b.Timeout = cmp.Or(b.Timeout, defaultBuildTimeout)
	b.LogRetentionDays = logDaysWithDefault(b.LogRetentionDays)
	return b
}

func (b Build) validate(p *Problems) {
	// CodeBuild would fetch an ARN from S3.
	if b.Buildspec != "" && (!isFileInside(b.Buildspec) || !yamlPattern.MatchString(b.Buildspec) || strings.HasPrefix(b.Buildspec, "arn:")) {
		p.add("Build.Buildspec", b.Buildspec, "must be the path of a YAML file inside the blog's repository, such as code-pipeline/buildspec.yml")
	}
	if b.HugoVersion != "" {
		p.match("Build.HugoVersion", b.HugoVersion, hugoVersionPattern, "must be a release of Hugo, such as 0.164.0")
	}
	b.validateRecipe(p)
	if b.NodeVersion != "" {
		p.match("Build.NodeVersion", b.NodeVersion, nodeVersionPattern, "must be a version of Node.js as CodeBuild knows it, such as 24 or 24.x")
	}
	validateVariables(p, "Build.Environment", b.Environment, func(name string) string {
		switch prop := b.reserved()[name]; {
		case strings.HasPrefix(name, "CODEBUILD_"):
			return "CodeBuild reserves names that start with CODEBUILD_"
		case prop != "":
			return "has a prop of its own: set Build." + prop
		}
		return ""
	})
	oneOf(p, "Build.ComputeType", b.ComputeType, ComputeTypeSmall, ComputeTypeMedium, ComputeTypeLarge, ComputeTypeXLarge, ComputeTypeX2Large)
	switch image := b.Image; {
	case !imagePattern.MatchString(image):
		p.add("Build.Image", image, "must be an image of CodeBuild's, such as aws/codebuild/standard:7.0, or a public image's name")
	case strings.HasPrefix(image, curated.Prefix) && notLinuxPattern.MatchString(image):
		p.add("Build.Image", image, "must be one of CodeBuild's images for Linux containers")
	case strings.HasPrefix(image, curated.Prefix) && !isCurated(image):
		p.add("Build.Image", image, "is none of CodeBuild's images, which are "+listOf(curated.Maintained()))
	case privateImagePattern.MatchString(image):
		p.add("Build.Image", image, "must be public: the build's role cannot read private repositories")
	case !strings.HasPrefix(image, curated.Prefix) && b.Buildspec == "":
		p.add("Build.Image", image, "the recipe needs one of CodeBuild's images, where it can choose a Node.js; or set Build.Buildspec")
	}
	b.validateRuntimes(p)
	validateBuildTimeout(p, b.Timeout)
	validateLogDays(p, "Build.LogRetentionDays", b.LogRetentionDays)
}

// validateRecipe reports what is wrong with the props that only the recipe knows.
func (b Build) validateRecipe(p *Problems) {
	if b.Buildspec != "" {
		const why = "it tells this project's recipe what to do, and with a Build.Buildspec of the blog's own that file decides"
		p.empty("Build.RootDirectory", b.RootDirectory, why)
		p.empty("Build.AssetScript", b.AssetScript, why)
		p.empty("Build.AfterHugo", b.AfterHugo, why)
		return
	}
	if b.RootDirectory != "" && !isFileInside(b.RootDirectory) {
		p.add("Build.RootDirectory", b.RootDirectory, "must be a folder inside the blog's repository, such as site; leave it empty for the top")
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
		p.add("Build.AfterHugo", b.AfterHugo, "must be a shell command, such as npx pagefind --site public, and can be read in the template")
	}
}

func isCurated(image string) bool {
	_, known := curated.Find(image)
	return known
}

// validateRuntimes reports what runtime-versions could not select on the image, as far
// as that is known.
func (b Build) validateRuntimes(p *Problems) {
	image, known := curated.Find(b.Image)
	if !known || image.Runtimes == nil {
		return
	}
	node := b.NodeVersion
	if b.Buildspec == "" {
		if image.Refuses("golang", buildspec.GoVersion) != "" {
			p.add("Build.Image", b.Image, "has no Go "+buildspec.GoVersion+", which the recipe selects for Hugo Modules; those of CodeBuild's images that have it are "+listOf(curated.Maintained()))
			return
		}
	}
	if node != "" && nodeVersionPattern.MatchString(node) && image.Refuses("nodejs", node) != "" {
		p.add("Build.NodeVersion", node, fmt.Sprintf("is not on %s, which has %s; take one of those, or name one in full, such as 22.12.0", b.Image, strings.Join(image.Runtimes["nodejs"], ", ")))
	}
}

func validateBuildTimeout(p *Problems, timeout time.Duration) {
	if timeout < MinBuildTimeout || timeout > MaxBuildTimeout || timeout%time.Minute != 0 {
		p.add("Build.Timeout", timeout, "must be whole minutes, from 5 minutes to 36 hours, written as 30 * time.Minute")
	}
}

// isInside reports whether name is a path that stays in the folder it is taken in,
// which is ".". A name that Docker would take for an option or for its standard input,
// and one as Windows writes it, are none.
func isInside(name string) bool {
	if strings.TrimSpace(name) != name || strings.HasPrefix(name, "-") || strings.Contains(name, `\`) ||
		strings.ContainsFunc(name, unicode.IsControl) || !utf8.ValidString(name) {
		return false
	}
	return !path.IsAbs(name) && path.Clean(name) == name && name != ".." && !strings.HasPrefix(name, "../")
}

// isFileInside reports whether name can be a file's path there.
func isFileInside(name string) bool { return name != "." && isInside(name) }

// validateVariables reports names that are none and values that are secrets. refuse
// says what is wrong with a name besides, or "".
func validateVariables(p *Problems, field string, variables map[string]string, refuse func(name string) string) {
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if !variablePattern.MatchString(name) {
			p.add(field, name, "must be a name of letters, digits and underscores")
		} else if problem := refuse(name); problem != "" {
			p.add(field, name, problem)
		}
		validateVariable(p, fmt.Sprintf("%s[%q]", field, name), variables[name])
		if name == "AWS_SECRET_ACCESS_KEY" || name == "AWS_ACCESS_KEY_ID" {
			p.add(field, name, "it has a role, and what is set here can be read in the template; remove it")
		}
	}
}

// validateVariable reports a value that no variable can have.
func validateVariable(p *Problems, field, value string) {
	if strings.Contains(value, "\x00") || !utf8.ValidString(value) {
		p.add(field, value, "must be text in UTF-8, without NUL, which no variable can hold")
	}
}

// reserved are the variables that have a prop.
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

// onARM reports whether the image is CodeBuild's own for Arm machines.
func (b Build) OnARM() bool {
	return strings.HasPrefix(b.Image, curated.Prefix) && strings.Contains(b.Image, "aarch64")
}

// ImageBuild says how CodeBuild makes the image of a service, from the repository's
// Dockerfile.
type ImageBuild struct {
	// ComputeType is the size of the machine. Default: Small (4 GiB, 2 vCPU, 0.0034
	// USD a minute on Arm and 0.005 on x86).
	ComputeType ComputeType

	// Timeout ends a build that hangs: whole minutes, from 5 minutes to 36 hours.
	// Default: 15 minutes. Example: 30 * time.Minute.
	Timeout time.Duration

	// LogRetentionDays is how long the build's log is kept, in days. Default: 30.
	LogRetentionDays int
}

// WithDefaults returns these props with every default in its field.
func (b ImageBuild) WithDefaults() ImageBuild {
	b.ComputeType = cmp.Or(b.ComputeType, ComputeTypeSmall)
	b.Timeout = cmp.Or(b.Timeout, defaultBuildTimeout)
	b.LogRetentionDays = logDaysWithDefault(b.LogRetentionDays)
	return b
}

func (b ImageBuild) validate(p *Problems) {
	oneOf(p, "Build.ComputeType", b.ComputeType, ComputeTypeSmall, ComputeTypeMedium, ComputeTypeLarge, ComputeTypeXLarge, ComputeTypeX2Large)
	validateBuildTimeout(p, b.Timeout)
	validateLogDays(p, "Build.LogRetentionDays", b.LogRetentionDays)
}
