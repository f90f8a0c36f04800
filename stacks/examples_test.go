package stacks

import (
	"blog-deploy-pipeline/stacks/props"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Owners who have not put all of their own values in yet: one value is left in each.
var (
	exampleBlogs = []props.Blog{
		{
			Name: "half-done", Account: account, Region: "ap-northeast-1",
			Source: props.GitHubToken{Owner: "kzmorita", Repo: "blog", SecretName: "github"},
			Site: &props.Site{
				Domain: "blog.example.com", HostedZone: props.HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "example.com"},
				AccessLogRetentionDays: 30,
			},
		},
		{
			Name:          "nearly-done",
			Source:        props.GitHubToken{Owner: "kzmorita", Repo: "blog", SecretName: "github"},
			Deploy:        props.Deploy{Bucket: "amzn-s3-demo-bucket"},
			Invalidate:    props.Invalidate{DistributionID: "E2QWRUHAPOMQZL"},
			Notifications: props.Notifications{TopicARN: "arn:aws:sns:us-east-1:" + account + ":alerts"},
		},
	}
	exampleServices = []props.Service{
		props.ExistingService{
			Name: "example-shop", Account: account,
			DeployedBy: props.ECSService{Cluster: "production", Service: "shop"},
			Hook:       props.Hook{Invalidations: []props.Invalidation{{DistributionID: "EDFDVBD6EXAMPLE"}}},
		},
		// CDK asks AWS for the zones of an account and a region that are named.
		props.FargateService{
			Name: "example-api", Region: "eu-west-1",
			Source: props.GitHubToken{Owner: "example", Repo: "api", SecretName: "github"},
			Hook:   props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
			// CDK makes a rule for a topic of the stack's account alone.
			Notifications: props.Notifications{TopicARN: "arn:aws:sns:eu-west-1:" + account + ":alerts"},
		},
	}
)

// TestExamplesAreNobodys: every stack with an example value, and every other stack of its owner, is
// bound to the documentation's account, and the CLI finds no role there that it could ask for.
func TestExamplesAreNobodys(t *testing.T) {
	var ids []string
	for _, b := range exampleBlogs {
		ids = append(ids, b.StackNames()...)
	}
	for _, s := range exampleServices {
		ids = append(ids, s.StackName())
	}
	if len(ids) != 7 {
		t.Fatalf("the examples have the stacks %v, want a certificate, a site and logs among seven", ids)
	}
	raw, err := os.ReadFile(filepath.Join(changedDir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Missing   []any
		Artifacts map[string]struct {
			Type, Environment string
			Properties        struct{ AssumeRoleArn string }
		}
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	for id, made := range manifest.Artifacts {
		if made.Type != "aws:cloudformation:stack" {
			continue
		}
		bound, role := changedTemplates[id].Account == props.ExampleAccount, made.Properties.AssumeRoleArn
		if isExample := slices.Contains(ids, id); bound != isExample || isExample != (role == "") {
			t.Errorf("%s (with example values: %t) is bound to %s, and is deployed by the role %q", id, isExample, made.Environment, role)
		}
	}
	for _, id := range ids {
		if changedTemplates[id] == nil {
			t.Errorf("there is no %s", id)
		}
	}
	if len(manifest.Missing) > 0 {
		t.Errorf("synth asks AWS for %v", manifest.Missing)
	}
}
