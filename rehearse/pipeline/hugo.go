package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/rehearse/hugo"
)

// hugoFolder is the first folder of a build's PATH: it has the Hugo that the build's variables name, and
// nothing else.
type hugoFolder struct {
	*rehearsal
	dir string
	has hugo.Wanted
}

func (r *rehearsal) hugo() (*hugoFolder, error) {
	f := &hugoFolder{rehearsal: r, dir: filepath.Join(r.dir, "hugo")}
	return f, os.MkdirAll(f.dir, 0o750)
}

// provide puts the wanted Hugo into the folder, if one is wanted. What the recipe refuses, or could not
// install at AWS, it is left to refuse.
func (f *hugoFolder) provide(ctx context.Context, variables map[string]string) error {
	w := hugo.Wanted{
		Version:  strings.TrimPrefix(variables[buildspec.EnvHugoVersion], "v"),
		Extended: variables[buildspec.EnvHugoExtended] == "true",
	}
	if w == f.has || w.Check() != nil {
		return nil
	}
	defer f.readying()()
	binary, err := f.find(ctx, w)
	if err != nil {
		return err
	}
	link := filepath.Join(f.dir, "hugo")
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f.has = w
	return os.Symlink(binary, link)
}

// find finds or installs a Hugo.
func (f *hugoFolder) find(ctx context.Context, w hugo.Wanted) (string, error) {
	if f.Hugo != "" {
		binary, err := filepath.Abs(f.Hugo)
		if err != nil {
			return "", err
		}
		if says := hugo.Says(ctx, binary); !w.Is(says) {
			return "", fmt.Errorf("the build wants %v, and HUGO=%s is %s: name one that is, or leave HUGO out, and it is installed", w, f.Hugo, cmp.Or(says, "no Hugo that runs"))
		}
		return binary, nil
	}
	for dir := range strings.SplitSeq(f.Path, string(filepath.ListSeparator)) {
		binary, err := exec.LookPath(filepath.Join(dir, "hugo"))
		if err != nil || !filepath.IsAbs(binary) {
			continue
		}
		if w.Is(hugo.Says(ctx, binary)) {
			return binary, nil
		}
		break // It hides those that come after it.
	}
	if f.HugoCache == "" {
		return "", fmt.Errorf("the build wants %v, which is not on PATH", w)
	}
	binary, err := hugo.Installer{Cache: f.HugoCache, Releases: f.HugoReleases, Tell: f.preparing}.Install(ctx, w)
	if err != nil {
		return "", fmt.Errorf("the build wants %v: %w", w, err)
	}
	return binary, nil
}
