package pipeline

import (
	"cmp"
	"context"

	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

// compile compiles, for this machine, the function that an asset was made of.
func compile(ctx context.Context, project, asset, binary string) error {
	pkg, err := lambdaruntime.PackageOf(cmp.Or(project, "."), asset)
	if err != nil {
		return err
	}
	return lambdaruntime.Compile(ctx, pkg, binary)
}
