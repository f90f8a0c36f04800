package props_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The comment of each field that an owner sets says what it is if the owner leaves it out.
func TestEachCommentSaysDefaultOrRequired(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`\b(Default[^.]*:|Required\b)`)
	fset, seen := token.NewFileSet(), 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			owner, isType := n.(*ast.TypeSpec)
			if !isType {
				return true
			}
			fields, isStruct := owner.Type.(*ast.StructType)
			if !isStruct || !owner.Name.IsExported() || owner.Name.Name == "Identity" { // No owner writes an Identity.
				return false
			}
			for _, field := range fields.Fields.List {
				for _, fieldName := range field.Names {
					if !fieldName.IsExported() {
						continue
					}
					if seen++; !said.MatchString(field.Doc.Text()) {
						t.Errorf("%s: the comment of %s.%s says neither \"Default: …\" nor \"Required\"", fset.Position(field.Pos()), owner.Name, fieldName)
					}
				}
			}
			return false
		})
	}
	if seen < 150 {
		t.Errorf("only %d fields were seen", seen)
	}
}
