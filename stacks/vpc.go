package stacks

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/jsii-runtime-go"
)

// VPC is the network that a service runs in: a [NewVPC] or an [ExistingVPC].
type VPC interface {
	// validate is told whether the load balancer is internal, and how many tasks run at most.
	validate(p *problems, internal bool, tasks int)
	// cidr is the range of the network's addresses.
	cidr() string
	// publicTasks says in which of its subnets the tasks are.
	publicTasks() bool
}

// zones a new VPC spans: the fewest that a load balancer takes.
const zones = 2

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
	publicSubnets, privateSubnets = "Public", "Private"

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
		p.add("VPC", typeOf(vpc), "must be a stacks.NewVPC{…} or a stacks.ExistingVPC{…}, or left out for a new one")
	}
}

// validateCIDR reports what is no range of IPv4 addresses, and returns whether it is
// one.
func validateCIDR(p *problems, field, cidr string) (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil || !prefix.Addr().Is4() || prefix != prefix.Masked() {
		p.add(field, cidr, "must be a range of IPv4 addresses by its first one, such as 10.0.0.0/16")
		return netip.Prefix{}, false
	}
	return prefix, true
}

// validateCIDRs reports what is wrong with a list of ranges, of which a security group
// makes a rule each.
func validateCIDRs(p *problems, field string, cidrs []string) {
	for i, cidr := range cidrs {
		field := fmt.Sprintf("%s[%d]", field, i)
		if _, ok := validateCIDR(p, field, cidr); ok && slices.Contains(cidrs[:i], cidr) {
			p.add(field, cidr, "is there twice; name it once")
		}
	}
}

// validateZones reports what is no zone of the owner's region.
func validateZones(p *problems, names []string) {
	for i, zone := range names {
		field := fmt.Sprintf("VPC.AvailabilityZones[%d]", i)
		switch region := cmp.Or(p.owner.region, regionOf(names[0])); {
		case !zonePattern.MatchString(zone) || regionOf(zone) == "":
			p.add(field, zone, "must be a zone's name, such as us-east-1a")
		case p.owner.region == "" && region != "" && regionOf(zone) != region:
			p.add(field, zone, "must be in the same region as the others, "+region)
		case isRegion(region) && regionOf(zone) != region:
			p.add(field, zone, fmt.Sprintf("must be in the %s's Region, %s", p.owner.kind, region))
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

func (v NewVPC) cidr() string      { return v.CIDR }
func (v ExistingVPC) cidr() string { return v.CIDR }

func (v NewVPC) publicTasks() bool      { return v.PublicTasks }
func (v ExistingVPC) publicTasks() bool { return v.PublicTasks }

// addressesOf returns a network's range, or none of what is no network.
func addressesOf(vpc VPC) netip.Prefix {
	switch vpc.(type) {
	case NewVPC, ExistingVPC:
		prefix, _ := netip.ParsePrefix(vpc.cidr()) // what is none has been reported
		return prefix
	}
	return netip.Prefix{}
}

// subnets selects the public or the private subnets of a network.
func subnets(public bool) *awsec2.SubnetSelection {
	if public {
		return &awsec2.SubnetSelection{SubnetGroupName: jsii.String(publicSubnets)}
	}
	return &awsec2.SubnetSelection{SubnetGroupName: jsii.String(privateSubnets)}
}

func (v NewVPC) validate(p *problems, internal bool, tasks int) {
	if prefix, ok := validateCIDR(p, "VPC.CIDR", v.cidr()); ok {
		switch {
		case prefix.Bits() < 16 || prefix.Bits() > 24:
			p.add("VPC.CIDR", v.CIDR, "must have from 16 to 24 bits: AWS takes no wider one, and four subnets share it")
		case !prefix.Addr().IsPrivate():
			p.add("VPC.CIDR", v.CIDR, "must be private: within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16")
		default:
			v.validateRoom(p, prefix.Bits(), internal, tasks)
		}
	}
	if n := len(v.AvailabilityZones); n != 0 && n != zones {
		p.add("VPC.AvailabilityZones", fmt.Sprintf("%d zones", n), "must be two, or left out for the account's first two")
	}
	validateZones(p, v.AvailabilityZones)
	if internal {
		v.validateForVPCOrigin(p)
	}
	switch n := v.NATGateways; {
	case v.PublicTasks && v.NATGateways != 0:
		p.add("VPC.NATGateways", v.NATGateways, "must be left out: with PublicTasks the tasks need none")
	case !v.PublicTasks && (n < 1 || n > zones):
		p.add("VPC.NATGateways", v.NATGateways, "must be 1 or 2: the tasks fetch their image through one, and there are two zones. Without any, PublicTasks gives the tasks public addresses")
	}
}

// validateRoom reports a range with too few addresses for a deployment, during which
// there are twice as many tasks, in two zones.
func (v NewVPC) validateRoom(p *problems, bits int, internal bool, tasks int) {
	if tasks > maxDesiredCount {
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
		p.add("VPC.CIDR", v.cidr(), fmt.Sprintf("has %d addresses for tasks in each zone, and a deployment of %d takes %d there; use a wider range, of %d bits", has, tasks, needs, bits))
	}
}

func (v ExistingVPC) validate(p *problems, internal bool, _ int) {
	p.match("VPC.ID", v.ID, vpcPattern, "must be a VPC's id, such as vpc-0123456789abcdef0")
	if prefix, ok := validateCIDR(p, "VPC.CIDR", v.CIDR); ok && (prefix.Bits() < 16 || prefix.Bits() > 28) {
		p.add("VPC.CIDR", v.CIDR, "must have from 16 to 28 bits, as each range of a VPC has")
	}
	if n := len(v.AvailabilityZones); n < zones {
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

func newVPC(stack awscdk.Stack, v NewVPC) awsec2.IVpc {
	gateways, private := v.NATGateways, awsec2.SubnetType_PRIVATE_WITH_EGRESS
	if v.PublicTasks {
		private = awsec2.SubnetType_PRIVATE_ISOLATED
	}
	props := &awsec2.VpcProps{
		IpAddresses: awsec2.IpAddresses_Cidr(jsii.String(v.cidr())),
		NatGateways: jsii.Number(gateways),
		SubnetConfiguration: &[]*awsec2.SubnetConfiguration{
			// Load balancer, NAT gateways and tasks bring their own public addresses.
			{Name: jsii.String(publicSubnets), SubnetType: awsec2.SubnetType_PUBLIC, MapPublicIpOnLaunch: jsii.Bool(false)},
			{Name: jsii.String(privateSubnets), SubnetType: private},
		},
		// It would take a function of CDK's, with rights on all security groups, to
		// close the default one, which nothing here uses.
		RestrictDefaultSecurityGroup: jsii.Bool(false),
	}
	if len(v.AvailabilityZones) > 0 {
		props.AvailabilityZones = jsii.Strings(v.AvailabilityZones...)
	} else {
		props.MaxAzs = jsii.Number(zones)
	}
	vpc := awsec2.NewVpc(stack, jsii.String("Network"), props)
	justify(vpc, justification{rule: "AwsSolutions-VPC7", reason: "Flow logs cost 0.50 USD a GB, and tell no more of this network's one service than its own log; whoever needs them can add them to the VPC."})
	return vpc
}

// leaveZonesToAWS has CloudFormation choose a new VPC's zones, unless they are named.
// With an account and a region named, CDK would otherwise ask AWS for them at synth. The
// stack must have no construct yet.
func leaveZonesToAWS(stack awscdk.Stack, owner owner, vpc VPC) {
	if owner.account == "" || owner.region == "" {
		return // it is what CDK does then
	}
	chosen := awscdk.Fn_GetAzs(nil)
	names := []*string{awscdk.Fn_Select(jsii.Number(0), chosen), awscdk.Fn_Select(jsii.Number(1), chosen)}
	if made, ok := vpc.(NewVPC); ok && len(made.AvailabilityZones) > 0 {
		names = *jsii.Strings(made.AvailabilityZones...)
	}
	stack.Node().SetContext(jsii.String(fmt.Sprintf("availability-zones:account=%s:region=%s", owner.account, owner.region)), names)
}

func importVPC(stack awscdk.Stack, v ExistingVPC) awsec2.IVpc {
	vpc := awsec2.Vpc_FromVpcAttributes(stack, jsii.String("Network"), &awsec2.VpcAttributes{
		VpcId:             jsii.String(v.ID),
		VpcCidrBlock:      jsii.String(v.CIDR),
		AvailabilityZones: jsii.Strings(v.AvailabilityZones...),
		PublicSubnetIds:   jsii.Strings(v.PublicSubnets...),
		PrivateSubnetIds:  jsii.Strings(v.PrivateSubnets...),
	})
	awscdk.Annotations_Of(vpc).AcknowledgeWarning(jsii.String("@aws-cdk/aws-ec2:noSubnetRouteTableId"), jsii.String("No route is added to the subnets"))
	return vpc
}

// newNetwork makes or names the network. Nothing is looked up in AWS.
func newNetwork(stack awscdk.Stack, network VPC) awsec2.IVpc {
	switch network := network.(type) {
	case NewVPC:
		return newVPC(stack, network)
	case ExistingVPC:
		return importVPC(stack, network)
	}
	panic(fmt.Sprintf("network is %s", typeOf(network)))
}
