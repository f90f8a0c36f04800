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

// hugoFolder is the first folder of a build's PATH. It only has the Hugo that the build's variables name.
type hugoFolder struct {
	*world

	dir string
	has hugo.Wanted
}

func newHugoFolder(w *world) (*hugoFolder, error) {
	f := &hugoFolder{world: w, dir: filepath.Join(w.dir, "hugo")}
	return f, os.MkdirAll(f.dir, 0o750)
}

// provide puts the Hugo into the folder that the variables name, if they do. It leaves it to the recipe to refuse a
// version that it does not support.
func (f *hugoFolder) provide(ctx context.Context, variables map[string]string) error {
	w := hugo.Wanted{
		Version:  strings.TrimPrefix(variables[buildspec.EnvHugoVersion], "v"),
		Extended: variables[buildspec.EnvHugoExtended] == "true",
	}
	if w == f.has || w.Check() != nil {
		return nil
	}
	defer f.record.Prepare()()
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
			return "", fmt.Errorf("the build wants %v, and HUGO=%s is %s: name one that is, or leave HUGO out, and the right one is installed", w, f.Hugo, cmp.Or(says, "no Hugo that runs"))
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
		break // This one comes first on PATH, and so hides others.
	}
	if f.HugoCache == "" {
		return "", fmt.Errorf("the build wants %v, which is not on PATH", w)
	}
	binary, err := hugo.Installer{Cache: f.HugoCache, Releases: f.HugoReleases, Tell: f.record.Preparing}.Install(ctx, w)
	if err != nil {
		return "", fmt.Errorf("the build wants %v: %w", w, err)
	}
	return binary, nil
}
