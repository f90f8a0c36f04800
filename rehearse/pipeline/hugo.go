package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"blog-deploy-pipeline/buildspec"
)

// hugo returns the PATH of a build: with the Hugo that it wants before everything else, or as it is if
// it wants none.
func (r *rehearsal) hugo(ctx context.Context, project, spec map[string]string) (path string, err error) {
	wanted := func(name string) string { return or(project[name], spec[name]) }
	version := strings.TrimPrefix(wanted(buildspec.EnvHugoVersion), "v")
	if version == "" {
		return r.Path, nil
	}
	binary, err := r.findHugo(ctx, version, wanted(buildspec.EnvHugoExtended) == "true")
	if err != nil || binary == "" {
		return r.Path, err
	}
	// Alone in a folder: what else is beside it is not the build's.
	dir := filepath.Join(r.dir, "hugo")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	link := filepath.Join(dir, "hugo")
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := os.Symlink(binary, link); err != nil {
		return "", err
	}
	return dir + string(filepath.ListSeparator) + r.Path, nil
}

var releasePattern = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`)

// findHugo finds or installs a version of Hugo; "" leaves it to the build.
func (r *rehearsal) findHugo(ctx context.Context, version string, extended bool) (string, error) {
	edition := "Hugo v" + version
	if extended {
		edition += " (extended)"
	}
	if !releasePattern.MatchString(version) {
		return "", nil // The recipe says what is wrong with it.
	}
	if r.Hugo != "" {
		binary, err := filepath.Abs(r.Hugo)
		if err != nil {
			return "", err
		}
		if got := hugoVersion(ctx, binary); !isHugo(got, version, extended) {
			return "", fmt.Errorf("the build wants %s, and %s is %s", edition, r.Hugo, or(got, "no Hugo that runs"))
		}
		return binary, nil
	}
	for dir := range strings.SplitSeq(r.Path, string(filepath.ListSeparator)) {
		binary, err := exec.LookPath(filepath.Join(dir, "hugo"))
		if err != nil || !filepath.IsAbs(binary) {
			continue
		}
		if isHugo(hugoVersion(ctx, binary), version, extended) {
			return binary, nil
		}
		break // It hides those that come after it.
	}
	if r.HugoCache == "" {
		return "", fmt.Errorf("the build wants %s, which is not on PATH", edition)
	}
	return r.installHugo(ctx, version, extended, edition)
}

// installHugo compiles Hugo, once.
func (r *rehearsal) installHugo(ctx context.Context, version string, extended bool, edition string) (string, error) {
	cache, err := filepath.Abs(r.HugoCache)
	if err != nil {
		return "", err
	}
	name, args, cgo := "hugo@v"+version, []string{"install", "-ldflags=-s -w"}, "CGO_ENABLED=0"
	if extended {
		name, args, cgo = name+"+extended", append(args, "-tags=extended"), "CGO_ENABLED=1"
	}
	dir := filepath.Join(cache, name)
	binary := filepath.Join(dir, "hugo")
	if isHugo(hugoVersion(ctx, binary), version, extended) {
		return binary, nil
	}
	if extended {
		if err := hasCompiler(ctx); err != nil {
			return "", fmt.Errorf("the build wants %s, which takes a C compiler to make here: %w. Install one, or that Hugo, or set the blog's Build.HugoExtended to false if it does not need LibSass", edition, err)
		}
	}
	began := time.Now()
	r.preparing("Compiling %s into %s (some minutes, once)", edition, dir)
	cmd := command(ctx, "go", append(args, "github.com/gohugoio/hugo@v"+version)...)
	cmd.Env = append(cmd.Environ(), "GOBIN="+dir, "GOFLAGS=", "GOTMPDIR="+r.dir, cgo)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	ticker := time.NewTicker(15 * time.Second)
	defer ticker.Stop()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Run() }()
	for {
		select {
		case <-ticker.C:
			r.preparing("Compiling %s: %v so far", edition, time.Since(began).Round(time.Second))
			continue
		case err = <-ended:
		}
		break
	}
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("install %s: %w\n%s", edition, err, strings.TrimSpace(out.String()))
	}
	if got := hugoVersion(ctx, binary); !isHugo(got, version, extended) {
		return "", fmt.Errorf("install %s: it says that it is %q", edition, got)
	}
	return binary, nil
}

// hasCompiler tells whether Go finds its C compiler.
func hasCompiler(ctx context.Context) error {
	out, err := command(ctx, "go", "env", "CC").Output()
	if err != nil {
		return fmt.Errorf("go env CC: %w", err)
	}
	name, _, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	_, err = exec.LookPath(or(name, "cc"))
	return err
}

// hugoVersion is what a Hugo says about itself; "" if it says nothing.
func hugoVersion(ctx context.Context, binary string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := command(ctx, binary, "version").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// isHugo reports whether a Hugo is the wanted one, by the rule of the recipe: the extended edition can
// do all that the standard one can, and a -DEV is no release.
func isHugo(says, version string, extended bool) bool {
	rest, ok := strings.CutPrefix(says, "hugo v"+version)
	if !ok || rest == "" || !strings.ContainsRune(" +-", rune(rest[0])) || strings.HasPrefix(rest, "-DEV") {
		return false
	}
	number, _, _ := strings.Cut(rest, " ")
	return !extended || strings.Contains(number, "+extended")
}
