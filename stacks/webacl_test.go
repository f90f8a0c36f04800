package stacks

import (
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
)

func TestWebACL(t *testing.T) {
	equal(t, "complete's web ACL", distributionConfig(t, siteTemplate(t, fixtures.Complete))["WebACLId"], fixtures.Complete.Site.WebACLARN)
	equal(t, "bare's web ACL", distributionConfig(t, siteTemplate(t, fixtures.Bare))["WebACLId"], nil)
}
