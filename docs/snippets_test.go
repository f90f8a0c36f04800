package docs

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

const propsPath = "blog-deploy-pipeline/stacks/props"

// packages are what a snippet uses without an import, by name.
var packages = map[string]string{
	"props": propsPath, "awscdk": "github.com/aws/aws-cdk-go/awscdk/v2", "jsii": "github.com/aws/jsii-runtime-go",
}

// checker type-checks snippets against the packages that owners use.
type checker struct {
	fset     *token.FileSet
	importer types.Importer
	props    *types.Package
}

func newChecker(t *testing.T) *checker {
	t.Helper()
	out, err := run(t, "go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "./stacks/...")
	if err != nil {
		t.Fatalf("list the packages of the snippets: %v\n%.2000s", err, out)
	}
	files := map[string]string{}
	for line := range strings.Lines(out) {
		if name, file, found := strings.Cut(strings.TrimSpace(line), " "); found {
			files[name] = file
		}
	}
	c := &checker{fset: token.NewFileSet()}
	c.importer = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, fmt.Errorf("no package %s", path)
		}
		return os.Open(files[path])
	})
	if c.props, err = c.importer.Import(propsPath); err != nil {
		t.Fatal(err)
	}
	return c
}

// check type-checks a file whose body has the snippet, and returns the types of its expressions.
func (c *checker) check(body string) (*ast.File, *types.Info, error) {
	text := "package snippet\n"
	for name, path := range packages {
		if strings.Contains(body, name+".") {
			text += fmt.Sprintf("import %s %q\n", name, path)
		}
	}
	return c.checkFile(text + body)
}

// checkFile type-checks a whole file, and returns the types of its expressions.
func (c *checker) checkFile(text string) (*ast.File, *types.Info, error) {
	file, err := parser.ParseFile(c.fset, "snippet.go", text, 0)
	if err != nil {
		return nil, nil, err
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	_, err = (&types.Config{Importer: c.importer}).Check("snippet", c.fset, []*ast.File{file}, info)
	return file, info, err
}

// shortened are what stands for "and so on" in a snippet.
var shortened = strings.NewReplacer("{…}", "{}", "{…, ", "{", "(…)", "(nil)")

// TestBlocksCompile compiles each Go snippet where its reader would put it.
func TestBlocksCompile(t *testing.T) {
	c := newChecker(t)
	compiled := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language != "go" {
				continue
			}
			compiled++
			text := shortened.Replace(b.text)
			line := fmt.Sprintf("\n//line %s:%d\n", p.path, b.line)
			check, body := c.check, line+text
			switch {
			case strings.HasPrefix(text, "package "):
				check = c.checkFile
			case strings.HasPrefix(text, "{"):
				body = "var _ = []props.Blog{" + line + text + "}"
			case strings.HasPrefix(text, "props."):
				body = "var _ = []props.Service{" + line + text + "}"
			case strings.HasPrefix(text, "awscdk."):
				body = "var app awscdk.App\nfunc _() {" + line + text + "}"
			}
			if _, _, err := check(body); err != nil {
				t.Errorf("%v\n%s", err, b.text)
			}
		}
	}
	if compiled < 4 {
		t.Errorf("found %d Go snippets, want at least 4", compiled)
	}
}

var (
	fieldPattern = regexp.MustCompile(`^([A-Z]\w+\.)?([A-Z]\w+): (\S.*)$`)
	pathPattern  = regexp.MustCompile(`^([A-Z]\w+)\.([A-Z]\w+)\b`)
	valuePattern = regexp.MustCompile(`^props\.\w+`)
)

// TestFieldsAreProps checks what pages say within a line: a field with a value (`FullClone: true`), a field
// of a type (`Build.HugoVersion`), and a name of the package (`props.OnFailureFail`).
func TestFieldsAreProps(t *testing.T) {
	c := newChecker(t)
	checked := 0
	for _, p := range pages(t) {
		if p.path == "CHANGELOG.md" { // It names what there was before.
			continue
		}
		for _, code := range p.spans {
			text := shortened.Replace(code.text)
			where := fmt.Sprintf("%s:%d: %s", p.path, code.line, code.text)
			switch field, path := fieldPattern.FindStringSubmatch(text), pathPattern.FindStringSubmatch(text); {
			case field != nil && (strings.Contains(field[3], "props.") || strings.Contains(field[3], "[]string") || field[3] == "true" || regexp.MustCompile(`^\d+$|^"[^"]*"$`).MatchString(field[3])):
				checked++
				if err := c.accepts(strings.TrimSuffix(field[1], "."), field[2], field[3]); err != nil {
					t.Errorf("%s: %v", where, err)
				}
			case path != nil && c.props.Scope().Lookup(path[1]) != nil:
				checked++
				if structOf(c.props.Scope().Lookup(path[1])) == nil || fieldOf(c.props.Scope().Lookup(path[1]), path[2]) == nil {
					t.Errorf("%s: %s has no %s", where, path[1], path[2])
				}
			case valuePattern.MatchString(text):
				checked++
				body := "var _ = " + text
				if name := c.props.Scope().Lookup(strings.TrimPrefix(text, "props.")); name != nil {
					if _, isType := name.(*types.TypeName); isType {
						body = "var _ " + text
					}
				}
				if _, _, err := c.check(body); err != nil {
					t.Errorf("%s: %v", where, err)
				}
			}
		}
	}
	if checked < 30 {
		t.Errorf("found %d names of props, want at least 30", checked)
	}
}

// accepts returns nil if a struct of props, or the one called owner, has a field that the value fits.
func (c *checker) accepts(owner, field, value string) error {
	file, info, err := c.check("var value = " + value)
	if err != nil {
		return err
	}
	decl := file.Decls[len(file.Decls)-1].(*ast.GenDecl)
	expr := decl.Specs[0].(*ast.ValueSpec).Values[0]
	got := info.Types[expr]
	scope, known := c.props.Scope(), false
	for _, name := range scope.Names() {
		if owner != "" && name != owner {
			continue
		}
		v := fieldOf(scope.Lookup(name), field)
		if v == nil {
			continue
		}
		known = true
		if types.AssignableTo(got.Type, v.Type()) || got.Value != nil && types.ConvertibleTo(got.Type, v.Type()) && basicKind(got.Type) == basicKind(v.Type()) {
			return nil
		}
	}
	if !known {
		return fmt.Errorf("no struct of props has a field %s", field)
	}
	return fmt.Errorf("no field %s accepts a %s", field, got.Type)
}

// basicKind returns whether a type is of texts, numbers or booleans.
func basicKind(t types.Type) types.BasicInfo {
	basic, isBasic := t.Underlying().(*types.Basic)
	if !isBasic {
		return -1
	}
	return basic.Info() & (types.IsString | types.IsNumeric | types.IsBoolean) &^ types.IsFloat &^ types.IsComplex
}

func structOf(object types.Object) *types.Struct {
	if object == nil {
		return nil
	}
	s, _ := object.Type().Underlying().(*types.Struct)
	return s
}

func fieldOf(object types.Object, name string) *types.Var {
	s := structOf(object)
	if s == nil {
		return nil
	}
	for field := range s.Fields() {
		if field.Name() == name {
			return field
		}
	}
	return nil
}
