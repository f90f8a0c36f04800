package stacks

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	targets "github.com/aws/aws-cdk-go/awscdk/v2/awsroute53targets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/viewerrequest"
)

// HostedZone names a public hosted zone of Route 53. Nothing is looked up.
type HostedZone struct {
	// ID is the zone's id; with another id the records move to another one. Required.
	// Example: "Z0123456789ABCDEFGHIJ".
	ID string

	// Name is the zone's name. Required. Example: "example.com".
	Name string
}

const (
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html
	certificateRegion = "us-east-1"
	// https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html
	maxCertificateNames = 10
	// https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
	maxCommonName = 64
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
	maxAliases      = 100
	maxFunctionSize = 10 * 1024
	maxDNSName      = 253
)

var (
	domainPattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$`)
	// amazonPattern are names that nobody else gets a certificate for.
	// https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-failed.html
	amazonPattern = regexp.MustCompile(`(^|\.)(amazonaws\.com|cloudfront\.net|elasticbeanstalk\.com)$`)
	// privatePattern are names that are not in the public DNS, or are an address's.
	// https://www.iana.org/assignments/special-use-domain-names
	privatePattern = regexp.MustCompile(`\.(alt|arpa|internal|invalid|local|localhost|onion|test)$`)
	// https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html
	hostedZonePattern = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
)

// name is one of a Site's names in DNS, and the field that says so.
type name struct{ field, value string }

func (n name) valid() bool { return isDomain(n.value) }

func isDomain(text string) bool { return len(text) <= maxDNSName && domainPattern.MatchString(text) }

// names are those the distribution answers to; the first is the blog's own.
func (s Site) names() []name {
	var all []name
	if s.Domain != "" {
		all = append(all, name{"Site.Domain", s.Domain})
	}
	for i, from := range s.RedirectFrom {
		all = append(all, name{fmt.Sprintf("Site.RedirectFrom[%d]", i), from})
	}
	return all
}

// makesCertificate reports whether the Site needs a certificate and is given none.
func (s Site) makesCertificate() bool { return s.Domain != "" && s.CertificateARN == "" }

func (s Site) validateDomain(p *problems) {
	if s.Domain == "" {
		const want = "belongs to a Site.Domain; name that, too"
		if len(s.RedirectFrom) > 0 {
			p.add("Site.RedirectFrom", strings.Join(s.RedirectFrom, ", "), want)
		}
		if s.HostedZone != (HostedZone{}) {
			p.add("Site.HostedZone", cmp.Or(s.HostedZone.Name, s.HostedZone.ID), want)
		}
		if s.CertificateARN != "" {
			p.add("Site.CertificateARN", s.CertificateARN, want)
		}
		return
	}
	s.validateNames(p)
	s.validateZone(p)
	s.validateCertificate(p)
}

func (s Site) validateNames(p *problems) {
	seen := map[string]bool{}
	for _, n := range s.names() {
		switch {
		case !n.valid():
			p.add(n.field, n.value, "must be a name in DNS in lower case, such as blog.example.com, without https:// and /, other scripts as xn--…")
		case amazonPattern.MatchString(n.value):
			p.add(n.field, n.value, "is Amazon's: no certificate can be had for it; leave Site.Domain out for the distribution's own name")
		case privatePattern.MatchString(n.value):
			p.add(n.field, n.value, "is not in the public DNS: no certificate can be had for it")
		case seen[n.value]:
			p.add(n.field, n.value, "is there twice; name it once")
		}
		seen[n.value] = true
	}
	if n := len(s.names()); n > maxAliases {
		p.add("Site.RedirectFrom", fmt.Sprintf("%d names", len(s.RedirectFrom)), fmt.Sprintf("with Site.Domain they are %d, and a distribution takes %d", n, maxAliases))
	} else if size := len(viewerrequest.Code(s.functionSettings())); size > maxFunctionSize {
		p.add("Site.RedirectFrom", fmt.Sprintf("%d names", len(s.RedirectFrom)), fmt.Sprintf("they make the CloudFront Function %d bytes long, and it takes %d; use fewer", size, maxFunctionSize))
	}
}

func (s Site) validateZone(p *problems) {
	zone := s.HostedZone
	if zone == (HostedZone{}) {
		if s.CertificateARN == "" {
			p.add("Site.HostedZone", "", "must be the hosted zone of Site.Domain, HostedZone{ID: …, Name: …}; if your DNS is elsewhere, set Site.CertificateARN and make the records there")
		}
		return
	}
	p.match("Site.HostedZone.ID", zone.ID, hostedZonePattern, "must be a hosted zone's id, such as Z0123456789ABCDEFGHIJ, without /hostedzone/")
	if !isDomain(zone.Name) {
		p.add("Site.HostedZone.Name", zone.Name, "must be the hosted zone's name in lower case, such as example.com, without the last dot")
		return
	}
	for _, n := range s.names() {
		// What is no name has been reported.
		if n.valid() && n.value != zone.Name && !strings.HasSuffix(n.value, "."+zone.Name) {
			p.add(n.field, n.value, fmt.Sprintf("must be in Site.HostedZone, %s or below it", zone.Name))
		}
	}
}

func (s Site) validateCertificate(p *problems) {
	if s.CertificateARN == "" {
		if n := len(s.names()); n > maxCertificateNames {
			p.add("Site.RedirectFrom", fmt.Sprintf("%d names", len(s.RedirectFrom)), fmt.Sprintf("with Site.Domain they are %d, and a certificate takes %d; with more by ACM's leave, set Site.CertificateARN", n, maxCertificateNames))
		}
		if len(s.Domain) > maxCommonName {
			p.add("Site.Domain", s.Domain, fmt.Sprintf("has %d characters, and the first name of a certificate takes %d; set Site.CertificateARN", len(s.Domain), maxCommonName))
		}
		return
	}
	if got := arnPart(s.CertificateARN, 3); got != "" && got != certificateRegion {
		p.add("Site.CertificateARN", s.CertificateARN, "must be in "+certificateRegion+", from where CloudFront takes certificates, whatever the blog's Region is")
		return
	}
	if p.arn("Site.CertificateARN", s.CertificateARN, certificatePattern, "must be a certificate's ARN, such as arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef") {
		p.sameAccount("Site.CertificateARN", s.CertificateARN)
	}
}

// zone finds the hosted zone.
func (s Site) zone(scope constructs.Construct, id string) awsroute53.IHostedZone {
	return awsroute53.HostedZone_FromHostedZoneAttributes(scope, jsii.String(id), &awsroute53.HostedZoneAttributes{
		HostedZoneId: jsii.String(s.HostedZone.ID),
		ZoneName:     jsii.String(s.HostedZone.Name),
	})
}

// newCertificate finds or makes the certificate of the Site's names, or nil without
// any. One that is made waits for ACM to see its records, some minutes, and is in a
// stack of its own in scope, unless stack is where CloudFront takes certificates from.
func newCertificate(scope constructs.Construct, stack awscdk.Stack, owner owner, s Site) awscertificatemanager.ICertificate {
	const id = "Certificate"
	switch {
	case s.Domain == "":
		return nil
	case s.CertificateARN != "":
		return awscertificatemanager.Certificate_FromCertificateArn(stack, jsii.String(id), jsii.String(s.CertificateARN))
	}
	in := stack
	if owner.region != certificateRegion {
		elsewhere := owner
		elsewhere.region = certificateRegion
		in = awscdk.NewStack(scope, jsii.String(certificateStackID(owner.name)),
			elsewhere.stackProps("Certificate of the blog "+owner.name+", in the region that CloudFront takes it from"))
	}
	props := &awscertificatemanager.CertificateProps{
		DomainName: jsii.String(s.Domain),
		Validation: awscertificatemanager.CertificateValidation_FromDns(s.zone(in, "ValidationZone")),
	}
	if len(s.RedirectFrom) > 0 {
		props.SubjectAlternativeNames = jsii.Strings(s.RedirectFrom...)
	}
	certificate := awscertificatemanager.NewCertificate(in, jsii.String(id), props)
	if in != stack {
		// Other names are another certificate. The distribution has the old one until
		// its own stack is updated, after this one, and ACM deletes none that is in use:
		// the update would wait for itself. A certificate costs nothing.
		options := cfnResource(certificate).CfnOptions()
		options.SetUpdateReplacePolicy(awscdk.CfnDeletionPolicy_RETAIN)
		options.SetDeletionPolicy(awscdk.CfnDeletionPolicy_DELETE)
	}
	return certificate
}

// newRecords points the Site's names to the distribution. Each record's id is its
// name, so that names may change places.
func newRecords(stack awscdk.Stack, s Site, distribution awscloudfront.IDistribution) {
	if s.HostedZone == (HostedZone{}) {
		return
	}
	zone := s.zone(stack, "HostedZone")
	target := awsroute53.RecordTarget_FromAlias(targets.NewCloudFrontTarget(distribution))
	for _, n := range s.names() {
		// Ends with a dot, so that it is never taken for a name inside the zone.
		full := jsii.String(n.value + ".")
		awsroute53.NewARecord(stack, jsii.String("A "+n.value), &awsroute53.ARecordProps{Zone: zone, RecordName: full, Target: target})
		awsroute53.NewAaaaRecord(stack, jsii.String("AAAA "+n.value), &awsroute53.AaaaRecordProps{Zone: zone, RecordName: full, Target: target})
	}
}
