package stacks

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// CloudFront reaches an internal load balancer by a VPC origin, and others by their address. A VPC origin
// in use cannot be deleted, so everything that it needs must be deleted after it.
func TestVPCOrigin(t *testing.T) {
	eachFargate(t, func(t *testing.T, s props.FargateService, tmpl *assembly.Template) {
		scheme, origins := "internet-facing", tmpl.OfType("AWS::CloudFront::VpcOrigin")
		if s.LoadBalancer.Internal {
			scheme = "internal"
		}
		balancer := tmpl.OfType("AWS::ElasticLoadBalancingV2::LoadBalancer")[0]
		equal(t, "scheme", balancer.Properties["Scheme"], scheme)
		if !s.LoadBalancer.Internal {
			equal(t, "VPC origins", len(origins), 0)
			return
		}
		if len(origins) != 1 {
			t.Fatalf("%d VPC origins, want 1", len(origins))
		}
		origin := at(t, tmpl, origins[0].Properties, "VpcOriginEndpointConfig").(map[string]any)
		equal(t, "load balancer", origin["Arn"], at(t, tmpl, map[string]any{"Ref": balancer.ID}))
		equal(t, "ports", []any{origin["HTTPPort"], origin["HTTPSPort"]}, []any{80, 443})
		equal(t, "output", at(t, tmpl, tmpl.Outputs["VPCOriginID"].Value), at(t, tmpl, map[string]any{"Fn::GetAtt": []any{origins[0].ID, "Id"}}))
		if made := tmpl.OfType("AWS::ECS::Service")[0].ID; !slices.Contains(origins[0].DependsOn, made) {
			t.Errorf("%s may be deleted before the VPC origin", made)
		}
	})
	// When the protocol changes, a new one is made beside the one in use.
	http, https := fargateTemplate(t, fixtures.Cheap).OfType("AWS::CloudFront::VpcOrigin")[0], fargateTemplate(t, fixtures.Inner).OfType("AWS::CloudFront::VpcOrigin")[0]
	policy := func(origin assembly.NamedResource) any {
		return origin.Properties["VpcOriginEndpointConfig"].(map[string]any)["OriginProtocolPolicy"]
	}
	equal(t, "without a certificate", policy(http), "http-only")
	equal(t, "with a certificate", policy(https), "https-only")
	if http.ID == https.ID {
		t.Errorf("both are %s: adding a certificate would update a VPC origin in use", http.ID)
	}
}

// CloudFront accepts the name of the VPC origin for the longest names of a service and of a region.
func TestVPCOriginName(t *testing.T) {
	s := fixtures.Inner
	s.Name, s.Region = fixtures.X(49), "ap-northeast-1"
	s.VPC = props.NewVPC{AvailabilityZones: []string{s.Region + "a", s.Region + "b"}}
	s.LoadBalancer.CertificateARN = strings.Replace(s.LoadBalancer.CertificateARN, "us-east-1", s.Region, 1)
	stack := newFargateStack(awscdk.NewApp(nil), s)
	origin := cdk.Resource(stack.Node().FindChild(jsii.String(onlyConstruct)).Node().FindChild(jsii.String("HTTPSOrigin"))).(awscloudfront.CfnVpcOrigin)
	name := stack.Resolve(origin.VpcOriginEndpointConfig()).(map[string]any)["name"].(string)
	if len(name) > 64 || !strings.Contains(name, s.Region) {
		t.Errorf("the name has %d characters, want at most 64, with the region: %s", len(name), name)
	}
}
