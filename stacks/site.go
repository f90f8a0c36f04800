package stacks

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/viewerrequest"
)

// Site makes what a blog is served from, for who has nothing yet: a private bucket,
// a CloudFront distribution before it and, with a Domain, the certificate and the DNS
// records. It is in the stack NAME-site. What CloudFront takes from us-east-1 alone is
// in NAME-certificate and NAME-logs there, unless that is the blog's Region. A Site
// with nothing set is one, too: &Site{}.
//
// What a Site no longer needs stays in AWS until you remove its stack there: all of them
// without a Site, NAME-certificate with a CertificateARN, NAME-logs without AccessLogDays.
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

	// AccessLogDays keeps CloudFront's access logs, which name visitors' addresses, for
	// so many days, in a bucket of their own: a line of JSON for each request, without
	// cookies, in a folder for each day. The bucket stays when logging ends, and goes
	// on removing its logs. To end it where there is a stack NAME-logs, first remove that,
	// by `npx cdk destroy NAME-logs`: it knows this bucket alone, and would not find the
	// one that is made when you want logs again. Default: 0, no logs. Example: 30.
	AccessLogDays int

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
	Redirect MissingSlash = viewerrequest.Redirect
	// Rewrite serves the page at both addresses.
	Rewrite MissingSlash = viewerrequest.Rewrite
)

// validate has each part check its own fields.
// WithDefaults returns these props with every default in its field.
func (s Site) WithDefaults() Site {
	s.MissingSlash = cmp.Or(s.MissingSlash, Redirect)
	s.NotFoundPage = cmp.Or(s.NotFoundPage, defaultNotFoundPage)
	s.PriceClass = cmp.Or(s.PriceClass, AllEdges)
	s.Headers = s.Headers.WithDefaults()
	s.Caching = s.Caching.WithDefaults()
	s.BucketRemoval = cmp.Or(s.BucketRemoval, KeepBucket)
	return s
}

func (s Site) validate(p *problems, notifications Notifications) {
	s.validateDomain(p)
	oneOf(p, "Site.MissingSlash", s.MissingSlash, Redirect, Rewrite)
	if problem := notFoundPageProblem(s.NotFoundPage); problem != "" {
		p.add("Site.NotFoundPage", s.NotFoundPage, problem)
	}
	oneOf(p, "Site.PriceClass", s.PriceClass, AllEdges, FewerEdges, FewestEdges)
	s.Headers.validate(p)
	s.Caching.validate(p, s.NotFoundPage)
	validateWebACL(p, s.WebACLARN)
	validateAccessLogDays(p, s.AccessLogDays)
	validateMonthlyBudget(p, s.MonthlyBudget, notifications)
	oneOf(p, "Site.BucketRemoval", s.BucketRemoval, KeepBucket, DeleteBucket)
}

// destination is where a pipeline publishes: to what is there already, or to what a
// Site makes, whose names are tokens until it is deployed.
type destination struct {
	bucket         awss3.IBucket
	distributionID string
	baseURL        string // where readers find it; "" where only the owner knows
}

func siteStackID(blog string) string        { return blog + "-site" }
func certificateStackID(blog string) string { return blog + "-certificate" }
func logsStackID(blog string) string        { return blog + "-logs" }

// stackIDs returns the ids of the Site's stacks, in the order in which they are
// deployed.
func (s Site) stackIDs(owner owner) []string {
	var ids []string
	if s.makesCertificate() && owner.region != certificateRegion {
		ids = append(ids, certificateStackID(owner.name))
	}
	ids = append(ids, siteStackID(owner.name))
	if s.AccessLogDays > 0 && owner.region != deliveryRegion {
		ids = append(ids, logsStackID(owner.name))
	}
	return ids
}

// newSite adds the stacks of a blog's Site to scope.
func newSite(scope constructs.Construct, owner owner, s Site, notifications Notifications) destination {
	stack := awscdk.NewStack(scope, jsii.String(siteStackID(owner.name)),
		owner.stackProps("What the blog "+owner.name+" is served from: bucket, distribution, DNS records"))
	bucket := newSiteBucket(stack, s.BucketRemoval)
	distribution := newDistribution(stack, owner, s, bucket, newCertificate(scope, stack, owner, s))
	newRecords(stack, s, distribution)
	if s.AccessLogDays > 0 {
		newAccessLogs(scope, stack, owner, s.AccessLogDays, distribution)
	}
	if s.MonthlyBudget > 0 {
		newBudget(stack, s.MonthlyBudget, notifications)
	}

	domainName := *distribution.DistributionDomainName()
	url := "https://" + cmp.Or(s.Domain, domainName)
	newOutput(stack, "URL", "The blog", url)
	newOutput(stack, "DistributionDomainName", s.recordsToMake(), domainName)
	newOutput(stack, "DistributionID", "What to name to clear CloudFront by hand", *distribution.DistributionId())
	newOutput(stack, "BucketName", "Where the pipeline puts the blog's files", *bucket.BucketName())
	return destination{bucket: bucket, distributionID: *distribution.DistributionId(), baseURL: url + "/"}
}

// recordsToMake says what the owner's DNS has to lead to the distribution.
func (s Site) recordsToMake() string {
	const own = "The distribution's own name"
	if s.Domain == "" || s.HostedZone != (HostedZone{}) {
		return own
	}
	text := own + "; make DNS records that lead there (CNAME, or ALIAS at the top of a zone) for " + s.Domain
	if all := strings.Join(append([]string{text}, s.RedirectFrom...), ", "); len(all) <= maxDescription {
		return all
	}
	return fmt.Sprintf("%s and the %d names of RedirectFrom", text, len(s.RedirectFrom))
}
