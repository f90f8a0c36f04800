package stacks

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
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
	httpPort, httpsPort = 80, 443
	anywhere            = "0.0.0.0/0"
	// AWS's default of 5 minutes is meant for a group that loses tasks while it is in
	// use; here they stay for KeepOld after the last new request.
	deregistrationDelay = 30 * time.Second
	// A new version is taken for healthy after two answers in a row, 20 seconds.
	healthInterval = 10 * time.Second
	healthTimeout  = 5 * time.Second
	healthy        = 2
	unhealthy      = 3

	// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
	maxRules = 60

	// minErrors a minute, so that one failed request at night rolls nothing back.
	minErrors              = 5
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

func (l LoadBalancer) validate(p *problems, inside netip.Prefix) {
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
	case port == httpPort || port == httpsPort:
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
	return len(l.productionPorts())*len(l.allowFrom()) + max(1, len(l.TestFrom))
}

// productionPorts are the production listener's port, and the one that leads there.
func (l LoadBalancer) productionPorts() []int {
	switch {
	case l.CertificateARN == "":
		return []int{httpPort}
	case l.NoRedirect:
		return []int{httpsPort}
	}
	return []int{httpsPort, httpPort}
}

// allowFrom returns the ranges that may send requests.
func (l LoadBalancer) allowFrom() []string {
	if len(l.AllowFrom) == 0 && l.OriginPrefixListID == "" {
		return []string{anywhere}
	}
	return l.AllowFrom
}

// loadBalancer is what deployments shift traffic with. Of the two groups of tasks,
// one is in production and the other waits for the next version.
type loadBalancer struct {
	balancer         elb.ApplicationLoadBalancer
	access           awsec2.SecurityGroup
	production, test elb.ApplicationListener
	blue, green      elb.ApplicationTargetGroup
	// moved are the listeners and rules, whose actions a deployment changes.
	moved []constructs.IConstruct
}

// newLoadBalancer makes the balancer, two target groups, and two listeners; who
// deploys decides what those do. inside is the range of the VPC's own addresses.
func newLoadBalancer(stack awscdk.Stack, l LoadBalancer, container Container, vpc awsec2.IVpc, inside string, action func(loadBalancer) (production, test elb.ListenerAction)) loadBalancer {
	group := awsec2.NewSecurityGroup(stack, jsii.String("LoadBalancerAccess"), &awsec2.SecurityGroupProps{
		Vpc:              vpc,
		Description:      jsii.String("Who may send requests to the load balancer"),
		AllowAllOutbound: jsii.Bool(false),
	})
	made := loadBalancer{
		access: group,
		balancer: elb.NewApplicationLoadBalancer(stack, jsii.String("LoadBalancer"), &elb.ApplicationLoadBalancerProps{
			Vpc:                     vpc,
			InternetFacing:          jsii.Bool(!l.Internal),
			VpcSubnets:              subnets(!l.Internal),
			SecurityGroup:           group,
			DropInvalidHeaderFields: jsii.Bool(true),
		}),
		blue:  newTargetGroup(stack, "Blue", container, vpc),
		green: newTargetGroup(stack, "Green", container, vpc),
	}
	justify(made.balancer, justification{rule: "AwsSolutions-ELB2", reason: "CloudFront logs the same requests; the balancer's log would need a bucket of its own, and names no one but CloudFront."})

	// Both groups go after the listeners, which name either by then, or both. Not the
	// listeners themselves depend on them: an update of those would move visitors.
	for _, group := range []elb.ApplicationTargetGroup{made.blue, made.green} {
		cfnResource(made.balancer).AddResourceDependency(cfnResource(group), nil)
	}

	production, test := action(made)
	ports := l.productionPorts()
	made.production = l.listener(made.balancer, "Production", ports[0], production)
	made.test = l.listener(made.balancer, "Test", l.TestPort, test)
	made.moved = []constructs.IConstruct{made.production, made.test}
	if len(ports) > 1 {
		redirect := made.balancer.AddListener(jsii.String("Redirect"), &elb.BaseApplicationListenerProps{
			Port: jsii.Number(httpPort), Protocol: elb.ApplicationProtocol_HTTP, Open: jsii.Bool(false),
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
		for _, cidr := range l.allowFrom() {
			allow(awsec2.Peer_Ipv4(jsii.String(cidr)), port, "Requests")
		}
	}
	if l.OriginPrefixListID != "" {
		l.allowCloudFront(made.balancer, group, vpc)
	}
	testers := l.TestFrom
	if len(testers) == 0 {
		testers = []string{inside}
	}
	for _, cidr := range testers {
		allow(awsec2.Peer_Ipv4(jsii.String(cidr)), l.TestPort, "Tests of the next version")
	}
	l.justifyAccess(group)
	return made
}

// allowCloudFront lets CloudFront in by a group of its own. The prefix list counts as 55 of a
// group's 60 rules, so there is no room for its next rule before the former one is gone, as
// CloudFormation wants it. The rule is therefore the same with a certificate and without;
// between these two ports are none that a distribution could name.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/LocationsOfEdgeServers.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html
func (l LoadBalancer) allowCloudFront(balancer elb.ApplicationLoadBalancer, access awsec2.SecurityGroup, vpc awsec2.IVpc) {
	group := awsec2.NewSecurityGroup(balancer, jsii.String("CloudFront"), &awsec2.SecurityGroupProps{
		Vpc:              vpc,
		Description:      jsii.String("CloudFront may send requests to the load balancer"),
		AllowAllOutbound: jsii.Bool(false),
	})
	group.AddIngressRule(awsec2.Peer_PrefixList(jsii.String(l.OriginPrefixListID)), awsec2.Port_TcpRange(jsii.Number(httpPort), jsii.Number(httpsPort)), jsii.String("CloudFront"), nil)
	// CDK would give this one rules for the tasks, too.
	cfnResource(balancer).(elb.CfnLoadBalancer).SetSecurityGroups(&[]*string{access.SecurityGroupId(), group.SecurityGroupId()})
}

// justifyAccess says why a range is open to all, where one is.
func (l LoadBalancer) justifyAccess(group awsec2.SecurityGroup) {
	if slices.Contains(slices.Concat(l.allowFrom(), l.TestFrom), anywhere) {
		justify(group, justification{rule: "AwsSolutions-EC23", reason: "A website's load balancer: its owner has not said that CloudFront alone may reach it, with LoadBalancer.OriginPrefixListID."})
	}
}

func (l LoadBalancer) listener(balancer elb.ApplicationLoadBalancer, id string, port int, action elb.ListenerAction) elb.ApplicationListener {
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

func newTargetGroup(stack awscdk.Stack, id string, container Container, vpc awsec2.IVpc) elb.ApplicationTargetGroup {
	seconds := func(d time.Duration) awscdk.Duration { return awscdk.Duration_Seconds(jsii.Number(d.Seconds())) }
	return elb.NewApplicationTargetGroup(stack, jsii.String(id), &elb.ApplicationTargetGroupProps{
		Vpc:                 vpc,
		TargetType:          elb.TargetType_IP,
		Port:                jsii.Number(container.Port),
		Protocol:            elb.ApplicationProtocol_HTTP,
		DeregistrationDelay: seconds(deregistrationDelay),
		HealthCheck: &elb.HealthCheck{
			Path:                    jsii.String(container.HealthCheckPath),
			Interval:                seconds(healthInterval),
			Timeout:                 seconds(healthTimeout),
			HealthyThresholdCount:   jsii.Number(healthy),
			UnhealthyThresholdCount: jsii.Number(unhealthy),
		},
	})
}

// newErrorAlarms watch for a version that answers with errors of its own. Each group has
// its alarm, whichever the new version is in: with few visitors at first, its errors would
// be lost among the former one's answers.
func newErrorAlarms(stack awscdk.Stack, balancer loadBalancer, owner owner, maxPercent int) []awscloudwatch.Alarm {
	var alarms []awscloudwatch.Alarm
	for _, group := range []struct {
		id      string
		targets elb.ApplicationTargetGroup
	}{{"Blue", balancer.blue}, {"Green", balancer.green}} {
		minute := &awscloudwatch.MetricOptions{Period: awscdk.Duration_Minutes(jsii.Number(1)), Statistic: jsii.String("Sum")}
		alarms = append(alarms, awscloudwatch.NewAlarm(stack, jsii.String(group.id+"Errors"), &awscloudwatch.AlarmProps{
			AlarmDescription: jsii.String(fmt.Sprintf("More than %d %% of the answers of the service %s are errors (5xx), and %d or more a minute: a deployment that is under way is rolled back", maxPercent, owner.name, minErrors)),
			Metric: awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
				Expression: jsii.String(fmt.Sprintf("IF(errors >= %d, 100 * errors / requests, 0)", minErrors)),
				Label:      jsii.String("Answers that are errors, in percent"),
				Period:     awscdk.Duration_Minutes(jsii.Number(1)),
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
