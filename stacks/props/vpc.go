package props

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// VPC is the network that a service runs in: a [NewVPC] or an [ExistingVPC].
type VPC interface {
	// Range returns the range of the network's addresses.
	Range() string
	// TasksArePublic returns whether the tasks are in the public subnets.
	TasksArePublic() bool
	// validate checks the network of an internal load balancer or another one, and of at most so many tasks.
	validate(p *problems, internal bool, tasks int)
}

// NewVPC creates a network for this service only, with two availability zones: public subnets for the load
// balancer, and private subnets for the tasks. The tasks reach the internet through NAT gateways, and cannot
// be reached from it. VPC endpoints instead of the gateways would cost more, 44 USD a month for the three that
// every task needs; an [ExistingVPC] may have them.
type NewVPC struct {
	// CIDR is the range of addresses, of 16 to 24 bits. It is important only if networks are connected with
	// each other. It cannot be changed. Default: "10.0.0.0/16".
	CIDR string

	// AvailabilityZones are the names of the two zones. They cannot be changed. Name them if the account's
	// first two include one without Fargate (usw1-az2, cac1-az3 or apne1-az3). Required with
	// LoadBalancer.Internal in regions with a zone that VPC origins do not reach, such as us-east-1
	// (use1-az3). Default: the account's first two. Example: []string{"us-east-1a", "us-east-1b"}.
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AWS_Fargate-Regions.html
	AvailabilityZones []string

	// NATGateways is the number of NAT gateways, 1 or 2. With 1, while its zone fails, the tasks of the other
	// zone cannot reach the internet and no task can start; requests are still answered. Each costs about 36
	// USD a month with its address, and 0.045 USD a GB. Default: 1, and with PublicTasks none.
	NATGateways int

	// PublicTasks puts the tasks into the public subnets, each with a public address at 3.60 USD a month, and
	// creates no NAT gateway. Up to nine tasks, this costs less. Only the load balancer may reach the tasks, as
	// before, by their security group. The private subnets then have no way to the internet. With CodeDeploy
	// it cannot be changed; with ECS, a change is a deployment. Default: false.
	PublicTasks bool
}

// ExistingVPC is a network that exists already. Nothing is looked up in AWS: what you write here must be
// true.
type ExistingVPC struct {
	// ID is the VPC's id. It cannot be changed. Required. Example: "vpc-0123456789abcdef0".
	ID string

	// CIDR is the VPC's range of addresses, of 16 to 28 bits. It may use the test listener. Required. Example:
	// "172.31.0.0/16".
	CIDR string

	// AvailabilityZones are the zones of the subnets, 2 or more. For an internal load balancer, VPC origins
	// must reach them (not use1-az3, for example). Required. Example: []string{"us-east-1a", "us-east-1b"}.
	AvailabilityZones []string

	// PublicSubnets are the subnets of the load balancer, unless it is internal, and with PublicTasks those of
	// the tasks: one in each of the zones, in their order, with a route to an internet gateway. Required if
	// they are used, and not allowed otherwise. Example: []string{"subnet-0123456789abcdef0",
	// "subnet-0123456789abcdef1"}.
	PublicSubnets []string

	// PrivateSubnets are the subnets of an internal load balancer, and without PublicTasks those of the tasks:
	// one in each of the zones, in their order. Tasks must reach ECR, CloudWatch Logs and S3, through a NAT
	// gateway or VPC endpoints. The endpoints are those of ecr.api, ecr.dkr and logs, and with
	// Container.Secrets those of ssm or secretsmanager, at 7.30 USD a month for each zone, with security
	// groups that allow requests from CIDR; and the gateway endpoint of S3, which is free. With endpoints only,
	// Container.InitialImage must be in ECR. With CodeDeploy they cannot be changed; with ECS, a change is a
	// deployment. Required if they are used, and not allowed otherwise. Example:
	// []string{"subnet-0123456789abcdef2", "subnet-0123456789abcdef3"}.
	// https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
	PrivateSubnets []string

	// PublicTasks puts the tasks into PublicSubnets, each with a public address at 3.60 USD a month, so that
	// they need no NAT gateway. Only the load balancer may reach the tasks, as before, by their security
	// group. With CodeDeploy it cannot be changed; with ECS, a change is a deployment. Default: false.
	PublicTasks bool
}

const (
	// zones is the number of zones of a new network, the smallest that a load balancer accepts.
	zones = 2

	defaultCIDR        = "10.0.0.0/16"
	defaultNATGateways = 1

	// reservedAddresses is the number of addresses in each subnet that AWS reserves.
	// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
	reservedAddresses = 5
	// balancerAddresses is the number of addresses that a load balancer needs in each of its subnets, and with
	// it a NAT gateway or a VPC origin.
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
	balancerAddresses = 8 + 2
)

var (
	vpcPattern    = regexp.MustCompile(`^vpc-([0-9a-f]{8}|[0-9a-f]{17})$`)
	subnetPattern = regexp.MustCompile(`^subnet-([0-9a-f]{8}|[0-9a-f]{17})$`)
	zonePattern   = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)+-\d+[a-z]$`)
)

// regionOf returns the region of a zone, or "" if the text is not the name of a zone.
func regionOf(zone string) string {
	for _, region := range regions {
		if suffix, ok := strings.CutPrefix(zone, region); ok && !strings.ContainsAny(suffix[:min(len(suffix), 1)], "0123456789") {
			return region
		}
	}
	return ""
}

func validateVPC(p *problems, vpc VPC, internal bool, tasks int) {
	switch vpc := vpc.(type) {
	case NewVPC, ExistingVPC:
		vpc.validate(p, internal, tasks)
	default:
		p.add("VPC", typeOf(vpc), "must be a props.NewVPC{…} or a props.ExistingVPC{…}, or left out for a new one")
	}
}

// validateCIDR reports a text that is not a range of IPv4 addresses, and returns whether it is one.
func validateCIDR(p *problems, field, cidr string) (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil || !prefix.Addr().Is4() || prefix != prefix.Masked() {
		p.add(field, cidr, "must be a range of IPv4 addresses that starts with its first address, such as 10.0.0.0/16")
		return netip.Prefix{}, false
	}
	return prefix, true
}

// validateCIDRs checks a list of ranges. A security group has a rule for each.
func validateCIDRs(p *problems, field string, cidrs []string) {
	for i, cidr := range cidrs {
		field := fmt.Sprintf("%s[%d]", field, i)
		if _, ok := validateCIDR(p, field, cidr); ok && slices.Contains(cidrs[:i], cidr) {
			p.add(field, cidr, listedTwice)
		}
	}
}

// validateZones reports names that are not zones in the service's region.
func validateZones(p *problems, names []string) {
	for i, zone := range names {
		field := fmt.Sprintf("VPC.AvailabilityZones[%d]", i)
		switch region := cmp.Or(p.of.Region, regionOf(names[0])); {
		case !zonePattern.MatchString(zone) || regionOf(zone) == "":
			p.add(field, zone, "must be a zone's name, such as us-east-1a")
		case p.of.Region == "" && region != "" && regionOf(zone) != region:
			p.add(field, zone, "must be in the same region as the others, "+region)
		case isRegion(region) && regionOf(zone) != region:
			p.add(field, zone, fmt.Sprintf("must be in the %s's Region, %s", p.of.Kind, region))
		case slices.Contains(names[:i], zone):
			p.add(field, zone, "is listed twice: a load balancer has one subnet in each zone")
		}
	}
}

// vpcWithDefaults returns a network's props with every default in its field.
func vpcWithDefaults(vpc VPC) VPC {
	switch v := vpc.(type) {
	case nil:
		return vpcWithDefaults(NewVPC{})
	case NewVPC:
		v.CIDR = cmp.Or(v.CIDR, defaultCIDR)
		if !v.PublicTasks {
			v.NATGateways = cmp.Or(v.NATGateways, defaultNATGateways)
		}
		return v
	}
	return vpc
}

// Range returns CIDR.
func (v NewVPC) Range() string { return v.CIDR }

// Range returns CIDR.
func (v ExistingVPC) Range() string { return v.CIDR }

// TasksArePublic returns PublicTasks.
func (v NewVPC) TasksArePublic() bool { return v.PublicTasks }

// TasksArePublic returns PublicTasks.
func (v ExistingVPC) TasksArePublic() bool { return v.PublicTasks }

// addressesOf returns a network's range, or an empty one if the network or the range is not valid.
func addressesOf(vpc VPC) netip.Prefix {
	switch vpc.(type) {
	case NewVPC, ExistingVPC:
		prefix, _ := netip.ParsePrefix(vpc.Range()) // an error has been reported
		return prefix
	}
	return netip.Prefix{}
}

func (v NewVPC) validate(p *problems, internal bool, tasks int) {
	if prefix, ok := validateCIDR(p, "VPC.CIDR", v.Range()); ok {
		switch {
		case prefix.Bits() < 16 || prefix.Bits() > 24:
			p.add("VPC.CIDR", v.CIDR, "must have from 16 to 24 bits: AWS allows no wider range, and four subnets share it")
		case !prefix.Addr().IsPrivate():
			p.add("VPC.CIDR", v.CIDR, "must be private: within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16")
		default:
			v.validateRoom(p, prefix.Bits(), internal, tasks)
		}
	}
	if n := len(v.AvailabilityZones); n != 0 && n != zones {
		p.add("VPC.AvailabilityZones", count(n, "zone"), "must be two, or left out for the account's first two")
	}
	validateZones(p, v.AvailabilityZones)
	if internal {
		v.validateForVPCOrigin(p)
	}
	switch n := v.NATGateways; {
	case v.PublicTasks && v.NATGateways != 0:
		p.add("VPC.NATGateways", v.NATGateways, "must be left out: with PublicTasks, the tasks need none")
	case !v.PublicTasks && (n < 1 || n > zones):
		p.add("VPC.NATGateways", v.NATGateways, "must be 1 or 2: the tasks fetch their image through one, and there are two zones. For none, set PublicTasks, which gives the tasks public addresses")
	}
}

// validateRoom reports a range with too few addresses for a deployment, during which there are twice as
// many tasks, in two zones.
func (v NewVPC) validateRoom(p *problems, bits int, internal bool, tasks int) {
	if tasks > maxDesiredCount {
		return // this has been reported
	}
	room := func(bits int) int {
		n := 1<<(32-bits)/4 - reservedAddresses
		if v.PublicTasks != internal { // tasks and load balancer are in the same subnets
			n -= balancerAddresses
		}
		return n
	}
	needs := tasks + tasks%2
	if has := room(bits); has < needs {
		for room(bits) < needs {
			bits--
		}
		p.add("VPC.CIDR", v.Range(), fmt.Sprintf("has %d addresses for tasks in each zone, and a deployment of %d tasks needs %d there: use a wider range, of %d bits", has, tasks, needs, bits))
	}
}

func (v ExistingVPC) validate(p *problems, internal bool, _ int) {
	p.match("VPC.ID", v.ID, vpcPattern, "must be a VPC's id, such as vpc-0123456789abcdef0")
	if prefix, ok := validateCIDR(p, "VPC.CIDR", v.CIDR); ok && (prefix.Bits() < 16 || prefix.Bits() > 28) {
		p.add("VPC.CIDR", v.CIDR, "must have from 16 to 28 bits, as every range of a VPC has")
	}
	if n := len(v.AvailabilityZones); n < zones {
		p.add("VPC.AvailabilityZones", count(n, "zone"), "must be 2 or more, which a load balancer needs")
	}
	validateZones(p, v.AvailabilityZones)
	seen := map[string]bool{}
	for _, f := range []struct {
		name    string
		subnets []string
		used    bool
		why     string
	}{
		{"PublicSubnets", v.PublicSubnets, !internal || v.PublicTasks, "with LoadBalancer.Internal, the load balancer is in PrivateSubnets, as the tasks are"},
		{"PrivateSubnets", v.PrivateSubnets, internal || !v.PublicTasks, "with PublicTasks, the tasks are in PublicSubnets, as the load balancer is"},
	} {
		if !f.used {
			if n := len(f.subnets); n > 0 {
				p.add("VPC."+f.name, count(n, "subnet"), "must be left out: "+f.why)
			}
			continue
		}
		if len(f.subnets) != len(v.AvailabilityZones) {
			p.add("VPC."+f.name, count(len(f.subnets), "subnet"), fmt.Sprintf("must be one for each of the AvailabilityZones (%d), in their order", len(v.AvailabilityZones)))
		}
		for i, subnet := range f.subnets {
			field := fmt.Sprintf("VPC.%s[%d]", f.name, i)
			p.match(field, subnet, subnetPattern, "must be a subnet's id, such as subnet-0123456789abcdef0")
			if seen[subnet] {
				p.add(field, subnet, "is listed twice: a subnet is in one zone, and either public or private")
			}
			seen[subnet] = true
		}
	}
}

// withoutVPCOrigins are the ids of the zones that VPC origins do not reach. The name of a zone with an id
// is different in each account.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html#vpc-origins-supported-regions
var withoutVPCOrigins = map[string]string{
	"ap-northeast-1": "apne1-az3", "ap-northeast-2": "apne2-az1", "ca-central-1": "cac1-az3",
	"us-east-1": "use1-az3", "us-west-1": "usw1-az2",
}

// validateForVPCOrigin reports a new network that may be in one of those zones: the first two zones of an
// account may be any.
func (v NewVPC) validateForVPCOrigin(p *problems) {
	if len(v.AvailabilityZones) > 0 {
		return
	}
	but, region := withoutVPCOrigins[p.of.Region], p.of.Region
	switch {
	case region == "":
		but = "any of " + strings.Join(slices.Sorted(maps.Values(withoutVPCOrigins)), ", ")
	case but == "":
		return
	}
	p.add("VPC.AvailabilityZones", "", "must name two zones: with LoadBalancer.Internal, they must not be "+but+", which CloudFront does not reach; aws ec2 describe-availability-zones shows its name in your account")
}

// validatePrivate reports ranges that cannot reach an internal load balancer.
func validatePrivate(p *problems, field string, cidrs []string, inside netip.Prefix) {
	shared := netip.MustParsePrefix("100.64.0.0/10")
	for i, cidr := range cidrs {
		prefix, err := netip.ParsePrefix(cidr)
		if first := prefix.Addr(); err == nil && !first.IsPrivate() && !shared.Contains(first) && !inside.Contains(first) {
			p.add(fmt.Sprintf("%s[%d]", field, i), cidr, "must be a private range: public addresses cannot reach an internal load balancer")
		}
	}
}
