package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// RolePolicies returns the identity policies of an AWS::IAM::Role, resolved:
// its inline Policies, then those the template attaches to it (AWS::IAM::Policy
// and AWS::IAM::ManagedPolicy by their Roles, AWS::IAM::RolePolicy by its
// RoleName, ManagedPolicyArns of the role), by type and logical id.
//
// A policy managed by AWS or elsewhere is an error, since the template does not
// say what it grants. A permissions boundary grants nothing, and is not looked at.
func (t *Template) RolePolicies(roleLogicalID string) ([]json.RawMessage, error) {
	policies, err := t.rolePolicies(roleLogicalID)
	if err != nil {
		return nil, fmt.Errorf("collect policies of role %s: %w", roleLogicalID, err)
	}
	return policies, nil
}

func (t *Template) rolePolicies(roleLogicalID string) ([]json.RawMessage, error) {
	role, err := t.resource(roleLogicalID, "AWS::IAM::Role")
	if err != nil {
		return nil, err
	}
	name, err := t.Resolve(map[string]any{"Ref": roleLogicalID})
	if err != nil {
		return nil, err
	}
	policies, err := t.inlinePolicies(role)
	if err != nil {
		return nil, err
	}
	managedARNs, err := t.resolveList(role.Properties["ManagedPolicyArns"])
	if err != nil {
		return nil, fmt.Errorf("ManagedPolicyArns: %w", err)
	}
	for _, cfnType := range []string{"AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy"} {
		for _, p := range t.OfType(cfnType) {
			attached, err := t.attaches(p, name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.ID, err)
			}
			if cfnType == "AWS::IAM::ManagedPolicy" {
				arn, err := t.Resolve(map[string]any{"Ref": p.ID})
				if err != nil {
					return nil, err
				}
				attached = attached || slices.Contains(managedARNs, arn)
				managedARNs = slices.DeleteFunc(managedARNs, func(a any) bool { return a == arn })
			}
			if !attached {
				continue
			}
			document, err := t.policyDocument(p.Properties)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.ID, err)
			}
			policies = append(policies, document)
		}
	}
	var errs []error
	for _, arn := range managedARNs {
		errs = append(errs, fmt.Errorf("ManagedPolicyArns: %v: policies managed by AWS or outside the template are not evaluated", arn))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return policies, nil
}

func (t *Template) inlinePolicies(role Resource) ([]json.RawMessage, error) {
	inline, err := t.resolveList(role.Properties["Policies"])
	if err != nil {
		return nil, fmt.Errorf("read Policies: %w", err)
	}
	var policies []json.RawMessage
	for i, p := range inline {
		properties, _ := p.(map[string]any) // policyDocument reports a nil map
		document, err := t.policyDocument(properties)
		if err != nil {
			return nil, fmt.Errorf("read Policies[%d]: %w", i, err)
		}
		policies = append(policies, document)
	}
	return policies, nil
}

// attaches tells whether a policy resource names the role.
func (t *Template) attaches(policy NamedResource, roleName any) (bool, error) {
	if created, err := t.created(policy.Resource); err != nil || !created {
		return false, err
	}
	if policy.Type == "AWS::IAM::RolePolicy" {
		name, err := t.Resolve(policy.Properties["RoleName"])
		return name == roleName, err
	}
	roles, err := t.resolveList(policy.Properties["Roles"])
	return slices.Contains(roles, roleName), err
}

func (t *Template) policyDocument(properties map[string]any) (json.RawMessage, error) {
	document, err := t.Resolve(properties["PolicyDocument"])
	if err != nil {
		return nil, fmt.Errorf("PolicyDocument: %w", err)
	}
	if _, ok := document.(map[string]any); !ok {
		return nil, fmt.Errorf("PolicyDocument is %v, want an object", document)
	}
	return json.Marshal(document)
}

// resolveList resolves a property that holds a list; an absent one is empty.
func (t *Template) resolveList(v any) ([]any, error) {
	resolved, err := t.Resolve(v)
	if err != nil || resolved == nil {
		return nil, err
	}
	list, ok := resolved.([]any)
	if !ok {
		return nil, fmt.Errorf("got %v, want a list", resolved)
	}
	return list, nil
}
