package stacks

import (
	"slices"
	"testing"

	"blog-deploy-pipeline/rehearse/assembly"
)

// CloudFront reaches an internal load balancer by a VPC origin, and others by their
// address. One that is in use cannot be deleted, and so all that serves outlives it.
func TestVPCOrigin(t *testing.T) {
	eachFargate(t, func(t *testing.T, s FargateService, tmpl *assembly.Template) {
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
		if name := origin["Name"].(string); len(name) > 64 {
			t.Errorf("the name has %d characters, want at most 64: %s", len(name), name)
		}
		equal(t, "output", at(t, tmpl, tmpl.Outputs["VPCOriginID"].Value), at(t, tmpl, map[string]any{"Fn::GetAtt": []any{origins[0].ID, "Id"}}))
		if service := tmpl.OfType("AWS::ECS::Service")[0].ID; !slices.Contains(origins[0].DependsOn, service) {
			t.Errorf("%s may be deleted before the VPC origin", service)
		}
	})
	// It is made anew when the protocol changes, beside the one that is in use.
	http, https := fargateTemplate(t, cheap).OfType("AWS::CloudFront::VpcOrigin")[0], fargateTemplate(t, inner).OfType("AWS::CloudFront::VpcOrigin")[0]
	policy := func(origin assembly.NamedResource) any {
		return origin.Properties["VpcOriginEndpointConfig"].(map[string]any)["OriginProtocolPolicy"]
	}
	equal(t, "without a certificate", policy(http), "http-only")
	equal(t, "with a certificate", policy(https), "https-only")
	if http.ID == https.ID {
		t.Errorf("both are %s: adding a certificate would update a VPC origin in use", http.ID)
	}
}
