package lambdaruntime

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPackageOf(t *testing.T) {
	project := filepath.Join(t.TempDir(), "a [project]")
	for name, content := range map[string]string{"dist/one/bootstrap": "1", "dist/two/bootstrap": "2", "asset.two/bootstrap": "2", "asset.old/bootstrap": "0", "asset.empty/index.js": ""} {
		path := filepath.Join(project, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(project, "dist"))
	for _, dir := range []string{project, ".."} {
		if got, err := PackageOf(dir, filepath.Join(project, "asset.two")); err != nil || got != "./../lambdas/two" {
			t.Errorf("in %s: got %s, %v, want ./../lambdas/two", dir, got, err)
		}
	}
	for asset, want := range map[string]string{"asset.old": "make synth", "asset.empty": "bootstrap"} {
		if _, err := PackageOf(project, filepath.Join(project, asset)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", asset, err, want)
		}
	}
}
