package distribution

import (
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/edgefunction"
)

// edit is a change of the site's template by a test.
type edit struct{ old, with string }

// inspect reads the distribution of the site in testdata, with edits: a bucket that one distribution may read, as the CDK
// makes it.
func inspect(t *testing.T, edits ...edit) (*Distribution, *assembly.Inspection) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"manifest.json", "blog-certificate.template.json", "blog-site.template.json"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		text := string(content)
		for _, e := range edits {
			if name != "blog-site.template.json" {
				break
			}
			if !strings.Contains(text, e.old) {
				t.Errorf("the template has no %s", e.old)
			}
			text = strings.ReplaceAll(text, e.old, e.with)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stacks, err := assembly.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	i := &assembly.Inspection{Template: stacks[1]}
	return Read(i, i.Ref("Distribution")), i
}

// read is inspect for a distribution without problems.
func read(t *testing.T, edits ...edit) *Distribution {
	t.Helper()
	d, i := inspect(t, edits...)
	if err := i.Err(); err != nil || d == nil {
		t.Fatal(err)
	}
	return d
}

func TestReadReadsTheWholeDistribution(t *testing.T) {
	d, i := inspect(t)
	if err := i.Err(); err != nil || !strings.HasPrefix(d.ID, "E") {
		t.Fatalf("got %+v, %v", d, err)
	}
	if want := "arn:aws:cloudfront::123456789012:distribution/" + d.ID; d.ARN != want {
		t.Errorf("ARN is %s, want %s", d.ARN, want)
	}
	if bucket := i.Ref("Bucket"); d.Origin != bucket || !strings.HasPrefix(bucket, "blog-site-bucket-") || d.Unsigned != "" {
		t.Errorf("it reads from %q (%s), want %q", d.Origin, d.Unsigned, bucket)
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
		CacheTagHeader: "x-amz-meta-" + contract.MetadataCacheTag,
		Behaviors: []edge.Behavior{
			{PathPattern: "*.xml", ViewerProtocol: "redirect-to-https", Compress: true, CachePolicy: edge.CachePolicy{MinTTL: time.Second, DefaultTTL: 24 * time.Hour, MaxTTL: 365 * 24 * time.Hour}},
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
	if notes := strings.Join(i.Notes, "\n"); !strings.Contains(notes, "as the stack blog-site has it; not rehearsed: DNS, the certificate, HTTP/3") || strings.Contains(notes, "assumed") {
		t.Errorf("notes are %q", i.Notes)
	}
}

func TestReadCompilesTheFunction(t *testing.T) {
	d := read(t)
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

func TestReadTellsFunctionsOnRequestsFromThoseOnResponses(t *testing.T) {
	d := read(t, edit{`"FunctionAssociations": [{`, `"FunctionAssociations": [
		{"EventType": "viewer-response", "FunctionARN": {"Fn::GetAtt": ["Keep", "FunctionARN"]}}, {`}, edit{`"Pages": {`, `"Keep": {"Type": "AWS::CloudFront::Function", "Properties": {
			"Name": "keep", "AutoPublish": true, "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"},
			"FunctionCode": "function handler(event) { event.response.headers['cache-control'] = { value: 'kept' }; return event.response; }"}},
		"Pages": {`})
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

func TestReadReadsEachVariant(t *testing.T) {
	for _, tt := range []struct {
		name, old, with string
		ok              func(*Distribution) bool
	}{
		{"not cached", `"658327ea-f89d-4fab-a63d-7e88639e58f6"`, `"4135ea2d-6df8-44a3-9df3-4b5a84be39ad"`, func(d *Distribution) bool {
			return d.Behaviors[1].CachePolicy == uncached && !d.Behaviors[1].CachePolicy.Gzip
		}},
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
		{"policy that is not created", `"Resources": {`, `"Conditions": {"No": {"Fn::Equals": ["a", "b"]}}, "Resources": {"Another": {"Type": "AWS::S3::BucketPolicy", "Condition": "No", "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {}}},`, func(d *Distribution) bool { return d.PolicyResource == "BucketPolicy" }},
		{"property that is off", `"Enabled": true,`, `"Enabled": true, "Staging": false, "ContinuousDeploymentPolicyId": "", "OriginGroups": {"Items": [], "Quantity": 0},`, func(d *Distribution) bool { return d.ID != "" }},
		{"function on responses", `"EventType": "viewer-request"`, `"EventType": "viewer-response"`, func(d *Distribution) bool {
			return d.Behaviors[0].ViewerRequest == nil && d.Behaviors[0].ViewerResponse != nil
		}},
		{"every security header", `"SecurityHeadersConfig": {`, `"SecurityHeadersConfig": {
			"ContentSecurityPolicy": {"ContentSecurityPolicy": "default-src 'self'", "Override": true}, "ReferrerPolicy": {"ReferrerPolicy": "same-origin", "Override": true},`, func(d *Distribution) bool {
			set := d.Behaviors[1].Headers.Set
			return slices.Contains(set, edge.Header{Name: "Content-Security-Policy", Value: "default-src 'self'", Override: true}) &&
				slices.Contains(set, edge.Header{Name: "Referrer-Policy", Value: "same-origin", Override: true})
		}},
		{"HSTS for this name only", `"IncludeSubdomains": true, "Preload": true, `, ``, func(d *Distribution) bool {
			return slices.Contains(d.Behaviors[1].Headers.Set, edge.Header{Name: "Strict-Transport-Security", Value: "max-age=31536000", Override: true})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := read(t, edit{tt.old, tt.with}); !tt.ok(d) {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func TestReadRefusesWhatReadersWouldNotice(t *testing.T) {
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
		{"response to no error", `"ErrorCode": 404, `, ``, []string{"the stack blog-site: CustomErrorResponses has the ErrorCode 0; CloudFront accepts only [400 403 404"}},
		{"two responses to an error", `"CustomErrorResponses": [`, `"CustomErrorResponses": [{"ErrorCode": 404}, `, []string{"CustomErrorResponses[1]: ErrorCode 404 has a response already"}},
		{"header without a name", `"Header": "Cache-Control", `, ``, []string{`Pages: CustomHeadersConfig: Items[0] sets "" to "public, max-age=0, must-revalidate"`}},
		{"header without a value", `"Value": "public, max-age=0, must-revalidate", `, ``, []string{`Pages: CustomHeadersConfig: Items[0] sets "Cache-Control" to ""`}},
		{"security header that is spelt out", `{"Header": "Cache-Control"`, `{"Header": "x-frame-options"`, []string{"Items[0] sets x-frame-options, a security header: CloudFront accepts it as FrameOptions of SecurityHeadersConfig"}},
		{"two policies of a bucket", `"Resources": {`, `"Resources": {"Another": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {}}},`, []string{"has the policies Another and BucketPolicy: S3 keeps only one"}},
		{"origin of no kind", `, "S3OriginConfig": {"OriginAccessIdentity": ""}`, ``, []string{"Origins[0]: S3OriginConfig is not given"}},
		{"unknown property", `"Enabled": true`, `"Enabled": true, "Sharding": {"Shards": 2}`, []string{"the distribution Distribution of the stack blog-site: Sharding cannot be rehearsed"}},
		{"staging", `"Enabled": true`, `"Enabled": true, "Staging": true`, []string{"Staging cannot be rehearsed"}},
		{"legacy cache settings", `"CachePolicyId": "b2884449-e4de-46a7-ac36-70bc7f1ddd6d"`, `"ForwardedValues": {"QueryString": true}, "MinTTL": 5`, []string{"CacheBehaviors[0]: ForwardedValues cannot be", "CacheBehaviors[0]: MinTTL cannot be", `CachePolicyId "" is none of`}},
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
		{"managed headers", `"ResponseHeadersPolicyId": {"Ref": "Pages"}`, `"ResponseHeadersPolicyId": "67f7725c-6f97-4210-82d7-5512b31e9d03"`, []string{"DefaultCacheBehavior: ResponseHeadersPolicyId", "67f7725c-6f97-4210-82d7-5512b31e9d03"}},
		{"server timing", `"Name": "pages",`, `"Name": "pages", "ServerTimingHeadersConfig": {"Enabled": true},`, []string{"the response headers policy Pages: ServerTimingHeadersConfig cannot be"}},
		{"unknown security header", `"SecurityHeadersConfig": {`, `"SecurityHeadersConfig": {"PermissionsPolicy": {"Override": true},`, []string{"Pages: SecurityHeadersConfig: PermissionsPolicy cannot be"}},
		{"CORS", `"Name": "pages",`, `"Name": "pages", "CorsConfig": {"AccessControlAllowOrigins": {"Items": ["*"]}},`, []string{"the response headers policy Pages: CorsConfig cannot be"}},
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
			_, i := inspect(t, edit{tt.old, tt.with})
			err := i.Err()
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

func TestReadNotesWhatItLeavesOut(t *testing.T) {
	for _, tt := range []struct{ name, old, with, want string }{
		{"firewall", `"Enabled": true`, `"Enabled": true, "WebACLId": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b"`, "DNS, the certificate, HTTP/3, the web ACL of WAF"},
		{"countries", `"Enabled": true`, `"Enabled": true, "Restrictions": {"GeoRestriction": {"RestrictionType": "whitelist", "Locations": ["JP"]}}`, "HTTP/3, the restriction by country"},
		{"legacy logs", `"Enabled": true`, `"Enabled": true, "Logging": {"Bucket": "logs.s3.amazonaws.com"}`, "HTTP/3, access logs"},
		{"logs", `"Resources": {`, `"Resources": {"Logs": {"Type": "AWS::Logs::DeliverySource", "Properties": {"Name": "blog", "LogType": "ACCESS_LOGS", "ResourceArn": {"Fn::Sub": "arn:aws:cloudfront::${AWS::AccountId}:distribution/${Distribution}"}}},`, "HTTP/3, access logs"},
		{"key", `"Bucket": {"Type": "AWS::S3::Bucket"}`, `"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketEncryption": {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}}}`, "the bucket Bucket is encrypted with a key of KMS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, i := inspect(t, edit{tt.old, tt.with})
			if !strings.Contains(strings.Join(i.Notes, "\n"), tt.want) {
				t.Errorf("notes are %q, want %q among them", i.Notes, tt.want)
			}
		})
	}
	t.Run("nothing left out", func(t *testing.T) {
		_, i := inspect(t, edit{`"Aliases": ["blog.example.com", "www.blog.example.com"],`, ``}, edit{"http2and3", "http2"})
		if strings.Contains(strings.Join(i.Notes, "\n"), "not rehearsed:") {
			t.Errorf("notes are %q", i.Notes)
		}
	})
}

func TestAPropertyThatIsOffIsAsGoodAsAbsent(t *testing.T) {
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
