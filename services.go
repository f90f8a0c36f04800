package main

import (
	"blog-deploy-pipeline/stacks/props"
)

// The list of ECS services behind CloudFront. If you have none, delete this file. Those
// below are examples, with values from AWS's documentation; replace them with your own.
// Every prop is documented in stacks/props/: `go doc ./stacks/props ExistingService` and
// `go doc ./stacks/props FargateService`.
func init() {
	services = []props.Service{
		props.ExistingService{
			// The service of the second article: it is there already, CodeDeploy deploys
			// it, and calls the function once the traffic has shifted. `make appspec
			// SERVICE=shop` prints the AppSpec that says so.
			Name: "shop",
			DeployedBy: props.CodeDeployGroup{
				Application: "AppECS-production-shop", DeploymentGroup: "DgpECS-production-shop",
				Container: "web", Port: 80,
			},
			Hook:          props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E3SHOPEXAMPLE"}}},
			Notifications: props.Notifications{Emails: []string{"me@example.com"}},
		},
		props.ExistingService{
			// A service whose deployments ECS runs by itself. A release whose cache could
			// not be cleared is rolled back.
			Name:       "news",
			DeployedBy: props.ECSService{Cluster: "production", Service: "news"},
			Hook: props.Hook{
				Invalidations: []props.Invalidation{{DistributionID: "E4NEWSEXAMPLE", Paths: []string{"/articles/*", "/feed.xml"}}},
				OnFailure:     props.OnFailureFail,
			},
		},
		props.FargateService{
			// A service from nothing: a network, a load balancer with HTTPS, two tasks, and
			// a pipeline that builds the repository's Dockerfile and has CodeDeploy shift
			// the traffic. About 75 USD a month.
			Name: "api",
			Source: props.GitHubConnection{
				Owner:         "example",
				Repo:          "api",
				ConnectionARN: "arn:aws:codeconnections:us-east-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef",
			},
			Container: props.Container{
				Environment: map[string]string{"LOG_LEVEL": "info"},
				Secrets:     map[string]string{"API_TOKEN": "/api/token"},
			},
			LoadBalancer: props.LoadBalancer{
				CertificateARN: "arn:aws:acm:us-east-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef",
			},
			Shift:         props.ShiftCanary,
			Hook:          props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E5APIEXAMPLE", Paths: []string{"/v1/*"}}}},
			Notifications: props.Notifications{Emails: []string{"me@example.com"}},
		},
		props.FargateService{
			// The same in a network that is there, deployed by ECS itself.
			Name: "docs",
			Source: props.GitHubConnection{
				Owner:         "example",
				Repo:          "docs",
				ConnectionARN: "arn:aws:codeconnections:us-east-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef",
			},
			Container: props.Container{
				Port:            8080,
				HealthCheckPath: "/healthz",
				// Until the first push has been delivered.
				InitialImage: "public.ecr.aws/example/docs:1.0.0",
			},
			VPC: props.ExistingVPC{
				ID:                "vpc-1234567890abcdef0",
				CIDR:              "10.0.0.0/16",
				AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
				PublicSubnets:     []string{"subnet-021345abcdef67890", "subnet-021345abcdef67891"},
				PrivateSubnets:    []string{"subnet-021345abcdef67892", "subnet-021345abcdef67893"},
			},
			Controller: props.ControllerECS,
			Hook:       props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E6DOCSEXAMPLE"}}},
		},
	}
}
