package stacks

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// OpenAssets lets every user read what is in the assets of the cloud assembly in a
// folder, and run what its owner may run. A zip keeps modes, and Lambda is another user:
// what was built, or unpacked by the CDK, under a umask such as 027 could not start
// there. CDK's hash of an asset does not see modes, so a later build would not mend it.
//
// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
func OpenAssets(assembly string) error {
	assets, err := filepath.Glob(filepath.Join(assembly, "asset.*"))
	if err != nil {
		return fmt.Errorf("list assets: %w", err)
	}
	var opened bool
	for _, asset := range assets {
		err := filepath.WalkDir(asset, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil || info.Mode()&fs.ModeSymlink != 0 {
				return err
			}
			mode := info.Mode().Perm() | 0o444
			if mode&0o100 != 0 {
				mode |= 0o111
			}
			if mode == info.Mode().Perm() {
				return nil
			}
			opened = true
			return os.Chmod(path, mode)
		})
		if err != nil {
			return fmt.Errorf("open asset: %w", err)
		}
	}
	if !opened {
		return nil
	}
	// The CDK CLI keeps the zips that it has made, by the same hash.
	if err := os.RemoveAll(filepath.Join(assembly, ".cache")); err != nil {
		return fmt.Errorf("remove zips of assets: %w", err)
	}
	return nil
}
