package appspec

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"blog-deploy-pipeline/lambdas/contract"
)

// parsed has the fields that CodeDeploy reads for ECS, without those that the template
// never sets.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
type parsed struct {
	Version   any `yaml:"version"`
	Resources []struct {
		TargetService struct {
			Type       string `yaml:"Type"`
			Properties struct {
				TaskDefinition   string `yaml:"TaskDefinition"`
				LoadBalancerInfo struct {
					ContainerName any `yaml:"ContainerName"`
					ContainerPort any `yaml:"ContainerPort"`
				} `yaml:"LoadBalancerInfo"`
			} `yaml:"Properties"`
		} `yaml:"TargetService"`
	} `yaml:"Resources"`
	Hooks []map[string]any `yaml:"Hooks"`
}

// parse ends the test for fields that CodeDeploy does not know, and for duplicate fields.
func parse(t *testing.T, text string) parsed {
	t.Helper()
	var out parsed
	if err := yaml.NewDecoder(bytes.NewReader([]byte(text)), yaml.Strict()).Decode(&out); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

func TestRender(t *testing.T) {
	everyHook := make([]Hook, len(Events))
	for i, event := range Events {
		everyHook[i] = Hook{event, contract.HookFunctionName(fmt.Sprint(i))}
	}
	tests := []struct {
		name string
		spec Spec
	}{
		{"the article's", Spec{Container: "web", Port: 80, Hooks: []Hook{{"AfterAllowTraffic", contract.HookFunctionName("shop")}}}},
		{"no hook", Spec{Container: "web", Port: 65535}},
		{"every hook", Spec{Container: "web", Port: 1, Hooks: everyHook}},
		{"by ARN", Spec{Container: "web", Port: 80, Hooks: []Hook{{"BeforeInstall", "arn:aws:lambda:us-east-1:123456789012:function:check:live"}}}},
		{"container that unquoted YAML reads as null", Spec{Container: "null", Port: 80}},
		{"container that unquoted YAML reads as a number", Spec{Container: "1e5", Port: 80}},
		{"container that unquoted YAML reads as a list", Spec{Container: "-", Port: 80}},
		{"function that unquoted YAML reads as a boolean", Spec{Container: "web", Port: 80, Hooks: []Hook{{"AfterInstall", "no"}}}},
		{"function that unquoted YAML reads as a number", Spec{Container: "web", Port: 80, Hooks: []Hook{{"AfterInstall", "007"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, err := Render(tt.spec)
			if err != nil {
				t.Fatal(err)
			}
			got := parse(t, text)
			if got.Version != 0.0 || !strings.HasPrefix(text, "version: 0.0\n") {
				t.Errorf("version is %v (%[1]T), want 0.0, the only version", got.Version)
			}
			if len(got.Resources) != 1 {
				t.Fatalf("%d resources, want 1\n%s", len(got.Resources), text)
			}
			service := got.Resources[0].TargetService
			if service.Type != "AWS::ECS::Service" {
				t.Errorf("type is %q", service.Type)
			}
			if service.Properties.TaskDefinition != "<TASK_DEFINITION>" {
				t.Errorf("task definition is %q, want the placeholder that CodePipeline replaces", service.Properties.TaskDefinition)
			}
			if got := service.Properties.LoadBalancerInfo.ContainerName; got != tt.spec.Container {
				t.Errorf("container is %v (%T), want %q", got, got, tt.spec.Container)
			}
			if got := fmt.Sprintf("%T %[1]v", service.Properties.LoadBalancerInfo.ContainerPort); got != fmt.Sprintf("uint64 %d", tt.spec.Port) {
				t.Errorf("port is %s, want the number %d", got, tt.spec.Port)
			}
			if len(got.Hooks) != len(tt.spec.Hooks) {
				t.Fatalf("hooks are %v, want %v", got.Hooks, tt.spec.Hooks)
			}
			for i, want := range tt.spec.Hooks {
				if hook := got.Hooks[i]; len(hook) != 1 || hook[want.Event] != want.Function {
					t.Errorf("hook %d is %v, want %v", i, hook, want)
				}
			}
			// CodePipeline replaces every occurrence.
			if n := strings.Count(text, "<TASK_DEFINITION>"); n != 1 {
				t.Errorf("the text has the placeholder %d times, want once", n)
			}
		})
	}
}

func TestRenderRefuses(t *testing.T) {
	good := func() Spec { return Spec{Container: "web", Port: 80, Hooks: []Hook{{"AfterAllowTraffic", "clear"}}} }
	tests := []struct {
		name   string
		change func(*Spec)
		want   string
	}{
		{"no container", func(s *Spec) { s.Container = "" }, `Container is "": must be the container's name in the task definition`},
		{"container too long", func(s *Spec) { s.Container = strings.Repeat("x", 256) }, "1 to 255"},
		{"container with YAML in it", func(s *Spec) { s.Container = "web\"\nHooks: []" }, `Container is "web\"\nHooks: []"`},
		{"container on two lines", func(s *Spec) { s.Container = "web\n" }, "Container"},
		{"no port", func(s *Spec) { s.Port = 0 }, "Port is 0: must be the container's port, from 1 to 65535"},
		{"port too high", func(s *Spec) { s.Port = 65536 }, "Port is 65536"},
		{"unknown hook", func(s *Spec) { s.Hooks[0].Event = "AfterInvalidation" }, `Hooks[0].Event is "AfterInvalidation": must be one of BeforeInstall, AfterInstall, AfterAllowTestTraffic, BeforeAllowTraffic, AfterAllowTraffic`},
		{"hook of EC2", func(s *Spec) { s.Hooks[0].Event = "ValidateService" }, "must be one of"},
		{"ECS's own stage", func(s *Spec) { s.Hooks[0].Event = "POST_SCALE_UP" }, "must be one of"},
		{"hook twice", func(s *Spec) { s.Hooks = append(s.Hooks, s.Hooks[0]) }, `Hooks[1].Event is "AfterAllowTraffic": has a function already`},
		{"no function", func(s *Spec) { s.Hooks[0].Function = "" }, `Hooks[0].Function is "": must be a Lambda function's name or ARN`},
		{"function too long", func(s *Spec) { s.Hooks[0].Function = strings.Repeat("x", 65) }, "Hooks[0].Function"},
		{"another ARN", func(s *Spec) { s.Hooks[0].Function = "arn:aws:sns:us-east-1:123456789012:topic" }, "Hooks[0].Function"},
		{"function with YAML in it", func(s *Spec) { s.Hooks[0].Function = "x\"\n  - BeforeInstall: y" }, "Hooks[0].Function"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spec := good()
			tt.change(&spec)
			text, err := Render(spec)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("Render: %v, want %q in it", err, tt.want)
			}
			if n := strings.Count(err.Error(), "AppSpec: "); n != 1 {
				t.Errorf("one problem has %d messages: %v", n, err)
			}
			if text != "" {
				t.Errorf("Render returned a file all the same:\n%s", text)
			}
		})
	}
}

func TestRenderReturnsEveryProblem(t *testing.T) {
	_, err := Render(Spec{Hooks: []Hook{{"Before", "a b"}}})
	for _, want := range []string{"Container is", "Port is", "Hooks[0].Event is", "Hooks[0].Function is"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Render: %v, want %q in it", err, want)
		}
	}
}
