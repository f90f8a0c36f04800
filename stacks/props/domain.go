package props

import (
	"blog-deploy-pipeline/stacks/site/viewerrequest"
	"cmp"
	"fmt"
	"regexp"
	"strings"
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
	CloudFrontRegion = "us-east-1"
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
type domainName struct{ field, Value string }

func (n domainName) valid() bool { return isDomain(n.Value) }

func isDomain(text string) bool { return len(text) <= maxDNSName && domainPattern.MatchString(text) }

// names are those the distribution answers to; the first is the blog's own.
func (s Site) Names() []domainName {
	var all []domainName
	if s.Domain != "" {
		all = append(all, domainName{"Site.Domain", s.Domain})
	}
	for i, from := range s.RedirectFrom {
		all = append(all, domainName{fmt.Sprintf("Site.RedirectFrom[%d]", i), from})
	}
	return all
}

// makesCertificate reports whether the Site needs a certificate and is given none.
func (s Site) MakesCertificate() bool { return s.Domain != "" && s.CertificateARN == "" }

func (s Site) validateDomain(p *Problems) {
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

func (s Site) validateNames(p *Problems) {
	seen := map[string]bool{}
	for _, n := range s.Names() {
		switch {
		case !n.valid():
			p.add(n.field, n.Value, "must be a name in DNS in lower case, such as blog.example.com, without https:// and /, other scripts as xn--…")
		case amazonPattern.MatchString(n.Value):
			p.add(n.field, n.Value, "is Amazon's: no certificate can be had for it; leave Site.Domain out for the distribution's own name")
		case privatePattern.MatchString(n.Value):
			p.add(n.field, n.Value, "is not in the public DNS: no certificate can be had for it")
		case seen[n.Value]:
			p.add(n.field, n.Value, "is there twice; name it once")
		}
		seen[n.Value] = true
	}
	if n := len(s.Names()); n > maxAliases {
		p.add("Site.RedirectFrom", fmt.Sprintf("%d names", len(s.RedirectFrom)), fmt.Sprintf("with Site.Domain they are %d, and a distribution takes %d", n, maxAliases))
	} else if size := len(viewerrequest.Code(s.FunctionSettings())); size > maxFunctionSize {
		p.add("Site.RedirectFrom", fmt.Sprintf("%d names", len(s.RedirectFrom)), fmt.Sprintf("they make the CloudFront Function %d bytes long, and it takes %d; use fewer", size, maxFunctionSize))
	}
}

func (s Site) validateZone(p *Problems) {
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
	for _, n := range s.Names() {
		// What is no name has been reported.
		if n.valid() && n.Value != zone.Name && !strings.HasSuffix(n.Value, "."+zone.Name) {
			p.add(n.field, n.Value, fmt.Sprintf("must be in Site.HostedZone, %s or below it", zone.Name))
		}
	}
}

func (s Site) validateCertificate(p *Problems) {
	if s.CertificateARN == "" {
		if n := len(s.Names()); n > maxCertificateNames {
			p.add("Site.RedirectFrom", fmt.Sprintf("%d names", len(s.RedirectFrom)), fmt.Sprintf("with Site.Domain they are %d, and a certificate takes %d; with more by ACM's leave, set Site.CertificateARN", n, maxCertificateNames))
		}
		if len(s.Domain) > maxCommonName {
			p.add("Site.Domain", s.Domain, fmt.Sprintf("has %d characters, and the first name of a certificate takes %d; set Site.CertificateARN", len(s.Domain), maxCommonName))
		}
		return
	}
	if got := ArnPart(s.CertificateARN, 3); got != "" && got != CloudFrontRegion {
		p.add("Site.CertificateARN", s.CertificateARN, "must be in "+CloudFrontRegion+", from where CloudFront takes certificates, whatever the blog's Region is")
		return
	}
	if p.arn("Site.CertificateARN", s.CertificateARN, certificatePattern, "must be a certificate's ARN, such as arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef") {
		p.sameAccount("Site.CertificateARN", s.CertificateARN)
	}
}
