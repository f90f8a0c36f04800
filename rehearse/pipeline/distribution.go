package pipeline

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/edgefunction"
)

// Distribution is a distribution that the assembly makes, as its template has it.
type Distribution struct {
	edge.Distribution
	// Resource is its logical id, and Stack the name of its stack.
	Stack, Resource string
	ARN             string
	// Origin is what it reads from: the name of a bucket of the assembly or, where there is none of
	// that name, the origin's domain name.
	Origin string
	// Policy is the bucket's, or nil, and PolicyResource its logical id.
	Policy         json.RawMessage
	PolicyResource string
	// Unsigned says why S3 does not know who asks; "" where the distribution signs its requests.
	Unsigned string
}

// distributions reads those of the assembly that the plan's functions clear. The others are there
// already, and known by their id only.
func (r *reader) distributions(plan *Plan) map[string]*Distribution {
	found := map[string]*Distribution{}
	for _, id := range plan.distributions() {
		for _, stack := range r.template.Stacks() {
			for _, resource := range stack.OfType("AWS::CloudFront::Distribution") {
				// One that is not created has no id.
				if made, err := stack.Resolve(map[string]any{"Ref": resource.ID}); err == nil && made == id {
					found[id] = r.distribution(stack, resource)
				}
			}
		}
	}
	return found
}

// distributionReader reads a distribution of another stack.
type distributionReader struct {
	*reader
	what      string
	origin    string // the id of the default behaviour's, and so of all
	functions map[string]*edgefunction.Function
}

// Properties of a distribution that no reader of a rehearsal sees anything of: who pays what, the names
// of the distribution, its certificate and logs.
var unseen = map[string][]string{
	"DistributionConfig": {
		"CacheTagConfig", "Comment", "Enabled", "HttpVersion", "IPV6Enabled", "Logging", "PriceClass", "Restrictions", "ViewerCertificate", "WebACLId",
	},
	"Origin":        {"ConnectionAttempts", "ConnectionTimeout", "OriginShield", "ResponseCompletionTimeout"},
	"CacheBehavior": {"CachedMethods", "RealtimeLogConfigArn"},
}

// distribution reads a distribution's configuration. Whatever would change what readers see, and is not
// rehearsed, is a problem that names the property.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudfront-distribution-distributionconfig.html
func (r *reader) distribution(stack *assembly.Template, resource assembly.NamedResource) *Distribution {
	d := &distributionReader{
		reader: &reader{template: stack}, what: "the distribution " + resource.ID + " of the stack " + stack.Name,
		functions: map[string]*edgefunction.Function{},
	}
	defer func() {
		r.errs = append(r.errs, d.errs...)
		for _, note := range d.notes {
			r.note("%s", note)
		}
	}()
	config := object(d.resolve(d.what, resource.Properties["DistributionConfig"]))
	if byDefault := object(config["DefaultCacheBehavior"]); byDefault != nil {
		d.origin = text(byDefault["TargetOriginId"])
	} else if len(d.errs) == 0 {
		d.problem("%s: its DistributionConfig has no DefaultCacheBehavior, which CloudFront requires", d.what)
	}
	if len(d.errs) > 0 {
		return nil
	}
	d.only(d.what, config, "DistributionConfig", "Aliases", "CacheBehaviors", "CustomErrorResponses", "DefaultCacheBehavior", "DefaultRootObject", "Origins")
	if text(config["Enabled"]) != "true" {
		d.problem("%s: Enabled is %q, want true: CloudFront answers nobody", d.what, text(config["Enabled"]))
	}
	distribution := &Distribution{
		Distribution: edge.Distribution{
			ID: d.ref(resource.ID), DomainName: d.attribute(resource.ID, "DomainName"),
			DefaultRootObject: text(config["DefaultRootObject"]),
			Errors:            d.errorPages(config["CustomErrorResponses"]),
		},
		Stack: stack.Name, Resource: resource.ID,
	}
	distribution.ARN = fmt.Sprintf("arn:%s:cloudfront::%s:distribution/%s", stack.Partition, stack.Account, distribution.ID)
	for _, alias := range list(config["Aliases"]) {
		distribution.Aliases = append(distribution.Aliases, text(alias))
	}
	for i, behavior := range list(config["CacheBehaviors"]) {
		what := fmt.Sprintf("%s: CacheBehaviors[%d]", d.what, i)
		distribution.Behaviors = append(distribution.Behaviors, d.behavior(what, text(object(behavior)["PathPattern"]), object(behavior)))
	}
	distribution.Behaviors = append(distribution.Behaviors, d.behavior(d.what+": DefaultCacheBehavior", "*", object(config["DefaultCacheBehavior"])))
	d.readOrigin(distribution, config)
	d.leftOut(distribution, config)
	if len(d.errs) == 0 {
		if err := distribution.Validate(); err != nil {
			d.problem("%s: %w", d.what, err)
		}
	}
	return distribution
}

// only finds a problem in every property that is neither read nor without an effect on readers. Of
// those that are known, one that is off is as good as absent.
func (d *distributionReader) only(what string, properties map[string]any, kind string, read ...string) {
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		if !slices.Contains(read, key) && !slices.Contains(unseen[kind], key) && !off(properties[key]) {
			d.problem("%s: %s cannot be rehearsed", what, key)
		}
	}
}

// off reports whether a property says no more than its absence would.
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

func (d *distributionReader) attribute(id, name string) string {
	return d.text(id, map[string]any{"Fn::GetAtt": []any{id, name}})
}

// made finds the resource of a type, in any stack of the assembly, of which an attribute is value.
func (d *distributionReader) made(cfnType, attribute, value string) (*assembly.Template, assembly.NamedResource) {
	for _, stack := range d.template.Stacks() {
		for _, resource := range stack.OfType(cfnType) {
			if got, err := stack.Resolve(map[string]any{"Fn::GetAtt": []any{resource.ID, attribute}}); err == nil && got == value {
				return stack, resource
			}
		}
	}
	return nil, assembly.NamedResource{}
}

// config resolves a property of a resource, which may be in another stack.
func (d *distributionReader) config(stack *assembly.Template, resource assembly.NamedResource, property string) map[string]any {
	resolved, err := stack.Resolve(resource.Properties[property])
	if err != nil {
		d.problem("%s: %s: %w", resource.ID, property, err)
	}
	return object(resolved)
}

// errorPages reads the custom error responses.
func (d *distributionReader) errorPages(responses any) map[int]edge.ErrorResponse {
	pages := map[int]edge.ErrorResponse{}
	for i, v := range list(responses) {
		what, response := fmt.Sprintf("%s: CustomErrorResponses[%d]", d.what, i), object(v)
		d.only(what, response, "", "ErrorCode", "ErrorCachingMinTTL", "ResponseCode", "ResponsePagePath")
		// CloudFront takes the two together or not at all.
		// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CustomErrorResponse.html
		if off(response["ResponseCode"]) != off(response["ResponsePagePath"]) {
			d.problem("%s: ResponseCode is %q and ResponsePagePath %q: CloudFront wants both or none", what, text(response["ResponseCode"]), text(response["ResponsePagePath"]))
		}
		minimum := d.seconds(what+": ErrorCachingMinTTL", response["ErrorCachingMinTTL"])
		if response["ErrorCachingMinTTL"] != nil && minimum == 0 {
			minimum = -1 // 0 stands for the default there.
		}
		code := d.number(what+": ErrorCode", response["ErrorCode"], 0)
		if _, known := pages[code]; known {
			d.problem("%s: ErrorCode %d has a response already; CloudFront takes one for each", what, code)
		}
		pages[code] = edge.ErrorResponse{
			PagePath: text(response["ResponsePagePath"]), Status: d.number(what+": ResponseCode", response["ResponseCode"], 0), MinTTL: minimum,
		}
	}
	return pages
}

func (d *distributionReader) seconds(what string, v any) time.Duration {
	return time.Duration(d.number(what, v, 0)) * time.Second
}

// behavior reads a cache behaviour.
func (d *distributionReader) behavior(what, pattern string, b map[string]any) edge.Behavior {
	d.only(what, b, "CacheBehavior", "AllowedMethods", "CachePolicyId", "Compress", "FunctionAssociations", "PathPattern", "ResponseHeadersPolicyId", "TargetOriginId", "ViewerProtocolPolicy")
	var writes []string
	for _, v := range list(b["AllowedMethods"]) {
		if method := text(v); method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions {
			writes = append(writes, method)
		}
	}
	if writes != nil {
		d.problem("%s: AllowedMethods has %s, which cannot be rehearsed; readers get, with GET and HEAD", what, strings.Join(writes, ", "))
	}
	if origin := text(b["TargetOriginId"]); origin != d.origin {
		d.problem("%s: TargetOriginId is %q, and DefaultCacheBehavior's %q: a distribution with several origins cannot be rehearsed", what, origin, d.origin)
	}
	behavior := edge.Behavior{
		PathPattern: pattern, ViewerProtocol: text(b["ViewerProtocolPolicy"]), Compress: text(b["Compress"]) == "true",
		CachePolicy: d.cachePolicy(what, text(b["CachePolicyId"])),
	}
	d.associate(what, &behavior, b["FunctionAssociations"])
	if known := []string{"allow-all", "redirect-to-https", "https-only"}; !slices.Contains(known, behavior.ViewerProtocol) {
		d.problem("%s: ViewerProtocolPolicy is %q, want one of %s", what, behavior.ViewerProtocol, strings.Join(known, ", "))
	}
	if id := text(b["ResponseHeadersPolicyId"]); id != "" {
		behavior.Headers = d.headersPolicy(what, id)
	}
	return behavior
}

// leftOut notes what of a distribution is not rehearsed.
func (d *distributionReader) leftOut(distribution *Distribution, config map[string]any) {
	var out []string
	if len(distribution.Aliases) > 0 {
		out = append(out, "DNS", "the certificate")
	}
	if strings.HasSuffix(text(config["HttpVersion"]), "3") {
		out = append(out, "HTTP/3")
	}
	if !off(config["WebACLId"]) {
		out = append(out, "the web ACL of WAF")
	}
	if text(object(object(config["Restrictions"])["GeoRestriction"])["RestrictionType"]) != "none" && config["Restrictions"] != nil {
		out = append(out, "the restriction by country")
	}
	if !off(config["Logging"]) || d.delivers(distribution) {
		out = append(out, "access logs")
	}
	if len(out) > 0 {
		d.note("readers visit the distribution %s as the stack %s has it; not rehearsed: %s", distribution.ID, distribution.Stack, strings.Join(out, ", "))
	}
}

// delivers reports whether the assembly delivers the distribution's logs.
func (d *distributionReader) delivers(distribution *Distribution) bool {
	for _, stack := range d.template.Stacks() {
		for _, source := range stack.OfType("AWS::Logs::DeliverySource") {
			if of, err := stack.Resolve(source.Properties["ResourceArn"]); err == nil && of == distribution.ARN {
				return true
			}
		}
	}
	return false
}
