package props_test

import (
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestMonitoringRefuses(t *testing.T) {
	wantRefusals(t, fixtures.Classic, []refusal[props.Blog]{
		{"alarms that nobody hears", func(b *props.Blog) { b.Monitoring.Alarms = true }, "Monitoring.Alarms is true: has nobody to tell: add an address or a topic to Notifications"},
	})
	given := fixtures.Classic
	given.Monitoring.Dashboard = true
	if err := given.Validate(); err != nil {
		t.Errorf("a dashboard alone: %v", err)
	}
}
