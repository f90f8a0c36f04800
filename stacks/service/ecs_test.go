package service

import (
	"testing"
	"time"

	"blog-deploy-pipeline/stacks/props"
)

// TestDeployTimeIsBounded checks that a deployment is watched for as long as it may take, but no longer
// than a build may.
func TestDeployTimeIsBounded(t *testing.T) {
	given := props.FargateService{Name: "search", Controller: props.ControllerECS}
	given.Hook.Events, given.Hook.Deadline, given.KeepOld = props.ControllerECS.Events(), 23*time.Hour, 24*time.Hour
	if got := deployTime(given.WithDefaults()); got != 35*time.Hour {
		t.Errorf("deployTime is %v, want the longest, 35 hours", got)
	}
	given = props.FargateService{Name: "docs", Controller: props.ControllerECS}
	given.Hook.Deadline = 90 * time.Second
	if got := deployTime(given.WithDefaults()); got != 38*time.Minute {
		t.Errorf("deployTime is %v, want 30 + 5 + 2 times 1.5 minutes", got)
	}
	given.Shift = props.ShiftCanary
	if got := deployTime(given.WithDefaults()); got != 50*time.Minute {
		t.Errorf("deployTime of a canary is %v, want 30 + 2 times 5 + 5 + 3 times 1.5 minutes, in whole ones", got)
	}
}
