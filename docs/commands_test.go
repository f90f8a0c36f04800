package docs

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/pipeline"
)

// programs are the commands that pages may tell a reader to run, besides make, go and npx.
var programs = []string{
	"aws", "cat", "chmod", "chromium", "cp", "curl", "dig", "diff", "for", "git", "gofmt", "hugo", "ln", "mkdir", "node_modules/.bin/node",
	"npm", "output()", "rm", "sed",
}

// TestCommandsAreAccepted has make look at each of its commands on the pages without doing it, go doc show
// what it is asked for, go test know the packages and tests, and the CDK CLI know its commands and options.
func TestCommandsAreAccepted(t *testing.T) {
	commands := map[string]string{} // and where they are
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language == "sh" {
				for line := range strings.Lines(b.text) {
					commands[strings.TrimSpace(line)] = p.path
				}
			}
		}
		for _, code := range p.spans {
			if regexp.MustCompile(`^([A-Z_]+=\S+ )*(make|go|npx)( |$)`).MatchString(code.text) {
				commands[code.text] = p.path
			}
		}
	}
	seen, checked := map[string]int{}, map[string]bool{}
	for command, where := range commands {
		words := split(command)
		for len(words) > 0 && regexp.MustCompile(`^\w+=`).MatchString(words[0]) {
			words = words[1:]
		}
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		program, args := words[0], words[1:]
		if seen[program]++; checked[strings.Join(words, " ")] {
			continue
		}
		checked[strings.Join(words, " ")] = true
		t.Run(strings.ReplaceAll(command, "/", "∕"), func(t *testing.T) {
			t.Parallel()
			switch program {
			case "make":
				if out, err := run(t, "make", append([]string{"-n"}, args...)...); err != nil {
					t.Errorf("%s: %q: %v\n%s", where, command, err, out)
				}
				for _, arg := range args {
					checkFaults(t, where, arg)
				}
			case "go":
				checkGo(t, where, args)
			case "npx":
				checkCDK(t, where, args)
			default:
				if !slices.Contains(programs, program) {
					t.Errorf("%s: %q: is %s a command that readers have?", where, command, program)
				}
			}
		})
	}
	if seen["make"] < 20 || seen["go"] < 3 || seen["npx"] == 0 {
		t.Errorf("found %v: does the pattern still match?", seen)
	}
}

// TestOptionsOfARehearsalAreAccepted has make look at each variable that a page tells a reader to add to make rehearse.
func TestOptionsOfARehearsalAreAccepted(t *testing.T) {
	option := regexp.MustCompile(`^[A-Z_]+=\S`)
	all := pages(t)
	for _, name := range []string{"README.md", "docs/rehearsal.md"} {
		args := []string{"-n", "rehearse"}
		for _, code := range find(t, all, name).spans {
			if option.MatchString(code.text) {
				args = append(args, code.text)
				checkFaults(t, fmt.Sprintf("%s:%d", name, code.line), code.text)
			}
		}
		if len(args) < 8 {
			t.Errorf("%s has %d variables, want at least 6: does the pattern still match?", name, len(args)-2)
		}
		if out, err := run(t, "make", args...); err != nil {
			t.Errorf("%s: make %q: %v\n%s", name, args, err, out)
		}
	}
}

// checkFaults reports a fault that a rehearsal does not know, if the word of a command line names faults.
func checkFaults(t *testing.T, where, word string) {
	t.Helper()
	if names, isFault := strings.CutPrefix(word, "FAULT="); isFault {
		if _, err := pipeline.ParseFaults(names); err != nil {
			t.Errorf("%s: %s: %v", where, word, err)
		}
	}
}

// split returns the words of a shell's command line, up to a comment, a pipe or a further command.
func split(line string) []string {
	var words []string
	for _, match := range regexp.MustCompile(`'([^']*)'|"([^"]*)"|[^\s'"]+`).FindAllStringSubmatch(line, -1) {
		switch match[0] {
		case "#", "|", "&&", ";", ">":
			return words
		}
		if match[0][0] == '\'' || match[0][0] == '"' {
			match[0] = match[1] + match[2]
		}
		if n := len(words); n > 0 && strings.HasSuffix(words[n-1], "=") {
			words[n-1] += match[0] // NAME='value'
			continue
		}
		words = append(words, match[0])
	}
	return words
}

func checkGo(t *testing.T, where string, args []string) {
	t.Helper()
	switch {
	case len(args) > 0 && args[0] == "doc":
		if out, err := run(t, "go", args...); err != nil {
			t.Errorf("%s: go %q: %v\n%s", where, args, err, out)
		}
	case len(args) > 0 && args[0] == "test":
		var packages, tests []string
		for i, arg := range args {
			if name, isPattern := strings.CutPrefix(arg, "-run="); isPattern {
				tests = append(tests, strings.Trim(name, "^$"))
			} else if arg == "-run" && i+1 < len(args) {
				tests = append(tests, strings.Trim(args[i+1], "^$"))
			}
			if strings.HasPrefix(arg, "./") {
				packages = append(packages, arg)
			}
		}
		for _, pkg := range packages {
			if strings.HasSuffix(pkg, "...") {
				continue
			}
			names := testsOf(t, pkg)
			for test := range strings.SplitSeq(strings.Join(tests, "|"), "|") {
				name, _, _ := strings.Cut(test, "/")
				if name = strings.Trim(name, "^$()"); name != "" && !slices.Contains(names, name) {
					t.Errorf("%s: go test: %s has no %s", where, pkg, name)
				}
			}
		}
	}
}

// testsOf returns the names of the tests and benchmarks of a package.
func testsOf(t *testing.T, pkg string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(top, filepath.FromSlash(pkg), "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Errorf("%s has no tests: %v", pkg, err)
	}
	var names []string
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range parsed.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok {
				names = append(names, function.Name.Name)
			}
		}
	}
	return names
}

// checkCDK looks the command and its options up in the CDK CLI's own description of them.
func checkCDK(t *testing.T, where string, args []string) {
	t.Helper()
	const description = "node_modules/aws-cdk/lib/cli/cli-type-registry.json"
	if len(args) == 0 || args[0] != "cdk" {
		t.Errorf("%s: npx %q: only the CDK CLI is installed", where, args)
		return
	}
	if len(args) == 1 {
		return
	}
	type options map[string]any
	var cli struct {
		GlobalOptions options
		Commands      map[string]struct{ Options options }
	}
	if err := json.Unmarshal([]byte(read(t, description)), &cli); err != nil {
		t.Fatalf("%s: %v", description, err)
	}
	command, known := cli.Commands[args[1]]
	if !known {
		t.Errorf("%s: npx %q: the CDK CLI has no command %s", where, args, args[1])
	}
	for _, arg := range args[2:] {
		option, _, _ := strings.Cut(arg, "=")
		name, isOption := strings.CutPrefix(option, "--")
		if isOption && command.Options[name] == nil && cli.GlobalOptions[name] == nil {
			t.Errorf("%s: npx %q: the CDK CLI has no option %s", where, args, option)
		}
	}
}
