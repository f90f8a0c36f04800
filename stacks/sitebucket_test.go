package stacks

import (
	"encoding/json"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// siteBucket returns the bucket with the blog's files. Another bucket may have the access logs.
func siteBucket(t *testing.T, tmpl *assembly.Template) assembly.NamedResource {
	t.Helper()
	return named(t, tmpl, "AWS::S3::Bucket", "Bucket")
}

// bucketPolicy returns the policy of that bucket.
func bucketPolicy(t *testing.T, tmpl *assembly.Template) any {
	t.Helper()
	return policyOf(t, tmpl, siteBucket(t, tmpl))
}

func TestSiteBucketIsPrivate(t *testing.T) {
	for _, given := range fixtures.SiteBlogs {
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
		{fixtures.Bare, "Retain", "RetainExceptOnCreate", 0},
		{fixtures.Complete, "Delete", "Delete", 1},
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

// TestWhoReadsTheSite evaluates requests with the bucket's own policy.
func TestWhoReadsTheSite(t *testing.T) {
	for _, given := range fixtures.SiteBlogs {
		tmpl := siteTemplate(t, given)
		bucket, distribution := published(t, given)
		policy, err := json.Marshal(bucketPolicy(t, tmpl))
		if err != nil {
			t.Fatal(err)
		}
		own := edge + distribution
		for _, c := range []struct {
			action, key, from, tls string
			allowed                bool
		}{
			{"s3:GetObject", "/index.html", own, "true", true},
			{"s3:ListBucket", "", own, "true", true}, // else S3 says 403 for 404
			{"s3:GetObject", "/index.html", own, "false", false},
			{"s3:GetObject", "/index.html", edge + "E2SOMEBODYELSE", "true", false},
			{"s3:ListBucket", "", edge + "E2SOMEBODYELSE", "true", false},
			{"s3:GetObject", "/index.html", strings.Replace(own, fixtures.Account, "999999999999", 1), "true", false},
			{"s3:GetObjectVersion", "/index.html", own, "true", false},
			{"s3:PutObject", "/index.html", own, "true", false},
			{"s3:DeleteObject", "/index.html", own, "true", false},
			{"s3:PutBucketPolicy", "", own, "true", false},
		} {
			ask(t, nil, question{iampolicy.Request{
				Principal: "cloudfront.amazonaws.com", Action: c.action, Resource: "arn:aws:s3:::" + bucket + c.key,
				Context:        map[string]string{"aws:SourceArn": c.from, "aws:SecureTransport": c.tls},
				ResourcePolicy: policy,
			}, c.allowed})
		}
	}
}
