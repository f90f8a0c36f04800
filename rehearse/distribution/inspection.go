package distribution

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/edgefunction"
)

// Distribution is a distribution as its template describes it.
type Distribution struct {
	edge.Distribution
	// Stack is the name of its stack, and Resource its logical id there.
	Stack, Resource string
	ARN             string
	// Origin is the name of the bucket that it reads from or, for a bucket outside of the assembly, the
	// origin's domain name.
	Origin string
	// Policy is the policy of that bucket, or nil, and PolicyResource the policy's logical id.
	Policy         json.RawMessage
	PolicyResource string
	// Unsigned says why the distribution does not sign its requests to S3; "" if it does.
	Unsigned string
}

// Look names a part of the distribution for a reader of its template.
func (d *Distribution) Look(part string) string {
	return fmt.Sprintf("%s of the distribution %s in the template of the stack %s", part, d.Resource, d.Stack)
}

// inspection reads one distribution.
type inspection struct {
	*assembly.Inspection

	what      string                            // names the distribution in problems
	origin    string                            // the id of the default behaviour's origin, which all must have
	functions map[string]*edgefunction.Function // by ARN
}

// unseen lists properties that readers of a site do not notice: prices, names, the certificate and logs.
var unseen = map[string][]string{
	"DistributionConfig": {
		"Comment", "Enabled", "HttpVersion", "IPV6Enabled", "Logging", "PriceClass", "Restrictions", "ViewerCertificate", "WebACLId",
	},
	"Origin":        {"ConnectionAttempts", "ConnectionTimeout", "OriginShield", "ResponseCompletionTimeout"},
	"CacheBehavior": {"CachedMethods", "RealtimeLogConfigArn"},
}

// only has a problem with each property that is neither read nor unseen, unless it is off.
func (d *inspection) only(what string, properties map[string]any, kind string, read ...string) {
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		if !slices.Contains(read, key) && !slices.Contains(unseen[kind], key) && !off(properties[key]) {
			d.Problem("%s: %s cannot be rehearsed", what, key)
		}
	}
}

// off reports whether a property means the same as its absence.
func off(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == "" || v == "false"
	case float64:
		return v == 0
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, inner := range v {
			if !off(inner) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// made finds the resource of a type, in any stack of the assembly, whose attribute has a value.
func (d *inspection) made(cfnType, attribute, value string) (*assembly.Template, assembly.NamedResource) {
	for _, stack := range d.Template.Stacks() {
		for _, resource := range stack.OfType(cfnType) {
			if got, err := stack.Resolve(map[string]any{"Fn::GetAtt": []any{resource.ID, attribute}}); err == nil && got == value {
				return stack, resource
			}
		}
	}
	return nil, assembly.NamedResource{}
}

// config resolves a property of a resource, which may be in another stack.
func (d *inspection) config(stack *assembly.Template, resource assembly.NamedResource, property string) map[string]any {
	resolved, err := stack.Resolve(resource.Properties[property])
	if err != nil {
		d.Problem("%s: %s: %w", resource.ID, property, err)
	}
	return assembly.Object(resolved)
}

// seconds resolves a value to a number of seconds.
func (d *inspection) seconds(what string, v any) time.Duration {
	return time.Duration(d.Number(what, v, 0)) * time.Second
}
