package buildspec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// watches are the calls that change nothing.
var watches = []string{"aws ecs list-service-deployments", "aws ecs describe-service-revisions", "aws ecs describe-service-deployments"}

func TestECSRepeatsTemporaryErrors(t *testing.T) {
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

// These errors stay: a repeated call would only hide them until the deadline.
func TestECSStopsWatchingAtAPermanentError(t *testing.T) {
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

func TestECSStopsWithoutPermissionToWatch(t *testing.T) {
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

// A fault before the update leaves the service as it was.
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
