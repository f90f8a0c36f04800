package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// RolePolicies returns the identity policies of an AWS::IAM::Role with their intrinsic functions resolved. The
// inline policies come first, then each AWS::IAM::Policy and AWS::IAM::ManagedPolicy that is attached to the
// role, sorted by type and logical id. A policy is attached by its Roles property or by the role's
// ManagedPolicyArns.
//
// A managed policy from outside the template is an error, because the template does not say what the policy
// grants. RolePolicies ignores permissions boundaries, because they grant nothing.
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
	for _, cfnType := range []string{"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"} {
		for _, p := range t.OfType(cfnType) {
			roles, err := t.resolveList(p.Properties["Roles"])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.ID, err)
			}
			attached := slices.Contains(roles, name)
			if attached && p.Condition != "" {
				return nil, fmt.Errorf("%s has the condition %s: %w", p.ID, p.Condition, errNoConditions)
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
		errs = append(errs, fmt.Errorf("ManagedPolicyArns: %v is not in the template, and the rehearsal cannot evaluate it", arn))
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
		properties, _ := p.(map[string]any) // policyDocument returns an error for a nil map.
		document, err := t.policyDocument(properties)
		if err != nil {
			return nil, fmt.Errorf("read Policies[%d]: %w", i, err)
		}
		policies = append(policies, document)
	}
	return policies, nil
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

// resolveList resolves a property that holds a list. An absent property is an empty list.
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
