package e2e

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Most of the time of these tests goes into compiling and synthesising. So the tests that look at templates, or at
// what make does with them, share one checkout that lists all their blogs and services.
const (
	sharedBlogs    = rehearsedBlog + "," + rehearsedSite + "," + browsedBlog + "," + ownBlog + "," + ownSite + "," + exampleBlog + "," + exampleSite
	sharedServices = ownServices + exampleServices
)

var shared struct {
	sync.Once
	folder, dir string // dir is "" if the checkout could not be made
}

// sharedCheckout returns that checkout. Its templates stay in the folder synthesised, and its app is replaced by a
// script that copies them, since make writes cdk.out anew for each command.
func sharedCheckout(t testing.TB) checkout {
	t.Helper()
	shared.Do(func() {
		c := checkoutIn(t, shared.folder)
		c.lists(sharedBlogs, sharedServices)
		if out, err := c.build(); err != nil {
			t.Fatalf("make build: %v\n%s", err, out)
		}
		if out, err := (checkout{t, "."}).make("dist/rehearse"); err != nil {
			t.Fatalf("make dist/rehearse: %v\n%s", err, out)
		}
		if out, err := c.make("synth", "CDK_VALIDATION=true"); err != nil {
			t.Fatalf("make synth: %v\n%s", err, out)
		}
		const app = "#!/bin/sh\ntest $# -eq 0 || exec dist/the-app \"$@\"\ncp -R synthesised \"$CDK_OUTDIR\"\n"
		for _, err := range []error{
			os.Rename(filepath.Join(c.dir, "cdk.out"), filepath.Join(c.dir, "synthesised")),
			os.Rename(filepath.Join(c.dir, "dist", "app"), filepath.Join(c.dir, "dist", "the-app")),
			os.WriteFile(filepath.Join(c.dir, "dist", "app"), []byte(app), 0o755),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		shared.dir = c.dir
	})
	if shared.dir == "" {
		t.Fatal("the shared checkout could not be made: the test that ran first says why")
	}
	return checkout{t, shared.dir}
}

// synthesised returns the folder of the shared checkout's cloud assembly.
func (c checkout) synthesised() string { return filepath.Join(c.dir, "synthesised") }

// lists makes the checkout list these blogs and services.
func (c checkout) lists(blogs, services string) {
	c.t.Helper()
	for name, list := range map[string]string{
		"blogs.go":    "var blogs = []props.Blog{" + blogs + "}",
		"services.go": "func init() { services = []props.Service{" + services + "} }",
	} {
		text := "package main\n\nimport \"blog-deploy-pipeline/stacks/props\"\n\n" + list + "\n"
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
}

// rehearsedBlog is a blog whose pages stay in CloudFront's cache until its pipeline clears it.
const rehearsedBlog = `{
	Name:       "blog",
	Source:     props.GitHubToken{Owner: "me", Repo: "blog", SecretName: "github"},
	Deploy:     props.Deploy{Bucket: "the-blog", CacheControl: "public, max-age=0, s-maxage=31536000"},
	Invalidate: props.Invalidate{DistributionID: "E2QWRUHAPOMQZL"},
}`

// rehearsedSite is a blog with a Site in which everything has its default.
const rehearsedSite = `{
	Name: "served", Region: "ap-northeast-1",
	Source: props.GitHubToken{Owner: "me", Repo: "blog", SecretName: "github"},
	Site: &props.Site{
		Domain: "served.example.com", RedirectFrom: []string{"www.served.example.com"},
		HostedZone: props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "example.com"},
	},
}`

// browsedBlog is a blog with a Site in which only the policy for scripts is set, so that the theme's script may run.
const browsedBlog = `{
	Name: "new-blog", Region: "ap-northeast-1",
	Source: props.GitHubToken{Owner: "me", Repo: "blog", SecretName: "github"},
	Site: &props.Site{
		Domain:       "blog.example.com",
		RedirectFrom: []string{"www.blog.example.com"},
		HostedZone:   props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "example.com"},
		Headers:      props.Headers{ContentSecurityPolicy: "` + browsedPolicy + `"},
	},
}`

// ownBlog is a blog without example values, in an account and region of its own.
const ownBlog = `{
	Name:          "own", Account: "210987654321", Region: "eu-central-1",
	Source:        props.GitHubToken{Owner: "me", Repo: "blog", SecretName: "github"},
	Deploy:        props.Deploy{Bucket: "my-bucket", KeyPrefix: "ja", By: props.DeployByFunction},
	Invalidate:    props.Invalidate{DistributionID: "E2QWRUHAPOMQZL", BasePath: "/ja/"},
}`

// ownSite is a blog with a Site that has every kind of stack.
const ownSite = `{
	Name:   "site", Account: "210987654321", Region: "eu-central-1",
	Source: props.GitHubToken{Owner: "me", Repo: "site", SecretName: "github"},
	Deploy: props.Deploy{By: props.DeployByFunction},
	Site: &props.Site{
		Domain:        "site.dev",
		RedirectFrom:  []string{"www.site.dev"},
		HostedZone:    props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "site.dev"},
		AccessLogRetentionDays: 30,
	},
}`

// uploadedPipeline is the stack of exampleBlog, which CodePipeline's S3 action publishes.
const uploadedPipeline = "example-pipeline"

const exampleBlog = `{
	Name:       "example",
	Source:     props.GitHubToken{Owner: "example", Repo: "blog", SecretName: "github"},
	Deploy:     props.Deploy{Bucket: "amzn-s3-demo-bucket", By: props.DeployByS3Action},
	Invalidate: props.Invalidate{DistributionID: "EDFDVBD6EXAMPLE"},
}`

const exampleSite = `{
	Name:   "sample", Region: "eu-central-1",
	Source: props.GitHubToken{Owner: "me", Repo: "sample", SecretName: "github"},
	Site: &props.Site{
		Domain:     "sample.example.com",
		HostedZone: props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "example.com"},
	},
}`

// ownServices are services without example values: existing ones and new ones, deployed by CodeDeploy and by ECS.
const ownServices = `
	props.ExistingService{
		Name: "shop", Account: "210987654321", Region: "eu-central-1",
		DeployedBy: props.CodeDeployGroup{Application: "shop", DeploymentGroup: "blue-green", Container: "web", Port: 80},
		Hook:       props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}, {DistributionID: "E2QWRUHAPOMQZM", Paths: []string{"/a/*"}}}, OnFailure: props.OnFailureFail},
	},
	props.ExistingService{
		Name: "news", Account: "210987654321", Region: "eu-central-1",
		DeployedBy: props.ECSService{Cluster: "production", Service: "news"},
		Hook:       props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}, {DistributionID: "E2QWRUHAPOMQZM", Paths: []string{"/a/*"}}}, OnFailure: props.OnFailureFail},
	},
	props.FargateService{
		Name: "api", Account: "210987654321", Region: "eu-central-1",
		Source: props.GitHubToken{Owner: "me", Repo: "api", SecretName: "github"},
		Hook:   props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}, {DistributionID: "E2QWRUHAPOMQZM", Paths: []string{"/a/*"}}}, OnFailure: props.OnFailureFail},
	},
	props.FargateService{
		Name: "docs", Account: "210987654321", Region: "eu-central-1", Controller: props.ControllerECS,
		Source: props.GitHubToken{Owner: "me", Repo: "docs", SecretName: "github"},
		Hook:   props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}, {DistributionID: "E2QWRUHAPOMQZM", Paths: []string{"/a/*"}}}, OnFailure: props.OnFailureFail},
	},
`

// exampleServices are two services in no particular account. The first one has an example value.
const exampleServices = `
	props.ExistingService{
		Name:       "stall",
		DeployedBy: props.CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: "web", Port: 80},
		Hook:       props.Hook{Invalidations: []props.Invalidation{{DistributionID: "EDFDVBD6EXAMPLE"}}},
	},
	props.ExistingService{
		Name:       "paper",
		DeployedBy: props.ECSService{Cluster: "c", Service: "s"},
		Hook:       props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
	},
`
