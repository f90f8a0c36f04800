package lambdaruntime

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"

	"blog-deploy-pipeline/rehearse/leftovers"
)

// Compile compiles the Lambda function in the package folder pkg, such as "./lambdas/invalidate" or
// ".", into the file binary: with the build tag of deployed functions, but for this machine. flags are
// further flags of go build.
func Compile(ctx context.Context, pkg, binary string, flags ...string) error {
	args := append([]string{"build", "-tags", "lambda.norpc", "-ldflags=-s -w", "-o", binary}, flags...)
	build := exec.CommandContext(ctx, "go", append(args, pkg)...)
	// Go's own temporary files are beside the binary: if it is killed, whoever removes that removes them.
	dir, err := filepath.Abs(filepath.Dir(binary))
	if err != nil {
		return fmt.Errorf("compile the function %s: %w", pkg, err)
	}
	// A larger heap takes a quarter off the first compilation.
	build.Env = append(build.Environ(), "GOTMPDIR="+dir, "GOGC=400")
	var out bytes.Buffer
	build.Stdout, build.Stderr = &out, &out
	// The compiler is a child of go's: all end with ctx.
	if err := leftovers.Run(build); err != nil {
		return fmt.Errorf("compile the function %s: %w\n%s", pkg, err, out.String())
	}
	return nil
}
