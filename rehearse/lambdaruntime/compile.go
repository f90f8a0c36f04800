package lambdaruntime

import (
	"context"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// Compile compiles the Lambda function in the package folder pkg, such as "./lambdas/invalidate" or
// ".", into the file binary: with the build tag of deployed functions, but for this machine. flags are
// further flags of go build.
func Compile(ctx context.Context, pkg, binary string, flags ...string) error {
	args := append([]string{"build", "-tags", "lambda.norpc", "-o", binary}, flags...)
	build := exec.CommandContext(ctx, "go", append(args, pkg)...)
	// The compiler is a child of go's: all end with ctx.
	build.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	build.Cancel = func() error { return syscall.Kill(-build.Process.Pid, syscall.SIGKILL) }
	build.WaitDelay = time.Second
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("compile the function %s: %w\n%s", pkg, err, out)
	}
	return nil
}
