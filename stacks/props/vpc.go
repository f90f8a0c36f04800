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
	// validate is told whether the load balancer is internal, and how many tasks run at most.
	validate(p *Problems, internal bool, tasks int)
	// cidr is the range of the network's addresses.
	Range() string
	// publicTasks says in which of its subnets the tasks are.
	TasksArePublic() bool
}

// zones a new VPC spans: the fewest that a load balancer takes.
const Zones = 2

// NewVPC makes a network for the service alone, over two availability zones: public
// subnets for the load balancer, and private ones for the tasks, which reach the
// internet through NAT gateways and cannot be reached from it. VPC endpoints in place of
// the gateways would cost more, 44 USD a month for the three that every task needs; an
// [ExistingVPC] may have them.
type NewVPC struct {
	// CIDR is the range of addresses, of 16 to 24 bits. It matters only for networks
	// that are to be connected; it cannot be changed. Default: "10.0.0.0/16".
	CIDR string

	// AvailabilityZones are the names of the two zones. They cannot be changed. Default:
	// the account's first two. Name them if Fargate is not in one of these: it is not in
	// usw1-az2, cac1-az3 and apne1-az3. Required with LoadBalancer.Internal in regions with
	// a zone that VPC origins do not lead to, such as us-east-1 (use1-az3). Example:
	// []string{"us-east-1a", "us-east-1b"}.
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AWS_Fargate-Regions.html
	AvailabilityZones []string

	// NATGateways is 1 or 2. With 1, the tasks of one zone lose their way out, and
	// tasks can no longer be started, while the other zone fails; requests are still
	// answered. Each costs about 36 USD a month with its address, and 0.045 USD a GB.
	// Default: 1, and with PublicTasks none.
	NATGateways int

	// PublicTasks puts the tasks into the public subnets, with a public address each,
	// at 3.60 USD a month, and makes no NAT gateway: up to nine tasks this costs less.
	// The load balancer alone may reach them all the same, by their security group. The
	// private subnets then have no way out. With CodeDeploy it cannot be changed; with ECS,
	// a change is a deployment. Default: false.
	PublicTasks bool
}

// ExistingVPC is a network that is there already. It is not asked what it looks
// like: what is written here must be so.
type ExistingVPC struct {
	// ID of the VPC. It cannot be changed. Required. Example: "vpc-0123456789abcdef0".
	ID string

	// CIDR is the VPC's range of addresses, of 16 to 28 bits, which may use the test
	// listener. Required. Example: "172.31.0.0/16".
	CIDR string

	// AvailabilityZones of the subnets, 2 or more, for an internal load balancer such that
	// VPC origins lead to (not use1-az3, for example). Required. Example:
	// []string{"us-east-1a", "us-east-1b"}.
	AvailabilityZones []string

	// PublicSubnets are for the load balancer, unless that is internal, and with
	// PublicTasks for the tasks: one in each of the zones, in the zones' order, routed to
	// an internet gateway. Required where they are used, else to be left out. Example:
	// []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"}.
	PublicSubnets []string

	// PrivateSubnets are for an internal load balancer, and without PublicTasks for the
	// tasks: one in each of the zones, in the zones' order. Tasks must reach ECR,
	// CloudWatch Logs and S3, through a NAT gateway or VPC endpoints: of ecr.api, ecr.dkr
	// and logs, with Container.Secrets also of ssm or secretsmanager, at 7.30 USD a month
	// for each zone, whose security groups let CIDR in, and the gateway endpoint of S3,
	// which is free. With endpoints alone, Container.InitialImage must be in ECR. With
	// CodeDeploy they cannot be changed; with ECS, a change is a deployment. Required where
	// they are used, else to be left out.
	// https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
	PrivateSubnets []string

	// PublicTasks puts the tasks into PublicSubnets, with a public address each, at
	// 3.60 USD a month, so that no NAT gateway is needed. The load balancer alone may
	// reach them all the same, by their security group. With CodeDeploy it cannot be
	// changed; with ECS, a change is a deployment. Default: false.
	PublicTasks bool
}

const (
	defaultCIDR = "10.0.0.0/16"
	// defaultNATGateways serve all zones of a new network.
	defaultNATGateways = 1

	// What CDK calls the subnets of a network, new or not.
	PublicSubnets, PrivateSubnets = "Public", "Private"

	// AWS keeps five addresses of each subnet.
	// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
	keptAddresses = 5
	// balancerAddresses is what a load balancer needs in each of its subnets, and with it a
	// NAT gateway or a VPC origin.
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
	balancerAddresses = 8 + 2
)

var (
	vpcPattern    = regexp.MustCompile(`^vpc-([0-9a-f]{8}|[0-9a-f]{17})$`)
	subnetPattern = regexp.MustCompile(`^subnet-([0-9a-f]{8}|[0-9a-f]{17})$`)
	zonePattern   = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)+-\d+[a-z]$`)
)

// regionOf returns the region that a zone is in, or "" of what is no zone's name.
func regionOf(zone string) string {
	for _, region := range Regions {
		if suffix, ok := strings.CutPrefix(zone, region); ok && !strings.ContainsAny(suffix[:min(len(suffix), 1)], "0123456789") {
			return region
		}
	}
	return ""
}

func validateVPC(p *Problems, vpc VPC, internal bool, tasks int) {
	switch vpc := vpc.(type) {
	case NewVPC, ExistingVPC:
		vpc.validate(p, internal, tasks)
	default:
		p.add("VPC", TypeOf(vpc), "must be a props.NewVPC{…} or a props.ExistingVPC{…}, or left out for a new one")
	}
}

// validateCIDR reports what is no range of IPv4 addresses, and returns whether it is
// one.
func validateCIDR(p *Problems, field, cidr string) (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil || !prefix.Addr().Is4() || prefix != prefix.Masked() {
		p.add(field, cidr, "must be a range of IPv4 addresses by its first one, such as 10.0.0.0/16")
		return netip.Prefix{}, false
	}
	return prefix, true
}

// validateCIDRs reports what is wrong with a list of ranges, of which a security group
// makes a rule each.
func validateCIDRs(p *Problems, field string, cidrs []string) {
	for i, cidr := range cidrs {
		field := fmt.Sprintf("%s[%d]", field, i)
		if _, ok := validateCIDR(p, field, cidr); ok && slices.Contains(cidrs[:i], cidr) {
			p.add(field, cidr, "is there twice; name it once")
		}
	}
}

// validateZones reports what is no zone of the owner's region.
func validateZones(p *Problems, names []string) {
	for i, zone := range names {
		field := fmt.Sprintf("VPC.AvailabilityZones[%d]", i)
		switch region := cmp.Or(p.owner.Region, regionOf(names[0])); {
		case !zonePattern.MatchString(zone) || regionOf(zone) == "":
			p.add(field, zone, "must be a zone's name, such as us-east-1a")
		case p.owner.Region == "" && region != "" && regionOf(zone) != region:
			p.add(field, zone, "must be in the same region as the others, "+region)
		case isRegion(region) && regionOf(zone) != region:
			p.add(field, zone, fmt.Sprintf("must be in the %s's Region, %s", p.owner.Kind, region))
		case slices.Contains(names[:i], zone):
			p.add(field, zone, "is there twice; a load balancer takes one subnet of each zone")
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

func (v NewVPC) Range() string { return v.CIDR }

func (v ExistingVPC) Range() string { return v.CIDR }

func (v NewVPC) TasksArePublic() bool { return v.PublicTasks }

func (v ExistingVPC) TasksArePublic() bool { return v.PublicTasks }

// addressesOf returns a network's range, or none of what is no network.
func addressesOf(vpc VPC) netip.Prefix {
	switch vpc.(type) {
	case NewVPC, ExistingVPC:
		prefix, _ := netip.ParsePrefix(vpc.Range()) // what is none has been reported
		return prefix
	}
	return netip.Prefix{}
}

func (v NewVPC) validate(p *Problems, internal bool, tasks int) {
	if prefix, ok := validateCIDR(p, "VPC.CIDR", v.Range()); ok {
		switch {
		case prefix.Bits() < 16 || prefix.Bits() > 24:
			p.add("VPC.CIDR", v.CIDR, "must have from 16 to 24 bits: AWS takes no wider one, and four subnets share it")
		case !prefix.Addr().IsPrivate():
			p.add("VPC.CIDR", v.CIDR, "must be private: within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16")
		default:
			v.validateRoom(p, prefix.Bits(), internal, tasks)
		}
	}
	if n := len(v.AvailabilityZones); n != 0 && n != Zones {
		p.add("VPC.AvailabilityZones", fmt.Sprintf("%d zones", n), "must be two, or left out for the account's first two")
	}
	validateZones(p, v.AvailabilityZones)
	if internal {
		v.validateForVPCOrigin(p)
	}
	switch n := v.NATGateways; {
	case v.PublicTasks && v.NATGateways != 0:
		p.add("VPC.NATGateways", v.NATGateways, "must be left out: with PublicTasks the tasks need none")
	case !v.PublicTasks && (n < 1 || n > Zones):
		p.add("VPC.NATGateways", v.NATGateways, "must be 1 or 2: the tasks fetch their image through one, and there are two zones. Without any, PublicTasks gives the tasks public addresses")
	}
}

// validateRoom reports a range with too few addresses for a deployment, during which
// there are twice as many tasks, in two zones.
func (v NewVPC) validateRoom(p *Problems, bits int, internal bool, tasks int) {
	if tasks > MaxDesiredCount {
		return // that has been reported
	}
	room := func(bits int) int {
		n := 1<<(32-bits)/4 - keptAddresses
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
		p.add("VPC.CIDR", v.Range(), fmt.Sprintf("has %d addresses for tasks in each zone, and a deployment of %d takes %d there; use a wider range, of %d bits", has, tasks, needs, bits))
	}
}

func (v ExistingVPC) validate(p *Problems, internal bool, _ int) {
	p.match("VPC.ID", v.ID, vpcPattern, "must be a VPC's id, such as vpc-0123456789abcdef0")
	if prefix, ok := validateCIDR(p, "VPC.CIDR", v.CIDR); ok && (prefix.Bits() < 16 || prefix.Bits() > 28) {
		p.add("VPC.CIDR", v.CIDR, "must have from 16 to 28 bits, as each range of a VPC has")
	}
	if n := len(v.AvailabilityZones); n < Zones {
		p.add("VPC.AvailabilityZones", fmt.Sprintf("%d zones", n), "must be 2 or more: a load balancer takes no fewer")
	}
	validateZones(p, v.AvailabilityZones)
	seen := map[string]bool{}
	for _, f := range []struct {
		name    string
		subnets []string
		used    bool
		why     string
	}{
		{"PublicSubnets", v.PublicSubnets, !internal || v.PublicTasks, "with LoadBalancer.Internal the load balancer is in PrivateSubnets, as the tasks are"},
		{"PrivateSubnets", v.PrivateSubnets, internal || !v.PublicTasks, "with PublicTasks the tasks are in PublicSubnets, as the load balancer is"},
	} {
		if !f.used {
			if n := len(f.subnets); n > 0 {
				p.add("VPC."+f.name, fmt.Sprintf("%d subnets", n), "must be left out: "+f.why)
			}
			continue
		}
		if len(f.subnets) != len(v.AvailabilityZones) {
			p.add("VPC."+f.name, fmt.Sprintf("%d subnets", len(f.subnets)), fmt.Sprintf("must be one for each of the %d AvailabilityZones, in their order", len(v.AvailabilityZones)))
		}
		for i, subnet := range f.subnets {
			field := fmt.Sprintf("VPC.%s[%d]", f.name, i)
			p.match(field, subnet, subnetPattern, "must be a subnet's id, such as subnet-0123456789abcdef0")
			if seen[subnet] {
				p.add(field, subnet, "is there twice; a subnet is in one zone, and either public or private")
			}
			seen[subnet] = true
		}
	}
}

// withoutVPCOrigins are the zones, by their ids, that VPC origins do not lead to. Which
// zone's name goes with an id differs by account.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html#vpc-origins-supported-regions
var withoutVPCOrigins = map[string]string{
	"ap-northeast-1": "apne1-az3", "ap-northeast-2": "apne2-az1", "ca-central-1": "cac1-az3",
	"us-east-1": "use1-az3", "us-west-1": "usw1-az2",
}

// validateForVPCOrigin reports a new network that might be in one of those zones: the
// first two of an account may be any.
func (v NewVPC) validateForVPCOrigin(p *Problems) {
	if len(v.AvailabilityZones) > 0 {
		return
	}
	but, region := withoutVPCOrigins[p.owner.Region], p.owner.Region
	switch {
	case region == "":
		but = "any of " + strings.Join(slices.Sorted(maps.Values(withoutVPCOrigins)), ", ")
	case but == "":
		return
	}
	p.add("VPC.AvailabilityZones", "", "must name two zones: with LoadBalancer.Internal, they must not be "+but+", which CloudFront does not reach; aws ec2 describe-availability-zones tells which name that has in your account")
}

// validatePrivate reports ranges from which nobody reaches an internal load balancer.
func validatePrivate(p *Problems, field string, cidrs []string, inside netip.Prefix) {
	shared := netip.MustParsePrefix("100.64.0.0/10")
	for i, cidr := range cidrs {
		prefix, err := netip.ParsePrefix(cidr)
		if first := prefix.Addr(); err == nil && !first.IsPrivate() && !shared.Contains(first) && !inside.Contains(first) {
			p.add(fmt.Sprintf("%s[%d]", field, i), cidr, "must be a private range: nobody reaches an internal load balancer from a public address")
		}
	}
}
