package lambdaruntime

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// PackageOf returns the package that a function's asset was compiled from. It is the package whose compiled file in
// the project's dist folder equals the asset's. The asset is built for Lambda's processor, so a rehearsal compiles
// the package again with [Compile]. asset is the asset's folder, and project the project's, such as ".".
func PackageOf(project, asset string) (string, error) {
	deployed, err := os.ReadFile(filepath.Join(asset, "bootstrap"))
	if err != nil {
		return "", fmt.Errorf("read the function: %w", err)
	}
	built, err := filepath.Glob(filepath.Join(globEscape(project), "dist", "*", "bootstrap"))
	if err != nil {
		return "", err
	}
	for _, path := range built {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		if bytes.Equal(deployed, content) {
			// Without the leading ./ the path would be an import path.
			return "." + string(filepath.Separator) + filepath.Join(relative(project), "lambdas", filepath.Base(filepath.Dir(path))), nil
		}
	}
	return "", fmt.Errorf("the code in %s is not one of this project's functions in dist/: run `make synth` again. A rehearsal cannot run a function from another project", asset)
}

// globEscape escapes the characters of a folder's name that have a meaning in patterns.
func globEscape(dir string) string {
	var b bytes.Buffer
	for _, r := range dir {
		if bytes.ContainsRune([]byte(`*?[\`), r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// relative returns the path of a folder relative to the working directory, or dir itself if there is none.
func relative(dir string) string {
	if !filepath.IsAbs(dir) {
		return dir
	}
	wd, err := os.Getwd()
	if err != nil {
		return dir
	}
	rel, err := filepath.Rel(wd, dir)
	if err != nil {
		return dir
	}
	return rel
}
