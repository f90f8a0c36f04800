package stacks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Owners who have not put all of their own values in yet: one value is left in each.
var (
	exampleBlogs = []BlogProps{
		{
			Name: "half-done", Account: account, Region: "ap-northeast-1",
			Source: GitHubToken{Owner: "kzmorita", Repo: "blog", SecretName: "github"},
			Site: &Site{
				Domain: "blog.example.com", HostedZone: HostedZone{ID: "Z0123456789ABCDEFGHIJ", Name: "example.com"},
				AccessLogDays: 30,
			},
		},
		{
			Name:          "nearly-done",
			Source:        GitHubToken{Owner: "kzmorita", Repo: "blog", SecretName: "github"},
			Deploy:        Deploy{Bucket: "amzn-s3-demo-bucket"},
			Invalidate:    Invalidate{DistributionID: "E2QWRUHAPOMQZL"},
			Notifications: Notifications{TopicARN: "arn:aws:sns:us-east-1:" + account + ":alerts"},
		},
	}
	exampleServices = []Service{
		ExistingService{
			Name: "example-shop", Account: account,
			DeployedBy: ECSService{Cluster: "production", Service: "shop"},
			Hook:       Hook{Distributions: []Distribution{{ID: "EDFDVBD6EXAMPLE"}}},
		},
		// CDK asks AWS for the zones of an account and a region that are named.
		FargateService{
			Name: "example-api", Region: "eu-west-1",
			Source: GitHubToken{Owner: "example", Repo: "api", SecretName: "github"},
			Hook:   Hook{Distributions: []Distribution{{ID: "E2QWRUHAPOMQZL"}}},
			// CDK makes a rule for a topic of the stack's account alone.
			Notifications: Notifications{TopicARN: "arn:aws:sns:eu-west-1:" + account + ":alerts"},
		},
	}
)

// TestExamplesAreNobodys: every stack with an example value, and every other stack of its owner, is
// bound to the documentation's account, and the CLI finds no role there that it could ask for.
func TestExamplesAreNobodys(t *testing.T) {
	var ids []string
	for _, b := range exampleBlogs {
		ids = append(ids, BlogStackIDs(b)...)
	}
	for _, s := range exampleServices {
		ids = append(ids, s.stackID())
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
		bound, role := changedTemplates[id].Account == exampleAccount, made.Properties.AssumeRoleArn
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
