package service

import (
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

const (
	httpPort, httpsPort = 80, 443

	// anywhere is the range of all addresses.
	anywhere = "0.0.0.0/0"
)

// loadBalancer is what a deployment shifts traffic with. One of the two target groups is in
// production, and the other waits for the next version.
type loadBalancer struct {
	balancer         elb.ApplicationLoadBalancer
	access           awsec2.SecurityGroup
	production, test elb.ApplicationListener
	targetGroups
	// moved are the listeners and rules whose actions a deployment changes.
	moved []constructs.IConstruct
}

// newLoadBalancer makes the load balancer and its listeners. production and test are the default
// actions of the listeners, which depend on the controller. inside is the range of the VPC's own
// addresses.
func newLoadBalancer(scope constructs.Construct, l props.LoadBalancer, vpc awsec2.IVpc, inside string, groups targetGroups, production, test elb.ListenerAction) loadBalancer {
	group := awsec2.NewSecurityGroup(scope, jsii.String("LoadBalancerAccess"), &awsec2.SecurityGroupProps{
		Vpc:              vpc,
		Description:      jsii.String("Who may send requests to the load balancer"),
		AllowAllOutbound: jsii.Bool(false),
	})
	made := loadBalancer{
		access: group,
		balancer: elb.NewApplicationLoadBalancer(scope, jsii.String("LoadBalancer"), &elb.ApplicationLoadBalancerProps{
			Vpc:                     vpc,
			InternetFacing:          jsii.Bool(!l.Internal),
			VpcSubnets:              subnets(!l.Internal),
			SecurityGroup:           group,
			DropInvalidHeaderFields: jsii.Bool(true),
		}),
		targetGroups: groups,
	}
	cdk.Justify(made.balancer, cdk.Justification{Rule: "AwsSolutions-ELB2", Reason: "CloudFront logs the same requests; the balancer's log would need a bucket of its own, and names no one but CloudFront."})

	// A group must be deleted after the listeners, because by then a listener may lead to either
	// group, whatever the template says. So the load balancer depends on both groups. The listeners
	// themselves must not: an update of a listener would move visitors.
	for _, group := range []elb.ApplicationTargetGroup{made.blue, made.green} {
		cdk.Resource(made.balancer).AddResourceDependency(cdk.Resource(group), nil)
	}

	ports := l.ProductionPorts()
	made.production = newListener(made.balancer, "Production", l, ports[0], production)
	made.test = newListener(made.balancer, "Test", l, l.TestPort, test)
	made.moved = []constructs.IConstruct{made.production, made.test}
	if len(ports) > 1 {
		redirect := made.balancer.AddListener(jsii.String("Redirect"), &elb.BaseApplicationListenerProps{
			Port: jsii.Number(httpPort), Protocol: elb.ApplicationProtocol_HTTP, Open: jsii.Bool(false),
			DefaultAction: elb.ListenerAction_Redirect(&elb.RedirectOptions{
				Protocol: jsii.String("HTTPS"), Port: jsii.String("443"), Permanent: jsii.Bool(true),
			}),
		})
		// The production listener had this port while there was no certificate.
		redirect.Node().AddDependency(made.production)
		made.moved = append(made.moved, redirect)
	}

	allow := func(peer awsec2.IPeer, port int, what string) {
		group.AddIngressRule(peer, awsec2.Port_Tcp(jsii.Number(port)), jsii.String(what), nil)
	}
	for _, port := range ports {
		for _, cidr := range l.AllowedRanges() {
			allow(awsec2.Peer_Ipv4(jsii.String(cidr)), port, "Requests")
		}
	}
	if l.OriginPrefixListID != "" {
		allowCloudFront(l, made.balancer, group, vpc)
	}
	testers := l.TestFrom
	if len(testers) == 0 {
		testers = []string{inside}
	}
	for _, cidr := range testers {
		allow(awsec2.Peer_Ipv4(jsii.String(cidr)), l.TestPort, "Tests of the next version")
	}
	justifyAccess(l, group)
	return made
}

// allowCloudFront lets CloudFront send requests, by a security group of its own. The prefix list
// counts as 55 of the 60 rules that a group may have, and CloudFormation makes a new rule before it
// deletes the old one, so the rule cannot be replaced. It is therefore the same with a certificate
// and without: from port 80 to port 443. A distribution can use no port between these.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/LocationsOfEdgeServers.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html
func allowCloudFront(l props.LoadBalancer, balancer elb.ApplicationLoadBalancer, access awsec2.SecurityGroup, vpc awsec2.IVpc) {
	group := awsec2.NewSecurityGroup(balancer, jsii.String("CloudFront"), &awsec2.SecurityGroupProps{
		Vpc:              vpc,
		Description:      jsii.String("CloudFront may send requests to the load balancer"),
		AllowAllOutbound: jsii.Bool(false),
	})
	group.AddIngressRule(awsec2.Peer_PrefixList(jsii.String(l.OriginPrefixListID)), awsec2.Port_TcpRange(jsii.Number(httpPort), jsii.Number(httpsPort)), jsii.String("CloudFront"), nil)
	// Set on the resource, because the CDK would add rules to the tasks for this group, too.
	cdk.Resource(balancer).(elb.CfnLoadBalancer).SetSecurityGroups(&[]*string{access.SecurityGroupId(), group.SecurityGroupId()})
}

// justifyAccess tells cdk-nag why everybody may send requests, if so.
func justifyAccess(l props.LoadBalancer, group awsec2.SecurityGroup) {
	if slices.Contains(slices.Concat(l.AllowedRanges(), l.TestFrom), anywhere) {
		cdk.Justify(group, cdk.Justification{Rule: "AwsSolutions-EC23", Reason: "A website's load balancer: its owner has not said that CloudFront alone may reach it, with LoadBalancer.OriginPrefixListID."})
	}
}

// newListener makes a listener for HTTPS, or without a certificate for HTTP.
func newListener(balancer elb.ApplicationLoadBalancer, id string, l props.LoadBalancer, port int, action elb.ListenerAction) elb.ApplicationListener {
	settings := &elb.BaseApplicationListenerProps{
		Port:          jsii.Number(port),
		Protocol:      elb.ApplicationProtocol_HTTP,
		DefaultAction: action,
		// The CDK would let everybody in.
		Open: jsii.Bool(false),
	}
	if l.CertificateARN != "" {
		settings.Protocol = elb.ApplicationProtocol_HTTPS
		settings.Certificates = &[]elb.IListenerCertificate{elb.ListenerCertificate_FromArn(jsii.String(l.CertificateARN))}
		// TLS 1.3 and 1.2 without CBC.
		// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
		settings.SslPolicy = elb.SslPolicy_TLS13_RES
	}
	return balancer.AddListener(jsii.String(id), settings)
}

// targetGroups are the two groups of tasks that versions of the service use by turns.
type targetGroups struct{ blue, green elb.ApplicationTargetGroup }

func newTargetGroups(scope constructs.Construct, container props.Container, vpc awsec2.IVpc) targetGroups {
	return targetGroups{newTargetGroup(scope, "Blue", container, vpc), newTargetGroup(scope, "Green", container, vpc)}
}

const (
	// deregistrationDelay is shorter than AWS's default of 5 minutes, which is for a group that loses tasks
	// while it is in use. Here tasks stay for KeepOld after their last new request.
	deregistrationDelay = 30 * time.Second
	// A new version is healthy after two answers in a row, that is after 20 seconds.
	healthInterval     = 10 * time.Second
	healthTimeout      = 5 * time.Second
	healthy, unhealthy = 2, 3
)

func newTargetGroup(scope constructs.Construct, id string, container props.Container, vpc awsec2.IVpc) elb.ApplicationTargetGroup {
	return elb.NewApplicationTargetGroup(scope, jsii.String(id), &elb.ApplicationTargetGroupProps{
		Vpc:                 vpc,
		TargetType:          elb.TargetType_IP,
		Port:                jsii.Number(container.Port),
		Protocol:            elb.ApplicationProtocol_HTTP,
		DeregistrationDelay: cdk.Duration(deregistrationDelay),
		HealthCheck: &elb.HealthCheck{
			Path:                    jsii.String(container.HealthCheckPath),
			Interval:                cdk.Duration(healthInterval),
			Timeout:                 cdk.Duration(healthTimeout),
			HealthyThresholdCount:   jsii.Number(healthy),
			UnhealthyThresholdCount: jsii.Number(unhealthy),
		},
	})
}
