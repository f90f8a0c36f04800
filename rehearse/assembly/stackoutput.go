package assembly

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// stackOutput resolves Fn::GetStackOutput, which reads an output of another stack. The other stack may be in
// another Region, and the output needs no export. The CDK writes such calls for references between stacks when
// its feature flag defaultCrossStackReferences is "weak". A stack that is not in the assembly is an error,
// because only AWS knows its outputs.
//
// CloudFormation reads the other stack with the role RoleArn, so that stack is in the role's account.
//
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html
func (r *resolver) stackOutput(argument any) (any, error) {
	parameters, ok := argument.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("got %v, want {StackName, OutputName}", argument)
	}
	values := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(parameters)) {
		switch key {
		case "StackName", "OutputName", "Region", "RoleArn":
		default:
			return nil, fmt.Errorf("%s: no such parameter; the parameters are StackName, OutputName, Region and RoleArn", key)
		}
		var err error
		if values[key], err = r.text(parameters[key]); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	for _, key := range []string{"StackName", "OutputName"} {
		if values[key] == "" {
			return nil, fmt.Errorf("%s is missing", key)
		}
	}
	region, account := r.template.Region, r.template.Account
	if values["Region"] != "" {
		region = values["Region"]
	}
	if role := values["RoleArn"]; role != "" {
		parts := strings.Split(role, ":")
		if len(parts) < 6 {
			return nil, fmt.Errorf("RoleArn: %q is not the ARN of a role", role)
		}
		account = parts[4]
	}
	other, err := r.template.sibling(values["StackName"], region, account)
	if err != nil {
		return nil, err
	}
	value, err := (&resolver{template: other, visiting: r.visiting}).output(values["OutputName"])
	if err != nil {
		return nil, fmt.Errorf("stack %s: %w", other.Name, err)
	}
	return value, nil
}

// sibling returns the stack of the assembly with this name, Region and account.
func (t *Template) sibling(name, region, account string) (*Template, error) {
	var known []string
	for _, s := range t.Stacks() {
		known = append(known, fmt.Sprintf("%s in %s", s.Name, s.Region))
		if s.Name != name || s.Region != region {
			continue
		}
		if s.Account != account {
			return nil, fmt.Errorf("stack %s in %s is in account %s, not in %s: to read it from another account, give a RoleArn of its account", name, region, s.Account, account)
		}
		return s, nil
	}
	return nil, fmt.Errorf("stack %s in %s is not in the assembly, which has %s", name, region, strings.Join(known, ", "))
}

// output resolves the named output of the resolver's stack.
func (r *resolver) output(name string) (string, error) {
	output, ok := r.template.Outputs[name]
	if !ok {
		known := slices.Sorted(maps.Keys(r.template.Outputs))
		if len(known) == 0 {
			return "", fmt.Errorf("output %s: the stack has no outputs", name)
		}
		return "", fmt.Errorf("output %s: no such output; the stack has %s", name, strings.Join(known, ", "))
	}
	leave, err := r.enter("output " + name)
	if err != nil {
		return "", err
	}
	defer leave()
	if output.Condition != "" {
		return "", fmt.Errorf("output %s has the condition %s: %w", name, output.Condition, errNoConditions)
	}
	value, err := r.text(output.Value)
	if err != nil {
		return "", fmt.Errorf("output %s: %w", name, err)
	}
	return value, nil
}
