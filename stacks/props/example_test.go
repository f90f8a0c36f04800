package props_test

import (
	"fmt"
	"time"

	"blog-deploy-pipeline/stacks/props"
)

// The account of these examples is 123456789012.
const (
	connectionARN  = "arn:aws:codeconnections:us-east-1:123456789012:connection/01234567-89ab-cdef-0123-456789abcdef"
	certificateARN = "arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
)

// A blog with a bucket and a distribution that exist already.
func ExampleBlog() {
	blog := props.Blog{
		Name: "my-blog",
		Source: props.GitHubConnection{
			Owner:         "my-name",
			Repo:          "blog",
			ConnectionARN: connectionARN,
		},
		Deploy:        props.Deploy{Bucket: "amzn-s3-demo-bucket"},
		Invalidate:    props.Invalidate{DistributionID: "E2QWRUHAPOMQZL"},
		Notifications: props.Notifications{Emails: []string{"me@example.com"}},
	}
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// exampleBlog returns a blog to which the examples below add something.
func exampleBlog() props.Blog {
	return props.Blog{
		Name:       "my-blog",
		Region:     "us-east-1",
		Source:     props.GitHubConnection{Owner: "my-name", Repo: "blog", ConnectionARN: connectionARN},
		Deploy:     props.Deploy{Bucket: "amzn-s3-demo-bucket"},
		Invalidate: props.Invalidate{DistributionID: "E2QWRUHAPOMQZL"},
	}
}

// exampleSite returns a blog with a Site.
func exampleSite(site props.Site) props.Blog {
	blog := exampleBlog()
	blog.Site = &site
	blog.Deploy, blog.Invalidate = props.Deploy{}, props.Invalidate{}
	return blog
}

// A blog whose bucket, distribution, certificate and DNS records are created as well. The Region is
// required.
func ExampleSite() {
	blog := props.Blog{
		Name:   "my-blog",
		Region: "ap-northeast-1",
		Source: props.GitHubConnection{
			Owner:         "my-name",
			Repo:          "blog",
			ConnectionARN: connectionARN,
		},
		Site: &props.Site{
			Domain:                 "blog.example.com",
			RedirectFrom:           []string{"www.blog.example.com"},
			HostedZone:             props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "example.com"},
			AccessLogRetentionDays: 30,
		},
	}
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// A Site with the distribution's own name, such as d111111abcdef8.cloudfront.net.
func ExampleSite_withoutDomain() {
	blog := exampleBlog()
	blog.Deploy, blog.Invalidate = props.Deploy{}, props.Invalidate{}
	blog.Site = &props.Site{}
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// A Site whose DNS is not in Route 53: you validate the certificate and create the records.
func ExampleSite_otherDNS() {
	blog := exampleSite(props.Site{
		Domain:         "blog.example.com",
		CertificateARN: certificateARN,
	})
	fmt.Println(blog.Validate())
	// Output: <nil>
}

func ExampleHostedZone() {
	blog := exampleSite(props.Site{
		Domain:     "blog.example.com",
		HostedZone: props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "example.com"},
	})
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// Security headers for a blog that gets everything from its own name.
func ExampleHeaders() {
	blog := exampleSite(props.Site{
		Headers: props.Headers{
			HSTS:                  props.HSTS{MaxAge: 2 * 365 * 24 * time.Hour, IncludeSubDomains: true},
			Referrer:              props.ReferrerSameOrigin,
			ContentSecurityPolicy: "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
			Others:                map[string]string{"Permissions-Policy": "camera=(), microphone=()"},
		},
	})
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// A browser that has visited the blog is to forget that it must use HTTPS.
func ExampleHSTS_forget() {
	blog := exampleSite(props.Site{
		Headers: props.Headers{HSTS: props.HSTS{MaxAge: props.ForgetHSTS}},
	})
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// Caching for a generator that writes all fingerprinted files into /assets/.
func ExampleCaching() {
	blog := exampleSite(props.Site{
		Caching: props.Caching{
			Immutable: []string{"/assets/*"},
			Feeds:     []string{"/feed.xml", "/atom.xml"},
			FeedsFor:  time.Hour,
			PagesFor:  time.Minute,
		},
	})
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// The site is in a folder of the repository, and pagefind adds a search index.
func ExampleBuild() {
	blog := exampleBlog()
	blog.Build = props.Build{
		RootDirectory: "site",
		HugoVersion:   "0.164.0",
		HugoExtended:  true,
		AssetScript:   "build:css",
		AfterHugo:     "npx pagefind --site public",
		Environment:   map[string]string{"HUGO_FLAGS": "--gc --minify"},
	}
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// The blog's repository has a buildspec of its own.
func ExampleBuild_buildspec() {
	blog := exampleBlog()
	blog.Build = props.Build{
		Buildspec:   "code-pipeline/buildspec.yml",
		Image:       "public.ecr.aws/docker/library/node:24",
		ComputeType: props.ComputeTypeMedium,
		Timeout:     30 * time.Minute,
	}
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// Two blogs may share a bucket, each in its own folder.
func ExampleDeploy() {
	blog := exampleBlog()
	blog.Deploy = props.Deploy{Bucket: "amzn-s3-demo-bucket", KeyPrefix: "ja/notes"}
	blog.Invalidate.BasePath = "/ja/notes/"
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// Browsers save PDF files under a name, and assets stay for a week after a new version has replaced them.
func ExampleFileHeaders() {
	blog := exampleBlog()
	blog.Deploy.Headers = []props.FileHeaders{
		{Match: "/cv.pdf", ContentDisposition: `attachment; filename="cv.pdf"`, ContentLanguage: "ja"},
		{Match: "/data/*", CacheControl: "public, max-age=600"},
	}
	blog.Deploy.Grace = 7 * 24 * time.Hour
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// CodePipeline's own action uploads every file, and the pipeline clears everything.
func ExampleDeployBy() {
	blog := exampleBlog()
	blog.Deploy.By = props.DeployByS3Action
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// Only some paths are cleared, and a slow CloudFront does not fail the pipeline.
func ExampleInvalidate() {
	blog := exampleBlog()
	blog.Invalidate = props.Invalidate{
		DistributionID: "E2QWRUHAPOMQZL",
		Paths:          []string{"/", "/index.html", "/posts/*"},
		Deadline:       time.Hour,
		OnFailure:      props.OnFailureProceed,
	}
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// The distribution is in another account.
func ExampleInvalidate_otherAccount() {
	blog := exampleBlog()
	blog.Invalidate = props.Invalidate{
		DistributionID: "E2QWRUHAPOMQZL",
		RoleARN:        "arn:aws:iam::210987654321:role/clear-cache",
	}
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// Posts with a date in the future are published at six in the morning.
func ExampleSchedule() {
	blog := exampleBlog()
	blog.Schedule = props.Schedule{
		Expression: "cron(0 6 * * ? *)",
		TimeZone:   "Asia/Tokyo",
	}
	fmt.Println(blog.Validate())
	// Output: <nil>
}

func ExampleNotifications() {
	blog := exampleBlog()
	blog.Notifications = props.Notifications{
		Emails:   []string{"me@example.com"},
		TopicARN: "arn:aws:sns:us-east-1:123456789012:alerts",
	}
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// A push of changes to the README alone does not start the pipeline.
func ExampleGitHubConnection() {
	blog := exampleBlog()
	blog.Source = props.GitHubConnection{
		Owner:         "my-name",
		Repo:          "blog",
		Branch:        "main",
		ConnectionARN: connectionARN,
		Trigger:       props.Trigger{IgnorePaths: []string{"README.md"}},
		FullClone:     true,
	}
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// Only tags such as v1.2.0 start the pipeline.
func ExampleTrigger_tags() {
	blog := exampleBlog()
	blog.Source = props.GitHubConnection{
		Owner:         "my-name",
		Repo:          "blog",
		ConnectionARN: connectionARN,
		Trigger:       props.Trigger{Tags: []string{"v*"}},
	}
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// The token is in a field of a secret.
func ExampleGitHubToken() {
	blog := exampleBlog()
	blog.Source = props.GitHubToken{
		Owner:       "my-name",
		Repo:        "blog",
		SecretName:  "github",
		SecretField: "token",
	}
	fmt.Println(blog.Validate())
	// Output: <nil>
}

// A service that exists already, which CodeDeploy deploys.
func ExampleExistingService() {
	service := props.ExistingService{
		Name: "shop",
		DeployedBy: props.CodeDeployGroup{
			Application:     "shop",
			DeploymentGroup: "shop-blue-green",
			Container:       "web",
			Port:            80,
		},
		Hook: props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
	}
	fmt.Println(service.Validate())
	// Output: <nil>
}

// A service that exists already, which ECS deploys.
func ExampleECSService() {
	service := props.ExistingService{
		Name:       "news",
		DeployedBy: props.ECSService{Cluster: "production", Service: "news"},
		Hook:       props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
	}
	fmt.Println(service.Validate())
	// Output: <nil>
}

// A deployment whose cache is not cleared within five minutes is rolled back.
func ExampleHook() {
	service := props.ExistingService{
		Name:       "news",
		DeployedBy: props.ECSService{Cluster: "production", Service: "news"},
		Hook: props.Hook{
			Invalidations: []props.Invalidation{
				{DistributionID: "E2QWRUHAPOMQZL", Paths: []string{"/articles/*", "/feed.xml"}},
				{DistributionID: "E2QWRUHAPOMQZM"},
			},
			Events:    []props.HookEvent{props.HookEventPostProductionTrafficShift},
			Deadline:  5 * time.Minute,
			OnFailure: props.OnFailureFail,
		},
	}
	fmt.Println(service.Validate())
	// Output: <nil>
}

// A service that is created with its network, its load balancer and its pipeline.
func ExampleFargateService() {
	service := props.FargateService{
		Name: "api",
		Source: props.GitHubConnection{
			Owner:         "my-name",
			Repo:          "api",
			ConnectionARN: connectionARN,
		},
		Container: props.Container{
			Environment: map[string]string{"LOG_LEVEL": "info"},
			Secrets:     map[string]string{"API_TOKEN": "/api/token"},
		},
		LoadBalancer: props.LoadBalancer{CertificateARN: certificateARN},
		Shift:        props.ShiftCanary,
		Hook:         props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL", Paths: []string{"/v1/*"}}}},
	}
	fmt.Println(service.Validate())
	// Output: <nil>
}

// exampleService returns a service to which the examples below add something.
func exampleService() props.FargateService {
	return props.FargateService{
		Name:   "api",
		Source: props.GitHubConnection{Owner: "my-name", Repo: "api", ConnectionARN: connectionARN},
		Hook:   props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
	}
}

// A larger machine builds an image with a compiler in it.
func ExampleImageBuild() {
	service := exampleService()
	service.Build = props.ImageBuild{ComputeType: props.ComputeTypeLarge, Timeout: 30 * time.Minute}
	fmt.Println(service.Validate())
	// Output: <nil>
}

// A container that listens on another port. It needs an image for the time until the first push has been
// delivered.
func ExampleContainer() {
	service := exampleService()
	service.Container = props.Container{
		Port:            8080,
		HealthCheckPath: "/healthz",
		CPU:             512,
		MemoryMiB:       1024,
		Secrets:         map[string]string{"API_TOKEN": "/api/token"},
		InitialImage:    "public.ecr.aws/docker/library/httpd:2.4.65",
	}
	fmt.Println(service.Validate())
	// Output: <nil>
}

// Between 2 and 10 tasks, of which each uses 60 percent of its CPU.
func ExampleScaling() {
	service := exampleService()
	service.Scaling = props.Scaling{MaxTasks: 10, CPUPercent: 60}
	fmt.Println(service.Validate())
	// Output: <nil>
}

// A network without NAT gateways, which cost 36 USD a month each.
func ExampleNewVPC() {
	service := exampleService()
	service.VPC = props.NewVPC{PublicTasks: true}
	fmt.Println(service.Validate())
	// Output: <nil>
}

func ExampleExistingVPC() {
	service := exampleService()
	service.VPC = props.ExistingVPC{
		ID:                "vpc-0123456789abcdef0",
		CIDR:              "172.31.0.0/16",
		AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
		PublicSubnets:     []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"},
		PrivateSubnets:    []string{"subnet-0123456789abcdef2", "subnet-0123456789abcdef3"},
	}
	fmt.Println(service.Validate())
	// Output: <nil>
}

// A load balancer without public addresses, which only CloudFront can reach.
func ExampleLoadBalancer_internal() {
	service := exampleService()
	service.VPC = props.NewVPC{AvailabilityZones: []string{"us-east-1a", "us-east-1b"}}
	service.LoadBalancer = props.LoadBalancer{
		Internal:           true,
		OriginPrefixListID: "pl-3b927c52",
	}
	fmt.Println(service.Validate())
	// Output: <nil>
}

// A list with everything that is wrong.
func ExampleValidate() {
	blog := exampleBlog()
	blog.Deploy.Bucket = "arn:aws:s3:::amzn-s3-demo-bucket"
	blog.Build.Timeout = time.Minute
	fmt.Println(props.Validate([]props.Blog{blog}, nil))
	// Output:
	// blog "my-blog": Build.Timeout is 1m0s: must be whole minutes, from 5 minutes to 36 hours, written as 30 * time.Minute
	// blog "my-blog": Deploy.Bucket is "arn:aws:s3:::amzn-s3-demo-bucket": must be a bucket's name (not an ARN or URL): 3 to 63 lower-case letters, digits, hyphens and dots; the name in it is "amzn-s3-demo-bucket"
}
