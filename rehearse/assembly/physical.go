package assembly

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// resourceKind says what CloudFormation answers for a resource type: the Ref,
// the attributes and how it makes up a name. ref and the attributes are
// patterns with {partition}, {account}, {region}, {suffix} (the URL suffix),
// {name} (the physical name), {path} (the Path property, default /), {hash}
// (six characters that are the resource's own), {hex} (sixteen hexadecimal
// digits that are) and {parent}, what of another
// resource's Ref is in its ARN.
//
// Source: "Return values" of each type in the CloudFormation template
// reference; https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
type resourceKind struct {
	nameProperty string // the property that sets the physical name, if there is one; dots lead into it
	generate     func(stack, id string) string
	ref          string
	attributes   map[string]string
	parent       parent
}

// parent is the property that names the resource another one belongs to, and
// the mark in that resource's ARN after which {parent} begins. What has no mark
// is a name, and taken whole.
type parent struct{ property, mark, fallback string }

// resourceKinds lists the types a delivery pipeline is made of. A type that is
// missing here is an error where something refers to it; add it with the
// values its reference page gives.
var resourceKinds = map[string]resourceKind{
	"AWS::ApplicationAutoScaling::ScalableTarget": {
		nameProperty: "ResourceId", // required
		generate:     func(string, string) string { return "" },
		ref:          "{name}|ecs:service:DesiredCount|ecs",
	},
	"AWS::Budgets::Budget": {
		nameProperty: "Budget.BudgetName",
		generate:     stackIDHash(100),
		ref:          "{name}",
	},
	"AWS::CertificateManager::Certificate": {
		generate:   func(stack, id string) string { return uuidFor(stack, id) },
		ref:        "arn:{partition}:acm:{region}:{account}:certificate/{name}",
		attributes: map[string]string{"CertificateArn": "arn:{partition}:acm:{region}:{account}:certificate/{name}"},
	},
	"AWS::CloudFront::CachePolicy": {
		generate:   func(stack, id string) string { return uuidFor(stack, id) },
		ref:        "{name}",
		attributes: map[string]string{"Id": "{name}"},
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
		generate:   func(stack, id string) string { return uuidFor(stack, id) },
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
		generate:     func(stack, id string) string { return fit(id, 150, hash(stack, id, 12)) }, // no stack name here
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
		ref:        "198.51.100.1", // of a range for documentation
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
		ref:        "{name}", // of a group in a VPC
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
	// Of an Application Load Balancer; the others' ARNs have net or gwy for app.
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
	"AWS::KMS::Key": {
		generate: func(stack, id string) string { return uuidFor(stack, id) },
		ref:      "{name}",
		attributes: map[string]string{
			"Arn":   "arn:{partition}:kms:{region}:{account}:key/{name}",
			"KeyId": "{name}",
		},
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
		nameProperty: "Name", // required
		generate:     func(string, string) string { return "" },
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
		nameProperty: "Bucket", // required
		generate:     func(string, string) string { return "" },
		ref:          "{name}",
	},
	"AWS::SecretsManager::Secret": {
		nameProperty: "Name",
		generate:     func(stack, id string) string { return fit(id, 512, hash(stack, id, 12)) },
		ref:          "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{hash}",
		attributes:   map[string]string{"Id": "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{hash}"},
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
	"AWS::SQS::Queue": {
		nameProperty: "QueueName",
		generate:     stackIDHash(80),
		ref:          "https://sqs.{region}.{suffix}/{account}/{name}",
		attributes: map[string]string{
			"Arn":       "arn:{partition}:sqs:{region}:{account}:{name}",
			"QueueName": "{name}",
			"QueueUrl":  "https://sqs.{region}.{suffix}/{account}/{name}",
		},
	},
	// CDK's own, whose functions name nothing: CloudFormation does, by the id of the request.
	"Custom::S3AutoDeleteObjects": {
		generate: func(stack, id string) string { return uuidFor(stack, id) },
		ref:      "{name}",
	},
}

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
		return nil, fmt.Errorf("%s.%s: attribute of %s is not known to the rehearsal (it knows %s)",
			id, attribute, resource.Type, strings.Join(known, ", "))
	}
	return r.fill(pattern, id, resource, kind)
}

func (r *resolver) lookUp(id string) (Resource, resourceKind, error) {
	resource, ok := r.template.Resources[id]
	if !ok {
		return Resource{}, resourceKind{}, fmt.Errorf("%s: no such parameter or resource", id)
	}
	if resource.Condition != "" {
		holds, err := r.conditionNamed(resource.Condition)
		if err != nil {
			return Resource{}, resourceKind{}, fmt.Errorf("%s: %w", id, err)
		}
		if !holds {
			return Resource{}, resourceKind{}, fmt.Errorf("%s: not created, since condition %s is false", id, resource.Condition)
		}
	}
	kind, ok := resourceKinds[resource.Type]
	if !ok {
		return Resource{}, resourceKind{}, fmt.Errorf("%s: resource type %s is not known to the rehearsal", id, resource.Type)
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
	name, err := r.property(id, resource, kind.nameProperty, kind.generate(t.Name, id))
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
		return "", fmt.Errorf("%s.%s: not in the template", id, kind.parent.property)
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

// property returns a string property of a resource, or the fallback where the
// template does not set it. The empty property name is never set.
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

// stackIDHash generates names like CloudFormation's own: the stack's name, the
// logical id and something random, here a hash, within limit characters.
func stackIDHash(limit int) func(stack, id string) string {
	return func(stack, id string) string {
		return fit(stack+"-"+id, limit, hash(stack, id, 12))
	}
}

// hexID generates ids like those of EC2.
func hexID(kind string) func(stack, id string) string {
	return func(stack, id string) string { return kind + "-0" + hexID16(stack, id) }
}

// hexID16 generates ids like those of Elastic Load Balancing.
func hexID16(stack, id string) string {
	sum := sha256.Sum256([]byte(stack + "\x00" + id))
	return fmt.Sprintf("%x", sum[:8])
}

// fit cuts the prefix, never the suffix that makes the name unique.
func fit(prefix string, limit int, suffix string) string {
	if room := limit - len(suffix) - 1; len(prefix) > room {
		prefix = strings.TrimRight(prefix[:room], "-")
	}
	return prefix + "-" + suffix
}

// hash returns n (at most 52) characters of A-Z and 2-7 that depend on stack
// and logical id only.
func hash(stack, id string, n int) string {
	sum := sha256.Sum256([]byte(stack + "\x00" + id))
	return base32.StdEncoding.EncodeToString(sum[:])[:n]
}

func uuidFor(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	sum[6] = sum[6]&0x0f | 0x40 // version 4
	sum[8] = sum[8]&0x3f | 0x80 // variant of RFC 9562
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
