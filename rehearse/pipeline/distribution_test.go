package pipeline

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/edgefunction"
)

// siteStack is what the CDK makes of a site: a bucket that one distribution may read.
const siteStack = `{
	"Resources": {
		"Bucket": {"Type": "AWS::S3::Bucket"},
		"Other": {"Type": "AWS::S3::Bucket"},
		"BucketPolicy": {"Type": "AWS::S3::BucketPolicy", "Properties": {
			"Bucket": {"Ref": "Bucket"},
			"PolicyDocument": {"Version": "2012-10-17", "Statement": [
				{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}],
					"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
				{"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": ["s3:GetObject", "s3:ListBucket"],
					"Resource": [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}],
					"Condition": {"StringEquals": {"AWS:SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}"}}}}
			]}}},
		"AccessControl": {"Type": "AWS::CloudFront::OriginAccessControl", "Properties": {"OriginAccessControlConfig": {
			"Name": "blog", "OriginAccessControlOriginType": "s3", "SigningBehavior": "always", "SigningProtocol": "sigv4"}}},
		"Function": {"Type": "AWS::CloudFront::Function", "Properties": {
			"Name": "blog", "AutoPublish": true, "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"},
			"FunctionCode": "function handler(event) {\n  var request = event.request;\n  if (request.uri.endsWith('/')) { request.uri += 'index.html'; }\n  return request;\n}\n"}},
		"Pages": {"Type": "AWS::CloudFront::ResponseHeadersPolicy", "Properties": {"ResponseHeadersPolicyConfig": {
			"Name": "pages",
			"SecurityHeadersConfig": {
				"StrictTransportSecurity": {"AccessControlMaxAgeSec": 31536000, "IncludeSubdomains": true, "Preload": true, "Override": true},
				"ContentTypeOptions": {"Override": true},
				"FrameOptions": {"FrameOption": "DENY", "Override": false}
			},
			"CustomHeadersConfig": {"Items": [{"Header": "Cache-Control", "Value": "public, max-age=0, must-revalidate", "Override": true}]},
			"RemoveHeadersConfig": {"Items": [{"Header": "X-Amz-Meta-Cache-Tag"}]}
		}}},
		"Short": {"Type": "AWS::CloudFront::CachePolicy", "Properties": {"CachePolicyConfig": {
			"Name": "short", "MinTTL": 0, "DefaultTTL": 300, "MaxTTL": 3600, "ParametersInCacheKeyAndForwardedToOrigin": {
				"CookiesConfig": {"CookieBehavior": "none"}, "HeadersConfig": {"HeaderBehavior": "none"}, "QueryStringsConfig": {"QueryStringBehavior": "none"},
				"EnableAcceptEncodingBrotli": false, "EnableAcceptEncodingGzip": false}}}},
		"Distribution": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": {
			"Aliases": ["blog.example.com", "www.blog.example.com"],
			"Enabled": true, "IPV6Enabled": true, "HttpVersion": "http2and3", "PriceClass": "PriceClass_All", "DefaultRootObject": "index.html",
			"CacheTagConfig": {"HeaderName": "x-amz-meta-cache-tag"},
			"Origins": [{"Id": "bucket", "DomainName": {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]}, "OriginAccessControlId": {"Fn::GetAtt": ["AccessControl", "Id"]}, "S3OriginConfig": {"OriginAccessIdentity": ""}}],
			"CacheBehaviors": [{
				"PathPattern": "*.xml", "TargetOriginId": "bucket", "ViewerProtocolPolicy": "redirect-to-https", "Compress": true, "CachePolicyId": {"Ref": "Short"},
				"FunctionAssociations": [{"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": ["Function", "FunctionARN"]}}]
			}],
			"DefaultCacheBehavior": {
				"TargetOriginId": "bucket", "ViewerProtocolPolicy": "redirect-to-https", "Compress": true, "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
				"ResponseHeadersPolicyId": {"Ref": "Pages"},
				"FunctionAssociations": [{"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": ["Function", "FunctionARN"]}}]
			},
			"CustomErrorResponses": [{"ErrorCode": 404, "ResponseCode": 404, "ResponsePagePath": "/404.html", "ErrorCachingMinTTL": 60}],
			"ViewerCertificate": {"AcmCertificateArn": {"Fn::GetStackOutput": {"StackName": "blog-certificate", "Region": "us-east-1", "OutputName": "ARN"}}, "MinimumProtocolVersion": "TLSv1.2_2021", "SslSupportMethod": "sni-only"}
		}}}
	},
	"Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}, "Distribution": {"Value": {"Ref": "Distribution"}}}
}`

const certificateStack = `{
	"Resources": {"Certificate": {"Type": "AWS::CertificateManager::Certificate"}},
	"Outputs": {"ARN": {"Value": {"Ref": "Certificate"}}}
}`

// stackOutput refers to an output of the site's stack.
func stackOutput(name string) string {
	return `{"Fn::GetStackOutput": {"StackName": "blog-site", "Region": "ap-northeast-1", "OutputName": "` + name + `"}}`
}

// siteAssembly is the classic pipeline beside the site that it publishes to: the golden template's bucket
// and distribution are those of the site's stack, which is edited.
func siteAssembly(t *testing.T, edits ...edit) *assembly.Template {
	t.Helper()
	dir := template(t, "classic-pipeline",
		replace(t, `"kzmorita-blog"`, stackOutput("Bucket")),
		replace(t, `":s3:::kzmorita-blog/*"`, `":s3:::", `+stackOutput("Bucket")+`, "/*"`),
		replace(t, `":distribution/E2QWRUHAPOMQZM"`, `":distribution/", `+stackOutput("Distribution")),
		replace(t, `"{\"PipelineName\":\"classic\",\"DistributionId\":\"E2QWRUHAPOMQZM\"}"`,
			`{"Fn::Join": ["", ["{\"PipelineName\":\"classic\",\"DistributionId\":\"", `+stackOutput("Distribution")+`, "\"}"]]}`),
	).Dir
	site := siteStack
	for _, e := range edits {
		site = e(site)
	}
	stack := func(name, region string) string {
		return fmt.Sprintf(`%q: {"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/%s", "properties": {"templateFile": "%s.template.json"}}`, name, region, name)
	}
	write(t, dir, map[string]string{
		"blog-site.template.json":        site,
		"blog-certificate.template.json": certificateStack,
		"manifest.json": `{"artifacts": {` + strings.Join([]string{
			stack("blog-certificate", "us-east-1"), stack("blog-site", "ap-northeast-1"), stack("classic-pipeline", "ap-northeast-1"),
		}, ", ") + `}}`,
	})
	stacks, err := assembly.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return stacks[2]
}

// made is the one distribution of a plan.
func made(t *testing.T, plan *Plan) *Distribution {
	t.Helper()
	for _, d := range plan.Distributions {
		return d
	}
	t.Fatal("no distribution is the assembly's")
	return nil
}

func TestReadDistribution(t *testing.T) {
	plan := read(t, siteAssembly(t))
	d := made(t, plan)
	if len(plan.Distributions) != 1 || plan.Distributions[d.ID] != d || !strings.HasPrefix(d.ID, "E") {
		t.Errorf("distributions are %v", plan.Distributions)
	}
	if want := "arn:aws:cloudfront::123456789012:distribution/" + d.ID; d.ARN != want {
		t.Errorf("ARN is %s, want %s", d.ARN, want)
	}
	bucket := plan.Stages[2].Actions[0].Configuration["BucketName"]
	if d.Origin != bucket || !strings.HasPrefix(bucket, "blog-site-bucket-") || d.Unsigned != "" {
		t.Errorf("it reads from %q (%s), and the pipeline deploys to %q", d.Origin, d.Unsigned, bucket)
	}
	if !strings.Contains(string(d.Policy), `"AWS:SourceArn":"`+d.ARN+`"`) || d.PolicyResource != "BucketPolicy" {
		t.Errorf("the bucket's policy %s is %s", d.PolicyResource, d.Policy)
	}
	got := d.Distribution
	for i := range got.Behaviors {
		if got.Behaviors[i].ViewerRequest == nil {
			t.Errorf("%s: no function", got.Behaviors[i].PathPattern)
		}
		got.Behaviors[i].ViewerRequest = nil
	}
	if !strings.HasSuffix(got.DomainName, ".cloudfront.net") {
		t.Errorf("its own name is %s", got.DomainName)
	}
	want := edge.Distribution{
		ID: d.ID, DomainName: got.DomainName, Aliases: []string{"blog.example.com", "www.blog.example.com"}, DefaultRootObject: "index.html",
		Behaviors: []edge.Behavior{
			{PathPattern: "*.xml", ViewerProtocol: "redirect-to-https", Compress: true, CachePolicy: edge.CachePolicy{DefaultTTL: 5 * time.Minute, MaxTTL: time.Hour}},
			{
				PathPattern: "*", ViewerProtocol: "redirect-to-https", CachePolicy: edge.CachingOptimized, Compress: true,
				Headers: edge.HeadersPolicy{
					Set: []edge.Header{
						{Name: "X-Content-Type-Options", Value: "nosniff", Override: true},
						{Name: "X-Frame-Options", Value: "DENY"},
						{Name: "Strict-Transport-Security", Value: "max-age=31536000; includeSubDomains; preload", Override: true},
						{Name: "Cache-Control", Value: "public, max-age=0, must-revalidate", Override: true},
					},
					Remove: []string{"X-Amz-Meta-Cache-Tag"},
				},
			},
		},
		Errors: map[int]edge.ErrorResponse{404: {PagePath: "/404.html", Status: 404, MinTTL: time.Minute}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if notes := strings.Join(plan.Notes, "\n"); !strings.Contains(notes, "as the stack blog-site has it; not rehearsed: DNS, the certificate, HTTP/3") || strings.Contains(notes, "assumed") {
		t.Errorf("notes are %q", plan.Notes)
	}
}

// The function is the template's.
func TestReadDistributionFunction(t *testing.T) {
	d := made(t, read(t, siteAssembly(t)))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://blog.example.com/a/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.RemoteAddr = "192.0.2.1:1"
	changed, _, err := d.Behaviors[0].ViewerRequest.ViewerRequest(request, edgefunction.Context{DistributionID: d.ID, DistributionDomainName: d.DomainName, RequestID: "r"}) //nolint:bodyclose // It makes none.
	if err != nil || changed.URL.Path != "/a/index.html" {
		t.Errorf("got %v, %v, want /a/index.html", changed, err)
	}
}

// Functions of both kinds, each where it belongs.
func TestReadDistributionFunctions(t *testing.T) {
	tpl := siteAssembly(t, replace(t, `"FunctionAssociations": [{`, `"FunctionAssociations": [
		{"EventType": "viewer-response", "FunctionARN": {"Fn::GetAtt": ["Keep", "FunctionARN"]}}, {`), replace(t, `"Pages": {`, `"Keep": {"Type": "AWS::CloudFront::Function", "Properties": {
			"Name": "keep", "AutoPublish": true, "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"},
			"FunctionCode": "function handler(event) { event.response.headers['cache-control'] = { value: 'kept' }; return event.response; }"}},
		"Pages": {`))
	d := made(t, read(t, tpl))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://blog.example.com/a/", nil)
	if err != nil {
		t.Fatal(err)
	}
	changed, _, err := d.Behaviors[0].ViewerRequest.ViewerRequest(request, edgefunction.Context{}) //nolint:bodyclose // It makes none.
	if err != nil || changed.URL.Path != "/a/index.html" {
		t.Errorf("on requests: got %v, %v, want /a/index.html", changed, err)
	}
	response, err := d.Behaviors[0].ViewerResponse.ViewerResponse(request, &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}, edgefunction.Context{})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Cache-Control"); got != "kept" {
		t.Errorf("on responses: got Cache-Control %q, want kept", got)
	}
}

// The account of the source's connection is that of the site, too.
func TestReadDistributionSettles(t *testing.T) {
	for _, tt := range []struct{ name, account, moved, note string }{
		{"bound to none", "123456789012", "210987654321", "the stack is bound to no account: it is taken to be in 210987654321"},
		{"with example values", "111122223333", "210987654321", "the stack has example values, and so cannot be deployed: it is taken to be in 210987654321"},
		{"bound to its own", "444455556666", "444455556666", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tpl := siteAssembly(t)
			for _, s := range tpl.Stacks() {
				s.Account = tt.account
			}
			source := object(list(object(list(tpl.OfType("AWS::CodePipeline::Pipeline")[0].Properties["Stages"])[0])["Actions"])[0])
			object(source["Configuration"])["ConnectionArn"] = "arn:aws:codeconnections:ap-northeast-1:210987654321:connection/a"
			plan := read(t, tpl)
			d := made(t, plan)
			if want := "arn:aws:cloudfront::" + tt.moved + ":distribution/" + d.ID; d.ARN != want || !strings.Contains(string(d.Policy), want) {
				t.Errorf("it is %s, want %s; the bucket's policy is %s", d.ARN, want, d.Policy)
			}
			if notes := strings.Join(plan.Notes, "\n"); !strings.Contains(notes, tt.note) || strings.Contains(notes, "taken to be in") != (tt.note != "") {
				t.Errorf("notes are %q, want %q", notes, tt.note)
			}
		})
	}
}

// TestReadDistributionVariants has what a distribution can be like, besides.
func TestReadDistributionVariants(t *testing.T) {
	for _, tt := range []struct {
		name, old, with string
		ok              func(*Distribution) bool
	}{
		{"not cached", `"658327ea-f89d-4fab-a63d-7e88639e58f6"`, `"4135ea2d-6df8-44a3-9df3-4b5a84be39ad"`, func(d *Distribution) bool {
			return d.Behaviors[1].CachePolicy == uncached && !d.Behaviors[1].CachePolicy.Gzip
		}},
		{"own policy that keeps nothing", `"DefaultTTL": 300, "MaxTTL": 3600`, `"DefaultTTL": 0, "MaxTTL": 0`, func(d *Distribution) bool { return d.Behaviors[0].CachePolicy == uncached }},
		{"own policy with compression", `"EnableAcceptEncodingGzip": false`, `"EnableAcceptEncodingGzip": true`, func(d *Distribution) bool { return d.Behaviors[0].CachePolicy.Gzip }},
		{"cached for compression that is off", `"658327ea-f89d-4fab-a63d-7e88639e58f6"`, `"b2884449-e4de-46a7-ac36-70bc7f1ddd6d"`, func(d *Distribution) bool {
			return d.Behaviors[1].CachePolicy.DefaultTTL == 24*time.Hour && !d.Behaviors[1].CachePolicy.Gzip
		}},
		{"no compression", `"Compress": true, "CachePolicyId": "658327ea`, `"Compress": false, "CachePolicyId": "658327ea`, func(d *Distribution) bool { return !d.Behaviors[1].Compress }},
		{"errors that are not kept", `"ErrorCachingMinTTL": 60`, `"ErrorCachingMinTTL": 0`, func(d *Distribution) bool { return d.Errors[404].MinTTL < 0 }},
		{"errors kept by default", `, "ErrorCachingMinTTL": 60`, ``, func(d *Distribution) bool { return d.Errors[404].MinTTL == 0 }},
		{"errors as they are", `"ResponseCode": 404, "ResponsePagePath": "/404.html", `, ``, func(d *Distribution) bool { return d.Errors[404] == edge.ErrorResponse{MinTTL: time.Minute} }},
		{"no aliases", `"Aliases": ["blog.example.com", "www.blog.example.com"],`, ``, func(d *Distribution) bool { return len(d.Aliases) == 0 }},
		{"origin by its global name", `"RegionalDomainName"`, `"DomainName"`, func(d *Distribution) bool { return strings.HasPrefix(d.Origin, "blog-site-bucket-") }},
		{"origin of another bucket", `["Bucket", "RegionalDomainName"]`, `["Other", "RegionalDomainName"]`, func(d *Distribution) bool { return strings.HasPrefix(d.Origin, "blog-site-other-") && d.Policy == nil }},
		{"origin that is elsewhere", `{"Fn::GetAtt": ["Bucket", "RegionalDomainName"]}`, `"elsewhere.s3.us-east-1.amazonaws.com"`, func(d *Distribution) bool {
			return d.Origin == "elsewhere.s3.us-east-1.amazonaws.com" && d.Policy == nil
		}},
		{"no access control", `"OriginAccessControlId": {"Fn::GetAtt": ["AccessControl", "Id"]}, `, ``, func(d *Distribution) bool { return strings.Contains(d.Unsigned, "no OriginAccessControlId") }},
		{"access control that does not sign", `"SigningBehavior": "always"`, `"SigningBehavior": "never"`, func(d *Distribution) bool { return strings.Contains(d.Unsigned, "SigningBehavior of AccessControl") }},
		{"access control of another kind", `"OriginAccessControlOriginType": "s3"`, `"OriginAccessControlOriginType": "lambda"`, func(d *Distribution) bool { return strings.Contains(d.Unsigned, `"lambda"`) }},
		{"property that is off", `"Enabled": true,`, `"Enabled": true, "Staging": false, "ContinuousDeploymentPolicyId": "", "OriginGroups": {"Items": [], "Quantity": 0},`, func(d *Distribution) bool { return d.ID != "" }},
		{"function on responses", `"EventType": "viewer-request"`, `"EventType": "viewer-response"`, func(d *Distribution) bool {
			return d.Behaviors[0].ViewerRequest == nil && d.Behaviors[0].ViewerResponse != nil
		}},
		{"CORS", `"Name": "pages",`, `"Name": "pages", "CorsConfig": {"AccessControlAllowOrigins": {"Items": ["*"]}, "AccessControlAllowMethods": {"Items": ["GET"]}, "AccessControlAllowHeaders": {"Items": ["*"]}, "AccessControlExposeHeaders": {"Items": ["ETag", "Age"]}, "AccessControlAllowCredentials": true, "OriginOverride": true},`, func(d *Distribution) bool {
			set := d.Behaviors[1].Headers.Set
			return slices.Contains(set, edge.Header{Name: "Access-Control-Allow-Origin", Value: "*", Override: true}) &&
				slices.Contains(set, edge.Header{Name: "Access-Control-Expose-Headers", Value: "ETag, Age", Override: true}) &&
				slices.Contains(set, edge.Header{Name: "Access-Control-Allow-Credentials", Value: "true", Override: true}) && len(set) == 7
		}},
		{"every security header", `"SecurityHeadersConfig": {`, `"SecurityHeadersConfig": {
			"ContentSecurityPolicy": {"ContentSecurityPolicy": "default-src 'self'", "Override": true}, "ReferrerPolicy": {"ReferrerPolicy": "same-origin", "Override": true}, "XSSProtection": {"Protection": true, "ModeBlock": true, "Override": true},`, func(d *Distribution) bool {
			set := d.Behaviors[1].Headers.Set
			return slices.Contains(set, edge.Header{Name: "Content-Security-Policy", Value: "default-src 'self'", Override: true}) &&
				slices.Contains(set, edge.Header{Name: "Referrer-Policy", Value: "same-origin", Override: true}) &&
				slices.Contains(set, edge.Header{Name: "X-XSS-Protection", Value: "1; mode=block", Override: true})
		}},
		{"HSTS for this name only", `"IncludeSubdomains": true, "Preload": true, `, ``, func(d *Distribution) bool {
			return slices.Contains(d.Behaviors[1].Headers.Set, edge.Header{Name: "Strict-Transport-Security", Value: "max-age=31536000", Override: true})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := made(t, read(t, siteAssembly(t, replace(t, tt.old, tt.with)))); !tt.ok(d) {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func TestXSSProtection(t *testing.T) {
	for want, p := range map[string]map[string]any{
		"0":                           {"Protection": false, "ModeBlock": true},
		"1":                           {"Protection": true},
		"1; mode=block":               {"Protection": true, "ModeBlock": true},
		"1; report=https://a.example": {"Protection": true, "ReportUri": "https://a.example"},
	} {
		if got := xssProtection(p); got != want {
			t.Errorf("%v: got %q, want %q", p, got, want)
		}
	}
}

// TestReadDistributionRefuses has what would change what readers see, and cannot be rehearsed.
func TestReadDistributionRefuses(t *testing.T) {
	const onRequests = `{"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": ["Function", "FunctionARN"]}}`
	const onResponses = `{"EventType": "viewer-response", "FunctionARN": {"Fn::GetAtt": ["Function", "FunctionARN"]}}`
	const behavior = `"PathPattern": "*.xml",`
	for _, tt := range []struct {
		name, old, with string
		want            []string
	}{
		{"disabled", `"Enabled": true`, `"Enabled": false`, []string{"the distribution Distribution of the stack blog-site", `Enabled is "false"`}},
		{"every method", behavior, behavior + `"AllowedMethods": ["GET", "HEAD", "PUT", "POST"],`, []string{"CacheBehaviors[0]: AllowedMethods has PUT, POST, which"}},
		{"a name that is a wildcard", `"www.blog.example.com"`, `"*.example.com"`, []string{"the distribution Distribution of the stack blog-site: the alias *.example.com is a wildcard"}},
		{"no default behaviour", `"DefaultCacheBehavior"`, `"DefaultCacheBehaviour"`, []string{"the distribution Distribution of the stack blog-site: its DistributionConfig has no DefaultCacheBehavior"}},
		{"behaviour without a pattern", behavior, ``, []string{"the stack blog-site: CacheBehaviors[0] has no PathPattern"}},
		{"root object with a slash", `"DefaultRootObject": "index.html"`, `"DefaultRootObject": "/index.html"`, []string{`the stack blog-site: DefaultRootObject is "/index.html"`}},
		{"error page without a slash", `"/404.html"`, `"404.html"`, []string{`the stack blog-site: the ResponsePagePath of error 404 is "404.html"`}},
		{"response to no error", `"ErrorCode": 404, `, ``, []string{"the stack blog-site: CustomErrorResponses has the ErrorCode 0; CloudFront knows [400 403 404"}},
		{"two responses to an error", `"CustomErrorResponses": [`, `"CustomErrorResponses": [{"ErrorCode": 404}, `, []string{"CustomErrorResponses[1]: ErrorCode 404 has a response already"}},
		{"header without a name", `"Header": "Cache-Control", `, ``, []string{`Pages: CustomHeadersConfig: Items[0] sets "" to "public, max-age=0, must-revalidate"`}},
		{"header without a value", `"Value": "public, max-age=0, must-revalidate", `, ``, []string{`Pages: CustomHeadersConfig: Items[0] sets "Cache-Control" to ""`}},
		{"security header that is spelt out", `{"Header": "Cache-Control"`, `{"Header": "x-frame-options"`, []string{"Items[0] sets x-frame-options, a security header: CloudFront takes it as FrameOptions of SecurityHeadersConfig"}},
		{"two policies of a bucket", `"Resources": {`, `"Resources": {"Another": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {}}},`, []string{"has the policies Another and BucketPolicy: S3 keeps one"}},
		{"origin of no kind", `, "S3OriginConfig": {"OriginAccessIdentity": ""}`, ``, []string{"Origins[0]: S3OriginConfig is not given"}},
		{"unknown property", `"Enabled": true`, `"Enabled": true, "Sharding": {"Shards": 2}`, []string{"the distribution Distribution of the stack blog-site: Sharding cannot be rehearsed"}},
		{"staging", `"Enabled": true`, `"Enabled": true, "Staging": true`, []string{"Staging cannot be rehearsed"}},
		{"legacy cache settings", `"CachePolicyId": {"Ref": "Short"}`, `"ForwardedValues": {"QueryString": true}, "MinTTL": 5`, []string{"CacheBehaviors[0]: ForwardedValues cannot be", "CacheBehaviors[0]: MinTTL cannot be", `CachePolicyId "" is no cache policy`}},
		{"Lambda@Edge", behavior, behavior + `"LambdaFunctionAssociations": [{"EventType": "viewer-request"}],`, []string{"CacheBehaviors[0]: LambdaFunctionAssociations cannot be"}},
		{"signed URLs", behavior, behavior + `"TrustedKeyGroups": ["k"],`, []string{"CacheBehaviors[0]: TrustedKeyGroups cannot be"}},
		{"origin request policy", behavior, behavior + `"OriginRequestPolicyId": "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",`, []string{"CacheBehaviors[0]: OriginRequestPolicyId cannot be"}},
		{"other methods", behavior, behavior + `"AllowedMethods": ["GET", "HEAD", "OPTIONS", "PUT"],`, []string{"CacheBehaviors[0]: AllowedMethods has PUT"}},
		{"function on the origin's requests", `"EventType": "viewer-request"`, `"EventType": "origin-request"`, []string{`CacheBehaviors[0]: FunctionAssociations[0]: EventType is "origin-request"`, "DefaultCacheBehavior: FunctionAssociations[0]"}},
		{"two functions on requests", `"FunctionAssociations": [{`, `"FunctionAssociations": [` + onRequests + `, {`, []string{"CacheBehaviors[0]: FunctionAssociations[1]: EventType is viewer-request once more"}},
		{"two functions on responses", `"FunctionAssociations": [{`, `"FunctionAssociations": [` + onResponses + `, ` + onResponses + `, {`, []string{"CacheBehaviors[0]: FunctionAssociations[1]: EventType is viewer-response once more"}},
		{"function that is elsewhere", `{"Fn::GetAtt": ["Function", "FunctionARN"]}`, `"arn:aws:cloudfront::123456789012:function/theirs"`, []string{"CacheBehaviors[0]", `FunctionARN "arn:aws:cloudfront::123456789012:function/theirs" is no function of the assembly`}},
		{"function that is not published", `"AutoPublish": true`, `"AutoPublish": false`, []string{"the function Function: AutoPublish"}},
		{"function of the older runtime", `cloudfront-js-2.0`, `cloudfront-js-1.0`, []string{"the function Function: Runtime cloudfront-js-1.0"}},
		{"function with a store", `"Runtime": "cloudfront-js-2.0"`, `"Runtime": "cloudfront-js-2.0", "KeyValueStoreAssociations": [{"KeyValueStoreARN": "a"}]`, []string{"the function Function: KeyValueStoreAssociations cannot be"}},
		{"function that is not JavaScript", `function handler(event) {`, `function handler(event {`, []string{"the function Function: FunctionCode"}},
		{"managed cache policy with cookies", `"658327ea-f89d-4fab-a63d-7e88639e58f6"`, `"83da9c7e-98b4-4e11-a168-04f0df8e2c65"`, []string{`DefaultCacheBehavior: CachePolicyId "83da9c7e-98b4-4e11-a168-04f0df8e2c65"`, "CachingOptimized (658327ea-f89d-4fab-a63d-7e88639e58f6)"}},
		{"cache by query", `"QueryStringBehavior": "none"`, `"QueryStringBehavior": "all"`, []string{`the cache policy Short: QueryStringBehavior is "all"`}},
		{"cache by cookie", `"CookieBehavior": "none"`, `"CookieBehavior": "all"`, []string{`the cache policy Short: CookieBehavior is "all"`}},
		{"cache by header", `"HeaderBehavior": "none"`, `"HeaderBehavior": "whitelist"`, []string{`the cache policy Short: HeaderBehavior is "whitelist"`}},
		{"managed headers", `"ResponseHeadersPolicyId": {"Ref": "Pages"}`, `"ResponseHeadersPolicyId": "67f7725c-6f97-4210-82d7-5512b31e9d03"`, []string{"DefaultCacheBehavior: ResponseHeadersPolicyId", "67f7725c-6f97-4210-82d7-5512b31e9d03"}},
		{"server timing", `"Name": "pages",`, `"Name": "pages", "ServerTimingHeadersConfig": {"Enabled": true},`, []string{"the response headers policy Pages: ServerTimingHeadersConfig cannot be"}},
		{"unknown security header", `"SecurityHeadersConfig": {`, `"SecurityHeadersConfig": {"PermissionsPolicy": {"Override": true},`, []string{"Pages: SecurityHeadersConfig: PermissionsPolicy cannot be"}},
		{"CORS by origin", `"Name": "pages",`, `"Name": "pages", "CorsConfig": {"AccessControlAllowOrigins": {"Items": ["https://a.example"]}},`, []string{"Pages: CorsConfig: AccessControlAllowOrigins", "https://a.example"}},
		{"unknown protocol", `"redirect-to-https"`, `"http-only"`, []string{`CacheBehaviors[0]: ViewerProtocolPolicy is "http-only"`, `DefaultCacheBehavior: ViewerProtocolPolicy`}},
		{"two origins", `"PathPattern": "*.xml", "TargetOriginId": "bucket"`, `"PathPattern": "*.xml", "TargetOriginId": "another"`, []string{`CacheBehaviors[0]: TargetOriginId is "another", and DefaultCacheBehavior's "bucket"`}},
		{"origin that is not there", `"Id": "bucket"`, `"Id": "bukcet"`, []string{`Origins: none has the Id "bucket"`}},
		{"origin path", `"Id": "bucket",`, `"Id": "bucket", "OriginPath": "/site",`, []string{"Origins[0]: OriginPath cannot be"}},
		{"origin that is a website", `"Id": "bucket",`, `"Id": "bucket", "CustomOriginConfig": {"OriginProtocolPolicy": "http-only"},`, []string{"Origins[0]: CustomOriginConfig cannot be"}},
		{"identity of the older kind", `"OriginAccessIdentity": ""`, `"OriginAccessIdentity": "origin-access-identity/cloudfront/E1"`, []string{"Origins[0]: S3OriginConfig: OriginAccessIdentity cannot be"}},
		{"page of an error without a status", `"ResponseCode": 404, `, ``, []string{`CustomErrorResponses[0]: ResponseCode is "" and ResponsePagePath "/404.html"`}},
		{"name that cannot be resolved", `"Region": "us-east-1"`, `"Region": "us-west-1"`, []string{"the distribution Distribution of the stack blog-site", "blog-certificate in us-west-1 is not in the assembly"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(siteAssembly(t, replace(t, tt.old, tt.with)))
			if err == nil {
				t.Fatal("it can be rehearsed")
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got %v, want it to have %q", err, part)
				}
			}
		})
	}
}

// TestReadDistributionNotes has what is left out and told.
func TestReadDistributionNotes(t *testing.T) {
	for _, tt := range []struct{ name, old, with, want string }{
		{"firewall", `"Enabled": true`, `"Enabled": true, "WebACLId": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b"`, "DNS, the certificate, HTTP/3, the web ACL of WAF"},
		{"countries", `"Enabled": true`, `"Enabled": true, "Restrictions": {"GeoRestriction": {"RestrictionType": "whitelist", "Locations": ["JP"]}}`, "HTTP/3, the restriction by country"},
		{"legacy logs", `"Enabled": true`, `"Enabled": true, "Logging": {"Bucket": "logs.s3.amazonaws.com"}`, "HTTP/3, access logs"},
		{"logs", `"Resources": {`, `"Resources": {"Logs": {"Type": "AWS::Logs::DeliverySource", "Properties": {"Name": "blog", "LogType": "ACCESS_LOGS", "ResourceArn": {"Fn::Sub": "arn:aws:cloudfront::${AWS::AccountId}:distribution/${Distribution}"}}},`, "HTTP/3, access logs"},
		{"key", `"Bucket": {"Type": "AWS::S3::Bucket"}`, `"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketEncryption": {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}}}`, "the bucket Bucket is encrypted with a key of KMS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan := read(t, siteAssembly(t, replace(t, tt.old, tt.with)))
			if !strings.Contains(strings.Join(plan.Notes, "\n"), tt.want) {
				t.Errorf("notes are %q, want %q among them", plan.Notes, tt.want)
			}
		})
	}
	t.Run("nothing left out", func(t *testing.T) {
		plan := read(t, siteAssembly(t, replace(t, `"Aliases": ["blog.example.com", "www.blog.example.com"],`, ``), replace(t, "http2and3", "http2")))
		if strings.Contains(strings.Join(plan.Notes, "\n"), "not rehearsed:") {
			t.Errorf("notes are %q", plan.Notes)
		}
	})
}

func TestOff(t *testing.T) {
	for _, v := range []any{nil, false, "", "false", 0.0, []any{}, map[string]any{}, map[string]any{"Enabled": false}} {
		if !off(v) {
			t.Errorf("%#v is on", v)
		}
	}
	for _, v := range []any{true, "true", "x", 1.0, []any{nil}, map[string]any{"Enabled": true}} {
		if off(v) {
			t.Errorf("%#v is off", v)
		}
	}
}
