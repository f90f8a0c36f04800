package stacks

import (
	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/props"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/stacks/site/viewerrequest"
	"blog-deploy-pipeline/stacks/site/viewerresponse"
)

// The blogs that have a Site. Between them they set every prop of it.
var (
	// bare has nothing but a place.
	bare = siteBlog("bare", "ap-northeast-1", props.Site{})
	// tokyo needs a certificate where its stack is not.
	tokyo = siteBlog("tokyo", "ap-northeast-1", props.Site{
		Domain:       "kzmorita.dev",
		RedirectFrom: []string{"www.kzmorita.dev", "blog.kzmorita.dev"},
		HostedZone:   props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "kzmorita.dev"},
	})
	// virginia's is where CloudFront takes it from.
	virginia = siteBlog("virginia", "us-east-1", props.Site{
		Domain:                 "notes.kzmorita.dev",
		HostedZone:             props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "kzmorita.dev"},
		AccessLogRetentionDays: 7,
	})
	// elsewhere has its DNS with somebody else.
	elsewhere = siteBlog("elsewhere", "eu-central-1", props.Site{
		Domain:         "blog.kzmorita.io",
		RedirectFrom:   []string{"kzmorita.io"},
		CertificateARN: siteCertificate,
	})
	// open has switched off what can be.
	open = siteBlog("open", "us-west-2", props.Site{
		Headers: props.Headers{HSTS: props.HSTS{MaxAge: props.ForgetHSTS}, Frames: props.FramesAny, Referrer: props.ReferrerSameOrigin, ContentSecurityPolicy: props.NoHeader},
		Caching: props.Caching{Immutable: []string{}, Feeds: []string{}},
	})
	// complete sets what the others leave at its default.
	complete = func() props.Blog {
		blog := siteBlog("complete", "ap-northeast-1", props.Site{
			Domain:         "complete.kzmorita.dev",
			RedirectFrom:   []string{"www.complete.kzmorita.dev"},
			HostedZone:     props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "kzmorita.dev"},
			CertificateARN: siteCertificate,
			MissingSlash:   props.MissingSlashRewrite,
			PriceClass:     props.PriceClass100,
			Headers: props.Headers{
				HSTS:                  props.HSTS{MaxAge: 2 * 365 * 24 * time.Hour, IncludeSubDomains: true, Preload: true},
				Frames:                props.FramesDeny,
				Referrer:              props.ReferrerNone,
				ContentSecurityPolicy: "default-src 'self'; frame-ancestors 'none'",
				Others:                map[string]string{"Permissions-Policy": "camera=(), microphone=()"},
			},
			Caching: props.Caching{
				Immutable: []string{"/assets/*"},
				Feeds:     []string{"/feed.xml"},
				FeedsFor:  time.Hour,
				PagesFor:  time.Minute,
			},
			NotFoundPage:           "/en/404.html",
			WebACLARN:              "arn:aws:wafv2:us-east-1:" + account + ":global/webacl/blog/" + uuid,
			AccessLogRetentionDays: 30,
			MonthlyBudget:          10,
			BucketRemoval:          props.BucketRemovalDelete,
		})
		blog.Account = account
		blog.Build.Environment = map[string]string{"HUGO_BASEURL": "https://preview.kzmorita.dev/"}
		blog.Schedule = props.Schedule{Expression: "cron(0 6 * * ? *)", TimeZone: "Asia/Tokyo"}
		blog.Invalidate.Paths = []string{"/", "#posts"}
		blog.Notifications = props.Notifications{Emails: []string{"me@blog.dev"}, TopicARN: "arn:aws:sns:ap-northeast-1:" + account + ":alerts"}
		return blog
	}()
)

// longNamed has the longest name, and a stack for each thing that there may be.
var longNamed = siteBlog(strings.Repeat("long-name-", props.MaxPipelineName/10), "ap-northeast-1", props.Site{
	Domain: "long.kzmorita.dev", HostedZone: tokyo.Site.HostedZone, AccessLogRetentionDays: 1,
})

var siteFixtures = []props.Blog{bare, tokyo, virginia, elsewhere, open, complete}

const siteCertificate = "arn:aws:acm:us-east-1:" + account + ":certificate/" + uuid

func siteBlog(name, region string, at2 props.Site) props.Blog {
	return props.Blog{Name: name, Region: region, Source: modern.Source, Site: &at2}
}

func siteTemplate(t *testing.T, given props.Blog) *assembly.Template {
	t.Helper()
	return stackTemplate(t, contract.StackName(given.Name, contract.StackSite))
}

// distributionConfig returns what the distribution of a Site's stack is set to.
func distributionConfig(t *testing.T, tmpl *assembly.Template) map[string]any {
	t.Helper()
	return at(t, tmpl, only(t, tmpl, "AWS::CloudFront::Distribution"), "DistributionConfig").(map[string]any)
}

// published is where the pipeline of a fixture has to publish.
func published(t *testing.T, given props.Blog) (bucket, distribution string) {
	t.Helper()
	if given.Site == nil {
		return given.Deploy.Bucket, given.Invalidate.DistributionID
	}
	tmpl := siteTemplate(t, given)
	ref := func(resource assembly.NamedResource) string {
		return at(t, tmpl, map[string]any{"Ref": resource.ID}).(string)
	}
	return ref(siteBucket(t, tmpl)), ref(tmpl.OfType("AWS::CloudFront::Distribution")[0])
}

// siteBucket is the bucket of the blog's files; another may have the access logs.
func siteBucket(t *testing.T, tmpl *assembly.Template) assembly.NamedResource {
	t.Helper()
	for _, bucket := range tmpl.OfType("AWS::S3::Bucket") {
		if strings.HasPrefix(bucket.ID, "Bucket") {
			return bucket
		}
	}
	t.Fatalf("%s has no bucket for the blog", tmpl.Name)
	return assembly.NamedResource{}
}

// bucketPolicy is the policy of that bucket.
func bucketPolicy(t *testing.T, tmpl *assembly.Template) any {
	t.Helper()
	return policyOf(t, tmpl, siteBucket(t, tmpl))
}

func TestSiteStacks(t *testing.T) {
	for _, tt := range []struct {
		props props.Blog
		want  []string
	}{
		{modern, []string{"modern-pipeline"}},
		{bare, []string{"bare-site", "bare-pipeline"}},
		{tokyo, []string{"tokyo-certificate", "tokyo-site", "tokyo-pipeline"}},
		{virginia, []string{"virginia-site", "virginia-pipeline"}},
		{elsewhere, []string{"elsewhere-site", "elsewhere-pipeline"}},
		{complete, []string{"complete-site", "complete-logs", "complete-pipeline"}},
	} {
		equal(t, tt.props.Name+"'s stacks", tt.props.StackNames(), tt.want)
		var made []string
		for id, tmpl := range templates {
			if id[:strings.LastIndexByte(id, '-')] != tt.props.Name {
				continue
			}
			made = append(made, id)
			region := cmp.Or(tt.props.Region, "us-east-1")
			if strings.HasSuffix(id, "-certificate") || strings.HasSuffix(id, "-logs") {
				region = "us-east-1"
			}
			equal(t, id+"'s region", tmpl.Region, region)
			equal(t, id+"'s account", tmpl.Account, account)
		}
		slices.Sort(made)
		slices.Sort(tt.want)
		equal(t, tt.props.Name+"'s templates", made, tt.want)
	}
}

// TestSitesAreDeployedInOrder looks at what the CDK CLI goes by.
func TestSitesAreDeployedInOrder(t *testing.T) {
	after := dependencies(t)
	for _, given := range siteFixtures {
		at2 := contract.StackName(given.Name, contract.StackSite)
		for _, id := range given.StackNames() {
			before, then := at2, id
			if id == contract.StackName(given.Name, contract.StackCertificate) {
				before, then = id, at2
			}
			if before != then && !slices.Contains(after[then], before) {
				t.Errorf("%s is deployed after %v, want after %s", then, after[then], before)
			}
		}
	}
}

func TestSiteBucketIsPrivate(t *testing.T) {
	for _, given := range siteFixtures {
		tmpl := siteTemplate(t, given)
		bucket := siteBucket(t, tmpl).Properties
		equal(t, "public access", bucket["PublicAccessBlockConfiguration"], map[string]any{"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true})
		equal(t, "encryption", at(t, tmpl, bucket, "BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault", "SSEAlgorithm"), "AES256")
		equal(t, "versions", at(t, tmpl, bucket, "VersioningConfiguration", "Status"), "Enabled")
		rule := at(t, tmpl, bucket, "LifecycleConfiguration", "Rules", 0).(map[string]any)
		equal(t, "expiry", rule, map[string]any{
			"Status":                         "Enabled",
			"NoncurrentVersionExpiration":    map[string]any{"NoncurrentDays": 30},
			"AbortIncompleteMultipartUpload": map[string]any{"DaysAfterInitiation": 1},
		})
		equal(t, "website", bucket["WebsiteConfiguration"], nil)
	}
}

func TestSiteBucketIsKept(t *testing.T) {
	for _, tt := range []struct {
		props           props.Blog
		replace, delete string
		functions       int
	}{
		{bare, "Retain", "RetainExceptOnCreate", 0},
		{complete, "Delete", "Delete", 1},
	} {
		tmpl := siteTemplate(t, tt.props)
		bucket := siteBucket(t, tmpl)
		equal(t, tt.props.Name+"'s bucket when it is replaced", bucket.UpdateReplacePolicy, tt.replace)
		equal(t, tt.props.Name+"'s bucket when the stack goes", bucket.DeletionPolicy, tt.delete)
		if n := len(tmpl.OfType("AWS::Lambda::Function")); n != tt.functions {
			t.Errorf("%s has %d functions, want %d", tt.props.Name, n, tt.functions)
		}
	}
}

// TestWhoReadsTheSite puts requests to the bucket's own policy.
func TestWhoReadsTheSite(t *testing.T) {
	for _, given := range siteFixtures {
		tmpl := siteTemplate(t, given)
		bucket, distribution := published(t, given)
		policy, err := json.Marshal(bucketPolicy(t, tmpl))
		if err != nil {
			t.Fatal(err)
		}
		own := edge + distribution
		calls := []struct {
			action, key, from, tls string
			allowed                bool
		}{
			{"s3:GetObject", "/index.html", own, "true", true},
			{"s3:ListBucket", "", own, "true", true}, // else S3 says 403 for 404
			{"s3:GetObject", "/index.html", own, "false", false},
			{"s3:GetObject", "/index.html", edge + "E2SOMEBODYELSE", "true", false},
			{"s3:ListBucket", "", edge + "E2SOMEBODYELSE", "true", false},
			{"s3:GetObject", "/index.html", strings.Replace(own, account, "999999999999", 1), "true", false},
			{"s3:GetObjectVersion", "/index.html", own, "true", false},
			{"s3:PutObject", "/index.html", own, "true", false},
			{"s3:DeleteObject", "/index.html", own, "true", false},
			{"s3:PutBucketPolicy", "", own, "true", false},
		}
		requests := make([]iampolicy.Request, len(calls))
		for i, c := range calls {
			requests[i] = iampolicy.Request{
				Principal: "cloudfront.amazonaws.com", Action: c.action, Resource: "arn:aws:s3:::" + bucket + c.key,
				Context:        map[string]string{"aws:SourceArn": c.from, "aws:SecureTransport": c.tls},
				ResourcePolicy: policy,
			}
		}
		decisions, err := iampolicy.Evaluate(t.Context(), nil, requests)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range calls {
			if decisions[i].Allowed != c.allowed {
				t.Errorf("%s: %s for %s (TLS: %s): allowed is %v, want %v (%s)", given.Name, c.action, c.from, c.tls, decisions[i].Allowed, c.allowed, decisions[i].Reason)
			}
		}
	}
}

func TestDistributionIsOfToday(t *testing.T) {
	for _, tt := range []struct {
		props      props.Blog
		priceClass string
	}{
		{bare, "PriceClass_All"},
		{tokyo, "PriceClass_All"},
		{virginia, "PriceClass_All"},
		{elsewhere, "PriceClass_All"},
		{complete, "PriceClass_100"},
	} {
		name, tmpl := tt.props.Name, siteTemplate(t, tt.props)
		config := distributionConfig(t, tmpl)
		equal(t, name+"'s HTTP", config["HttpVersion"], "http2and3")
		equal(t, name+"'s IPv6", config["IPV6Enabled"], true)
		equal(t, name+"'s price class", config["PriceClass"], tt.priceClass)
		equal(t, name+"'s home page", config["DefaultRootObject"], "index.html")
		equal(t, name+"'s cache tags", config["CacheTagConfig"], map[string]any{"HeaderName": "x-amz-meta-cache-tag"})
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

// behaviors are a distribution's, the default one last.
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

func TestDomain(t *testing.T) {
	made := func(id string) func(*testing.T) any {
		return func(t *testing.T) any {
			tmpl := stackTemplate(t, id)
			return at(t, tmpl, map[string]any{"Ref": tmpl.OfType("AWS::CertificateManager::Certificate")[0].ID})
		}
	}
	given := func(*testing.T) any { return siteCertificate }
	for _, tt := range []struct {
		props       props.Blog
		names       []any
		certificate func(*testing.T) any
		records     []string
		url         string
	}{
		{tokyo, []any{"kzmorita.dev", "www.kzmorita.dev", "blog.kzmorita.dev"}, made("tokyo-certificate"), []string{
			"A blog.kzmorita.dev.", "A kzmorita.dev.", "A www.kzmorita.dev.",
			"AAAA blog.kzmorita.dev.", "AAAA kzmorita.dev.", "AAAA www.kzmorita.dev.",
		}, "https://kzmorita.dev"},
		{virginia, []any{"notes.kzmorita.dev"}, made("virginia-site"), []string{"A notes.kzmorita.dev.", "AAAA notes.kzmorita.dev."}, "https://notes.kzmorita.dev"},
		{elsewhere, []any{"blog.kzmorita.io", "kzmorita.io"}, given, nil, "https://blog.kzmorita.io"},
		{complete, []any{"complete.kzmorita.dev", "www.complete.kzmorita.dev"}, given, []string{
			"A complete.kzmorita.dev.", "A www.complete.kzmorita.dev.", "AAAA complete.kzmorita.dev.", "AAAA www.complete.kzmorita.dev.",
		}, "https://complete.kzmorita.dev"},
	} {
		t.Run(tt.props.Name, func(t *testing.T) {
			tmpl := siteTemplate(t, tt.props)
			config := distributionConfig(t, tmpl)
			equal(t, "aliases", config["Aliases"], tt.names)
			equal(t, "certificate", config["ViewerCertificate"], map[string]any{
				"AcmCertificateArn": tt.certificate(t), "MinimumProtocolVersion": "TLSv1.2_2021", "SslSupportMethod": "sni-only",
			})
			var records []string
			for _, record := range tmpl.OfType("AWS::Route53::RecordSet") {
				resolved := at(t, tmpl, record.Properties).(map[string]any)
				records = append(records, fmt.Sprint(resolved["Type"], " ", resolved["Name"]))
				equal(t, "zone", resolved["HostedZoneId"], tt.props.Site.HostedZone.ID)
				target := resolved["AliasTarget"].(map[string]any)
				equal(t, "target", target["DNSName"], at(t, tmpl, tmpl.Outputs["DistributionDomainName"].Value))
				equal(t, "target's zone", target["HostedZoneId"], "Z2FDTNDATAQYW2") // CloudFront's
			}
			slices.Sort(records)
			equal(t, "records", records, tt.records)
			equal(t, "output URL", at(t, tmpl, tmpl.Outputs["URL"].Value), tt.url)
		})
	}

	tmpl := siteTemplate(t, bare)
	config := distributionConfig(t, tmpl)
	for _, key := range []string{"Aliases", "ViewerCertificate"} {
		if config[key] != nil {
			t.Errorf("without a domain: %s is %v, want none", key, config[key])
		}
	}
	equal(t, "output URL", at(t, tmpl, tmpl.Outputs["URL"].Value), "https://"+at(t, tmpl, tmpl.Outputs["DistributionDomainName"].Value).(string))
	if got, want := siteTemplate(t, elsewhere).Outputs["DistributionDomainName"].Description, "for blog.kzmorita.io, kzmorita.io"; !strings.HasSuffix(got, want) {
		t.Errorf("output is described as %q, want who makes records to read %q", got, want)
	}
}

func TestCertificateIsForAllNames(t *testing.T) {
	for id, want := range map[string][]any{
		"tokyo-certificate": {"kzmorita.dev", "www.kzmorita.dev", "blog.kzmorita.dev"},
		"virginia-site":     {"notes.kzmorita.dev"},
	} {
		certificate := stackTemplate(t, id).OfType("AWS::CertificateManager::Certificate")[0]
		properties := certificate.Properties
		others, _ := properties["SubjectAlternativeNames"].([]any)
		equal(t, id+"'s names", append([]any{properties["DomainName"]}, others...), want)
		equal(t, id+"'s validation", properties["ValidationMethod"], "DNS")
		var validated []any
		for _, option := range properties["DomainValidationOptions"].([]any) {
			validated = append(validated, option.(map[string]any)["DomainName"])
			equal(t, id+"'s zone", option.(map[string]any)["HostedZoneId"], "Z0123456789ABCDEFGHIJ")
		}
		equal(t, id+"'s validated names", validated, want)
	}
	// Only where another stack's distribution still has the one that is replaced.
	equal(t, "tokyo's certificate when it is replaced", stackTemplate(t, "tokyo-certificate").OfType("AWS::CertificateManager::Certificate")[0].UpdateReplacePolicy, "Retain")
	equal(t, "virginia's certificate when it is replaced", stackTemplate(t, "virginia-site").OfType("AWS::CertificateManager::Certificate")[0].UpdateReplacePolicy, "")
}

// Every behaviour has the function that knows the Site's names and wishes, and immutable
// paths the one that says so.
func TestSiteFunction(t *testing.T) {
	for _, tt := range []struct {
		props props.Blog
		want  viewerrequest.Settings
	}{
		{bare, viewerrequest.Settings{}},
		{tokyo, viewerrequest.Settings{Domain: "kzmorita.dev", RedirectFrom: []string{"www.kzmorita.dev", "blog.kzmorita.dev"}}},
		{complete, viewerrequest.Settings{Domain: "complete.kzmorita.dev", RedirectFrom: []string{"www.complete.kzmorita.dev"}, MissingSlash: viewerrequest.Rewrite}},
		{open, viewerrequest.Settings{}},
	} {
		tmpl := siteTemplate(t, tt.props)
		for _, behavior := range behaviors(t, distributionConfig(t, tmpl)) {
			want := map[string]string{"viewer-request": viewerrequest.Code(tt.want)}
			pattern, _ := behavior["PathPattern"].(string)
			if slices.Contains(tt.props.Site.Caching.WithDefaults().Immutable, pattern) {
				want["viewer-response"] = viewerresponse.Code("public, max-age=31536000, immutable")
			}
			equal(t, tt.props.Name+"'s functions at "+cmp.Or(pattern, "*"), functions(t, tmpl, behavior), want)
		}
	}
}

// TestNamesFit looks at the stacks of a blog whose name is as long as a name may be:
// CloudFormation learns only from AWS that a name or a comment is too long.
// TestSiteClearsBothOfAPair: the home page is in CloudFront's cache as a file of its own name.
func TestSiteClearsBothOfAPair(t *testing.T) {
	tmpl := template(t, complete)
	text := at(t, tmpl, action(t, tmpl, stageInvalidate), "Configuration", "UserParameters").(string)
	if want := `"Paths":["/","/index.html","#posts"]`; !strings.Contains(text, want) {
		t.Errorf("UserParameters are %s, want %s in them", text, want)
	}
}

func TestNamesFit(t *testing.T) {
	for _, id := range longNamed.StackNames() {
		if len(id) > 128 {
			t.Errorf("the stack %s has a name of %d characters, want at most 128", id, len(id))
		}
		tmpl := changedTemplates[id]
		for _, tt := range []struct {
			cfnType string
			path    []any
			limit   int
		}{
			{"AWS::CloudFront::Function", []any{"Name"}, 64},
			{"AWS::CloudFront::Function", []any{"FunctionConfig", "Comment"}, 128},
			{"AWS::CloudFront::OriginAccessControl", []any{"OriginAccessControlConfig", "Name"}, 64},
			{"AWS::CloudFront::ResponseHeadersPolicy", []any{"ResponseHeadersPolicyConfig", "Name"}, 128},
			{"AWS::CloudFront::ResponseHeadersPolicy", []any{"ResponseHeadersPolicyConfig", "Comment"}, 128},
			{"AWS::CloudFront::Distribution", []any{"DistributionConfig", "Comment"}, 128},
			{"AWS::CloudFront::Distribution", []any{"DistributionConfig", "Origins", 0, "Id"}, 128},
			{"AWS::Logs::DeliverySource", []any{"Name"}, 60},
			{"AWS::Logs::DeliveryDestination", []any{"Name"}, 60},
		} {
			for _, resource := range tmpl.OfType(tt.cfnType) {
				if got := at(t, tmpl, resource.Properties, tt.path...).(string); len(got) > tt.limit {
					t.Errorf("%s of %s is %q: %d characters, want at most %d", tt.path, tt.cfnType, got, len(got), tt.limit)
				}
			}
		}
	}
}
