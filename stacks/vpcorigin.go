package stacks

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// withoutVPCOrigins are the zones, by their ids, that VPC origins do not lead to. Which
// zone's name goes with an id differs by account.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html#vpc-origins-supported-regions
var withoutVPCOrigins = map[string]string{
	"ap-northeast-1": "apne1-az3", "ap-northeast-2": "apne2-az1", "ca-central-1": "cac1-az3",
	"us-east-1": "use1-az3", "us-west-1": "usw1-az2",
}

// validateForVPCOrigin reports a new network that might be in one of those zones: the
// first two of an account may be any.
func (v NewVPC) validateForVPCOrigin(p *problems) {
	if len(v.AvailabilityZones) > 0 {
		return
	}
	but, region := withoutVPCOrigins[p.owner.region], p.owner.region
	switch {
	case region == "":
		but = "any of " + strings.Join(slices.Sorted(maps.Values(withoutVPCOrigins)), ", ")
	case but == "":
		return
	}
	p.add("VPC.AvailabilityZones", "", "must name two zones: with LoadBalancer.Internal, they must not be "+but+", which CloudFront does not reach; aws ec2 describe-availability-zones tells which name that has in your account")
}

// validatePrivate reports ranges from which nobody reaches an internal load balancer.
func validatePrivate(p *problems, field string, cidrs []string, inside netip.Prefix) {
	shared := netip.MustParsePrefix("100.64.0.0/10")
	for i, cidr := range cidrs {
		prefix, err := netip.ParsePrefix(cidr)
		if first := prefix.Addr(); err == nil && !first.IsPrivate() && !shared.Contains(first) && !inside.Contains(first) {
			p.add(fmt.Sprintf("%s[%d]", field, i), cidr, "must be a private range: nobody reaches an internal load balancer from a public address")
		}
	}
}

// newVPCOrigin makes CloudFront's way to an internal load balancer. Nothing of it may
// change: CloudFront refuses to update one that a distribution uses, and the whole update
// of the stack would fail. It comes last and goes first, so that `make destroy` fails
// before anything that serves is gone, the security groups' rules included.
func newVPCOrigin(stack awscdk.Stack, l LoadBalancer, balancer loadBalancer, service constructs.IDependable) {
	id, protocol := "HTTPOrigin", awscloudfront.OriginProtocolPolicy_HTTP_ONLY
	if l.CertificateARN != "" {
		id, protocol = "HTTPSOrigin", awscloudfront.OriginProtocolPolicy_HTTPS_ONLY
	}
	// Of at most 64 characters, and the account's alone: CDK's own would be the same in
	// another region.
	name := *awscdk.Names_UniqueResourceName(balancer.balancer, &awscdk.UniqueResourceNameOptions{
		MaxLength: jsii.Number(64 - len("-HTTPSOrigin-ap-northeast-1")),
	}) + "-" + id + "-" + *stack.Region()
	origin := awscloudfront.NewVpcOrigin(stack, jsii.String(id), &awscloudfront.VpcOriginProps{
		Endpoint:       awscloudfront.VpcOriginEndpoint_ApplicationLoadBalancer(balancer.balancer),
		VpcOriginName:  jsii.String(name),
		ProtocolPolicy: protocol,
		HttpPort:       jsii.Number(httpPort),
		HttpsPort:      jsii.Number(httpsPort),
	})
	withoutTags(origin)
	origin.Node().AddDependency(service, balancer.balancer, balancer.access)
	newOutput(stack, "VPCOriginID", "The VPC origin for the distribution's origin, whose domain name is Origin or, with a certificate, a name that it is for", *origin.VpcOriginId())
}
