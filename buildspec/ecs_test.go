package buildspec

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The commands by name, so that a test can say where a build must stop.
const (
	checkInput = "pre_build-2"
	deploy     = "build-1"
)

const image = repository + "@" + digest

func newECSMachine(t *testing.T) *cloudMachine {
	t.Helper()
	m := newCloudMachine(t, ECS)
	m.cloud.Family, m.cloud.Revision = "shop", 7
	m.cloud.Cluster, m.cloud.Service = "production", "shop"
	m.cloud.Others = []deployment{{Name: "before", TaskDefinition: ecsARN("task-definition/shop:7"), Age: 86400}}
	m.cloud.Listed = 1
	m.cloud.Polls = []map[string]any{succeeded}
	m.env[EnvCluster], m.env[EnvService] = "production", "shop"
	m.input(taskDefinition("web", "log router"), "web")
	return m
}

// input leaves what container.yml leaves.
func (m *cloudMachine) input(described map[string]any, container string) {
	m.t.Helper()
	content, err := json.Marshal(registered(described, container, "<"+ImagePlaceholder+">"))
	if err != nil {
		m.t.Fatal(err)
	}
	m.source(TaskDefinitionFile, string(content))
	m.source(ImageDetailFile, fmt.Sprintf(`{"ImageURI": %q}`, image))
}

// polled is an answer about the build's deployment.
func polled(status, stage string, running int) map[string]any {
	d := map[string]any{
		"serviceDeploymentArn":  deploymentARN(ours),
		"status":                status,
		"targetServiceRevision": map[string]any{"arn": revisionARN(ours), "requestedTaskCount": 2, "runningTaskCount": running},
	}
	if stage != "" {
		d["lifecycleStage"] = stage
	}
	return d
}

var succeeded = polled("SUCCESSFUL", "CLEAN_UP", 2)

// ended is an answer about a deployment that came to no good.
func ended(status string, more map[string]any) map[string]any {
	d := polled(status, "", 0)
	maps.Copy(d, more)
	return d
}

// watches are the calls that change nothing.
var watches = []string{"aws ecs list-service-deployments", "aws ecs describe-service-revisions", "aws ecs describe-service-deployments"}

func TestECSDeploysTheImage(t *testing.T) {
	t.Parallel()
	eachJq(t, newECSMachine, func(t *testing.T, m *cloudMachine, s session) {
		r := m.build(s)

		if r.failed != "" {
			t.Fatalf("build failed at %s:\n%s", r.failed, r.out)
		}
		m.wantRegistered(registered(taskDefinition("web", "log router"), "web", image))
		m.wantRegisteredStill(r)
		file := r.calledAny("aws ecs register-task-definition")
		want := slices.Concat(file, []string{
			"aws|ecs|update-service|--cluster|production|--service|shop|--task-definition|" + m.cloud.newRevision() + "|--output|json",
			fmt.Sprintf("aws|ecs|list-service-deployments|--cluster|production|--service|shop|--created-at|after=%d|--output|json", start-300),
			"aws|ecs|describe-service-revisions|--service-revision-arns|" + revisionARN(ours) + "|--output|json",
			"aws|ecs|describe-service-deployments|--service-deployment-arns|" + deploymentARN(ours) + "|--output|json",
		})
		if got := r.calledAny("aws", "sleep"); len(file) != 1 || !slices.Equal(got, want) {
			t.Errorf("calls are %q, want %q", got, want)
		}
	})
}

func (m *cloudMachine) wantRegistered(want map[string]any) {
	m.t.Helper()
	content, err := os.ReadFile(filepath.Join(m.cloud.Folder, "registered.json"))
	if err != nil {
		m.t.Fatal(err)
	}
	wantJSON(m.t, "the registered task definition", string(content), any(want))
}

// A line for each change, and none while nothing changes.
func TestECSShowsProgress(t *testing.T) {
	t.Parallel()
	eachSession(t, newECSMachine, func(t *testing.T, m *cloudMachine, s session) {
		m.cloud.Listed = 3
		m.cloud.Polls = []map[string]any{
			nil, // described before it is known everywhere
			{"status": "PENDING"},
			polled("IN_PROGRESS", "SCALE_UP", 0),
			polled("IN_PROGRESS", "SCALE_UP", 0),
			polled("IN_PROGRESS", "SCALE_UP", 1),
			polled("IN_PROGRESS", "PRODUCTION_TRAFFIC_SHIFT", 2),
			polled("IN_PROGRESS", "PRODUCTION_TRAFFIC_SHIFT", 2),
			polled("A_STATUS_OF_THE_FUTURE", "", 2),
			succeeded,
		}

		r := m.build(s)

		if r.failed != "" {
			t.Fatalf("build failed at %s:\n%s", r.failed, r.out)
		}
		_, got, _ := strings.Cut(r.out, "watching "+deploymentARN(ours)+"\n")
		want := "==> ECS: PENDING\n" +
			"==> ECS: IN_PROGRESS, SCALE_UP, 0 of 2 tasks run\n" +
			"==> ECS: IN_PROGRESS, SCALE_UP, 1 of 2 tasks run\n" +
			"==> ECS: IN_PROGRESS, PRODUCTION_TRAFFIC_SHIFT, 2 of 2 tasks run\n" +
			"==> ECS: A_STATUS_OF_THE_FUTURE, 2 of 2 tasks run\n" +
			"==> ECS: SUCCESSFUL, CLEAN_UP, 2 of 2 tasks run\n"
		if got != want {
			t.Errorf("progress is\n%s\nwant\n%s", got, want)
		}
		waits := r.calledAny("sleep")
		if len(waits) != 2+8 || slices.ContainsFunc(waits, func(w string) bool { return w != "sleep|10" }) {
			t.Errorf("waits are %q, want 10 of 10 seconds", waits)
		}
	})
}

// Somebody else's deployments, before and after, are not the build's.
func TestECSWatchesItsOwnDeployment(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		others []deployment
	}{
		{name: "none"},
		{name: "one that began just before", others: []deployment{{Name: "before", TaskDefinition: ecsARN("task-definition/shop:7"), Age: 20}}},
		{name: "one that began later", others: []deployment{{Name: "after", TaskDefinition: ecsARN("task-definition/shop:9"), Age: -20}}},
		{name: "same family, longer number", others: []deployment{{Name: "other", TaskDefinition: ecsARN("task-definition/shop:88"), Age: 20}}},
		{name: "the same revision, forced anew", others: []deployment{{Name: "forced", Age: -20}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newECSMachine, func(t *testing.T, m *cloudMachine, s session) {
				m.cloud.Others = tc.others
				r := m.build(s)
				// describe-service-deployments refuses any other.
				if r.failed != "" {
					t.Errorf("build failed at %s:\n%s", r.failed, r.out)
				}
			})
		})
	}
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

// wantDeregistered fails the test unless the last call has taken the build's revision
// out of its family.
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

// wantRegisteredStill fails the test unless the build has left its revision alone.
func (m *cloudMachine) wantRegisteredStill(r result) {
	m.t.Helper()
	if got := r.calledAny("aws ecs deregister-task-definition"); len(got) != 0 {
		m.t.Errorf("calls are %q, want none: ECS has not rejected the revision", got)
	}
}

// Why the deployment failed is said first, whatever becomes of its revision.
func TestECSRejectionThatFailsHidesNothing(t *testing.T) {
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

func TestECSWaitsOutWhatGoesBy(t *testing.T) {
	t.Parallel()
	for _, message := range []string{
		"\nAn error occurred (ThrottlingException) when calling the DescribeServiceDeployments operation (reached max retries: 2): Rate exceeded",
		"An error occurred (Throttling) when calling the X operation: Rate exceeded",
		"An error occurred (RequestThrottledException) when calling the X operation: slow down",
		"An error occurred (TooManyRequestsException) when calling the X operation: slow down",
		"An error occurred (RequestLimitExceeded) when calling the X operation: slow down",
		"An error occurred (ServerException) when calling the X operation: Service Unavailable. Please try again later.",
		"An error occurred (InternalFailure) when calling the X operation",
		"An error occurred (InternalServerError) when calling the X operation",
		"An error occurred (ServiceUnavailableException) when calling the X operation",
		"An error occurred (503) when calling the X operation (reached max retries: 2): Service Unavailable",
		"\nCould not connect to the endpoint URL: \"https://ecs.eu-west-1.amazonaws.com/\"",
		"\nConnect timeout on endpoint URL: \"https://ecs.eu-west-1.amazonaws.com/\"",
		"\nRead timeout on endpoint URL: \"https://ecs.eu-west-1.amazonaws.com/\"",
		"\nConnection was closed before we received a valid response from endpoint URL: \"https://x\".",
		"\nAn HTTP Client raised an unhandled exception: Connection reset by peer",
	} {
		t.Run(strings.TrimSpace(message), func(t *testing.T) {
			t.Parallel()
			eachSession(t, newECSMachine, func(t *testing.T, m *cloudMachine, s session) {
				for _, call := range watches {
					m.cloud.Faults = append(m.cloud.Faults, fault{Call: call, Nth: 1, Stderr: message, Status: 254})
				}
				r := m.build(s)
				if r.failed != "" {
					t.Errorf("build failed at %s:\n%s", r.failed, r.out)
				}
				if got, want := len(r.calledAny("sleep")), len(watches); got != want {
					t.Errorf("waited %d times, want %d\n%s", got, want, r.out)
				}
			})
		})
	}
}

// These do not go by, and another try would only hide them until the deadline.
func TestECSStopsWatchingAtAnErrorThatStays(t *testing.T) {
	t.Parallel()
	for _, message := range []string{
		"An error occurred (AccessDeniedException) when calling the X operation: User: arn:aws:sts::111122223333:assumed-role/ThrottlingException (503) is not authorized",
		"An error occurred (ServiceNotFoundException) when calling the X operation: Service not found.",
		"An error occurred (InvalidParameterException) when calling the X operation: Read timeout on endpoint URL",
		"An error occurred (ExpiredTokenException) when calling the X operation: The security token included in the request is expired",
		"Unable to locate credentials. You can configure credentials by running \"aws configure\".",
		"argument operation: Invalid choice, valid choices are:",
		"",
	} {
		t.Run(message, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newECSMachine, func(t *testing.T, m *cloudMachine, s session) {
				const call = "describe-service-deployments"
				m.cloud.Faults = []fault{{Call: "aws ecs " + call, Stderr: message, Status: 254}}
				r := m.build(s)
				m.wantFailure(r, deploy, "cannot watch the deployment "+deploymentARN(ours)+" ("+call+")", "goes on", "aws ecs deregister-task-definition --task-definition "+m.cloud.newRevision())
				m.wantRegisteredStill(r)
				if !strings.Contains(r.out, message) {
					t.Errorf("output lacks the CLI's own message %q", message)
				}
				if got := r.calledAny("sleep"); len(got) != 0 {
					t.Errorf("waits are %q, want none", got)
				}
			})
		})
	}
}

func TestECSStopsWhereItMayNotWatch(t *testing.T) {
	t.Parallel()
	for _, call := range watches {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newECSMachine, func(t *testing.T, m *cloudMachine, s session) {
				m.cloud.Faults = []fault{{Call: call, Stderr: "An error occurred (AccessDeniedException) when calling", Status: 254}}
				r := m.build(s)
				m.wantFailure(r, deploy, "cannot watch the deployment", "("+strings.TrimPrefix(call, "aws ecs ")+")")
				m.wantRegisteredStill(r)
				if got := r.calledAny("sleep"); len(got) != 0 {
					t.Errorf("waits are %q, want none", got)
				}
			})
		})
	}
}

// Whatever fails before the service is updated, the service is as it was.
func TestECSStopsAtTheFirstFault(t *testing.T) {
	t.Parallel()
	set := func(name, value string) func(*cloudMachine) {
		return func(m *cloudMachine) { m.env[name] = value }
	}
	file := func(name, content string) func(*cloudMachine) {
		return func(m *cloudMachine) { m.source(name, content) }
	}
	absent := func(name string) func(*cloudMachine) {
		return func(m *cloudMachine) {
			if err := os.Remove(filepath.Join(m.owner, name)); err != nil {
				m.t.Fatal(err)
			}
		}
	}
	fails := func(f fault) func(*cloudMachine) {
		return func(m *cloudMachine) { m.cloud.Faults = []fault{f} }
	}
	const minutes = "want whole minutes, 1 to 2160"
	for _, tc := range []struct {
		name    string
		arrange func(m *cloudMachine)
		at      string
		calls   int // of aws
		want    []string
	}{
		{name: "no cluster", arrange: set(EnvCluster, ""), at: checkInput, want: []string{"CLUSTER is not set"}},
		{name: "no service", arrange: set(EnvService, ""), at: checkInput, want: []string{"SERVICE is not set"}},
		{name: "no timeout", arrange: set(EnvDeployTimeoutMinutes, ""), at: checkInput, want: []string{"DEPLOY_TIMEOUT_MINUTES is ''", minutes}},
		{name: "timeout of none", arrange: set(EnvDeployTimeoutMinutes, "0"), at: checkInput, want: []string{"is '0'", minutes}},
		{name: "timeout too long", arrange: set(EnvDeployTimeoutMinutes, "2161"), at: checkInput, want: []string{"is '2161'", minutes}},
		{name: "timeout beyond the shell's numbers", arrange: set(EnvDeployTimeoutMinutes, "99999999999999999999"), at: checkInput, want: []string{minutes}},
		{name: "timeout with a unit", arrange: set(EnvDeployTimeoutMinutes, "10m"), at: checkInput, want: []string{"is '10m'", minutes}},
		{name: "timeout that reads as octal", arrange: set(EnvDeployTimeoutMinutes, "010"), at: checkInput, want: []string{"is '010'", minutes}},
		{name: "negative timeout", arrange: set(EnvDeployTimeoutMinutes, "-5"), at: checkInput, want: []string{"is '-5'", minutes}},
		{name: "no image file", arrange: absent(ImageDetailFile), at: checkInput, want: []string{"imageDetail.json is not in the input artifact"}},
		{name: "no task definition", arrange: absent(TaskDefinitionFile), at: checkInput, want: []string{"taskdef.json is not in the input artifact"}},
		{name: "image file without an image", arrange: file(ImageDetailFile, `{"ImageUri": "x"}`), at: checkInput, want: []string{"imageDetail.json names no image"}},
		{name: "image is empty", arrange: file(ImageDetailFile, `{"ImageURI": ""}`), at: checkInput, want: []string{"imageDetail.json names no image"}},
		{name: "image is no text", arrange: file(ImageDetailFile, `{"ImageURI": 1}`), at: checkInput, want: []string{"imageDetail.json names no image"}},
		{name: "image file is empty", arrange: file(ImageDetailFile, ``), at: checkInput, want: []string{"imageDetail.json names no image"}},
		{name: "image file is no JSON", arrange: file(ImageDetailFile, `ImageURI`), at: checkInput, want: []string{"imageDetail.json names no image"}},
		{name: "task definition without the placeholder", arrange: file(TaskDefinitionFile, `{"family": "shop"}`), at: checkInput, want: []string{"taskdef.json has no <IMAGE1_NAME>"}},
		{name: "task definition is empty", arrange: file(TaskDefinitionFile, ``), at: checkInput, want: []string{"taskdef.json has no <IMAGE1_NAME>"}},
		{name: "task definition is no JSON", arrange: file(TaskDefinitionFile, `<IMAGE1_NAME>`), at: checkInput, want: []string{"or is no JSON"}},
		{
			name: "register", at: deploy, calls: 1, want: []string{"cannot register", "service is as it was"},
			arrange: fails(fault{Call: "aws ecs register-task-definition", Stderr: "AccessDenied"}),
		},
		{
			name: "register refuses a field", at: deploy, calls: 1, want: []string{"cannot register"},
			arrange: file(TaskDefinitionFile, `{"family": "shop", "revision": 7, "x": "<IMAGE1_NAME>"}`),
		},
		{
			name: "register answers nothing", at: deploy, calls: 1, want: []string{"named no task definition", "service is as it was"},
			arrange: fails(fault{Call: "aws ecs register-task-definition", Status: -1}),
		},
		{
			name: "register answers another thing", at: deploy, calls: 1, want: []string{"named no task definition"},
			arrange: fails(fault{Call: "aws ecs register-task-definition", Stdout: `{"taskDefinition": {}}`, Status: -1}),
		},
		{
			name: "update", at: deploy, calls: 3, want: []string{"cannot update the service 'shop' in the cluster 'production'", "is not in use"},
			arrange: fails(fault{Call: "aws ecs update-service", Stderr: "AccessDenied"}),
		},
		{name: "no such cluster", arrange: set(EnvCluster, "prod"), at: deploy, calls: 3, want: []string{"in the cluster 'prod'"}},
		{name: "no such service", arrange: set(EnvService, "shöp"), at: deploy, calls: 3, want: []string{"the service 'shöp'"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newECSMachine, func(t *testing.T, m *cloudMachine, s session) {
				tc.arrange(m)
				r := m.build(s)
				m.wantFailure(r, tc.at, tc.want...)
				if got := r.calledAny("aws"); len(got) != tc.calls {
					t.Errorf("calls are %q, want %d", got, tc.calls)
				}
				if got := m.cloud.noted("updated"); got != "" {
					t.Error("the service was updated")
				}
				if tc.calls == 3 {
					m.wantDeregistered(r)
				}
			})
		})
	}
}

// Names are data: to the shell, to jq and to the CLI.
func TestECSHostileNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{`sh"op`, `shop\`, "$(id)", "a b", "shöp 日本", "'", `\(1)`, "*", "arn:aws:ecs:eu-west-1:111122223333:cluster/x"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newECSMachine, func(t *testing.T, m *cloudMachine, s session) {
				m.cloud.Cluster, m.cloud.Service, m.cloud.Family = name, name, "shop"
				m.env[EnvCluster], m.env[EnvService] = name, name
				m.input(taskDefinition("web", name), name)
				content, err := json.Marshal(map[string]string{"ImageURI": name})
				if err != nil {
					t.Fatal(err)
				}
				m.source(ImageDetailFile, string(content))
				r := m.build(s)
				if r.failed != "" {
					t.Fatalf("build failed at %s:\n%s", r.failed, r.out)
				}
				m.wantRegistered(registered(taskDefinition("web", name), name, name))
			})
		})
	}
}

// What container.yml leaves is what ecs.yml deploys.
func TestECSTakesWhatContainerLeaves(t *testing.T) {
	t.Parallel()
	eachSession(t, newContainerMachine, func(t *testing.T, m *cloudMachine, s session) {
		files := m.wantArtifact(m.build(s), ImageDetailFile, TaskDefinitionFile)
		next := newECSMachine(t)
		for name, content := range files {
			next.source(name, content)
		}
		if r := next.build(s); r.failed != "" {
			t.Fatalf("deployment failed at %s:\n%s", r.failed, r.out)
		}
		next.wantRegistered(registered(m.cloud.TaskDefinition, "web", image))
	})
}

// A service may be deployed to twice with the same input: by a stage that is run
// again, or a build that is released again.
func TestECSRunsAgain(t *testing.T) {
	t.Parallel()
	eachSession(t, newECSMachine, func(t *testing.T, m *cloudMachine, s session) {
		for _, run := range []string{"first", "second"} {
			r := m.build(s)
			if r.failed != "" {
				t.Fatalf("%s run failed at %s:\n%s", run, r.failed, r.out)
			}
			want := []string{"aws|ecs|update-service|--cluster|production|--service|shop|--task-definition|" + m.cloud.newRevision() + "|--output|json"}
			if got := r.calledAny("aws ecs update-service"); !slices.Equal(got, want) {
				t.Errorf("%s run updated by %q, want %q", run, got, want)
			}
			m.cloud.Revision++
			m.cloud.Others = []deployment{{Name: "first", TaskDefinition: ecsARN("task-definition/shop:8"), Age: 30}}
		}
	})
}
