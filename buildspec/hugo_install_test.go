package buildspec

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestHugoDownloadsTheRightArchive(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		arch     string
		extended string
		version  string // HUGO_VERSION
		path     string // what hugo on PATH prints as its version; "" for no hugo
		want     string
	}{
		{name: "amd64", arch: "x86_64", extended: "false", version: "0.164.0", want: "hugo_0.164.0_linux-amd64.tar.gz"},
		{name: "arm64", arch: "aarch64", extended: "false", version: "0.164.0", want: "hugo_0.164.0_linux-arm64.tar.gz"},
		{name: "extended amd64", arch: "x86_64", extended: "true", version: "0.164.0", want: "hugo_extended_0.164.0_linux-amd64.tar.gz"},
		{name: "extended arm64", arch: "aarch64", extended: "true", version: "0.164.0", want: "hugo_extended_0.164.0_linux-arm64.tar.gz"},
		{name: "amd64 by Go's name", arch: "amd64", extended: "false", version: "0.164.0", want: "hugo_0.164.0_linux-amd64.tar.gz"},
		{name: "arm64 by Go's name", arch: "arm64", extended: "false", version: "0.164.0", want: "hugo_0.164.0_linux-arm64.tar.gz"},
		{name: "version without the patch", arch: "x86_64", extended: "false", version: "0.164", want: "hugo_0.164.0_linux-amd64.tar.gz"},
		{name: "version written as the tag", arch: "x86_64", extended: "false", version: "v0.164.0", want: "hugo_0.164.0_linux-amd64.tar.gz"},
		{
			name: "older version on PATH", arch: "x86_64", extended: "false", version: "0.164.0",
			path: "hugo v0.163.3-aa linux/amd64", want: "hugo_0.164.0_linux-amd64.tar.gz",
		},
		{
			name: "version on PATH that only starts alike", arch: "x86_64", extended: "false", version: "0.164.0",
			path: "hugo v0.164.01-aa linux/amd64", want: "hugo_0.164.0_linux-amd64.tar.gz",
		},
		{
			name: "development version on PATH", arch: "x86_64", extended: "false", version: "0.164.0",
			path: "hugo v0.164.0-DEV-aa linux/amd64", want: "hugo_0.164.0_linux-amd64.tar.gz",
		},
		{
			name: "standard on PATH, extended wanted", arch: "x86_64", extended: "true", version: "0.164.0",
			path: releaseVersion, want: "hugo_extended_0.164.0_linux-amd64.tar.gz",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
				m.release("0.164.0")
				m.env["FAKE_ARCH"] = tc.arch
				m.env[EnvHugoExtended] = tc.extended
				m.env[EnvHugoVersion] = tc.version
				if tc.path != "" {
					m.program("hugo", fakeHugo(tc.path, onPath))
				}

				r := m.build(s)

				m.wantSuccess(r, tc.want)
				want := []string{releaseBase + checksums("0.164.0"), releaseBase + tc.want}
				if got := r.urls(); !slices.Equal(got, want) {
					t.Errorf("downloaded %q, want %q", got, want)
				}
			})
		})
	}
}

func TestHugoOnPathIsUsed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		path     string // what hugo on PATH prints as its version
		extended string
		os       string
	}{
		{name: "release", path: releaseVersion, extended: "false", os: "Linux"},
		{name: "built with go install", path: "hugo v0.164.0 linux/amd64 BuildDate=unknown", extended: "false", os: "Linux"},
		{name: "extended", path: "hugo v0.164.0-ab12+extended linux/amd64", extended: "true", os: "Linux"},
		{name: "extended with deploy", path: "hugo v0.164.0-ab12+extended+withdeploy linux/amd64", extended: "true", os: "Linux"},
		{name: "extended built with go install", path: "hugo v0.164.0+extended linux/amd64", extended: "true", os: "Linux"},
		{name: "extended where standard does", path: "hugo v0.164.0-ab12+extended linux/amd64", extended: "false", os: "Linux"},
		{name: "macOS", path: "hugo v0.164.0-ab12+extended darwin/arm64", extended: "true", os: "Darwin"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
				m.program("hugo", fakeHugo(tc.path, onPath))
				m.env[EnvHugoExtended] = tc.extended
				m.env["FAKE_OS"] = tc.os

				r := m.build(s)

				m.wantSuccess(r, onPath)
				if got := r.urls(); len(got) != 0 {
					t.Errorf("downloaded %q, want nothing", got)
				}
			})
		})
	}
}

func TestHugoInstallsNothingUnchecked(t *testing.T) {
	t.Parallel()
	const asset = "hugo_0.164.0_linux-amd64.tar.gz"
	for _, tc := range []struct {
		name    string
		arrange func(m *hugoMachine)
		want    []string
	}{
		{
			name: "archive is not the one in the list",
			arrange: func(m *hugoMachine) {
				m.asset("0.164.0", asset, targz(m.t, map[string]string{"hugo": fakeHugo(releaseVersion, "an intruder")}))
			},
			want: []string{"SHA-256 of " + asset, "nothing was installed"},
		},
		{
			name:    "archive is empty",
			arrange: func(m *hugoMachine) { m.asset("0.164.0", asset, nil) },
			want:    []string{"SHA-256 of " + asset, "nothing was installed"},
		},
		{
			name: "list lacks the archive",
			arrange: func(m *hugoMachine) {
				m.editChecksums("0.164.0", func(list string) string {
					return strings.Replace(list, "  "+asset, "  hugo_0.164.0_plan9-amd64.tar.gz", 1)
				})
			},
			want: []string{"does not list " + asset},
		},
		{
			name: "list has only a name that starts with the archive's",
			arrange: func(m *hugoMachine) {
				m.editChecksums("0.164.0", func(list string) string {
					return strings.Replace(list, "  "+asset, "  "+asset+".sig", 1)
				})
			},
			want: []string{"does not list " + asset},
		},
		{
			name: "list has only a name that ends with the archive's",
			arrange: func(m *hugoMachine) {
				m.editChecksums("0.164.0", func(list string) string {
					return strings.Replace(list, "  "+asset, "  old-"+asset, 1)
				})
			},
			want: []string{"does not list " + asset},
		},
		{
			name: "list has a name that matches only as a pattern",
			arrange: func(m *hugoMachine) {
				m.editChecksums("0.164.0", func(list string) string {
					return strings.Replace(list, "  "+asset, "  hugo_0x164x0_linux-amd64xtarxgz", 1)
				})
			},
			want: []string{"does not list " + asset},
		},
		{
			name: "list has the archive twice",
			arrange: func(m *hugoMachine) {
				m.editChecksums("0.164.0", func(list string) string { return list + strings.Repeat("0", 64) + "  " + asset + "\n" })
			},
			want: []string{"does not list " + asset + " exactly once"},
		},
		{
			name: "list has no whole checksum",
			arrange: func(m *hugoMachine) {
				m.editChecksums("0.164.0", func(list string) string { return "abc  " + asset + "\n" })
			},
			want: []string{"does not list " + asset},
		},
		{
			name:    "list is empty",
			arrange: func(m *hugoMachine) { m.editChecksums("0.164.0", func(string) string { return "" }) },
			want:    []string{"does not list " + asset},
		},
		{
			name:    "no such release",
			arrange: func(m *hugoMachine) { m.env[EnvHugoVersion] = "0.999.0" },
			want:    []string{"cannot download", "v0.999.0/hugo_0.999.0_checksums.txt", "the version is from HUGO_VERSION; Build.HugoVersion overrides it"},
		},
		{
			name: "no such archive",
			arrange: func(m *hugoMachine) {
				if err := os.Remove(filepath.Join(m.releases, "v0.164.0", asset)); err != nil {
					m.t.Fatal(err)
				}
			},
			want: []string{"cannot download", asset},
		},
		{
			name: "nothing to compute a checksum with",
			arrange: func(m *hugoMachine) {
				m.remove("sha256sum")
				m.remove("shasum")
			},
			want: []string{"SHA-256 of " + asset + " is unknown", "nothing was installed"},
		},
		{
			name:    "architecture without an archive",
			arrange: func(m *hugoMachine) { m.env["FAKE_ARCH"] = "riscv64" },
			want:    []string{"riscv64", "amd64 and arm64"},
		},
		{
			name: "macOS with another version",
			arrange: func(m *hugoMachine) {
				m.env["FAKE_OS"] = "Darwin"
				m.program("hugo", fakeHugo("hugo v0.150.0+extended darwin/arm64", onPath))
			},
			want: []string{"wants Hugo 0.164.0", "hugo v0.150.0+extended", "releases/tag/v0.164.0", EnvHugoVersion},
		},
		{
			name:    "macOS without hugo",
			arrange: func(m *hugoMachine) { m.env["FAKE_OS"] = "Darwin" },
			want:    []string{"wants Hugo 0.164.0", "'none'"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
				m.release("0.164.0")
				tc.arrange(m)

				r := m.build(s)

				m.wantFailure(r, installHugo, tc.want...)
				if got := m.unpacked(); len(got) != 0 {
					t.Errorf("unpacked %q, want nothing", got)
				}
				if got := r.called("hugo"); len(got) != 0 {
					t.Errorf("ran %q, want no build", got)
				}
			})
		})
	}
}

func TestHugoRefusesWhatIsNoVersion(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"v", "latest", "0.164.0.1", "0.164.0-DEV", "0..0", "0.164.0/../v0.1.0", "0.164.0 ", "*.*.*"} {
		t.Run(fmt.Sprintf("%q", version), func(t *testing.T) {
			t.Parallel()
			eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
				m.release("0.164.0")
				m.env[EnvHugoVersion] = version

				r := m.build(s)

				m.wantFailure(r, findVersion, fmt.Sprintf("HUGO_VERSION is '%s', want a release such as 0.164.0", version))
				if got := r.urls(); len(got) != 0 {
					t.Errorf("downloaded %q, want nothing", got)
				}
			})
		})
	}
}

// The checksum is right in these cases, and the archive is unusable nevertheless.
func TestHugoArchiveMustHoldAHugoThatRuns(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{
		"no hugo":                   {"README.md": "# Hugo\n"},
		"hugo for another platform": {"hugo": "#!/bin/sh\necho 'version GLIBC_2.99 not found' >&2\nexit 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
				m.release("0.164.0")
				const asset = "hugo_0.164.0_linux-amd64.tar.gz"
				archive := targz(t, files)
				m.asset("0.164.0", asset, archive)
				m.editChecksums("0.164.0", func(string) string { return sha256Line(archive, asset) })

				r := m.build(s)

				m.wantFailure(r, installHugo, " has no hugo")
			})
		})
	}
}

func TestHugoDownloadIsBoundedAndHTTPSOnly(t *testing.T) {
	t.Parallel()
	eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
		m.release("0.164.0")
		r := m.build(s)
		m.wantSuccess(r, "hugo_0.164.0_linux-amd64.tar.gz")
		for _, call := range r.called("curl") {
			// --fail: without it an error page would be saved as the archive.
			for _, want := range []string{"|--fail|", "|--location|", "|--proto|=https|", "|--retry|", "|--connect-timeout|", "|--max-time|"} {
				if !strings.Contains(call, want) {
					t.Errorf("curl was called as %q, want %q in it", call, want)
				}
			}
		}
	})
}

// macOS and some slim images have only shasum.
func TestHugoChecksumWithShasum(t *testing.T) {
	t.Parallel()
	eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
		m.release("0.164.0")
		m.remove("sha256sum")
		m.remove("shasum")
		m.program("shasum", logCall+`
exec node -e '
  const hash = require("crypto").createHash("sha256").update(require("fs").readFileSync(0));
  console.log(hash.digest("hex") + "  -");'
`)
		r := m.build(s)
		m.wantSuccess(r, "hugo_0.164.0_linux-amd64.tar.gz")
		if got, want := r.called("shasum"), []string{"shasum|-a|256"}; !slices.Equal(got, want) {
			t.Errorf("calls of shasum are %q, want %q", got, want)
		}
	})
}
