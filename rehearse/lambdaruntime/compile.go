package lambdaruntime

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"

	"blog-deploy-pipeline/rehearse/leftovers"
)

// Compile compiles the Lambda function in the package folder pkg, such as "./lambdas/invalidate" or ".", to the
// file binary. It uses the build tag of deployed functions, but builds for this machine. flags are additional
// flags of go build.
func Compile(ctx context.Context, pkg, binary string, flags ...string) error {
	args := append([]string{"build", "-tags", "lambda.norpc", "-ldflags=-s -w", "-o", binary}, flags...)
	build := exec.CommandContext(ctx, "go", append(args, pkg)...)
	// Go's temporary files are beside the binary, so that they are removed with its folder if go is killed.
	dir, err := filepath.Abs(filepath.Dir(binary))
	if err != nil {
		return fmt.Errorf("compile the function %s: %w", pkg, err)
	}
	// A larger heap makes the first compilation a quarter faster.
	build.Env = append(build.Environ(), "GOTMPDIR="+dir, "GOGC=400")
	var out bytes.Buffer
	build.Stdout, build.Stderr = &out, &out
	// The compiler is a child process of go. Both end when ctx is done.
	if err := leftovers.Run(build); err != nil {
		return fmt.Errorf("compile the function %s: %w\n%s", pkg, err, out.String())
	}
	return nil
}
