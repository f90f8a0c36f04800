package props

import (
	"blog-deploy-pipeline/stacks/site/viewerrequest"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// maxAccessLogRetentionDays is ten years, as for the other logs.
const MaxAccessLogDays = 3653

func validateAccessLogDays(p *Problems, days int) {
	if days < 0 || days > MaxAccessLogDays {
		p.add("Site.AccessLogRetentionDays", days, "must be from 1 to 3653 days, or 0 for no logs")
	}
}

// maxBudgetEmails is for one notification of a budget; one SNS topic may come on top.
// https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Notification.html
const MaxBudgetEmails = 10

// noBudgets are the regions where CloudFormation does not know AWS::Budgets::Budget, as
// of cfn-lint 1.58: there it refuses the whole template, and with it the Site.
// https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2177
var noBudgets = []string{
	"af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-3", "ap-south-2", "ap-southeast-3", "ap-southeast-4",
	"ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-north-1", "eu-south-1",
	"eu-south-2", "il-central-1", "me-central-1", "mx-central-1",
}

func validateMonthlyBudget(p *Problems, dollars int, notifications Notifications) {
	const field = "Site.MonthlyBudget"
	switch {
	case dollars < 0:
		p.add(field, dollars, "must be whole US dollars, or 0 for no budget")
	case dollars == 0:
	case slices.Contains(noBudgets, p.owner.Region):
		p.add(field, dollars, "cannot be set in "+p.owner.Region+", where CloudFormation makes no budgets; leave it out, and make one in the console")
	case len(notifications.Emails) == 0 && notifications.TopicARN == "":
		p.add(field, dollars, "has nobody to tell; name someone in Notifications")
	case len(notifications.Emails) > MaxBudgetEmails:
		p.add("Notifications.Emails", fmt.Sprintf("%d addresses", len(notifications.Emails)), fmt.Sprintf("a budget tells at most %d; use a TopicARN with their subscriptions", MaxBudgetEmails))
	}
}

// PriceClass is a choice of CloudFront's edge locations. Visitors near one that is
// left out are served from the next, more slowly.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PriceClass.html
type PriceClass string

const (
	// AllEdges serves from everywhere.
	PriceClassAll PriceClass = "PriceClass_All"
	// FewerEdges leaves out South America, Australia and New Zealand.
	PriceClass200 PriceClass = "PriceClass_200"
	// FewestEdges serves from North America, Europe and Israel alone.
	PriceClass100 PriceClass = "PriceClass_100"
)

const (
	HomePage            = "index.html"
	defaultNotFoundPage = "/404.html"
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
	maxErrorPage = 1 + 1024
	// notFoundSeconds is how long an edge remembers that a page is not there: not long
	// after the page is, for a delivery that does not clear "/*".
	NotFoundSeconds = 10

	// cacheTagHeader is what S3 makes of an object's metadata cache-tag.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-by-tags.html
	CacheTagHeader = "x-amz-meta-cache-tag"
)

// functionSettings is what the viewer request function is told about the Site.
func (s Site) FunctionSettings() viewerrequest.Settings {
	return viewerrequest.Settings{
		Domain:       s.Domain,
		RedirectFrom: s.RedirectFrom,
		MissingSlash: string(s.MissingSlash),
	}
}

// notFoundPageProblem says why CloudFront would not find an error page, or nothing. It
// asks S3 for the page by this path, past the function that knows pages and plus signs.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/GeneratingCustomErrorResponses.html
func notFoundPageProblem(path string) string {
	switch {
	case !strings.HasPrefix(path, "/"):
		return "must be a path from /, such as /en/404.html"
	case strings.ContainsAny(path, "?#*"):
		return "must be the path of one file, such as /en/404.html; ? is written %3F there, # as %23, and * as %2A"
	case !pathPattern.MatchString(path) || strings.Contains(path, "+"):
		return fmt.Sprintf("must be URL-encoded: %q", strings.ReplaceAll(encode(path), "+", "%2B"))
	case hasDots(path) || strings.Contains(path, "//"):
		return "must be the path of a file as Hugo writes it, such as /en/404.html, without . or .. or nothing for a folder"
	case viewerrequest.IsFolder(path):
		return fmt.Sprintf("must be a file, which CloudFront asks S3 for: %q", path+HomePage)
	case viewerrequest.IsPage(path):
		return fmt.Sprintf("must be a file, which CloudFront asks S3 for: %q", path+"/"+HomePage)
	case len(path) > maxErrorPage:
		return fmt.Sprintf("is %d characters long, and S3's names have at most %d bytes", len(path), maxErrorPage-1)
	}
	return ""
}

// Site makes what a blog is served from, for who has nothing yet: a private bucket,
// a CloudFront distribution before it and, with a Domain, the certificate and the DNS
// records. It is in the stack NAME-site. What CloudFront takes from us-east-1 alone is
// in NAME-certificate and NAME-logs there, unless that is the blog's Region. A Site
// with nothing set is one, too: &Site{}.
//
// What a Site no longer needs stays in AWS until you remove its stack there: all of them
// without a Site, NAME-certificate with a CertificateARN, NAME-logs without AccessLogRetentionDays.
//
// Both regions need `cdk bootstrap`, once. An account has 20 response headers policies,
// unless AWS raises that, and a Site takes up to two.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
type Site struct {
	// Domain is the blog's name in DNS, with TLS 1.2 at least. It takes a HostedZone, a
	// CertificateARN, or both. Another distribution must have given it up, and its A and
	// AAAA records must be gone: AWS refuses what is taken, and the first deployment leaves
	// nothing behind. With another Domain the old name goes from DNS, unless it is in
	// RedirectFrom then. The build is told this address, as HUGO_BASEURL, which Hugo takes in
	// place of the baseURL in the blog's configuration. Default: none; the blog is at the
	// distribution's own name, such as d111111abcdef8.cloudfront.net, which the build is
	// told likewise, which the stack's output URL shows, and for which CloudFront sets the
	// versions of TLS. Example: "blog.example.com".
	Domain string

	// RedirectFrom are further names that lead to Domain, in one hop that keeps path
	// and query. What is taken out goes from DNS. Default: none. Example:
	// []string{"www.example.com"}.
	RedirectFrom []string

	// HostedZone is the public hosted zone in Route 53, of the blog's account, that
	// Domain and RedirectFrom are in. It gets their A and AAAA records and, without
	// CertificateARN, those by which ACM sees that the names are yours: a deployment waits
	// for that, for hours where the domain does not name the zone's name servers yet.
	// Default: none; the records are yours to make.
	HostedZone HostedZone

	// CertificateARN is an issued ACM certificate in us-east-1, of the blog's account,
	// for Domain and all of RedirectFrom. Default: one is made, and renews itself, by
	// records in HostedZone. Example: "arn:aws:acm:us-east-1:123456789012:certificate/01234567-…".
	CertificateARN string

	// MissingSlash says what "/posts/hello" does where Hugo has made
	// "/posts/hello/index.html". A name alone tells a page from a file: one with a file's
	// extension is a file ("/main.css", "/blog.tar.gz"), so are "/LICENSE" and its like, and
	// what is below "/.well-known/"; all else is a page, such as "/v1.0" and "/old.php". So a
	// page "/tags/hls.js/" is there with its slash alone, and a file needs an extension of
	// the list in viewerrequest/names.go. Default: Redirect.
	MissingSlash MissingSlash

	// NotFoundPage is the file that readers get, with status 404, for what is not there:
	// CloudFront has one for all paths, so that readers below /ja/ get it, too. Where Hugo
	// puts every language into a folder (defaultContentLanguageInSubdir), it makes none at the
	// top. Default: "/404.html". Example: "/en/404.html".
	NotFoundPage string

	// PriceClass says which of CloudFront's edge locations serve the blog. Default:
	// AllEdges.
	PriceClass PriceClass

	// Headers are the security headers of every answer. Default: those that break no
	// ordinary blog.
	Headers Headers

	// Caching says how long browsers keep what they have got. Default: what Hugo
	// fingerprints for a year, feeds for 10 minutes; pages are asked for every time.
	Caching Caching

	// WebACLARN is a WAF web ACL that requests have to pass, of scope CLOUDFRONT, in
	// us-east-1 and the blog's account. Default: none. Example:
	// "arn:aws:wafv2:us-east-1:123456789012:global/webacl/blog/01234567-…".
	WebACLARN string

	// AccessLogRetentionDays keeps CloudFront's access logs, which name visitors' addresses, for
	// so many days, in a bucket of their own: a line of JSON for each request, without
	// cookies, in a folder for each day. The bucket stays when logging ends, and goes
	// on removing its logs. To end it where there is a stack NAME-logs, first remove that,
	// by `npx cdk destroy NAME-logs`: it knows this bucket alone, and would not find the
	// one that is made when you want logs again. Default: 0, no logs. Example: 30.
	AccessLogRetentionDays int

	// MonthlyBudget tells all of the blog's Notifications once the account's CloudFront
	// bill of a month, of all its distributions together, has passed so many US dollars,
	// or is forecast to, which takes AWS about five weeks of use. It stops nothing. The
	// policy of a Notifications.TopicARN must let budgets.amazonaws.com publish, which
	// SNS's default policy does not:
	// https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
	// Not in some newer regions, where CloudFormation makes no budgets. Default: 0, no
	// budget. Example: 10.
	MonthlyBudget int

	// BucketRemoval says what becomes of the bucket, with every version of every file,
	// when the stack goes: what was deployed last counts, so deploy a change before you
	// destroy. A bucket that was kept is not taken up again, a Site made anew has its own.
	// While it is in use, S3 keeps what a delivery replaced for 30 days. Default:
	// KeepBucket.
	BucketRemoval BucketRemoval
}

// MissingSlash is what becomes of a page's address without its last slash.
type MissingSlash string

const (
	// Redirect answers 301 with "/posts/hello/": one address for each page.
	MissingSlashRedirect MissingSlash = viewerrequest.Redirect
	// Rewrite serves the page at both addresses.
	MissingSlashRewrite MissingSlash = viewerrequest.Rewrite
)

// validate has each part check its own fields.
// WithDefaults returns these props with every default in its field.
func (s Site) WithDefaults() Site {
	s.MissingSlash = cmp.Or(s.MissingSlash, MissingSlashRedirect)
	s.NotFoundPage = cmp.Or(s.NotFoundPage, defaultNotFoundPage)
	s.PriceClass = cmp.Or(s.PriceClass, PriceClassAll)
	s.Headers = s.Headers.WithDefaults()
	s.Caching = s.Caching.WithDefaults()
	s.BucketRemoval = cmp.Or(s.BucketRemoval, BucketRemovalKeep)
	return s
}

func (s Site) validate(p *Problems, notifications Notifications) {
	s.validateDomain(p)
	oneOf(p, "Site.MissingSlash", s.MissingSlash, MissingSlashRedirect, MissingSlashRewrite)
	if problem := notFoundPageProblem(s.NotFoundPage); problem != "" {
		p.add("Site.NotFoundPage", s.NotFoundPage, problem)
	}
	oneOf(p, "Site.PriceClass", s.PriceClass, PriceClassAll, PriceClass200, PriceClass100)
	s.Headers.Validate(p)
	s.Caching.validate(p, s.NotFoundPage)
	validateWebACL(p, s.WebACLARN)
	validateAccessLogDays(p, s.AccessLogRetentionDays)
	validateMonthlyBudget(p, s.MonthlyBudget, notifications)
	oneOf(p, "Site.BucketRemoval", s.BucketRemoval, BucketRemovalKeep, BucketRemovalDelete)
}

// BucketRemoval is what becomes of a Site's bucket when its stack goes.
type BucketRemoval string

const (
	// KeepBucket leaves it, and all that is in it, in the account.
	BucketRemovalKeep BucketRemoval = "keep"
	// DeleteBucket empties it, every version of every file, and removes it. A function
	// of CDK's own does so.
	BucketRemovalDelete BucketRemoval = "delete"
)

// A web ACL for CloudFront is "global", and lives in us-east-1.
// https://docs.aws.amazon.com/waf/latest/developerguide/cloudfront-features.html
var webACLPattern = regexp.MustCompile(`^arn:aws:wafv2:us-east-1:\d{12}:global/webacl/[A-Za-z0-9_-]{1,128}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func validateWebACL(p *Problems, arn string) {
	if arn == "" {
		return
	}
	if p.arn("Site.WebACLARN", arn, webACLPattern, "must be the ARN of a WAF web ACL of scope CLOUDFRONT, such as arn:aws:wafv2:us-east-1:123456789012:global/webacl/blog/01234567-89ab-cdef-0123-456789abcdef") {
		p.sameAccount("Site.WebACLARN", arn)
	}
}
