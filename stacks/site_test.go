package stacks

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func siteTemplate(t *testing.T, given props.Blog) *assembly.Template {
	t.Helper()
	return stackTemplate(t, contract.StackName(given.Name, contract.StackSite))
}

// distributionConfig returns the configuration of the distribution in a Site's stack.
func distributionConfig(t *testing.T, tmpl *assembly.Template) map[string]any {
	t.Helper()
	return at(t, tmpl, only(t, tmpl, "AWS::CloudFront::Distribution"), "DistributionConfig").(map[string]any)
}

// published returns where the pipeline of a fixture must publish.
func published(t *testing.T, given props.Blog) (bucket, distribution string) {
	t.Helper()
	if given.Site == nil {
		return given.Deploy.Bucket, given.Invalidate.DistributionID
	}
	tmpl := siteTemplate(t, given)
	ref := func(resource assembly.NamedResource) string {
		return at(t, tmpl, map[string]any{"Ref": resource.ID}).(string)
	}
	return ref(siteBucket(t, tmpl)), ref(tmpl.OfType("AWS::CloudFront::Distribution")[0])
}

func TestSiteStacks(t *testing.T) {
	for _, tt := range []struct {
		props props.Blog
		want  []string
	}{
		{fixtures.Modern, []string{"modern-pipeline"}},
		{fixtures.Bare, []string{"bare-site", "bare-pipeline"}},
		{fixtures.Tokyo, []string{"tokyo-certificate", "tokyo-site", "tokyo-pipeline"}},
		{fixtures.Virginia, []string{"virginia-site", "virginia-pipeline"}},
		{fixtures.Elsewhere, []string{"elsewhere-site", "elsewhere-pipeline"}},
		{fixtures.Complete, []string{"complete-site", "complete-logs", "complete-pipeline"}},
	} {
		equal(t, tt.props.Name+"'s stacks", tt.props.StackNames(), tt.want)
		var made []string
		for id, tmpl := range allApp().templates {
			if id[:strings.LastIndexByte(id, '-')] != tt.props.Name {
				continue
			}
			made = append(made, id)
			region := cmp.Or(tt.props.Region, "us-east-1")
			if strings.HasSuffix(id, "-certificate") || strings.HasSuffix(id, "-logs") {
				region = "us-east-1"
			}
			equal(t, id+"'s region", tmpl.Region, region)
			equal(t, id+"'s account", tmpl.Account, fixtures.Account)
		}
		slices.Sort(made)
		slices.Sort(tt.want)
		equal(t, tt.props.Name+"'s templates", made, tt.want)
	}
}

// TestSitesAreDeployedInOrder checks the dependencies that the CDK CLI reads.
func TestSitesAreDeployedInOrder(t *testing.T) {
	after := dependencies(t)
	for _, given := range fixtures.SiteBlogs {
		at2 := contract.StackName(given.Name, contract.StackSite)
		for _, id := range given.StackNames() {
			before, then := at2, id
			if id == contract.StackName(given.Name, contract.StackCertificate) {
				before, then = id, at2
			}
			if before != then && !slices.Contains(after[then], before) {
				t.Errorf("%s is deployed after %v, want after %s", then, after[then], before)
			}
		}
	}
}

// TestSiteClearsBothOfAPair checks that / and /index.html are cleared together: CloudFront caches the home
// page under both.
func TestSiteClearsBothOfAPair(t *testing.T) {
	tmpl := template(t, fixtures.Complete)
	text := at(t, tmpl, action(t, tmpl, stageInvalidate), "Configuration", "UserParameters").(string)
	if want := `"Paths":["/","/index.html","#posts"]`; !strings.Contains(text, want) {
		t.Errorf("UserParameters are %s, want %s in them", text, want)
	}
}

func TestNamesFit(t *testing.T) {
	for _, id := range fixtures.LongNamed.StackNames() {
		if len(id) > 128 {
			t.Errorf("the stack %s has a name of %d characters, want at most 128", id, len(id))
		}
		tmpl := changedApp().templates[id]
		for _, tt := range []struct {
			cfnType string
			path    []any
			limit   int
		}{
			{"AWS::CloudFront::Function", []any{"Name"}, 64},
			{"AWS::CloudFront::Function", []any{"FunctionConfig", "Comment"}, 128},
			{"AWS::CloudFront::OriginAccessControl", []any{"OriginAccessControlConfig", "Name"}, 64},
			{"AWS::CloudFront::ResponseHeadersPolicy", []any{"ResponseHeadersPolicyConfig", "Name"}, 128},
			{"AWS::CloudFront::ResponseHeadersPolicy", []any{"ResponseHeadersPolicyConfig", "Comment"}, 128},
			{"AWS::CloudFront::Distribution", []any{"DistributionConfig", "Comment"}, 128},
			{"AWS::CloudFront::Distribution", []any{"DistributionConfig", "Origins", 0, "Id"}, 128},
			{"AWS::Logs::DeliverySource", []any{"Name"}, 60},
			{"AWS::Logs::DeliveryDestination", []any{"Name"}, 60},
		} {
			for _, resource := range tmpl.OfType(tt.cfnType) {
				if got := at(t, tmpl, resource.Properties, tt.path...).(string); len(got) > tt.limit {
					t.Errorf("%s of %s is %q: %d characters, want at most %d", tt.path, tt.cfnType, got, len(got), tt.limit)
				}
			}
		}
	}
}
