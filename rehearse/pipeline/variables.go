package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/rehearsal"
)

// variables has the values of variables by namespace and name.
type variables map[string]map[string]string

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
