package stacks

import (
	"blog-deploy-pipeline/stacks/props"
	"strings"
	"testing"
)

func TestWebACL(t *testing.T) {
	equal(t, "complete's web ACL", distributionConfig(t, siteTemplate(t, complete))["WebACLId"], complete.Site.WebACLARN)
	equal(t, "bare's web ACL", distributionConfig(t, siteTemplate(t, bare))["WebACLId"], nil)

	good := complete.Site.WebACLARN
	for _, tt := range []struct{ name, arn, want string }{
		{"id", uuid, `Site.WebACLARN is "` + uuid + `": must be the ARN of a WAF web ACL of scope CLOUDFRONT`},
		{"regional", strings.Replace(good, "global", "regional", 1), "of scope CLOUDFRONT"},
		{"another region", strings.Replace(good, "us-east-1", "ap-northeast-1", 1), "of scope CLOUDFRONT"},
		{"WAF classic", "arn:aws:waf::" + account + ":webacl/" + uuid, "of scope CLOUDFRONT"},
		{"rule group", strings.Replace(good, "/webacl/", "/rulegroup/", 1), "of scope CLOUDFRONT"},
		{"another account", strings.Replace(good, account, "999999999999", 1), "must be in the blog's Account, 123456789012"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			given := withSite(func(s *props.Site) { s.WebACLARN = tt.arn })
			given.Account = account
			wantProblem(t, given.Validate(), tt.want)
		})
	}
}
