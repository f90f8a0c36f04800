package props_test

import (
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestVPCRefuses(t *testing.T) {
	existing := func(change func(*props.ExistingVPC)) func(*props.FargateService) {
		return func(s *props.FargateService) {
			vpc := fixtures.Docs.VPC.(props.ExistingVPC)
			vpc.AvailabilityZones = slices.Clone(vpc.AvailabilityZones)
			vpc.PublicSubnets = slices.Clone(vpc.PublicSubnets)
			vpc.PrivateSubnets = slices.Clone(vpc.PrivateSubnets)
			change(&vpc)
			s.VPC = vpc
		}
	}
	wantRefusals(t, fixtures.API, []refusal[props.FargateService]{
		{"network by pointer", func(s *props.FargateService) { s.VPC = &props.NewVPC{} }, `VPC is a *props.NewVPC: must be a props.NewVPC{…} or a props.ExistingVPC{…}`},
		{"no range", func(s *props.FargateService) { s.VPC = props.NewVPC{CIDR: "10.0.0.0"} }, `VPC.CIDR is "10.0.0.0": must be a range of IPv4 addresses`},
		{"range not from its start", func(s *props.FargateService) { s.VPC = props.NewVPC{CIDR: "10.0.0.1/16"} }, "that starts with its first address"},
		{"range of IPv6", func(s *props.FargateService) { s.VPC = props.NewVPC{CIDR: "fd00::/16"} }, "IPv4"},
		{"range too wide", func(s *props.FargateService) { s.VPC = props.NewVPC{CIDR: "10.0.0.0/8"} }, "from 16 to 24 bits"},
		{"range too narrow", func(s *props.FargateService) { s.VPC = props.NewVPC{CIDR: "10.0.0.0/25"} }, "from 16 to 24 bits"},
		{"public range", func(s *props.FargateService) { s.VPC = props.NewVPC{CIDR: "8.8.0.0/16"} }, "must be private"},
		{"gateways", func(s *props.FargateService) { s.VPC = props.NewVPC{NATGateways: 3} }, "VPC.NATGateways is 3: must be 1 or 2"},
		{"no gateways", func(s *props.FargateService) { s.VPC = props.NewVPC{NATGateways: -1} }, "For none, set PublicTasks, which gives the tasks public addresses"},
		{"gateways nobody needs", func(s *props.FargateService) { s.VPC = props.NewVPC{NATGateways: 1, PublicTasks: true} }, "VPC.NATGateways is 1: must be left out: with PublicTasks"},
		{"too little room", func(s *props.FargateService) { s.VPC, s.DesiredCount = props.NewVPC{CIDR: "10.0.0.0/24"}, 59 }, `VPC.CIDR is "10.0.0.0/24": has 59 addresses for tasks in each zone, and a deployment of 59 tasks needs 60 there: use a wider range, of 23 bits`},
		{"too little room for the most tasks", func(s *props.FargateService) {
			s.VPC, s.Scaling = props.NewVPC{CIDR: "10.0.0.0/24"}, props.Scaling{MaxTasks: 60, CPUPercent: 60}
		}, "a deployment of 60 tasks needs 60 there"},
		{"too little room beside the load balancer", func(s *props.FargateService) {
			s.VPC, s.DesiredCount = props.NewVPC{CIDR: "10.0.0.0/24", PublicTasks: true}, 50
		}, "has 49 addresses for tasks in each zone"},
		{"too little room beside an internal load balancer", func(s *props.FargateService) {
			*s = fixtures.Cheap
			s.VPC, s.DesiredCount = props.NewVPC{CIDR: "10.0.0.0/24", AvailabilityZones: fixtures.Cheap.VPC.(props.NewVPC).AvailabilityZones}, 50
		}, "has 49 addresses for tasks in each zone"},
		{"cluster's ARN", func(s *props.FargateService) {
			s.Cluster = "arn:aws:ecs:us-east-1:" + fixtures.Account + ":cluster/production"
		}, "must be a cluster's name (not its ARN)"},
		{"cluster's name too long", func(s *props.FargateService) { s.Cluster = strings.Repeat("c", 256) }, "Cluster is"},
		{"network's id", existing(func(v *props.ExistingVPC) { v.ID = "default" }), `VPC.ID is "default": must be a VPC's id`},
		{"network's range", existing(func(v *props.ExistingVPC) { v.CIDR = "" }), `VPC.CIDR is ""`},
		{"one zone", existing(func(v *props.ExistingVPC) {
			v.AvailabilityZones, v.PublicSubnets, v.PrivateSubnets = v.AvailabilityZones[:1], v.PublicSubnets[:1], v.PrivateSubnets[:1]
		}), "must be 2 or more"},
		{"zone's id", existing(func(v *props.ExistingVPC) { v.AvailabilityZones[0] = "use1-az1" }), `VPC.AvailabilityZones[0] is "use1-az1": must be a zone's name`},
		{"zone of another region", func(s *props.FargateService) {
			s.Region, s.VPC = "us-east-2", fixtures.Docs.VPC
			vpc := fixtures.Docs.VPC.(props.ExistingVPC)
			vpc.AvailabilityZones = []string{"us-east-2a", "us-east-1b"}
			s.VPC = vpc
		}, `VPC.AvailabilityZones[1] is "us-east-1b": must be in the service's Region, us-east-2`},
		{"zone twice", existing(func(v *props.ExistingVPC) { v.AvailabilityZones[1] = v.AvailabilityZones[0] }), "is listed twice"},
		{"too few subnets", existing(func(v *props.ExistingVPC) { v.PrivateSubnets = v.PrivateSubnets[:1] }), `VPC.PrivateSubnets is "1 subnet": must be one for each of the AvailabilityZones (2)`},
		{"subnet", existing(func(v *props.ExistingVPC) { v.PublicSubnets[1] = "public" }), `VPC.PublicSubnets[1] is "public": must be a subnet's id`},
		{"private subnets with public tasks", existing(func(v *props.ExistingVPC) { v.PublicTasks = true }), `VPC.PrivateSubnets is "2 subnets": must be left out: with PublicTasks, the tasks are in PublicSubnets`},
		{"no public subnets", existing(func(v *props.ExistingVPC) { v.PublicTasks, v.PublicSubnets, v.PrivateSubnets = true, nil, nil }), `VPC.PublicSubnets is "0 subnets": must be one for each of the AvailabilityZones (2)`},
		{"public subnets nobody uses", func(s *props.FargateService) {
			s.VPC, s.LoadBalancer = fixtures.Docs.VPC, fixtures.Cheap.LoadBalancer
		}, `VPC.PublicSubnets is "2 subnets": must be left out: with LoadBalancer.Internal, the load balancer is in PrivateSubnets`},
		{"no private subnets for the load balancer", func(s *props.FargateService) {
			s.VPC, s.LoadBalancer = fixtures.Shared.VPC, fixtures.Cheap.LoadBalancer
		}, `VPC.PrivateSubnets is "0 subnets": must be one for each of the AvailabilityZones (2)`},
		{"one zone of two", func(s *props.FargateService) { s.VPC = props.NewVPC{AvailabilityZones: []string{"us-east-1a"}} }, `VPC.AvailabilityZones is "1 zone": must be two, or left out`},
		{"zone that is none", func(s *props.FargateService) {
			s.VPC = props.NewVPC{AvailabilityZones: []string{"use1-az1", "us-east-1a"}}
		}, `VPC.AvailabilityZones[0] is "use1-az1": must be a zone's name`},
		{"zones that CloudFront may not reach", func(s *props.FargateService) { s.Region, s.LoadBalancer = "us-east-1", fixtures.Cheap.LoadBalancer }, `VPC.AvailabilityZones is "": must name two zones: with LoadBalancer.Internal, they must not be use1-az3,`},
		{"zones of a region that is not known", func(s *props.FargateService) { s.LoadBalancer = fixtures.Cheap.LoadBalancer }, "they must not be any of apne1-az3, apne2-az1, cac1-az3, use1-az3, usw1-az2,"},
		{"subnet for both", existing(func(v *props.ExistingVPC) { v.PrivateSubnets[0] = v.PublicSubnets[0] }), "is listed twice: a subnet is in one zone, and either public or private"},
	})
}
