package stacks

import (
	"encoding/json"
	"slices"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// logged lists the fixtures with access logs, and the stacks that deliver them.
var logged = []struct {
	props props.Blog
	stack string
	days  int
}{
	{fixtures.Complete, "complete-logs", 30},
	{fixtures.Virginia, "virginia-site", 7}, // CloudFront delivers from there
}

// logBucket is the bucket of a Site's access logs.
func logBucket(t *testing.T, tmpl *assembly.Template) assembly.NamedResource {
	t.Helper()
	return named(t, tmpl, "AWS::S3::Bucket", "AccessLogs")
}

func TestAccessLogsAreDelivered(t *testing.T) {
	for _, tt := range logged {
		at2, tmpl := siteTemplate(t, tt.props), stackTemplate(t, tt.stack)
		equal(t, tt.stack+"'s region", tmpl.Region, "us-east-1")
		source := at(t, tmpl, only(t, tmpl, "AWS::Logs::DeliverySource")).(map[string]any)
		target := at(t, tmpl, only(t, tmpl, "AWS::Logs::DeliveryDestination")).(map[string]any)
		delivery := at(t, tmpl, only(t, tmpl, "AWS::Logs::Delivery")).(map[string]any)
		_, distribution := published(t, tt.props)
		equal(t, "source", source["ResourceArn"], edge+distribution)
		equal(t, "kind", source["LogType"], "ACCESS_LOGS")
		equal(t, "destination", target["DestinationResourceArn"], arnOf(t, at2, logBucket(t, at2).ID))
		equal(t, "destination's kind", target["DeliveryDestinationType"], "S3")
		equal(t, "format", target["OutputFormat"], "json")
		equal(t, "delivery's source", delivery["DeliverySourceName"], source["Name"])
		equal(t, "delivery's destination", delivery["DeliveryDestinationArn"], arnOf(t, tmpl, tmpl.OfType("AWS::Logs::DeliveryDestination")[0].ID))
		equal(t, "folders", delivery["S3SuffixPath"], "{DistributionId}/{yyyy}/{MM}/{dd}")
		fields := delivery["RecordFields"].([]any)
		if slices.Contains(fields, any("cs(Cookie)")) || !slices.Contains(fields, any("cs-uri-stem")) {
			t.Errorf("%s: fields are %v, want what was asked for, and no cookies", tt.stack, fields)
		}
	}
	for _, given := range []props.Blog{fixtures.Bare, fixtures.Tokyo, fixtures.Elsewhere, fixtures.Open} {
		if n := len(siteTemplate(t, given).OfType("AWS::S3::Bucket")); n != 1 {
			t.Errorf("%s has %d buckets, want 1: nobody asked for logs", given.Name, n)
		}
		if allApp().templates[contract.StackName(given.Name, contract.StackLogs)] != nil {
			t.Errorf("%s has a stack for logs that nobody asked for", given.Name)
		}
	}
}

func TestAccessLogBucketIsPrivateAndForgets(t *testing.T) {
	for _, tt := range logged {
		tmpl := siteTemplate(t, tt.props)
		bucket := logBucket(t, tmpl)
		equal(t, "public access", bucket.Properties["PublicAccessBlockConfiguration"], map[string]any{"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true})
		equal(t, "encryption", at(t, tmpl, bucket.Properties, "BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault", "SSEAlgorithm"), "AES256")
		equal(t, "days", at(t, tmpl, bucket.Properties, "LifecycleConfiguration", "Rules", 0, "ExpirationInDays"), tt.days)
		equal(t, "versions", bucket.Properties["VersioningConfiguration"], nil) // they would outlive the days
		equal(t, "what becomes of it", bucket.DeletionPolicy, "RetainExceptOnCreate")
		equal(t, "output", at(t, tmpl, tmpl.Outputs["AccessLogBucketName"].Value), at(t, tmpl, map[string]any{"Ref": bucket.ID}))
	}
}

// TestWhoWritesAccessLogs evaluates requests of AWS's delivery service with the policies of all of a
// Site's buckets.
func TestWhoWritesAccessLogs(t *testing.T) {
	const own, other = fixtures.Account, "999999999999"
	source := func(region, account string) string {
		return "arn:aws:logs:" + region + ":" + account + ":delivery-source:some-access-logs"
	}
	for _, tt := range logged {
		tmpl := siteTemplate(t, tt.props)
		bucketName := func(bucket assembly.NamedResource) string {
			return at(t, tmpl, map[string]any{"Ref": bucket.ID}).(string)
		}
		logs, blog := logBucket(t, tmpl), siteBucket(t, tmpl)
		const key = "/AWSLogs/" + own + "/CloudFront/E2/2026/11/22/E2.2026-11-22-03.0123abcd.gz"
		for _, c := range []struct {
			name    string
			bucket  assembly.NamedResource
			action  string
			key     string
			service string
			source  string
			account string
			acl     string
			tls     string
			allowed bool
		}{
			{"a log", logs, "s3:PutObject", key, "delivery.logs.amazonaws.com", source("us-east-1", own), own, "bucket-owner-full-control", "true", true},
			{"another account's", logs, "s3:PutObject", key, "delivery.logs.amazonaws.com", source("us-east-1", other), other, "bucket-owner-full-control", "true", false},
			{"another region's", logs, "s3:PutObject", key, "delivery.logs.amazonaws.com", source("eu-west-1", own), own, "bucket-owner-full-control", "true", false},
			{"no delivery", logs, "s3:PutObject", key, "delivery.logs.amazonaws.com", "arn:aws:logs:us-east-1:" + own + ":log-group:a", own, "bucket-owner-full-control", "true", false},
			{"for others to read", logs, "s3:PutObject", key, "delivery.logs.amazonaws.com", source("us-east-1", own), own, "public-read", "true", false},
			{"without TLS", logs, "s3:PutObject", key, "delivery.logs.amazonaws.com", source("us-east-1", own), own, "bucket-owner-full-control", "false", false},
			{"out of its folder", logs, "s3:PutObject", "/index.html", "delivery.logs.amazonaws.com", source("us-east-1", own), own, "bucket-owner-full-control", "true", false},
			{"reading", logs, "s3:GetObject", key, "delivery.logs.amazonaws.com", source("us-east-1", own), own, "", "true", false},
			{"deleting", logs, "s3:DeleteObject", key, "delivery.logs.amazonaws.com", source("us-east-1", own), own, "", "true", false},
			{"sharing", logs, "s3:PutObjectAcl", key, "delivery.logs.amazonaws.com", source("us-east-1", own), own, "bucket-owner-full-control", "true", false},
			{"by CloudFront", logs, "s3:PutObject", key, "cloudfront.amazonaws.com", source("us-east-1", own), own, "bucket-owner-full-control", "true", false},
			{"into the blog", blog, "s3:PutObject", key, "delivery.logs.amazonaws.com", source("us-east-1", own), own, "bucket-owner-full-control", "true", false},
		} {
			context := map[string]string{"aws:SourceArn": c.source, "aws:SourceAccount": c.account, "aws:SecureTransport": c.tls}
			if c.acl != "" {
				context["s3:x-amz-acl"] = c.acl
			}
			policy, err := json.Marshal(policyOf(t, tmpl, c.bucket))
			if err != nil {
				t.Fatal(err)
			}
			t.Run(tt.props.Name+" "+c.name, func(t *testing.T) {
				ask(t, nil, question{iampolicy.Request{
					Principal: c.service, Action: c.action, Resource: "arn:aws:s3:::" + bucketName(c.bucket) + c.key, Context: context, ResourcePolicy: policy,
				}, c.allowed})
			})
		}
	}
}

// policyOf returns a bucket's policy.
func policyOf(t *testing.T, tmpl *assembly.Template, bucket assembly.NamedResource) any {
	t.Helper()
	for _, policy := range tmpl.OfType("AWS::S3::BucketPolicy") {
		if ref, _ := policy.Properties["Bucket"].(map[string]any); ref["Ref"] == bucket.ID {
			return at(t, tmpl, policy.Properties["PolicyDocument"])
		}
	}
	t.Fatalf("%s: %s has no policy", tmpl.Name, bucket.ID)
	return nil
}
