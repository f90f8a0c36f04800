package pipeline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

// variables has the values of variables by namespace and name.
type variables map[string]map[string]string

// Set gives variables of the pipeline other values than their defaults, as a person does who starts an execution:
// "AllowDeletions=yes,Theme=dark".
func (p *Plan) Set(text string) error {
	has := map[string]string{}
	if p.Pipeline != nil {
		has = p.Pipeline.variables
	}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, found := strings.Cut(part, "=")
		if !found {
			return fmt.Errorf("variable %q has no value: write %s=value", part, part)
		}
		if _, known := has[name]; !known {
			return fmt.Errorf("%s has no variable %q; it has %s", p.Name, name, cmp.Or(strings.Join(slices.Sorted(maps.Keys(has)), ", "), "none"))
		}
		has[name] = value
	}
	return nil
}

// substitute returns an action's configuration with values in place of variables, #{namespace.Name}.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
func (v variables) substitute(a *Action) (map[string]string, error) {
	substituted := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(a.Configuration)) {
		var b strings.Builder
		rest := a.Configuration[key]
		for {
			before, after, found := strings.Cut(rest, "#{")
			b.WriteString(before)
			if !found {
				break
			}
			name, end, closed := strings.Cut(after, "}")
			namespace, variable, dotted := strings.Cut(name, ".")
			if !closed || !dotted {
				b.WriteString("#{")
				rest = after
				continue
			}
			value, known := v[namespace][variable]
			if !known {
				return nil, &rehearsal.Failure{
					Code:   "InvalidActionConfiguration",
					Reason: fmt.Sprintf("An action in this pipeline references a variable that has not been resolved: #{%s} in %s", name, key),
					Look:   fmt.Sprintf("the configuration of the action %s: no earlier action has this output variable", a),
				}
			}
			b.WriteString(value)
			rest = end
		}
		substituted[key] = b.String()
	}
	return substituted, nil
}
