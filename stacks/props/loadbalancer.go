package props

import (
	"fmt"
	"net/netip"
	"regexp"
)

// LoadBalancer describes what CloudFront sends requests to: an Application Load Balancer for this service
// only, at about 16 USD a month, and 3.60 USD for the public address in each zone. An existing load balancer
// cannot be used: whoever deploys this service may change its production listener, and could move the
// traffic of all other services behind it.
type LoadBalancer struct {
	// Internal gives the load balancer no public address. It is in the private subnets, and CloudFront
	// reaches it through a VPC origin, which the stack creates and which costs nothing. Apart from that, only
	// private ranges in AllowFrom and TestFrom can reach it. It needs OriginPrefixListID. An ExistingVPC
	// still needs an internet gateway, but no route to it. If the distribution is in another account, share
	// the VPC origin with that account (AWS RAM). Most regions have VPC origins, an account has 25, and gRPC
	// does not pass through them. It cannot be changed. Default: false.
	//
	// CloudFront does not change or delete a VPC origin that a distribution uses. With CertificateARN, the
	// stack has another VPC origin than without: visitors get errors until you set the distribution's origin
	// to the new output VPCOriginID; then delete the former one (aws cloudfront delete-vpc-origin). Give the
	// distribution another origin before `make destroy`, which otherwise fails and leaves the service as it
	// is.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html
	Internal bool

	// CertificateARN is a certificate of AWS Certificate Manager, in the service's account and region, for
	// the domain name that CloudFront uses for its origin. With it, the listeners accept HTTPS, and HTTP is
	// redirected. Without it, they accept HTTP: what visitors send to CloudFront by HTTPS then travels
	// unencrypted from CloudFront to the load balancer.
	//
	// To add the first certificate to a service that is running, set NoRedirect, too, run `make deploy`, and
	// set the distribution's origin to HTTPS only. Visitors get errors until CloudFront has this change. Then
	// remove NoRedirect. With the redirect from the start, CloudFront and browsers would keep it in their
	// caches, and CloudFormation could not undo an update that fails.
	//
	// To remove it, set NoRedirect first, and run `make deploy`: CloudFormation removes the redirect only
	// at the end of an update, and production could not have port 80 before. Then remove both, run `make
	// deploy`, and set the origin to HTTP only.
	//
	// With CodeDeploy, a change points production at the target group Blue, while CodeDeploy moves it between
	// Blue and Green. The console shows which it is (EC2 > Load balancers > the listener on port 80 or 443:
	// the name of the target group contains Blue or Green). If it is Green, first release the pipeline
	// (console: Release change), which moves visitors to Blue, and then run `make deploy`. With ECS, visitors
	// stay where they are. Default: none. Example:
	// "arn:aws:acm:us-east-1:123456789012:certificate/01234567-…".
	CertificateARN string

	// NoRedirect leaves port 80 closed when CertificateARN is set, for a CloudFront that uses HTTPS only.
	// Default: false, HTTP is redirected.
	NoRedirect bool

	// AllowFrom lists the ranges of addresses that may send requests. Default: all addresses, or none if
	// OriginPrefixListID is set. Example: []string{"192.0.2.0/24"}.
	AllowFrom []string

	// OriginPrefixListID allows requests from CloudFront, and so closes the way around it. Without Internal,
	// any distribution may send requests, also other people's. It is the id of the managed prefix list
	// com.amazonaws.global.cloudfront.origin-facing in the service's region (console: VPC > Managed prefix
	// lists). Default: none. Example: "pl-3b927c52".
	OriginPrefixListID string

	// TestPort is the port on which the new version answers before visitors are moved to it. Change it while
	// no deployment is under way: with CodeDeploy, it leads to the target group Green until the next
	// deployment. Default: 8443 with a certificate, otherwise 8080.
	TestPort int

	// TestFrom lists the ranges of addresses that may use TestPort. Default: the range of the VPC, which
	// reaches the load balancer only by its private addresses; its DNS name leads to the public ones, unless
	// it is Internal. Example: []string{"198.51.100.7/32"}.
	TestFrom []string
}

const (
	httpPort, httpsPort = 80, 443

	// anywhere is the range of all addresses.
	anywhere = "0.0.0.0/0"
	// maxRules limits the rules of a security group.
	// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
	maxRules = 60
)

var (
	certificatePattern = arnPattern("acm", `certificate/[A-Za-z0-9-]+`)
	prefixListPattern  = regexp.MustCompile(`^pl-([0-9a-f]{8}|[0-9a-f]{17})$`)
)

// withDefaults returns these props with every default in its field.
func (l LoadBalancer) withDefaults() LoadBalancer {
	switch {
	case l.TestPort != 0:
	case l.CertificateARN != "":
		l.TestPort = 8443
	default:
		l.TestPort = 8080
	}
	return l
}

// validate checks the fields. inside is the range of the VPC.
func (l LoadBalancer) validate(p *problems, inside netip.Prefix) {
	if l.CertificateARN != "" && p.arn("LoadBalancer.CertificateARN", l.CertificateARN, certificatePattern, "must be a certificate's ARN, such as arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef") {
		p.sameAccount("LoadBalancer.CertificateARN", l.CertificateARN)
		p.sameRegion("LoadBalancer.CertificateARN", l.CertificateARN)
	}
	if l.NoRedirect && l.CertificateARN == "" {
		p.add("LoadBalancer.NoRedirect", l.NoRedirect, "needs a LoadBalancer.CertificateARN: without one, production is on port 80, and nothing is redirected. Leave it out")
	}
	validateCIDRs(p, "LoadBalancer.AllowFrom", l.AllowFrom)
	switch {
	case l.Internal && l.OriginPrefixListID == "":
		p.add("LoadBalancer.OriginPrefixListID", "", "must be the id of com.amazonaws.global.cloudfront.origin-facing in the service's region, such as pl-3b927c52: with Internal, it allows requests from the VPC origin")
	case l.OriginPrefixListID != "":
		p.match("LoadBalancer.OriginPrefixListID", l.OriginPrefixListID, prefixListPattern, "must be a prefix list's id, such as pl-3b927c52")
	}
	switch port := l.TestPort; {
	case port < 1 || port > 65535:
		p.add("LoadBalancer.TestPort", l.TestPort, "must be a port, from 1 to 65535")
	case port == httpPort || port == httpsPort:
		p.add("LoadBalancer.TestPort", l.TestPort, "is a port of production: choose another one, such as 8443")
	}
	validateCIDRs(p, "LoadBalancer.TestFrom", l.TestFrom)
	if l.Internal {
		validatePrivate(p, "LoadBalancer.AllowFrom", l.AllowFrom, inside)
		validatePrivate(p, "LoadBalancer.TestFrom", l.TestFrom, inside)
	}
	if n := l.rules(); n > maxRules {
		p.add("LoadBalancer.AllowFrom", count(len(l.AllowFrom), "range"), fmt.Sprintf("with the others there are %d rules, and a security group allows %d: use fewer, wider ranges", n, maxRules))
	}
}

// rules returns the number of rules of the load balancer's security group.
func (l LoadBalancer) rules() int {
	return len(l.ProductionPorts())*len(l.AllowedRanges()) + max(1, len(l.TestFrom))
}

// ProductionPorts returns the port of the production listener, and the one that redirects there.
func (l LoadBalancer) ProductionPorts() []int {
	switch {
	case l.CertificateARN == "":
		return []int{httpPort}
	case l.NoRedirect:
		return []int{httpsPort}
	}
	return []int{httpsPort, httpPort}
}

// AllowedRanges returns the ranges of addresses that may send requests, without those of CloudFront.
func (l LoadBalancer) AllowedRanges() []string {
	if len(l.AllowFrom) == 0 && l.OriginPrefixListID == "" {
		return []string{anywhere}
	}
	return l.AllowFrom
}
