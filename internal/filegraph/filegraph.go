// Package filegraph finds files of a Go package that use each other in a circle. A reader of such a
// package has no file to begin with.
package filegraph

import (
	"context"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Graph holds, for each file of a package, the files that it uses and one name that it uses of each.
type Graph map[string]map[string]string

// Load returns the graph of each package that matches one of the patterns, by the package's path.
// Patterns are those of the go command, which Load runs.
func Load(ctx context.Context, patterns ...string) (map[string]Graph, error) {
	const format = `{{.ImportPath}}	{{.Export}}	{{if not .DepOnly}}{{.Dir}}	{{join .GoFiles "	"}}{{end}}`
	list := exec.CommandContext(ctx, "go", append([]string{"list", "-export", "-deps", "-f", format}, patterns...)...) //nolint:gosec // Only tests name patterns.
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", list, err)
	}
	exports := map[string]string{}
	files := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		path := fields[0]
		exports[path] = fields[1]
		if dir := fields[2]; dir != "" {
			for _, name := range fields[3:] {
				files[path] = append(files[path], filepath.Join(dir, name))
			}
		}
	}
	graphs := map[string]Graph{}
	for path, names := range files {
		fset := token.NewFileSet()
		lookup := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
		if graphs[path], err = load(path, fset, names, importer.ForCompiler(fset, "gc", lookup)); err != nil {
			return nil, err
		}
	}
	return graphs, nil
}

func load(path string, fset *token.FileSet, names []string, dependencies types.Importer) (Graph, error) {
	var parsed []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, file)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	pkg, err := (&types.Config{Importer: dependencies}).Check(path, fset, parsed, info)
	if err != nil {
		return nil, fmt.Errorf("check types of %s: %w", path, err)
	}
	fileOf := func(pos token.Pos) string { return filepath.Base(fset.Position(pos).Filename) }
	graph := Graph{}
	for ident, object := range info.Uses {
		if object.Pkg() != pkg || !isDeclaration(object) {
			continue
		}
		user, used := fileOf(ident.Pos()), fileOf(object.Pos())
		if user == used {
			continue
		}
		if graph[user] == nil {
			graph[user] = map[string]string{}
		}
		// The first in the alphabet, so that each run says the same.
		if name, ok := graph[user][used]; !ok || object.Name() < name {
			graph[user][used] = object.Name()
		}
	}
	return graph, nil
}

// isDeclaration reports whether an object is a method or is declared outside of functions.
func isDeclaration(object types.Object) bool {
	if function, ok := object.(*types.Func); ok && function.Signature().Recv() != nil {
		return true
	}
	return object.Parent() == object.Pkg().Scope()
}

// Cycle returns the shortest circle of files, the first of which is also the last, or nil.
func (g Graph) Cycle() []string {
	var shortest []string
	for _, file := range slices.Sorted(maps.Keys(g)) {
		if cycle := g.way(file, file); cycle != nil && (shortest == nil || len(cycle) < len(shortest)) {
			shortest = cycle
		}
	}
	return shortest
}

// way returns the files on a shortest way from one to another, both included.
func (g Graph) way(from, to string) []string {
	seen := map[string]bool{}
	ways := [][]string{{from}}
	for len(ways) > 0 {
		way := ways[0]
		ways = ways[1:]
		for _, next := range slices.Sorted(maps.Keys(g[way[len(way)-1]])) {
			longer := append(slices.Clone(way), next)
			if next == to {
				return longer
			}
			if !seen[next] {
				seen[next] = true
				ways = append(ways, longer)
			}
		}
	}
	return nil
}

// Describe returns a circle of files with the names that they use of each other.
func (g Graph) Describe(cycle []string) string {
	var text strings.Builder
	text.WriteString(cycle[0])
	for i, file := range cycle[1:] {
		fmt.Fprintf(&text, " uses %s of %s, which", g[cycle[i]][file], file)
	}
	return strings.TrimSuffix(text.String(), ", which")
}
