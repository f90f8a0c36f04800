package service

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// loadBalancer is what deployments shift traffic with. Of the two groups of tasks,
// one is in production and the other waits for the next version.
type loadBalancer struct {
	balancer         elb.ApplicationLoadBalancer
	access           awsec2.SecurityGroup
	production, test elb.ApplicationListener
	targetGroups
	// moved are the listeners and rules, whose actions a deployment changes.
	moved []constructs.IConstruct
}

// newLoadBalancer makes the balancer, two target groups, and two listeners; who
// deploys decides what those do. inside is the range of the VPC's own addresses.
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

	// Both groups go after the listeners, which name either by then, or both. Not the
	// listeners themselves depend on them: an update of those would move visitors.
	for _, group := range []elb.ApplicationTargetGroup{made.blue, made.green} {
		cdk.Resource(made.balancer).AddResourceDependency(cdk.Resource(group), nil)
	}

	ports := l.ProductionPorts()
	made.production = listener(l, made.balancer, "Production", ports[0], production)
	made.test = listener(l, made.balancer, "Test", l.TestPort, test)
	made.moved = []constructs.IConstruct{made.production, made.test}
	if len(ports) > 1 {
		redirect := made.balancer.AddListener(jsii.String("Redirect"), &elb.BaseApplicationListenerProps{
			Port: jsii.Number(props.HttpPort), Protocol: elb.ApplicationProtocol_HTTP, Open: jsii.Bool(false),
			DefaultAction: elb.ListenerAction_Redirect(&elb.RedirectOptions{
				Protocol: jsii.String("HTTPS"), Port: jsii.String("443"), Permanent: jsii.Bool(true),
			}),
		})
		// Which had this port before there was a certificate.
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

// allowCloudFront lets CloudFront in by a group of its own. The prefix list counts as 55 of a
// group's 60 rules, so there is no room for its next rule before the former one is gone, as
// CloudFormation wants it. The rule is therefore the same with a certificate and without;
// between these two ports are none that a distribution could name.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/LocationsOfEdgeServers.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html
func allowCloudFront(l props.LoadBalancer, balancer elb.ApplicationLoadBalancer, access awsec2.SecurityGroup, vpc awsec2.IVpc) {
	group := awsec2.NewSecurityGroup(balancer, jsii.String("CloudFront"), &awsec2.SecurityGroupProps{
		Vpc:              vpc,
		Description:      jsii.String("CloudFront may send requests to the load balancer"),
		AllowAllOutbound: jsii.Bool(false),
	})
	group.AddIngressRule(awsec2.Peer_PrefixList(jsii.String(l.OriginPrefixListID)), awsec2.Port_TcpRange(jsii.Number(props.HttpPort), jsii.Number(props.HttpsPort)), jsii.String("CloudFront"), nil)
	// CDK would give this one rules for the tasks, too.
	cdk.Resource(balancer).(elb.CfnLoadBalancer).SetSecurityGroups(&[]*string{access.SecurityGroupId(), group.SecurityGroupId()})
}

// justifyAccess says why a range is open to all, where one is.
func justifyAccess(l props.LoadBalancer, group awsec2.SecurityGroup) {
	if slices.Contains(slices.Concat(l.AllowedRanges(), l.TestFrom), props.Anywhere) {
		cdk.Justify(group, cdk.Justification{Rule: "AwsSolutions-EC23", Reason: "A website's load balancer: its owner has not said that CloudFront alone may reach it, with LoadBalancer.OriginPrefixListID."})
	}
}

func listener(l props.LoadBalancer, balancer elb.ApplicationLoadBalancer, id string, port int, action elb.ListenerAction) elb.ApplicationListener {
	props := &elb.BaseApplicationListenerProps{
		Port:          jsii.Number(port),
		Protocol:      elb.ApplicationProtocol_HTTP,
		DefaultAction: action,
		// Its rule would let in everybody.
		Open: jsii.Bool(false),
	}
	if l.CertificateARN != "" {
		props.Protocol = elb.ApplicationProtocol_HTTPS
		props.Certificates = &[]elb.IListenerCertificate{elb.ListenerCertificate_FromArn(jsii.String(l.CertificateARN))}
		// TLS 1.3 and 1.2 without CBC.
		// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
		props.SslPolicy = elb.SslPolicy_TLS13_RES
	}
	return balancer.AddListener(jsii.String(id), props)
}

// targetGroups are the two that versions of the service are behind by turns.
type targetGroups struct{ blue, green elb.ApplicationTargetGroup }

func newTargetGroups(scope constructs.Construct, container props.Container, vpc awsec2.IVpc) targetGroups {
	return targetGroups{newTargetGroup(scope, "Blue", container, vpc), newTargetGroup(scope, "Green", container, vpc)}
}

func newTargetGroup(scope constructs.Construct, id string, container props.Container, vpc awsec2.IVpc) elb.ApplicationTargetGroup {
	return elb.NewApplicationTargetGroup(scope, jsii.String(id), &elb.ApplicationTargetGroupProps{
		Vpc:                 vpc,
		TargetType:          elb.TargetType_IP,
		Port:                jsii.Number(container.Port),
		Protocol:            elb.ApplicationProtocol_HTTP,
		DeregistrationDelay: cdk.Duration(props.DeregistrationDelay),
		HealthCheck: &elb.HealthCheck{
			Path:                    jsii.String(container.HealthCheckPath),
			Interval:                cdk.Duration(props.HealthInterval),
			Timeout:                 cdk.Duration(props.HealthTimeout),
			HealthyThresholdCount:   jsii.Number(props.Healthy),
			UnhealthyThresholdCount: jsii.Number(props.Unhealthy),
		},
	})
}

// newErrorAlarms watch for a version that answers with errors of its own. Each group has
// its alarm, whichever the new version is in: with few visitors at first, its errors would
// be lost among the former one's answers.
func newErrorAlarms(scope constructs.Construct, balancer loadBalancer, serviceName string, maxPercent int) []awscloudwatch.Alarm {
	var alarms []awscloudwatch.Alarm
	for _, group := range []struct {
		id      string
		targets elb.ApplicationTargetGroup
	}{{"Blue", balancer.blue}, {"Green", balancer.green}} {
		minute := &awscloudwatch.MetricOptions{Period: cdk.Duration(time.Minute), Statistic: jsii.String("Sum")}
		alarms = append(alarms, awscloudwatch.NewAlarm(scope, jsii.String(group.id+"Errors"), &awscloudwatch.AlarmProps{
			AlarmDescription: jsii.String(fmt.Sprintf("More than %d %% of the answers of the service %s are errors (5xx), and %d or more a minute: a deployment that is under way is rolled back", maxPercent, serviceName, props.MinErrors)),
			Metric: awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
				Expression: jsii.String(fmt.Sprintf("IF(errors >= %d, 100 * errors / requests, 0)", props.MinErrors)),
				Label:      jsii.String("Answers that are errors, in percent"),
				Period:     cdk.Duration(time.Minute),
				UsingMetrics: &map[string]awscloudwatch.IMetric{
					"errors":   group.targets.Metrics().HttpCodeTarget(elb.HttpCodeTarget_TARGET_5XX_COUNT, minute),
					"requests": group.targets.Metrics().RequestCount(minute),
				},
			}),
			Threshold:          jsii.Number(maxPercent),
			ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
			EvaluationPeriods:  jsii.Number(1),
			// Errors are counted only where there are some.
			TreatMissingData: awscloudwatch.TreatMissingData_NOT_BREACHING,
		}))
	}
	return alarms
}
