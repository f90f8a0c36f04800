package assembly

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// This package does not use a library for intrinsic functions. The only one for Go, goformation's intrinsics
// package, returns nil for every Fn::GetAtt, every Fn::ImportValue and every Ref to a resource, and it mistakes
// the Condition of an IAM statement for a CloudFormation condition. A policy check reads exactly these values.

// Resolve returns v with every intrinsic function replaced by its value. v is any part of the template, such as
// a property, a resource's Properties or an output's value. Resolve does not modify v.
//
// Ref and Fn::GetAtt of a resource return the physical name that the template sets, or else an invented name
// that is the same on every run. Resolve omits properties whose value is AWS::NoValue. It leaves dynamic
// references ({{resolve:ssm:…}}, {{resolve:secretsmanager:…}}) as they are, because CloudFormation also passes
// them on and their values must not reach a log.
//
// Fn::GetStackOutput finds the other stack in the template's assembly; see [Load].
//
// Resolve returns an error that names the cause for an intrinsic function, a resource type or an attribute that
// this package does not support, for a name that is not in the template, and for a parameter without a value.
func (t *Template) Resolve(v any) (any, error) {
	r := resolver{template: t, visiting: map[visit]bool{}}
	resolved, err := r.value(v)
	if err != nil {
		return nil, fmt.Errorf("resolve in stack %s: %w", t.Name, err)
	}
	if resolved == noValue {
		return nil, nil
	}
	return resolved, nil
}

// resolver holds the state of one call of Resolve. visiting holds the resources and outputs that are being
// resolved, in this stack and in the stacks that it refers to. With it a circular reference is an error and not a
// stack overflow.
type resolver struct {
	template *Template
	visiting map[visit]bool
}

type visit struct {
	template *Template
	name     string
}

type noValueType struct{}

// noValue is the value of Ref AWS::NoValue. A property with this value counts as absent.
var noValue any = noValueType{}

// enter marks name as being resolved. The caller must call leave afterwards.
func (r *resolver) enter(name string) (leave func(), err error) {
	at := visit{r.template, name}
	if r.visiting[at] {
		return nil, fmt.Errorf("%s refers to itself", name)
	}
	r.visiting[at] = true
	return func() { delete(r.visiting, at) }, nil
}

func (r *resolver) value(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		name, argument, err := intrinsic(v)
		if err != nil {
			return nil, err
		}
		if name != "" {
			resolved, err := r.call(name, argument)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			return resolved, nil
		}
		object := make(map[string]any, len(v))
		// The keys are sorted so that every run reports the same one of several errors.
		for _, key := range slices.Sorted(maps.Keys(v)) {
			resolved, err := r.value(v[key])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			if resolved != noValue {
				object[key] = resolved
			}
		}
		return object, nil
	case []any:
		list := make([]any, 0, len(v))
		for i, element := range v {
			resolved, err := r.value(element)
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			if resolved != noValue {
				list = append(list, resolved)
			}
		}
		return list, nil
	default:
		return v, nil
	}
}

// intrinsic returns the name and the argument of the intrinsic function that an object calls, or "" if the
// object is no such call. A call is an object with one key.
func intrinsic(object map[string]any) (name string, argument any, err error) {
	for key, value := range object {
		if key != "Ref" && !strings.HasPrefix(key, "Fn::") {
			continue
		}
		if len(object) == 1 {
			return key, value, nil
		}
		if key != "Ref" { // A property may have the name Ref.
			return "", nil, fmt.Errorf("%s: the object has other keys, too", key)
		}
	}
	return "", nil, nil
}

func (r *resolver) call(name string, argument any) (any, error) {
	switch name {
	case "Ref":
		return r.ref(argument)
	case "Fn::GetAtt":
		return r.getAtt(argument)
	case "Fn::Join":
		return r.join(argument)
	case "Fn::Sub":
		return r.sub(argument)
	case "Fn::Select":
		return r.selectFrom(argument)
	case "Fn::Split":
		return r.split(argument)
	case "Fn::FindInMap":
		return r.findInMap(argument)
	case "Fn::GetStackOutput":
		return r.stackOutput(argument)
	default:
		return nil, errors.New("the rehearsal does not support this intrinsic function")
	}
}

func (r *resolver) ref(argument any) (any, error) {
	name, ok := argument.(string)
	if !ok {
		return nil, fmt.Errorf("got %T, want a name", argument)
	}
	return r.refTo(name)
}

func (r *resolver) refTo(name string) (any, error) {
	t := r.template
	if strings.HasPrefix(name, "AWS::") {
		return r.pseudoParameter(name)
	}
	if p, ok := t.Parameters[name]; ok {
		return r.parameter(name, p)
	}
	return r.physicalRef(name)
}

func (r *resolver) pseudoParameter(name string) (any, error) {
	t := r.template
	switch name {
	case "AWS::AccountId":
		return t.Account, nil
	case "AWS::Region":
		return t.Region, nil
	case "AWS::Partition":
		return t.Partition, nil
	case "AWS::StackName":
		return t.Name, nil
	case "AWS::URLSuffix":
		return "amazonaws.com", nil
	case "AWS::NoValue":
		return noValue, nil
	default:
		return nil, fmt.Errorf("%s: the rehearsal does not support this pseudo parameter", name)
	}
}

func (r *resolver) parameter(name string, p Parameter) (any, error) {
	value, given := r.template.ParameterValues[name]
	if !given {
		// The default of such a parameter is the name of an SSM parameter, whose value only AWS knows.
		if strings.HasPrefix(p.Type, "AWS::SSM::Parameter::Value<") {
			return nil, fmt.Errorf("parameter %s: its value is in the SSM parameter %v; set ParameterValues", name, p.Default)
		}
		if p.Default == nil {
			return nil, fmt.Errorf("parameter %s has no default; set ParameterValues", name)
		}
		var ok bool
		if value, ok = scalar(p.Default); !ok {
			return nil, fmt.Errorf("parameter %s: the default is a %T, want a string or a number", name, p.Default)
		}
	}
	if p.Type != "CommaDelimitedList" && !strings.Contains(p.Type, "List<") {
		return value, nil
	}
	list := []any{}
	for element := range strings.SplitSeq(value, ",") {
		list = append(list, strings.TrimSpace(element))
	}
	return list, nil
}

// getAtt accepts ["Id", "Attribute"] and "Id.Attribute". An attribute may contain dots.
func (r *resolver) getAtt(argument any) (any, error) {
	if s, ok := argument.(string); ok {
		id, attribute, ok := strings.Cut(s, ".")
		if !ok {
			return nil, fmt.Errorf("got %q, want Id.Attribute", s)
		}
		return r.physicalAttribute(id, attribute)
	}
	pair, ok := argument.([]any)
	if !ok || len(pair) != 2 {
		return nil, fmt.Errorf("got %v, want [id, attribute]", argument)
	}
	id, ok := pair[0].(string)
	if !ok {
		return nil, fmt.Errorf("the logical id is %v, want a string", pair[0])
	}
	attribute, err := r.text(pair[1]) // CloudFormation allows a Ref here.
	if err != nil {
		return nil, err
	}
	return r.physicalAttribute(id, attribute)
}

func (r *resolver) join(argument any) (any, error) {
	args, err := arguments(argument, "delimiter", "list")
	if err != nil {
		return nil, err
	}
	delimiter, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("the delimiter is a %T, want a string", args[0])
	}
	list, err := r.list(args[1])
	if err != nil {
		return nil, err
	}
	parts := make([]string, len(list))
	for i, element := range list {
		if parts[i], ok = scalar(element); !ok {
			return nil, fmt.Errorf("[%d] is a %T, want a string", i, element)
		}
	}
	return strings.Join(parts, delimiter), nil
}

var placeholder = regexp.MustCompile(`\$\{[^}]*\}`)

// sub accepts "text" and ["text", {variables}]. In the text ${!Name} stands for a literal ${Name}.
func (r *resolver) sub(argument any) (any, error) {
	text, ok := argument.(string)
	var variables map[string]any
	if !ok {
		args, err := arguments(argument, "text", "variables")
		if err != nil {
			return nil, err
		}
		text, ok = args[0].(string)
		if !ok {
			return nil, fmt.Errorf("the text is a %T, want a string", args[0])
		}
		if variables, ok = args[1].(map[string]any); !ok {
			return nil, fmt.Errorf("the variables are a %T, want an object", args[1])
		}
	}
	var errs []error
	substituted := placeholder.ReplaceAllStringFunc(text, func(match string) string {
		name := match[2 : len(match)-1]
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		value, err := r.subVariable(name, variables)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", match, err))
		}
		return value
	})
	return substituted, errors.Join(errs...)
}

func (r *resolver) subVariable(name string, variables map[string]any) (string, error) {
	if v, ok := variables[name]; ok {
		return r.text(v)
	}
	if strings.Contains(name, ".") {
		return r.text(map[string]any{"Fn::GetAtt": name})
	}
	return r.text(map[string]any{"Ref": name})
}

func (r *resolver) selectFrom(argument any) (any, error) {
	args, err := arguments(argument, "index", "list")
	if err != nil {
		return nil, err
	}
	s, err := r.text(args[0])
	if err != nil {
		return nil, err
	}
	index, err := strconv.Atoi(s)
	if err != nil {
		return nil, fmt.Errorf("index %q is not a whole number", s)
	}
	list, err := r.list(args[1])
	if err != nil {
		return nil, err
	}
	if index < 0 || index >= len(list) {
		return nil, fmt.Errorf("index %d is outside a list of %d", index, len(list))
	}
	return list[index], nil
}

func (r *resolver) split(argument any) (any, error) {
	args, err := arguments(argument, "delimiter", "text")
	if err != nil {
		return nil, err
	}
	delimiter, ok := args[0].(string)
	if !ok || delimiter == "" {
		return nil, fmt.Errorf("the delimiter is %v, want a string that is not empty", args[0])
	}
	text, err := r.text(args[1])
	if err != nil {
		return nil, err
	}
	list := []any{}
	for part := range strings.SplitSeq(text, delimiter) {
		list = append(list, part)
	}
	return list, nil
}

func (r *resolver) findInMap(argument any) (any, error) {
	// A fourth argument, DefaultValue, needs a transform, which LoadTemplate refuses.
	args, err := arguments(argument, "map", "first key", "second key")
	if err != nil {
		return nil, err
	}
	var keys [3]string
	for i, arg := range args {
		if keys[i], err = r.text(arg); err != nil {
			return nil, err
		}
	}
	value, ok := r.template.Mappings[keys[0]][keys[1]][keys[2]]
	if !ok {
		return nil, fmt.Errorf("no entry %s in Mappings", strings.Join(keys[:], "."))
	}
	return value, nil
}

// text resolves v to a string. Like CloudFormation it converts numbers and booleans to their JSON text.
func (r *resolver) text(v any) (string, error) {
	resolved, err := r.value(v)
	if err != nil {
		return "", err
	}
	s, ok := scalar(resolved)
	if !ok {
		return "", fmt.Errorf("got %v, want a string", resolved)
	}
	return s, nil
}

func (r *resolver) list(v any) ([]any, error) {
	resolved, err := r.value(v)
	if err != nil {
		return nil, err
	}
	list, ok := resolved.([]any)
	if !ok {
		return nil, fmt.Errorf("got %v, want a list", resolved)
	}
	return list, nil
}

func arguments(argument any, names ...string) ([]any, error) {
	args, ok := argument.([]any)
	if !ok || len(args) != len(names) {
		return nil, fmt.Errorf("got %v, want [%s]", argument, strings.Join(names, ", "))
	}
	return args, nil
}

func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	default:
		return "", false
	}
}
