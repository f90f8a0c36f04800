package buildspec

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The commands by name, so that a test can say where a build must stop.
const (
	checkSource  = "pre_build-2"
	readTask     = "pre_build-3"
	logIn        = "pre_build-4"
	publishImage = "build-1"
)

const (
	registry   = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
	repository = registry + "/team/shop"
	tag        = "0123456789ab-42"
)

func newContainerMachine(t *testing.T) *cloudMachine {
	t.Helper()
	m := newCloudMachine(t, Container)
	m.source("Dockerfile", "FROM scratch\n")
	m.cloud.Registry, m.cloud.Region = registry, "eu-west-1"
	m.cloud.Digests = []string{"%s@" + digest}
	m.cloud.Family = "shop"
	m.cloud.TaskDefinition = taskDefinition("web", "log router")
	maps.Copy(m.env, map[string]string{
		EnvRepositoryURI:                    repository,
		EnvTaskFamily:                       "shop",
		EnvContainerName:                    "web",
		"CODEBUILD_RESOLVED_SOURCE_VERSION": "0123456789abcdef0123456789abcdef01234567",
		"CODEBUILD_BUILD_NUMBER":            "42",
	})
	return m
}

// taskDefinition returns a task definition as ECS describes it.
func taskDefinition(containers ...string) map[string]any {
	var definitions []any
	for _, name := range containers {
		definitions = append(definitions, map[string]any{
			"name":      name,
			"image":     "registry.example/" + name + ":1",
			"essential": true,
			"cpu":       float64(0),
			"environment": []any{
				map[string]any{"name": "GREETING", "value": "Grüße: \"$HOME\" `id` \\ <b> 日本\n& 'more'"},
			},
		})
	}
	return map[string]any{
		"taskDefinitionArn":       ecsARN("task-definition/shop:7"),
		"family":                  "shop",
		"revision":                float64(7),
		"status":                  "ACTIVE",
		"taskRoleArn":             "arn:aws:iam::111122223333:role/task",
		"executionRoleArn":        "arn:aws:iam::111122223333:role/execution",
		"networkMode":             "awsvpc",
		"containerDefinitions":    definitions,
		"volumes":                 []any{},
		"placementConstraints":    []any{},
		"requiresAttributes":      []any{map[string]any{"name": "ecs.capability.task-eni"}},
		"compatibilities":         []any{"EC2", "FARGATE"},
		"requiresCompatibilities": []any{"FARGATE"},
		"runtimePlatform":         map[string]any{"cpuArchitecture": "ARM64"},
		"cpu":                     "256",
		"memory":                  "512",
		"enableFaultInjection":    false,
		"registeredAt":            "2026-11-01T10:00:00+00:00",
		"registeredBy":            "arn:aws:iam::111122223333:role/cdk",
		"fieldOfTheFuture":        "which ECS may answer and not accept",
	}
}

// registered returns a task definition as RegisterTaskDefinition accepts it, with
// the image in the named container, and without empty fields.
func registered(described map[string]any, container, image string) map[string]any {
	want := make(map[string]any)
	for _, name := range registrable {
		if value, ok := described[name]; ok {
			want[name] = value
		}
	}
	var definitions []any
	for _, d := range described["containerDefinitions"].([]any) {
		d := maps.Clone(d.(map[string]any))
		if d["name"] == container {
			d["image"] = image
		}
		definitions = append(definitions, d)
	}
	want["containerDefinitions"] = definitions
	for _, name := range []string{"volumes", "placementConstraints", "enableFaultInjection"} {
		delete(want, name)
	}
	return want
}

// wantArtifact fails the test unless the build wrote exactly these files.
func (m *cloudMachine) wantArtifact(r result, names ...string) map[string]string {
	m.t.Helper()
	if r.failed != "" {
		m.t.Fatalf("build failed at %s:\n%s", r.failed, r.out)
	}
	files := m.files(r)
	slices.Sort(names)
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, names) {
		m.t.Fatalf("artifact has %q, want %q", got, names)
	}
	return files
}

// wantJSON fails the test unless text is the JSON of want.
func wantJSON(t *testing.T, what, text string, want any) {
	t.Helper()
	var got any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("parse %s: %v\n%s", what, err, text)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is\n%v\nwant\n%v", what, got, want)
	}
}

func TestContainerWritesWhatADeploymentNeeds(t *testing.T) {
	t.Parallel()
	eachJq(t, newContainerMachine, func(t *testing.T, m *cloudMachine, s session) {
		r := m.build(s)

		files := m.wantArtifact(r, ImageDetailFile, TaskDefinitionFile)
		wantJSON(t, ImageDetailFile, files[ImageDetailFile], map[string]any{"ImageURI": repository + "@" + digest})
		wantJSON(t, TaskDefinitionFile, files[TaskDefinitionFile],
			any(registered(m.cloud.TaskDefinition, "web", "<"+ImagePlaceholder+">")))
		want := []string{
			"docker|version",
			"docker|login|--username|AWS|--password-stdin|" + registry,
			"docker|build|--pull|--file|Dockerfile|--tag|" + repository + ":" + tag + "|.",
			"docker|push|" + repository + ":" + tag,
			"docker|image|inspect|" + repository + ":" + tag,
		}
		if got := r.calledAny("docker"); !slices.Equal(got, want) {
			t.Errorf("calls of docker are %q, want %q", got, want)
		}
	})
}

func TestContainerServiceFamily(t *testing.T) {
	t.Parallel()
	eachSession(t, newContainerMachine, func(t *testing.T, m *cloudMachine, s session) {
		m.env[EnvServiceFamily] = "shop-live"
		files := m.wantArtifact(m.build(s), ImageDetailFile, TaskDefinitionFile)
		want := registered(m.cloud.TaskDefinition, "web", "<"+ImagePlaceholder+">")
		want["family"] = "shop-live"
		wantJSON(t, TaskDefinitionFile, files[TaskDefinitionFile], any(want))
	})
}

// CodePipeline knows fewer fields than the AWS CLI: empty ones are left out, and all
// others stay, whatever their values look like.
func TestContainerLeavesOutEmptyFields(t *testing.T) {
	t.Parallel()
	kept := func() map[string]any {
		return map[string]any{
			"name": "web", "image": "registry.example/web:1", "essential": false, "cpu": float64(0),
			"environment":  []any{map[string]any{"name": "EMPTY", "value": ""}},
			"dockerLabels": map[string]any{"empty": ""},
			"healthCheck":  map[string]any{"command": []any{"CMD", ""}, "retries": float64(0)},
		}
	}
	for _, tc := range []struct {
		name      string
		container map[string]any // besides
		task      map[string]any // besides
		want      map[string]any // of the task, besides
	}{
		{
			name:      "nothing said",
			container: map[string]any{"mountPoints": []any{}, "volumesFrom": nil, "systemControls": []any{}, "user": "", "command": []any{}},
			task:      map[string]any{"volumes": []any{}, "placementConstraints": nil, "pidMode": "", "enableFaultInjection": false},
		},
		{name: "fault injection unknown", task: map[string]any{"enableFaultInjection": nil}},
		{name: "fault injection on", task: map[string]any{"enableFaultInjection": true}, want: map[string]any{"enableFaultInjection": true}},
		{
			name: "volume", task: map[string]any{"volumes": []any{map[string]any{"name": "a", "host": map[string]any{}}}},
			want: map[string]any{"volumes": []any{map[string]any{"name": "a", "host": map[string]any{}}}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newContainerMachine, func(t *testing.T, m *cloudMachine, s session) {
				container := kept()
				maps.Copy(container, tc.container)
				m.cloud.TaskDefinition = map[string]any{"family": "shop", "containerDefinitions": []any{container}}
				maps.Copy(m.cloud.TaskDefinition, tc.task)
				container = kept()
				container["image"] = "<" + ImagePlaceholder + ">"
				want := map[string]any{"family": "shop", "containerDefinitions": []any{container}}
				maps.Copy(want, tc.want)

				files := m.wantArtifact(m.build(s), ImageDetailFile, TaskDefinitionFile)

				wantJSON(t, TaskDefinitionFile, files[TaskDefinitionFile], any(want))
			})
		})
	}
}

func TestContainerAppSpec(t *testing.T) {
	t.Parallel()
	const text = "version: 0.0\nResources:\n  - TargetService:\n      TaskDefinition: <TASK_DEFINITION> # \"$HOME\" `id` %s \\n 日本"
	eachSession(t, newContainerMachine, func(t *testing.T, m *cloudMachine, s session) {
		m.env[EnvAppSpec] = text
		files := m.wantArtifact(m.build(s), ImageDetailFile, TaskDefinitionFile, AppSpecFile)
		if got, want := files[AppSpecFile], text+"\n"; got != want {
			t.Errorf("%s is %q, want %q", AppSpecFile, got, want)
		}
	})
}

func TestContainerTag(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, version, number, want string }{
		{"commit", "0123456789abcdef0123456789abcdef01234567", "7", "0123456789ab-7"},
		{"version of an object in S3", ".a_b-c/d+e=f é", "7", "abcdef-7"},
		{"no version", "", "7", "source-7"},
		{"version without a usable character", "é/_", "7", "source-7"},
		{"outside CodeBuild", "", "", "source-20261118100640"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newContainerMachine, func(t *testing.T, m *cloudMachine, s session) {
				m.env["CODEBUILD_RESOLVED_SOURCE_VERSION"] = tc.version
				m.env["CODEBUILD_BUILD_NUMBER"] = tc.number
				r := m.build(s)
				m.wantArtifact(r, ImageDetailFile, TaskDefinitionFile)
				if got, want := r.calledAny("docker push"), []string{"docker|push|" + repository + ":" + tc.want}; !slices.Equal(got, want) {
					t.Errorf("pushed %q, want %q", got, want)
				}
			})
		})
	}
}

func TestContainerFolders(t *testing.T) {
	t.Parallel()
	eachSession(t, newContainerMachine, func(t *testing.T, m *cloudMachine, s session) {
		m.source("the app/für $HOME/main.go", "package main\n")
		m.source("deploy/My Dockerfile *", "FROM scratch\n")
		m.env[EnvDockerfile] = "deploy/My Dockerfile *"
		m.env[EnvContext] = "the app/für $HOME"
		r := m.build(s)
		m.wantArtifact(r, ImageDetailFile, TaskDefinitionFile)
		want := []string{"docker|build|--pull|--file|deploy/My Dockerfile *|--tag|" + repository + ":" + tag + "|the app/für $HOME"}
		if got := r.calledAny("docker build"); !slices.Equal(got, want) {
			t.Errorf("calls of docker build are %q, want %q", got, want)
		}
	})
}

// The build asks for the password in the repository's region, which may be another
// than its own.
func TestContainerRegistries(t *testing.T) {
	t.Parallel()
	for host, region := range map[string]string{
		"111122223333.dkr.ecr.ap-northeast-1.amazonaws.com":         "ap-northeast-1",
		"111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn":          "cn-north-1",
		"111122223333.dkr.ecr-fips.us-gov-east-1.amazonaws.com":     "us-gov-east-1",
		"111122223333.dkr-ecr.eu-central-1.on.aws":                  "eu-central-1",
		"111122223333.dkr-ecr-fips.us-east-2.on.aws":                "us-east-2",
		"000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud": "us-east-1",
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newContainerMachine, func(t *testing.T, m *cloudMachine, s session) {
				m.cloud.Registry, m.cloud.Region = host, region
				m.env[EnvRepositoryURI] = host + "/shop"
				files := m.wantArtifact(m.build(s), ImageDetailFile, TaskDefinitionFile)
				wantJSON(t, ImageDetailFile, files[ImageDetailFile], map[string]any{"ImageURI": host + "/shop@" + digest})
			})
		})
	}
}

// The shell, jq and the CLI handle names as data.
func TestContainerHostileNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{`we"b`, `web\`, "$(id)", "a b", "wéb 日本", "'", "--name", `\(1)`, "*", "a\nb"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newContainerMachine, func(t *testing.T, m *cloudMachine, s session) {
				m.cloud.TaskDefinition = taskDefinition("web", name)
				m.env[EnvContainerName] = name
				files := m.wantArtifact(m.build(s), ImageDetailFile, TaskDefinitionFile)
				wantJSON(t, TaskDefinitionFile, files[TaskDefinitionFile],
					any(registered(m.cloud.TaskDefinition, name, "<"+ImagePlaceholder+">")))
			})
		})
	}
}

func TestContainerDigestIsTheRepositorys(t *testing.T) {
	t.Parallel()
	other := "sha256:" + strings.Repeat("1", 64)
	eachSession(t, newContainerMachine, func(t *testing.T, m *cloudMachine, s session) {
		m.cloud.Digests = []string{"%s-staging@" + other, "docker.io/shop@" + other, "%s@" + digest}
		files := m.wantArtifact(m.build(s), ImageDetailFile, TaskDefinitionFile)
		wantJSON(t, ImageDetailFile, files[ImageDetailFile], map[string]any{"ImageURI": repository + "@" + digest})
	})
}

func TestContainerRemovesAnArtifactOfTheSource(t *testing.T) {
	t.Parallel()
	eachSession(t, newContainerMachine, func(t *testing.T, m *cloudMachine, s session) {
		m.source("deploy-artifact/appspec.yaml", "an old one\n")
		m.wantArtifact(m.build(s), ImageDetailFile, TaskDefinitionFile)
	})
}

// After a fault the build does nothing more, and leaves nothing to deploy.
func TestContainerStopsAtTheFirstFault(t *testing.T) {
	t.Parallel()
	set := func(name, value string) func(*cloudMachine) {
		return func(m *cloudMachine) { m.env[name] = value }
	}
	fails := func(f fault) func(*cloudMachine) {
		return func(m *cloudMachine) { m.cloud.Faults = []fault{f} }
	}
	for _, tc := range []struct {
		name    string
		arrange func(m *cloudMachine)
		at      string
		last    string // the last of aws and docker that ran, "" for none
		want    []string
	}{
		{name: "no repository", arrange: set(EnvRepositoryURI, ""), at: checkSource, want: []string{"REPOSITORY_URI is not set"}},
		{name: "no family", arrange: set(EnvTaskFamily, ""), at: checkSource, want: []string{"TASK_FAMILY is not set"}},
		{name: "no container", arrange: set(EnvContainerName, ""), at: checkSource, want: []string{"CONTAINER_NAME is not set", "in shop that"}},
		{
			name: "no Dockerfile", arrange: set(EnvDockerfile, "docker/Dockerfile"), at: checkSource,
			want: []string{"DOCKERFILE is 'docker/Dockerfile', which is no file", "source's top"},
		},
		{name: "Dockerfile is empty text", arrange: set(EnvDockerfile, ""), at: checkSource, want: []string{"DOCKERFILE is ''"}},
		{name: "no context", arrange: set(EnvContext, "app"), at: checkSource, want: []string{"CONTEXT is 'app', which is no folder"}},
		{name: "context is a file", arrange: set(EnvContext, "Dockerfile"), at: checkSource, want: []string{"CONTEXT is 'Dockerfile'"}},
		{name: "context is standard input", arrange: set(EnvContext, "-"), at: checkSource, want: []string{"CONTEXT is '-'"}},
		{
			name: "no Docker daemon", at: checkSource, last: "docker version", want: []string{"docker does not answer", "privileged"},
			arrange: fails(fault{Call: "docker version", Stderr: "Cannot connect to the Docker daemon"}),
		},
		{
			name: "no such family", arrange: set(EnvTaskFamily, "shöp"), at: readTask, last: "aws ecs describe-task-definition",
			want: []string{"task definition of the family 'shöp'", "TASK_FAMILY"},
		},
		{
			name: "no such container", arrange: set(EnvContainerName, "wéb"), at: readTask, last: "aws ecs describe-task-definition",
			want: []string{"CONTAINER_NAME is 'wéb', and the task definition of 'shop' has: web, log router"},
		},
		{
			name: "container by part of its name", arrange: set(EnvContainerName, "we"), at: readTask, last: "aws ecs describe-task-definition",
			want: []string{"CONTAINER_NAME is 'we'"},
		},
		{
			name: "describing answers nothing", at: readTask, last: "aws ecs describe-task-definition",
			arrange: fails(fault{Call: "aws ecs describe-task-definition", Status: -1}),
		},
		{
			name: "listing what register accepts", at: readTask, last: "aws ecs register-task-definition",
			arrange: fails(fault{Call: "aws ecs register-task-definition"}),
			want:    []string{"cannot list what register-task-definition accepts"},
		},
		{
			name: "listing what register accepts answers nothing", at: readTask, last: "aws ecs register-task-definition",
			arrange: fails(fault{Call: "aws ecs register-task-definition", Status: -1}),
			want:    []string{"cannot write taskdef.json"},
		},
		{
			name: "no password", at: logIn, last: "docker login",
			arrange: fails(fault{Call: "aws ecr get-login-password", Stderr: "AccessDeniedException"}),
			want:    []string{"cannot log in to " + registry, "ecr:GetAuthorizationToken"},
		},
		{
			name: "login refused", at: logIn, last: "docker login",
			arrange: fails(fault{Call: "docker login"}), want: []string{"cannot log in to " + registry},
		},
		{
			name: "build", at: publishImage, last: "docker build",
			arrange: fails(fault{Call: "docker build", Stderr: "ERROR in line 3"}), want: []string{"docker build failed"},
		},
		{
			name: "base image refused", at: publishImage, last: "docker build",
			arrange: fails(fault{
				Call:   "docker build",
				Stderr: "failed to solve: node:24: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit.",
			}),
			want: []string{"toomanyrequests", "FROM public.ecr.aws/docker/library/NAME:TAG", "# syntax="},
		},
		{
			name: "push", at: publishImage, last: "docker push",
			arrange: fails(fault{Call: "docker push"}), want: []string{"cannot push " + repository + ":" + tag},
		},
		{
			name: "tag exists", at: publishImage, last: "docker push",
			arrange: func(m *cloudMachine) { m.cloud.Tags = []string{tag} }, want: []string{"cannot push", "is the tag new?"},
		},
		{
			name: "inspect", at: publishImage, last: "docker image",
			arrange: fails(fault{Call: "docker image inspect"}), want: []string{"cannot inspect"},
		},
		{
			name: "inspect answers nothing", at: publishImage, last: "docker image",
			arrange: fails(fault{Call: "docker image inspect", Status: -1}), want: []string{"knows no digest"},
		},
		{
			name: "no digest", at: publishImage, last: "docker image",
			arrange: func(m *cloudMachine) { m.cloud.Digests = nil }, want: []string{"knows no digest"},
		},
		{
			name: "digest of another repository", at: publishImage, last: "docker image",
			arrange: func(m *cloudMachine) { m.cloud.Digests = []string{"%s2@" + digest} }, want: []string{"knows no digest"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newContainerMachine, func(t *testing.T, m *cloudMachine, s session) {
				// Left by an earlier build, or committed.
				m.source("deploy-artifact/"+TaskDefinitionFile, "{}")
				tc.arrange(m)

				r := m.build(s)

				m.wantFailure(r, tc.at, tc.want...)
				// get-login-password runs beside docker login.
				all, last := r.calledAny("aws ecs", "docker"), ""
				if len(all) > 0 {
					last = all[len(all)-1]
				}
				if want := strings.ReplaceAll(tc.last, " ", "|"); last != want && !strings.HasPrefix(last, want+"|") || want == "" && last != "" {
					t.Errorf("last call is %q, want %q", last, want)
				}
			})
		})
	}
}

func TestContainerRefusesWhatIsNoRepository(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{
		"shop",
		registry,
		registry + "/",
		repository + ":latest",
		repository + "@" + digest,
		"https://" + repository,
		"public.ecr.aws/team/shop",
		"docker.io/team/shop",
		registry + "/Shop",
		registry + "/shop front",
		"111122223333.dkr.ecr.eu-west-1/shop",
	} {
		t.Run(uri, func(t *testing.T) {
			t.Parallel()
			eachSession(t, newContainerMachine, func(t *testing.T, m *cloudMachine, s session) {
				m.env[EnvRepositoryURI] = uri
				r := m.build(s)
				m.wantFailure(r, checkSource, "REPOSITORY_URI is '"+uri+"', want that of an ECR repository without a tag")
				if got := r.calledAny("aws", "docker"); len(got) != 0 {
					t.Errorf("calls are %q, want none", got)
				}
			})
		})
	}
}
