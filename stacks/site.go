package stacks

// Site makes what a blog is served from, for who has nothing yet: a private bucket,
// a CloudFront distribution before it and, with a Domain, the certificate and the DNS
// records. It is in the stack NAME-site. What CloudFront takes from us-east-1 alone is
// in NAME-certificate and NAME-logs there, unless that is the blog's Region. A Site
// with nothing set is one, too: &Site{}.
type Site struct {
	// Domain is the blog's name in DNS. It takes a HostedZone, a CertificateARN, or
	// both. Default: none; the blog is at the distribution's own name, such as
	// d111111abcdef8.cloudfront.net. Example: "blog.example.com".
	Domain string

	// RedirectFrom are further names that lead to Domain, in one hop that keeps path
	// and query. Default: none. Example: []string{"www.example.com"}.
	RedirectFrom []string

	// HostedZone is the public hosted zone in Route 53, of the blog's account, that
	// Domain and RedirectFrom are in. It gets their A and AAAA records and, without
	// CertificateARN, those by which ACM sees that the names are yours. Default: none;
	// the records are yours to make.
	HostedZone HostedZone

	// CertificateARN is an issued ACM certificate in us-east-1, of the blog's account,
	// for Domain and all of RedirectFrom. Default: one is made, and renews itself, by
	// records in HostedZone. Example: "arn:aws:acm:us-east-1:123456789012:certificate/01234567-…".
	CertificateARN string

	// MissingSlash says what "/posts/hello" does where Hugo has made
	// "/posts/hello/index.html". Default: Redirect.
	MissingSlash MissingSlash

	// PriceClass says which of CloudFront's edge locations serve the blog. Default:
	// AllEdges.
	PriceClass PriceClass

	// BucketRemoval says what becomes of the bucket, with every version of every file,
	// when the stack goes. Default: KeepBucket.
	BucketRemoval BucketRemoval
}

// MissingSlash is what becomes of a page's address without its last slash.
type MissingSlash string

const (
	// Redirect answers 301 with "/posts/hello/": one address for each page.
	Redirect MissingSlash = "redirect"
	// Rewrite serves the page at both addresses.
	Rewrite MissingSlash = "rewrite"
)

// validate has each part check its own fields.
func (s Site) validate(p *problems) {
	s.validateDomain(p)
	oneOf(p, "Site.MissingSlash", or(s.MissingSlash, Redirect), Redirect, Rewrite)
	oneOf(p, "Site.PriceClass", or(s.PriceClass, AllEdges), AllEdges, FewerEdges, FewestEdges)
	oneOf(p, "Site.BucketRemoval", or(s.BucketRemoval, KeepBucket), KeepBucket, DeleteBucket)
}
