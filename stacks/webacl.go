package stacks

import "regexp"

// A web ACL for CloudFront is "global", and lives in us-east-1.
// https://docs.aws.amazon.com/waf/latest/developerguide/cloudfront-features.html
var webACLPattern = regexp.MustCompile(`^arn:aws:wafv2:us-east-1:\d{12}:global/webacl/[A-Za-z0-9_-]{1,128}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func validateWebACL(p *problems, arn string) {
	if arn == "" {
		return
	}
	if p.arn("Site.WebACLARN", arn, webACLPattern, "must be the ARN of a WAF web ACL of scope CLOUDFRONT, such as arn:aws:wafv2:us-east-1:123456789012:global/webacl/blog/01234567-89ab-cdef-0123-456789abcdef") {
		p.sameAccount("Site.WebACLARN", arn)
	}
}
