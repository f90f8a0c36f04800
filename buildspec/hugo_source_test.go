package buildspec

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestHugoStopsWhenAStepBeforeItFails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		arrange func(m *hugoMachine)
		at      string
		message []string
	}{
		{
			name: "npm ci",
			arrange: func(m *hugoMachine) {
				m.source("package.json", `{}`)
				m.source("package-lock.json", `{}`)
				m.program("npm", logCall+"[ \"$1\" != ci ]\n")
			},
			at:      installPackages,
			message: []string{"npm cannot install what package-lock.json names"},
		},
		{
			name: "asset script",
			arrange: func(m *hugoMachine) {
				m.source("package.json", `{"scripts": {"build": "x"}}`)
				m.program("npm", logCall+"[ \"$1\" != run ]\n")
			},
			at:      buildAssets,
			message: []string{"the script 'build' failed"},
		},
		{
			name:    "package.json that does not parse",
			arrange: func(m *hugoMachine) { m.source("package.json", `{"scripts": {`) },
			at:      installPackages,
			message: []string{"package.json cannot be read"},
		},
		{
			name: "git submodule",
			arrange: func(m *hugoMachine) {
				m.source(".gitmodules", "[submodule \"theme\"]\n\tpath = themes/theme\n\turl = https://example.com/theme\n")
				m.source(".git/HEAD", "ref: refs/heads/main\n")
				m.program("git", logCall+"exit 128\n")
			},
			at:      wholeSource,
			message: []string{"cannot fetch the submodules", "https"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
				m.program("hugo", fakeHugo(releaseVersion, onPath))
				tc.arrange(m)

				r := m.build(s)

				m.wantFailure(r, tc.at, tc.message...)
				if got := r.called("hugo"); len(got) != 0 {
					t.Errorf("ran %q, want no build", got)
				}
			})
		})
	}
}

func TestHugoSubmodules(t *testing.T) {
	t.Parallel()
	const gitmodules = "[submodule \"one\"]\n\tpath = themes/one\n\turl = https://example.com/one\n" +
		"[submodule \"two words\"]\n\turl = https://example.com/two\n\tpath=themes/two words\n"
	fetch := []string{"git|submodule|update|--init|--recursive"}
	clone := map[string]string{".gitmodules": gitmodules, ".git/HEAD": "ref: refs/heads/main\n"}
	whole := map[string]string{".gitmodules": gitmodules, "themes/one/theme.toml": "", "themes/two words/theme.toml": ""}
	for _, tc := range []struct {
		name   string
		source map[string]string
		empty  string // a folder without files
		git    []string
		fails  []string
	}{
		{name: "none"},
		{name: "clone", source: clone, empty: "themes/one", git: fetch},
		{
			name:   "clone whose .git is a file",
			source: map[string]string{".gitmodules": gitmodules, ".git": "gitdir: ../repository\n"},
			git:    fetch,
		},
		{name: "zip with the submodules' files", source: whole},
		{
			name: "zip with the submodules' files, Windows line ends",
			source: map[string]string{
				".gitmodules":                 strings.ReplaceAll(gitmodules, "\n", "\r\n"),
				"themes/one/theme.toml":       "",
				"themes/two words/theme.toml": "",
			},
		},
		{
			name:   "zip with an empty submodule",
			source: map[string]string{".gitmodules": gitmodules, "themes/two words/theme.toml": ""},
			empty:  "themes/one",
			fails:  []string{"empty submodule: 'themes/one'", "FullClone: true", "GitHubConnection", "Hugo Modules"},
		},
		{
			name:   "zip with the folder that Hugo's output was pushed from",
			source: map[string]string{".gitmodules": "[submodule \"site\"]\n\tpath = public\n\turl = https://example.com/site\n"},
		},
		{
			name:   "zip without the submodules' folders",
			source: map[string]string{".gitmodules": gitmodules},
			fails:  []string{"empty submodule: 'themes/one' 'themes/two words'", "FullClone"},
		},
		{
			name:   "zip with an empty submodule, Windows line ends",
			source: map[string]string{".gitmodules": strings.ReplaceAll(gitmodules, "\n", "\r\n"), "themes/one/theme.toml": ""},
			empty:  "themes/two words",
			fails:  []string{"empty submodule: 'themes/two words'"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newHugoMachine, func(t *testing.T, m *hugoMachine, s session) {
				m.program("hugo", fakeHugo(releaseVersion, onPath))
				m.program("git", logCall+`echo "prompt=$GIT_TERMINAL_PROMPT" >&2`+"\n")
				for name, content := range tc.source {
					m.source(name, content)
				}
				if tc.empty != "" {
					if err := os.MkdirAll(filepath.Join(m.owner, tc.empty), 0o755); err != nil {
						t.Fatal(err)
					}
				}

				r := m.build(s)

				if len(tc.fails) > 0 {
					m.wantFailure(r, wholeSource, tc.fails...)
				} else {
					m.wantSuccess(r, onPath)
				}
				if got := r.called("git"); !slices.Equal(got, tc.git) {
					t.Errorf("calls of git are %q, want %q", got, tc.git)
				}
				// A question for a password would hold the build until its timeout.
				if len(tc.git) > 0 && !strings.Contains(r.out, "prompt=0\n") {
					t.Errorf("git may ask for a password:\n%s", r.out)
				}
			})
		})
	}
}
