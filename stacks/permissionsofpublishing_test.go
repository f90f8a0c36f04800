package stacks

import (
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// The keys of a releases bucket, after a slash.
const (
	state    = "/" + contract.ReleaseState
	manifest = "/" + contract.ReleaseManifests + "20261127-010203-01234567.json.gz"
	artifact = "/" + contract.ReleaseArtifacts + "20261127-010203-01234567.zip"
)

// releasesOf returns the ARN of the bucket with a blog's releases.
func releasesOf(t *testing.T, tmpl *assembly.Template) string {
	t.Helper()
	return arnOf(t, tmpl, named(t, tmpl, "AWS::S3::Bucket", "Releases").ID)
}

// publishingRoles are the rows of the roles by which the function publishes, and by which invalidate clears what
// changed.
var publishingRoles = []roleOf[props.Blog]{
	{"publish to a Site", fixtures.Tokyo, "PublishRole", func(t *testing.T, tmpl *assembly.Template) []call {
		bucket, distribution := published(t, fixtures.Tokyo)
		another, _ := published(t, fixtures.Complete)
		site, releases := "arn:aws:s3:::"+bucket, releasesOf(t, tmpl)
		return slices.Concat(logging(t, tmpl, "PublishLog"), ofReleases(releases), []call{
			{"s3:ListBucket", site, true},
			{"s3:PutObject", site + "/index.html", true},
			{"s3:DeleteObject", site + "/posts/hello/index.html", true},
			{"s3:GetObject", site + "/index.html", false},
			{"s3:PutObjectAcl", site + "/index.html", false},
			{"s3:PutObjectTagging", site + "/index.html", false},
			{"s3:DeleteObjectVersion", site + "/index.html", false},
			{"s3:PutBucketPolicy", site, false},
			{"s3:PutLifecycleConfiguration", site, false},
			{"s3:ListBucket", "arn:aws:s3:::" + another, false},
			{"s3:PutObject", "arn:aws:s3:::" + another + "/index.html", false},
			{"s3:DeleteObject", "arn:aws:s3:::" + another + "/index.html", false},

			{"s3:GetObject", artifacts(t, tmpl) + "/tokyo/Site/abc.zip", true},
			{"s3:PutObject", artifacts(t, tmpl) + "/tokyo/Site/abc.zip", false},
			{"s3:DeleteObject", artifacts(t, tmpl) + "/tokyo/Site/abc.zip", false},
			{"s3:ListBucket", artifacts(t, tmpl), false},

			{"s3:PutObject", releases + manifest, true},
			{"s3:PutObject", releases + artifact, true},
			{"s3:GetObject", releases + artifact, true},
			{"s3:PutObject", releases + "/another", false},

			{"codepipeline:PutJobSuccessResult", "*", true},
			{"codepipeline:PutJobFailureResult", "*", true},
			{"codepipeline:StartPipelineExecution", "arn:aws:codepipeline:ap-northeast-1:" + fixtures.Account + ":tokyo", false},
			{"cloudfront:CreateInvalidation", edge + distribution, false},
			{"lambda:InvokeFunction", arnOf(t, tmpl, named(t, tmpl, "AWS::Lambda::Function", "Invalidate").ID), false},
			{"logs:PutLogEvents", log(t, tmpl, "InvalidateLog"), false},
		})
	}},
	{"publish to a shared bucket", fixtures.Full, "PublishRole", func(*testing.T, *assembly.Template) []call {
		const shared = "arn:aws:s3:::kzmorita-shared/"
		return []call{
			{"s3:PutObject", shared + "ja/notes/index.html", true},
			{"s3:DeleteObject", shared + "ja/notes/index.html", true},
			{"s3:PutObject", shared + "ja/notes2/index.html", false},
			{"s3:PutObject", shared + "index.html", false},
			{"s3:DeleteObject", shared + "en/notes/index.html", false},
			{"s3:GetObject", shared + "ja/notes/index.html", false},
		}
	}},
	{"publish action", fixtures.Tokyo, "PublishActionRole", func(t *testing.T, tmpl *assembly.Template) []call {
		return slices.Concat(invoking(arnOf(t, tmpl, named(t, tmpl, "AWS::Lambda::Function", "Publish").ID)), reading(t, tmpl), []call{
			{"lambda:ListFunctions", "*", true},
			{"lambda:InvokeFunction", arnOf(t, tmpl, named(t, tmpl, "AWS::Lambda::Function", "Invalidate").ID), false},
			{"s3:PutObject", artifacts(t, tmpl) + "/site.zip", false},
			{"s3:GetObject", releasesOf(t, tmpl) + state, false},
		})
	}},
	{"invalidate what changed", fixtures.Tokyo, "InvalidateRole", func(t *testing.T, tmpl *assembly.Template) []call {
		bucket, _ := published(t, fixtures.Tokyo)
		releases := releasesOf(t, tmpl)
		return append(ofReleases(releases), []call{
			{"s3:PutObject", releases + manifest, false},
			{"s3:PutObject", releases + artifact, false},
			{"s3:GetObject", releases + artifact, false},
			{"s3:ListBucket", "arn:aws:s3:::" + bucket, false},
			{"s3:PutObject", "arn:aws:s3:::" + bucket + "/index.html", false},
			{"s3:GetObject", artifacts(t, tmpl) + "/site.zip", false},
			{"lambda:InvokeFunction", arnOf(t, tmpl, named(t, tmpl, "AWS::Lambda::Function", "Publish").ID), false},
		}...)
	}},
	{"invalidate, and go back", fixtures.Webhook, "InvalidateRole", func(t *testing.T, tmpl *assembly.Template) []call {
		publish := arnOf(t, tmpl, named(t, tmpl, "AWS::Lambda::Function", "Publish").ID)
		return []call{
			{"lambda:InvokeFunction", publish, true},
			{"lambda:InvokeFunction", arnOf(t, tmpl, named(t, tmpl, "AWS::Lambda::Function", "Invalidate").ID), false},
			{"lambda:UpdateFunctionCode", publish, false},
			{"s3:PutObject", "arn:aws:s3:::" + fixtures.Webhook.Deploy.Bucket + "/notes/index.html", false},
			{"s3:GetObject", releasesOf(t, tmpl) + artifact, false},
		}
	}},
	{"invalidate a fixed list", fixtures.Complete, "InvalidateRole", func(t *testing.T, tmpl *assembly.Template) []call {
		return []call{
			{"s3:GetObject", releasesOf(t, tmpl) + state, false},
			{"s3:PutObject", releasesOf(t, tmpl) + state, false},
			{"s3:ListBucket", releasesOf(t, tmpl), false},
		}
	}},
	{"build beside releases", fixtures.Tokyo, "BuildRole", func(t *testing.T, tmpl *assembly.Template) []call {
		return []call{
			{"s3:GetObject", releasesOf(t, tmpl) + state, false},
			{"s3:PutObject", releasesOf(t, tmpl) + state, false},
		}
	}},
}

// ofReleases are the calls that both functions make on the state of the releases.
func ofReleases(bucket string) []call {
	return []call{
		{"s3:ListBucket", bucket, true},
		{"s3:GetObject", bucket + state, true},
		{"s3:PutObject", bucket + state, true},
		{"s3:GetObject", bucket + manifest, true},
		{"s3:DeleteObject", bucket + artifact, false},
		{"s3:DeleteObject", bucket + state, false},
		{"s3:DeleteObject", bucket + manifest, false},
		{"s3:GetObjectVersion", bucket + state, false},
		{"s3:PutBucketPolicy", bucket, false},
		{"s3:PutLifecycleConfiguration", bucket, false},
	}
}

// TestPublishUnderConditions checks that the function lists only the blog's folder of a bucket, and that it gets a
// data key only through S3, in the bucket's region.
func TestPublishUnderConditions(t *testing.T) {
	tmpl := template(t, fixtures.Full)
	key := fixtures.Full.Deploy.EncryptionKeyARN
	list := func(prefix string, allowed bool) question {
		return question{iampolicy.Request{Action: "s3:ListBucket", Resource: "arn:aws:s3:::kzmorita-shared", Context: map[string]string{"s3:prefix": prefix}}, allowed}
	}
	encrypt := func(action, key, via string, allowed bool) question {
		return question{iampolicy.Request{Action: action, Resource: key, Context: map[string]string{"kms:ViaService": via}, ResourcePolicy: ownPolicies["kms"]}, allowed}
	}
	checkQuestions(t, tmpl, "PublishRole", []question{
		list("ja/notes/", true),
		list("ja/notes", false),
		list("ja/", false),
		list("en/", false),
		list("", false),
		{iampolicy.Request{Action: "s3:ListBucket", Resource: "arn:aws:s3:::kzmorita-shared"}, false},
		encrypt("kms:GenerateDataKey", key, "s3.ap-northeast-1.amazonaws.com", true),
		encrypt("kms:GenerateDataKey", key, "s3.us-east-1.amazonaws.com", false),
		encrypt("kms:GenerateDataKey", key, "lambda.ap-northeast-1.amazonaws.com", false),
		encrypt("kms:GenerateDataKey", strings.Replace(key, "0123", "9876", 1), "s3.ap-northeast-1.amazonaws.com", false),
		encrypt("kms:Decrypt", key, "s3.ap-northeast-1.amazonaws.com", false),
		{iampolicy.Request{Action: "kms:GenerateDataKey", Resource: key, ResourcePolicy: ownPolicies["kms"]}, false},
	})
}
