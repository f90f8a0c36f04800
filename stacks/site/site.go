// Package site has the construct of what a blog is served from: a private bucket, a CloudFront
// distribution, and the DNS records that lead to it.
package site

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// Props describe a [Site].
type Props struct {
	props.Site

	// BlogName is the name of the blog, for descriptions. Required. Example: "travel".
	BlogName string

	// Certificate is for all names of the Site, and in us-east-1. Required with Domain. Make it
	// with [NewCertificate].
	Certificate awscertificatemanager.ICertificate

	// Notifications say whom the budget tells. Required with MonthlyBudget.
	Notifications props.Notifications
}

// Site is what a blog is served from.
//
//	travel := props.Site{Domain: "travel.example.com", HostedZone: zone}
//	s := site.NewSite(stack, "Site", site.Props{
//		Site:        travel,
//		BlogName:    "travel",
//		Certificate: site.NewCertificate(stackInUSEast1, "Certificate", travel),
//	})
type Site struct {
	constructs.Construct

	// Bucket holds the blog's files.
	Bucket awss3.Bucket

	// Distribution serves the bucket's files.
	Distribution awscloudfront.Distribution

	// AccessLogBucket is for [NewAccessLogs]. It is nil without AccessLogRetentionDays.
	AccessLogBucket awss3.Bucket

	// URL is the blog's address without a slash at its end: "https://" and Domain, or without
	// Domain the distribution's own domain name, which is a token.
	URL string
}

// NewSite makes a Site, in any region. It panics on props that are not valid; [props.Site.Validate] returns
// what is wrong instead.
func NewSite(scope constructs.Construct, id string, p Props) *Site {
	blog := props.Identity{Kind: "blog", Name: p.BlogName}
	if err := p.Site.Validate(blog, p.Notifications); err != nil {
		panic(err)
	}
	switch {
	case p.Domain != "" && p.Certificate == nil:
		panic(fmt.Errorf("%s has a Site with a Domain, and site.Props has no Certificate: make it with site.NewCertificate", blog))
	case p.Domain == "" && p.Certificate != nil:
		panic(fmt.Errorf("%s has a Site without a Domain, and site.Props has a Certificate: leave it out, or set Domain", blog))
	}
	s := p.Site.WithDefaults()
	this := &Site{Construct: cdk.NewConstruct(scope, id)}
	this.Bucket = newBucket(this.Construct, s.BucketRemoval)
	this.Distribution = newDistribution(this.Construct, p.BlogName, s, this.Bucket, p.Certificate)
	newRecords(this.Construct, s, this.Distribution)
	if s.AccessLogRetentionDays > 0 {
		this.AccessLogBucket = newAccessLogBucket(this.Construct, s.AccessLogRetentionDays)
	}
	if s.MonthlyBudget > 0 {
		newBudget(this.Construct, s.MonthlyBudget, p.Notifications)
	}

	domainName := *this.Distribution.DistributionDomainName()
	this.URL = "https://" + cmp.Or(s.Domain, domainName)
	cdk.NewOutput(this.Construct, "URL", "The blog", this.URL)
	cdk.NewOutput(this.Construct, "DistributionDomainName", recordsToMake(s), domainName)
	cdk.NewOutput(this.Construct, "DistributionID", "The distribution, for clearing CloudFront by hand", *this.Distribution.DistributionId())
	cdk.NewOutput(this.Construct, "BucketName", "Where the pipeline puts the blog's files", *this.Bucket.BucketName())
	return this
}

// recordsToMake describes the distribution's domain name, and says which DNS records the owner
// has to make by hand.
func recordsToMake(s props.Site) string {
	const own = "The distribution's own name"
	if s.Domain == "" || s.HostedZone != (props.HostedZone{}) {
		return own
	}
	text := own + "; make DNS records that lead there (CNAME, or ALIAS at the top of a zone) for " + s.Domain
	if all := strings.Join(append([]string{text}, s.RedirectFrom...), ", "); len(all) <= cdk.MaxDescription {
		return all
	}
	return fmt.Sprintf("%s and the %d names of RedirectFrom", text, len(s.RedirectFrom))
}
