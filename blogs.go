package main

import (
	"blog-deploy-pipeline/stacks/props"
)

// blogs is the list of blogs to deliver: the file to edit. Those below are
// examples, with values from AWS's documentation; replace them with your own.
// Every prop is documented in stacks/props/: `go doc ./stacks/props Blog`.
var blogs = []props.Blog{
	{
		// Today's way: no token anywhere, this project's build recipe, a pipeline
		// that starts only for pushes that change the site.
		Name: "modern-blog",
		Source: props.GitHubConnection{
			Owner:         "example",
			Repo:          "modern-blog",
			ConnectionARN: "arn:aws:codeconnections:us-east-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef",
			Trigger:       props.Trigger{IgnorePaths: []string{"README.md", "drafts/**"}},
		},
		Build: props.Build{HugoVersion: "0.164.0"},
		Deploy: props.Deploy{
			Bucket: "amzn-s3-demo-bucket1",
			// Browsers save these files, and show all others.
			Headers: []props.FileHeaders{{Match: "*.epub", ContentDisposition: "attachment"}},
		},
		Invalidate: props.Invalidate{
			DistributionID: "E1MODERNEXAMPLE",
			// The pipeline looks there whether readers have what was published.
			Verify: "https://modern-blog.example.com",
		},
		Notifications: props.Notifications{Emails: []string{"me@example.com"}},
	},
	{
		// The pipeline of the article this project started from: an existing bucket
		// and distribution, the build in the blog's own repository, a token in the
		// Parameter Store, GitHub polled for changes, every file uploaded by CodePipeline's
		// S3 action, and all of the cache cleared. The article's buildspec needs
		// `nodejs: 24` today: no image that CodeBuild maintains has 14. The recipe does the
		// same with Build{AssetScript: "webpack"}.
		Name: "classic-blog",
		Source: props.GitHubToken{
			Owner:         "example",
			Repo:          "classic-blog",
			Branch:        "master",
			ParameterName: "/blog/github-oauth-token",
			Trigger:       props.TokenTriggerPoll,
		},
		Build:      props.Build{Buildspec: "code-pipeline/buildspec.yml"},
		Deploy:     props.Deploy{Bucket: "amzn-s3-demo-bucket2", By: props.DeployByS3Action},
		Invalidate: props.Invalidate{DistributionID: "E2CLASSICEXAMPLE"},
	},
	{
		// A blog from nothing: its bucket, CloudFront, the certificate and the DNS
		// records are made, too, and the pipeline publishes there.
		Name: "new-blog", Region: "ap-northeast-1",
		Source: props.GitHubConnection{
			Owner:         "example",
			Repo:          "new-blog",
			ConnectionARN: "arn:aws:codeconnections:ap-northeast-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef",
		},
		Site: &props.Site{
			Domain:       "blog.example.com",
			RedirectFrom: []string{"www.blog.example.com"},
			HostedZone:   props.HostedZone{ID: "Z0123456789EXAMPLE", Name: "example.com"},
		},
	},
}
