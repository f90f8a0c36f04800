package stacks

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
	"blog-deploy-pipeline/stacks/site/viewerrequest"
	"blog-deploy-pipeline/stacks/site/viewerresponse"
)

func TestDistributionIsOfToday(t *testing.T) {
	for _, tt := range []struct {
		props      props.Blog
		priceClass string
	}{
		{fixtures.Bare, "PriceClass_All"},
		{fixtures.Tokyo, "PriceClass_All"},
		{fixtures.Virginia, "PriceClass_All"},
		{fixtures.Elsewhere, "PriceClass_All"},
		{fixtures.Complete, "PriceClass_100"},
	} {
		name, tmpl := tt.props.Name, siteTemplate(t, tt.props)
		config := distributionConfig(t, tmpl)
		equal(t, name+"'s HTTP", config["HttpVersion"], "http2and3")
		equal(t, name+"'s IPv6", config["IPV6Enabled"], true)
		equal(t, name+"'s price class", config["PriceClass"], tt.priceClass)
		equal(t, name+"'s home page", config["DefaultRootObject"], "index.html")
		equal(t, name+"'s cache tags", config["CacheTagConfig"], map[string]any{"HeaderName": "x-amz-meta-" + contract.MetadataCacheTag})
		equal(t, name+"'s errors", config["CustomErrorResponses"], []any{map[string]any{
			"ErrorCode": 404, "ResponseCode": 404, "ResponsePagePath": cmp.Or(tt.props.Site.NotFoundPage, "/404.html"), "ErrorCachingMinTTL": 10,
		}})

		origin := at(t, tmpl, config, "Origins", 0).(map[string]any)
		equal(t, name+"'s origin", origin["DomainName"], at(t, tmpl, map[string]any{"Fn::GetAtt": []any{siteBucket(t, tmpl).ID, "RegionalDomainName"}}))
		control := tmpl.OfType("AWS::CloudFront::OriginAccessControl")[0]
		equal(t, name+"'s origin access", origin["OriginAccessControlId"], at(t, tmpl, map[string]any{"Fn::GetAtt": []any{control.ID, "Id"}}))
		equal(t, name+"'s signing", at(t, tmpl, control.Properties, "OriginAccessControlConfig", "SigningBehavior"), "always")
		if n := len(config["Origins"].([]any)); n != 1 {
			t.Errorf("%s has %d origins, want 1", name, n)
		}

		for _, behavior := range behaviors(t, config) {
			name := fmt.Sprintf("%s's behavior %v", name, cmp.Or(behavior["PathPattern"], "*"))
			equal(t, name+": HTTP", behavior["ViewerProtocolPolicy"], "redirect-to-https")
			equal(t, name+": compression", behavior["Compress"], true)
			equal(t, name+": cache policy", behavior["CachePolicyId"], cachingOptimized)
			equal(t, name+": origin request policy", behavior["OriginRequestPolicyId"], nil) // S3 gets no query
			equal(t, name+": origin", behavior["TargetOriginId"], origin["Id"])
		}
	}
}

// cachingOptimized is the id of AWS's own policy, the same in every account.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
const cachingOptimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"

// behaviors returns a distribution's behaviours, the default one last.
func behaviors(t *testing.T, config map[string]any) []map[string]any {
	t.Helper()
	var all []map[string]any
	others, _ := config["CacheBehaviors"].([]any)
	for _, behavior := range append(slices.Clone(others), config["DefaultCacheBehavior"]) {
		all = append(all, behavior.(map[string]any))
	}
	return all
}

// functions returns the code that a behaviour runs, by event.
func functions(t *testing.T, tmpl *assembly.Template, behavior map[string]any) map[string]string {
	t.Helper()
	code := map[string]string{}
	for _, association := range behavior["FunctionAssociations"].([]any) {
		association := association.(map[string]any)
		event := association["EventType"].(string)
		for _, function := range tmpl.OfType("AWS::CloudFront::Function") {
			if at(t, tmpl, map[string]any{"Fn::GetAtt": []any{function.ID, "FunctionARN"}}) == association["FunctionARN"] {
				equal(t, function.ID+"'s runtime", at(t, tmpl, function.Properties, "FunctionConfig", "Runtime"), "cloudfront-js-2.0")
				equal(t, function.ID+"'s stage", function.Properties["AutoPublish"], true)
				code[event] = function.Properties["FunctionCode"].(string)
			}
		}
		if code[event] == "" {
			t.Errorf("%s: the function of %v on %s is none of the stack", tmpl.Name, behavior["PathPattern"], event)
		}
	}
	return code
}

// Every behaviour runs the function with the Site's settings. Immutable paths also run the one that sets
// their Cache-Control.
func TestSiteFunction(t *testing.T) {
	for _, tt := range []struct {
		props props.Blog
		want  viewerrequest.Settings
	}{
		{fixtures.Bare, viewerrequest.Settings{}},
		{fixtures.Tokyo, viewerrequest.Settings{Domain: "kzmorita.dev", RedirectFrom: []string{"www.kzmorita.dev", "blog.kzmorita.dev"}}},
		{fixtures.Complete, viewerrequest.Settings{Domain: "complete.kzmorita.dev", RedirectFrom: []string{"www.complete.kzmorita.dev"}, MissingSlash: viewerrequest.Rewrite}},
		{fixtures.Open, viewerrequest.Settings{}},
	} {
		tmpl := siteTemplate(t, tt.props)
		for _, behavior := range behaviors(t, distributionConfig(t, tmpl)) {
			want := map[string]string{"viewer-request": viewerrequest.Code(tt.want)}
			pattern, _ := behavior["PathPattern"].(string)
			if slices.Contains(tt.props.Site.WithDefaults().Caching.Immutable, pattern) {
				want["viewer-response"] = viewerresponse.Code("public, max-age=31536000, immutable")
			}
			equal(t, tt.props.Name+"'s functions at "+cmp.Or(pattern, "*"), functions(t, tmpl, behavior), want)
		}
	}
}
