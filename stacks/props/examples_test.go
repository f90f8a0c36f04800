package props_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestExampleValues(t *testing.T) {
	for _, given := range fixtures.Blogs {
		if got := props.ExampleValues(given); len(got) != 0 {
			t.Errorf("%s has no example values, got %v", given.Name, got)
		}
	}
	given := props.Blog{
		Account:       "111122223333",
		Source:        props.GitHubConnection{Owner: "example", ConnectionARN: "arn:aws:codeconnections:us-east-1:111122223333:connection/" + fixtures.UUID},
		Deploy:        props.Deploy{Bucket: "amzn-s3-demo-bucket"},
		Invalidate:    props.Invalidate{DistributionID: "EDFDVBD6EXAMPLE", RoleARN: "arn:aws:iam::111122223333:role/clear-cache", Verify: "https://example.com"},
		Notifications: props.Notifications{Emails: []string{"me@example.com"}, TopicARN: "arn:aws:sns:us-east-1:111122223333:alerts"},
	}
	want := []string{"Account", "Source.Owner", "Source.ConnectionARN", "Deploy.Bucket", "Invalidate.DistributionID", "Invalidate.RoleARN", "Invalidate.Verify", "Notifications.Emails[0]", "Notifications.TopicARN"}
	equal(t, "fields", props.ExampleValues(given), want)
	for _, address := range []string{"https://www.example.com", "https://d111111abcdef8.cloudfront.net"} {
		equal(t, address, props.ExampleValues(props.Blog{Invalidate: props.Invalidate{Verify: address}}), []string{"Invalidate.Verify"})
	}
}

func TestExampleValuesOfASite(t *testing.T) {
	given := props.Blog{Source: fixtures.Modern.Source, Site: &props.Site{
		Domain:         "blog.example.com",
		RedirectFrom:   []string{"kzmorita.dev", "www.example.org", "myexample.net", "example.net"},
		HostedZone:     props.HostedZone{ID: "Z0123456789EXAMPLE", Name: "example.com"},
		CertificateARN: "arn:aws:acm:us-east-1:111122223333:certificate/" + fixtures.UUID,
		WebACLARN:      "arn:aws:wafv2:us-east-1:111122223333:global/webacl/blog/" + fixtures.UUID,
	}}
	equal(t, "fields", props.ExampleValues(given), []string{
		"Site.Domain", "Site.RedirectFrom[1]", "Site.RedirectFrom[3]", "Site.HostedZone.ID", "Site.HostedZone.Name", "Site.CertificateARN", "Site.WebACLARN",
	})
}

func TestServiceExampleValues(t *testing.T) {
	for _, s := range fixtures.FargateServices {
		if got := props.ExampleValues(s.(props.FargateService)); len(got) != 0 {
			t.Errorf("%s has no example values, got %v", s.Identity(), got)
		}
	}
	given := props.FargateService{
		Account:      "111122223333",
		Source:       props.GitHubConnection{Owner: "example", ConnectionARN: fixtures.ConnectionARN},
		VPC:          props.ExistingVPC{ID: "vpc-1234567890abcdef0"},
		LoadBalancer: props.LoadBalancer{CertificateARN: "arn:aws:acm:us-east-1:111122223333:certificate/" + fixtures.UUID},
		Hook:         props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}, {DistributionID: "EDFDVBD6EXAMPLE"}}},
	}
	equal(t, "fields", props.ExampleValues(given), []string{"Account", "Source.Owner", "VPC.ID", "LoadBalancer.CertificateARN", "Hook.Invalidations[1].DistributionID"})
}

func TestExampleValuesOfAService(t *testing.T) {
	example := props.ExistingService{
		Name: "example", Account: "111122223333",
		Hook:          props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}, {DistributionID: "EDFDVBD6EXAMPLE"}}},
		Notifications: props.Notifications{Emails: []string{"me@example.com"}},
	}
	equal(t, "example values", props.ExampleValues(example), []string{"Account", "Hook.Invalidations[1].DistributionID", "Notifications.Emails[0]"})
	if found := props.ExampleValues(fixtures.Shop); len(found) > 0 {
		t.Errorf("shop's own values are reported as examples: %v", found)
	}
}

// equal compares lists by their text.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s is %s, want %s", what, g, w)
	}
}

// TestEveryExampleInTheListsIsFound reads blogs.go and services.go, which an owner edits: Synth must warn
// of each value that is left there.
func TestEveryExampleInTheListsIsFound(t *testing.T) {
	looksLikeOne := regexp.MustCompile(`(?i)example|` + props.ExampleAccount + `|amzn-s3-demo|vpc-1234567890abcdef0`)
	seen := 0
	for _, name := range []string{"blogs.go", "services.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		owners := map[ast.Expr]bool{}
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.KeyValueExpr:
				if key, ok := node.Key.(*ast.Ident); ok && key.Name == "Owner" {
					owners[node.Value] = true
				}
			case *ast.BasicLit:
				if !looksLikeOne.MatchString(node.Value) {
					return true
				}
				seen++
				value, err := strconv.Unquote(node.Value)
				if err != nil {
					t.Fatal(err)
				}
				var found []string
				if owners[node] {
					found = props.ExampleValues(props.Blog{Source: props.GitHubToken{Owner: value}})
				} else {
					found = props.ExampleValues(props.Deploy{Bucket: value})
				}
				if len(found) == 0 {
					t.Errorf("%s has the value %q, and ExampleValues does not find it", name, value)
				}
			}
			return true
		})
	}
	if seen < 20 {
		t.Errorf("found %d example values, want at least 20: is this test still right?", seen)
	}
}
