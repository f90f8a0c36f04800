package buildspec

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// The commands by name, so that a test can say where a build must stop.
const (
	wholeSource     = "install-3"
	findVersion     = "install-4"
	installHugo     = "install-5"
	installPackages = "pre_build-1"
	buildAssets     = "build-1"
	buildSite       = "build-2"
)

const (
	onPath         = "the hugo on PATH"
	releaseVersion = "hugo v0.164.0-ab12cd34 linux/amd64 BuildDate=2026-07-06T16:00:49Z VendorInfo=gohugoio"
	releaseBase    = "https://github.com/gohugoio/hugo/releases/download/v0.164.0/"
)

func TestHugoFlags(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, flags, want string }{
		{"unset", "", "hugo|--destination|public"},
		{"several", "--gc  --minify", "hugo|--destination|public|--gc|--minify"},
		{"one that would match a file", "--baseURL *.toml", "hugo|--destination|public|--baseURL|*.toml"},
		{"one that a shell would run", "--baseURL $(id);id", "hugo|--destination|public|--baseURL|$(id);id"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
				m.program("hugo", fakeHugo(releaseVersion, onPath))
				if tc.flags != "" {
					m.env[EnvHugoFlags] = tc.flags
				}

				r := m.build(s)

				m.wantSuccess(r, onPath)
				if got, want := r.called("hugo"), []string{tc.want}; !slices.Equal(got, want) {
					t.Errorf("calls of hugo are %q, want %q", got, want)
				}
			})
		})
	}
}

func TestHugoEnvironment(t *testing.T) {
	t.Parallel()
	const home = "HOME/"
	for _, tc := range []struct {
		name   string
		env    map[string]string
		commit string // a file of the source
		want   string // HUGO_ENVIRONMENT, HUGO_ENV, HUGO_CACHEDIR, HUGO_RESOURCEDIR
	}{
		{
			name: "defaults",
			want: "production production " + home + ".cache/hugo_cache " + home + ".cache/hugo_resources",
		},
		{
			name: "set on the project",
			env:  map[string]string{EnvHugoEnvironment: "staging", "HUGO_CACHEDIR": "/c", "HUGO_RESOURCEDIR": "/r"},
			want: "staging staging /c /r",
		},
		{
			name:   "processed resources in Git",
			commit: "resources/_gen/assets/site.css.json",
			want:   "production production " + home + ".cache/hugo_cache unset",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
				m.program("hugo", fakeHugo(releaseVersion, onPath)+
					`echo "environment: $HUGO_ENVIRONMENT $HUGO_ENV $HUGO_CACHEDIR ${HUGO_RESOURCEDIR-unset}"`+"\n")
				maps.Copy(m.env, tc.env)
				if tc.commit != "" {
					m.source(tc.commit, "{}")
				}

				r := m.build(s)

				m.wantSuccess(r, onPath)
				if want := "environment: " + strings.ReplaceAll(tc.want, home, m.home+"/") + "\n"; !strings.Contains(r.out, want) {
					t.Errorf("output lacks %q:\n%s", want, r.out)
				}
			})
		})
	}
}

// Hugo's default caches must be the folders that CodeBuild keeps.
func TestHugoCachesAreTheFoldersHugoUses(t *testing.T) {
	t.Parallel()
	eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
		m.program("hugo", fakeHugo(releaseVersion, onPath)+`echo "cache: $HUGO_CACHEDIR"; echo "cache: $HUGO_RESOURCEDIR"`+"\n")
		r := m.build(s)
		m.wantSuccess(r, onPath)
		paths := m.recipe.Cache.Paths
		found := 0
		for line := range strings.Lines(r.out) {
			if dir, ok := strings.CutPrefix(strings.TrimSpace(line), "cache: "); ok {
				found++
				if want := strings.Replace(dir, m.home, "/root", 1) + "/**/*"; !slices.Contains(paths, want) {
					t.Errorf("cache.paths is %q, want %q in it", paths, want)
				}
			}
		}
		if found != 2 {
			t.Errorf("hugo saw %d cache folders, want 2:\n%s", found, r.out)
		}
	})
}

func TestHugoBuildFailsWithoutAHomePage(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		hugo   string // what hugo does when it builds
		commit string // a file of the source
		want   string
	}{
		{name: "nothing built", hugo: "exit 0", want: "public/index.html is missing or empty"},
		{name: "other pages only", hugo: "mkdir public; echo x >public/404.html", want: "public/index.html is missing or empty"},
		{name: "empty home page", hugo: "mkdir public; : >public/index.html", want: "public/index.html is missing or empty"},
		{name: "old home page in Git", hugo: "exit 0", commit: "public/index.html", want: "public/index.html is missing or empty"},
		{name: "hugo fails", hugo: "exit 1", want: "hugo failed"},
		{name: "hugo fails after the home page", hugo: "mkdir public; echo x >public/index.html; exit 1", want: "hugo failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
				m.program("hugo", logCall+"if [ \"$1\" = version ]; then echo '"+releaseVersion+"'; exit; fi\n"+tc.hugo+"\n")
				if tc.commit != "" {
					m.source(tc.commit, "old\n")
				}
				m.wantFailure(m.build(s), buildSite, tc.want)
			})
		})
	}
}
