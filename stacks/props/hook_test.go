package props_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// TestHookRefuses makes one mistake at a time.
func TestHookRefuses(t *testing.T) {
	native := func(change func(*props.ExistingService)) func(*props.ExistingService) {
		return func(s *props.ExistingService) {
			*s = fixtures.News
			change(s)
		}
	}
	distributions := func(changed ...props.Invalidation) func(*props.ExistingService) {
		return func(s *props.ExistingService) { s.Hook.Invalidations = changed }
	}
	path := func(path string) func(*props.ExistingService) {
		return distributions(props.Invalidation{DistributionID: "E2QWRUHAPOMQZL", Paths: []string{path}})
	}
	tests := []struct {
		name   string
		change func(*props.ExistingService)
		want   string
	}{
		{"no distribution", distributions(), `Hook.Invalidations is "0 distributions": must be from 1 to 10`},
		{"eleven distributions", func(s *props.ExistingService) {
			s.Hook.Invalidations = nil
			for i := range 11 {
				s.Hook.Invalidations = append(s.Hook.Invalidations, props.Invalidation{DistributionID: fmt.Sprintf("E2QWRUHAPOMQ%02d", i)})
			}
		}, `Hook.Invalidations is "11 distributions"`},
		{"distribution twice", distributions(props.Invalidation{DistributionID: "E2QWRUHAPOMQZL"}, props.Invalidation{DistributionID: "E2QWRUHAPOMQZM"}, props.Invalidation{DistributionID: "E2QWRUHAPOMQZL"}),
			`Hook.Invalidations[2].DistributionID is "E2QWRUHAPOMQZL": is listed twice: put all its paths into one Invalidation`},
		{"distribution without id", distributions(props.Invalidation{Paths: []string{"/*"}}), `Hook.Invalidations[0].DistributionID is "": must be a distribution's id`},
		{"distribution's domain", distributions(props.Invalidation{DistributionID: "d111111abcdef8.cloudfront.net"}), "not its domain name or ARN"},
		{"path without slash", path("index.html"), `Hook.Invalidations[0].Paths[0] is "index.html": must start with /`},
		{"path not encoded", path("/a b"), `must be URL-encoded: "/a%20b"`},
		{"tag with a star", path("#post*"), "without *"},
		{"sixteen stars", distributions(props.Invalidation{DistributionID: "E2QWRUHAPOMQZL", Paths: strings.Fields(strings.Repeat("/* ", 16))}), `Hook.Invalidations[0].Paths is "16 paths with *": CloudFront clears at most 15`},
		{"too many paths", path("/" + strings.Repeat("a", 4000)), "and Lambda allows at most 4096: use wildcards or /*"},

		{"event of ECS", func(s *props.ExistingService) {
			s.Hook.Events = []props.HookEvent{props.HookEventPostProductionTrafficShift}
		}, `Hook.Events[0] is "POST_PRODUCTION_TRAFFIC_SHIFT": must be one of "BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"`},
		{"event of CodeDeploy", native(func(s *props.ExistingService) { s.Hook.Events = []props.HookEvent{props.HookEventAfterAllowTraffic} }), `Hook.Events[0] is "AfterAllowTraffic": must be one of "RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"`},
		{"event twice", func(s *props.ExistingService) {
			s.Hook.Events = []props.HookEvent{props.HookEventAfterInstall, props.HookEventAfterAllowTraffic, props.HookEventAfterInstall}
		}, `Hook.Events[2] is "AfterInstall": is listed twice: list it once`},
		{"on failure", func(s *props.ExistingService) { s.Hook.OnFailure = "ignore" }, `Hook.OnFailure is "ignore": must be one of "proceed", "fail"`},
		{"deadline beyond Lambda's", func(s *props.ExistingService) { s.Hook.Deadline = 15 * time.Minute }, "Hook.Deadline is 15m0s: must be whole seconds, from 1 to 14 minutes"},
		{"deadline too short", func(s *props.ExistingService) { s.Hook.Deadline = time.Second }, "Hook.Deadline is 1s"},
		{"deadline by half seconds", func(s *props.ExistingService) { s.Hook.Deadline = 90500 * time.Millisecond }, "Hook.Deadline is 1m30.5s: must be whole seconds"},
		{"deadline beyond ECS's", native(func(s *props.ExistingService) { s.Hook.Deadline = 24 * time.Hour }), "Hook.Deadline is 24h0m0s: must be whole seconds, from 1 minute to 23 hours"},
		{"ECS's deadline too short", native(func(s *props.ExistingService) { s.Hook.Deadline = 59 * time.Second }), "Hook.Deadline is 59s"},
		{"days of log", func(s *props.ExistingService) { s.Hook.LogRetentionDays = 2 }, "Hook.LogRetentionDays is 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			given := fixtures.Shop
			tt.change(&given)
			wantProblem(t, given.Validate(), tt.want)
		})
	}
}

// Lambda counts the characters of the environment as a JSON object.
func TestHookEnvironmentFitsToTheByte(t *testing.T) {
	given := fixtures.Shop
	given.Hook.Invalidations = []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL", Paths: []string{"/"}}}
	spare := props.MaxEnvironment - len(contract.JSON(given.Hook.WithDefaults(props.ControllerCodeDeploy).FunctionEnvironment(given.Name)))
	given.Hook.Invalidations[0].Paths[0] += strings.Repeat("a", spare)
	if err := given.Validate(); err != nil {
		t.Errorf("4,096 bytes are refused: %v", err)
	}
	given.Hook.Invalidations[0].Paths[0] += "a"
	if err := given.Validate(); err == nil {
		t.Error("4,097 bytes are accepted")
	}
}
