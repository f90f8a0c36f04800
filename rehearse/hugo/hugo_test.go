package hugo

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"blog-deploy-pipeline/buildspec"
)

func TestWanted(t *testing.T) {
	is := []struct {
		says     string
		extended bool
		want     bool
	}{
		{"hugo v0.164.0 linux/amd64 BuildDate=unknown", false, true},
		{"hugo v0.164.0-abc123+extended linux/amd64 BuildDate=2026", true, true},
		{"hugo v0.164.0+extended linux/amd64", false, true},
		{"hugo v0.164.0 linux/amd64 +extended", true, false},
		{"hugo v0.164.0-DEV linux/amd64", false, false},
		{"hugo v0.164.01 linux/amd64", false, false},
		{"hugo v0.163.0 linux/amd64", false, false},
		{"", false, false},
	}
	for _, tt := range is {
		if got := (Wanted{"0.164.0", tt.extended}).Is(tt.says); got != tt.want {
			t.Errorf("%q, extended %v: got %v", tt.says, tt.extended, got)
		}
	}
	for version, want := range map[string]string{
		"0.164.0": "", "0.103.0": "", "1.0.0": "", "0.102.3": "0.103.0 or later", "latest": "want a release", "0.164": "want a release", "0.164.0/../x": "want a release", "": "want a release",
	} {
		if err := (Wanted{Version: version}).Check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("version %q: got %v, want %q", version, err, want)
		}
	}
}

func TestArchive(t *testing.T) {
	tests := []struct {
		w              Wanted
		platform, want string
	}{
		{Wanted{"0.164.0", false}, "linux/amd64", "hugo_0.164.0_linux-amd64.tar.gz"},
		{Wanted{"0.110.0", true}, "linux/arm64", "hugo_extended_0.110.0_linux-arm64.tar.gz"},
		{Wanted{"0.164.0", true}, "darwin/arm64", "hugo_extended_0.164.0_darwin-universal.pkg"},
		{Wanted{"0.153.0", false}, "darwin/amd64", "hugo_0.153.0_darwin-universal.pkg"},
		{Wanted{"0.152.2", false}, "darwin/amd64", "hugo_0.152.2_darwin-universal.tar.gz"},
		{Wanted{"0.164.0", false}, "linux/riscv64", ""},
	}
	for _, tt := range tests {
		if got, err := archive(tt.w, tt.platform); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%v for %s: got %q, %v; want %q", tt.w, tt.platform, got, err, tt.want)
		}
	}
}

// program returns a script that stands for a Hugo with this version.
func program(says string) string { return "#!/bin/sh\necho '" + says + "'\n" }

// tarball returns the content of a release's archive.
func tarball(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	w := tar.NewWriter(zipped)
	for i := 0; i < len(files); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o755, Size: int64(len(files[i+1]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sum(content []byte) string { return fmt.Sprintf("%x", sha256.Sum256(content)) }

// site serves releases and records the requests.
type site struct {
	files map[string][]byte
	mu    sync.Mutex
	asked []string
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.Path)
	s.mu.Unlock()
	content, known := s.files[r.URL.Path]
	switch {
	case !known:
		http.NotFound(w, r)
	case strings.HasPrefix(string(content), "https://"), strings.HasPrefix(string(content), "http://"):
		http.Redirect(w, r, string(content), http.StatusFound)
	case string(content) == "hang":
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	default:
		_, _ = w.Write(content)
	}
}

// machine returns a PATH on which the only program is a Go that records its arguments.
func machine(t *testing.T, compiler bool) (asked func() string) {
	t.Helper()
	bin := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write("go", `case "$1" in
env) echo cc-of-the-test ;;
install)
  for last; do :; done
  case "$last" in *@v0.999.0) echo 'go: github.com/gohugoio/hugo@v0.999.0 requires go >= 1.99 (running go 1.26)' >&2; exit 1 ;; esac
  edition=; case "$*" in *-tags=extended*) edition=+extended ;; esac
  printf '#!/bin/sh\necho hugo v%s%s compiled\n' "${last##*@v}" "$edition" >"$GOBIN/hugo"
  chmod +x "$GOBIN/hugo"
  echo "$last" >>"`+bin+`/asked" ;;
esac`)
	write("pkgutil", `[ "$1" = --expand-full ] && mkdir -p "$3/Payload/usr" "$3/hugo" && cp "$2" "$3/Payload/usr/hugo" && chmod +x "$3/Payload/usr/hugo"`)
	if compiler {
		write("cc-of-the-test", "")
	}
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	return func() string {
		text, _ := os.ReadFile(filepath.Join(bin, "asked"))
		return string(text)
	}
}

func TestInstall(t *testing.T) {
	const dir = "/v0.164.0/"
	const name, extended, pkg, list = dir + "hugo_0.164.0_linux-amd64.tar.gz", dir + "hugo_extended_0.164.0_linux-amd64.tar.gz", dir + "hugo_0.164.0_darwin-universal.pkg", dir + "hugo_0.164.0_checksums.txt"
	const compiled, downloaded = "hugo v0.164.0 compiled", "hugo v0.164.0-1+extended downloaded"
	good := tarball(t, "README.md", "hugo", "hugo", program(downloaded))
	ofList := func(lines ...string) []byte { return []byte(strings.Join(lines, "\n") + "\n") }
	tests := []struct {
		name     string
		files    map[string][]byte
		pinned   []byte // the archive whose sum is pinned; optional
		releases string
		platform string
		limits   limits
		extended bool
		version  string
		compiler bool
		says     string
		told     string // why the download fails
		err      string
	}{
		{name: "a pinned sum", files: map[string][]byte{name: good}, pinned: good, says: downloaded},
		{name: "by the list", files: map[string][]byte{name: good, list: ofList("0123  "+name[len(dir):]+".sig", sum(good)+"  "+name[len(dir):])}, says: downloaded},
		{name: "extended", files: map[string][]byte{extended: good}, pinned: good, extended: true, says: downloaded},
		{name: "a package for macOS", files: map[string][]byte{pkg: []byte(program("hugo v0.164.0 darwin"))}, pinned: []byte(program("hugo v0.164.0 darwin")), platform: "darwin/arm64", says: "hugo v0.164.0 darwin"},
		{name: "another sum", files: map[string][]byte{name: good}, pinned: []byte("other"), says: compiled, told: "want " + sum([]byte("other")) + "; the file was not used"},
		{name: "another sum in the list", files: map[string][]byte{name: good, list: ofList(sum(nil) + " *" + name[len(dir):])}, says: compiled, told: "the file was not used"},
		{name: "not in the list", files: map[string][]byte{name: good, list: ofList(sum(good) + "  other.tar.gz")}, says: compiled, told: "must list hugo_0.164.0_linux-amd64.tar.gz exactly once"},
		{name: "twice in the list", files: map[string][]byte{name: good, list: ofList(sum(good)+"  "+name[len(dir):], sum(nil)+"  "+name[len(dir):])}, says: compiled, told: "exactly once"},
		{name: "no such release", pinned: good, says: compiled, told: "404 Not Found"},
		{name: "no server", releases: "http://127.0.0.1:1", pinned: good, says: compiled, told: "connection refused"},
		{name: "an address without encryption", releases: "http://example.com", pinned: good, says: compiled, told: "must begin with https://"},
		{name: "a redirect to one", files: map[string][]byte{name: []byte("http://example.com/hugo")}, pinned: good, says: compiled, told: "must begin with https://"},
		{name: "no answer", files: map[string][]byte{name: []byte("hang")}, pinned: good, limits: limits{Answer: 50 * time.Millisecond}, says: compiled, told: "timeout awaiting response headers"},
		{name: "too slow", files: map[string][]byte{name: []byte("hang")}, pinned: good, limits: limits{Whole: 50 * time.Millisecond}, says: compiled, told: "not complete after 50ms"},
		{name: "too large", files: map[string][]byte{name: good}, pinned: good, limits: limits{Bytes: 10}, says: compiled, told: "more than 0 MB"},
		{name: "too large a binary", files: map[string][]byte{name: good}, pinned: good, limits: limits{Binary: 10}, says: compiled, told: "its hugo has 0 MB"},
		{name: "no archive", files: map[string][]byte{name: []byte("text")}, pinned: []byte("text"), says: compiled, told: "hugo_0.164.0_linux-amd64.tar.gz: "},
		{name: "without Hugo", files: map[string][]byte{name: tarball(t, "dir/hugo", "")}, pinned: tarball(t, "dir/hugo", ""), says: compiled, told: "it contains no hugo"},
		{name: "another version in it", files: map[string][]byte{name: tarball(t, "hugo", program("hugo v0.163.0 x"))}, pinned: tarball(t, "hugo", program("hugo v0.163.0 x")), says: compiled, told: `its version is "hugo v0.163.0 x"`},
		{name: "for another machine", platform: "linux/riscv64", says: compiled, told: "there is no binary of Hugo for linux/riscv64"},
		{name: "extended, compiled", extended: true, compiler: true, says: "hugo v0.164.0+extended compiled", told: "404"},
		{name: "extended, and no compiler", extended: true, told: "404", err: "Build.HugoExtended to false"},
		{name: "for a newer Go", version: "0.999.0", told: "404", err: "needs a newer Go than this machine has"},
		{name: "too old", version: "0.82.0", err: "0.103.0 or later"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			machine(t, tt.compiler)
			s := &site{files: tt.files}
			server := httptest.NewServer(s)
			defer server.Close()
			var told []string
			w := Wanted{Version: "0.164.0", Extended: tt.extended}
			if tt.version != "" {
				w.Version = tt.version
			}
			i := Installer{Cache: filepath.Join(t.TempDir(), "the cache"), Releases: server.URL + "/", platform: "linux/amd64", limits: tt.limits, sums: map[string]string{},
				Tell: func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }}
			if tt.platform != "" {
				i.platform = tt.platform
			}
			if tt.releases != "" {
				i.Releases = tt.releases
			}
			if tt.pinned != nil {
				a, err := archive(w, i.platform)
				if err != nil {
					t.Fatal(err)
				}
				i.sums[a] = sum(tt.pinned)
			}
			binary, err := i.Install(t.Context(), w)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v, want %q", err, tt.err)
				}
			} else if err != nil {
				t.Fatal(err)
			} else if got := Says(t.Context(), binary); got != tt.says {
				t.Errorf("installed is %q, want %q", got, tt.says)
			}
			if why := slices.DeleteFunc(slices.Clone(told), func(text string) bool { return !strings.HasPrefix(text, "The release binary") }); (tt.told == "") != (len(why) == 0) || len(why) > 0 && (!strings.Contains(why[0], tt.told) || strings.Contains(why[0], "\n")) {
				t.Errorf("Tell got %q, want %q", why, tt.told)
			}
			left, err := filepath.Glob(filepath.Join(i.Cache, "*", "work-*"))
			if err != nil || len(left) > 0 {
				t.Errorf("left is %q, %v", left, err)
			}
			if tt.err != "" {
				return
			}
			before := len(s.asked)
			told = nil
			if again, err := i.Install(t.Context(), w); err != nil || again != binary || len(s.asked) > before || len(told) > 0 {
				t.Errorf("a second time: %q, %v, asked for %q, told %q", again, err, s.asked[before:], told)
			}
		})
	}
}

func TestPinnedAreOfTheDefault(t *testing.T) {
	for _, tt := range []struct {
		platform string
		extended bool
	}{
		{"linux/amd64", false},
		{"linux/amd64", true},
		{"linux/arm64", false},
		{"linux/arm64", true},
		{"darwin/amd64", false},
		{"darwin/arm64", false},
	} {
		a, err := archive(Wanted{buildspec.DefaultHugoVersion, tt.extended}, tt.platform)
		if err != nil || len(pinned[a]) != 64 {
			t.Errorf("%s: no sum is pinned (%v)", a, err)
		}
	}
	if len(pinned) != 5 { // Macs of both kinds have the same.
		t.Errorf("%d sums are pinned, want 5: is one of another version?", len(pinned))
	}
}

// TestInstallAtOnce installs from several goroutines at once, after an installation that was killed.
func TestInstallAtOnce(t *testing.T) {
	asked := machine(t, false)
	i := Installer{Cache: t.TempDir(), Releases: "http://127.0.0.1:1", Tell: func(string, ...any) {}}
	if err := os.MkdirAll(filepath.Join(i.Cache, "hugo@v0.164.0", "work-1"), 0o755); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			if binary, err := i.Install(t.Context(), Wanted{Version: "0.164.0"}); err != nil || !strings.HasSuffix(Says(t.Context(), binary), "compiled") {
				t.Errorf("%q, %v", binary, err)
			}
		})
	}
	group.Wait()
	if got := asked(); got != "github.com/gohugoio/hugo@v0.164.0\n" {
		t.Errorf("compiled was %q, want it once", got)
	}
	if left, _ := filepath.Glob(filepath.Join(i.Cache, "*", "*")); len(left) != 1 {
		t.Errorf("the cache has %q", left)
	}
}

func TestInstallEndsWithItsContext(t *testing.T) {
	asked := machine(t, false)
	server := httptest.NewServer(&site{files: map[string][]byte{"/v0.164.0/hugo_0.164.0_linux-amd64.tar.gz": []byte("hang")}})
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	i := Installer{Cache: t.TempDir(), Releases: server.URL, platform: "linux/amd64", Tell: func(string, ...any) { cancel() }}
	if _, err := i.Install(ctx, Wanted{Version: "0.164.0"}); !errors.Is(err, context.Canceled) || asked() != "" {
		t.Errorf("got %v, compiled %q; want %v, and nothing more", err, asked(), context.Canceled)
	}
}
