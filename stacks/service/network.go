package service

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// The names of the groups of subnets. CDK gives them to an existing network, too.
const publicSubnets, privateSubnets = "Public", "Private"

// subnets selects the public or the private subnets of a network.
func subnets(public bool) *awsec2.SubnetSelection {
	if public {
		return &awsec2.SubnetSelection{SubnetGroupName: jsii.String(publicSubnets)}
	}
	return &awsec2.SubnetSelection{SubnetGroupName: jsii.String(privateSubnets)}
}

// newVPC makes a VPC with public and private subnets.
func newVPC(scope constructs.Construct, v props.NewVPC) awsec2.IVpc {
	gateways, private := v.NATGateways, awsec2.SubnetType_PRIVATE_WITH_EGRESS
	if v.PublicTasks {
		private = awsec2.SubnetType_PRIVATE_ISOLATED
	}
	settings := &awsec2.VpcProps{
		IpAddresses: awsec2.IpAddresses_Cidr(jsii.String(v.Range())),
		NatGateways: jsii.Number(gateways),
		SubnetConfiguration: &[]*awsec2.SubnetConfiguration{
			// The load balancer, the NAT gateways and the tasks have public addresses of their own.
			{Name: jsii.String(publicSubnets), SubnetType: awsec2.SubnetType_PUBLIC, MapPublicIpOnLaunch: jsii.Bool(false)},
			{Name: jsii.String(privateSubnets), SubnetType: private},
		},
		// Nothing here uses the default security group. To close it, the CDK would add a function
		// that may change every security group.
		RestrictDefaultSecurityGroup: jsii.Bool(false),
	}
	if len(v.AvailabilityZones) > 0 {
		settings.AvailabilityZones = jsii.Strings(v.AvailabilityZones...)
	} else {
		settings.MaxAzs = jsii.Number(2) // as few as a load balancer accepts
	}
	vpc := awsec2.NewVpc(scope, jsii.String("Network"), settings)
	cdk.Justify(vpc, cdk.Justification{Rule: "AwsSolutions-VPC7", Reason: "Flow logs cost 0.50 USD a GB, and tell no more of this network's one service than its own log; whoever needs them can add them to the VPC."})
	return vpc
}

// LeaveZonesToAWS has CloudFormation choose the availability zones of a new VPC, unless the owner
// names them. Otherwise the CDK would ask AWS for them at synth, if the stack names an account and a
// region. The stack must have no construct yet.
func LeaveZonesToAWS(stack awscdk.Stack, identity props.Identity, vpc props.VPC) {
	if identity.Account == "" || identity.Region == "" {
		return // CloudFormation chooses in any case.
	}
	chosen := awscdk.Fn_GetAzs(nil)
	names := []*string{awscdk.Fn_Select(jsii.Number(0), chosen), awscdk.Fn_Select(jsii.Number(1), chosen)}
	if made, ok := vpc.(props.NewVPC); ok && len(made.AvailabilityZones) > 0 {
		names = *jsii.Strings(made.AvailabilityZones...)
	}
	stack.Node().SetContext(jsii.String(fmt.Sprintf("availability-zones:account=%s:region=%s", identity.Account, identity.Region)), names)
}

// importVPC refers to an existing VPC.
func importVPC(scope constructs.Construct, v props.ExistingVPC) awsec2.IVpc {
	vpc := awsec2.Vpc_FromVpcAttributes(scope, jsii.String("Network"), &awsec2.VpcAttributes{
		VpcId:             jsii.String(v.ID),
		VpcCidrBlock:      jsii.String(v.CIDR),
		AvailabilityZones: jsii.Strings(v.AvailabilityZones...),
		PublicSubnetIds:   jsii.Strings(v.PublicSubnets...),
		PrivateSubnetIds:  jsii.Strings(v.PrivateSubnets...),
	})
	awscdk.Annotations_Of(vpc).AcknowledgeWarning(jsii.String("@aws-cdk/aws-ec2:noSubnetRouteTableId"), jsii.String("No route is added to the subnets"))
	return vpc
}

// newNetwork makes a VPC, or refers to an existing one without asking AWS.
func newNetwork(scope constructs.Construct, network props.VPC) awsec2.IVpc {
	switch network := network.(type) {
	case props.NewVPC:
		return newVPC(scope, network)
	case props.ExistingVPC:
		return importVPC(scope, network)
	}
	panic(fmt.Sprintf("network is a %T", network))
}
