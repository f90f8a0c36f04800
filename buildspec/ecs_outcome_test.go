package buildspec

import (
	"maps"
	"strings"
	"testing"
)

// ended returns an answer about a deployment that failed.
func ended(status string, more map[string]any) map[string]any {
	d := polled(status, "", 0)
	maps.Copy(d, more)
	return d
}

func TestECSReportsHowADeploymentEnded(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		polls []map[string]any
		want  []string
	}{
		{
			name:  "stopped",
			polls: []map[string]any{ended("STOPPED", map[string]any{"statusReason": "Stopped by \"Jürgen\" at 100% \\n."})},
			want:  []string{"ended as STOPPED: Stopped by \"Jürgen\" at 100% \\n."},
		},
		{
			name: "rolled back",
			polls: []map[string]any{
				polled("IN_PROGRESS", "POST_PRODUCTION_TRAFFIC_SHIFT", 2),
				ended("ROLLBACK_REQUESTED", map[string]any{"statusReason": "the first reason"}),
				ended("ROLLBACK_IN_PROGRESS", nil),
				ended("ROLLBACK_SUCCESSFUL", map[string]any{
					"statusReason": "Service deployment rolled back.",
					"rollback":     map[string]any{"reason": "Lifecycle hook returned FAILED"},
					"alarms":       map[string]any{"status": "TRIGGERED", "triggeredAlarmNames": []string{"shop 5xx", "shop latency"}},
				}),
			},
			want: []string{
				"ended as ROLLBACK_SUCCESSFUL", "Service deployment rolled back.", "Lifecycle hook returned FAILED",
				"alarm: shop 5xx; alarm: shop latency",
			},
		},
		{
			name:  "rollback failed",
			polls: []map[string]any{ended("ROLLBACK_FAILED", map[string]any{"statusReason": "no capacity", "alarms": map[string]any{"status": "DISABLED"}})},
			want:  []string{"ended as ROLLBACK_FAILED: no capacity."},
		},
		{
			name:  "the same reason twice",
			polls: []map[string]any{ended("ROLLBACK_SUCCESSFUL", map[string]any{"statusReason": "why", "rollback": map[string]any{"reason": "why"}})},
			want:  []string{"ended as ROLLBACK_SUCCESSFUL: why."},
		},
		{
			name:  "failed without a reason",
			polls: []map[string]any{ended("FAILED", nil)},
			want:  []string{"ended as FAILED: ECS gives no reason."},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newECSMachine, func(t *testing.T, m *cloudMachine, s session) {
				m.cloud.Polls = tc.polls
				r := m.build(s)
				m.wantFailure(r, deploy, append(tc.want, deploymentARN(ours), "ECS console", "stopped tasks")...)
				if got := len(r.calledAny("aws ecs describe-service-deployments")); got != len(tc.polls) {
					t.Errorf("asked %d times, want %d", got, len(tc.polls))
				}
				m.wantDeregistered(r)
			})
		})
	}
}

// wantDeregistered fails the test unless the last call has deregistered the build's
// revision.
func (m *cloudMachine) wantDeregistered(r result) {
	m.t.Helper()
	if got, want := m.cloud.noted("deregistered"), m.cloud.newRevision(); got != want {
		m.t.Errorf("deregistered %q, want %q", got, want)
	}
	calls := r.calledAny("aws")
	if want := "aws|ecs|deregister-task-definition|--task-definition|" + m.cloud.newRevision() + "|--output|json"; calls[len(calls)-1] != want {
		m.t.Errorf("the last call is %q, want %q", calls[len(calls)-1], want)
	}
	if strings.Contains(r.out, "WARNING") {
		m.t.Errorf("there is a warning:\n%s", r.out)
	}
}

// wantRegisteredStill fails the test if the build has deregistered its revision.
func (m *cloudMachine) wantRegisteredStill(r result) {
	m.t.Helper()
	if got := r.calledAny("aws ecs deregister-task-definition"); len(got) != 0 {
		m.t.Errorf("calls are %q, want none: ECS has not rejected the revision", got)
	}
}

// The message begins with the reason, also if the revision cannot be deregistered.
func TestECSReportsTheReasonWhereItCannotDeregister(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		arrange func(m *cloudMachine)
		want    []string
	}{
		{
			name: "rolled back",
			arrange: func(m *cloudMachine) {
				m.cloud.Polls = []map[string]any{ended("ROLLBACK_SUCCESSFUL", map[string]any{"statusReason": "why"})}
			},
			want: []string{"ended as ROLLBACK_SUCCESSFUL: why.", "in their logs. WARNING: "},
		},
		{
			name:    "update refused",
			arrange: func(m *cloudMachine) { m.env[EnvService] = "shöp" },
			want:    []string{"cannot update the service 'shöp'", "is not in use. WARNING: "},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newECSMachine, func(t *testing.T, m *cloudMachine, s session) {
				tc.arrange(m)
				m.cloud.Faults = []fault{{Call: "aws ecs deregister-task-definition", Stderr: "AccessDeniedException", Status: 254}}
				r := m.build(s)
				m.wantFailure(r, deploy, append(tc.want,
					"could not be deregistered", "aws ecs deregister-task-definition --task-definition "+m.cloud.newRevision())...)
				if !strings.Contains(r.out, "AccessDeniedException") {
					t.Errorf("output lacks the CLI's own message:\n%s", r.out)
				}
			})
		})
	}
}

func TestECSDeadline(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		minutes string
		arrange func(m *cloudMachine)
		waits   int
		want    []string
	}{
		{
			name: "deployment goes on", minutes: "2", waits: 12,
			arrange: func(m *cloudMachine) { m.cloud.Polls = []map[string]any{polled("IN_PROGRESS", "BAKE_TIME", 2)} },
			want:    []string{deploymentARN(ours) + " is not finished after 2 minutes", "last seen: IN_PROGRESS", "It goes on", "console"},
		},
		{
			name: "rollback goes on", minutes: "1", waits: 6,
			arrange: func(m *cloudMachine) { m.cloud.Polls = []map[string]any{polled("ROLLBACK_IN_PROGRESS", "", 2)} },
			want:    []string{"last seen: ROLLBACK_IN_PROGRESS"},
		},
		{
			name: "ECS busy all the time", minutes: "1", waits: 6,
			arrange: func(m *cloudMachine) {
				m.cloud.Faults = []fault{{Call: "aws ecs describe-service-deployments", Stderr: "An error occurred (ThrottlingException) when calling"}}
			},
			want: []string{"is not finished after 1 minutes", "last seen: unknown"},
		},
		{
			name: "deployment never described", minutes: "1", waits: 6,
			arrange: func(m *cloudMachine) { m.cloud.Polls = []map[string]any{nil} },
			want:    []string{"is not finished after 1 minutes"},
		},
		{
			name: "no deployment, short deadline", minutes: "1", waits: 6,
			arrange: func(m *cloudMachine) { m.cloud.Listed = 0 },
			want:    []string{"the deployment of " + ecsARN("task-definition/shop:8") + " is not finished after 1 minutes"},
		},
		// What hung otherwise: a service that ECS sees nothing to deploy to.
		{
			name: "no deployment", minutes: "2160", waits: 30,
			arrange: func(m *cloudMachine) { m.cloud.Listed = 0 },
			want:    []string{"has started no deployment of " + ecsARN("task-definition/shop:8") + " in 5 minutes", "service 'shop'", "controller"},
		},
		{
			name: "only another's deployment", minutes: "2160", waits: 30,
			arrange: func(m *cloudMachine) {
				m.cloud.Listed = 0
				m.cloud.Others = []deployment{{Name: "other", TaskDefinition: ecsARN("task-definition/shop:7"), Age: 10}}
			},
			want: []string{"has started no deployment of"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newECSMachine, func(t *testing.T, m *cloudMachine, s session) {
				m.env[EnvDeployTimeoutMinutes] = tc.minutes
				tc.arrange(m)
				r := m.build(s)
				m.wantFailure(r, deploy, append(tc.want, "If it does not succeed", "aws ecs deregister-task-definition --task-definition "+m.cloud.newRevision())...)
				m.wantRegisteredStill(r)
				if got := len(r.calledAny("sleep")); got != tc.waits {
					t.Errorf("waited %d times, want %d", got, tc.waits)
				}
			})
		})
	}
}
