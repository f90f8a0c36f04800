package main

import "blog-deploy-pipeline/stacks"

// blogs is the list of blogs to deliver: the file to edit. Those below are
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
		Build: stacks.Build{HugoVersion: "0.164.0"},
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
		// Parameter Store, GitHub polled for changes. The article's buildspec needs
		// `nodejs: 24` today: no image that CodeBuild maintains has 14. The recipe does the
		// same with Build{AssetScript: "webpack"}.
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
	{
		// A blog from nothing: its bucket, CloudFront, the certificate and the DNS
		// records are made, too, and the pipeline publishes there.
		Name: "new-blog", Region: "ap-northeast-1",
		Source: stacks.GitHubConnection{
			Owner:         "example",
			Repo:          "new-blog",
			ConnectionARN: "arn:aws:codeconnections:ap-northeast-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef",
		},
		Site: &stacks.Site{
			Domain:       "blog.example.com",
			RedirectFrom: []string{"www.blog.example.com"},
			HostedZone:   stacks.HostedZone{ID: "Z0123456789EXAMPLE", Name: "example.com"},
		},
	},
}

// services is the list of ECS services behind CloudFront. If you have none, delete all
// that is between its braces. Those below are examples, too:
// `go doc ./stacks ExistingService` and `go doc ./stacks FargateService`.
var services = []stacks.Service{
	stacks.ExistingService{
		// The service of the second article: it is there already, CodeDeploy deploys
		// it, and calls the function once the traffic has shifted. `make appspec
		// SERVICE=shop` prints the AppSpec that says so.
		Name: "shop",
		DeployedBy: stacks.CodeDeployGroup{
			Application: "AppECS-production-shop", DeploymentGroup: "DgpECS-production-shop",
			Container: "web", Port: 80,
		},
		Hook:          stacks.Hook{Distributions: []stacks.Distribution{{ID: "E3SHOPEXAMPLE"}}},
		Notifications: stacks.Notifications{Emails: []string{"me@example.com"}},
	},
	stacks.ExistingService{
		// A service whose deployments ECS runs by itself. A release whose cache could
		// not be cleared is rolled back.
		Name:       "news",
		DeployedBy: stacks.ECSService{Cluster: "production", Service: "news"},
		Hook: stacks.Hook{
			Distributions: []stacks.Distribution{{ID: "E4NEWSEXAMPLE", Paths: []string{"/articles/*", "/feed.xml"}}},
			OnFailure:     stacks.RollBack,
		},
	},
	stacks.FargateService{
		// A service from nothing: a network, a load balancer with HTTPS, two tasks, and
		// a pipeline that builds the repository's Dockerfile and has CodeDeploy shift
		// the traffic. About 75 USD a month.
		Name: "api",
		Source: stacks.GitHubConnection{
			Owner:         "example",
			Repo:          "api",
			ConnectionARN: "arn:aws:codeconnections:us-east-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef",
		},
		Container: stacks.Container{
			Environment: map[string]string{"LOG_LEVEL": "info"},
			Secrets:     map[string]string{"API_TOKEN": "/api/token"},
		},
		LoadBalancer: stacks.LoadBalancer{
			CertificateARN: "arn:aws:acm:us-east-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef",
		},
		Shift:         stacks.Canary,
		Hook:          stacks.Hook{Distributions: []stacks.Distribution{{ID: "E5APIEXAMPLE", Paths: []string{"/v1/*"}}}},
		Notifications: stacks.Notifications{Emails: []string{"me@example.com"}},
	},
	stacks.FargateService{
		// The same in a network that is there, deployed by ECS itself.
		Name: "docs",
		Source: stacks.GitHubConnection{
			Owner:         "example",
			Repo:          "docs",
			ConnectionARN: "arn:aws:codeconnections:us-east-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef",
		},
		Container: stacks.Container{
			Port:            8080,
			HealthCheckPath: "/healthz",
			// Until the first push has been delivered.
			InitialImage: "public.ecr.aws/example/docs:1.0.0",
		},
		VPC: stacks.ExistingVPC{
			ID:                "vpc-1234567890abcdef0",
			CIDR:              "10.0.0.0/16",
			AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
			PublicSubnets:     []string{"subnet-021345abcdef67890", "subnet-021345abcdef67891"},
			PrivateSubnets:    []string{"subnet-021345abcdef67892", "subnet-021345abcdef67893"},
		},
		Controller: stacks.ECS,
		Hook:       stacks.Hook{Distributions: []stacks.Distribution{{ID: "E6DOCSEXAMPLE"}}},
	},
}
