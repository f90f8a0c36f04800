package buildspec

import (
	"maps"
	"strings"
	"testing"
)

func TestHugoFindsItsVersion(t *testing.T) {
	t.Parallel()
	const workflow = ".github/workflows/pages.yaml"
	locked := func(pkg, version string) string {
		return `{"lockfileVersion": 3, "packages": {
  "": {"devDependencies": {"` + pkg + `": "^0.1.0"}},
  "node_modules/` + pkg + `": {
    "version": "` + version + `"
  }}}`
	}
	for _, tc := range []struct {
		name   string
		env    map[string]string
		source map[string]string
		want   string // VERSION EXTENDED FROM
		says   string
	}{
		{name: "nothing", want: DefaultHugoVersion + " false the recipe: the blog names none"},
		{
			name: "the variable", env: map[string]string{EnvHugoVersion: "v0.150.0"}, source: map[string]string{"netlify.toml": "[build.environment]\nHUGO_VERSION = '0.140.0'\n"},
			want: "0.150.0 false HUGO_VERSION",
		},
		{
			name: "Netlify, production first", source: map[string]string{"netlify.toml": `[build]
  command = "hugo"
[build.environment]
  HUGO_VERSION = "0.140.0" # for previews
[context.production.environment]
  HUGO_VERSION = "0.150.1"
[context.deploy-preview.environment]
  HUGO_VERSION = "0.160.0"
`}, want: "0.150.1 true netlify.toml",
		},
		{name: "Netlify, a preview only", source: map[string]string{"netlify.toml": "[context.deploy-preview.environment]\nHUGO_VERSION = \"0.150.0\"\n"}, want: DefaultHugoVersion + " false"},
		{name: "Netlify, inline", source: map[string]string{"netlify.toml": "[build]\n environment = { NODE_VERSION = \"20\", HUGO_VERSION = \"0.150.0\" }\n"}, want: "0.150.0 true netlify.toml"},
		{name: "Netlify, a dotted key", source: map[string]string{"netlify.toml": "[build]\nenvironment.HUGO_VERSION = \"0.150.0\"\n"}, want: "0.150.0 true netlify.toml"},
		{name: "Netlify, Windows line ends", source: map[string]string{"netlify.toml": "[build.environment]\r\nHUGO_VERSION = \"0.150.0\"\r\n"}, want: "0.150.0 true netlify.toml"},
		{name: "Netlify, in a comment", source: map[string]string{"netlify.toml": "[build.environment]\n# HUGO_VERSION = \"0.150.0\"\n"}, want: DefaultHugoVersion + " false"},
		{name: "Netlify before others", source: map[string]string{"netlify.toml": "[build.environment]\nHUGO_VERSION = \"0.150.0\"\n", ".tool-versions": "hugo 0.140.0\n"}, want: "0.150.0 true netlify.toml"},
		{name: "Vercel", source: map[string]string{"vercel.json": `{"build": {"env": {"HUGO_VERSION": "0.150.0"}}}`}, want: "0.150.0 true vercel.json"},
		{name: "older than 0.103.0", source: map[string]string{"vercel.json": `{"build": {"env": {"HUGO_VERSION": "0.82.0"}}}`}, want: "0.82.0 true vercel.json"},
		{
			name: "hugo-extended, npm's lock", source: map[string]string{"package.json": `{"devDependencies": {"hugo-extended": "^0.1.0"}}`, "package-lock.json": locked("hugo-extended", "0.150.2")},
			want: "0.150.2 true package.json (hugo-extended)",
		},
		{
			name: "hugo-extended, pnpm's lock", source: map[string]string{
				"package.json":   `{"devDependencies": {"hugo-extended": "^0.1.0"}}`,
				"pnpm-lock.yaml": "importers:\n  .:\n    devDependencies:\n      hugo-extended:\n        specifier: ^0.1.0\n        version: 0.150.2\n",
			}, want: "0.150.2 true package.json (hugo-extended)",
		},
		{
			name: "hugo-extended, yarn 1's lock", source: map[string]string{
				"package.json": `{"devDependencies": {"hugo-extended": "^0.1.0"}}`, "yarn.lock": "# yarn lockfile v1\n\nhugo-extended@^0.1.0:\n  version \"0.150.2\"\n",
			}, want: "0.150.2 true package.json (hugo-extended)",
		},
		{
			name: "hugo-extended, yarn 4's lock", source: map[string]string{
				"package.json": `{"devDependencies": {"hugo-extended": "^0.1.0"}}`, "yarn.lock": "\"hugo-extended@npm:^0.1.0\":\n  version: 0.150.2\n",
			}, want: "0.150.2 true package.json (hugo-extended)",
		},
		{
			name: "hugo-extended, bun's lock", source: map[string]string{
				"package.json": `{"devDependencies": {"hugo-extended": "^0.1.0"}}`, "bun.lock": `{"packages": {"hugo-extended": ["hugo-extended@0.150.2", "", {}]}}`,
			}, want: "0.150.2 true package.json (hugo-extended)",
		},
		{name: "hugo-extended without a lock", source: map[string]string{"package.json": `{"devDependencies": {"hugo-extended": "^0.150.2"}}`}, want: "0.150.2 true package.json (hugo-extended)"},
		{name: "hugo-bin's own option", source: map[string]string{"package.json": `{"devDependencies": {"hugo-bin": "0.147.3"}, "hugo-bin": {
  "buildTags": "extended", "version": "0.150.2"}}`}, want: "0.150.2 true package.json (hugo-bin)"},
		{
			name: "hugo-bin", source: map[string]string{"package.json": `{"devDependencies": {"hugo-bin": "^0.1.0"}}`, "package-lock.json": locked("hugo-bin", "0.139.0")},
			want: "0.142.0 false package.json (hugo-bin)",
		},
		{name: ".tool-versions", source: map[string]string{".tool-versions": "nodejs 24.1.0\nhugo 0.150.0\n"}, want: "0.150.0 false .tool-versions"},
		{name: ".tool-versions, extended", source: map[string]string{".tool-versions": "gohugo extended_0.150.0\n"}, want: "0.150.0 true .tool-versions"},
		{name: "mise", source: map[string]string{"mise.toml": "[tools]\nhugo = \"0.150.0\"\n"}, want: "0.150.0 false mise.toml"},
		{name: "mise, hidden, by its backend", source: map[string]string{".mise.toml": "[tools]\n\"asdf:NeoHsu/asdf-hugo\" = \"extended_0.150.0\"\n"}, want: "0.150.0 true .mise.toml"},
		{name: "mise, a table", source: map[string]string{"mise.toml": "[tools]\nhugo-extended = { version = \"0.150\" }\n"}, want: "0.150.0 true mise.toml"},
		{name: "mise, a table of its own", source: map[string]string{"mise.toml": "[tools]\nnode = \"22\"\n[tools.hugo]\nversion = \"0.150.0\"\n"}, want: "0.150.0 false mise.toml"},
		{name: "mise, several", source: map[string]string{"mise.toml": "[tools]\nhugo = [\"0.150.0\", \"0.140.0\"]\n"}, want: "0.150.0 false mise.toml"},
		{name: "hvm", source: map[string]string{".hvm": "v0.150.0/extended\n"}, want: "0.150.0 true .hvm"},
		{
			name: "a workflow", source: map[string]string{workflow: "      - uses: peaceiris/actions-hugo@v3\n        with:\n          hugo-version: '0.150.0'\n          extended: true\n"},
			want: "0.150.0 true " + workflow,
		},
		{
			name: "a workflow's variable, and latest", source: map[string]string{workflow: "        with:\n          hugo-version: latest\n    env:\n      HUGO_VERSION: 0.150.0\n"},
			want: DefaultHugoVersion + " false the recipe", says: workflow + " says 'latest', which names no release",
		},
		{
			name: "a workflow's variable, and the step that uses it", source: map[string]string{workflow: "    env:\n      HUGO_VERSION: 0.150.0\n        with:\n          hugo-version: ${{ env.HUGO_VERSION }}\n"},
			want: "0.150.0 false " + workflow,
		},
		{
			name: "a workflow's variable alone", source: map[string]string{workflow: "    env:\n      HUGO_VERSION: 0.150.0\n"},
			want: "0.150.0 false " + workflow,
		},
		{
			name: "a workflow's edition, and latest", source: map[string]string{workflow: "        with:\n          hugo-version: 'latest'\n          extended: true\n"},
			want: DefaultHugoVersion + " true the recipe",
		},
		{
			name: "a workflow's matrix", source: map[string]string{workflow: "        hugo-version: ['0.150.0', 'latest']\n    steps:\n          hugo-version: ${{ matrix.hugo-version }}\n"},
			want: "0.150.0 false " + workflow,
		},
		{
			name: "a workflow's expression", source: map[string]string{workflow: "    hugo-version: ${{ vars.HUGO_VERSION }}\n"},
			want: DefaultHugoVersion + " false the recipe", says: "which names no release",
		},
		{
			name: "a workflow's download", source: map[string]string{workflow: "      - run: wget https://github.com/gohugoio/hugo/releases/download/v0.150.0/hugo_extended_0.150.0_linux-amd64.deb\n"},
			want: "0.150.0 true " + workflow,
		},
		{
			name:   "the configuration's newest",
			source: map[string]string{"hugo.toml": "[module]\n  [module.hugoVersion]\n    extended = true\n    min = \"0.120.0\"\n    max = \"0.150.0\"\n[params]\n  max = \"0.1.2\"\n"},
			want:   "0.150.0 true [module.hugoVersion] max",
		},
		{
			name: "the configuration's oldest", source: map[string]string{"config/_default/config.yaml": "module:\n  hugoVersion:\n    extended: false\n    min: 0.140.1\n"},
			want: "0.140.1 false [module.hugoVersion] min",
		},
		{
			name: "the configuration's oldest, as dotted keys", source: map[string]string{"hugo.toml": "module.hugoVersion.min = \"0.140.1\"\n"},
			want: "0.140.1 false [module.hugoVersion] min",
		},
		{
			name: "an oldest of long ago", source: map[string]string{"hugo.toml": "[module.hugoVersion]\nmin = \"0.54.0\"\n"},
			want: DefaultHugoVersion + " false",
		},
		{name: "SCSS", source: map[string]string{"assets/css/main.scss": "a { b: c }\n"}, want: DefaultHugoVersion + " true"},
		{name: "a theme's SCSS", source: map[string]string{"themes/t/assets/main.scss": "a { b: c }\n"}, want: DefaultHugoVersion + " true"},
		{name: "SCSS, and the variable", env: map[string]string{EnvHugoExtended: "false"}, source: map[string]string{"assets/main.scss": ""}, want: DefaultHugoVersion + " false"},
		{
			name: "beside the site's folder", env: map[string]string{EnvRootDirectory: "site"},
			source: map[string]string{"site/hugo.toml": "", "netlify.toml": "[build]\nbase = \"site\"\n[build.environment]\nHUGO_VERSION = \"0.150.0\"\n"}, want: "0.150.0 true netlify.toml",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := newHugoMachine(t)
			// Whatever is wanted is there.
			m.program("hugo", strings.Replace(fakeHugo("VERSION", onPath), "echo 'VERSION'", `echo "hugo v$HUGO_VERSION+extended linux/amd64"`, 1))
			m.program("npm", logCall+"if [ \"$1 $2\" = 'view hugo-bin@0.139.0' ]; then echo 0.142.0; fi\n")
			m.program("pnpm", logCall)
			m.program("yarn", logCall)
			m.program("bun", logCall)
			maps.Copy(m.env, tc.env)
			for name, content := range tc.source {
				m.source(name, content)
			}

			r := m.build(sessions()[0])

			m.wantSuccess(r, onPath)
			version, rest, _ := strings.Cut(tc.want, " ")
			extended, from, _ := strings.Cut(rest, " ")
			if want := "==> Hugo: " + version + ", extended: " + extended + " (from " + from; !strings.Contains(r.out, want) {
				t.Errorf("output lacks %q:\n%s", want, r.out)
			}
			if !strings.Contains(r.out, tc.says) {
				t.Errorf("output lacks %q:\n%s", tc.says, r.out)
			}
		})
	}
}

func TestHugoExtendedMustBeTrueOrFalse(t *testing.T) {
	t.Parallel()
	eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
		m.env[EnvHugoExtended] = "yes"
		m.wantFailure(m.build(s), findVersion, "HUGO_EXTENDED is 'yes', want true or false")
	})
}

// Archives had other names before 0.103.0.
func TestHugoOldArchives(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, version, arch, want string }{
		{"amd64", "0.102.3", "x86_64", "hugo_0.102.3_Linux-64bit.tar.gz"},
		{"arm64", "0.92.2", "aarch64", "hugo_0.92.2_Linux-ARM64.tar.gz"},
		{"the first with the new ones", "0.103.0", "x86_64", "hugo_0.103.0_linux-amd64.tar.gz"},
		{"a later one", "0.110.0", "x86_64", "hugo_0.110.0_linux-amd64.tar.gz"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := newHugoMachine(t)
			m.env[EnvHugoVersion], m.env["FAKE_ARCH"] = tc.version, tc.arch
			archive := targz(t, map[string]string{"hugo": fakeHugo("hugo v"+tc.version, tc.want)})
			m.asset(tc.version, tc.want, archive)
			m.asset(tc.version, checksums(tc.version), []byte(sha256Line(archive, tc.want)))

			m.wantSuccess(m.build(sessions()[0]), tc.want)
		})
	}
}
