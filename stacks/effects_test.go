package stacks

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/assembly"
)

// propComments returns the comments of all types and fields, each in one line, by "Type"
// and "Type.Field".
func propComments(t *testing.T) map[string]string {
	t.Helper()
	comments := map[string]string{}
	line := func(comment *ast.CommentGroup) string { return strings.Join(strings.Fields(comment.Text()), " ") }
	for _, file := range sources(t) {
		for _, declared := range file.Decls {
			types, ok := declared.(*ast.GenDecl)
			if !ok || types.Tok != token.TYPE {
				continue
			}
			for _, of := range types.Specs {
				named := of.(*ast.TypeSpec)
				if of, ok := named.Type.(*ast.StructType); ok {
					comments[named.Name.Name] = line(types.Doc)
					for _, field := range of.Fields.List {
						for _, name := range field.Names {
							comments[named.Name.Name+"."+name.Name] = line(field.Doc)
						}
					}
				}
			}
		}
	}
	return comments
}

// methodsByType returns the names of each type's methods.
func methodsByType(t *testing.T) map[string][]string {
	t.Helper()
	methods := map[string][]string{}
	for _, file := range sources(t) {
		for _, declared := range file.Decls {
			if method, ok := declared.(*ast.FuncDecl); ok && method.Recv != nil {
				if of, ok := method.Recv.List[0].Type.(*ast.Ident); ok {
					methods[of.Name] = append(methods[of.Name], method.Name.Name)
				}
			}
		}
	}
	return methods
}

// sources returns the files of package props, without its tests.
func sources(t *testing.T) []*ast.File {
	t.Helper()
	folder := filepath.Join(root, "stacks", "props")
	paths, err := fs.Glob(os.DirFS(folder), "*.go")
	if err != nil || len(paths) == 0 {
		t.Fatalf("the files of package props are %v, %v", paths, err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, path), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// spec has the properties of each type that CloudFormation can change only by making another resource.
type spec map[string][]string

// readSpec reads the specification that the CDK CLI contains for `cdk diff`.
func readSpec(t *testing.T) spec {
	t.Helper()
	packed, err := os.Open(filepath.Join("node_modules", "aws-cdk", "db.json.gz"))
	if err != nil {
		t.Fatalf("%v: make installs it", err)
	}
	defer func() { _ = packed.Close() }()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	var db struct {
		Schema struct {
			Resource struct {
				Entities []struct {
					CloudFormationType string
					Properties         map[string]struct{ CausesReplacement string }
				}
			}
		}
	}
	if err := json.NewDecoder(unpacked).Decode(&db); err != nil {
		t.Fatal(err)
	}
	replacing := spec{}
	for _, of := range db.Schema.Resource.Entities {
		replacing[of.CloudFormationType] = []string{}
		for name, property := range of.Properties {
			if property.CausesReplacement == "yes" {
				replacing[of.CloudFormationType] = append(replacing[of.CloudFormationType], name)
			}
		}
	}
	if !slices.Contains(replacing["AWS::S3::Bucket"], "BucketName") || len(replacing["AWS::CloudFront::Distribution"]) != 0 {
		t.Fatalf("%s is not as it was: a bucket is replaced by %v", packed.Name(), replacing["AWS::S3::Bucket"])
	}
	return replacing
}

var hashPattern = regexp.MustCompile(`[0-9A-F]{8}$`)

// effectsOf returns what an update does to resources with contents: a list by their ids without hash.
func effectsOf(before, after map[string]*assembly.Template, replacing spec) string {
	var effects []string
	same := len(before) == len(after)
	for _, id := range slices.Sorted(maps.Keys(before)) {
		old, changed := before[id], after[id]
		if changed == nil || changed.Account != old.Account || changed.Region != old.Region {
			effects = append(effects, "leaves the stack "+id)
			continue
		}
		same = same && reflect.DeepEqual(old.Resources, changed.Resources) && reflect.DeepEqual(old.Outputs, changed.Outputs)
		effects = append(effects, stackEffects(old, changed, replacing)...)
	}
	if same && len(effects) == 0 {
		return unseen
	}
	return strings.Join(effects, ", ")
}

// stackEffects returns the effects in one stack.
func stackEffects(before, after *assembly.Template, replacing spec) []string {
	// A resource that refers to a replaced one gets another value, and may be replaced for that.
	replaced := map[string]bool{}
	differs := func(old, changed any) bool {
		return !reflect.DeepEqual(old, changed) || refersTo(changed, replaced)
	}
	for again := true; again; {
		again = false
		for id, old := range before.Resources {
			changed, stays := after.Resources[id]
			if !stays || replaced[id] {
				continue
			}
			if changed.Type != old.Type || slices.ContainsFunc(replacing[old.Type], func(property string) bool {
				return differs(old.Properties[property], changed.Properties[property])
			}) {
				replaced[id], again = true, true
			}
		}
	}
	var effects []string
	for _, id := range slices.Sorted(maps.Keys(union(before.Resources, after.Resources))) {
		old, was := before.Resources[id]
		changed, stays := after.Resources[id]
		of := cmp.Or(old.Type, changed.Type)
		verb := ""
		switch watched := slices.Contains(guarded, of); {
		case !watched && slices.Contains(passing, of), hashPattern.ReplaceAllString(id, "") == "Task":
		case !was:
			if watched {
				verb = "adds"
			}
		case !stays && strings.HasPrefix(old.DeletionPolicy, "Retain"):
			verb = "leaves"
		case !stays:
			verb = "removes"
		case replaced[id]:
			verb = "replaces"
		case watched:
			old.Metadata, changed.Metadata = nil, nil
			if !reflect.DeepEqual(old, changed) || refersTo(changed.Properties, replaced) {
				verb = "updates"
			}
		}
		if verb != "" {
			effects = append(effects, verb+" "+hashPattern.ReplaceAllString(id, ""))
		}
	}
	effects = append(effects, earlyPorts(before, after)...)
	// A failed update is rolled back in the same order: CloudFormation deletes what the update added at
	// the end.
	if len(earlyPorts(after, before)) > 0 {
		effects = append(effects, "cannot be undone")
	}
	return effects
}

// earlyPorts returns the listeners that need a port which another listener still uses: CloudFormation
// removes a listener at the end of an update, and changes listeners in any order that respects the
// dependencies.
func earlyPorts(before, after *assembly.Template) []string {
	var effects []string
	for id, wants := range after.Resources {
		if wants.Type != "AWS::ElasticLoadBalancingV2::Listener" {
			continue
		}
		for other, has := range before.Resources {
			_, stays := after.Resources[other]
			if other != id && has.Type == wants.Type && has.Properties["Port"] == wants.Properties["Port"] && (!stays || !slices.Contains(wants.DependsOn, other)) {
				effects = append(effects, fmt.Sprintf("wants port %v too early", wants.Properties["Port"]))
			}
		}
	}
	return effects
}

func union[V any](a, b map[string]V) map[string]V {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// refersTo reports whether a part of a template names one of these resources.
func refersTo(part any, ids map[string]bool) bool {
	switch part := part.(type) {
	case []any:
		return slices.ContainsFunc(part, func(item any) bool { return refersTo(item, ids) })
	case map[string]any:
		for key, value := range part {
			switch of := value.(type) {
			case string:
				if key == "Ref" && ids[of] {
					return true
				}
			case []any:
				if key == "Fn::GetAtt" && ids[of[0].(string)] {
					return true
				}
			}
			if refersTo(value, ids) {
				return true
			}
		}
	}
	return false
}
