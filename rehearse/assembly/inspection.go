package assembly

import (
	"errors"
	"fmt"
	"slices"
)

// Inspection reads what properties of a template say, and collects the problems that it finds on the way.
type Inspection struct {
	Template *Template
	// Notes lists what the template has and a rehearsal leaves out.
	Notes []string

	problems []error
}

// Add adds the problems and notes of another inspection.
func (i *Inspection) Add(other *Inspection) {
	for _, problem := range other.problems {
		i.Problem("%w", problem)
	}
	for _, note := range other.Notes {
		i.Note("%s", note)
	}
}

// Problem adds a problem, once: what several parts of a template refer to is read for each of them.
func (i *Inspection) Problem(format string, args ...any) {
	problem := fmt.Errorf(format, args...)
	if !slices.ContainsFunc(i.problems, func(known error) bool { return known.Error() == problem.Error() }) {
		i.problems = append(i.problems, problem)
	}
}

// Err returns all problems as one error; nil if there are none.
func (i *Inspection) Err() error { return errors.Join(i.problems...) }

// Note adds a note, once.
func (i *Inspection) Note(format string, args ...any) {
	if note := fmt.Sprintf(format, args...); !slices.Contains(i.Notes, note) {
		i.Notes = append(i.Notes, note)
	}
}

// Ignored notes properties that would change what AWS does, and that no rehearsal looks at.
func (i *Inspection) Ignored(what string, properties map[string]any, keys ...string) {
	for _, key := range keys {
		if properties[key] != nil {
			i.Note("%s: its %s is not rehearsed", what, key)
		}
	}
}

// Resolve resolves a value of the template. A problem with it names what the value belongs to.
func (i *Inspection) Resolve(what string, v any) any {
	resolved, err := i.Template.Resolve(v)
	if err != nil {
		i.Problem("%s: %w", what, err)
	}
	return resolved
}

// Text resolves a value to a text.
func (i *Inspection) Text(what string, v any) string { return Text(i.Resolve(what, v)) }

// Number resolves a value to a whole number; to otherwise if there is none.
func (i *Inspection) Number(what string, v any, otherwise int) int {
	s := i.Text(what, v)
	if s == "" {
		return otherwise
	}
	var n int
	if _, err := fmt.Sscan(s, &n); err != nil {
		i.Problem("%s is %q, want a whole number", what, s)
	}
	return n
}

// Ref returns the Ref of a resource.
func (i *Inspection) Ref(id string) string { return i.Text(id, map[string]any{"Ref": id}) }

// Attribute returns an attribute of a resource, such as its Arn.
func (i *Inspection) Attribute(id, name string) string {
	return i.Text(id, map[string]any{"Fn::GetAtt": []any{id, name}})
}

// ARN returns the ARN of a resource.
func (i *Inspection) ARN(id string) string { return i.Attribute(id, "Arn") }

// Named finds the resource of a type whose Ref or ARN is name.
func (i *Inspection) Named(what, cfnType, name string) (_ NamedResource, ok bool) {
	for _, resource := range i.Template.OfType(cfnType) {
		if i.Ref(resource.ID) == name || i.ARN(resource.ID) == name {
			return resource, true
		}
	}
	i.Problem("%s: %q is no %s of the stack %s: what is outside of the template cannot be rehearsed", what, name, cfnType, i.Template.Name)
	return NamedResource{}, false
}

// Text returns a resolved value as CloudFormation writes it; "" for none.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return fmt.Sprintf("%.0f", v)
	default:
		return fmt.Sprint(v)
	}
}

// Object returns a value that is an object; nil for any other.
func Object(v any) map[string]any { m, _ := v.(map[string]any); return m }

// List returns a value that is a list; nil for any other.
func List(v any) []any { l, _ := v.([]any); return l }
