package assembly

import (
	"regexp"
	"strings"
	"testing"
)

func TestPhysicalNames(t *testing.T) {
	// The test resolves each type once with the name that the template sets and once with a generated name. The
	// patterns are AWS's own where AWS documents one.
	tests := []struct {
		cfnType    string
		properties string // with the name blog
		attribute  string // "" stands for Ref
		want       string
		generated  string // a regular expression
	}{
		{"AWS::Budgets::Budget", `{"Budget": {"BudgetName": "blog"}}`, "", "blog", `^Blog-Thing-[A-Z2-7]{12}$`},
		{"AWS::CertificateManager::Certificate", `{}`, "", "", `^arn:aws:acm:us-east-1:123456789012:certificate/[0-9a-f-]{36}$`},
		{"AWS::CertificateManager::Certificate", `{}`, "CertificateArn", "", `^arn:aws:acm:us-east-1:123456789012:certificate/[0-9a-f-]{36}$`},
		{"AWS::CloudFront::Distribution", `{}`, "", "", `^E[A-Z0-9]{13}$`},
		{"AWS::CloudFront::Distribution", `{}`, "Id", "", `^E[A-Z0-9]{13}$`},
		{"AWS::CloudFront::Distribution", `{}`, "DomainName", "", `^d[a-z0-9]+\.cloudfront\.net$`},
		{"AWS::CloudFront::Function", `{"Name": "blog"}`, "", "arn:aws:cloudfront::123456789012:function/blog", `:function/[a-zA-Z0-9-_]{1,64}$`},
		{"AWS::CloudFront::Function", `{"Name": "blog"}`, "FunctionARN", "arn:aws:cloudfront::123456789012:function/blog", `:function/`},
		{"AWS::CloudFront::Function", `{"Name": "blog"}`, "FunctionMetadata.FunctionARN", "arn:aws:cloudfront::123456789012:function/blog", `:function/`},
		{"AWS::CloudFront::OriginAccessControl", `{}`, "", "", `^E[A-Z0-9]{13}$`},
		{"AWS::CloudFront::OriginAccessControl", `{}`, "Id", "", `^E[A-Z0-9]{13}$`},
		{"AWS::CloudFront::ResponseHeadersPolicy", `{}`, "", "", `^[0-9a-f-]{36}$`},
		{"AWS::CloudFront::ResponseHeadersPolicy", `{}`, "Id", "", `^[0-9a-f-]{36}$`},
		{"AWS::CloudWatch::Alarm", `{"AlarmName": "blog"}`, "Arn", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:blog", `:alarm:Blog-Thing-[A-Z2-7]{12}$`},
		{"AWS::CodeBuild::Project", `{"Name": "blog"}`, "", "blog", `^[A-Za-z0-9][A-Za-z0-9_-]{1,149}$`},
		{"AWS::CodeBuild::Project", `{"Name": "blog"}`, "Arn", "arn:aws:codebuild:us-east-1:123456789012:project/blog", `:project/Thing-[A-Z2-7]{12}$`},
		{"AWS::CodeDeploy::Application", `{"ApplicationName": "blog"}`, "", "blog", `^Blog-Thing-[A-Z2-7]{12}$`},
		{"AWS::CodeDeploy::DeploymentGroup", `{"DeploymentGroupName": "blog"}`, "", "blog", `^Blog-Thing-[A-Z2-7]{12}$`},
		{"AWS::CodePipeline::Pipeline", `{"Name": "blog"}`, "", "blog", `^[A-Za-z0-9.@_-]{1,100}$`},
		{"AWS::EC2::EIP", `{}`, "AllocationId", "", `^eipalloc-[0-9a-f]{17}$`},
		{"AWS::EC2::EIP", `{}`, "", "198.51.100.1", `^198\.51\.100\.1$`},
		{"AWS::EC2::InternetGateway", `{}`, "", "", `^igw-[0-9a-f]{17}$`},
		{"AWS::EC2::NatGateway", `{}`, "", "", `^nat-[0-9a-f]{17}$`},
		{"AWS::EC2::RouteTable", `{}`, "", "", `^rtb-[0-9a-f]{17}$`},
		{"AWS::EC2::SecurityGroup", `{}`, "GroupId", "", `^sg-[0-9a-f]{17}$`},
		{"AWS::EC2::Subnet", `{}`, "", "", `^subnet-[0-9a-f]{17}$`},
		{"AWS::EC2::VPC", `{}`, "", "", `^vpc-[0-9a-f]{17}$`},
		{"AWS::ECR::Repository", `{"RepositoryName": "blog"}`, "", "blog", `^blog-thing-[a-z2-7]{12}$`},
		{"AWS::ECR::Repository", `{"RepositoryName": "blog"}`, "Arn", "arn:aws:ecr:us-east-1:123456789012:repository/blog", `:repository/blog-thing-`},
		{"AWS::ECR::Repository", `{"RepositoryName": "blog"}`, "RepositoryUri", "123456789012.dkr.ecr.us-east-1.amazonaws.com/blog", `/blog-thing-[a-z2-7]{12}$`},
		{"AWS::ECS::Cluster", `{"ClusterName": "blog"}`, "", "blog", `^Blog-Thing-[A-Z2-7]{12}$`},
		{"AWS::ECS::Cluster", `{"ClusterName": "blog"}`, "Arn", "arn:aws:ecs:us-east-1:123456789012:cluster/blog", `:cluster/Blog-Thing-`},
		{"AWS::ECS::Service", `{"ServiceName": "blog"}`, "", "arn:aws:ecs:us-east-1:123456789012:service/default/blog", `:service/default/Blog-Thing-[A-Z2-7]{12}$`},
		{"AWS::ECS::Service", `{"ServiceName": "blog", "Cluster": "production"}`, "ServiceArn", "arn:aws:ecs:us-east-1:123456789012:service/production/blog", ``},
		{"AWS::ECS::Service", `{"ServiceName": "blog", "Cluster": "arn:aws:ecs:us-east-1:123456789012:cluster/production"}`, "ServiceArn", "arn:aws:ecs:us-east-1:123456789012:service/production/blog", ``},
		{"AWS::ECS::Service", `{"ServiceName": "blog"}`, "Name", "blog", `^Blog-Thing-`},
		{"AWS::ECS::TaskDefinition", `{"Family": "blog"}`, "", "arn:aws:ecs:us-east-1:123456789012:task-definition/blog:1", `:task-definition/Blog-Thing-[A-Z2-7]{12}:1$`},
		{"AWS::ElasticLoadBalancingV2::LoadBalancer", `{"Name": "blog"}`, "", "", `:loadbalancer/app/Blog-Thing-[A-Z2-7]{12}/[0-9a-f]{16}$`},
		{"AWS::ElasticLoadBalancingV2::LoadBalancer", `{"Name": "blog"}`, "LoadBalancerName", "blog", `^[A-Za-z0-9-]{1,32}$`},
		{"AWS::ElasticLoadBalancingV2::LoadBalancer", `{"Name": "blog"}`, "LoadBalancerFullName", "", `^app/Blog-Thing-[A-Z2-7]{12}/[0-9a-f]{16}$`},
		{"AWS::ElasticLoadBalancingV2::LoadBalancer", `{"Name": "blog"}`, "DNSName", "", `^Blog-Thing-[A-Z2-7]{12}-[a-z2-7]{6}\.us-east-1\.elb\.amazonaws\.com$`},
		{"AWS::ElasticLoadBalancingV2::TargetGroup", `{"Name": "blog"}`, "TargetGroupName", "blog", `^[A-Za-z0-9-]{1,32}$`},
		{"AWS::ElasticLoadBalancingV2::TargetGroup", `{"Name": "blog"}`, "", "", `^arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/Blog-Thing-[A-Z2-7]{12}/[0-9a-f]{16}$`},
		{"AWS::ElasticLoadBalancingV2::TargetGroup", `{"Name": "blog"}`, "TargetGroupFullName", "", `^targetgroup/Blog-Thing-[A-Z2-7]{12}/[0-9a-f]{16}$`},
		{"AWS::Events::Rule", `{"Name": "blog"}`, "Arn", "arn:aws:events:us-east-1:123456789012:rule/blog", `:rule/Blog-Thing-`},
		{"AWS::IAM::ManagedPolicy", `{"ManagedPolicyName": "blog", "Path": "/team/"}`, "", "arn:aws:iam::123456789012:policy/team/blog", `^arn:aws:iam::123456789012:policy/Blog-Thing-`},
		{"AWS::IAM::Role", `{"RoleName": "blog"}`, "", "blog", `^[\w+=,.@-]{1,64}$`},
		{"AWS::IAM::Role", `{"RoleName": "blog"}`, "Arn", "arn:aws:iam::123456789012:role/blog", `^arn:aws:iam::123456789012:role/Blog-Thing-[A-Z2-7]{12}$`},
		{"AWS::IAM::Role", `{"RoleName": "blog", "Path": "/service-role/"}`, "Arn", "arn:aws:iam::123456789012:role/service-role/blog", ``},
		{"AWS::Lambda::Function", `{"FunctionName": "blog"}`, "", "blog", `^[A-Za-z0-9_-]{1,64}$`},
		{"AWS::Lambda::Function", `{"FunctionName": "blog"}`, "Arn", "arn:aws:lambda:us-east-1:123456789012:function:blog", `:function:Blog-Thing-`},
		{"AWS::Logs::Delivery", `{}`, "", "", `^[0-9A-Za-z]{1,64}$`},
		{"AWS::Logs::Delivery", `{}`, "DeliveryId", "", `^[0-9A-Za-z]{1,64}$`},
		{"AWS::Logs::Delivery", `{}`, "Arn", "", `^arn:aws:logs:us-east-1:123456789012:delivery:[0-9A-Za-z]+$`},
		{"AWS::Logs::DeliveryDestination", `{"Name": "blog"}`, "", "blog", `^[\w-]{1,60}$`},
		{"AWS::Logs::DeliveryDestination", `{"Name": "blog"}`, "Arn", "arn:aws:logs:us-east-1:123456789012:delivery-destination:blog", `:delivery-destination:Blog-Thing-`},
		{"AWS::Logs::DeliverySource", `{"Name": "blog"}`, "", "blog", `^[\w-]{1,60}$`},
		{"AWS::Logs::DeliverySource", `{"Name": "blog"}`, "Arn", "arn:aws:logs:us-east-1:123456789012:delivery-source:blog", `:delivery-source:Blog-Thing-`},
		{"AWS::Logs::LogGroup", `{"LogGroupName": "/aws/lambda/blog"}`, "", "/aws/lambda/blog", `^[A-Za-z0-9._/#-]{1,512}$`},
		{"AWS::Logs::LogGroup", `{"LogGroupName": "/aws/lambda/blog"}`, "Arn", "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/blog:*", `:log-group:Blog-Thing-[A-Z2-7]{12}:\*$`},
		{"AWS::Route53::RecordSet", `{"Name": "blog.example.com."}`, "", "blog.example.com.", ``},
		{"AWS::S3::Bucket", `{"BucketName": "blog"}`, "", "blog", `^blog-thing-[a-z2-7]{12}$`},
		{"AWS::S3::Bucket", `{"BucketName": "blog"}`, "Arn", "arn:aws:s3:::blog", `^arn:aws:s3:::blog-thing-[a-z2-7]{12}$`},
		{"AWS::S3::Bucket", `{"BucketName": "blog"}`, "RegionalDomainName", "blog.s3.us-east-1.amazonaws.com", `^blog-thing-`},
		{"AWS::S3::BucketPolicy", `{"Bucket": "blog"}`, "", "blog", ``},
		{"AWS::SNS::Topic", `{"TopicName": "blog"}`, "", "arn:aws:sns:us-east-1:123456789012:blog", `:Blog-Thing-[A-Z2-7]{12}$`},
		{"AWS::SNS::Topic", `{"TopicName": "blog"}`, "TopicName", "blog", `^Blog-Thing-`},
		{"Custom::S3AutoDeleteObjects", `{}`, "", "", `^[0-9a-f-]{36}$`},
	}
	for _, tt := range tests {
		name := strings.TrimPrefix(tt.cfnType, "AWS::") + "." + tt.attribute
		call := `{"Ref": "Thing"}`
		if tt.attribute != "" {
			call = `{"Fn::GetAtt": ["Thing", "` + tt.attribute + `"]}`
		}
		resolve := func(t *testing.T, properties string) string {
			t.Helper()
			got, err := parse(t, `{"Resources": {"Thing": {"Type": "`+tt.cfnType+`", "Properties": `+properties+`}}}`).Resolve(fromJSON(t, call))
			if err != nil {
				t.Fatal(err)
			}
			return got.(string)
		}
		t.Run(name, func(t *testing.T) {
			if got := resolve(t, tt.properties); tt.want != "" && got != tt.want {
				t.Errorf("named: got %s, want %s", got, tt.want)
			}
			got := resolve(t, `{}`)
			if !regexp.MustCompile(tt.generated).MatchString(got) {
				t.Errorf("generated: got %s, want it to match %s", got, tt.generated)
			}
			if again := resolve(t, `{}`); again != got {
				t.Errorf("generated: got %s, then %s", got, again)
			}
		})
	}
}

func TestGeneratedNamesFitAndDiffer(t *testing.T) {
	long := strings.Repeat("Invalidate", 12)
	tpl := parse(t, `{"Resources": {
		"`+long+`A": {"Type": "AWS::Lambda::Function"}, "`+long+`B": {"Type": "AWS::Lambda::Function"},
		"`+long+`C": {"Type": "AWS::S3::Bucket"}, "`+long+`D": {"Type": "AWS::CodePipeline::Pipeline"}
	}}`)
	limits := map[string]int{"A": 64, "B": 64, "C": 63, "D": 100}
	seen := map[any]string{}
	for id, limit := range limits {
		got, err := tpl.Resolve(map[string]any{"Ref": long + id})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(got.(string)); n > limit {
			t.Errorf("%s: got %d characters, want at most %d", got, n, limit)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s have the same name %s", id, other, got)
		}
		seen[got] = id
	}
}

// An ARN of a resource that belongs to another one contains the last part of the other's ARN.
func TestNamesBelowOthers(t *testing.T) {
	tpl := parse(t, `{"Resources": {
		"Network": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
		"Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "production"}},
		"Service": {"Type": "AWS::ECS::Service", "Properties": {"ServiceName": "api", "Cluster": {"Ref": "Cluster"}}},
		"Balancer": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer"},
		"Listener": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"LoadBalancerArn": {"Ref": "Balancer"}}},
		"Rule": {"Type": "AWS::ElasticLoadBalancingV2::ListenerRule", "Properties": {"ListenerArn": {"Ref": "Listener"}}},
		"Lost": {"Type": "AWS::ElasticLoadBalancingV2::Listener"}
	}}`)
	resolve := func(call map[string]any) string {
		t.Helper()
		got, err := tpl.Resolve(call)
		if err != nil {
			t.Fatal(err)
		}
		return got.(string)
	}
	ref := func(id string) string {
		t.Helper()
		return resolve(map[string]any{"Ref": id})
	}
	if got, want := resolve(map[string]any{"Fn::GetAtt": []any{"Network", "CidrBlock"}}), "10.0.0.0/16"; got != want {
		t.Errorf("CidrBlock is %s, want %s", got, want)
	}
	if got, want := ref("Service"), "arn:aws:ecs:us-east-1:123456789012:service/production/api"; got != want {
		t.Errorf("the service is %s, want %s", got, want)
	}
	balancer, listener, rule := ref("Balancer"), ref("Listener"), ref("Rule")
	if want := strings.Replace(balancer, ":loadbalancer/", ":listener/", 1) + "/"; !strings.HasPrefix(listener, want) {
		t.Errorf("the listener is %s, want it to begin with %s", listener, want)
	}
	if want := strings.Replace(listener, ":listener/", ":listener-rule/", 1) + "/"; !strings.HasPrefix(rule, want) {
		t.Errorf("the rule is %s, want it to begin with %s", rule, want)
	}
	if got, err := tpl.Resolve(map[string]any{"Ref": "Lost"}); err == nil || !strings.Contains(err.Error(), "Lost.LoadBalancerArn is not in the template") {
		t.Errorf("a listener without a load balancer: got %v, %v, want an error that names the property", got, err)
	}
}
