package hugo

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"blog-deploy-pipeline/rehearse/leftovers"
)

// compile compiles Hugo from its source, which Go checks with its checksum database.
func (i Installer) compile(ctx context.Context, w Wanted, dir string) (string, error) {
	args, cgo := []string{"install", "-ldflags=-s -w"}, ""
	if w.Extended {
		args, cgo = append(args, "-tags=extended"), "CGO_ENABLED=1"
		if err := hasCompiler(ctx); err != nil {
			return "", fmt.Errorf("the extended edition needs a C compiler to be compiled here: %w. Install a C compiler or that Hugo, or set the blog's Build.HugoExtended to false if it does not need LibSass", err)
		}
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "github.com/gohugoio/hugo@v"+w.Version)...)
	// A larger heap makes the first compilation a quarter faster.
	cmd.Env = append(cmd.Environ(), "GOBIN="+dir, "GOFLAGS=", "GOTMPDIR="+dir, "GOGC=400")
	if cgo != "" {
		cmd.Env = append(cmd.Env, cgo)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	done := i.waiting(fmt.Sprintf("Compiling %v (some minutes, once)", w))
	err := leftovers.Run(cmd)
	done()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("compile it: %w\n%s%s", err, strings.TrimSpace(out.String()), remedy(out.String()))
	}
	return checked(ctx, w, filepath.Join(dir, "hugo"))
}

// remedy returns what to do about the error that Go printed.
func remedy(said string) string {
	if strings.Contains(said, "requires go >= ") || strings.Contains(said, "toolchain not available") {
		return "\nThat Hugo needs a newer Go than this machine has. Install that Go, or put that Hugo on PATH, or set the blog's Build.HugoVersion to an older version"
	}
	return "\nPut that Hugo on PATH, or set the blog's Build.HugoVersion to another version"
}

// hasCompiler returns an error if Go cannot find its C compiler.
func hasCompiler(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "env", "CC").Output()
	if err != nil {
		return fmt.Errorf("go env CC: %w", err)
	}
	name, _, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	_, err = exec.LookPath(cmp.Or(name, "cc"))
	return err
}
