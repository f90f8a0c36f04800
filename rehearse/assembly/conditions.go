package assembly

import (
	"errors"
	"fmt"
)

// conditional is Fn::If. Only the chosen branch is resolved: the other may
// refer to resources that do not exist under this condition.
func (r *resolver) conditional(argument any) (any, error) {
	args, err := arguments(argument, "condition", "then", "else")
	if err != nil {
		return nil, err
	}
	name, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("condition is a %T, want a name", args[0])
	}
	holds, err := r.conditionNamed(name)
	if err != nil {
		return nil, err
	}
	if holds {
		return r.value(args[1])
	}
	return r.value(args[2])
}

func (r *resolver) conditionNamed(name string) (bool, error) {
	expression, ok := r.template.Conditions[name]
	if !ok {
		return false, fmt.Errorf("condition %s: not in the template", name)
	}
	leave, err := r.enter("condition " + name)
	if err != nil {
		return false, err
	}
	defer leave()
	holds, err := r.condition(expression)
	if err != nil {
		return false, fmt.Errorf("condition %s: %w", name, err)
	}
	return holds, nil
}

func (r *resolver) condition(expression any) (bool, error) {
	object, ok := expression.(map[string]any)
	if !ok || len(object) != 1 {
		return false, fmt.Errorf("got %v, want one condition function", expression)
	}
	for name, argument := range object {
		holds, err := r.conditionFunction(name, argument)
		if err != nil {
			return false, fmt.Errorf("%s: %w", name, err)
		}
		return holds, nil
	}
	panic("unreachable: the object has one key")
}

func (r *resolver) conditionFunction(name string, argument any) (bool, error) {
	switch name {
	case "Condition":
		other, ok := argument.(string)
		if !ok {
			return false, fmt.Errorf("got a %T, want a name", argument)
		}
		return r.conditionNamed(other)
	case "Fn::Equals":
		args, err := arguments(argument, "left", "right")
		if err != nil {
			return false, err
		}
		left, err := r.text(args[0])
		if err != nil {
			return false, err
		}
		right, err := r.text(args[1])
		return left == right, err
	case "Fn::Not":
		args, err := arguments(argument, "condition")
		if err != nil {
			return false, err
		}
		holds, err := r.condition(args[0])
		return !holds, err
	case "Fn::And", "Fn::Or":
		return r.conditionList(argument, name == "Fn::Or")
	default:
		return false, errors.New("condition function is not supported by the rehearsal")
	}
}

// conditionList is Fn::Or for decisive true, Fn::And for decisive false: the
// first operand that equals decisive decides.
func (r *resolver) conditionList(argument any, decisive bool) (bool, error) {
	operands, ok := argument.([]any)
	if !ok || len(operands) < 2 {
		return false, fmt.Errorf("got %v, want two conditions or more", argument)
	}
	for _, operand := range operands {
		holds, err := r.condition(operand)
		if err != nil {
			return false, err
		}
		if holds == decisive {
			return decisive, nil
		}
	}
	return !decisive, nil
}

// created tells whether CloudFormation would create the resource.
func (t *Template) created(resource Resource) (bool, error) {
	if resource.Condition == "" {
		return true, nil
	}
	r := resolver{template: t, visiting: map[visit]bool{}}
	return r.conditionNamed(resource.Condition)
}
