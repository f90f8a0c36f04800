package shortform

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Template is a stack's template, decoded.
type Template struct {
	Stack string // The stack's name, such as "docs-service".
	Owner string // The blog's or service's name, such as "docs".
	Body  map[string]any
}

// Decode returns a template from its JSON. Its numbers keep their spelling.
func Decode(stack, owner string, text []byte) (Template, error) {
	t := Template{Stack: stack, Owner: owner}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&t.Body); err != nil {
		return Template{}, fmt.Errorf("decode template of %s: %w", stack, err)
	}
	return t, nil
}

// Marks stand in the short form for what two templates spell differently although it is the same.
const (
	ownerMark = "<name>"  // The owner's name.
	stackMark = "<stack>" // The stack's name in a name that the CDK made of it.
)

// neutral returns a copy of the template's body with marks. madeNames are the names of which the copy
// does not have the hash any more.
func neutral(t Template) (body map[string]any, madeNames []string) {
	stack := strings.ReplaceAll(t.Stack, "-", "")
	made := regexp.MustCompile(`[\w-]*` + stack + `\w*[0-9A-F]{8}\b`)
	marks := map[string]string{}
	replaceStrings(t.Body, func(s string) string {
		if strings.Contains(s, stack) {
			for _, name := range made.FindAllString(s, -1) {
				marks[name] = hash.ReplaceAllLiteralString(strings.ReplaceAll(name, stack, stackMark), "")
			}
		}
		return s
	})
	deleteAlike(marks)
	owner := regexp.MustCompile(`(\b|_)` + regexp.QuoteMeta(t.Owner) + `(\b|_)`)
	copied := replaceStrings(t.Body, func(s string) string {
		if strings.Contains(s, stack) {
			s = made.ReplaceAllStringFunc(s, func(name string) string { return cmp.Or(marks[name], name) })
		}
		if strings.Contains(s, t.Owner) {
			s = owner.ReplaceAllString(s, "${1}"+ownerMark+"${2}")
		}
		return s
	})
	return object(copied), slices.Sorted(maps.Keys(marks))
}

var hash = regexp.MustCompile(`[0-9A-F]{8,}$`)

// deleteAlike removes names that differ in their hashes alone: with a mark, nobody could tell one from
// the other.
func deleteAlike(marks map[string]string) {
	times := map[string]int{}
	for _, mark := range marks {
		times[mark]++
	}
	maps.DeleteFunc(marks, func(_, mark string) bool { return times[mark] > 1 })
}

// replaceStrings returns a copy of a value in which all strings and keys are replaced.
func replaceStrings(v any, replace func(string) string) any {
	switch v := v.(type) {
	case map[string]any:
		made := make(map[string]any, len(v))
		for key, element := range v {
			made[replace(key)] = replaceStrings(element, replace)
		}
		return made
	case []any:
		made := make([]any, len(v))
		for i, element := range v {
			made[i] = replaceStrings(element, replace)
		}
		return made
	case string:
		return replace(v)
	}
	return v
}

// object returns a value if it is an object, and else nil.
func object(v any) map[string]any {
	found, _ := v.(map[string]any)
	return found
}

func without(v map[string]any, keys ...string) map[string]any {
	rest := maps.Clone(v)
	for _, key := range keys {
		delete(rest, key)
	}
	return rest
}

func sortedKeys(v map[string]any) []string { return slices.Sorted(maps.Keys(v)) }
