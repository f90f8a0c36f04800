// Package hugo installs the Hugo that a build needs. It downloads the binary of Hugo's own release and checks its
// SHA-256. If the download fails, it compiles Hugo.
//
// The package works on Linux and macOS.
package hugo

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Releases is the address of Hugo's releases. Each release is a folder, such as v0.164.0, with the archives and a list
// of their SHA-256 sums.
const Releases = "https://github.com/gohugoio/hugo/releases/download"

// Wanted is a release of Hugo.
type Wanted struct {
	Version  string // such as "0.164.0"
	Extended bool   // the edition with LibSass
}

// String returns a text such as "Hugo v0.164.0 (extended)".
func (w Wanted) String() string {
	if w.Extended {
		return "Hugo v" + w.Version + " (extended)"
	}
	return "Hugo v" + w.Version
}

// Hugo's archives have changed their names twice.
var (
	firstName = [2]int{0, 103} // the first minor version whose archives have the present names
	firstPkg  = [2]int{0, 153} // the first minor version that has a package for macOS in place of an archive
)

var releasePattern = regexp.MustCompile(`^([0-9]{1,9})\.([0-9]{1,9})\.[0-9]{1,9}$`)

// Check returns an error if the version is invalid or too old.
func (w Wanted) Check() error {
	if !releasePattern.MatchString(w.Version) {
		return fmt.Errorf("the version of Hugo is %q, want a release such as 0.164.0", w.Version)
	}
	if w.before(firstName) {
		return fmt.Errorf("the version of Hugo is %s, want 0.103.0 or later. Only the recipe installs an older version, and only on Linux", w.Version)
	}
	return nil
}

// before reports whether w is older than the first release of a minor version.
func (w Wanted) before(first [2]int) bool {
	parts := releasePattern.FindStringSubmatch(w.Version)
	major, _ := strconv.Atoi(parts[1]) // Digits, by the pattern.
	minor, _ := strconv.Atoi(parts[2])
	return slices.Compare([]int{major, minor}, first[:]) < 0
}

// Is reports whether the output of `hugo version` is that of the wanted Hugo. It uses the recipe's rules: the extended
// edition is also a standard edition, and a -DEV version is not a release.
func (w Wanted) Is(says string) bool {
	rest, ok := strings.CutPrefix(says, "hugo v"+w.Version)
	if !ok || rest == "" || !strings.ContainsRune(" +-", rune(rest[0])) || strings.HasPrefix(rest, "-DEV") {
		return false
	}
	number, _, _ := strings.Cut(rest, " ")
	return !w.Extended || strings.Contains(number, "+extended")
}

// Says returns the output of `hugo version`, such as "hugo v0.164.0 linux/amd64", or "" if the command fails.
func Says(ctx context.Context, binary string) string {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // The command may be slow on a busy machine.
	defer cancel()
	out, err := exec.CommandContext(ctx, binary, "version").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// Installer installs releases of Hugo in a cache.
type Installer struct {
	// Cache is the folder of the installed releases, such as ".cache/bin". Each release has a folder in it. Required.
	Cache string
	// Releases is the address of the releases. It begins with https://, or with http:// on this machine. A mirror's
	// archives must have the same sums as Hugo's. Default: [Releases].
	Releases string
	// Tell reports work that takes long, when it begins and then once a minute. Required.
	Tell func(format string, args ...any)

	// The fields below are for tests.
	platform string            // default: this machine's, such as "linux/amd64"
	sums     map[string]string // default: pinned
	limits   limits
}

// every is the time between two reports of a wait.
const every = time.Minute

// checked returns binary, or an error if it is not the wanted Hugo.
func checked(ctx context.Context, w Wanted, binary string) (string, error) {
	if says := Says(ctx, binary); !w.Is(says) {
		return "", fmt.Errorf("its version is %q", cmp.Or(says, "unknown, because it does not run here"))
	}
	return binary, nil
}

// waiting reports the start of a wait, and then once a minute how long it has taken.
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

// limits holds the limits of a download.
type limits struct {
	Connect time.Duration // for the connection, and again for TLS; default 10 s
	Answer  time.Duration // until the response's header; default 30 s
	Whole   time.Duration // for everything; default 15 minutes
	Bytes   int64         // of the archive; default 250 MB, while archives have 20 to 70 MB
	Binary  int64         // of the binary; default 1 GB, while a binary for two architectures has 200 MB
}

func (l *limits) setDefaults() {
	l.Connect = cmp.Or(l.Connect, 10*time.Second)
	l.Answer = cmp.Or(l.Answer, 30*time.Second)
	l.Whole = cmp.Or(l.Whole, 15*time.Minute)
	l.Bytes = cmp.Or(l.Bytes, 250e6)
	l.Binary = cmp.Or(l.Binary, 1e9)
}
