// Package hugo has the Hugo that a build wants on this machine: it takes the binary of Hugo's own release,
// checked by SHA-256, or compiles Hugo where that cannot be had.
//
// It works on Linux and macOS.
package hugo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Releases is where Hugo publishes its releases: a folder for each, such as v0.164.0, with its archives and a
// list of their SHA-256 sums.
const Releases = "https://github.com/gohugoio/hugo/releases/download"

// Wanted is a release of Hugo.
type Wanted struct {
	Version  string // such as "0.164.0"
	Extended bool   // the edition with LibSass
}

// String is how people call it, such as "Hugo v0.164.0 (extended)".
func (w Wanted) String() string {
	if w.Extended {
		return "Hugo v" + w.Version + " (extended)"
	}
	return "Hugo v" + w.Version
}

// Hugo's archives have changed their names.
var (
	firstName = [2]int{0, 103} // the first whose archives have the names used here
	firstPkg  = [2]int{0, 153} // the first that is a package for macOS, and no archive
)

var releasePattern = regexp.MustCompile(`^([0-9]{1,9})\.([0-9]{1,9})\.[0-9]{1,9}$`)

// Check tells what is wrong with the version.
func (w Wanted) Check() error {
	if !releasePattern.MatchString(w.Version) {
		return fmt.Errorf("the version of Hugo is %q, want a release such as 0.164.0", w.Version)
	}
	if w.before(firstName) {
		return fmt.Errorf("the version of Hugo is %s, want 0.103.0 or later: an older one is left to the recipe, which installs it on Linux", w.Version)
	}
	return nil
}

// before reports whether it is older than the first release of a minor version.
func (w Wanted) before(first [2]int) bool {
	parts := releasePattern.FindStringSubmatch(w.Version)
	major, _ := strconv.Atoi(parts[1]) // Digits, by the pattern.
	minor, _ := strconv.Atoi(parts[2])
	return slices.Compare([]int{major, minor}, first[:]) < 0
}

// Is reports whether a Hugo is the wanted one by what it says, by the rule of the recipe: the extended edition
// can do all that the standard one can, and a -DEV is no release.
func (w Wanted) Is(says string) bool {
	rest, ok := strings.CutPrefix(says, "hugo v"+w.Version)
	if !ok || rest == "" || !strings.ContainsRune(" +-", rune(rest[0])) || strings.HasPrefix(rest, "-DEV") {
		return false
	}
	number, _, _ := strings.Cut(rest, " ")
	return !w.Extended || strings.Contains(number, "+extended")
}

// Says is what a Hugo says about itself, such as "hugo v0.164.0 linux/amd64"; "" if it says nothing.
func Says(ctx context.Context, binary string) string {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // A busy machine may need some of it.
	defer cancel()
	out, err := exec.CommandContext(ctx, binary, "version").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// Installer installs releases of Hugo for good.
type Installer struct {
	// Cache is the folder to install into, a folder for each release, such as ".cache/bin". Required.
	Cache string
	// Releases is where releases are, as https://, or on this machine as http://. Default: [Releases]. A
	// mirror's archives must have the sums that Hugo's have.
	Releases string
	// Tell tells what takes a while: when it begins, and then once a minute. Required.
	Tell func(format string, args ...any)

	// What follows is for tests.
	platform string            // default: this machine's, such as "linux/amd64"
	sums     map[string]string // default: those that are pinned here
	limits   limits
}

// every is how often a wait says how long it has taken.
const every = time.Minute

// Install returns the path of the wanted Hugo, which it installs if it is not in the cache. Two that install
// the same at once do it one after the other.
func (i Installer) Install(ctx context.Context, w Wanted) (binary string, err error) {
	if err := w.Check(); err != nil {
		return "", err
	}
	i.platform = cmp.Or(i.platform, runtime.GOOS+"/"+runtime.GOARCH)
	name := "hugo@v" + w.Version
	if w.Extended {
		name += "+extended"
	}
	dir, err := filepath.Abs(filepath.Join(i.Cache, name))
	if err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "hugo")
	if w.Is(Says(ctx, binary)) {
		return binary, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // A cache for whoever may see the project.
		return "", fmt.Errorf("install %v: %w", w, err)
	}
	unlock, err := i.lock(ctx, dir, w)
	if err != nil {
		return "", fmt.Errorf("install %v: %w", w, err)
	}
	defer unlock()
	if w.Is(Says(ctx, binary)) { // Another process has installed it meanwhile.
		return binary, nil
	}
	work, err := os.MkdirTemp(dir, "work-")
	if err != nil {
		return "", fmt.Errorf("install %v: %w", w, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	made, err := i.download(ctx, w, work)
	if err != nil && ctx.Err() == nil {
		i.Tell("No release binary of %v: %v", w, err)
		made, err = i.compile(ctx, w, work)
	}
	if err != nil {
		return "", fmt.Errorf("install %v: %w", w, err)
	}
	if err := os.Rename(made, binary); err != nil {
		return "", fmt.Errorf("install %v: %w", w, err)
	}
	return binary, nil
}

// lock waits until no other process installs into a folder, and removes what one that was killed has left.
func (i Installer) lock(ctx context.Context, dir string, w Wanted) (unlock func(), err error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	unlock = func() { _ = file.Close() } // Nothing was written.
	for told := false; ; told = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			left, _ := filepath.Glob(filepath.Join(dir, "work-*"))
			for _, work := range left {
				_ = os.RemoveAll(work) // It takes room, and does no harm.
			}
			return unlock, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return unlock, nil // A file system without locks: the last one wins.
		}
		if !told {
			i.Tell("Waiting for another process that installs %v", w)
		}
		select {
		case <-ctx.Done():
			unlock()
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// checked returns a binary if it is the wanted Hugo.
func checked(ctx context.Context, w Wanted, binary string) (string, error) {
	if says := Says(ctx, binary); !w.Is(says) {
		return "", fmt.Errorf("it says that it is %q", cmp.Or(says, "no Hugo that runs here"))
	}
	return binary, nil
}

// waiting says what is waited for, and then how long it has taken.
func (i Installer) waiting(what string) (done func()) {
	i.Tell("%s", what)
	began := time.Now()
	ticker := time.NewTicker(every)
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
				i.Tell("%s: %v so far", what, time.Since(began).Round(time.Minute))
			}
		}
	}()
	return func() { ticker.Stop(); close(ended) }
}
