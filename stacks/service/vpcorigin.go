package service

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// newVPCOrigin makes the VPC origin by which CloudFront reaches an internal load balancer. Nothing of
// it may change, because CloudFront does not update a VPC origin that a distribution uses: the whole
// update of the stack would fail. Nor does CloudFront delete one. It depends on everything that
// serves requests, and so is deleted first, so that `make destroy` fails before any of that is gone.
func newVPCOrigin(scope constructs.Construct, l props.LoadBalancer, balancer loadBalancer, service constructs.IDependable) awscloudfront.VpcOrigin {
	id, protocol := "HTTPOrigin", awscloudfront.OriginProtocolPolicy_HTTP_ONLY
	if l.CertificateARN != "" {
		id, protocol = "HTTPSOrigin", awscloudfront.OriginProtocolPolicy_HTTPS_ONLY
	}
	// The name has at most 64 characters, and must be unique in the account. The name that the CDK
	// makes would be the same in another region.
	name := *awscdk.Names_UniqueResourceName(balancer.balancer, &awscdk.UniqueResourceNameOptions{
		MaxLength: jsii.Number(64 - len("-HTTPSOrigin-ap-northeast-1")),
	}) + "-" + id + "-" + *awscdk.Stack_Of(scope).Region()
	origin := awscloudfront.NewVpcOrigin(scope, jsii.String(id), &awscloudfront.VpcOriginProps{
		Endpoint:       awscloudfront.VpcOriginEndpoint_ApplicationLoadBalancer(balancer.balancer),
		VpcOriginName:  jsii.String(name),
		ProtocolPolicy: protocol,
		HttpPort:       jsii.Number(httpPort),
		HttpsPort:      jsii.Number(httpsPort),
	})
	cdk.WithoutTags(origin)
	origin.Node().AddDependency(service, balancer.balancer, balancer.access)
	cdk.NewOutput(scope, "VPCOriginID", "The VPC origin for the distribution's origin. The domain name of that origin is the output Origin, or with a certificate a name that the certificate is for", *origin.VpcOriginId())
	return origin
}
