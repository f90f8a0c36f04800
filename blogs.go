package main

import "blog-deploy-pipeline/stacks"

// blogs is the list of blogs to deliver: the file to edit. The two below are
// examples, with values from AWS's documentation; replace them with your own.
// Every prop is documented in stacks/: `go doc ./stacks BlogProps`.
var blogs = []stacks.BlogProps{
	{
		// Today's way: no token anywhere, this project's build recipe, a pipeline
		// that starts only for pushes that change the site.
		Name: "modern-blog",
		Source: stacks.GitHubConnection{
			Owner:         "example",
			Repo:          "modern-blog",
			ConnectionARN: "arn:aws:codeconnections:us-east-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef",
			Trigger:       stacks.Trigger{IgnorePaths: []string{"README.md", "drafts/**"}},
		},
		Build: stacks.Build{HugoVersion: "0.164.0", HugoExtended: true},
		Deploy: stacks.Deploy{
			Bucket: "amzn-s3-demo-bucket1",
			// Browsers ask again for every page, CloudFront keeps it until the
			// pipeline clears its cache.
			CacheControl: "public, max-age=0, s-maxage=31536000, must-revalidate",
		},
		Invalidate:    stacks.Invalidate{DistributionID: "E1MODERNEXAMPLE"},
		Notifications: stacks.Notifications{Emails: []string{"me@example.com"}},
	},
	{
		// The pipeline of the article this project started from: an existing bucket
		// and distribution, the build in the blog's own repository, a token in the
		// Parameter Store, GitHub polled for changes.
		Name: "classic-blog",
		Source: stacks.GitHubToken{
			Owner:         "example",
			Repo:          "classic-blog",
			Branch:        "master",
			ParameterName: "/blog/github-oauth-token",
			Trigger:       stacks.Poll,
		},
		Build:      stacks.Build{Buildspec: "code-pipeline/buildspec.yml"},
		Deploy:     stacks.Deploy{Bucket: "amzn-s3-demo-bucket2"},
		Invalidate: stacks.Invalidate{DistributionID: "E2CLASSICEXAMPLE"},
	},
}

// services is the list of ECS services behind CloudFront.
var services = []stacks.Service{}
