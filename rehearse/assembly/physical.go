package assembly

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// resourceKind describes what CloudFormation returns for a resource type. ref and the attributes are patterns
// with these placeholders:
//
//	{partition} {account} {region}  of the stack
//	{suffix}                        the URL suffix, such as amazonaws.com
//	{name}                          the resource's physical name
//	{path}                          the resource's Path property; default /
//	{hash}                          six characters that depend on the stack and the logical id
//	{hex}                           sixteen hexadecimal digits that depend on them
//	{parent}                        see parent
//
// Source: "Return values" of each type in the CloudFormation template reference;
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
type resourceKind struct {
	nameProperty string // the property that sets the physical name, such as "Budget.BudgetName"; optional
	// generate invents a name where the template sets none. It is nil for a type whose name is required.
	generate   func(stack, id string) string
	ref        string
	attributes map[string]string
	parent     parent
}

// parent describes the resource that another resource belongs to. property is the property that names the
// parent, and fallback is its default. If the value is an ARN that contains mark, {parent} is the text after the
// mark; otherwise {parent} is the whole value.
type parent struct{ property, mark, fallback string }

// resourceKinds lists the resource types that this project's stacks refer to. A reference to another type is an
// error. To support a type, add it with the values from its reference page.
var resourceKinds = map[string]resourceKind{
	"AWS::ApplicationAutoScaling::ScalableTarget": {
		nameProperty: "ResourceId",
		ref:          "{name}|ecs:service:DesiredCount|ecs",
	},
	"AWS::Budgets::Budget": {
		nameProperty: "Budget.BudgetName",
		generate:     stackIDHash(100),
		ref:          "{name}",
	},
	"AWS::CertificateManager::Certificate": {
		generate:   uuidOf,
		ref:        "arn:{partition}:acm:{region}:{account}:certificate/{name}",
		attributes: map[string]string{"CertificateArn": "arn:{partition}:acm:{region}:{account}:certificate/{name}"},
	},
	"AWS::CloudFront::Distribution": {
		generate: func(stack, id string) string { return "E" + hash(stack, id, 13) },
		ref:      "{name}",
		attributes: map[string]string{
			"Id":         "{name}",
			"DomainName": "d{hash}.cloudfront.net",
		},
	},
	"AWS::CloudFront::Function": {
		nameProperty: "Name",
		generate:     stackIDHash(64),
		ref:          "arn:{partition}:cloudfront::{account}:function/{name}",
		attributes: map[string]string{
			"FunctionARN":                  "arn:{partition}:cloudfront::{account}:function/{name}",
			"FunctionMetadata.FunctionARN": "arn:{partition}:cloudfront::{account}:function/{name}",
		},
	},
	"AWS::CloudFront::OriginAccessControl": {
		generate:   func(stack, id string) string { return "E" + hash(stack, id, 13) },
		ref:        "{name}",
		attributes: map[string]string{"Id": "{name}"},
	},
	"AWS::CloudFront::ResponseHeadersPolicy": {
		generate:   uuidOf,
		ref:        "{name}",
		attributes: map[string]string{"Id": "{name}"},
	},
	"AWS::CloudFront::VpcOrigin": {
		generate: func(stack, id string) string { return "vo_" + hash(stack, id, 22) },
		ref:      "{name}",
		attributes: map[string]string{
			"Arn": "arn:{partition}:cloudfront::{account}:vpcorigin/{name}",
			"Id":  "{name}",
		},
	},
	"AWS::CloudWatch::Alarm": {
		nameProperty: "AlarmName",
		generate:     stackIDHash(255),
		ref:          "{name}",
		attributes:   map[string]string{"Arn": "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}"},
	},
	"AWS::CodeBuild::Project": {
		nameProperty: "Name",
		generate:     func(stack, id string) string { return fit(id, 150, hash(stack, id, 12)) }, // The name has no stack name.
		ref:          "{name}",
		attributes:   map[string]string{"Arn": "arn:{partition}:codebuild:{region}:{account}:project/{name}"},
	},
	"AWS::CodeDeploy::Application": {
		nameProperty: "ApplicationName",
		generate:     stackIDHash(100),
		ref:          "{name}",
	},
	"AWS::CodeDeploy::DeploymentGroup": {
		nameProperty: "DeploymentGroupName",
		generate:     stackIDHash(100),
		ref:          "{name}",
	},
	"AWS::CodePipeline::Pipeline": {
		nameProperty: "Name",
		generate:     stackIDHash(100),
		ref:          "{name}",
		attributes:   map[string]string{"Version": "1"},
	},
	"AWS::EC2::EIP": {
		generate:   hexID("eipalloc"),
		ref:        "198.51.100.1", // an address that is reserved for documentation
		attributes: map[string]string{"AllocationId": "{name}", "PublicIp": "198.51.100.1"},
	},
	"AWS::EC2::InternetGateway": {
		generate:   hexID("igw"),
		ref:        "{name}",
		attributes: map[string]string{"InternetGatewayId": "{name}"},
	},
	"AWS::EC2::NatGateway": {
		generate:   hexID("nat"),
		ref:        "{name}",
		attributes: map[string]string{"NatGatewayId": "{name}"},
	},
	"AWS::EC2::RouteTable": {
		generate:   hexID("rtb"),
		ref:        "{name}",
		attributes: map[string]string{"RouteTableId": "{name}"},
	},
	"AWS::EC2::SecurityGroup": {
		generate:   hexID("sg"),
		ref:        "{name}",
		attributes: map[string]string{"GroupId": "{name}", "Id": "{name}"},
	},
	"AWS::EC2::Subnet": {
		generate:   hexID("subnet"),
		ref:        "{name}",
		attributes: map[string]string{"SubnetId": "{name}"},
	},
	"AWS::EC2::VPC": {
		generate:   hexID("vpc"),
		ref:        "{name}",
		attributes: map[string]string{"VpcId": "{name}", "CidrBlock": "{parent}"},
		parent:     parent{property: "CidrBlock"},
	},
	"AWS::ECR::Repository": {
		nameProperty: "RepositoryName",
		generate:     func(stack, id string) string { return strings.ToLower(stackIDHash(256)(stack, id)) },
		ref:          "{name}",
		attributes: map[string]string{
			"Arn":           "arn:{partition}:ecr:{region}:{account}:repository/{name}",
			"RepositoryUri": "{account}.dkr.ecr.{region}.{suffix}/{name}",
		},
	},
	"AWS::ECS::Cluster": {
		nameProperty: "ClusterName",
		generate:     stackIDHash(255),
		ref:          "{name}",
		attributes:   map[string]string{"Arn": "arn:{partition}:ecs:{region}:{account}:cluster/{name}"},
	},
	"AWS::ECS::Service": {
		nameProperty: "ServiceName",
		generate:     stackIDHash(255),
		ref:          "arn:{partition}:ecs:{region}:{account}:service/{parent}/{name}",
		attributes: map[string]string{
			"Name":       "{name}",
			"ServiceArn": "arn:{partition}:ecs:{region}:{account}:service/{parent}/{name}",
		},
		parent: parent{"Cluster", ":cluster/", "default"},
	},
	"AWS::ECS::TaskDefinition": {
		nameProperty: "Family",
		generate:     stackIDHash(255),
		ref:          "arn:{partition}:ecs:{region}:{account}:task-definition/{name}:1",
		attributes:   map[string]string{"TaskDefinitionArn": "arn:{partition}:ecs:{region}:{account}:task-definition/{name}:1"},
	},
	"AWS::ElasticLoadBalancingV2::Listener": {
		generate:   hexID16,
		ref:        "arn:{partition}:elasticloadbalancing:{region}:{account}:listener/{parent}/{name}",
		attributes: map[string]string{"ListenerArn": "arn:{partition}:elasticloadbalancing:{region}:{account}:listener/{parent}/{name}"},
		parent:     parent{property: "LoadBalancerArn", mark: ":loadbalancer/"},
	},
	"AWS::ElasticLoadBalancingV2::ListenerRule": {
		generate:   hexID16,
		ref:        "arn:{partition}:elasticloadbalancing:{region}:{account}:listener-rule/{parent}/{name}",
		attributes: map[string]string{"RuleArn": "arn:{partition}:elasticloadbalancing:{region}:{account}:listener-rule/{parent}/{name}"},
		parent:     parent{property: "ListenerArn", mark: ":listener/"},
	},
	// This is an Application Load Balancer. ARNs of the other kinds have net or gwy in place of app.
	"AWS::ElasticLoadBalancingV2::LoadBalancer": {
		nameProperty: "Name",
		generate:     stackIDHash(32),
		ref:          "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/{hex}",
		attributes: map[string]string{
			"DNSName":              "{name}-{hash}.{region}.elb.{suffix}",
			"LoadBalancerArn":      "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/{hex}",
			"LoadBalancerFullName": "app/{name}/{hex}",
			"LoadBalancerName":     "{name}",
		},
	},
	"AWS::ElasticLoadBalancingV2::TargetGroup": {
		nameProperty: "Name",
		generate:     stackIDHash(32),
		ref:          "arn:{partition}:elasticloadbalancing:{region}:{account}:targetgroup/{name}/{hex}",
		attributes: map[string]string{
			"TargetGroupArn":      "arn:{partition}:elasticloadbalancing:{region}:{account}:targetgroup/{name}/{hex}",
			"TargetGroupFullName": "targetgroup/{name}/{hex}",
			"TargetGroupName":     "{name}",
		},
	},
	"AWS::Events::Rule": {
		nameProperty: "Name",
		generate:     stackIDHash(64),
		ref:          "{name}",
		attributes:   map[string]string{"Arn": "arn:{partition}:events:{region}:{account}:rule/{name}"},
	},
	"AWS::IAM::ManagedPolicy": {
		nameProperty: "ManagedPolicyName",
		generate:     stackIDHash(128),
		ref:          "arn:{partition}:iam::{account}:policy{path}{name}",
		attributes:   map[string]string{"PolicyArn": "arn:{partition}:iam::{account}:policy{path}{name}"},
	},
	"AWS::IAM::Role": {
		nameProperty: "RoleName",
		generate:     stackIDHash(64),
		ref:          "{name}",
		attributes:   map[string]string{"Arn": "arn:{partition}:iam::{account}:role{path}{name}"},
	},
	"AWS::Lambda::Function": {
		nameProperty: "FunctionName",
		generate:     stackIDHash(64),
		ref:          "{name}",
		attributes:   map[string]string{"Arn": "arn:{partition}:lambda:{region}:{account}:function:{name}"},
	},
	"AWS::Logs::Delivery": {
		generate: func(stack, id string) string { return hash(stack, id, 16) },
		ref:      "{name}",
		attributes: map[string]string{
			"Arn":        "arn:{partition}:logs:{region}:{account}:delivery:{name}",
			"DeliveryId": "{name}",
		},
	},
	"AWS::Logs::DeliveryDestination": {
		nameProperty: "Name",
		generate:     stackIDHash(60),
		ref:          "{name}",
		attributes:   map[string]string{"Arn": "arn:{partition}:logs:{region}:{account}:delivery-destination:{name}"},
	},
	"AWS::Logs::DeliverySource": {
		nameProperty: "Name",
		generate:     stackIDHash(60),
		ref:          "{name}",
		attributes:   map[string]string{"Arn": "arn:{partition}:logs:{region}:{account}:delivery-source:{name}"},
	},
	"AWS::Logs::LogGroup": {
		nameProperty: "LogGroupName",
		generate:     stackIDHash(512),
		ref:          "{name}",
		attributes:   map[string]string{"Arn": "arn:{partition}:logs:{region}:{account}:log-group:{name}:*"},
	},
	"AWS::Route53::RecordSet": {
		nameProperty: "Name",
		ref:          "{name}",
	},
	"AWS::S3::Bucket": {
		nameProperty: "BucketName",
		generate:     func(stack, id string) string { return strings.ToLower(stackIDHash(63)(stack, id)) },
		ref:          "{name}",
		attributes: map[string]string{
			"Arn":                "arn:{partition}:s3:::{name}",
			"DomainName":         "{name}.s3.{suffix}",
			"RegionalDomainName": "{name}.s3.{region}.{suffix}",
		},
	},
	"AWS::S3::BucketPolicy": {
		nameProperty: "Bucket",
		ref:          "{name}",
	},
	"AWS::SNS::Topic": {
		nameProperty: "TopicName",
		generate:     stackIDHash(256),
		ref:          "arn:{partition}:sns:{region}:{account}:{name}",
		attributes: map[string]string{
			"TopicArn":  "arn:{partition}:sns:{region}:{account}:{name}",
			"TopicName": "{name}",
		},
	},
	// The CDK's function returns no physical id, so CloudFormation uses the id of its request.
	"Custom::S3AutoDeleteObjects": {
		generate: uuidOf,
		ref:      "{name}",
	},
}

// errNoConditions is the error for an element that CloudFormation creates only if a condition is true.
var errNoConditions = errors.New("the rehearsal does not support conditions")

func (r *resolver) physicalRef(id string) (any, error) {
	resource, kind, err := r.lookUp(id)
	if err != nil {
		return nil, err
	}
	return r.fill(kind.ref, id, resource, kind)
}

func (r *resolver) physicalAttribute(id, attribute string) (any, error) {
	resource, kind, err := r.lookUp(id)
	if err != nil {
		return nil, err
	}
	pattern, ok := kind.attributes[attribute]
	if !ok {
		known := slices.Sorted(maps.Keys(kind.attributes))
		return nil, fmt.Errorf("%s.%s: the rehearsal does not support this attribute of %s; it supports %s",
			id, attribute, resource.Type, strings.Join(known, ", "))
	}
	return r.fill(pattern, id, resource, kind)
}

func (r *resolver) lookUp(id string) (Resource, resourceKind, error) {
	resource, ok := r.template.Resources[id]
	if !ok {
		return Resource{}, resourceKind{}, fmt.Errorf("%s: the template has no such parameter or resource", id)
	}
	if resource.Condition != "" {
		return Resource{}, resourceKind{}, fmt.Errorf("%s has the condition %s: %w", id, resource.Condition, errNoConditions)
	}
	kind, ok := resourceKinds[resource.Type]
	if !ok {
		return Resource{}, resourceKind{}, fmt.Errorf("%s: the rehearsal does not support the resource type %s", id, resource.Type)
	}
	return resource, kind, nil
}

func (r *resolver) fill(pattern, id string, resource Resource, kind resourceKind) (string, error) {
	leave, err := r.enter("resource " + id)
	if err != nil {
		return "", err
	}
	defer leave()
	t := r.template
	generated := ""
	if kind.generate != nil {
		generated = kind.generate(t.Name, id)
	}
	name, err := r.property(id, resource, kind.nameProperty, generated)
	if err != nil {
		return "", err
	}
	path, err := r.property(id, resource, "Path", "/")
	if err != nil {
		return "", err
	}
	suffix, err := r.text(map[string]any{"Ref": "AWS::URLSuffix"})
	if err != nil {
		return "", err
	}
	parent, err := r.property(id, resource, kind.parent.property, kind.parent.fallback)
	if err != nil {
		return "", err
	}
	if _, after, found := strings.Cut(parent, kind.parent.mark); found && kind.parent.mark != "" {
		parent = after
	}
	if parent == "" && strings.Contains(pattern, "{parent}") {
		return "", fmt.Errorf("%s.%s is not in the template", id, kind.parent.property)
	}
	return strings.NewReplacer(
		"{partition}", t.Partition,
		"{account}", t.Account,
		"{region}", t.Region,
		"{suffix}", suffix,
		"{name}", name,
		"{path}", path,
		"{parent}", parent,
		"{hex}", hexID16(t.Name, id),
		"{hash}", strings.ToLower(hash(t.Name, id, 6)),
	).Replace(pattern), nil
}

// property returns a string property of a resource, or the fallback if the template does not set the property.
// Dots lead into nested properties. For the empty name it returns the fallback.
func (r *resolver) property(id string, resource Resource, property, fallback string) (string, error) {
	v := any(resource.Properties)
	for part := range strings.SplitSeq(property, ".") {
		properties, _ := v.(map[string]any)
		if v = properties[part]; v == nil {
			return fallback, nil
		}
	}
	resolved, err := r.value(v)
	if err != nil {
		return "", fmt.Errorf("%s.%s: %w", id, property, err)
	}
	if resolved == noValue {
		return fallback, nil
	}
	s, ok := resolved.(string)
	if !ok {
		return "", fmt.Errorf("%s.%s: got a %T, want a string", id, property, resolved)
	}
	return s, nil
}

// stackIDHash generates names of at most limit characters as CloudFormation does: from the stack's name, the
// logical id and a suffix. CloudFormation's suffix is random; here it is a hash.
func stackIDHash(limit int) func(stack, id string) string {
	return func(stack, id string) string {
		return fit(stack+"-"+id, limit, hash(stack, id, 12))
	}
}

// hexID generates ids like those of EC2, such as vpc-0123456789abcdef0.
func hexID(kind string) func(stack, id string) string {
	return func(stack, id string) string { return kind + "-0" + hexID16(stack, id) }
}

// hexID16 generates ids like those of Elastic Load Balancing.
func hexID16(stack, id string) string {
	sum := sha256.Sum256([]byte(stack + "\x00" + id))
	return fmt.Sprintf("%x", sum[:8])
}

// fit joins prefix and suffix. If the name is longer than limit, fit shortens the prefix, because the suffix
// makes the name unique.
func fit(prefix string, limit int, suffix string) string {
	if room := limit - len(suffix) - 1; len(prefix) > room {
		prefix = strings.TrimRight(prefix[:room], "-")
	}
	return prefix + "-" + suffix
}

// hash returns n characters of A-Z and 2-7 that depend only on the stack and the logical id; n is at most 52.
func hash(stack, id string, n int) string {
	sum := sha256.Sum256([]byte(stack + "\x00" + id))
	return base32.StdEncoding.EncodeToString(sum[:])[:n]
}

// uuidOf returns a UUID that depends only on the stack and the logical id.
func uuidOf(stack, id string) string { return uuid.NewSHA1(uuid.Nil, []byte(stack+"\x00"+id)).String() }
