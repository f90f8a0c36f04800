package buildspec

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const lfsPointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"

func TestHugoSiteInAFolder(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		folder string // ROOT_DIRECTORY
		source map[string]string
		npm    []string
		files  []string
		fails  []string
	}{
		{
			name: "all steps", folder: "site",
			source: map[string]string{
				"package.json": `{"scripts": {"build": "exit 1"}}`, "site/package.json": `{"scripts": {"build": "echo x >static.txt"}}`, "site/package-lock.json": "{}",
				"public/withdrawn.html": "old", "site/public/withdrawn.html": "old",
			},
			npm: []string{"npm|ci|--include=dev|--no-audit|--no-fund", "npm|run|build"}, files: []string{"css/site.css", "index.html", "search.json"},
		},
		{name: "written otherwise", folder: "./site/", files: []string{"css/site.css", "index.html", "search.json"}},
		{name: "a script's Hugo", folder: "site", source: map[string]string{"site/package.json": `{"scripts": {"build": "hugo -d dist"}}`}, npm: []string{"npm|run|build"}, files: []string{"css/site.css", "index.html"}},
		{name: "no such folder", folder: "no/such", fails: []string{"ROOT_DIRECTORY (Build.RootDirectory) is 'no/such'"}},
		{name: "outside", folder: "..", fails: []string{"ROOT_DIRECTORY (Build.RootDirectory) is '..'"}},
		{name: "a link that leads out", folder: "out", fails: []string{"is 'out', want a folder of the repository"}},
		{name: "another folder", folder: "docs", source: map[string]string{"docs/index.md": ""}, fails: []string{"no Hugo configuration", "in 'docs'", `"site"`, "Build.RootDirectory"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
				m.program("hugo", fakeHugo(releaseVersion, onPath))
				m.program("npm", fakeNPM)
				if err := errors.Join(os.Remove(filepath.Join(m.owner, "hugo.toml")), os.Symlink(os.TempDir(), filepath.Join(m.owner, "out"))); err != nil {
					t.Fatal(err)
				}
				m.source("site/hugo.toml", "")
				m.source("site/content/_index.md", "")
				m.env[EnvRootDirectory] = tc.folder
				if len(tc.files) == 3 {
					m.env[EnvAfterHugo] = "echo {} >public/search.json"
				}
				for name, content := range tc.source {
					m.source(name, content)
				}

				r := m.build(s)

				if len(tc.fails) > 0 {
					m.wantFailure(r, wholeSource, tc.fails...)
					return
				}
				m.wantSuccess(r, onPath)
				if got := r.called("npm"); !slices.Equal(got, tc.npm) {
					t.Errorf("calls of npm are %q, want %q", got, tc.npm)
				}
				if got := slices.Sorted(maps.Keys(m.files(r))); !slices.Equal(got, tc.files) {
					t.Errorf("published are %q, want %q", got, tc.files)
				}
			})
		})
	}
}

func TestHugoRefusesWhatIsNoHugoSite(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		source map[string]string
		env    map[string]string
		fails  []string // none if there is a site
	}{
		{name: "in another folder", source: map[string]string{"docs/hugo.yaml": "", "docs/content/a.md": "", "rust/config.toml": ""}, fails: []string{"one in \"docs\":", "Build.RootDirectory"}},
		{name: "in two", source: map[string]string{"a/config/_default/hugo.toml": "", "a/content/a.md": "", "b/config.yml": "", "b/layouts/home.html": ""}, fails: []string{`"a" "b"`}},
		{name: "a theme's", source: map[string]string{"themes/t/hugo.toml": "", "themes/t/layouts/home.html": ""}, fails: []string{"Build.Buildspec"}},
		{name: "Jekyll", source: map[string]string{"_config.yml": ""}, fails: []string{"no Hugo configuration", "Build.Buildspec"}},
		{name: "Astro", source: map[string]string{"astro.config.mjs": "", "package.json": "{}"}, fails: []string{"no Hugo configuration", "Build.Buildspec"}},
		{name: "something else", source: map[string]string{"README.md": ""}, fails: []string{"no Hugo configuration", "Build.Buildspec"}},
		{name: "config.yaml", source: map[string]string{"config.yaml": ""}},
		{name: "config/_default", source: map[string]string{"config/_default/params.toml": ""}},
		{name: "config/production", source: map[string]string{"config/production/hugo.json": "{}"}},
		{name: "named in HUGO_FLAGS", source: map[string]string{"blog/hugo.toml": "", "blog/content/a.md": ""}, env: map[string]string{EnvHugoFlags: "--source blog --destination ../public"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := newHugoMachine(t)
			m.program("hugo", fakeHugo(releaseVersion, onPath))
			if err := os.Remove(filepath.Join(m.owner, "hugo.toml")); err != nil {
				t.Fatal(err)
			}
			maps.Copy(m.env, tc.env)
			for name, content := range tc.source {
				m.source(name, content)
			}
			r := m.build(sessions()[1])
			if len(tc.fails) > 0 {
				m.wantFailure(r, wholeSource, tc.fails...)
			} else {
				m.wantSuccess(r, onPath)
			}
		})
	}
}

func TestHugoPublishesNoLargeFilePointer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		source map[string]string
		git    string // what git does
		hugo   string // what hugo does besides
		at     string // where it fails, or ""
		fails  []string
		calls  []string // of git
	}{
		{name: "zip", source: map[string]string{"static/photo.jpg": lfsPointer}, at: wholeSource, fails: []string{"static/photo.jpg is a Git LFS pointer", "FullClone: true", "GitHubConnection"}},
		{name: "in a name with spaces", source: map[string]string{"content/a b/c=d.jpg": lfsPointer}, at: wholeSource, fails: []string{"content/a b/c=d.jpg is a Git LFS pointer"}},
		{name: "not the site's", source: map[string]string{"raw/photo.psd": lfsPointer}},
		{name: "a post about it", source: map[string]string{"content/lfs.md": "A pointer:\n\n" + lfsPointer}},
		{
			name: "clone", source: map[string]string{".git/HEAD": "", "static/photo.jpg": lfsPointer}, git: "echo bytes >static/photo.jpg",
			calls: []string{"git|lfs|version", "git|lfs|pull"},
		},
		{
			name: "clone from which it cannot be fetched", source: map[string]string{".git/HEAD": "", "static/photo.jpg": lfsPointer}, git: "exit 1", at: wholeSource,
			fails: []string{"static/photo.jpg is a Git LFS pointer", "git lfs pull", ".lfsconfig"}, calls: []string{"git|lfs|version", "git|lfs|pull"},
		},
		{name: "by Hugo", hugo: "cat >public/p.jpg <<'X'\n" + lfsPointer + "X\n", at: buildSite, fails: []string{"Git LFS pointer for public/p.jpg", "FullClone: true"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
				m.program("hugo", fakeHugo(releaseVersion, onPath)+tc.hugo)
				m.program("git", logCall+"if [ \"$2\" = version ]; then exit 0; fi\n"+tc.git+"\n")
				for name, content := range tc.source {
					m.source(name, content)
				}

				r := m.build(s)

				if tc.at != "" {
					m.wantFailure(r, tc.at, tc.fails...)
				} else {
					m.wantSuccess(r, onPath)
				}
				if got := r.called("git"); !slices.Equal(got, tc.calls) {
					t.Errorf("calls of git are %q, want %q", got, tc.calls)
				}
			})
		})
	}
}

// If the image has no git-lfs, the build installs it, as it installs Hugo.
func TestHugoInstallsGitLFS(t *testing.T) {
	t.Parallel()
	eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
		m.program("hugo", fakeHugo(releaseVersion, onPath))
		m.program("git", logCall+"[ \"$1\" = lfs ] || exit 0\nshift\nexec git-lfs \"$@\"\n")
		m.program("curl", strings.ReplaceAll(fakeCurl, "gohugoio/hugo", "git-lfs/git-lfs"))
		const asset = "git-lfs-linux-amd64-v3.7.1.tar.gz"
		archive := targz(t, map[string]string{"git-lfs-3.7.1/git-lfs": logCall + "[ \"$1\" != pull ] || echo bytes >static/photo.jpg\n"})
		m.asset("3.7.1", asset, archive)
		m.asset("3.7.1", "sha256sums.asc", []byte("-----BEGIN PGP SIGNED MESSAGE-----\n"+sha256Line(archive, asset)))
		m.source(".git/HEAD", "")
		m.source("static/photo.jpg", lfsPointer)

		r := m.build(s)

		m.wantSuccess(r, onPath)
		if got, want := r.called("git-lfs"), []string{"git-lfs|pull"}; !slices.Equal(got, want) {
			t.Errorf("calls of git-lfs are %q, want %q", got, want)
		}
	})
}

// If public/ is a link, the build must not write to its target.
func TestHugoFollowsNoLinkInPlaceOfTheSite(t *testing.T) {
	t.Parallel()
	eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
		m.program("hugo", fakeHugo(releaseVersion, onPath))
		elsewhere := t.TempDir()
		if err := errors.Join(os.WriteFile(filepath.Join(elsewhere, "index.html"), []byte("precious"), 0o600), os.Symlink(elsewhere, filepath.Join(m.owner, "public"))); err != nil {
			t.Fatal(err)
		}

		r := m.build(s)

		m.wantSuccess(r, onPath)
		if got, err := os.ReadFile(filepath.Join(elsewhere, "index.html")); string(got) != "precious" || err != nil {
			t.Errorf("the file outside is %q (%v), want it as it was", got, err)
		}
		if entries, err := os.ReadDir(elsewhere); len(entries) != 1 || err != nil {
			t.Errorf("outside are %v (%v), want the one file", entries, err)
		}
	})
}

// If node_modules is a link, the build must not change the packages of its target.
func TestHugoLeavesLinkedPackagesAlone(t *testing.T) {
	t.Parallel()
	m := newHugoMachine(t)
	m.program("hugo", fakeHugo(releaseVersion, onPath))
	m.program("npm", fakeNPM)
	elsewhere := t.TempDir()
	if err := os.Symlink(elsewhere, filepath.Join(m.owner, "node_modules")); err != nil {
		t.Fatal(err)
	}
	m.source("package.json", `{"scripts": {"build": "hugo --minify"}}`)

	r := m.build(sessions()[0])

	m.wantSuccess(r, onPath)
	if entries, err := os.ReadDir(elsewhere); len(entries) != 0 || err != nil {
		t.Errorf("the other checkout has %v (%v), want nothing", entries, err)
	}
}

func TestHugoRunsACommandAfterIt(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		command string
		file    string
		fails   []string
	}{
		{name: "a file more", command: "echo {} >public/search.json", file: "search.json"},
		{name: "a package's program", command: "index public", file: "search.json"},
		{name: "it fails", command: "echo {} >public/search.json; exit 3", fails: []string{"AFTER_HUGO failed: echo {}"}},
		{name: "it removes the home page", command: "rm public/index.html", fails: []string{"rm public/index.html ended without an error but public/index.html is missing"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
				m.program("hugo", fakeHugo(releaseVersion, onPath))
				m.packageProgram("index", "#!/bin/sh\necho {} >\"$1/search.json\"\n")
				m.env[EnvAfterHugo] = tc.command

				r := m.build(s)

				if len(tc.fails) > 0 {
					m.wantFailure(r, buildSite, tc.fails...)
					return
				}
				m.wantSuccess(r, onPath)
				if _, ok := m.files(r)[tc.file]; !ok {
					t.Errorf("published are %q, want %s, too", slices.Sorted(maps.Keys(m.files(r))), tc.file)
				}
			})
		})
	}
}

// Hugo finds the programs of the blog's packages, and Git prints file names unquoted.
func TestHugoFindsProgramsAndFileNames(t *testing.T) {
	t.Parallel()
	eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
		m.program("hugo", fakeHugo(releaseVersion, onPath)+"sass; git log\n")
		m.packageProgram("sass", "#!/bin/sh\necho the sass of the packages\n")

		r := m.build(s)

		m.wantSuccess(r, onPath)
		if !strings.Contains(r.out, "the sass of the packages") {
			t.Errorf("hugo does not find sass:\n%s", r.out)
		}
		if want := []string{"git|config|--global|core.quotePath|false", "git|log"}; !slices.Equal(r.of("git"), want) {
			t.Errorf("calls of git are %q, want %q", r.of("git"), want)
		}
	})
}

func TestHugoSaysWhatTheOwnerShouldKnow(t *testing.T) {
	t.Parallel()
	const own = "baseurl = 'https://blog.example.net/'\n"
	for _, tc := range []struct {
		name string
		env  map[string]string
		says string // or, after "not ", what it must not say
	}{
		{name: "another address", env: map[string]string{"FAKE_CONFIG": own, EnvHugoBaseURL: "https://d111.cloudfront.net/"}, says: "address is https://d111.cloudfront.net/, by HUGO_BASEURL; the blog's own baseURL is 'https://blog.example.net/'"},
		{name: "its own address", env: map[string]string{"FAKE_CONFIG": own, EnvHugoBaseURL: "https://blog.example.net"}, says: "not the site's address"},
		{name: "this machine's", env: map[string]string{"FAKE_CONFIG": "baseURL = \"http://localhost:1313/\"\n"}, says: Warning + "the pages' links lead to 'http://localhost:1313/', by the blog's configuration. Set baseURL there to the site's own address, or set HUGO_BASEURL\n"},
		{name: "a placeholder", env: map[string]string{"FAKE_CONFIG": "baseurl = 'https://example.org/'\n"}, says: "WARNING: the pages' links lead to 'https://example.org/'"},
		{name: "none", env: map[string]string{"FAKE_CONFIG": "baseurl = ''\n"}, says: "WARNING: the pages' links lead to ''"},
		{name: "a placeholder in place of its own", env: map[string]string{"FAKE_CONFIG": own, EnvHugoBaseURL: "https://example.com/"}, says: "WARNING: the pages' links lead to 'https://example.com/', by HUGO_BASEURL. Set the site's own address in blogs.go, in Site.Domain or Build.Environment\n"},
		{name: "a good one", env: map[string]string{"FAKE_CONFIG": own}, says: "not WARNING"},
		{name: "a host that only starts like a placeholder", env: map[string]string{"FAKE_CONFIG": "baseurl = 'https://example.org.uk/'\n"}, says: "not WARNING"},
		{name: "this machine's, replaced", env: map[string]string{"FAKE_CONFIG": "baseurl = 'http://localhost:1313/'\n", EnvHugoBaseURL: "https://d111.cloudfront.net/"}, says: "not WARNING"},
		{name: "drafts by configuration", env: map[string]string{"FAKE_CONFIG": own + "builddrafts = true\n"}, says: "WARNING: what is not public is published, by builddrafts\n"},
		{
			name: "future pages", says: LeftOutFuture + "4 (content/a.md content/b, c.md content/d.md …); Schedule in blogs.go",
			env: map[string]string{"FAKE_FUTURE": "path,slug,title,date,expiryDate,publishDate,draft,permalink\n" +
				"content/a.md,,A,2099-01-01T00:00:00Z,0001-01-01T00:00:00Z,2099-01-01T00:00:00Z,false,https://blog.example.net/a/\n" +
				"\"content/b, c.md\",,\"B, C\",2099-01-01T00:00:00Z,0001-01-01T00:00:00Z,2099-01-01T00:00:00Z,false,https://blog.example.net/b/\n" +
				"content/d.md,,D,2099-01-01T00:00:00Z,0001-01-01T00:00:00Z,2099-01-01T00:00:00Z,false,https://blog.example.net/d/\n" +
				"content/e.md,,E,2099-01-01T00:00:00Z,0001-01-01T00:00:00Z,2099-01-01T00:00:00Z,false,https://blog.example.net/e/\n"},
		},
		{name: "no future pages", env: map[string]string{"FAKE_FUTURE": "path,slug,title,date,expiryDate,publishDate,draft,permalink\n"}, says: "not left out"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := newHugoMachine(t)
			m.program("hugo", fakeHugo(releaseVersion, onPath))
			if tc.env["FAKE_CONFIG"] == "" {
				m.env["FAKE_CONFIG"] = own
			}
			maps.Copy(m.env, tc.env)

			r := m.build(sessions()[1])

			m.wantSuccess(r, onPath)
			if not, ok := strings.CutPrefix(tc.says, "not "); ok == strings.Contains(r.out, not) && ok || !ok && !strings.Contains(r.out, tc.says) {
				t.Errorf("output is wrong about %q:\n%s", tc.says, r.out)
			}
		})
	}
}

// The last lines have Hugo's error, its version, and what to do.
func TestHugoFailureNamesItsRemedy(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, says, remedy string }{
		{"no extended edition", `Error: error building site: TOCSS: failed to transform "a.scss": this feature is not available in your current Hugo version`, "Build.HugoExtended: true"},
		{"no sass", `ERROR error building site: TOCSS-DART: failed to transform "/main.scss": binary with name "sass" not found in PATH`, "sass-embedded"},
		{"no PostCSS", `ERROR error building site: POSTCSS: failed to transform "/main.css": binary with name "npx" not found in PATH`, "package.json"},
		{"no Go", `ERROR failed to download modules: binary with name "go" not found in PATH`, "Hugo Modules need Go"},
		{"old Go", "go: errors parsing go.mod:\nERROR failed to load modules: invalid go version '1.26.8': must match format 1.23", "no older than go.mod says"},
		{"no Git", `ERROR error building site: failed to load Git data: fatal: not a git repository (or any of the parent directories): .git`, "FullClone: true"},
		{"no network", `ERROR execute of template failed: error calling GetRemote: Get "https://api.example.net/": dial tcp: lookup api.example.net: no such host`, "could not be fetched"},
		{"refused by a server", `ERROR error calling GetRemote: failed to fetch remote resource from 'https://api.example.net/': Forbidden`, "could not be fetched"},
		{"not there, in a theme's words", `ERROR The "img" shortcode was unable to resolve https://example.net/a.ttf. See "/src/a.md"`, "could not be fetched"},
		{"not there, in those of Hugo's documentation", `ERROR Unable to get remote resource "https://example.net/a.jpg"`, "could not be fetched"},
		{"no theme", `Error: failed to load modules: module "ananke" not found in "/src/themes/ananke"`, "Is the theme there"},
		{"an older theme", `ERROR render of "home" failed: can't evaluate field Author in type page.Site`, "made for another version, set Build.HugoVersion"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
				m.program("hugo", logCall+"case $1 in version) echo '"+releaseVersion+"'; exit ;; config | list) exit ;; esac\ncat <<'X'\n"+
					tc.says+"\nError: error building site: logged 1 error(s)\nX\nmkdir public; echo x >public/index.html; exit 255\n")
				m.source("netlify.toml", "[build.environment]\nHUGO_VERSION = '0.164.0'\n")
				m.env[EnvHugoExtended] = "false"

				r := m.build(s)

				lines := strings.Split(tc.says, "\n")
				_, cause, _ := strings.Cut(lines[len(lines)-1], "ERROR ")
				if cause == "" {
					cause = lines[len(lines)-1]
				}
				m.wantFailure(r, buildSite, cause, "hugo failed: version 0.164.0 (from netlify.toml). ", tc.remedy)
				if strings.Contains(r.out, "Build.HugoVersion") != strings.Contains(tc.remedy, "Build.HugoVersion") {
					t.Errorf("another version is, or is not, the remedy:\n%s", r.out)
				}
				if strings.Contains(r.out, "ERROR: Error: error building site: logged") {
					t.Errorf("the count of errors is quoted as a cause:\n%s", r.out)
				}
			})
		})
	}
}

// A flag or a script may run Hugo in a folder without a site, which only Hugo notices.
func TestHugoInAFolderWithoutTheSite(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, source, want string }{
		{"no such folder", "sit", "there is no folder 'sit'"},
		{"another folder", "docs", `one in "site": set Build.RootDirectory`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := newHugoMachine(t)
			m.env[EnvHugoFlags] = "--source " + tc.source
			m.source("docs/a.md", "")
			m.source("site/hugo.toml", "")
			m.source("site/content/a.md", "")
			if err := os.Remove(filepath.Join(m.owner, "hugo.toml")); err != nil {
				t.Fatal(err)
			}
			m.program("hugo", logCall+"case $1 in version) echo '"+releaseVersion+"'; exit ;; config | list) exit ;; esac\necho 'ERROR Unable to locate config file or config directory.'; exit 255\n")

			m.wantFailure(m.build(sessions()[0]), buildSite, tc.want)
		})
	}
}

// A site in a folder may need the packages of the repository's top, which are not its own.
func TestHugoFailureNamesThePackageFileThatIsNotTheSites(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, root, file, want string }{
		{"the repository's", "site", "package.json", "set HUGO_FLAGS: --source site instead of Build.RootDirectory"},
		{"the site's", "site", "site/package.json", "Add the program's npm package"},
		{"none", "site", "", "Add the program's npm package"},
		{"the site is the repository", "", "package.json", "Add the program's npm package"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := newHugoMachine(t)
			m.source(filepath.Join(tc.root, "hugo.toml"), "")
			m.env[EnvRootDirectory] = tc.root
			if tc.file != "" {
				m.source(tc.file, "{}")
			}
			m.program("hugo", logCall+"case $1 in version) echo '"+releaseVersion+"'; exit ;; config | list) exit ;; esac\necho 'ERROR TAILWINDCSS: binary with name \"tailwindcss\" not found using npx'; exit 255\n")

			m.wantFailure(m.build(sessions()[0]), buildSite, tc.want)
		})
	}
}

// Hugo's errors begin with the place, and end with the cause.
func TestHugoFailureQuotesBothEnds(t *testing.T) {
	t.Parallel()
	m := newHugoMachine(t)
	says := "render of \"home\" failed: " + strings.Repeat("x", 1000) + ": can't evaluate field Author"
	m.program("hugo", logCall+"case $1 in version) echo '"+releaseVersion+"'; exit ;; config | list) exit ;; esac\ncat <<'X'\nERROR "+says+"\nX\nexit 255\n")

	r := m.build(sessions()[0])

	m.wantFailure(r, buildSite, "render of \"home\" failed: xxx", "xxx … xxx", "xxx: can't evaluate field Author\n")
	if longest := slices.MaxFunc(strings.Split(r.out[strings.Index(r.out, "ERROR: "):], "\n"), func(a, b string) int { return len(a) - len(b) }); len(longest) > 450 {
		t.Errorf("the error has a line of %d bytes, want it cut", len(longest))
	}
}

// A site that is committed to the source is never published, wherever the build
// stops.
func TestHugoRemovesACommittedSite(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(m *hugoMachine){
		"version":  func(m *hugoMachine) { m.env[EnvHugoVersion] = "latest" },
		"packages": func(m *hugoMachine) { m.source("package.json", "{") },
		"site":     func(m *hugoMachine) { m.program("hugo", fakeHugo(releaseVersion, onPath)+"exit 1\n") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newHugoMachine(t)
			m.program("hugo", fakeHugo(releaseVersion, onPath))
			m.source("public/index.html", "an old site")
			arrange(m)

			r := m.build(sessions()[1])

			if r.failed == "" {
				t.Fatal("the build succeeded")
			}
			if _, err := os.Lstat(filepath.Join(m.src, "public")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("public/ is there (%v), want nothing to publish", err)
			}
		})
	}
}
