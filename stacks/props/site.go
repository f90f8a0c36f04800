package props

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"blog-deploy-pipeline/stacks/site/viewerrequest"
)

// Site creates what visitors get a blog from: a private bucket, a CloudFront distribution in front of it
// and, with a Domain, the certificate and the DNS records. They are in the stack NAME-site. What
// CloudFront accepts from us-east-1 only is in the stacks NAME-certificate and NAME-logs in that region,
// unless it is the blog's Region. &Site{} is a Site with all defaults.
//
// A stack that a Site no longer needs stays in AWS until you delete it there: all of them if the blog has
// no Site any more, NAME-certificate if CertificateARN is set, and NAME-logs if AccessLogRetentionDays is
// not.
//
// Both regions need `cdk bootstrap` once. An account may have 20 response headers policies, unless AWS
// raises that quota, and a Site needs up to two.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
type Site struct {
	// Domain is the blog's name in DNS. It needs a HostedZone, a CertificateARN, or both. Visitors need TLS
	// 1.2 or later. No other distribution may have the name, and it must have no A and AAAA records:
	// otherwise AWS refuses the first deployment, which then leaves nothing behind. With another Domain,
	// the old name goes from DNS, unless it is in RedirectFrom. The build gets this address as
	// HUGO_BASEURL, which Hugo uses instead of the baseURL in the blog's configuration. Default: none; the
	// blog has the distribution's own name, such as d111111abcdef8.cloudfront.net, for which CloudFront
	// chooses the versions of TLS. The stack's output URL shows it, and the build gets it in the same way.
	// Example: "blog.example.com".
	Domain string

	// RedirectFrom lists other names that redirect to Domain, with the same path and query. A name that
	// you remove here is removed from DNS. Default: none. Example: []string{"www.example.com"}.
	RedirectFrom []string

	// HostedZone is the public hosted zone in Route 53, in the blog's account, that contains Domain and
	// RedirectFrom. It gets their A and AAAA records and, without CertificateARN, the records by which ACM
	// validates the certificate. A deployment waits for this validation, for hours if the domain's
	// registrar does not name the zone's name servers yet. Default: none; you create the records.
	HostedZone HostedZone

	// CertificateARN is an issued ACM certificate in us-east-1, in the blog's account, for Domain and all of
	// RedirectFrom. Default: a certificate is created, which ACM validates and renews by records in
	// HostedZone. Example: "arn:aws:acm:us-east-1:123456789012:certificate/01234567-…".
	CertificateARN string

	// MissingSlash says what CloudFront answers to "/posts/hello" if Hugo has written
	// "/posts/hello/index.html". The name decides what is a page and what is a file. Files are names with an
	// extension of the list in stacks/site/viewerrequest/names.go ("/main.css", "/blog.tar.gz"), "/LICENSE"
	// and similar names, and everything below "/.well-known/". All other names are pages, such as "/v1.0"
	// and "/old.php". So a page "/tags/hls.js/" can be reached only with its slash. Default:
	// MissingSlashRedirect.
	MissingSlash MissingSlash

	// NotFoundPage is the file that visitors get, with status 404, for a path that does not exist. CloudFront
	// allows one for all paths: visitors of /ja/ get it, too. If Hugo writes every language into a folder
	// (defaultContentLanguageInSubdir), it writes no such page at the top. Default: "/404.html". Example:
	// "/en/404.html".
	NotFoundPage string

	// PriceClass says which of CloudFront's edge locations serve the blog. Default: PriceClassAll.
	PriceClass PriceClass

	// Headers are the security headers of every answer. Default: headers that work with any ordinary blog.
	Headers Headers

	// Caching says how long browsers keep files. Default: a year for files that Hugo fingerprints, 10 minutes
	// for feeds; browsers ask for pages every time.
	Caching Caching

	// WebACLARN is a WAF web ACL that checks every request. It must have the scope CLOUDFRONT, and be in
	// us-east-1 and in the blog's account. Default: none. Example:
	// "arn:aws:wafv2:us-east-1:123456789012:global/webacl/blog/01234567-…".
	WebACLARN string

	// AccessLogRetentionDays keeps CloudFront's access logs for this number of days, 1 to 3653. They are in a
	// bucket of their own, with one line of JSON for each request, in a folder for each day. They contain
	// visitors' addresses, but no cookies. The bucket stays when logging ends, and goes on deleting old
	// logs. If there is a stack NAME-logs, delete it before you end logging, with `npx cdk destroy
	// NAME-logs`: it refers to this bucket, and would not use the new one that is created if you want logs
	// again. Default: 0, no logs. Example: 30.
	AccessLogRetentionDays int

	// MonthlyBudget is a limit in whole US dollars for the account's CloudFront bill of a month, of all its
	// distributions together. AWS tells everybody in the blog's Notifications when the bill exceeds it, or is
	// forecast to exceed it, for which AWS needs about five weeks of data. The budget stops nothing. The
	// policy of Notifications.TopicARN must allow budgets.amazonaws.com to publish, which SNS's default
	// policy does not. CloudFormation cannot create budgets in some newer regions. Default: 0, no budget.
	// Example: 10.
	// https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
	MonthlyBudget int

	// BucketRemoval says what happens to the bucket, with every version of every file, when the stack is
	// deleted: what was deployed last counts, so deploy a change before you destroy. A new Site does not use
	// a bucket that was kept; it creates its own. While the bucket is in use, S3 keeps replaced files for 30
	// days. Default: BucketRemovalKeep.
	BucketRemoval BucketRemoval
}

// MissingSlash says what CloudFront answers to a page's address without the slash at its end.
type MissingSlash string

const (
	// MissingSlashRedirect answers with a redirect (301) to "/posts/hello/", so that each page has one address.
	MissingSlashRedirect MissingSlash = viewerrequest.Redirect
	// MissingSlashRewrite serves the page at both addresses.
	MissingSlashRewrite MissingSlash = viewerrequest.Rewrite
)

// PriceClass is a choice of CloudFront's edge locations. Visitors near one that is not included are
// served from the next, which is slower.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PriceClass.html
type PriceClass string

const (
	// PriceClassAll includes all edge locations.
	PriceClassAll PriceClass = "PriceClass_All"
	// PriceClass200 includes all but those in South America, Australia and New Zealand.
	PriceClass200 PriceClass = "PriceClass_200"
	// PriceClass100 includes those in North America, Europe and Israel.
	PriceClass100 PriceClass = "PriceClass_100"
)

// BucketRemoval says what happens to a Site's bucket when its stack is deleted.
type BucketRemoval string

const (
	// BucketRemovalKeep leaves the bucket and everything in it in the account.
	BucketRemovalKeep BucketRemoval = "keep"
	// BucketRemovalDelete deletes every version of every file, and then the bucket. The CDK adds a function
	// to the stack that does this.
	BucketRemovalDelete BucketRemoval = "delete"
)

const (
	defaultNotFoundPage = "/404.html"
	// maxErrorPage limits the path of an error page: a slash, and the longest key that S3 allows.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
	maxErrorPage = 1 + 1024
)

// webACLPattern matches web ACLs for CloudFront, which are "global" and in us-east-1.
// https://docs.aws.amazon.com/waf/latest/developerguide/cloudfront-features.html
var webACLPattern = regexp.MustCompile(`^arn:aws:wafv2:us-east-1:\d{12}:global/webacl/[A-Za-z0-9_-]{1,128}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// WithDefaults returns these props with every default in its field.
func (s Site) WithDefaults() Site {
	s.MissingSlash = cmp.Or(s.MissingSlash, MissingSlashRedirect)
	s.NotFoundPage = cmp.Or(s.NotFoundPage, defaultNotFoundPage)
	s.PriceClass = cmp.Or(s.PriceClass, PriceClassAll)
	s.Headers = s.Headers.withDefaults()
	s.Caching = s.Caching.withDefaults()
	s.BucketRemoval = cmp.Or(s.BucketRemoval, BucketRemovalKeep)
	return s
}

// MakesCertificate returns whether the Site needs a certificate that does not exist yet.
func (s Site) MakesCertificate() bool { return s.Domain != "" && s.CertificateARN == "" }

// FunctionSettings returns what the viewer request function needs to know of the Site.
func (s Site) FunctionSettings() viewerrequest.Settings {
	return viewerrequest.Settings{
		Domain:       s.Domain,
		RedirectFrom: s.RedirectFrom,
		MissingSlash: string(s.MissingSlash),
	}
}

func (s Site) dns() dns { return dns{s.Domain, s.RedirectFrom, s.HostedZone, s.CertificateARN} }

// Validate returns everything that is wrong with the Site of a blog, or nil. The blog needs a Kind and a
// Name; without its Account and Region, ARNs are not compared with them.
func (s Site) Validate(blog Identity, notifications Notifications) error {
	p := &problems{of: blog}
	s = s.WithDefaults()
	s.validate(p, notifications)
	p.noTokens(s)
	return p.join()
}

func (s Site) validate(p *problems, notifications Notifications) {
	s.dns().validate(p, len(viewerrequest.Code(s.FunctionSettings())))
	oneOf(p, "Site.MissingSlash", s.MissingSlash, MissingSlashRedirect, MissingSlashRewrite)
	if problem := notFoundPageProblem(s.NotFoundPage); problem != "" {
		p.add("Site.NotFoundPage", s.NotFoundPage, problem)
	}
	oneOf(p, "Site.PriceClass", s.PriceClass, PriceClassAll, PriceClass200, PriceClass100)
	s.Headers.validate(p)
	s.Caching.validate(p, s.NotFoundPage)
	if s.WebACLARN != "" && p.arn("Site.WebACLARN", s.WebACLARN, webACLPattern, "must be the ARN of a WAF web ACL of scope CLOUDFRONT, such as arn:aws:wafv2:us-east-1:123456789012:global/webacl/blog/01234567-89ab-cdef-0123-456789abcdef") {
		p.sameAccount("Site.WebACLARN", s.WebACLARN)
	}
	validateAccessLogDays(p, s.AccessLogRetentionDays)
	validateMonthlyBudget(p, s.MonthlyBudget, notifications)
	oneOf(p, "Site.BucketRemoval", s.BucketRemoval, BucketRemovalKeep, BucketRemovalDelete)
}

// notFoundPageProblem returns why CloudFront would not find an error page, or "". CloudFront asks S3 for
// this path without the viewer request function, which knows pages and plus signs.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/GeneratingCustomErrorResponses.html
func notFoundPageProblem(path string) string {
	switch {
	case !strings.HasPrefix(path, "/"):
		return "must be a path that starts with /, such as /en/404.html"
	case strings.ContainsAny(path, "?#*"):
		return "must be the path of one file, such as /en/404.html; write ? as %3F, # as %23, and * as %2A"
	case !pathPattern.MatchString(path) || strings.Contains(path, "+"):
		return fmt.Sprintf("must be URL-encoded: %q", strings.ReplaceAll(encode(path), "+", "%2B"))
	case hasDots(path) || strings.Contains(path, "//"):
		return "must be the path of a file as Hugo writes it, such as /en/404.html, without a folder that is empty, . or .."
	case viewerrequest.IsFolder(path):
		return fmt.Sprintf("must be a file, which CloudFront asks S3 for: %q", path+viewerrequest.IndexPage)
	case viewerrequest.IsPage(path):
		return fmt.Sprintf("must be a file, which CloudFront asks S3 for: %q", path+"/"+viewerrequest.IndexPage)
	case len(path) > maxErrorPage:
		return fmt.Sprintf("has %d characters, and S3 allows names of at most %d bytes", len(path), maxErrorPage-1)
	}
	return ""
}
