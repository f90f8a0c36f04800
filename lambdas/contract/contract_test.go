package contract_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
)

// module is the root of the module.
const module = "../.."

// ambiguous are constants whose value other code also uses with another meaning, so that
// the value alone does not show a second spelling.
var ambiguous = map[string]string{
	"AllowDeletionsNo":     "also a word of messages",
	"AllowDeletionsYes":    "also a word of messages",
	"AllPaths":             "also the wildcard of other paths",
	"DimensionBlog":        "also a word of messages",
	"DimensionService":     "also a word of messages",
	"EnvService":           "also a variable of make and of the recipe ecs.yml",
	"ExampleAccount":       "also a part of the example values in blogs.go and services.go",
	"OnFailureFail":        "also a word of messages",
	"OnFailureProceed":     "also a word of messages",
	"OnFailureRollBack":    "also a command of make",
	"OutputAppSpec":        "also the name of the file",
	"OutputLifecycleHooks": "also a property of AWS::ECS::Service",
	"WaitForCompleted":     "also a state of an invalidation in the hook",
	"WaitForCreated":       "also a state of an invalidation in the hook",
}

// spellings returns, for each constant of this package that is not ambiguous, the pattern
// of its value.
func spellings(t *testing.T) map[string]*regexp.Regexp {
	t.Helper()
	patterns := map[string]*regexp.Regexp{
		// The names in JSON, as struct tags and texts have them.
		"DistributionID": regexp.MustCompile(`DistributionId\\*":|json:\\*"DistributionId`),
		"PipelineName":   regexp.MustCompile(`PipelineName\\*":|json:\\*"PipelineName`),
	}
	constants := map[string]string{}
	for _, file := range goFiles(t, ".") {
		for _, declaration := range parse(t, file).Decls {
			group, ok := declaration.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				value := spec.(*ast.ValueSpec)
				constants[value.Names[0].Name] = unquote(t, value.Values[0].(*ast.BasicLit))
			}
		}
	}
	for name, value := range constants {
		switch {
		case ambiguous[name] != "":
		case strings.HasPrefix(name, "Stack"): // as the end of a name, not as the name of one stack
			patterns[name] = regexp.MustCompile(`^-` + value + `$|[$"'/]-` + value + `\\?\.template`)
		default:
			patterns[name] = regexp.MustCompile(`(^|[^0-9A-Za-z_])` + value)
		}
	}
	for name := range ambiguous {
		if constants[name] == "" {
			t.Errorf("ambiguous has %s, which is no constant of this package", name)
		}
	}
	return patterns
}

// TestEachNameIsSpeltOnce looks for second spellings in the string literals of all Go code
// and in the make and shell code of the module.
func TestEachNameIsSpeltOnce(t *testing.T) {
	patterns := spellings(t)
	check := func(where, text string) {
		for name, pattern := range patterns {
			// The props in a test may have such a value.
			ofProps := strings.HasPrefix(name, "Stack") && strings.Contains(where, "_test.go")
			if pattern.MatchString(text) && !ofProps {
				t.Errorf("%s spells contract.%s: %.80q; use the constant", where, name, text)
			}
		}
	}
	var goCount, shellCount int
	for _, path := range files(t) {
		switch {
		case filepath.Ext(path) == ".go":
			goCount++
			ast.Inspect(parse(t, path), func(node ast.Node) bool {
				if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					check(fileSet.Position(literal.Pos()).String(), unquote(t, literal))
				}
				return true
			})
		case isShell(t, path):
			shellCount++
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for i, text := range strings.Split(string(content), "\n") {
				if !strings.HasPrefix(strings.TrimSpace(text), "#") {
					check(fmt.Sprint(path, ":", i+1), text)
				}
			}
		}
	}
	if goCount < 100 || shellCount < 2 {
		t.Errorf("read %d files of Go and %d of make and shell, want all of the module", goCount, shellCount)
	}
}

// files returns the files of the module without this package, golden data and what git
// ignores.
func files(t *testing.T) (paths []string) {
	t.Helper()
	skip := []string{".git", ".cache", "node_modules", "dist", "cdk.out", "testdata"}
	err := filepath.WalkDir(module, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (slices.Contains(skip, entry.Name()) || path == filepath.Join(module, "lambdas", "contract")):
			return filepath.SkipDir
		case entry.Type().IsRegular():
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// isShell reports whether a file has make or shell code.
func isShell(t *testing.T, path string) bool {
	t.Helper()
	if name := filepath.Base(path); name == "Makefile" || filepath.Ext(name) == ".sh" || filepath.Ext(name) == ".mk" {
		return true
	}
	if filepath.Ext(path) != "" {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	start := make([]byte, 2)
	_, _ = file.Read(start) // an empty file has no code
	return bytes.Equal(start, []byte("#!"))
}

// goFiles returns the Go files of a folder without its tests.
func goFiles(t *testing.T, folder string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(paths, func(path string) bool { return strings.HasSuffix(path, "_test.go") })
}

var (
	fileSet = token.NewFileSet()
	parsed  = map[string]*ast.File{}
)

func parse(t *testing.T, path string) *ast.File {
	t.Helper()
	if parsed[path] == nil {
		file, err := parser.ParseFile(fileSet, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed[path] = file
	}
	return parsed[path]
}

func unquote(t *testing.T, literal *ast.BasicLit) string {
	t.Helper()
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The functions and the templates of an earlier version have these texts.
func TestJSON(t *testing.T) {
	distribution := contract.Distribution{ID: "E2EXAMPLE", Paths: []string{"/a?b&c", "/*"}}
	for _, tt := range []struct {
		value any
		want  string
	}{
		{contract.UserParameters{PipelineName: "my-blog", Distribution: distribution}, `{"PipelineName":"my-blog","DistributionId":"E2EXAMPLE","Paths":["/a?b&c","/*"]}`},
		{contract.UserParameters{PipelineName: "my-blog", Distribution: contract.Distribution{ID: "E2EXAMPLE"}}, `{"PipelineName":"my-blog","DistributionId":"E2EXAMPLE"}`},
		{[]contract.Distribution{distribution}, `[{"DistributionId":"E2EXAMPLE","Paths":["/a?b&c","/*"]}]`},
	} {
		got := contract.JSON(tt.value)
		if got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.value, got, tt.want)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%s is no JSON", got)
		}
	}
}

func TestStackName(t *testing.T) {
	name := contract.StackName("my-blog", contract.StackPipeline)
	if name != "my-blog-pipeline" {
		t.Errorf("name is %s, want my-blog-pipeline", name)
	}
	if blog, ok := contract.CutStackName(name, contract.StackPipeline); blog != "my-blog" || !ok {
		t.Errorf("it belongs to %q, %v, want my-blog", blog, ok)
	}
	if _, ok := contract.CutStackName(name, contract.StackSite); ok {
		t.Error("it is of another kind, too")
	}
}
