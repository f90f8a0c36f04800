package stacks

import (
	"fmt"
	"io/fs"
	"os"
)

// OpenAssets makes all assets of a cloud assembly, which is a folder, readable for every user, and
// executable if they are for their owner. The CDK CLI's zips keep these modes, and Lambda runs a
// function as another user: after a build with a umask such as 027 it could not start. A later
// build would not mend that, because the hash of an asset does not cover modes.
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
	// The CDK CLI keeps the zips that it has made, under the same hash.
	if err := root.RemoveAll(".cache"); err != nil {
		return fmt.Errorf("remove zips of assets: %w", err)
	}
	return nil
}
