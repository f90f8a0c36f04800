package stacks

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// Synth asks AWS nothing, whether or not a service names its account and region.
func TestNothingIsLookedUp(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(allApp().dir, "manifest.json"))
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
	for _, s := range []props.FargateService{fixtures.API, fixtures.Store, fixtures.Search} {
		for i, subnet := range fargateTemplate(t, s).OfType("AWS::EC2::Subnet") {
			equal(t, subnet.ID+"'s zone", subnet.Properties["AvailabilityZone"], map[string]any{"Fn::Select": []any{i % 2, map[string]any{"Fn::GetAZs": ""}}})
		}
	}
	for i, subnet := range fargateTemplate(t, fixtures.Cheap).OfType("AWS::EC2::Subnet") {
		equal(t, subnet.ID+"'s zone", subnet.Properties["AvailabilityZone"], fixtures.Cheap.VPC.(props.NewVPC).AvailabilityZones[i%2])
	}
}

// Tasks are in private subnets and their load balancer is in public ones, unless the owner says otherwise.
// In both cases tasks reach the internet as soon as they start.
func TestSubnets(t *testing.T) {
	eachFargate(t, func(t *testing.T, s props.FargateService, tmpl *assembly.Template) {
		made := only(t, tmpl, "AWS::ECS::Service")
		network := at(t, tmpl, made, "NetworkConfiguration", "AwsvpcConfiguration").(map[string]any)
		public := s.WithDefaults().VPC.TasksArePublic()
		equal(t, "public address", network["AssignPublicIp"], map[bool]string{false: "DISABLED", true: "ENABLED"}[public])
		equal(t, "way in for people", made["EnableExecuteCommand"], false)
		balancer := at(t, tmpl, only(t, tmpl, "AWS::ElasticLoadBalancingV2::LoadBalancer"), "Subnets").([]any)
		tasks := network["Subnets"].([]any)
		if len(tasks) != 2 || len(balancer) != 2 {
			t.Errorf("tasks are in %v, the balancer in %v, want two each", tasks, balancer)
		}
		if vpc, ok := s.VPC.(props.ExistingVPC); ok {
			of := map[bool][]string{false: vpc.PrivateSubnets, true: vpc.PublicSubnets}
			equal(t, "tasks' subnets", tasks, of[public])
			equal(t, "balancer's subnets", balancer, of[!s.LoadBalancer.Internal])
			return
		}
		isPublic := map[any]bool{}
		for _, subnet := range tmpl.OfType("AWS::EC2::Subnet") {
			isPublic[at(t, tmpl, map[string]any{"Ref": subnet.ID})] = strings.Contains(subnet.ID, "Public")
			equal(t, subnet.ID+" gives out public addresses", subnet.Properties["MapPublicIpOnLaunch"], false)
		}
		for i := range 2 {
			equal(t, "tasks are in a public subnet", isPublic[tasks[i]], public)
			equal(t, "the balancer is in a public subnet", isPublic[balancer[i]], !s.LoadBalancer.Internal)
		}
		// Tasks in a new network's private subnets reach the internet through a NAT gateway.
		gateways := cmp.Or(s.WithDefaults().VPC.(props.NewVPC).NATGateways, 1)
		if public {
			gateways = 0
		}
		equal(t, "NAT gateways", len(tmpl.OfType("AWS::EC2::NatGateway")), gateways)
		ways := 0
		for _, route := range tmpl.OfType("AWS::EC2::Route") {
			private := strings.Contains(route.ID, "Private")
			if _, nat := route.Properties["NatGatewayId"]; nat != private {
				t.Errorf("%s goes through a NAT gateway: %v, want %v", route.ID, nat, private)
			}
			if private == public {
				continue
			}
			ways++
			if !slices.Contains(tmpl.OfType("AWS::ECS::Service")[0].DependsOn, route.ID) {
				t.Errorf("the first tasks may start before %s is there", route.ID)
			}
		}
		equal(t, "tasks' ways out", ways, 2)
	})
}
