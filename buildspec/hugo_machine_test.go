package buildspec

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// hugoMachine is a machine for [Hugo], with a github.com of its own.
type hugoMachine struct {
	*machine
	releases string // what github.com serves, by version and file name
}

const fakeCurl = logCall + `
url= out=
while [ $# -gt 0 ]; do
  case "$1" in
    --output) out="$2"; shift ;;
    http*) url="$1" ;;
  esac
  shift
done
base=https://github.com/gohugoio/hugo/releases/download/
case "$url" in "$base"*) ;; *) echo "unexpected URL $url" >&2; exit 3 ;; esac
[ -f "$FAKE_RELEASES/${url#"$base"}" ] || { echo "curl: (22) 404" >&2; exit 22; }
cat "$FAKE_RELEASES/${url#"$base"}" >"$out"
`

const fakeUname = `#!/bin/sh
case "$1" in -s) echo "$FAKE_OS" ;; -m) echo "$FAKE_ARCH" ;; *) exit 2 ;; esac
`

// fakeHugo returns a hugo that prints the line version and builds a home page that
// says which program built it. It knows --source and --destination. Questions about
// the blog it answers with FAKE_CONFIG and FAKE_FUTURE.
func fakeHugo(version, name string) string {
	return logCall + fmt.Sprintf(`
case "$1 ${2-}" in
  "version "*) echo '%s'; exit 0 ;;
  "config "*) printf '%%s' "${FAKE_CONFIG-}"; exit 0 ;;
  "list future") printf '%%s' "${FAKE_FUTURE-}"; exit 0 ;;
  "list "* | "mod "*) exit 0 ;;
esac
src=. out=public
while [ $# -gt 0 ]; do
  case "$1" in -s | --source) src="$2" ;; -d | --destination) out="$2" ;; esac
  shift
done
mkdir -p "$src/$out/css"
echo 'built by %s' >"$src/$out/index.html"
echo 'body {}' >"$src/$out/css/site.css"
`, version, name)
}

// fakeNPM runs scripts as npm does, with the programs of the packages first.
const fakeNPM = logCall + `
[ "$1" = run ] || exit 0
script="$(node -p 'require("./package.json").scripts[process.argv[1]]' "$2")"
PATH="$PWD/node_modules/.bin:$PATH" exec sh -c "$script"
`

func newHugoMachine(t *testing.T) *hugoMachine {
	t.Helper()
	// A project has the recipe inline. node reads package.json.
	m := newMachine(t, Inline(Hugo), "awk", "basename", "cat", "chmod", "dirname", "env", "find", "grep", "gzip", "head", "ln", "ls",
		"mkdir", "mktemp", "mv", "node", "rm", "sed", "sort", "tar", "tee", "tr", "wc")
	m.source("hugo.toml", "baseURL = 'https://blog.example.net/'\n")
	if _, err := exec.LookPath("sha256sum"); err == nil {
		m.link("sha256sum")
	} else {
		m.link("shasum")
	}
	m.program("curl", fakeCurl)
	m.program("uname", fakeUname)
	m.program("npm", logCall)
	m.program("git", logCall)
	releases := filepath.Join(m.dir, "the releases")
	m.env["FAKE_RELEASES"] = releases
	m.env["FAKE_OS"], m.env["FAKE_ARCH"] = "Linux", "x86_64"
	return &hugoMachine{machine: m, releases: releases}
}

// release publishes the archives of a Hugo version, each with a hugo that says
// which archive it came from, and the list of their checksums.
func (m *hugoMachine) release(version string) {
	m.t.Helper()
	var list strings.Builder
	for _, arch := range []string{"amd64", "arm64"} {
		for _, edition := range []string{"", "extended_", "extended_withdeploy_"} {
			asset := fmt.Sprintf("hugo_%s%s_linux-%s.tar.gz", edition, version, arch)
			archive := targz(m.t, map[string]string{
				"LICENSE": "Apache-2.0\n",
				"hugo":    fakeHugo("hugo v"+version+"-0a1b2c linux/"+arch, asset),
			})
			m.asset(version, asset, archive)
			list.WriteString(sha256Line(archive, asset))
		}
	}
	m.asset(version, checksums(version), []byte(list.String()))
}

// asset publishes a file of a release, or replaces it.
func (m *hugoMachine) asset(version, name string, content []byte) {
	m.t.Helper()
	m.write(filepath.Join(m.releases, "v"+version, name), content)
}

// editChecksums changes the published list of checksums of a version.
func (m *hugoMachine) editChecksums(version string, edit func(list string) string) {
	m.t.Helper()
	list, err := os.ReadFile(filepath.Join(m.releases, "v"+version, checksums(version)))
	if err != nil {
		m.t.Fatal(err)
	}
	edited := edit(string(list))
	if edited == string(list) {
		m.t.Fatal("the edit left the list of checksums as it was")
	}
	m.asset(version, checksums(version), []byte(edited))
}

func checksums(version string) string { return "hugo_" + version + "_checksums.txt" }

func targz(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	tw := tar.NewWriter(zw)
	for name, content := range files {
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// urls returns what was downloaded, in order.
func (r result) urls() []string {
	var urls []string
	for _, c := range r.called("curl") {
		urls = append(urls, c[strings.LastIndex(c, "|")+1:])
	}
	return urls
}

// wantSuccess fails the test unless the build succeeded, and the named hugo built the
// home page of its site.
func (m *hugoMachine) wantSuccess(r result, builtBy string) {
	m.t.Helper()
	if r.failed != "" {
		m.t.Fatalf("build failed at %s:\n%s", r.failed, r.out)
	}
	if got, want := m.files(r)["index.html"], "built by "+builtBy+"\n"; got != want {
		m.t.Errorf("home page is %q, want %q\n%s", got, want, r.out)
	}
}

// unpacked lists what an archive could have left in the temporary folder.
func (m *hugoMachine) unpacked() []string {
	m.t.Helper()
	var found []string
	err := filepath.WalkDir(m.tmp, func(path string, d fs.DirEntry, err error) error {
		if err == nil && (d.Name() == "hugo" || d.Name() == "LICENSE") {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return found
}

// sha256Line returns a line of a release's list of checksums.
func sha256Line(content []byte, name string) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]) + "  " + name + "\n"
}

// quoted returns text as a JSON string.
func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(out)
}
