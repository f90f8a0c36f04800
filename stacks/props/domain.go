package props

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// HostedZone names a public hosted zone of Route 53. Nothing is looked up in AWS.
type HostedZone struct {
	// ID is the zone's id. With another id, the records move to another one. Required. Example:
	// "Z0123456789ABCDEFGHIJ".
	ID string

	// Name is the zone's name. Required. Example: "example.com".
	Name string
}

const (
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
	// amazonPattern matches names for which only Amazon gets a certificate.
	// https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-failed.html
	amazonPattern = regexp.MustCompile(`(^|\.)(amazonaws\.com|cloudfront\.net|elasticbeanstalk\.com)$`)
	// privatePattern matches names that are not in the public DNS, and names of addresses.
	// https://www.iana.org/assignments/special-use-domain-names
	privatePattern = regexp.MustCompile(`\.(alt|arpa|internal|invalid|local|localhost|onion|test)$`)
	// https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html
	hostedZonePattern = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
)

func isDomain(text string) bool { return len(text) <= maxDNSName && domainPattern.MatchString(text) }

// dns has the fields of a Site that are about its names in DNS.
type dns struct {
	domain         string
	redirectFrom   []string
	zone           HostedZone
	certificateARN string
}

// domainName is a name in DNS, and the field that contains it.
type domainName struct{ field, value string }

func (d dns) names() []domainName {
	var all []domainName
	if d.domain != "" {
		all = append(all, domainName{"Site.Domain", d.domain})
	}
	for i, from := range d.redirectFrom {
		all = append(all, domainName{fmt.Sprintf("Site.RedirectFrom[%d]", i), from})
	}
	return all
}

// validate checks the fields. The names are part of the CloudFront Function, whose size is limited.
func (d dns) validate(p *problems, functionSize int) {
	if d.domain == "" {
		const want = "needs a Site.Domain: set that, too"
		if len(d.redirectFrom) > 0 {
			p.add("Site.RedirectFrom", strings.Join(d.redirectFrom, ", "), want)
		}
		if d.zone != (HostedZone{}) {
			p.add("Site.HostedZone", cmp.Or(d.zone.Name, d.zone.ID), want)
		}
		if d.certificateARN != "" {
			p.add("Site.CertificateARN", d.certificateARN, want)
		}
		return
	}
	d.validateNames(p, functionSize)
	d.validateZone(p)
	d.validateCertificate(p)
}

func (d dns) validateNames(p *problems, functionSize int) {
	seen := map[string]bool{}
	for _, name := range d.names() {
		switch {
		case !isDomain(name.value):
			p.add(name.field, name.value, "must be a name in DNS in lower case, such as blog.example.com, without https:// and /; write other scripts as xn--…")
		case amazonPattern.MatchString(name.value):
			p.add(name.field, name.value, "is a name of Amazon's, for which ACM issues no certificate; leave Site.Domain out for the distribution's own name")
		case privatePattern.MatchString(name.value):
			p.add(name.field, name.value, "is not in the public DNS, so ACM issues no certificate for it: use a public name")
		case seen[name.value]:
			p.add(name.field, name.value, listedTwice)
		}
		seen[name.value] = true
	}
	if n := len(d.names()); n > maxAliases {
		p.add("Site.RedirectFrom", fmt.Sprintf("%d names", len(d.redirectFrom)), fmt.Sprintf("with Site.Domain there are %d names, and a distribution allows %d: use fewer", n, maxAliases))
	} else if functionSize > maxFunctionSize {
		p.add("Site.RedirectFrom", fmt.Sprintf("%d names", len(d.redirectFrom)), fmt.Sprintf("the CloudFront Function has %d bytes with these names, and CloudFront allows %d: use fewer", functionSize, maxFunctionSize))
	}
}

func (d dns) validateZone(p *problems) {
	zone := d.zone
	if zone == (HostedZone{}) {
		if d.certificateARN == "" {
			p.add("Site.HostedZone", "", "must be the hosted zone of Site.Domain, HostedZone{ID: …, Name: …}; if your DNS is not in Route 53, set Site.CertificateARN and create the records there")
		}
		return
	}
	p.match("Site.HostedZone.ID", zone.ID, hostedZonePattern, "must be a hosted zone's id, such as Z0123456789ABCDEFGHIJ, without /hostedzone/")
	if !isDomain(zone.Name) {
		p.add("Site.HostedZone.Name", zone.Name, "must be the hosted zone's name in lower case, such as example.com, without a dot at its end")
		return
	}
	for _, name := range d.names() {
		// A name that is not valid has been reported.
		if isDomain(name.value) && name.value != zone.Name && !strings.HasSuffix(name.value, "."+zone.Name) {
			p.add(name.field, name.value, fmt.Sprintf("must be in Site.HostedZone: %s or a name below it", zone.Name))
		}
	}
}

func (d dns) validateCertificate(p *problems) {
	if d.certificateARN == "" {
		if n := len(d.names()); n > maxCertificateNames {
			p.add("Site.RedirectFrom", fmt.Sprintf("%d names", len(d.redirectFrom)), fmt.Sprintf("with Site.Domain there are %d names, and ACM allows %d for a certificate; if AWS has raised this quota, set Site.CertificateARN", n, maxCertificateNames))
		}
		if len(d.domain) > maxCommonName {
			p.add("Site.Domain", d.domain, fmt.Sprintf("has %d characters, and ACM allows %d for the first name of a certificate: set Site.CertificateARN", len(d.domain), maxCommonName))
		}
		return
	}
	if got := arnPart(d.certificateARN, 3); got != "" && got != CloudFrontRegion {
		p.add("Site.CertificateARN", d.certificateARN, "must be in "+CloudFrontRegion+", whatever the blog's Region is: CloudFront accepts certificates from there only")
		return
	}
	if p.arn("Site.CertificateARN", d.certificateARN, certificatePattern, "must be a certificate's ARN, such as arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef") {
		p.sameAccount("Site.CertificateARN", d.certificateARN)
	}
}
