package stacks

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

func TestOpenAssets(t *testing.T) {
	// As it is under umask 077 and 027, and as it should be.
	modes := map[string][2]fs.FileMode{
		"asset.1":             {0o700, 0o755},
		"asset.1/bootstrap":   {0o700, 0o755},
		"asset.2":             {0o750, 0o755},
		"asset.2/lib":         {0o750, 0o755},
		"asset.2/lib/run":     {0o750, 0o755},
		"asset.2/index.js":    {0o640, 0o644},
		"asset.2/open":        {0o664, 0o664},
		"asset.3.zip":         {0o600, 0o644},
		"stack.template.json": {0o640, 0o640}, // This is read by its owner alone.
	}
	tests := []struct {
		name string
		from int // of the modes
		kept bool
	}{{"under umask 027", 0, false}, {"as it should be", 1, true}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name := range modes {
				path := filepath.Join(dir, name)
				check(os.MkdirAll(filepath.Dir(path), 0o755))
				switch name {
				case "asset.1", "asset.2", "asset.2/lib":
					check(os.MkdirAll(path, 0o755))
				default:
					check(os.WriteFile(path, nil, 0o600))
				}
			}
			check(os.MkdirAll(filepath.Join(dir, ".cache"), 0o755))
			check(os.Symlink("nowhere", filepath.Join(dir, "asset.1", "link")))
			for name, mode := range modes {
				check(os.Chmod(filepath.Join(dir, name), mode[tt.from]))
			}
			if err := OpenAssets(dir); err != nil {
				t.Fatal(err)
			}
			got, want := map[string]fs.FileMode{}, map[string]fs.FileMode{}
			for name, mode := range modes {
				info, err := os.Stat(filepath.Join(dir, name))
				check(err)
				got[name], want[name] = info.Mode().Perm(), mode[1]
			}
			if !maps.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if _, err := os.Stat(filepath.Join(dir, ".cache")); (err == nil) != tt.kept {
				t.Errorf("the zips that were made of it: %v, want them kept: %t", err, tt.kept)
			}
		})
	}
}
