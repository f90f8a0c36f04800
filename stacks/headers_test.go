package stacks

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"blog-deploy-pipeline/lambdas/pathpattern"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// sent returns the headers, by name, that a distribution adds to an answer at a path: those of the policy
// in the path's behaviour.
func sent(t *testing.T, tmpl *assembly.Template, path string) map[string]string {
	t.Helper()
	behavior := behaviorOf(t, tmpl, path)
	for _, policy := range tmpl.OfType("AWS::CloudFront::ResponseHeadersPolicy") {
		if at(t, tmpl, map[string]any{"Ref": policy.ID}) == behavior["ResponseHeadersPolicyId"] {
			return policyHeaders(t, tmpl, policy)
		}
	}
	t.Fatalf("%s: the behaviour of %s has no policy of the stack", tmpl.Name, path)
	return nil
}

// behaviorOf returns the behaviour that a path selects.
func behaviorOf(t *testing.T, tmpl *assembly.Template, path string) map[string]any {
	t.Helper()
	all := behaviors(t, distributionConfig(t, tmpl))
	for _, behavior := range all {
		if pattern, _ := behavior["PathPattern"].(string); pattern != "" && pathpattern.Matches(pattern, path) {
			return behavior
		}
	}
	return all[len(all)-1]
}

func policyHeaders(t *testing.T, tmpl *assembly.Template, policy assembly.NamedResource) map[string]string {
	t.Helper()
	config := at(t, tmpl, policy.Properties, "ResponseHeadersPolicyConfig").(map[string]any)
	headers := map[string]string{}
	overrides := func(setting map[string]any) {
		if setting["Override"] != true {
			t.Errorf("%s lets the bucket's files decide: %v", policy.ID, setting)
		}
	}
	for kind, setting := range config["SecurityHeadersConfig"].(map[string]any) {
		setting := setting.(map[string]any)
		overrides(setting)
		switch kind {
		case "ContentTypeOptions":
			headers["X-Content-Type-Options"] = "nosniff"
		case "FrameOptions":
			headers["X-Frame-Options"] = setting["FrameOption"].(string)
		case "ReferrerPolicy":
			headers["Referrer-Policy"] = setting["ReferrerPolicy"].(string)
		case "ContentSecurityPolicy":
			headers["Content-Security-Policy"] = setting["ContentSecurityPolicy"].(string)
		case "StrictTransportSecurity":
			value := fmt.Sprintf("max-age=%.0f", setting["AccessControlMaxAgeSec"])
			if setting["IncludeSubdomains"] == true {
				value += "; includeSubDomains"
			}
			if setting["Preload"] == true {
				value += "; preload"
			}
			headers["Strict-Transport-Security"] = value
		default:
			t.Errorf("%s sends %s, which this test does not know", policy.ID, kind)
		}
	}
	for _, item := range at(t, tmpl, config, "CustomHeadersConfig", "Items").([]any) {
		item := item.(map[string]any)
		overrides(item)
		headers[item["Header"].(string)] = item["Value"].(string)
	}
	return headers
}

func TestSecurityHeaders(t *testing.T) {
	const year = "31536000"
	for _, tt := range []struct {
		props props.Blog
		want  map[string]string
	}{
		{fixtures.Bare, map[string]string{
			"Strict-Transport-Security": "max-age=" + year,
			"X-Content-Type-Options":    "nosniff",
			"X-Frame-Options":           "SAMEORIGIN",
			"Referrer-Policy":           "strict-origin-when-cross-origin",
			"Content-Security-Policy":   "upgrade-insecure-requests; object-src 'none'; base-uri 'self'; frame-ancestors 'self'",
		}},
		{fixtures.Complete, map[string]string{
			"Strict-Transport-Security": "max-age=63072000; includeSubDomains; preload",
			"X-Content-Type-Options":    "nosniff",
			"X-Frame-Options":           "DENY",
			"Referrer-Policy":           "no-referrer",
			"Content-Security-Policy":   "default-src 'self'; frame-ancestors 'none'",
			"Permissions-Policy":        "camera=(), microphone=()",
		}},
		{fixtures.Open, map[string]string{
			"Strict-Transport-Security": "max-age=0",
			"X-Content-Type-Options":    "nosniff",
			"Referrer-Policy":           "same-origin",
		}},
	} {
		tmpl := siteTemplate(t, tt.props)
		// Every path needs the headers, or a page could be read without them.
		for _, path := range []string{"/", "/posts/hello/", "/assets/main.css", "/css/" + fixtures.Fingerprinted, "/feed.xml", "/index.xml", "/404.html"} {
			got := sent(t, tmpl, path)
			delete(got, "Cache-Control")
			if !maps.Equal(got, tt.want) {
				t.Errorf("%s: %s is sent with\n%v, want\n%v", tt.props.Name, path, got, tt.want)
			}
		}
	}
}

// An account has a quota of 20 policies: a Site must not make one that it does not use.
func TestPoliciesAreUsed(t *testing.T) {
	for _, tt := range []struct {
		props props.Blog
		want  int
	}{{fixtures.Bare, 2}, {fixtures.Complete, 2}, {fixtures.Open, 1}} {
		tmpl := siteTemplate(t, tt.props)
		var used []string
		for _, behavior := range behaviors(t, distributionConfig(t, tmpl)) {
			used = append(used, behavior["ResponseHeadersPolicyId"].(string))
		}
		slices.Sort(used)
		made := len(tmpl.OfType("AWS::CloudFront::ResponseHeadersPolicy"))
		if n := len(slices.Compact(used)); made != tt.want || n != made {
			t.Errorf("%s makes %d policies and uses %d, want %d", tt.props.Name, made, n, tt.want)
		}
	}
}
