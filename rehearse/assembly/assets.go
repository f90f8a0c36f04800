package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// FunctionAssetDir returns the folder that holds the code of an AWS::Lambda::Function, such as
// cdk.out/asset.1f2e….
//
// It finds the folder as `cdk deploy` does: by the object key of the function's code in the stack's asset
// manifest. The resource's aws:asset:path metadata would be shorter, but only the CDK CLI adds it, and a
// rehearsal runs the app without the CLI. Code that is not a zipped folder (inline code, an image, an archive)
// is an error.
func (t *Template) FunctionAssetDir(functionLogicalID string) (string, error) {
	dir, err := t.functionAssetDir(functionLogicalID)
	if err != nil {
		return "", fmt.Errorf("find asset of function %s: %w", functionLogicalID, err)
	}
	return dir, nil
}

func (t *Template) functionAssetDir(functionLogicalID string) (string, error) {
	resource, err := t.resource(functionLogicalID, "AWS::Lambda::Function")
	if err != nil {
		return "", err
	}
	code, ok := resource.Properties["Code"].(map[string]any)
	if !ok {
		return "", fmt.Errorf("property Code is %v, want an object", resource.Properties["Code"])
	}
	resolved, err := t.Resolve(code["S3Key"])
	if err != nil {
		return "", err
	}
	key, ok := resolved.(string)
	if !ok {
		return "", errors.New("property Code has no S3Key: the function is not made from an asset")
	}

	path := filepath.Join(t.Dir, t.assetManifest)
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var manifest struct {
		Files map[string]struct {
			Source struct {
				Path      string
				Packaging string
			}
			Destinations map[string]struct{ ObjectKey string }
		}
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		return "", fmt.Errorf("decode %s: %w", path, err)
	}
	for _, file := range manifest.Files {
		for _, destination := range file.Destinations {
			if destination.ObjectKey != key {
				continue
			}
			if file.Source.Packaging != "zip" {
				return "", fmt.Errorf("asset %s: packaging is %q, want zip, which stands for a folder", file.Source.Path, file.Source.Packaging)
			}
			dir := file.Source.Path
			if !filepath.IsAbs(dir) {
				dir = filepath.Join(t.Dir, dir)
			}
			info, err := os.Stat(dir)
			if err != nil {
				return "", err
			}
			if !info.IsDir() {
				return "", fmt.Errorf("asset %s is not a folder", dir)
			}
			return dir, nil
		}
	}
	return "", fmt.Errorf("%s has no file with the object key %s", path, key)
}
