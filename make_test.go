package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// tell returns what make says to a command line, and does nothing of it.
func tell(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "make", append([]string{"-n"}, args...)...)
	cmd.Env = environment()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// A slip on the command line ends it, before the wrong blog goes green.
func TestMakeRefusesSlips(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"two names", []string{"rehearse", "BLOGG=x", "SORCE=y"}, []string{"make rehearse: it does not know", "BLOGG", "SORCE", "it takes BLOG SERVICE SOURCE"}},
		{"a value with all sorts", []string{"rehearse", "SORCE=a b='$HOME' $(shell exit)"}, []string{"it does not know SORCE;"}},
		{"another command's", []string{"rehearse", "APPROVAL=never"}, []string{"it does not know APPROVAL;"}},
		{"of a command that takes none", []string{"synth", "SOURCE=x"}, []string{"make synth: it does not know SOURCE; it takes no variable"}},
		{"of a file", []string{"dist/app", "BLOG=x"}, []string{"it does not know BLOG;"}},
		{"of no command", []string{"BLOG=x"}, []string{"make help: it does not know BLOG;"}},
		{"in lower case", []string{"deploy", "blog=x"}, []string{"it does not know blog; it takes BLOG"}},
		{"set in another way", []string{"deploy", "BLOGG:=x"}, []string{"it does not know BLOGG;"}},
		{"for the environment", []string{"synth", "CDK_VALIDATION=false"}, []string{"NAME=value make synth"}},
		{"a command", []string{"reherse", "BLOG=x"}, []string{`no command "reherse"; there are: synth diff deploy`}},
		{"a name as a command", []string{"rehearse", "my-blog"}, []string{`no command "my-blog"`, "BLOG="}},
		{"a switch", []string{"rehearse", "SERVE=8080"}, []string{"SERVE=8080: write SERVE=1 or SERVE=0"}},
		{"a switch twice", []string{"rehearse", "JSON=1 0"}, []string{"JSON=1 0: write JSON=1 or JSON=0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := tell(t, tt.args...)
			if err == nil {
				t.Errorf("make %q would do\n%s", tt.args, out)
			}
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("make %q says %q, want %q in it", tt.args, out, want)
				}
			}
		})
	}
}

// What is right reaches the command as it was written.
func TestMakeHandsOn(t *testing.T) {
	for _, tt := range []struct {
		name       string
		args       []string
		want, none string
	}{
		{"values", []string{"rehearse", "BLOG=it's", "SOURCE=../a $b=c"}, `-blog 'it'\''s'  -source '../a $b=c'`, "-service"},
		{"switches", []string{"rehearse", "SERVE=1", "JSON=yes"}, "-serve -json", "-working-tree"},
		{"switches that are off", []string{"rehearse", "SERVE=0", "JSON=", "WORKING_TREE=no"}, "dist/rehearse", "-serve"},
		{"a database", []string{"vuln", "GOVULNDB=file:///it's"}, `db='file:///it'\''s';`, "vuln.go.dev"},
		{"several commands", []string{"clean", "rehearse", "BLOG=x"}, "-blog 'x'", "-source"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := tell(t, tt.args...)
			if words := strings.Join(strings.Fields(out), " "); err != nil || !strings.Contains(words, strings.Join(strings.Fields(tt.want), " ")) || strings.Contains(words, " "+tt.none+" ") {
				t.Errorf("make %q: %v\n%s\nwant %s in it, and no %s", tt.args, err, out, tt.want, tt.none)
			}
		})
	}
	// The environment has much that is not meant for make.
	t.Setenv("BLOGG", "x")
	if out, err := tell(t, "synth"); err != nil {
		t.Errorf("make synth with BLOGG in the environment: %v\n%s", err, out)
	}
}

// TestHelpListsCommands: above the line in the Makefile every target is a command, and below it what is
// described.
func TestHelpListsCommands(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	commands, parts, found := strings.Cut(string(makefile), "\n# --- What the commands above are made of ---\n")
	if !found {
		t.Fatal("the Makefile has no line between commands and their parts")
	}
	names := func(pattern, text string) (names []string) {
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			names = append(names, match[1])
		}
		return names
	}
	want := append(names(`(?m)^\.PHONY: (\S+)$`, commands), names(`(?m)^([^\s:]+):.* ## `, parts)...)
	cmd := exec.CommandContext(t.Context(), "make", "help")
	cmd.Env = environment()
	help, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if listed := names(`(?m)^  make (\S+) +\S`, string(help)); !slices.Equal(listed, want) || !slices.Contains(listed, "e2e") {
		t.Errorf("make help lists %q, want %q", listed, want)
	}
}

// On a machine that has nothing yet, npm installs while Go compiles, each once, and nothing but what was asked for
// is said on stdout.
func TestMakeOnAFreshMachine(t *testing.T) {
	// Stand-ins for the two, which wait for each other to have begun.
	const stub = `#!/bin/sh
echo "$(basename "$0") $*" >>calls
case "$(basename "$0") $*" in
"npm ci"*) other=app; mkdir -p node_modules/.bin; printf '#!/bin/sh\n' >node_modules/.bin/node; chmod +x node_modules/.bin/node; : >node_modules/.package-lock.json ;;
*" -o dist/app "*) other=npm ;;
esac
for last; do test "$before" != -o || { mkdir -p "$(dirname "$last")"; : >"$last"; chmod +x "$last"; }; before=$last; done
tries=0
while test -n "$other" && ! grep -q "$other" calls; do
  tries=$((tries + 1)); test "$tries" -lt 6000 || { echo "$0 waits for $other in vain" >&2; exit 1; }
  sleep 0.1
done
`
	for _, args := range [][]string{{"-s", "build"}, {"-s", "-j4", "build"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			c := newCheckout(t)
			bin := t.TempDir()
			for _, name := range []string{"go", "npm"} {
				if err := os.WriteFile(filepath.Join(bin, name), []byte(stub), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Remove(filepath.Join(c.dir, "node_modules")); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), hang)
			defer cancel()
			cmd := exec.CommandContext(ctx, "make", args...)
			cmd.Dir = c.dir
			cmd.Env = append(environment(), "PATH="+bin+":"+os.Getenv("PATH"))
			var stderr strings.Builder
			cmd.Stderr = &stderr
			stdout, err := cmd.Output()
			if err != nil || len(stdout) > 0 {
				t.Fatalf("%v, and on stdout %q\n%s", err, stdout, &stderr)
			}
			calls, err := os.ReadFile(filepath.Join(c.dir, "calls"))
			if err != nil {
				t.Fatal(err)
			}
			for what, want := range map[string]int{"npm ci": 1, "-o dist/app ": 1, "-o dist/invalidate/": 1, "-o dist/deployhook/": 1} {
				if got := strings.Count(string(calls), what); got != want {
					t.Errorf("%q is done %d times, want %d:\n%s", what, got, want, calls)
				}
			}
		})
	}
}
