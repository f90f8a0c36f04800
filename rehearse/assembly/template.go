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

// UnknownAccount stands for the account of a stack whose template does not name one. It is an example of AWS's
// documentation, and no template contains it.
const UnknownAccount = "123456789012"

// The rest of the environment of such a stack: CloudFront's home Region.
const (
	defaultPartition = "aws"
	defaultRegion    = "us-east-1"
)

// Template is the CloudFormation template of one stack. Its values are as written; [Template.Resolve] turns
// them into the values that CloudFormation would use. Several goroutines may read a Template at once.
type Template struct {
	// Name is the stack's name.
	Name string
	// Dir is the folder of the template's file. The paths of its assets are relative to Dir.
	Dir string

	// Partition, Account and Region are the values of the pseudo parameters. Partition is always "aws".
	// Default: the environment in the assembly's manifest, or else UnknownAccount and us-east-1.
	Partition, Account, Region string

	// ParameterValues holds the values that a deployment would pass with --parameters. A parameter without a
	// value here has its default. Commas separate the elements of a list.
	ParameterValues map[string]string

	Parameters map[string]Parameter
	Mappings   map[string]map[string]map[string]any
	Resources  map[string]Resource
	Outputs    map[string]Output

	assetManifest string
	stacks        []*Template // all stacks of the assembly, including this one
}

// Stacks returns all stacks of the template's assembly, including this one, in the order of the manifest. A
// template that was read alone is the only stack.
func (t *Template) Stacks() []*Template {
	if t.stacks == nil {
		return []*Template{t}
	}
	return slices.Clone(t.stacks)
}

// InAccount returns the template as if it were deployed to another account. It also moves the other stacks of
// the assembly that have the same account, because stacks that refer to each other are in one account. In a
// template that is bound to an account, InAccount replaces the account wherever it is written out.
func (t *Template) InAccount(account string) *Template {
	var moved *Template
	var stacks []*Template
	for _, s := range t.Stacks() {
		other := *s
		if s.Account == t.Account {
			other.Account = account
			if t.Account != UnknownAccount {
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

// rewritten returns a copy of a value in which every string has one text replaced by another.
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
	// DeletionPolicy says what CloudFormation does with the resource when it is removed from the stack, and
	// UpdateReplacePolicy when it is replaced. For most types "" means Delete.
	DeletionPolicy, UpdateReplacePolicy string
}

// NamedResource is a resource together with its logical id.
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

// LogicalIDs is a list of logical ids, which a template may also write as a single string.
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

// LoadTemplate reads one JSON template. The stack's name is the file's name without .template.json. The account
// and the Region are the defaults.
func LoadTemplate(path string) (*Template, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load template: %w", err)
	}
	// The template is not decoded into a Template, because a section of that name could then set Name, Dir or
	// Account.
	var sections struct {
		Parameters map[string]Parameter
		Mappings   map[string]map[string]map[string]any
		Resources  map[string]Resource
		Outputs    map[string]Output
		Transform  any
	}
	if err := json.Unmarshal(data, &sections); err != nil {
		return nil, fmt.Errorf("decode template %s: %w", path, err)
	}
	if sections.Transform != nil {
		return nil, fmt.Errorf("load template %s: Transform %v: macros run at AWS, and a rehearsal cannot expand them", path, sections.Transform)
	}
	if len(sections.Resources) == 0 {
		return nil, fmt.Errorf("load template %s: it has no resources", path)
	}
	name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".json"), ".template")
	return &Template{
		Name:       name,
		Dir:        filepath.Dir(path),
		Partition:  defaultPartition,
		Account:    UnknownAccount,
		Region:     defaultRegion,
		Parameters: sections.Parameters,
		Mappings:   sections.Mappings,
		Resources:  sections.Resources,
		Outputs:    sections.Outputs,
		// The CDK names both files after the id of the stack's artifact.
		assetManifest: name + ".assets.json",
	}, nil
}

// OfType returns the resources of a CloudFormation type, such as AWS::Lambda::Function, sorted by logical id.
func (t *Template) OfType(cfnType string) []NamedResource {
	var named []NamedResource
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		if r := t.Resources[id]; r.Type == cfnType {
			named = append(named, NamedResource{ID: id, Resource: r})
		}
	}
	return named
}

// resource returns the resource with the given logical id and type.
func (t *Template) resource(id, cfnType string) (Resource, error) {
	r, ok := t.Resources[id]
	if !ok {
		return Resource{}, fmt.Errorf("resource %s is not in stack %s", id, t.Name)
	}
	if r.Type != cfnType {
		return Resource{}, fmt.Errorf("resource %s is a %s, want %s", id, r.Type, cfnType)
	}
	return r, nil
}
