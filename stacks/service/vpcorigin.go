package service

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// newVPCOrigin makes CloudFront's way to an internal load balancer. Nothing of it may
// change: CloudFront refuses to update one that a distribution uses, and the whole update
// of the stack would fail. It comes last and goes first, so that `make destroy` fails
// before anything that serves is gone, the security groups' rules included.
func newVPCOrigin(scope constructs.Construct, l props.LoadBalancer, balancer loadBalancer, service constructs.IDependable) {
	id, protocol := "HTTPOrigin", awscloudfront.OriginProtocolPolicy_HTTP_ONLY
	if l.CertificateARN != "" {
		id, protocol = "HTTPSOrigin", awscloudfront.OriginProtocolPolicy_HTTPS_ONLY
	}
	// Of at most 64 characters, and the account's alone: CDK's own would be the same in
	// another region.
	name := *awscdk.Names_UniqueResourceName(balancer.balancer, &awscdk.UniqueResourceNameOptions{
		MaxLength: jsii.Number(64 - len("-HTTPSOrigin-ap-northeast-1")),
	}) + "-" + id + "-" + *awscdk.Stack_Of(scope).Region()
	origin := awscloudfront.NewVpcOrigin(scope, jsii.String(id), &awscloudfront.VpcOriginProps{
		Endpoint:       awscloudfront.VpcOriginEndpoint_ApplicationLoadBalancer(balancer.balancer),
		VpcOriginName:  jsii.String(name),
		ProtocolPolicy: protocol,
		HttpPort:       jsii.Number(props.HttpPort),
		HttpsPort:      jsii.Number(props.HttpsPort),
	})
	cdk.WithoutTags(origin)
	origin.Node().AddDependency(service, balancer.balancer, balancer.access)
	cdk.NewOutput(scope, "VPCOriginID", "The VPC origin for the distribution's origin, whose domain name is Origin or, with a certificate, a name that it is for", *origin.VpcOriginId())
}
