package shortform

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWrite shows the notation.
func TestWrite(t *testing.T) {
	tests := []struct{ name, template, base, want string }{
		{"the same", `{"Role1A2B3C4D": {"Type": "AWS::IAM::Role", "Properties": {"Path": "/"}}}`,
			`{"Role1A2B3C4D": {"Type": "AWS::IAM::Role", "Properties": {"Path": "/"}}}`,
			"Role1A2B3C4D  AWS::IAM::Role\n"},
		{"deletion policy", `{"Log": {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Delete"}}`,
			`{"Log": {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain"}}`,
			"Log  AWS::Logs::LogGroup  DeletionPolicy Delete\n"},
		{"other value", `{"Log": {"Type": "L", "Properties": {"RetentionInDays": 7}}}`,
			`{"Log": {"Type": "L", "Properties": {"RetentionInDays": 30}}}`,
			"Log  L\n  Properties.RetentionInDays: 7\n"},
		{"missing and new property", `{"Log": {"Type": "L", "Properties": {"Class": "x"}}}`,
			`{"Log": {"Type": "L", "Properties": {"RetentionInDays": 30}}}`,
			"Log  L\n  Properties.Class: \"x\"\n  Properties.RetentionInDays: absent\n"},
		{"new resource", `{"Log": {"Type": "L", "Properties": {"RetentionInDays": 7, "Name": {"Ref": "AWS::StackName"}}}}`, `{}`,
			"Log  L  (not in other-site)\n  Properties: {Name: !Ref AWS::StackName, RetentionInDays: 7}\n"},
		{"resource that only the base has", `{}`, `{"Log": {"Type": "L"}}`, ""},
		{"list", `{"P": {"Type": "T", "DependsOn": ["a", "new", "c"]}}`, `{"P": {"Type": "T", "DependsOn": ["old", "a", "b", "c"]}}`,
			"P  T\n  DependsOn[-0]: absent, was \"old\"\n  DependsOn[1]: \"new\"\n"},
		{"elements with names", `{"P": {"Type": "T", "E": [{"Name": "A", "V": 1}, {"Name": "C", "V": 3}]}}`,
			`{"P": {"Type": "T", "E": [{"Name": "B", "V": 2}, {"Name": "C", "V": 2}]}}`,
			"P  T\n  E[-0]: absent\n  E[+0]: {Name: \"A\", V: 1}\n  E[1].V: 3\n"},
		{"references", `{"P": {"Type": "T", "A": {"Fn::GetAtt": ["B", "Arn"]}, "S": {"Fn::Join": ["", [{"Fn::GetAtt": ["B", "Arn"]}, "/${x}/*"]]}}}`,
			`{"P": {"Type": "T"}}`,
			"P  T\n  A: !GetAtt B.Arn\n  S: !Sub \"${B.Arn}/${!x}/*\"\n"},
		{"quotes and lines", `{"P": {"Type": "T", "J": "{\"a\":1}", "L": "one\n\ntwo\n"}}`, `{"P": {"Type": "T"}}`,
			"P  T\n  J: `{\"a\":1}`\n  L: |\n    one\n\n    two\n\n"},
		{"owner's name", `{"P": {"Type": "T", "A": "blog:blog-site", "B": "weblogs", "C": "x_blog"}}`,
			`{"P": {"Type": "T", "A": "other:other-site", "B": "weblogs", "C": "x_other"}}`,
			"P  T\n"},
		{"name that the CDK made", `{"P": {"Type": "T", "A": ["blogsiteOrigin1A2B3C4D", "blogsiteOrigin1A2B3C4D"]}}`,
			`{"P": {"Type": "T", "A": ["othersiteOriginFFFFFFFF", "othersiteOriginFFFFFFFF"]}}`,
			"made of the stack's name: blogsiteOrigin1A2B3C4D\nP  T\n"},
		{"made names that differ in their hashes", `{"P": {"Type": "T", "A": ["blogsiteOrigin1A2B3C4D", "blogsiteOrigin5A2B3C4D"]}}`, `{"P": {"Type": "T", "A": []}}`,
			"P  T\n  A[+0]: \"blogsiteOrigin1A2B3C4D\"\n  A[+1]: \"blogsiteOrigin5A2B3C4D\"\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Write(resources(t, "blog", test.template), resources(t, "other", test.base))
			if want := "blog-site, compared with other-site\n" + test.want; got != want {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

func resources(t *testing.T, owner, text string) Template {
	t.Helper()
	made, err := Decode(owner+"-site", owner, []byte(`{"Resources": `+text+`}`))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// TestSections compares what is outside of resources.
func TestSections(t *testing.T) {
	template := Template{Stack: "a-site", Owner: "a", Body: map[string]any{"Outputs": map[string]any{"URL": map[string]any{"Value": "x"}}}}
	base := Template{Stack: "b-site", Owner: "b", Body: map[string]any{"Description": "d", "Outputs": map[string]any{"URL": map[string]any{"Value": "y"}}}}
	want := "a-site, compared with b-site\nDescription: absent\nOutputs.URL.Value: \"x\"\n"
	if got := Write(template, base); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

// wholes are pairs of the whole golden templates: of one kind and of two.
var wholes = []struct{ template, base string }{
	{"search-service", "api-service"},
	{"modern-pipeline", "api-service"},
	{"virginia-site", "modern-pipeline"},
}

func whole(t *testing.T, stack string) Template {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", stack+".template.json"))
	if err != nil {
		t.Fatal(err)
	}
	template, err := Decode(stack, stack[:strings.LastIndex(stack, "-")], text)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// TestEveryChangeShows changes one value at a time in real templates.
func TestEveryChangeShows(t *testing.T) {
	for _, pair := range wholes {
		t.Run(pair.template, func(t *testing.T) {
			t.Parallel()
			eachResource(whole(t, pair.template), whole(t, pair.base), func(template, base Template) {
				before := Write(template, base)
				for _, leaf := range leaves(template.Body, "") {
					for _, other := range otherValues(leaf.value) {
						leaf.set(other)
						if Write(template, base) == before {
							t.Errorf("%s from %q to %q: the short form does not show it", leaf.path, leaf.value, other)
						}
					}
					leaf.set(leaf.value)
				}
			})
		})
	}
}

// TestSharedChangeDoesNotShow changes one value at a time in resources that are the same in both
// templates. Type and deletion policy are in each short form.
func TestSharedChangeDoesNotShow(t *testing.T) {
	shared := 0
	eachResource(whole(t, "search-service"), whole(t, "api-service"), func(template, base Template) {
		mine, others := leaves(template.Body, ""), leaves(base.Body, "")
		if fmt.Sprint(template.Body) != fmt.Sprint(base.Body) {
			return
		}
		before := Write(template, base)
		for i, leaf := range mine {
			if strings.Count(leaf.path, ".") < 4 { // .Resources.Log.Type and .Resources.Log.DeletionPolicy
				continue
			}
			shared++
			leaf.set("another")
			others[i].set("another")
			if Write(template, base) != before {
				t.Errorf("%s: the short form shows a change that both templates have", leaf.path)
			}
			leaf.set(leaf.value)
			others[i].set(leaf.value)
		}
	})
	if shared < 200 {
		t.Errorf("changed %d values, want at least 200", shared)
	}
}

// eachResource calls try with each resource of a template, alone and beside the one of base. The short
// form of a whole template takes too long for as many calls.
func eachResource(template, base Template, try func(template, base Template)) {
	for _, id := range sortedKeys(object(template.Body["Resources"])) {
		alone := func(t Template) Template {
			part := map[string]any{}
			if resource, ok := object(t.Body["Resources"])[id]; ok {
				part[id] = resource
			}
			t.Body = map[string]any{"Resources": part}
			return t
		}
		try(alone(template), alone(base))
	}
}

// leaf is a value in decoded JSON that is no object and no list.
type leaf struct {
	path  string
	value any
	set   func(any)
}

func leaves(v any, path string) (found []leaf) {
	add := func(path string, value any, set func(any)) {
		switch value.(type) {
		case map[string]any, []any:
			found = append(found, leaves(value, path)...)
		default:
			found = append(found, leaf{path, value, set})
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range sortedKeys(v) {
			add(path+"."+key, v[key], func(value any) { v[key] = value })
		}
	case []any:
		for i := range v {
			add(fmt.Sprintf("%s[%d]", path, i), v[i], func(value any) { v[i] = value })
		}
	}
	return found
}

// otherValues returns values that could be taken for v.
func otherValues(v any) []any {
	switch v := v.(type) {
	case string:
		return []any{v + "x", v + " ", map[string]any{"Ref": v}}
	case json.Number:
		return []any{"1" + v, v.String()}
	case bool:
		return []any{!v, fmt.Sprint(v)}
	}
	return []any{"null"}
}
