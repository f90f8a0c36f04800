package distribution

import (
	"strings"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/edge"
)

// headersPolicy reads a response headers policy, and writes its headers as CloudFront does.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html
func (d *inspection) headersPolicy(what, id string) edge.HeadersPolicy {
	stack, resource := d.made("AWS::CloudFront::ResponseHeadersPolicy", "Id", id)
	if stack == nil {
		d.Problem("%s: ResponseHeadersPolicyId %q is no policy of the assembly: CloudFront's own cannot be rehearsed", what, id)
		return edge.HeadersPolicy{}
	}
	what = "the response headers policy " + resource.ID
	config := d.config(stack, resource, "ResponseHeadersPolicyConfig")
	d.only(what, config, "", "Comment", "CustomHeadersConfig", "Name", "RemoveHeadersConfig", "SecurityHeadersConfig")
	policy := edge.HeadersPolicy{Set: d.securityHeaders(what+": SecurityHeadersConfig", assembly.Object(config["SecurityHeadersConfig"]))}
	policy.Set = append(policy.Set, d.customHeaders(what+": CustomHeadersConfig", assembly.Object(config["CustomHeadersConfig"]))...)
	for _, v := range assembly.List(assembly.Object(config["RemoveHeadersConfig"])["Items"]) {
		policy.Remove = append(policy.Remove, assembly.Text(assembly.Object(v)["Header"]))
	}
	return policy
}

// customHeaders reads the headers that a policy writes out. CloudFront requires Header and Value, and refuses
// security headers here.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ResponseHeadersPolicyCustomHeader.html
func (d *inspection) customHeaders(what string, config map[string]any) []edge.Header {
	var headers []edge.Header
	for i, v := range assembly.List(config["Items"]) {
		header := assembly.Object(v)
		custom := edge.Header{Name: assembly.Text(header["Header"]), Value: assembly.Text(header["Value"]), Override: assembly.Text(header["Override"]) == "true"}
		if custom.Name == "" || header["Value"] == nil {
			d.Problem("%s: Items[%d] sets %q to %q: CloudFront requires both Header and Value", what, i, custom.Name, custom.Value)
		}
		for _, h := range securityHeaders {
			if strings.EqualFold(custom.Name, h.name) {
				d.Problem("%s: Items[%d] sets %s, a security header: CloudFront accepts it as %s of SecurityHeadersConfig", what, i, custom.Name, h.property)
			}
		}
		headers = append(headers, custom)
	}
	return headers
}

// securityHeader is one of the security headers that CloudFront writes by itself.
type securityHeader struct {
	property, name string
	value          func(map[string]any) string
}

// given writes the value of a property.
func given(property string) func(map[string]any) string {
	return func(p map[string]any) string { return assembly.Text(p[property]) }
}

var securityHeaders = []securityHeader{
	{"ContentSecurityPolicy", "Content-Security-Policy", given("ContentSecurityPolicy")},
	{"ContentTypeOptions", "X-Content-Type-Options", func(map[string]any) string { return "nosniff" }},
	{"FrameOptions", "X-Frame-Options", given("FrameOption")},
	{"ReferrerPolicy", "Referrer-Policy", given("ReferrerPolicy")},
	{"StrictTransportSecurity", "Strict-Transport-Security", strictTransport},
}

// strictTransport writes Strict-Transport-Security.
func strictTransport(p map[string]any) string {
	value := "max-age=" + assembly.Text(p["AccessControlMaxAgeSec"])
	if assembly.Text(p["IncludeSubdomains"]) == "true" {
		value += "; includeSubDomains"
	}
	if assembly.Text(p["Preload"]) == "true" {
		value += "; preload"
	}
	return value
}

// securityHeaders reads the security headers of a policy.
func (d *inspection) securityHeaders(what string, config map[string]any) []edge.Header {
	var headers []edge.Header
	var known []string
	for _, h := range securityHeaders {
		known = append(known, h.property)
		if p := assembly.Object(config[h.property]); p != nil {
			headers = append(headers, edge.Header{Name: h.name, Value: h.value(p), Override: assembly.Text(p["Override"]) == "true"})
		}
	}
	d.only(what, config, "", known...)
	return headers
}
