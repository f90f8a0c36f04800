package buildspec

import (
	"encoding/json"
	"fmt"
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

// input writes the files that container.yml writes.
func (m *cloudMachine) input(described map[string]any, container string) {
	m.t.Helper()
	content, err := json.Marshal(registered(described, container, "<"+ImagePlaceholder+">"))
	if err != nil {
		m.t.Fatal(err)
	}
	m.source(TaskDefinitionFile, string(content))
	m.source(ImageDetailFile, fmt.Sprintf(`{"ImageURI": %q}`, image))
}

// polled returns an answer about the build's deployment.
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

// The build prints a line for each change, and none while nothing changes.
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

// The build does not watch deployments that others start before and after.
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

// The shell, jq and the CLI handle names as data.
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

// ecs.yml deploys what container.yml writes.
func TestECSAcceptsTheArtifactOfContainer(t *testing.T) {
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

// A service can be deployed to twice with the same input: a stage may run again, or
// an execution may be released again.
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
