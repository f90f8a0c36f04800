// Package distribution reads the CloudFront distributions of a cloud assembly: cache behaviours and their
// functions, the policies for caching and headers, and what the bucket behind allows the distribution.
package distribution

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/edgefunction"
)

// Read reads the distribution of an id, with all that readers of a site notice. What a rehearsal cannot do as
// CloudFront would is a problem of the inspection. Read returns nil for a distribution that no template of the
// assembly makes: of such a one only the id is known.
func Read(i *assembly.Inspection, id string) *Distribution {
	for _, stack := range i.Template.Stacks() {
		for _, resource := range stack.OfType("AWS::CloudFront::Distribution") {
			// One that is not created has no id.
			made, err := stack.Resolve(map[string]any{"Ref": resource.ID})
			if err != nil || made != id {
				continue
			}
			d := &inspection{
				Inspection: &assembly.Inspection{Template: stack}, what: "the distribution " + resource.ID + " of the stack " + stack.Name,
				functions: map[string]*edgefunction.Function{},
			}
			read := d.distribution(resource)
			i.Add(d.Inspection)
			return read
		}
	}
	return nil
}

// distribution reads a distribution's configuration. A property that readers would notice, and that cannot be
// rehearsed, is a problem.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudfront-distribution-distributionconfig.html
func (d *inspection) distribution(resource assembly.NamedResource) *Distribution {
	stack := d.Template
	config := assembly.Object(d.Resolve(d.what, resource.Properties["DistributionConfig"]))
	if byDefault := assembly.Object(config["DefaultCacheBehavior"]); byDefault != nil {
		d.origin = assembly.Text(byDefault["TargetOriginId"])
	} else if d.Err() == nil {
		d.Problem("%s: its DistributionConfig has no DefaultCacheBehavior, which CloudFront requires", d.what)
	}
	if d.Err() != nil {
		return nil
	}
	d.only(d.what, config, "DistributionConfig", "Aliases", "CacheBehaviors", "CacheTagConfig", "CustomErrorResponses", "DefaultCacheBehavior", "DefaultRootObject", "Origins")
	if assembly.Text(config["Enabled"]) != "true" {
		d.Problem("%s: Enabled is %q, want true: CloudFront answers nobody", d.what, assembly.Text(config["Enabled"]))
	}
	distribution := &Distribution{
		Distribution: edge.Distribution{
			ID: d.Ref(resource.ID), DomainName: d.Attribute(resource.ID, "DomainName"),
			DefaultRootObject: assembly.Text(config["DefaultRootObject"]),
			CacheTagHeader:    assembly.Text(assembly.Object(config["CacheTagConfig"])["HeaderName"]),
			Errors:            d.errorPages(config["CustomErrorResponses"]),
		},
		Stack: stack.Name, Resource: resource.ID,
	}
	distribution.ARN = fmt.Sprintf("arn:%s:cloudfront::%s:distribution/%s", stack.Partition, stack.Account, distribution.ID)
	for _, alias := range assembly.List(config["Aliases"]) {
		distribution.Aliases = append(distribution.Aliases, assembly.Text(alias))
	}
	for i, behavior := range assembly.List(config["CacheBehaviors"]) {
		what := fmt.Sprintf("%s: CacheBehaviors[%d]", d.what, i)
		distribution.Behaviors = append(distribution.Behaviors, d.behavior(what, assembly.Text(assembly.Object(behavior)["PathPattern"]), assembly.Object(behavior)))
	}
	distribution.Behaviors = append(distribution.Behaviors, d.behavior(d.what+": DefaultCacheBehavior", "*", assembly.Object(config["DefaultCacheBehavior"])))
	d.readOrigin(distribution, config)
	d.leftOut(distribution, config)
	if d.Err() == nil {
		if err := distribution.Validate(); err != nil {
			d.Problem("%s: %w", d.what, err)
		}
	}
	return distribution
}

// errorPages reads the custom error responses.
func (d *inspection) errorPages(responses any) map[int]edge.ErrorResponse {
	pages := map[int]edge.ErrorResponse{}
	for i, v := range assembly.List(responses) {
		what, response := fmt.Sprintf("%s: CustomErrorResponses[%d]", d.what, i), assembly.Object(v)
		d.only(what, response, "", "ErrorCode", "ErrorCachingMinTTL", "ResponseCode", "ResponsePagePath")
		// CloudFront accepts both together, or none.
		// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CustomErrorResponse.html
		if off(response["ResponseCode"]) != off(response["ResponsePagePath"]) {
			d.Problem("%s: ResponseCode is %q and ResponsePagePath %q: CloudFront requires both or none", what, assembly.Text(response["ResponseCode"]), assembly.Text(response["ResponsePagePath"]))
		}
		minimum := d.seconds(what+": ErrorCachingMinTTL", response["ErrorCachingMinTTL"])
		if response["ErrorCachingMinTTL"] != nil && minimum == 0 {
			minimum = -1 // The edge would use its default for 0.
		}
		code := d.Number(what+": ErrorCode", response["ErrorCode"], 0)
		if _, known := pages[code]; known {
			d.Problem("%s: ErrorCode %d has a response already; CloudFront allows one for each", what, code)
		}
		pages[code] = edge.ErrorResponse{
			PagePath: assembly.Text(response["ResponsePagePath"]), Status: d.Number(what+": ResponseCode", response["ResponseCode"], 0), MinTTL: minimum,
		}
	}
	return pages
}

// behavior reads a cache behaviour.
func (d *inspection) behavior(what, pattern string, b map[string]any) edge.Behavior {
	d.only(what, b, "CacheBehavior", "AllowedMethods", "CachePolicyId", "Compress", "FunctionAssociations", "PathPattern", "ResponseHeadersPolicyId", "TargetOriginId", "ViewerProtocolPolicy")
	var writes []string
	for _, v := range assembly.List(b["AllowedMethods"]) {
		if method := assembly.Text(v); method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions {
			writes = append(writes, method)
		}
	}
	if writes != nil {
		d.Problem("%s: AllowedMethods has %s, which cannot be rehearsed; readers send GET and HEAD", what, strings.Join(writes, ", "))
	}
	if origin := assembly.Text(b["TargetOriginId"]); origin != d.origin {
		d.Problem("%s: TargetOriginId is %q, and DefaultCacheBehavior's %q: a distribution with several origins cannot be rehearsed", what, origin, d.origin)
	}
	behavior := edge.Behavior{
		PathPattern: pattern, ViewerProtocol: assembly.Text(b["ViewerProtocolPolicy"]), Compress: assembly.Text(b["Compress"]) == "true",
		CachePolicy: d.cachePolicy(what, assembly.Text(b["CachePolicyId"])),
	}
	d.associateFunctions(what, &behavior, b["FunctionAssociations"])
	if known := []string{"allow-all", "redirect-to-https", "https-only"}; !slices.Contains(known, behavior.ViewerProtocol) {
		d.Problem("%s: ViewerProtocolPolicy is %q, want one of %s", what, behavior.ViewerProtocol, strings.Join(known, ", "))
	}
	if id := assembly.Text(b["ResponseHeadersPolicyId"]); id != "" {
		behavior.Headers = d.headersPolicy(what, id)
	}
	return behavior
}

// leftOut notes the parts of a distribution that are not rehearsed.
func (d *inspection) leftOut(distribution *Distribution, config map[string]any) {
	var out []string
	if len(distribution.Aliases) > 0 {
		out = append(out, "DNS", "the certificate")
	}
	if strings.HasSuffix(assembly.Text(config["HttpVersion"]), "3") {
		out = append(out, "HTTP/3")
	}
	if !off(config["WebACLId"]) {
		out = append(out, "the web ACL of WAF")
	}
	if assembly.Text(assembly.Object(assembly.Object(config["Restrictions"])["GeoRestriction"])["RestrictionType"]) != "none" && config["Restrictions"] != nil {
		out = append(out, "the restriction by country")
	}
	if !off(config["Logging"]) || d.delivers(distribution) {
		out = append(out, "access logs")
	}
	if len(out) > 0 {
		d.Note("readers visit the distribution %s as the stack %s has it; not rehearsed: %s", distribution.ID, distribution.Stack, strings.Join(out, ", "))
	}
}

// delivers reports whether a template delivers the distribution's access logs.
func (d *inspection) delivers(distribution *Distribution) bool {
	for _, stack := range d.Template.Stacks() {
		for _, source := range stack.OfType("AWS::Logs::DeliverySource") {
			if of, err := stack.Resolve(source.Properties["ResourceArn"]); err == nil && of == distribution.ARN {
				return true
			}
		}
	}
	return false
}
