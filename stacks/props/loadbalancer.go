package props

import (
	"fmt"
	"net/netip"
	"regexp"
	"time"
)

// LoadBalancer is what CloudFront sends requests to: an Application Load Balancer of
// the service's own, at about 16 USD a month, and 3.60 USD for the public address in
// each zone. One that is there already cannot be taken: who deploys this service may
// change its production listener, and could move the traffic of all others behind it.
type LoadBalancer struct {
	// Internal gives the load balancer no public address. It is in the private subnets,
	// and CloudFront reaches it through a VPC origin, which the stack makes and which
	// costs nothing; else only private ranges in AllowFrom and TestFrom do. An ExistingVPC
	// must have an internet gateway all the same, though no route has to lead there. Where
	// the distribution is in another account, share the VPC origin with that (AWS RAM). Most
	// regions have VPC origins, and an account has 25; gRPC does not pass. Needs
	// OriginPrefixListID. It cannot be changed. Default: false.
	//
	// CloudFront changes and deletes no VPC origin that a distribution uses. With
	// CertificateARN there is another one than without: visitors get errors until you
	// change the distribution's origin to the new output VPCOriginID; then delete the
	// former one (aws cloudfront delete-vpc-origin). Give the distribution another origin
	// before `make destroy`, which fails otherwise, with the service left as it is.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html
	Internal bool

	// CertificateARN is a certificate of AWS Certificate Manager, in the service's
	// own region, for the domain name that CloudFront uses for its origin. With it
	// the listeners take HTTPS, and HTTP is redirected there. Without, they take
	// HTTP: what visitors send to CloudFront by HTTPS then travels in the clear from
	// there to the load balancer.
	//
	// To give a service that runs its first one, set NoRedirect, too, `make deploy`, and set
	// the distribution's origin to HTTPS only: until CloudFront has that, visitors get
	// errors. Then NoRedirect may go. With the redirect from the start, CloudFront and
	// browsers would keep it, and CloudFormation could not undo an update that fails.
	//
	// To take it away, set NoRedirect first, and `make deploy`: production could not have
	// port 80 else, since CloudFormation removes the redirect only at the end. Then take
	// both away, `make deploy`, and set the origin to HTTP only.
	//
	// With CodeDeploy, a change points production at the target group Blue,
	// while CodeDeploy moves it between Blue and Green. Which it is, the console shows
	// (EC2 > Load balancers > the listener on port 80 or 443: the target group's name has
	// Blue or Green in it). If it is Green, release the pipeline first (console: Release
	// change), which moves visitors to Blue, and then `make deploy`. With ECS, visitors stay
	// where they are. Default: none. Example:
	// "arn:aws:acm:us-east-1:123456789012:certificate/01234567-…".
	CertificateARN string

	// NoRedirect leaves port 80 closed where CertificateARN has the listeners take HTTPS:
	// CloudFront asks by HTTPS alone then. Default: false, HTTP is redirected.
	NoRedirect bool

	// AllowFrom are the ranges of addresses that may send requests. Default:
	// anywhere, unless OriginPrefixListID is set. Example: []string{"192.0.2.0/24"}.
	AllowFrom []string

	// OriginPrefixListID lets in CloudFront, and so nobody around it (but any
	// distribution, also of others, unless Internal). It is the id that the managed
	// prefix list com.amazonaws.global.cloudfront.origin-facing has in the service's
	// region (console: VPC > Managed prefix lists). Default: none. Example: "pl-3b927c52".
	OriginPrefixListID string

	// TestPort is where the new version answers before visitors are sent to it. Change it
	// while no deployment is under way: with CodeDeploy, it leads to the target group Green
	// until the next one. Default: 8443 with a certificate, else 8080.
	TestPort int

	// TestFrom are the ranges of addresses that may use TestPort. Default: that of
	// the VPC, which reaches the balancer by its private addresses alone: its DNS
	// name leads to the public ones, unless Internal. Example: []string{"198.51.100.7/32"}.
	TestFrom []string
}

const (
	HttpPort, HttpsPort = 80, 443
	Anywhere            = "0.0.0.0/0"
	// AWS's default of 5 minutes is meant for a group that loses tasks while it is in
	// use; here they stay for KeepOld after the last new request.
	DeregistrationDelay = 30 * time.Second
	// A new version is taken for healthy after two answers in a row, 20 seconds.
	HealthInterval = 10 * time.Second
	HealthTimeout  = 5 * time.Second
	Healthy        = 2
	Unhealthy      = 3

	// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
	maxRules = 60

	// minErrors a minute, so that one failed request at night rolls nothing back.
	MinErrors              = 5
	defaultMaxErrorPercent = 5
)

var (
	certificatePattern = arnPattern("acm", `certificate/[A-Za-z0-9-]+`)
	prefixListPattern  = regexp.MustCompile(`^pl-([0-9a-f]{8}|[0-9a-f]{17})$`)
)

// validate is told the range of the VPC's own addresses.
// WithDefaults returns these props with every default in its field.
func (l LoadBalancer) WithDefaults() LoadBalancer {
	switch {
	case l.TestPort != 0:
	case l.CertificateARN != "":
		l.TestPort = 8443
	default:
		l.TestPort = 8080
	}
	return l
}

func (l LoadBalancer) validate(p *Problems, inside netip.Prefix) {
	if l.CertificateARN != "" && p.arn("LoadBalancer.CertificateARN", l.CertificateARN, certificatePattern, "must be a certificate's ARN, such as arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef") {
		p.sameAccount("LoadBalancer.CertificateARN", l.CertificateARN)
		p.sameRegion("LoadBalancer.CertificateARN", l.CertificateARN)
	}
	if l.NoRedirect && l.CertificateARN == "" {
		p.add("LoadBalancer.NoRedirect", l.NoRedirect, "belongs to a LoadBalancer.CertificateARN: without one, production is on port 80, and nothing is redirected; leave it out")
	}
	validateCIDRs(p, "LoadBalancer.AllowFrom", l.AllowFrom)
	switch {
	case l.Internal && l.OriginPrefixListID == "":
		p.add("LoadBalancer.OriginPrefixListID", "", "must be the id of com.amazonaws.global.cloudfront.origin-facing in the service's region, such as pl-3b927c52: with Internal, it lets in the VPC origin")
	case l.OriginPrefixListID != "":
		p.match("LoadBalancer.OriginPrefixListID", l.OriginPrefixListID, prefixListPattern, "must be a prefix list's id, such as pl-3b927c52")
	}
	switch port := l.TestPort; {
	case port < 1 || port > 65535:
		p.add("LoadBalancer.TestPort", l.TestPort, "must be a port, from 1 to 65535")
	case port == HttpPort || port == HttpsPort:
		p.add("LoadBalancer.TestPort", l.TestPort, "is a port of production; take another, such as 8443")
	}
	validateCIDRs(p, "LoadBalancer.TestFrom", l.TestFrom)
	if l.Internal {
		validatePrivate(p, "LoadBalancer.AllowFrom", l.AllowFrom, inside)
		validatePrivate(p, "LoadBalancer.TestFrom", l.TestFrom, inside)
	}
	if n := l.rules(); n > maxRules {
		p.add("LoadBalancer.AllowFrom", fmt.Sprintf("%d ranges", len(l.AllowFrom)), fmt.Sprintf("makes %d rules with the others, and a security group takes %d; use fewer, wider ranges", n, maxRules))
	}
}

// rules counts the rules of the balancer's security group.
func (l LoadBalancer) rules() int {
	return len(l.ProductionPorts())*len(l.AllowedRanges()) + max(1, len(l.TestFrom))
}

// productionPorts are the production listener's port, and the one that leads there.
func (l LoadBalancer) ProductionPorts() []int {
	switch {
	case l.CertificateARN == "":
		return []int{HttpPort}
	case l.NoRedirect:
		return []int{HttpsPort}
	}
	return []int{HttpsPort, HttpPort}
}

// AllowedRanges returns the ranges that may send requests.
func (l LoadBalancer) AllowedRanges() []string {
	if len(l.AllowFrom) == 0 && l.OriginPrefixListID == "" {
		return []string{Anywhere}
	}
	return l.AllowFrom
}
