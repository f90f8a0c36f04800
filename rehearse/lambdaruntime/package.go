package lambdaruntime

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// PackageOf returns the package that a function's asset, a folder, was compiled from: the one whose
// compiled file in the project's dist/ is the same. A deployed file is for Lambda's processor; [Compile]
// makes one of its package that runs here. project is the project's folder, such as ".".
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
			// Not Join's result alone: without ./ it would be the name of a package.
			return "." + string(filepath.Separator) + filepath.Join(relative(project), "lambdas", filepath.Base(filepath.Dir(path))), nil
		}
	}
	return "", fmt.Errorf("the code in %s is none of this project's functions as they are in dist/: run `make synth` again; a function from elsewhere cannot be rehearsed", asset)
}

// globEscape keeps a folder's name from being taken for a pattern.
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

// relative is a folder as seen from the working directory, if it can be.
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
