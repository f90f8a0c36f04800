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

// compile makes Hugo of its source, which Go checks by its checksum database.
func (i Installer) compile(ctx context.Context, w Wanted, dir string) (string, error) {
	args, cgo := []string{"install", "-ldflags=-s -w"}, ""
	if w.Extended {
		args, cgo = append(args, "-tags=extended"), "CGO_ENABLED=1"
		if err := hasCompiler(ctx); err != nil {
			return "", fmt.Errorf("it takes a C compiler to make it here: %w. Install one, or that Hugo, or set the blog's Build.HugoExtended to false if it does not need LibSass", err)
		}
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "github.com/gohugoio/hugo@v"+w.Version)...)
	// A larger heap takes a quarter off the first compilation.
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

// remedy adds what to do where Go's words do not say it.
func remedy(said string) string {
	if strings.Contains(said, "requires go >= ") || strings.Contains(said, "toolchain not available") {
		return "\nThat Hugo takes a newer Go than this machine has: install that Go, or that Hugo so that `hugo` on PATH is it, or set the blog's Build.HugoVersion to an older one"
	}
	return "\nInstall that Hugo so that `hugo` on PATH is it, or set the blog's Build.HugoVersion to another"
}

// hasCompiler tells whether Go finds its C compiler.
func hasCompiler(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "env", "CC").Output()
	if err != nil {
		return fmt.Errorf("go env CC: %w", err)
	}
	name, _, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	_, err = exec.LookPath(cmp.Or(name, "cc"))
	return err
}
