package props_test

import (
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestServiceAccepts(t *testing.T) {
	for _, s := range fixtures.FargateServices {
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
	}
	// These are ranges from which an internal load balancer can be reached, and regions in which
	// CloudFront reaches all zones.
	given := fixtures.Search
	given.LoadBalancer = props.LoadBalancer{
		Internal: true, OriginPrefixListID: "pl-82a045eb",
		AllowFrom: []string{"172.16.0.0/12", "192.168.1.0/24", "100.64.0.0/10"}, TestFrom: []string{"10.1.2.3/32"},
	}
	if err := given.Validate(); err != nil {
		t.Error(err)
	}
	// Public tasks then have their subnets for themselves.
	given = fixtures.Cheap
	given.DesiredCount = 58
	if err := given.Validate(); err != nil {
		t.Error(err)
	}
	vpc := fixtures.Inner.VPC.(props.ExistingVPC)
	vpc.CIDR = "172.40.0.0/16"
	given = fixtures.Inner
	given.VPC, given.LoadBalancer.AllowFrom = vpc, []string{"172.40.3.0/24"}
	if err := given.Validate(); err != nil {
		t.Error(err)
	}
	// These names only look as if they were outside of the repository.
	given = fixtures.API
	given.Container.Dockerfile, given.Container.Context = "..x/Dockerfile", "..x"
	if err := given.Validate(); err != nil {
		t.Error(err)
	}
	given.Container.Context = "."
	if err := given.Validate(); err != nil {
		t.Error(err)
	}
	for cpu, most := range props.Memory() {
		for _, memory := range []int{0, 2 * cpu, most} {
			given := fixtures.API
			given.Container.CPU, given.Container.MemoryMiB = cpu, memory
			if err := given.Validate(); err != nil {
				t.Errorf("CPU %d, memory %d: %v", cpu, memory, err)
			}
		}
	}
}

func TestServiceRefuses(t *testing.T) {
	wantRefusals(t, fixtures.API, []refusal[props.FargateService]{
		{"no name", func(s *props.FargateService) { s.Name = "" }, `service "": Name is ""`},
		{"name too long", func(s *props.FargateService) { s.Name = strings.Repeat("x", 50) }, "at most 49"},
		{"account", func(s *props.FargateService) { s.Account = "1" }, `service "api": Account is "1"`},
		{"region of China", func(s *props.FargateService) { s.Region = "cn-north-1" }, "commercial regions"},
		{"no source", func(s *props.FargateService) { s.Source = nil }, "Source is"},
		{"no owner", func(s *props.FargateService) {
			s.Source = props.GitHubConnection{Repo: "api", ConnectionARN: fixtures.ConnectionARN}
		}, "Source.Owner"},

		{"start time", func(s *props.FargateService) { s.StartTime = time.Hour }, "StartTime is 1h0m0s: must be whole seconds, from 10 seconds to 15 minutes"},
		{"start time by half seconds", func(s *props.FargateService) { s.StartTime = 10500 * time.Millisecond }, "StartTime is 10.5s"},

		{"controller", func(s *props.FargateService) { s.Controller = "EXTERNAL" }, `Controller is "EXTERNAL": must be one of "CODE_DEPLOY", "ECS"`},
		{"shift", func(s *props.FargateService) { s.Shift = "slowly" }, `Shift is "slowly": must be one of "all-at-once", "canary", "linear"`},
		{"old version too short", func(s *props.FargateService) { s.KeepOld = time.Second }, "KeepOld is 1s: must be whole minutes, from 1 minute to 24 hours"},
		{"old version too long", func(s *props.FargateService) { s.KeepOld = 25 * time.Hour }, "KeepOld is 25h0m0s"},
		{"percent", func(s *props.FargateService) { s.MaxErrorPercent = 101 }, "MaxErrorPercent is 101: must be from 1 to 100"},
		{"too many alarms", func(s *props.FargateService) { s.AlarmNames = strings.Split("abcdefghi", "") }, `AlarmNames is "9 alarms": must be at most 8`},
		{"alarm twice", func(s *props.FargateService) { s.AlarmNames = []string{"a", "b", "a"} }, `AlarmNames[2] is "a": is listed twice: list it once`},
		{"alarm", func(s *props.FargateService) { s.AlarmNames = []string{"api-*"} }, `AlarmNames[0] is "api-*"`},
		{"no distribution", func(s *props.FargateService) { s.Hook = props.Hook{} }, `Hook.Invalidations is "0 distributions"`},
		{"event of ECS", func(s *props.FargateService) {
			s.Hook.Events = []props.HookEvent{props.HookEventProductionTrafficShift}
		}, `Hook.Events[0] is "PRODUCTION_TRAFFIC_SHIFT"`},
		{"event of CodeDeploy", func(s *props.FargateService) {
			s.Controller, s.Hook.Events = props.ControllerECS, []props.HookEvent{props.HookEventAfterAllowTraffic}
		}, `Hook.Events[0] is "AfterAllowTraffic"`},
		{"address", func(s *props.FargateService) { s.Notifications.Emails = []string{"me"} }, `Notifications.Emails[0] is "me"`},
		{"mode", func(s *props.FargateService) { s.ExecutionMode = "PARALLEL" }, `ExecutionMode is "PARALLEL"`},
	})
}
