package pipeline

import (
	"fmt"
	"strings"

	"blog-deploy-pipeline/rehearse/edge"
)

// headersPolicy reads a response headers policy, and words its headers as CloudFront does.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html
func (d *distributionReader) headersPolicy(what, id string) edge.HeadersPolicy {
	stack, resource := d.made("AWS::CloudFront::ResponseHeadersPolicy", "Id", id)
	if stack == nil {
		d.problem("%s: ResponseHeadersPolicyId %q is no policy of the assembly: CloudFront's own cannot be rehearsed", what, id)
		return edge.HeadersPolicy{}
	}
	what = "the response headers policy " + resource.ID
	config := d.config(stack, resource, "ResponseHeadersPolicyConfig")
	d.only(what, config, "", "Comment", "CorsConfig", "CustomHeadersConfig", "Name", "RemoveHeadersConfig", "SecurityHeadersConfig")
	policy := edge.HeadersPolicy{Set: d.securityHeaders(what+": SecurityHeadersConfig", object(config["SecurityHeadersConfig"]))}
	policy.Set = append(policy.Set, d.corsHeaders(what+": CorsConfig", object(config["CorsConfig"]))...)
	policy.Set = append(policy.Set, d.customHeaders(what+": CustomHeadersConfig", object(config["CustomHeadersConfig"]))...)
	for _, v := range list(object(config["RemoveHeadersConfig"])["Items"]) {
		policy.Remove = append(policy.Remove, text(object(v)["Header"]))
	}
	return policy
}

// customHeaders are those that the policy spells out. Header and Value are required, and CloudFront takes
// no security header among them.
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ResponseHeadersPolicyCustomHeader.html
func (d *distributionReader) customHeaders(what string, config map[string]any) []edge.Header {
	var headers []edge.Header
	for i, v := range list(config["Items"]) {
		header := object(v)
		custom := edge.Header{Name: text(header["Header"]), Value: text(header["Value"]), Override: text(header["Override"]) == "true"}
		if custom.Name == "" || header["Value"] == nil {
			d.problem("%s: Items[%d] sets %q to %q: CloudFront wants both Header and Value", what, i, custom.Name, custom.Value)
		}
		for _, h := range securityHeaders {
			if strings.EqualFold(custom.Name, h.name) {
				d.problem("%s: Items[%d] sets %s, a security header: CloudFront takes it as %s of SecurityHeadersConfig", what, i, custom.Name, h.property)
			}
		}
		headers = append(headers, custom)
	}
	return headers
}

// securityHeader words one of CloudFront's security headers.
type securityHeader struct {
	property, name string
	value          func(map[string]any) string
}

// given is the value of a property.
func given(property string) func(map[string]any) string {
	return func(p map[string]any) string { return text(p[property]) }
}

var securityHeaders = []securityHeader{
	{"ContentSecurityPolicy", "Content-Security-Policy", given("ContentSecurityPolicy")},
	{"ContentTypeOptions", "X-Content-Type-Options", func(map[string]any) string { return "nosniff" }},
	{"FrameOptions", "X-Frame-Options", given("FrameOption")},
	{"ReferrerPolicy", "Referrer-Policy", given("ReferrerPolicy")},
	{"StrictTransportSecurity", "Strict-Transport-Security", strictTransport},
	{"XSSProtection", "X-XSS-Protection", xssProtection},
}

func strictTransport(p map[string]any) string {
	value := "max-age=" + text(p["AccessControlMaxAgeSec"])
	if text(p["IncludeSubdomains"]) == "true" {
		value += "; includeSubDomains"
	}
	if text(p["Preload"]) == "true" {
		value += "; preload"
	}
	return value
}

func xssProtection(p map[string]any) string {
	if text(p["Protection"]) != "true" {
		return "0"
	}
	value := "1"
	if text(p["ModeBlock"]) == "true" {
		value += "; mode=block"
	}
	if uri := text(p["ReportUri"]); uri != "" {
		value += "; report=" + uri
	}
	return value
}

func (d *distributionReader) securityHeaders(what string, config map[string]any) []edge.Header {
	var headers []edge.Header
	var known []string
	for _, h := range securityHeaders {
		known = append(known, h.property)
		if p := object(config[h.property]); p != nil {
			headers = append(headers, edge.Header{Name: h.name, Value: h.value(p), Override: text(p["Override"]) == "true"})
		}
	}
	d.only(what, config, "", known...)
	return headers
}

// corsHeaders are those of answers to a GET. A preflight request, an OPTIONS, gets others too; and at
// CloudFront all of them are for requests from another origin only, where here every response has them.
func (d *distributionReader) corsHeaders(what string, config map[string]any) []edge.Header {
	if config == nil {
		return nil
	}
	// These are in the answers to preflight requests only.
	d.only(what, config, "", "AccessControlAllowCredentials", "AccessControlAllowHeaders", "AccessControlAllowMethods", "AccessControlAllowOrigins",
		"AccessControlExposeHeaders", "AccessControlMaxAgeSec", "OriginOverride")
	items := func(property string) []string {
		var values []string
		for _, v := range list(object(config[property])["Items"]) {
			values = append(values, text(v))
		}
		return values
	}
	override := text(config["OriginOverride"]) == "true"
	origins := items("AccessControlAllowOrigins")
	if len(origins) != 1 || origins[0] != "*" {
		d.problem("%s: AccessControlAllowOrigins is %s: only * can be rehearsed, which is the same for every reader", what, fmt.Sprintf("%q", origins))
	}
	headers := []edge.Header{{Name: "Access-Control-Allow-Origin", Value: "*", Override: override}}
	if text(config["AccessControlAllowCredentials"]) == "true" {
		headers = append(headers, edge.Header{Name: "Access-Control-Allow-Credentials", Value: "true", Override: override})
	}
	if expose := items("AccessControlExposeHeaders"); len(expose) > 0 {
		headers = append(headers, edge.Header{Name: "Access-Control-Expose-Headers", Value: strings.Join(expose, ", "), Override: override})
	}
	return headers
}
