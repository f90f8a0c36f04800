package props_test

import (
	"strings"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// setSite returns a change of the Site of Complete.
func setSite(set func(*props.Site, string)) func(*props.Blog, string) {
	return func(b *props.Blog, value string) {
		at2 := *fixtures.Complete.Site
		set(&at2, value)
		b.Site = &at2
	}
}

// siteValues has the values of a Site's fields.
var siteValues = []values[props.Blog]{
	{"Name", func(b *props.Blog, v string) { b.Name = v }, []string{"Blog", strings.Repeat("b", 100)}, map[string]string{"xn--blog": "S3 reserves such names", strings.Repeat("b", 101): "at most 100"}},
	{"Site.Domain", setSite(func(s *props.Site, v string) {
		s.Domain, s.RedirectFrom, s.HostedZone = v, nil, props.HostedZone{}
	}), []string{
		"kzmorita.dev", "a.b.c.kzmorita.dev", "1.kzmorita.dev", "xn--vckk7bxa.xn--q9jyb4c", "my-cloudfront.net", "cloudfront.net.dev", strings.Repeat("a", 63) + ".dev", "a--b.dev",
	}, map[string]string{
		"d111111abcdef8.cloudfront.net": "is a name of Amazon's", "b.s3.amazonaws.com": "is a name of Amazon's", "x.elasticbeanstalk.com": "is a name of Amazon's", "cloudfront.net": "is a name of Amazon's",
		"blog.kzmorita.dev.": "must be a name in DNS", "*.kzmorita.dev": "must be a name", "my_blog.dev": "must be a name", "kzmorita.dev/": "must be a name", "KZMORITA.dev": "must be a name",
		"blog.local": "is not in the public DNS", "blog.home.arpa": "is not in the public DNS",
		strings.Repeat("a", 64) + ".dev": "must be a name", "192.0.2.1": "must be a name", "ブログ.dev": "must be a name", "localhost": "must be a name", " kzmorita.dev": "must be a name",
	}},
	{"Site.RedirectFrom[0]", setSite(func(s *props.Site, v string) { s.RedirectFrom = []string{v} }), []string{"old.kzmorita.dev"}, map[string]string{
		"complete.kzmorita.dev": "is listed twice", "kzmorita.com": "must be in Site.HostedZone", "https://old.kzmorita.dev": "must be a name in DNS",
	}},
	{"Site.HostedZone.ID", setSite(func(s *props.Site, v string) { s.HostedZone.ID = v }), []string{"Z1D633PJN98FT9", "Z" + strings.Repeat("A", 31)}, map[string]string{
		"": "must be a hosted zone's id", "/hostedzone/Z1D633PJN98FT9": "without /hostedzone/", "z1d633pjn98ft9": "must be a hosted zone's id", "Z" + strings.Repeat("A", 32): "must be a hosted zone's id",
	}},
	{"Site.CertificateARN", setSite(func(s *props.Site, v string) { s.CertificateARN = v }), []string{"", fixtures.SiteCertificate}, map[string]string{
		"arn:aws:acm:eu-west-1:" + fixtures.Account + ":certificate/" + fixtures.UUID: "must be in us-east-1", "arn:aws-us-gov:acm:us-east-1:" + fixtures.Account + ":certificate/" + fixtures.UUID: "must be a certificate's ARN",
		"arn:aws:acm:us-east-1:999999999999:certificate/" + fixtures.UUID: "must be in the blog's Account", "arn:aws:acm-pca:us-east-1:" + fixtures.Account + ":certificate-authority/" + fixtures.UUID: "must be a certificate's ARN",
	}},
	{"Site.WebACLARN", setSite(func(s *props.Site, v string) { s.WebACLARN = v }), []string{"", fixtures.Complete.Site.WebACLARN}, map[string]string{
		"arn:aws:wafv2:us-east-1:" + fixtures.Account + ":regional/webacl/blog/" + fixtures.UUID: "of scope CLOUDFRONT", "arn:aws:wafv2:ap-northeast-1:" + fixtures.Account + ":regional/webacl/blog/" + fixtures.UUID: "of scope CLOUDFRONT",
		"arn:aws:wafv2:us-east-1:999999999999:global/webacl/blog/" + fixtures.UUID: "must be in the blog's Account",
	}},
	{"Site.Headers.ContentSecurityPolicy", setSite(func(s *props.Site, v string) { s.Headers.Frames, s.Headers.ContentSecurityPolicy = "", v }), []string{
		"", "none", "default-src 'self'; img-src 'self' data:", "sandbox", "default-src " + strings.Repeat("x", 1783-12),
	}, map[string]string{
		"default-src " + strings.Repeat("x", 1784-12): "CloudFront allows at most 1783", "default-src 'self'\nimg-src *": "must be one line of plain ASCII", " ": "has no directive",
	}},
	{`Site.Headers.Others["X-A"]`, setSite(func(s *props.Site, v string) { s.Headers.Others = map[string]string{"X-A": v} }), []string{"1", `"a, b"; c=d`, strings.Repeat("x", 1783)}, map[string]string{
		"": "must be one line", "a\r\nX-B: 1": "must be one line", "日本": "plain ASCII", strings.Repeat("x", 1784): "of at most 1783", "a\x00": "must be one line",
	}},
}
