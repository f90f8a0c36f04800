package assembly

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Where a stack goes if its template does not say: the account AWS uses in its
// documentation, and CloudFront's home region.
const (
	defaultPartition = "aws"
	defaultAccount   = "123456789012"
	defaultRegion    = "us-east-1"
)

// Template is one stack's CloudFormation template. Its values are as written:
// pass them through [Template.Resolve] to get what CloudFormation would make
// of them. Reading it from several goroutines is safe.
type Template struct {
	// Name is the stack's name.
	Name string
	// Dir is the folder the template was read from; its assets are relative to it.
	Dir string

	// Partition, Account and Region are the values of the pseudo parameters.
	// Default: the environment in the assembly's manifest, else aws,
	// 123456789012 and us-east-1.
	Partition, Account, Region string

	// ParameterValues are what a deployment would pass with --parameters.
	// A parameter that is not in it has its default. Lists are separated by
	// commas.
	ParameterValues map[string]string

	Parameters map[string]Parameter
	Mappings   map[string]map[string]map[string]any
	Conditions map[string]any
	Resources  map[string]Resource
	Outputs    map[string]Output

	assetManifest string
	stacks        []*Template // of the assembly, this one among them
}

// Stacks returns all stacks of the template's assembly, this one among them, in the order of the
// manifest. A template that was read by itself is the only one.
func (t *Template) Stacks() []*Template {
	if t.stacks == nil {
		return []*Template{t}
	}
	return slices.Clone(t.stacks)
}

// InAccount returns the template as it is in another account, and with it those of its assembly that
// are bound to the same one, or like it to none: stacks that refer to each other are deployed to the same
// one. What is written out with the account that the template was bound to is written with the other.
func (t *Template) InAccount(account string) *Template {
	var moved *Template
	var stacks []*Template
	for _, s := range t.Stacks() {
		other := *s
		if s.Account == t.Account {
			other.Account = account
			if t.Account != defaultAccount { // which is in no template: it stands for one that is not known
				other.Resources = make(map[string]Resource, len(s.Resources))
				for id, r := range s.Resources {
					r.Properties, _ = rewritten(r.Properties, t.Account, account).(map[string]any)
					other.Resources[id] = r
				}
				other.Outputs = make(map[string]Output, len(s.Outputs))
				for name, o := range s.Outputs {
					o.Value = rewritten(o.Value, t.Account, account)
					other.Outputs[name] = o
				}
			}
		}
		if s == t {
			moved = &other
		}
		stacks = append(stacks, &other)
	}
	for _, s := range stacks {
		s.stacks = stacks
	}
	return moved
}

// rewritten returns a value in whose texts one text is in the place of another.
func rewritten(value any, old, with string) any {
	switch v := value.(type) {
	case string:
		return strings.ReplaceAll(v, old, with)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = rewritten(item, old, with)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for key, item := range v {
			object[key] = rewritten(item, old, with)
		}
		return object
	}
	return value
}

// Resource is one entry of a template's Resources.
type Resource struct {
	Type       string
	Properties map[string]any
	DependsOn  LogicalIDs
	Condition  string
	Metadata   map[string]any
	// What CloudFormation does with it when it leaves the stack, and when another takes
	// its place. "" is Delete for all but a few types.
	DeletionPolicy, UpdateReplacePolicy string
}

// NamedResource is a resource with its logical id.
type NamedResource struct {
	ID string
	Resource
}

// Parameter is one entry of a template's Parameters.
type Parameter struct {
	Type    string
	Default any
}

// Output is one entry of a template's Outputs.
type Output struct {
	Value       any
	Description string
	Condition   string
}

// LogicalIDs is a list that a template may also write as a single string.
type LogicalIDs []string

// UnmarshalJSON decodes a string or a list of strings.
func (ids *LogicalIDs) UnmarshalJSON(data []byte) error {
	var one string
	if err := json.Unmarshal(data, &one); err == nil {
		*ids = LogicalIDs{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(ids))
}

// LoadTemplate reads one JSON template. The stack's name is the file's, without
// .template.json; account and region are the defaults.
func LoadTemplate(path string) (*Template, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load template: %w", err)
	}
	// Not decoded into Template itself: a template's own section names must not
	// be able to set Name, Dir or Account.
	var sections struct {
		Parameters map[string]Parameter
		Mappings   map[string]map[string]map[string]any
		Conditions map[string]any
		Resources  map[string]Resource
		Outputs    map[string]Output
		Transform  any
	}
	if err := json.Unmarshal(data, &sections); err != nil {
		return nil, fmt.Errorf("decode template %s: %w", path, err)
	}
	if sections.Transform != nil {
		return nil, fmt.Errorf("load template %s: Transform %v: macros run in AWS and cannot be expanded here", path, sections.Transform)
	}
	if len(sections.Resources) == 0 {
		return nil, fmt.Errorf("load template %s: it has no resources", path)
	}
	name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".json"), ".template")
	return &Template{
		Name:       name,
		Dir:        filepath.Dir(path),
		Partition:  defaultPartition,
		Account:    defaultAccount,
		Region:     defaultRegion,
		Parameters: sections.Parameters,
		Mappings:   sections.Mappings,
		Conditions: sections.Conditions,
		Resources:  sections.Resources,
		Outputs:    sections.Outputs,
		// The CDK names both files after the stack's artifact id.
		assetManifest: name + ".assets.json",
	}, nil
}

// OfType returns the resources of a CloudFormation type, such as
// AWS::Lambda::Function, sorted by logical id. Resources whose condition is
// false are among them.
func (t *Template) OfType(cfnType string) []NamedResource {
	var named []NamedResource
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		if r := t.Resources[id]; r.Type == cfnType {
			named = append(named, NamedResource{ID: id, Resource: r})
		}
	}
	return named
}

// resource returns the resource with the given logical id if it has the type.
func (t *Template) resource(id, cfnType string) (Resource, error) {
	r, ok := t.Resources[id]
	if !ok {
		return Resource{}, fmt.Errorf("resource %s: not in stack %s", id, t.Name)
	}
	if r.Type != cfnType {
		return Resource{}, fmt.Errorf("resource %s: got a %s, want %s", id, r.Type, cfnType)
	}
	return r, nil
}
