package stacks

import (
	"fmt"
	"io/fs"
	"os"
)

// OpenAssets lets every user read what is in the assets of the cloud assembly in a
// folder, and run what its owner may run. A zip keeps modes, and Lambda is another user:
// what was built, or unpacked by the CDK, under a umask such as 027 could not start
// there. CDK's hash of an asset does not see modes, so a later build would not mend it.
//
// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
func OpenAssets(assembly string) error {
	root, err := os.OpenRoot(assembly)
	if err != nil {
		return fmt.Errorf("open assets: %w", err)
	}
	defer root.Close() //nolint:errcheck // nothing was written to it
	assets, err := fs.Glob(root.FS(), "asset.*")
	if err != nil {
		return fmt.Errorf("open assets: %w", err)
	}
	var opened bool
	for _, asset := range assets {
		err := fs.WalkDir(root.FS(), asset, func(name string, entry fs.DirEntry, err error) error {
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
			return root.Chmod(name, mode)
		})
		if err != nil {
			return fmt.Errorf("open assets: %w", err)
		}
	}
	if !opened {
		return nil
	}
	// The CDK CLI keeps the zips that it has made, by the same hash.
	if err := root.RemoveAll(".cache"); err != nil {
		return fmt.Errorf("remove zips of assets: %w", err)
	}
	return nil
}
