package stacks

import (
	"encoding/json"
	"slices"
	"testing"

	"blog-deploy-pipeline/rehearse/assembly"
)

// taskDefinition returns one of the two, by the end of its family.
func taskDefinition(t *testing.T, tmpl *assembly.Template, family string) assembly.NamedResource {
	t.Helper()
	for _, task := range tmpl.OfType("AWS::ECS::TaskDefinition") {
		if task.Properties["Family"] == family {
			return task
		}
	}
	t.Fatalf("%s has no task definition %s", tmpl.Name, family)
	return assembly.NamedResource{}
}

// CloudFormation and the pipeline keep out of each other's way: what CloudFormation
// finds newest of the service's family is what the pipeline has deployed last with
// success.
func TestTaskDefinitions(t *testing.T) {
	eachFargate(t, func(t *testing.T, s FargateService, tmpl *assembly.Template) {
		family := s.Name + "-service"
		first, template := taskDefinition(t, tmpl, family), taskDefinition(t, tmpl, family+"-template")
		service := tmpl.OfType("AWS::ECS::Service")[0]
		equal(t, "service's task definition, as written", service.Properties["TaskDefinition"], family)
		for _, id := range []string{first.ID, roleID(t, tmpl, "ExecutionRole")} {
			if !slices.Contains(service.DependsOn, id) {
				t.Errorf("the service depends on %v, want %s among them", service.DependsOn, id)
			}
		}
		variables := buildVariables(t, tmpl, "Build")
		equal(t, "build's template", variables["TASK_FAMILY"], family+"-template")
		equal(t, "family to register", variables["SERVICE_FAMILY"], family)
		if after := tmpl.OfType("AWS::CodePipeline::Pipeline")[0].DependsOn; !slices.Contains(after, template.ID) {
			t.Errorf("the pipeline depends on %v, want %s among them", after, template.ID)
		}

		for _, task := range []assembly.NamedResource{first, template} {
			container := at(t, tmpl, task.Properties, "ContainerDefinitions", 0).(map[string]any)
			equal(t, "container", container["Name"], "web")
			equal(t, "log", at(t, tmpl, container, "LogConfiguration", "LogDriver"), "awslogs")
			equal(t, "port", at(t, tmpl, container, "PortMappings", 0, "ContainerPort"), s.Container.port())
			equal(t, "architecture", at(t, tmpl, task.Properties, "RuntimePlatform", "CpuArchitecture"), or(s.Container.Architecture, ARM64))
			equal(t, "role", at(t, tmpl, task.Properties, "TaskRoleArn"), arnOf(t, tmpl, roleID(t, tmpl, "TaskRole")))
		}
		// A change of these must not make a new first revision.
		container := at(t, tmpl, first.Properties, "ContainerDefinitions", 0).(map[string]any)
		equal(t, "first image", container["Image"], or(s.Container.InitialImage, defaultInitialImage))
		equal(t, "first variables", container["Environment"], nil)
		equal(t, "first secrets", container["Secrets"], nil)
		equal(t, "first CPU", first.Properties["Cpu"], "256")
		equal(t, "first memory", first.Properties["Memory"], "512")
	})
	tmpl := fargateTemplate(t, store)
	task := taskDefinition(t, tmpl, "store-service-template").Properties
	equal(t, "CPU", task["Cpu"], "1024")
	equal(t, "memory", task["Memory"], "3072")
	equal(t, "variables", at(t, tmpl, task, "ContainerDefinitions", 0, "Environment"), []any{map[string]any{"Name": "LOG_LEVEL", "Value": "info"}})
	equal(t, "secrets", at(t, tmpl, task, "ContainerDefinitions", 0, "Secrets"), []any{
		map[string]any{"Name": "API_TOKEN", "ValueFrom": "arn:aws:ssm:ap-northeast-1:" + account + ":parameter/store/token"},
		map[string]any{"Name": "DATABASE", "ValueFrom": store.Container.Secrets["DATABASE"]},
		map[string]any{"Name": "PASSWORD", "ValueFrom": store.Container.Secrets["PASSWORD"]},
	})
}

// A change of these task definitions would bring the initial image back into
// production: each revision of a service's family that CloudFormation registers is its
// newest, and ECS deploys that with the next change of the service. So whatever an
// owner changes leaves the first one as it is, and so must whatever this project
// changes: if this test fails, for a new version of CDK for example, put back what was.
func TestFirstTaskNeverChanges(t *testing.T) {
	for _, s := range changedFixtures {
		before, after := taskDefinition(t, stackTemplate(t, ServiceStackID(s)), ServiceStackID(s)), taskDefinition(t, changedTemplates[ServiceStackID(s)], ServiceStackID(s))
		equal(t, s.owner().name+"'s first task", after, before)
	}
	tmpl := fargateTemplate(t, api)
	first := taskDefinition(t, tmpl, "api-service")
	got, err := json.MarshalIndent(first.Properties, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "ContainerDefinitions": [
    {
      "Essential": true,
      "Image": "public.ecr.aws/docker/library/nginx:1.28.0-alpine",
      "LogConfiguration": {
        "LogDriver": "awslogs",
        "Options": {
          "awslogs-group": {
            "Ref": "ContainerLog8B5CF49E"
          },
          "awslogs-region": {
            "Ref": "AWS::Region"
          },
          "awslogs-stream-prefix": "web"
        }
      },
      "Name": "web",
      "PortMappings": [
        {
          "ContainerPort": 80,
          "Protocol": "tcp"
        }
      ]
    }
  ],
  "Cpu": "256",
  "ExecutionRoleArn": {
    "Fn::GetAtt": [
      "ExecutionRole605A040B",
      "Arn"
    ]
  },
  "Family": "api-service",
  "Memory": "512",
  "NetworkMode": "awsvpc",
  "RequiresCompatibilities": [
    "FARGATE"
  ],
  "RuntimePlatform": {
    "CpuArchitecture": "ARM64",
    "OperatingSystemFamily": "LINUX"
  },
  "TaskRoleArn": {
    "Fn::GetAtt": [
      "TaskRole30FC0FBB",
      "Arn"
    ]
  }
}`
	if first.ID != "FirstTask37F2BBE2" || string(got) != want {
		t.Errorf("the first task is %s\n%s\nwant it as it was on the day the first service was made:\n%s", first.ID, got, want)
	}
}
