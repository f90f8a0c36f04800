package stacks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/assembly"
)

// Nothing is asked of AWS at synth, whether or not the service says where it goes.
func TestNothingIsLookedUp(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(assemblyDir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]any
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	if missing := manifest["missing"]; missing != nil {
		t.Errorf("the CLI would look up %v", missing)
	}
	for _, s := range []FargateService{api, store, search} {
		for i, subnet := range fargateTemplate(t, s).OfType("AWS::EC2::Subnet") {
			equal(t, subnet.ID+"'s zone", subnet.Properties["AvailabilityZone"], map[string]any{"Fn::Select": []any{i % 2, map[string]any{"Fn::GetAZs": ""}}})
		}
	}
}

func TestTasksArePrivate(t *testing.T) {
	eachFargate(t, func(t *testing.T, s FargateService, tmpl *assembly.Template) {
		service := only(t, tmpl, "AWS::ECS::Service")
		network := at(t, tmpl, service, "NetworkConfiguration", "AwsvpcConfiguration").(map[string]any)
		equal(t, "public address", network["AssignPublicIp"], "DISABLED")
		equal(t, "way in for people", service["EnableExecuteCommand"], false)
		balancer := at(t, tmpl, only(t, tmpl, "AWS::ElasticLoadBalancingV2::LoadBalancer"), "Subnets").([]any)
		subnets := network["Subnets"].([]any)
		if len(subnets) != 2 || len(balancer) != 2 {
			t.Errorf("tasks are in %v, the balancer in %v, want two each", subnets, balancer)
		}
		for _, subnet := range subnets {
			if slices.Contains(balancer, subnet) {
				t.Errorf("tasks and balancer share %v", subnet)
			}
		}
		if vpc, ok := s.VPC.(ExistingVPC); ok {
			equal(t, "tasks' subnets", subnets, vpc.PrivateSubnets)
			equal(t, "balancer's subnets", balancer, vpc.PublicSubnets)
			return
		}
		// From a new network's private subnets the way out is a NAT gateway.
		equal(t, "NAT gateways", len(tmpl.OfType("AWS::EC2::NatGateway")), or(s.network().(NewVPC).NATGateways, 1))
		for _, route := range tmpl.OfType("AWS::EC2::Route") {
			private := strings.Contains(route.ID, "Private")
			if _, nat := route.Properties["NatGatewayId"]; nat != private {
				t.Errorf("%s goes through a NAT gateway: %v, want %v", route.ID, nat, private)
			}
			if private && !slices.Contains(tmpl.Resources[tmpl.OfType("AWS::ECS::Service")[0].ID].DependsOn, route.ID) {
				t.Errorf("the first tasks may start before %s is there", route.ID)
			}
		}
		for _, subnet := range tmpl.OfType("AWS::EC2::Subnet") {
			equal(t, subnet.ID+" gives out public addresses", subnet.Properties["MapPublicIpOnLaunch"], false)
		}
	})
}
