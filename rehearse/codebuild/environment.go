package codebuild

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"blog-deploy-pipeline/buildspec/curated"
)

// environment returns the variables of the first command. They include no variable of this process.
//
// AWS source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
func (r *run) environment(start time.Time, home, tmp string) map[string]string {
	const id = "7b1e6661-e4f2-4156-9ab9-82a19c0ffee0"
	arn := "arn:aws:codebuild:" + r.Region + ":" + r.Account + ":"
	env := map[string]string{
		"PATH":   r.Path,
		"HOME":   home,
		"TMPDIR": tmp,
		"LANG":   "C.UTF-8",

		"AWS_REGION":         r.Region,
		"AWS_DEFAULT_REGION": r.Region,
		// The rehearsal has no credentials of the build's role. On a machine in EC2 the AWS CLI would use the machine's role.
		"AWS_EC2_METADATA_DISABLED": "true",

		"CODEBUILD_BUILD_ARN":        arn + "build/" + r.Project + ":" + id,
		"CODEBUILD_BUILD_ID":         r.Project + ":" + id,
		"CODEBUILD_BUILD_IMAGE":      r.Image,
		"CODEBUILD_BUILD_NUMBER":     "1",
		"CODEBUILD_BUILD_SUCCEEDING": "1",
		"CODEBUILD_CI":               "true",
		"CODEBUILD_INITIATOR":        r.Initiator,
		"CODEBUILD_KMS_KEY_ID":       "arn:aws:kms:" + r.Region + ":" + r.Account + ":alias/aws/s3",
		"CODEBUILD_LOG_PATH":         id,
		"CODEBUILD_PROJECT_ARN":      arn + "project/" + r.Project,
		"CODEBUILD_SOURCE_REPO_URL":  "", // It is empty in builds of CodePipeline.
		"CODEBUILD_SRC_DIR":          r.src,
		"CODEBUILD_START_TIME":       strconv.FormatInt(start.UnixMilli(), 10),
	}
	if runtime.GOOS == "darwin" {
		env["LANG"] = "en_US.UTF-8" // Older versions of macOS have no C.UTF-8.
	}
	if r.SourceVersion != "" {
		env["CODEBUILD_RESOLVED_SOURCE_VERSION"] = r.SourceVersion
		env["CODEBUILD_SOURCE_VERSION"] = r.SourceVersion
	}
	maps.Copy(env, r.Spec.Env.Variables)
	for _, from := range []map[string]string{r.Spec.Env.ParameterStore, r.Spec.Env.SecretsManager} {
		for name := range from {
			env[name] = r.Secrets[name]
		}
	}
	maps.Copy(env, r.Env) // The project's variables override the buildspec's.
	return env
}

// Network returns the variables of an environment, such as os.Environ(), that configure the network: proxies, certificate
// authorities and mirrors of registries. CodeBuild does not need them. On a machine behind a proxy a build needs them in
// [Build.Env], because it does not inherit the environment and HOME of the user.
func Network(environ []string) map[string]string {
	env := make(map[string]string)
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		switch strings.ToUpper(name) {
		case "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
			"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE",
			"NPM_CONFIG_REGISTRY", "NPM_CONFIG_CAFILE", "NPM_CONFIG_PROXY", "NPM_CONFIG_HTTPS_PROXY", "NPM_CONFIG_NOPROXY",
			"GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB":
			env[name] = value
		}
	}
	return env
}

var variable = regexp.MustCompile(`\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})`)

// expand replaces $NAME and ${NAME} by values.
func expand(text string, values map[string]string) string {
	return variable.ReplaceAllStringFunc(text, func(ref string) string {
		return values[strings.Trim(ref, "${}")]
	})
}

// runtimes holds the command that prints the version of each runtime of runtime-versions.
var runtimes = map[string][]string{
	"dotnet": {"dotnet", "--version"},
	"golang": {"go", "version"},
	"java":   {"java", "-version"},
	"nodejs": {"node", "--version"},
	"php":    {"php", "--version"},
	"python": {"python3", "--version"},
	"ruby":   {"ruby", "--version"},
}

// markers holds the files that show that a source uses a runtime.
var markers = map[string]string{"golang": "go.mod", "nodejs": "package.json"}

// runtimeNotes returns a note for each runtime whose version differs from CodeBuild's, because a rehearsal uses the
// runtimes of the machine. If the source uses Go, as a blog with Hugo Modules does, there is always a note about Go.
func (r *run) runtimeNotes(ctx context.Context) []string {
	var wanted map[string]string
	if r.Spec.Phases.Install != nil {
		wanted = r.Spec.Phases.Install.RuntimeVersions
	}
	image, _ := curated.Find(r.Image)
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(runtimes)) {
		want, selected := wanted[name]
		want = expand(want, r.env)
		used := r.has(markers[name])
		if !selected && !used {
			continue
		}
		asked := fmt.Sprintf("the buildspec wants %s %s", name, want)
		if !selected {
			if want = image.Starts(name); want == "" {
				continue
			}
			asked = fmt.Sprintf("the buildspec selects no %s, and %s has %s by default", name, r.Image, want)
		}
		argv := runtimes[name]
		program, err := lookPath(argv[0], r.env["PATH"])
		if err != nil {
			note("runtime-versions: %s, and this machine has no %s on PATH", asked, argv[0])
			continue
		}
		got := programVersion(ctx, program, argv[1], r.env["PATH"])
		switch {
		case !satisfies(got, want):
			note("runtime-versions: %s; this machine's %s is used", asked, cmp.Or(got, "own version, which is unknown,"))
		case name == "golang" && used:
			note("runtime-versions: %s; this machine's %s is used for go.mod", asked, got)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if _, known := runtimes[name]; !known {
			note("runtime-versions: %s %s is not selected here", name, expand(wanted[name], r.env))
		}
	}
	return notes
}

// has reports whether the source has a file at its top or one folder below.
func (r *run) has(name string) bool {
	if name == "" {
		return false
	}
	for _, pattern := range []string{name, "*/" + name} {
		if found, err := fs.Glob(os.DirFS(r.src), pattern); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}

var number = regexp.MustCompile(`[0-9]+(\.[0-9]+)*`)

// satisfies reports whether a version is the wanted one. 24.1.0 satisfies 24, 24.x and 24.1, and corretto21 means 21.
// No version satisfies latest.
func satisfies(got, want string) bool {
	want = number.FindString(want)
	return want != "" && (got == want || strings.HasPrefix(got, want+"."))
}

// programs caches the versions of programs, because a process can run many builds.
var programs sync.Map

func programVersion(ctx context.Context, program, flag, path string) string {
	if target, err := filepath.EvalSymlinks(program); err == nil {
		program = target
	}
	if known, ok := programs.Load(program); ok {
		return known.(string)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, flag)
	cmd.Env = []string{"PATH=" + path}
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return ""
	}
	version := number.FindString(string(out))
	programs.Store(program, version)
	return version
}

// lookPath returns the path of a program on the given PATH.
func lookPath(name, path string) (string, error) {
	if strings.Contains(name, "/") {
		return exec.LookPath(name)
	}
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		program := filepath.Join(dir, name)
		if info, err := os.Stat(program); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return program, nil
		}
	}
	return "", fmt.Errorf("%s is not on the PATH %s", name, path)
}
