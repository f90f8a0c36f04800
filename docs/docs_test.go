// Package docs holds the pages about this project. Its tests keep them true: links lead somewhere, paths
// exist, snippets compile, commands are accepted, and messages are those of the source.
package docs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// top is the repository's folder.
const top = ".."

// hang is longer than any command takes on a busy machine.
const hang = 10 * time.Minute

// page is a Markdown file.
type page struct {
	path     string // from the repository's top
	headings []heading
	blocks   []block // code between fences
	spans    []span  // code within a line
	links    []span  // targets of links
}

type heading struct {
	level  int
	text   string
	anchor string
}

// block is a piece of code of several lines. Its first line has the number line.
type block struct {
	language, text string
	line           int
}

// span is a text within a line, without its marks.
type span struct {
	text string
	line int
}

var (
	fencePattern   = regexp.MustCompile("^\\s*```(\\w*)$")
	headingPattern = regexp.MustCompile(`^(#+) (.+)$`)
	codePattern    = regexp.MustCompile("`([^`]+)`")
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// pages returns every Markdown file of the repository that is about the project itself.
func pages(t *testing.T) []page {
	t.Helper()
	var all []page
	for _, pattern := range []string{"*.md", "docs/*.md", "rehearse/*.md", ".github/*.md", ".github/*/*.md"} {
		paths, err := filepath.Glob(filepath.Join(top, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range paths {
			rel, err := filepath.Rel(top, file)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, parse(filepath.ToSlash(rel), read(t, rel)))
		}
	}
	if len(all) < 10 {
		t.Fatalf("found %d pages, want at least 10", len(all))
	}
	return all
}

// read returns the text of a file, whose path is from the repository's top.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) && slices.Contains(made, strings.Split(name, "/")[0]) {
		t.Fatalf("%v: run `make build` first", err)
	} else if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(name, text string) page {
	p := page{path: name}
	var open *block
	for i, line := range strings.Split(text, "\n") {
		number := i + 1
		if fence := fencePattern.FindStringSubmatch(line); fence != nil {
			if open == nil {
				open = &block{language: fence[1], line: number + 1}
			} else {
				p.blocks = append(p.blocks, *open)
				open = nil
			}
			continue
		}
		if open != nil {
			open.text += line + "\n"
			continue
		}
		if h := headingPattern.FindStringSubmatch(line); h != nil {
			p.headings = append(p.headings, heading{len(h[1]), h[2], anchor(h[2])})
		}
		for _, code := range codePattern.FindAllStringSubmatch(line, -1) {
			p.spans = append(p.spans, span{code[1], number})
		}
		for _, link := range linkPattern.FindAllStringSubmatch(codePattern.ReplaceAllString(line, "code"), -1) {
			p.links = append(p.links, span{link[1], number})
		}
	}
	return p
}

// anchor returns the name that GitHub gives to a heading.
func anchor(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteRune('-')
		}
	}
	return b.String()
}

func (p page) has(anchor string) bool {
	return slices.ContainsFunc(p.headings, func(h heading) bool { return h.anchor == anchor })
}

func find(t *testing.T, all []page, name string) page {
	t.Helper()
	i := slices.IndexFunc(all, func(p page) bool { return p.path == name })
	if i < 0 {
		t.Fatalf("there is no page %s", name)
	}
	return all[i]
}

func exists(name string) bool {
	_, err := os.Stat(filepath.Join(top, filepath.FromSlash(name)))
	return err == nil
}

func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)
	for _, p := range all {
		for _, link := range p.links {
			if strings.Contains(link.text, "://") {
				continue
			}
			target, name, _ := strings.Cut(link.text, "#")
			file := p.path
			if target != "" {
				file = path.Join(path.Dir(p.path), target)
			}
			if !exists(file) {
				t.Errorf("%s:%d: the link %s leads to no file", p.path, link.line, link.text)
			} else if name != "" && !find(t, all, file).has(name) {
				t.Errorf("%s:%d: %s has no heading #%s", p.path, link.line, file, name)
			}
		}
	}
}

// TestContentsAreComplete checks that a page's list of its own sections names all of them, in order.
func TestContentsAreComplete(t *testing.T) {
	for _, p := range pages(t) {
		var listed, want []string
		for _, h := range p.headings {
			if h.level == 2 {
				want = append(want, h.anchor)
			}
		}
		lines := strings.Split(read(t, p.path), "\n")
		for i, line := range lines {
			if strings.HasPrefix(line, "- [") || strings.HasPrefix(line, "**Contents**") {
				for _, link := range linkPattern.FindAllStringSubmatch(line, -1) {
					if name, own := strings.CutPrefix(link[1], "#"); own {
						listed = append(listed, name)
					}
				}
			}
			if i > 0 && strings.HasPrefix(line, "## ") && len(listed) > 0 {
				break
			}
		}
		if p.path == "README.md" { // Its contents are within the first section's place.
			want = slices.DeleteFunc(want, func(name string) bool { return name == "contents" })
		}
		if len(listed) > 0 && !slices.Equal(listed, want) {
			t.Errorf("%s lists the sections\n%q, and has\n%q", p.path, listed, want)
		}
		if len(listed) == 0 && len(want) > 5 && !strings.HasPrefix(p.path, "CHANGELOG") {
			t.Errorf("%s has %d sections and no list of them", p.path, len(want))
		}
	}
}

func TestREADMEIsShort(t *testing.T) {
	if lines := strings.Count(read(t, "README.md"), "\n"); lines > 200 {
		t.Errorf("README.md has %d lines, want at most 200: move something to docs/", lines)
	}
}

// made are the folders that commands make, and that no checkout has.
var made = []string{"dist", "cdk.out", "node_modules", ".cache", "public", "/tmp"}

// TestPathsExist checks the paths that pages name in code: those whose first part is in the repository.
func TestPathsExist(t *testing.T) {
	pattern, file := regexp.MustCompile(`^\.?[\w.@-]+(/[\w.@-]+)*/?$`), regexp.MustCompile(`\.(go|md|yml|json)$`)
	names := map[string]bool{} // A page may name a file alone, beside a link to its folder.
	for name := range sources(t) {
		names[path.Base(name)] = true
	}
	for _, p := range pages(t) {
		names[path.Base(p.path)] = true
	}
	for _, p := range pages(t) {
		for _, code := range p.spans {
			first, rest, isPath := strings.Cut(code.text, "/")
			switch {
			case !pattern.MatchString(code.text), slices.Contains(made, first):
			case isPath && rest != "" && !exists(first) && !exists(path.Join(path.Dir(p.path), first)): // It is not of this repository.
			case !isPath && (!file.MatchString(code.text) || names[code.text] || owners[code.text]):
			case !exists(code.text) && !exists(path.Join(path.Dir(p.path), code.text)):
				t.Errorf("%s:%d: there is no %s", p.path, code.line, code.text)
			}
		}
	}
}

// owners are the names of files in an owner's repository, or of AWS's and the CDK's.
var owners = map[string]bool{
	"package.json": true, "vercel.json": true, "appspec.yaml": true, "config.yml": true, "taskdef.json": true,
	"cdk.context.json": true, ".cdk.json": true,
}

// TestPictureNamesWhatIsThere checks the paths in the picture of the architecture.
func TestPictureNamesWhatIsThere(t *testing.T) {
	found := regexp.MustCompile(`class="path"[^>]*>([^<]+)<`).FindAllStringSubmatch(read(t, "docs/architecture.svg"), -1)
	if len(found) < 10 {
		t.Errorf("found %d paths in docs/architecture.svg, want at least 10", len(found))
	}
	for _, match := range found {
		for name := range strings.FieldsSeq(match[1]) {
			if !slices.Contains(made, strings.TrimSuffix(name, "/")) && !exists(name) && !exists("rehearse/"+name) {
				t.Errorf("docs/architecture.svg names %s, which is not there", name)
			}
		}
	}
}

// rooms returns the folders and files that architecture.md lists, in its order.
func rooms(t *testing.T) []string {
	t.Helper()
	p := find(t, pages(t), "docs/architecture.md")
	i := slices.IndexFunc(p.blocks, func(b block) bool { return strings.Contains(b.text, "blogs.go ") })
	if i < 0 {
		t.Fatal("docs/architecture.md has no list of folders")
	}
	line := regexp.MustCompile(`^( *)([\w./]+) +\w`)
	var listed []string
	var parent string
	for text := range strings.Lines(p.blocks[i].text) {
		match := line.FindStringSubmatch(text)
		if match == nil {
			t.Errorf("docs/architecture.md: cannot read %q as a name and what it is", text)
			continue
		}
		name := match[2]
		if match[1] == "" {
			parent = name
		} else {
			name = path.Join(parent, name)
		}
		listed = append(listed, strings.TrimSuffix(name, "/"))
	}
	return listed
}

// TestRoomsAreListed compares the list of folders in architecture.md with the repository.
func TestRoomsAreListed(t *testing.T) {
	listed := map[string]bool{}
	for _, name := range rooms(t) {
		listed[name] = true
		if !exists(name) {
			t.Errorf("docs/architecture.md lists %s, which is not there", name)
		}
	}
	for _, folder := range []string{"*", "stacks/*", "lambdas/*"} {
		entries, err := filepath.Glob(filepath.Join(top, folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range entries {
			rel, err := filepath.Rel(top, filepath.Dir(file))
			if err != nil {
				t.Fatal(err)
			}
			if rel := filepath.ToSlash(rel); !listed[rel] {
				listed[rel] = true
				t.Errorf("docs/architecture.md does not list the folder %s", rel)
			}
		}
	}
}

// TestRoomsImportDownwards checks that a package imports only what architecture.md lists below its folder, or
// what is in the same one. It reads no imports of tests.
func TestRoomsImportDownwards(t *testing.T) {
	const module = "blog-deploy-pipeline/"
	listed := rooms(t)
	// roomOf returns the place in the list of a package's folder, or of the nearest one around it.
	roomOf := func(folder string) int {
		if folder == strings.TrimSuffix(module, "/") {
			folder = "main.go"
		}
		for ; folder != "."; folder = path.Dir(folder) {
			if i := slices.Index(listed, folder); i >= 0 {
				return i
			}
		}
		return -1 // TestRoomsAreListed reports it.
	}
	out, err := run(t, "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	if err != nil {
		t.Fatalf("list the packages: %v\n%s", err, out)
	}
	imports := 0
	for line := range strings.Lines(out) {
		packages := strings.Fields(line)
		user := strings.TrimPrefix(packages[0], module)
		for _, used := range packages[1:] {
			used, own := strings.CutPrefix(used, module)
			if !own {
				continue
			}
			imports++
			if roomOf(used) < roomOf(user) {
				t.Errorf("%s imports %s, which docs/architecture.md lists above it", user, used)
			}
		}
	}
	if imports < 50 {
		t.Errorf("found %d imports between packages, want at least 50", imports)
	}
}

// TestReferencesInCode checks that the pages and sections that code, comments and messages name are there.
func TestReferencesInCode(t *testing.T) {
	all := pages(t)
	reference := regexp.MustCompile(`\b((?:docs/\w+|README|CONTRIBUTING|SECURITY|CHANGELOG)\.md)(?:,? (?:says[^"']*? )?(?:under )?\\?"([A-Z][^"\\]+)\\?")?`)
	found := 0
	for name, text := range sources(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue // Tests have pages of made-up repositories.
		}
		for _, match := range reference.FindAllStringSubmatch(text, -1) {
			if strings.Contains(text, `"`+match[1]+`"`) && match[1] == "README.md" {
				continue // It is a value, such as that of a filter of paths.
			}
			found++
			if !exists(match[1]) {
				t.Errorf("%s refers to %s, which is not there", name, match[1])
			} else if match[2] != "" && !find(t, all, match[1]).has(anchor(match[2])) {
				t.Errorf("%s refers to the section %q of %s, which is not there", name, match[2], match[1])
			}
		}
	}
	if found == 0 {
		t.Error("no code refers to a page: does the pattern still match?")
	}
}

// sources returns the texts of the repository's code, by path: Go, recipes, the Makefile and scripts.
func sources(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(top, func(file string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); name == ".git" || name == "testdata" || slices.Contains(made, name) {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(top, file)
		if err != nil {
			return err
		}
		if ext := path.Ext(file); ext == ".go" || ext == ".yml" || ext == ".yaml" || entry.Name() == "Makefile" {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if rel != filepath.Join("docs", "docs_test.go") {
				texts[filepath.ToSlash(rel)] = string(text)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// TestMessagesAreOurs looks up the messages of this project in its code. An … stands for what differs.
func TestMessagesAreOurs(t *testing.T) {
	var code strings.Builder
	for name, text := range sources(t) {
		if !strings.HasSuffix(name, "_test.go") {
			code.WriteString(text)
		}
	}
	text := code.String()
	varies := regexp.MustCompile(`…|: |'|"|\d+|\b[A-Z_]{6,}\b`)
	rows := 0
	for line := range strings.Lines(read(t, "docs/troubleshooting.md")) {
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || cells[1] != "this project" {
			continue
		}
		rows++
		for _, message := range codePattern.FindAllStringSubmatch(cells[0], -1) {
			for _, piece := range varies.Split(message[1], -1) {
				piece = strings.Trim(piece, " ,;.()")
				_, tail, _ := strings.Cut(piece, " ") // The first word may be the name of a service.
				if len(piece) > 3 && !strings.Contains(text, piece) && (len(tail) < 4 || !strings.Contains(text, tail)) {
					t.Errorf("docs/troubleshooting.md: no code says %q of %q", piece, message[1])
				}
			}
		}
	}
	if rows < 15 {
		t.Errorf("found %d messages of this project, want at least 15", rows)
	}
}

// run runs a command in the repository's folder, and returns what it says.
func run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = top
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); !strings.HasPrefix(name, "MAKE") && name != "MFLAGS" {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}
