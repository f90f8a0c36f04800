package e2e

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

// dryRun returns what make prints for a command line with the option -n, which runs nothing.
func dryRun(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "make", append([]string{"-n"}, args...)...)
	cmd.Env = environment()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestMakeRefusesTypingMistakes checks that a mistake on the command line ends make before it builds anything.
func TestMakeRefusesTypingMistakes(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"two variables", []string{"rehearse", "BLOGG=x", "SORCE=y"}, []string{"make rehearse: unknown variable", "BLOGG", "SORCE", "it accepts BLOG SERVICE SOURCE"}},
		{"a value with special characters", []string{"rehearse", "SORCE=a b='$HOME' $(shell exit)"}, []string{"unknown variable SORCE;"}},
		{"variable of another command", []string{"rehearse", "APPROVAL=never"}, []string{"unknown variable APPROVAL;"}},
		{"variable for a command without any", []string{"synth", "SOURCE=x"}, []string{"make synth: unknown variable SOURCE; it accepts no variable"}},
		{"variable for a file", []string{"dist/app", "BLOG=x"}, []string{"unknown variable BLOG;"}},
		{"variable without a command", []string{"BLOG=x"}, []string{"make help: unknown variable BLOG;"}},
		{"variable in lower case", []string{"deploy", "blog=x"}, []string{"unknown variable blog; it accepts BLOG"}},
		{"variable set with :=", []string{"deploy", "BLOGG:=x"}, []string{"unknown variable BLOGG;"}},
		{"variable for the environment", []string{"synth", "CDK_VALIDATION=false"}, []string{"NAME=value make synth"}},
		{"command", []string{"reherse", "BLOG=x"}, []string{`no command "reherse"; there are: synth diff deploy`}},
		{"name of a blog as a command", []string{"rehearse", "my-blog"}, []string{`no command "my-blog"`, "BLOG="}},
		{"release of a service", []string{"releases", "SERVICE=x"}, []string{"unknown variable SERVICE; it accepts BLOG"}},
		{"switch with a number", []string{"rehearse", "SERVE=8080"}, []string{"SERVE=8080 is neither on nor off: write SERVE=1 or SERVE=0"}},
		{"switch with two values", []string{"rehearse", "JSON=1 0"}, []string{"JSON=1 0 is neither on nor off: write JSON=1 or JSON=0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := dryRun(t, tt.args...)
			if err == nil {
				t.Errorf("make %q accepts this and would run\n%s", tt.args, out)
			}
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("make %q prints %q, want %q in it", tt.args, out, want)
				}
			}
		})
	}
}

// TestMakePassesVariables checks that the value of a variable reaches the program as it was written.
func TestMakePassesVariables(t *testing.T) {
	for _, tt := range []struct {
		name       string
		args       []string
		want, none string
	}{
		{"values", []string{"rehearse", "BLOG=it's", "SOURCE=../a $b=c"}, `-blog 'it'\''s'  -source '../a $b=c'`, "-service"},
		{"switches", []string{"rehearse", "ROLLBACK=on", "SERVE=1", "JSON=yes"}, "-rollback -serve -json", "-working-tree"},
		{"switches that are off", []string{"rehearse", "SERVE=0", "JSON=", "WORKING_TREE=no"}, "dist/rehearse", "-serve"},
		{"a pipeline to follow", []string{"status", "BLOG=x", "WATCH=1"}, `dist/operate status -pipelines "$pipelines" -watch`, "-service"},
		{"a release to go back to", []string{"rollback", "BLOG=x", "TO=0123456", "YES=1"}, `pipelines=$(dist/app pipelines -blog 'x' ) && dist/operate rollback -pipelines "$pipelines" -to '0123456' -yes`, "-service"},
		{"a rollback that asks", []string{"rollback", "BLOG=x", "YES=0"}, `dist/operate rollback -pipelines "$pipelines"`, "-yes"},
		{"database", []string{"vuln", "GOVULNDB=file:///it's"}, `GOVULNDB='file:///it'\''s' VULN='' .ci/vuln`, "required"},
		{"several commands", []string{"clean", "rehearse", "BLOG=x"}, "-blog 'x'", "-source"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := dryRun(t, tt.args...)
			if words := strings.Join(strings.Fields(out), " "); err != nil || !strings.Contains(words, strings.Join(strings.Fields(tt.want), " ")) || strings.Contains(words, " "+tt.none+" ") {
				t.Errorf("make %q: %v\n%s\nwant %s in it, and no %s", tt.args, err, out, tt.want, tt.none)
			}
		})
	}
	// Most variables of the environment are not meant for make.
	t.Setenv("BLOGG", "x")
	if out, err := dryRun(t, "synth"); err != nil {
		t.Errorf("make synth with BLOGG in the environment: %v\n%s", err, out)
	}
}

// TestHelpListsCommands checks that help lists every target above the line in the Makefile that ends the commands, and
// every target below it that has a description.
func TestHelpListsCommands(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	commands, parts, found := strings.Cut(string(makefile), "\n# --- What the commands above are made of ---\n")
	if !found {
		t.Fatal("the Makefile has no line that ends the commands")
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

// TestMakeOnAFreshMachine checks that npm installs while Go compiles, that each file is made once, and that stdout stays
// empty, since a script may read it.
func TestMakeOnAFreshMachine(t *testing.T) {
	// This script stands in for both programs. Each waits until the other one has started.
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
			for what, want := range map[string]int{"npm ci": 1, "-o dist/app ": 1, "-o dist/publish/": 1, "-o dist/invalidate/": 1, "-o dist/deployhook/": 1} {
				if got := strings.Count(string(calls), what); got != want {
					t.Errorf("%q ran %d times, want %d:\n%s", what, got, want, calls)
				}
			}
		})
	}
}

// TestMakeKnowsSources checks that make builds a program again if any package of this project that is in it changes.
func TestMakeKnowsSources(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	database, err := dryRun(t, "-p", "build", "dist/rehearse")
	if err != nil {
		t.Fatalf("make -p: %v\n%s", err, database)
	}
	for target, pkg := range map[string]string{"dist/app": ".", "dist/rehearse": "./rehearse", "dist/publish/bootstrap": "./lambdas/publish", "dist/invalidate/bootstrap": "./lambdas/invalidate", "dist/deployhook/bootstrap": "./lambdas/deployhook"} {
		rule := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(target) + `: (.*)$`).FindStringSubmatch(database)
		if rule == nil {
			t.Errorf("make has no rule for %s", target)
			continue
		}
		var prerequisites []string
		for name := range strings.FieldsSeq(rule[1]) {
			prerequisites = append(prerequisites, filepath.Clean(name))
		}
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", `{{if not .Standard}}{{if .Module.Main}}{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}`, pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		for path := range strings.Lines(string(out)) { // A path may have spaces.
			if path == "\n" {
				continue
			}
			file, err := filepath.Rel(root, strings.TrimSuffix(path, "\n"))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(prerequisites, file) {
				t.Errorf("a change of %s does not make %s again", file, target)
			}
		}
	}
}
