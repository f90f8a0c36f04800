// Package shortform writes a CloudFormation template as its differences from another one, for a person
// who reviews a change.
package shortform

import (
	"fmt"
	"maps"
	"reflect"
)

// Write returns the short form of a template. Each resource has a line with its logical id, type and
// deletion policy. The lines below it name what differs from the resource with the same logical id in
// base, or hold the whole resource if base has none. Every change of a value, in template or base
// alone, changes the text; the same change in both does not.
func Write(template, base Template) string {
	w := &writer{}
	w.line(0, "%s, compared with %s", template.Stack, base.Stack)
	got, madeNames := neutral(template)
	want, _ := neutral(base)
	for _, name := range madeNames {
		w.line(0, "made of the stack's name: %s", name)
	}
	w.differences(0, "", without(got, "Resources"), without(want, "Resources"))

	resources, others := object(got["Resources"]), object(want["Resources"])
	for _, id := range sortedKeys(resources) {
		resource := object(resources[id])
		heading := id + "  " + unquoted(resource["Type"])
		if policy, ok := resource["DeletionPolicy"]; ok {
			heading += "  DeletionPolicy " + unquoted(policy)
		}
		inHeading := []string{"Type", "DeletionPolicy"}
		other, ok := others[id]
		if !ok {
			w.line(0, "%s  (not in %s)", heading, base.Stack)
			w.elements(1, without(resource, inHeading...))
			continue
		}
		w.line(0, "%s", heading)
		w.differences(1, "", without(resource, inHeading...), without(object(other), inHeading...))
	}
	return w.String()
}

// differences writes a line for each place below path where got differs from want.
func (w *writer) differences(indent int, path string, got, want any) {
	if reflect.DeepEqual(got, want) {
		return
	}
	switch got := got.(type) {
	case map[string]any:
		if want, ok := want.(map[string]any); ok && !isLeaf(got) && !isLeaf(want) {
			w.objectDifferences(indent, path, got, want)
			return
		}
	case []any:
		if want, ok := want.([]any); ok {
			w.listDifferences(indent, path, got, want)
			return
		}
	}
	w.entry(indent, path, got)
}

func (w *writer) objectDifferences(indent int, path string, got, want map[string]any) {
	all := maps.Clone(got)
	maps.Copy(all, want)
	for _, key := range sortedKeys(all) {
		here := keyText(key)
		if path != "" {
			here = path + "." + here
		}
		gotValue, is := got[key]
		wantValue, was := want[key]
		switch {
		case !is:
			w.line(indent, "%s: absent", here)
		case !was:
			w.entry(indent, here, gotValue)
		default:
			w.differences(indent, here, gotValue, wantValue)
		}
	}
}

// listDifferences writes path[3] for an element that differs, path[+3] for one that want does not have
// and path[-3] for the element 3 of want that got does not have.
func (w *writer) listDifferences(indent int, path string, got, want []any) {
	i, j := 0, 0
	for _, next := range append(samePairs(got, want), pair{len(got), len(want)}) {
		// Elements without a name between two pairs are compared by their position.
		for ; i < next.i && j < next.j && elementName(got[i]) == nil && elementName(want[j]) == nil; i, j = i+1, j+1 {
			w.differences(indent, fmt.Sprintf("%s[%d]", path, i), got[i], want[j])
		}
		for ; j < next.j; j++ {
			removed := "absent"
			if isLeaf(want[j]) {
				removed += ", was " + text(want[j])
			}
			w.line(indent, "%s[-%d]: %s", path, j, removed)
		}
		for ; i < next.i; i++ {
			w.entry(indent, fmt.Sprintf("%s[+%d]", path, i), got[i])
		}
		if i < len(got) && j < len(want) {
			w.differences(indent, fmt.Sprintf("%s[%d]", path, i), got[i], want[j])
		}
		i, j = next.i+1, next.j+1
	}
}

// pair holds the positions of the same element in two lists.
type pair struct{ i, j int }

// samePairs returns the positions of a longest common subsequence of two lists.
func samePairs(a, b []any) []pair {
	length := make([][]int, len(a)+1)
	length[len(a)] = make([]int, len(b)+1)
	for i := len(a) - 1; i >= 0; i-- {
		length[i] = make([]int, len(b)+1)
		for j := len(b) - 1; j >= 0; j-- {
			if sameElement(a[i], b[j]) {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	var pairs []pair
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case sameElement(a[i], b[j]):
			pairs = append(pairs, pair{i, j})
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}

// sameElement compares the elements of lists: by their names, such as those of environment variables,
// or as they are.
func sameElement(a, b any) bool {
	if name := elementName(a); name != nil {
		return reflect.DeepEqual(name, elementName(b))
	}
	return reflect.DeepEqual(a, b)
}

// unquoted returns a plain string without its quotes.
func unquoted(v any) string {
	if s, ok := v.(string); ok && plain.MatchString(s) {
		return s
	}
	return text(v)
}

func elementName(v any) any { return object(v)["Name"] }
