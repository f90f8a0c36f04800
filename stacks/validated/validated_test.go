// Package validated synthesises what the props allow at most and at least, with the
// CDK's own validation, which the tests of the stacks turn off for speed.
package validated

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks"
)

// settings is cdk.json, which the tests leave behind when they go where dist/ is.
var settings struct{ Context map[string]any }

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	check(os.Setenv("CDK_VALIDATION", "true"))
	jsii.Close() // so that the kernel starts with this environment
	defer jsii.Close()

	cdkJSON, err := os.ReadFile(filepath.Join("..", "..", "cdk.json"))
	check(err)
	check(json.Unmarshal(cdkJSON, &settings))
	dir, err := os.MkdirTemp("", "validated")
	check(err)
	defer os.RemoveAll(dir)
	for _, binary := range []string{"invalidate", "deployhook"} {
		folder := filepath.Join(dir, "dist", binary)
		check(os.MkdirAll(folder, 0o755))
		check(os.WriteFile(filepath.Join(folder, "bootstrap"), []byte("stands for the binary"), 0o755))
	}
	check(os.Chdir(dir))
	return m.Run()
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// synth returns the templates of an app, by stack, and what the validation says of
// them.
func synth(t *testing.T, add func(awscdk.App)) (templates map[string]*assembly.Template, findings []string) {
	t.Helper()
	outdir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Context: &settings.Context, Outdir: &outdir, AnalyticsReporting: jsii.Bool(false)})
	add(app)
	failed := func() (cause any) {
		defer func() { cause = recover() }()
		app.Synth(nil)
		return nil
	}()
	var report struct {
		PluginReports []struct {
			Conclusion string
			Violations []struct{ RuleName, Description, Severity string }
		}
	}
	raw, err := os.ReadFile(filepath.Join(outdir, "validation-report.json"))
	if err == nil {
		err = json.Unmarshal(raw, &report)
	}
	if err != nil && (failed != nil || !errors.Is(err, fs.ErrNotExist)) {
		t.Fatalf("synthesis ends with %v, and its report: %v", failed, err)
	}
	for _, plugin := range report.PluginReports {
		for _, v := range plugin.Violations {
			if v.Severity == "error" {
				findings = append(findings, v.RuleName+": "+v.Description)
			}
		}
	}
	if (failed != nil) != (len(findings) > 0) {
		t.Errorf("synthesis ends with %v, and the findings are %q", failed, findings)
	}
	loaded, err := assembly.Load(outdir)
	if err != nil {
		t.Fatal(err)
	}
	templates = map[string]*assembly.Template{}
	for _, template := range loaded {
		templates[template.Name] = template
	}
	return templates, findings
}

const minutes, hours, days = time.Minute, time.Hour, 24 * time.Hour

var (
	source = stacks.GitHubConnection{Owner: "kzmorita", Repo: "blog", ConnectionARN: "arn:aws:codeconnections:us-east-1:123456789012:connection/01234567-89ab-cdef-0123-456789abcdef"}
	edges  = []stacks.Distribution{{ID: "E2QWRUHAPOMQZL"}}
	mails  = stacks.Notifications{Emails: []string{"me@blog.dev"}}
)

// TestExtremes has the least and the most of every number that Validate accepts.
func TestExtremes(t *testing.T) {
	blogs := []stacks.BlogProps{
		{
			Name: "least", Region: "us-east-1", Source: source, Notifications: mails, Schedule: stacks.Schedule{Expression: "rate(15 minutes)"},
			Build:      stacks.Build{Timeout: 5 * minutes, LogRetention: 1},
			Invalidate: stacks.Invalidate{Deadline: time.Minute, PollFor: time.Second, LogRetention: 1},
			Site: &stacks.Site{
				Headers: stacks.Headers{HSTS: stacks.HSTS{MaxAge: time.Second}}, Caching: stacks.Caching{FeedsFor: time.Second, PagesFor: time.Second},
				AccessLogDays: 1, MonthlyBudget: 1,
			},
		},
		{
			Name: "most", Region: "us-east-1", Source: source, Notifications: mails, Schedule: stacks.Schedule{Expression: "rate(99999 days)"},
			Build:      stacks.Build{Timeout: 36 * hours, LogRetention: 3653},
			Invalidate: stacks.Invalidate{Deadline: 23 * hours, PollFor: 10 * minutes, LogRetention: 3653},
			Site: &stacks.Site{
				Headers: stacks.Headers{HSTS: stacks.HSTS{MaxAge: (1<<31 - 1) * time.Second}}, Caching: stacks.Caching{FeedsFor: days, PagesFor: days},
				AccessLogDays: 3653, MonthlyBudget: 1_000_000,
			},
		},
	}
	services := []stacks.Service{
		stacks.ExistingService{
			Name: "codedeploy-least", DeployedBy: stacks.CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: "web", Port: 1},
			Hook: stacks.Hook{Distributions: edges, Deadline: time.Minute, LogRetention: 1},
		},
		stacks.ExistingService{
			Name: "codedeploy-most", DeployedBy: stacks.CodeDeployGroup{Application: "a", DeploymentGroup: "g", Container: "web", Port: 65535},
			Hook: stacks.Hook{Distributions: edges, Deadline: 14 * minutes, LogRetention: 3653}, Notifications: mails,
		},
		stacks.ExistingService{Name: "ecs-least", DeployedBy: stacks.ECSService{Cluster: "c", Service: "s"}, Hook: stacks.Hook{Distributions: edges, Deadline: time.Minute}},
		stacks.ExistingService{Name: "ecs-most", DeployedBy: stacks.ECSService{Cluster: "c", Service: "s"}, Hook: stacks.Hook{Distributions: edges, Deadline: 23 * hours}},
	}
	for name, controller := range map[string]stacks.Controller{"by-codedeploy": stacks.CodeDeploy, "by-ecs": stacks.ECS} {
		deadline := 14 * minutes
		if controller == stacks.ECS {
			deadline = 23 * hours
		}
		services = append(services,
			stacks.FargateService{
				Name: name + "-least", Source: source, Controller: controller, Build: stacks.ImageBuild{Timeout: 5 * minutes, LogRetention: 1},
				Container: stacks.Container{Port: 1, CPU: 256, MemoryMiB: 512, LogRetention: 1, InitialImage: "public.ecr.aws/docker/library/httpd:2.4.65"},
				VPC:       stacks.NewVPC{NATGateways: 1}, LoadBalancer: stacks.LoadBalancer{TestPort: 1},
				DesiredCount: 1, StartTime: 10 * time.Second, KeepOld: time.Minute, MaxErrorPercent: 1,
				Hook: stacks.Hook{Distributions: edges, Deadline: time.Minute, LogRetention: 1},
			},
			stacks.FargateService{
				Name: name + "-most", Source: source, Controller: controller, Shift: stacks.Linear, Build: stacks.ImageBuild{Timeout: 36 * hours, LogRetention: 3653},
				Container: stacks.Container{Port: 65535, CPU: 16384, MemoryMiB: 122880, LogRetention: 3653, InitialImage: "public.ecr.aws/docker/library/httpd:2.4.65"},
				VPC:       stacks.NewVPC{NATGateways: 2}, LoadBalancer: stacks.LoadBalancer{TestPort: 65535},
				DesiredCount: 100, StartTime: 15 * minutes, KeepOld: 24 * hours, MaxErrorPercent: 100,
				Hook: stacks.Hook{Distributions: edges, Deadline: deadline, LogRetention: 3653}, Notifications: mails,
			},
		)
	}
	if err := stacks.Validate(blogs, services); err != nil {
		t.Fatal(err)
	}
	templates, findings := synth(t, func(app awscdk.App) {
		for _, blog := range blogs {
			stacks.NewBlogStack(app, blog)
		}
		for _, service := range services {
			stacks.NewServiceStack(app, service)
		}
	})
	if len(findings) > 0 {
		t.Errorf("the CDK refuses what Validate accepts: %q", findings)
	}
	// What CloudFormation hands to CodeBuild.
	for stack, want := range map[string]string{
		"least-pipeline": "[5]", "most-pipeline": "[2160]",
		"by-codedeploy-least-service": "[5]", "by-codedeploy-most-service": "[2160]", "by-ecs-most-service": "[2160 2110]",
	} {
		var got []any
		for _, project := range templates[stack].OfType("AWS::CodeBuild::Project") {
			minutes, err := templates[stack].Resolve(project.Properties["TimeoutInMinutes"])
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, minutes)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("the builds of %s end after %v minutes, want %s", stack, got, want)
		}
	}
}

// TestRuleStillJudges has the CDK find what nobody has written so that it cannot.
func TestRuleStillJudges(t *testing.T) {
	_, findings := synth(t, func(app awscdk.App) {
		stack := stacks.NewBlogStack(app, stacks.BlogProps{
			Name: "blog", Source: source, Build: stacks.Build{Timeout: 36 * hours},
			Deploy: stacks.Deploy{Bucket: "kzmorita-blog"}, Invalidate: stacks.Invalidate{DistributionID: "E2QWRUHAPOMQZL"},
		})
		awscodebuild.NewPipelineProject(stack, jsii.String("Another"), &awscodebuild.PipelineProjectProps{
			Timeout: awscdk.Duration_Hours(jsii.Number(36)),
		})
	})
	if len(findings) != 1 || findings[0] != "F3034: TimeoutInMinutes: 2160 is greater than the maximum of 480" {
		t.Errorf("the findings are %q, want the one about a project that is not ours", findings)
	}
}
