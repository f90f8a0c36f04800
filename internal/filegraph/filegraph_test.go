package filegraph

import (
	"go/importer"
	"go/token"
	"os"
	"path/filepath"
	"testing"
)

// oneWay are the packages, as patterns of the go command, whose files must not use each other in a
// circle. A package of two or three files can be read with one. Two larger packages have one, since a cut would add code:
// rehearse/fakeaws, whose Cloud holds the state that the files of its services change under one lock, and rehearse/assembly,
// where resolving a name resolves the properties of a resource, and those have names in them.
var oneWay = []string{
	"blog-deploy-pipeline",
	"blog-deploy-pipeline/appspec",
	"blog-deploy-pipeline/buildspec/...",
	"blog-deploy-pipeline/lambdas/...",
	"blog-deploy-pipeline/operate/...",
	"blog-deploy-pipeline/rehearse/checkout",
	"blog-deploy-pipeline/rehearse/codebuild",
	"blog-deploy-pipeline/rehearse/distribution",
	"blog-deploy-pipeline/rehearse/edge",
	"blog-deploy-pipeline/rehearse/edgefunction",
	"blog-deploy-pipeline/rehearse/functiontest",
	"blog-deploy-pipeline/rehearse/hugo",
	"blog-deploy-pipeline/rehearse/iam",
	"blog-deploy-pipeline/rehearse/iampolicy",
	"blog-deploy-pipeline/rehearse/lambdaruntime",
	"blog-deploy-pipeline/rehearse/leftovers",
	"blog-deploy-pipeline/rehearse/pipeline",
	"blog-deploy-pipeline/rehearse/readers",
	"blog-deploy-pipeline/rehearse/rehearsal",
	"blog-deploy-pipeline/rehearse/s3",
	"blog-deploy-pipeline/rehearse/show",
	"blog-deploy-pipeline/stacks",
	"blog-deploy-pipeline/stacks/cdk",
	"blog-deploy-pipeline/stacks/delivery",
	"blog-deploy-pipeline/stacks/function",
	"blog-deploy-pipeline/stacks/hook",
	"blog-deploy-pipeline/stacks/internal/...",
	"blog-deploy-pipeline/stacks/notify",
	"blog-deploy-pipeline/stacks/pipeline",
	"blog-deploy-pipeline/stacks/props",
	"blog-deploy-pipeline/stacks/service",
	"blog-deploy-pipeline/stacks/site/...",
}

func TestFilesUseEachOtherOneWay(t *testing.T) {
	graphs, err := Load(t.Context(), oneWay...)
	if err != nil {
		t.Fatal(err)
	}
	for path, graph := range graphs {
		t.Run(path, func(t *testing.T) {
			if cycle := graph.Cycle(); cycle != nil {
				t.Errorf("%s: move what two of the files need into a file that uses neither", graph.Describe(cycle))
			}
		})
	}
}

func TestCycle(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"one way", map[string]string{
			"a.go": "type A struct{ b B }", "b.go": "type B struct{}; var shared = 1", "c.go": "var c = shared + len(A{}.b.text())", "d.go": "func (B) text() string { return `` }"}, ""},
		{"functions", map[string]string{"a.go": "func a() { b() }", "b.go": "func b() { a() }"},
			"a.go uses b of b.go, which uses a of a.go"},
		{"method of a type in another file", map[string]string{"a.go": "type A struct{}; func (a A) all() { a.part() }", "b.go": "func (A) part() {}"},
			"a.go uses part of b.go, which uses A of a.go"},
		{"method of an expression's type", map[string]string{"a.go": "func a() { list()[0].part() }; type A struct{}", "b.go": "func list() []A { return nil }; func (A) part() {}"},
			"a.go uses list of b.go, which uses A of a.go"},
		{"type and variable", map[string]string{"a.go": "type A int; var limit = 1", "b.go": "var b A", "c.go": "var c = b; var d = e", "d.go": "var e = limit; func f() { _ = c }"},
			"c.go uses e of d.go, which uses c of c.go"},
		{"local names", map[string]string{"a.go": "func a() { b := 1; _ = b }", "b.go": "func b() { a := 1; _ = a }"}, ""},
		{"fields", map[string]string{"a.go": "type A struct{ size int }; func a() { _ = b().size }", "b.go": "func b() struct{ size int } { return struct{ size int }{} }"}, ""},
		{"three", map[string]string{"a.go": "func a() { b() }", "b.go": "func b() { c() }", "c.go": "func c() { a() }"},
			"a.go uses b of b.go, which uses c of c.go, which uses a of a.go"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			var names []string
			for name, text := range test.files {
				names = append(names, filepath.Join(dir, name))
				if err := os.WriteFile(names[len(names)-1], []byte("package p\n"+text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			graph, err := load("p", token.NewFileSet(), names, importer.Default())
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if cycle := graph.Cycle(); cycle != nil {
				got = graph.Describe(cycle)
			}
			if got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}
