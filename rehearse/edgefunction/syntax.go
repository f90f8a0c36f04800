package edgefunction

import (
	"fmt"
	"reflect"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
)

// checkSyntax refuses syntax that AWS does not list for runtime 2.0. The list is ES 5.1 with const, let, async functions,
// template literals, arrow functions, rest parameters and **. The engine here supports more.
func checkSyntax(program *ast.Program) error {
	var problem error
	inFunction := false
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		if problem != nil {
			return
		}
		switch v.Kind() {
		case reflect.Interface:
			walk(v.Elem())
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Pointer:
			if v.IsNil() {
				return
			}
			outer := inFunction
			if node, isNode := reflect.TypeAssert[ast.Node](v); isNode {
				if name := unlisted(node, inFunction); name != "" {
					line := program.File.Position(int(node.Idx0()) - program.File.Base()).Line
					problem = fmt.Errorf("line %d uses %s, which AWS does not list for runtime 2.0 (%s)", line, name, runtime20)
					return
				}
				switch node.(type) {
				case *ast.FunctionLiteral, *ast.ArrowFunctionLiteral:
					inFunction = true
				}
			}
			walk(v.Elem())
			inFunction = outer
		case reflect.Struct:
			for i := range v.NumField() {
				// The body contains these declarations, too.
				if field := v.Type().Field(i); field.IsExported() && field.Name != "DeclarationList" {
					walk(v.Field(i))
				}
			}
		}
	}
	walk(reflect.ValueOf(program.Body))
	return problem
}

// unlisted returns the name of a node's syntax, or "" if AWS lists it.
func unlisted(node ast.Node, inFunction bool) string {
	switch n := node.(type) {
	case *ast.ClassLiteral, *ast.SuperExpression, *ast.PrivateDotExpression:
		return "a class"
	case *ast.ForOfStatement:
		return "for…of"
	case *ast.ArrayPattern, *ast.ObjectPattern:
		return "destructuring"
	case *ast.SpreadElement:
		return "spread"
	case *ast.OptionalChain, *ast.Optional:
		return "optional chaining (?.)"
	case *ast.YieldExpression:
		return "a generator"
	case *ast.MetaProperty:
		return "new.target"
	case *ast.BinaryExpression:
		if n.Operator == token.COALESCE {
			return "??"
		}
	case *ast.AssignExpression:
		switch n.Operator {
		case token.LOGICAL_AND, token.LOGICAL_OR, token.COALESCE:
			return "logical assignment"
		}
	case *ast.TemplateLiteral:
		if n.Tag != nil {
			return "a tagged template"
		}
	case *ast.FunctionLiteral:
		if n.Generator {
			return "a generator"
		}
		if n.Async && inFunction {
			return "an async function inside of another"
		}
		return defaults(n.ParameterList)
	case *ast.ArrowFunctionLiteral:
		if n.Async {
			return "an async arrow function"
		}
		return defaults(n.ParameterList)
	}
	return ""
}

func defaults(parameters *ast.ParameterList) string {
	for _, parameter := range parameters.List {
		if parameter.Initializer != nil {
			return "a parameter's default value"
		}
	}
	return ""
}
