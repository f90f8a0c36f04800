package stacks

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
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

// CloudFormation and the pipeline use different families. The newest revision of the service's family is
// the one that the pipeline deployed last with success.
func TestTaskDefinitions(t *testing.T) {
	eachFargate(t, func(t *testing.T, s props.FargateService, tmpl *assembly.Template) {
		family := s.Name + "-service"
		first, template := taskDefinition(t, tmpl, family), taskDefinition(t, tmpl, family+"-template")
		made := tmpl.OfType("AWS::ECS::Service")[0]
		equal(t, "service's task definition, as written", made.Properties["TaskDefinition"], family)
		for _, id := range []string{first.ID, roleID(t, tmpl, "ExecutionRole")} {
			if !slices.Contains(made.DependsOn, id) {
				t.Errorf("the service depends on %v, want %s among them", made.DependsOn, id)
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
			equal(t, "port", at(t, tmpl, container, "PortMappings", 0, "ContainerPort"), s.WithDefaults().Container.Port)
			equal(t, "architecture", at(t, tmpl, task.Properties, "RuntimePlatform", "CpuArchitecture"), cmp.Or(s.Container.Architecture, props.ArchitectureARM64))
			equal(t, "role", at(t, tmpl, task.Properties, "TaskRoleArn"), arnOf(t, tmpl, roleID(t, tmpl, "TaskRole")))
		}
		// A change of these props must not make a new first revision.
		container := at(t, tmpl, first.Properties, "ContainerDefinitions", 0).(map[string]any)
		equal(t, "first image", container["Image"], cmp.Or(s.Container.InitialImage, props.DefaultInitialImage))
		equal(t, "first variables", container["Environment"], nil)
		equal(t, "first secrets", container["Secrets"], nil)
		equal(t, "first CPU", first.Properties["Cpu"], "256")
		equal(t, "first memory", first.Properties["Memory"], "512")
	})
	tmpl := fargateTemplate(t, fixtures.Store)
	task := taskDefinition(t, tmpl, "store-service-template").Properties
	equal(t, "CPU", task["Cpu"], "1024")
	equal(t, "memory", task["Memory"], "3072")
	equal(t, "variables", at(t, tmpl, task, "ContainerDefinitions", 0, "Environment"), []any{map[string]any{"Name": "LOG_LEVEL", "Value": "info"}})
	want := []any{map[string]any{"Name": "API_TOKEN", "ValueFrom": "arn:aws:ssm:ap-northeast-1:" + fixtures.Account + ":parameter/store/token"}}
	for _, name := range []string{"DATABASE", "PASSWORD", "PREVIOUS", "USER", "WHOLE"} {
		want = append(want, map[string]any{"Name": name, "ValueFrom": fixtures.Store.Container.Secrets[name]})
	}
	equal(t, "secrets", at(t, tmpl, task, "ContainerDefinitions", 0, "Secrets"), want)
}

// The execution role may decrypt the secrets that the service names, through Secrets Manager or Systems
// Manager, and nothing else that the same key encrypts.
func TestSecretKeys(t *testing.T) {
	const (
		parameter = "arn:aws:ssm:ap-northeast-1:" + fixtures.Account + ":parameter/store/"
		secret    = "kms:EncryptionContext:SecretARN"
		named     = "kms:EncryptionContext:PARAMETER_ARN"
		manager   = "secretsmanager.ap-northeast-1.amazonaws.com"
		ssm       = "ssm.ap-northeast-1.amazonaws.com"
	)
	ask := func(action, key string, context map[string]string, allowed bool) question {
		return question{iampolicy.Request{Action: action, Resource: key, Context: context, ResourcePolicy: ownPolicies["kms"]}, allowed}
	}
	decrypt := func(via, context, what string, allowed bool) question {
		return ask("kms:Decrypt", fixtures.StoreKey, map[string]string{"kms:ViaService": via, context: what}, allowed)
	}
	checkQuestions(t, fargateTemplate(t, fixtures.Store), "ExecutionRole", []question{
		decrypt(manager, secret, fixtures.StoreSecret+"store-AbCdEf", true),
		decrypt(manager, secret, fixtures.StoreSecret+"rds!cluster-"+fixtures.UUID+"-AbCdEf", true),
		decrypt(manager, secret, fixtures.StoreSecret+"prod/a_b+c=d.e@f-g-AbCdEf", true),
		decrypt(manager, secret, fixtures.StoreSecret+"prod/db-secret", true),
		decrypt(manager, secret, fixtures.StoreSecret+"old-AbCdEf", true),
		decrypt(ssm, named, parameter+"token", true),
		decrypt(ssm, named, parameter+"old-token", true),

		decrypt(manager, secret, fixtures.StoreSecret+"other-AbCdEf", false),
		decrypt(manager, secret, fixtures.StoreSecret+"store-AbCdEf-AbCdEf", false),
		decrypt(ssm, named, parameter+"token2", false),
		decrypt(ssm, secret, fixtures.StoreSecret+"store-AbCdEf", false),
		decrypt(manager, named, parameter+"token", false),
		decrypt("secretsmanager.us-east-1.amazonaws.com", secret, fixtures.StoreSecret+"store-AbCdEf", false),
		ask("kms:Decrypt", fixtures.StoreKey, map[string]string{secret: fixtures.StoreSecret + "store-AbCdEf"}, false),
		ask("kms:Decrypt", fixtures.StoreKey, map[string]string{"kms:ViaService": manager}, false),
		ask("kms:Decrypt", fixtures.StoreKey+"0", map[string]string{"kms:ViaService": manager, secret: fixtures.StoreSecret + "store-AbCdEf"}, false),
		ask("kms:GenerateDataKey", fixtures.StoreKey, map[string]string{"kms:ViaService": manager, secret: fixtures.StoreSecret + "store-AbCdEf"}, false),
	})
	checkQuestions(t, fargateTemplate(t, fixtures.Store), "TaskRole", []question{decrypt(manager, secret, fixtures.StoreSecret+"store-AbCdEf", false)})
	// This service names secrets and no key.
	checkQuestions(t, changedApp().templates["api-service"], "ExecutionRole", []question{
		ask("kms:Decrypt", "arn:aws:kms:us-east-1:"+fixtures.Account+":key/"+fixtures.UUID, map[string]string{"kms:ViaService": "ssm.us-east-1.amazonaws.com", named: "arn:aws:ssm:us-east-1:" + fixtures.Account + ":parameter/api/token"}, false),
	})
}

// An owner may paste the secret itself in place of its name: the error does not repeat it.
func TestSecretsAreNotRepeated(t *testing.T) {
	for name, pasted := range map[string]string{
		"password":          "hunter2!",
		"passphrase":        "correct horse battery",
		"connection string": "postgres://me:hunter2@db.example.com/shop",
		"JSON":              `{"password":"hunter2"}`,
		"AWS secret key":    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"AWS key":           "AKIAIOSFODNN7EXAMPLE",
		"base64":            "/bPxRfiCYEXAMPLEKEYwJalrXUtnFEMI==",
		"long":              "/AWSbPxRfiCYEXAMPLEKEY0123",
		"GitHub":            "github_pat_0123456789abcdefghij",
		"GitHub, of 2021":   "0123456789abcdef0123456789abcdef01234567",
		"GitLab":            "glpat-0123456789abcdefghij",
		"Slack":             "xoxb-0123456789-abcdefghij",
		"Stripe":            "sk_" + "live_0123456789abcdef",
		"Google":            "AIza0123456789abcdefghijABCDEFGHIJ_-xyz",
		"npm":               "npm_0123456789abcdefghijABCDEFGHIJ012345",
		"JSON web token":    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2lnbmF0dXJl",
		"private key":       "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n",
	} {
		for field, change := range map[string]func(*props.FargateService){
			"Container.Secrets":        func(s *props.FargateService) { s.Container.Secrets = map[string]string{"TOKEN": pasted} },
			"Container.Secrets's name": func(s *props.FargateService) { s.Container.Secrets = map[string]string{pasted + "!": "/token"} },
			"Container.FormerSecrets":  func(s *props.FargateService) { s.Container.FormerSecrets = []string{pasted, pasted} },
			"Source.ParameterName": func(s *props.FargateService) {
				s.Source = props.GitHubToken{Owner: "o", Repo: "r", ParameterName: pasted}
			},
			"Source.SecretName": func(s *props.FargateService) {
				s.Source = props.GitHubToken{Owner: "o", Repo: "r", SecretName: pasted + ":"}
			},
			"Source.SecretField": func(s *props.FargateService) {
				s.Source = props.GitHubToken{Owner: "o", Repo: "r", SecretName: "s", SecretField: pasted + ":"}
			},
		} {
			s := fixtures.API
			change(&s)
			if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "hidden") {
				t.Errorf("%s as %s: error is %v, want one that hides it", name, field, err)
			} else if strings.Contains(err.Error(), pasted) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s as %s: the error repeats it: %v", name, field, err)
			}
		}
	}
}

// A change of these task definitions would bring the initial image back into
// production: each revision of a service's family that CloudFormation registers is its
// newest, and ECS deploys that with the next change of the service. So whatever an
// owner changes leaves the first one as it is, and so must whatever this project
// changes: if this test fails, for a new version of CDK for example, put back what was.
func TestFirstTaskNeverChanges(t *testing.T) {
	for _, s := range fixtures.ChangedServices {
		before, after := taskDefinition(t, stackTemplate(t, s.StackName()), s.StackName()), taskDefinition(t, changedApp().templates[s.StackName()], s.StackName())
		equal(t, s.Identity().Name+"'s first task", after, before)
	}
	tmpl := fargateTemplate(t, fixtures.API)
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

// TestVariablesAreLiteral checks that CloudFormation passes variables to the task as they are written.
func TestVariablesAreLiteral(t *testing.T) {
	tmpl := changedApp().templates[fixtures.Secretive.StackName()]
	for _, task := range tmpl.OfType("AWS::ECS::TaskDefinition") {
		if variables := at(t, tmpl, task.Properties, "ContainerDefinitions", 0, "Environment"); variables != nil {
			equal(t, "variables", variables, []any{map[string]any{"Name": "FORMAT", "Value": fixtures.Secretive.Container.Environment["FORMAT"]}})
			return
		}
	}
	t.Error("no task has the variable")
}
