package props_test

import (
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestScalingRefuses(t *testing.T) {
	wantRefusals(t, fixtures.API, []refusal[props.FargateService]{
		{"negative tasks", func(s *props.FargateService) { s.DesiredCount = -1 }, "DesiredCount is -1: must be from 1 to 100"},
		{"too many tasks", func(s *props.FargateService) { s.DesiredCount = 101 }, "DesiredCount is 101"},
		{"tasks that scaling sets", func(s *props.FargateService) {
			s.Controller, s.DesiredCount, s.Scaling = props.ControllerECS, 3, props.Scaling{MaxTasks: 6, CPUPercent: 60}
		}, "DesiredCount is 3: must be left out: with Scaling, AWS sets the number, from Scaling.MinTasks to Scaling.MaxTasks"},
		{"scaling without most", func(s *props.FargateService) { s.Scaling = props.Scaling{CPUPercent: 60} }, "Scaling.MaxTasks is 0: must be from 2, the smallest number, to 100 tasks"},
		{"scaling without target", func(s *props.FargateService) { s.Scaling = props.Scaling{MinTasks: 2, MaxTasks: 6} }, "Scaling.CPUPercent is 0: must be set, to 60 for example, or RequestsPerTask must be set"},
		{"negative least", func(s *props.FargateService) { s.Scaling = props.Scaling{MinTasks: -1, MaxTasks: 6, CPUPercent: 60} }, "Scaling.MinTasks is -1: must be from 1 to 100"},
		{"least above 100", func(s *props.FargateService) { s.Scaling = props.Scaling{MinTasks: 101, MaxTasks: 100, CPUPercent: 60} }, "Scaling.MinTasks is 101: must be from 1 to 100"},
		{"most below the least", func(s *props.FargateService) { s.Scaling = props.Scaling{MinTasks: 4, MaxTasks: 3, CPUPercent: 60} }, "Scaling.MaxTasks is 3: must be from 4, the smallest number, to 100 tasks"},
		{"most below the default least", func(s *props.FargateService) { s.Scaling = props.Scaling{MaxTasks: 1, CPUPercent: 60} }, "Scaling.MaxTasks is 1: must be from 2, the smallest number"},
		{"most above 100", func(s *props.FargateService) { s.Scaling = props.Scaling{MaxTasks: 101, CPUPercent: 60} }, "Scaling.MaxTasks is 101"},
		{"all of the CPU", func(s *props.FargateService) { s.Scaling = props.Scaling{MaxTasks: 6, CPUPercent: 100} }, "Scaling.CPUPercent is 100: must be from 1 to 99 percent"},
		{"negative CPU", func(s *props.FargateService) { s.Scaling = props.Scaling{MaxTasks: 6, CPUPercent: -1} }, "Scaling.CPUPercent is -1"},
		{"negative requests", func(s *props.FargateService) { s.Scaling = props.Scaling{MaxTasks: 6, RequestsPerTask: -1} }, "Scaling.RequestsPerTask is -1: must be 1 or more requests a minute"},
	})
}
