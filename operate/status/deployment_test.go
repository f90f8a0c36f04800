package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/fakeaws"
)

// serviceWorld is an account with services. Its clock begins at noon.
type serviceWorld struct {
	cloud *fakeaws.Cloud
	now   time.Time
	Services
}

func newServiceWorld(t *testing.T, opts fakeaws.Options) *serviceWorld {
	t.Helper()
	w := &serviceWorld{now: noon}
	opts.Now = func() time.Time { return w.now }
	w.cloud = fakeaws.New(opts)
	server := httptest.NewServer(w.cloud)
	t.Cleanup(server.Close)
	key := w.cloud.Issue("arn:aws:iam::123456789012:user/me", 0)
	config := aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL, Retryer: func() aws.Retryer { return onlyLost() },
		Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, ""),
	}
	w.Services = Services{codepipeline.NewFromConfig(config), codedeploy.NewFromConfig(config), ecs.NewFromConfig(config)}
	return w
}

// onlyLost returns a retryer that repeats nothing but what Go's HTTP client has lost: a server so near answers before
// the client is done with its request, whose body the SDK then closes. It repeats no fault of a double's.
func onlyLost() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Retryables = []retry.IsErrorRetryable{retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			return aws.BoolTernary(strings.Contains(err.Error(), "use of closed network connection"))
		})}
	})
}

// The services of the tests.
var (
	shop = contract.Pipeline{Name: "shop", Service: &contract.Service{
		Application: "shop", DeploymentGroup: "blue-green", Events: []string{"BeforeAllowTraffic", "AfterAllowTraffic"},
	}}
	news = contract.Pipeline{Name: "news", Service: &contract.Service{
		Cluster: "production", Service: "news", Events: []string{"PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"},
	}}
	api = contract.Pipeline{Name: "api", Service: &contract.Service{Events: []string{"AfterAllowTraffic"}}}
)

// deploy starts a deployment of the shop.
func (w *serviceWorld) deploy(t *testing.T, change func(*fakeaws.DeploymentInput)) *fakeaws.Deployment {
	t.Helper()
	in := fakeaws.DeploymentInput{
		Application: "shop", DeploymentGroup: "blue-green", AutoRollback: true,
		Hooks: map[string]string{"BeforeAllowTraffic": contract.HookFunctionName("shop"), "AfterAllowTraffic": contract.HookFunctionName("shop")},
	}
	if change != nil {
		change(&in)
	}
	d, err := w.cloud.StartDeployment(in)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// report reports how the deployment's next hook has ended, a minute later.
func (w *serviceWorld) report(t *testing.T, d *fakeaws.Deployment, status cdtypes.LifecycleEventStatus) {
	t.Helper()
	var event struct {
		Deployment string `json:"DeploymentId"`
		Hook       string `json:"LifecycleEventHookExecutionId"`
	}
	if err := json.Unmarshal(d.Next().Event(), &event); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	in := &codedeploy.PutLifecycleEventHookExecutionStatusInput{DeploymentId: &event.Deployment, LifecycleEventHookExecutionId: &event.Hook, Status: status}
	if _, err := w.CodeDeploy.(*codedeploy.Client).PutLifecycleEventHookExecutionStatus(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// deployByECS starts a deployment of the news.
func (w *serviceWorld) deployByECS(t *testing.T) *fakeaws.ServiceDeployment {
	t.Helper()
	d, err := w.cloud.StartServiceDeployment(fakeaws.ServiceDeploymentInput{Cluster: "production", Service: "news", Hooks: []fakeaws.ServiceHook{{
		HookTargetARN: "arn:aws:lambda:us-east-1:123456789012:function:" + contract.HookFunctionName("news"), RoleARN: "arn:aws:iam::123456789012:role/invoker",
		LifecycleStages: news.Service.Events,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// answer answers the deployment's next call of the hook, a minute later.
func (w *serviceWorld) answer(t *testing.T, d *fakeaws.ServiceDeployment, status string) {
	t.Helper()
	call := d.Next()
	w.now = w.now.Add(time.Minute)
	if err := call.Answer([]byte(`{"hookStatus":"`+status+`"}`), nil); err != nil {
		t.Fatal(err)
	}
}

// pipeline adds the pipeline of api, whose last stage has an action.
func (w *serviceWorld) pipeline(t *testing.T, provider string, configuration map[string]string) {
	t.Helper()
	err := w.cloud.AddPipeline(fakeaws.Pipeline{Name: "api", Stages: []fakeaws.PipelineStage{
		{Name: "Build", Actions: []fakeaws.PipelineAction{{Name: "Build", Configuration: map[string]string{"ProjectName": "build"}}}},
		{Name: "Deploy", Actions: []fakeaws.PipelineAction{{Name: "Deploy", ActionTypeID: fakeaws.ActionTypeID{Provider: provider}, Configuration: configuration}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// anyID matches the ids of deployments.
var anyID = regexp.MustCompile(`d-[A-Z0-9]{9}|\b[A-Za-z0-9]{21}\b`)

func TestDeploymentLines(t *testing.T) {
	why := func(service string) string {
		return "the log of the function " + contract.HookFunctionName(service) + " says why"
	}
	tests := []struct {
		name  string
		of    contract.Pipeline
		world func(*testing.T, *serviceWorld)
		want  []string
	}{
		{"CodeDeploy: none", shop, func(t *testing.T, w *serviceWorld) {
			if err := w.cloud.AddDeploymentGroup("shop", "blue-green"); err != nil {
				t.Fatal(err)
			}
		}, []string{"Deployment  none yet"}},
		{"CodeDeploy: not started", shop, func(t *testing.T, w *serviceWorld) {
			w.deploy(t, func(in *fakeaws.DeploymentInput) { in.Created = true })
			w.now = w.now.Add(time.Minute)
		}, []string{"Deployment  ID created for 1 min, by a user or a pipeline"}},
		{"CodeDeploy: before the shift", shop, func(t *testing.T, w *serviceWorld) {
			w.deploy(t, nil)
			w.deploy(t, func(in *fakeaws.DeploymentInput) { in.DeploymentGroup = "other" })
		}, []string{
			"Deployment  ID in progress for 0 s, by a user or a pipeline, at BeforeAllowTraffic",
			"Traffic     blue (old) 100 %, green (new) 0 %",
			"Hook        BeforeAllowTraffic in progress for 0 s",
			"Hook        AfterAllowTraffic pending",
		}},
		{"CodeDeploy: after the shift", shop, func(t *testing.T, w *serviceWorld) {
			w.deploy(t, func(in *fakeaws.DeploymentInput) { in.Hooks = nil })
			d := w.deploy(t, func(in *fakeaws.DeploymentInput) { in.Creator = "CloudFormation" })
			w.report(t, d, "Succeeded")
			w.now = w.now.Add(5 * time.Second)
		}, []string{
			"Deployment  ID in progress for 1 min, by CloudFormation, at AfterAllowTraffic",
			"Traffic     blue (old) 0 %, green (new) 100 %",
			"Hook        BeforeAllowTraffic succeeded 5 s ago",
			"Hook        AfterAllowTraffic in progress for 5 s",
		}},
		{"CodeDeploy: succeeded", shop, func(t *testing.T, w *serviceWorld) {
			w.deploy(t, func(in *fakeaws.DeploymentInput) { in.Hooks = nil })
			w.now = w.now.Add(3 * time.Hour)
		}, []string{
			"Deployment  ID succeeded 3 h ago, by a user or a pipeline",
			"Traffic     blue (old) 0 %, green (new) 100 %",
			"Hook        BeforeAllowTraffic succeeded 3 h ago",
			"Hook        AfterAllowTraffic succeeded 3 h ago",
		}},
		{"CodeDeploy: failed", shop, func(t *testing.T, w *serviceWorld) {
			d := w.deploy(t, func(in *fakeaws.DeploymentInput) { in.AutoRollback = false })
			w.report(t, d, "Failed")
		}, []string{
			"Deployment  ID failed 0 s ago, by a user or a pipeline",
			"            HOOK_EXECUTION_FAILURE: The hook BeforeAllowTraffic failed: the function has reported Failed",
			"Traffic     blue (old) 100 %, green (new) 0 %",
			"Hook        BeforeAllowTraffic failed 0 s ago: ScriptFailed: the function has reported Failed; " + why("shop"),
			"Hook        AfterAllowTraffic skipped",
		}},
		{"CodeDeploy: rolls back", shop, func(t *testing.T, w *serviceWorld) { w.report(t, w.deploy(t, nil), "Failed") }, []string{
			"Deployment  ID in progress for 0 s, which rolls back ID, at BeforeAllowTraffic",
			"Traffic     blue (old) 100 %, green (new) 0 %",
			"Hook        BeforeAllowTraffic in progress for 0 s",
			"Hook        AfterAllowTraffic pending",
		}},
		{"CodeDeploy: by its pipeline", api, func(t *testing.T, w *serviceWorld) {
			w.pipeline(t, "CodeDeployToECS", map[string]string{"ApplicationName": "shop", "DeploymentGroupName": "blue-green"})
			w.deploy(t, func(in *fakeaws.DeploymentInput) { delete(in.Hooks, "BeforeAllowTraffic") })
		}, []string{
			"Deployment  ID in progress for 0 s, by a user or a pipeline, at AfterAllowTraffic",
			"Traffic     blue (old) 0 %, green (new) 100 %",
			"Hook        AfterAllowTraffic in progress for 0 s",
		}},
		{"ECS: none", news, func(t *testing.T, w *serviceWorld) {
			if err := w.cloud.AddService("production", "news"); err != nil {
				t.Fatal(err)
			}
		}, []string{"Deployment  none yet"}},
		{"ECS: the newest of many, in a hook", news, func(t *testing.T, w *serviceWorld) {
			for range 101 { // The double lists the oldest first, on two pages.
				w.answer(t, w.deployByECS(t), "FAILED")
			}
			w.deployByECS(t)
			w.now = w.now.Add(5 * time.Second)
		}, []string{
			"Deployment  ID in progress for 5 s, at PRODUCTION_TRAFFIC_SHIFT",
			"Traffic     blue (old) 0 %, green (new) 100 %",
			"Hook        PRODUCTION_TRAFFIC_SHIFT in progress",
			"Hook        POST_PRODUCTION_TRAFFIC_SHIFT pending",
		}},
		{"ECS: in the next hook", news, func(t *testing.T, w *serviceWorld) { w.answer(t, w.deployByECS(t), "SUCCEEDED") }, []string{
			"Deployment  ID in progress for 1 min, at POST_PRODUCTION_TRAFFIC_SHIFT",
			"Traffic     blue (old) 0 %, green (new) 100 %",
			"Hook        PRODUCTION_TRAFFIC_SHIFT succeeded",
			"Hook        POST_PRODUCTION_TRAFFIC_SHIFT in progress",
		}},
		{"ECS: successful", news, func(t *testing.T, w *serviceWorld) {
			d := w.deployByECS(t)
			w.answer(t, d, "SUCCEEDED")
			w.answer(t, d, "SUCCEEDED")
		}, []string{
			"Deployment  ID successful 0 s ago",
			"Traffic     blue (old) 0 %, green (new) 100 %",
			"Hook        PRODUCTION_TRAFFIC_SHIFT succeeded",
			"Hook        POST_PRODUCTION_TRAFFIC_SHIFT succeeded",
		}},
		{"ECS: rolls back", news, func(t *testing.T, w *serviceWorld) { w.answer(t, w.deployByECS(t), "FAILED") }, []string{
			"Deployment  ID rollback in progress for 1 min, at PRODUCTION_TRAFFIC_SHIFT",
			"            Service deployment rolled back because of a lifecycle hook failure at PRODUCTION_TRAFFIC_SHIFT.",
			"            " + why("news"),
			"Traffic     blue (old) 100 %, green (new) 0 %",
		}},
		{"ECS: rolled back", api, func(t *testing.T, w *serviceWorld) {
			w.pipeline(t, "CodeBuild", map[string]string{
				"ProjectName": "deploy", "EnvironmentVariables": `[{"name":"CLUSTER","type":"PLAINTEXT","value":"production"},{"name":"SERVICE","type":"PLAINTEXT","value":"news"}]`,
			})
			d := w.deployByECS(t)
			w.answer(t, d, "FAILED")
			w.answer(t, d, "SUCCEEDED")
		}, []string{
			"Deployment  ID rollback successful 0 s ago",
			"            Service deployment rolled back because of a lifecycle hook failure at PRODUCTION_TRAFFIC_SHIFT.",
			"            " + why("api"),
			"Traffic     blue (old) 100 %, green (new) 0 %",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newServiceWorld(t, fakeaws.Options{})
			tt.world(t, w)
			d, err := w.Read(t.Context(), tt.of)
			if err != nil {
				t.Fatal(err)
			}
			got := d.Lines(w.now)
			for i, line := range got {
				got[i] = anyID.ReplaceAllString(strings.TrimPrefix(line, "  "), "ID")
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// TestReadFindsWhatATemplateDeploys has the pipelines of this app's templates name what they deploy.
func TestReadFindsWhatATemplateDeploys(t *testing.T) {
	for _, name := range []string{"api", "search"} { // by CodeDeploy, and by ECS
		t.Run(name, func(t *testing.T) {
			tmpl, err := assembly.LoadTemplate("../../stacks/testdata/" + name + "-service.template.json")
			if err != nil {
				t.Fatal(err)
			}
			text := func(v any) string {
				resolved, err := tmpl.Resolve(v)
				if err != nil {
					t.Fatal(err)
				}
				return resolved.(string)
			}
			stages, err := tmpl.Resolve(tmpl.OfType("AWS::CodePipeline::Pipeline")[0].Properties["Stages"])
			if err != nil {
				t.Fatal(err)
			}
			declared, err := json.Marshal(stages)
			if err != nil {
				t.Fatal(err)
			}
			pipeline := fakeaws.Pipeline{Name: name}
			if err := json.Unmarshal(declared, &pipeline.Stages); err != nil { // which ignores the case of names
				t.Fatal(err)
			}
			w := newServiceWorld(t, fakeaws.Options{})
			if err := w.cloud.AddPipeline(pipeline); err != nil {
				t.Fatal(err)
			}
			if groups := tmpl.OfType("AWS::CodeDeploy::DeploymentGroup"); len(groups) > 0 {
				err = w.cloud.AddDeploymentGroup(text(groups[0].Properties["ApplicationName"]), text(map[string]any{"Ref": groups[0].ID}))
			} else {
				service := tmpl.OfType("AWS::ECS::Service")[0]
				err = w.cloud.AddService(text(service.Properties["Cluster"]), text(map[string]any{"Fn::GetAtt": []any{service.ID, "Name"}}))
			}
			if err != nil {
				t.Fatal(err)
			}
			if d, err := w.Read(t.Context(), contract.Pipeline{Name: name, Service: &contract.Service{}}); err != nil || d != nil {
				t.Errorf("got %v, %v, want no deployment", d, err)
			}
		})
	}
}

// TestTrafficIsShared has a canary: a tenth of the visitors has the new version. The double shifts all at once.
func TestTrafficIsShared(t *testing.T) {
	shares := weights(types.ServiceDeployment{
		TargetServiceRevision:  &types.ServiceRevisionSummary{RequestedProductionTrafficWeight: aws.Float64(10)},
		SourceServiceRevisions: []types.ServiceRevisionSummary{{RequestedProductionTrafficWeight: aws.Float64(60)}, {RequestedProductionTrafficWeight: aws.Float64(30)}},
	})
	d := &Deployment{Traffic: shares}
	if got, want := d.traffic(), "blue (old) 90 %, green (new) 10 %"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := weights(types.ServiceDeployment{TargetServiceRevision: &types.ServiceRevisionSummary{}}); got != nil {
		t.Errorf("a rolling deployment: got %v, want no shares", got)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		of    contract.Pipeline
		world func(*testing.T, *serviceWorld)
		want  string
	}{
		{"no application", shop, func(*testing.T, *serviceWorld) {}, "CodeDeploy has no deployment group blue-green of the application shop in this account and region: correct the service's DeployedBy or Region in services.go"},
		{"no group", shop, func(t *testing.T, w *serviceWorld) {
			w.deploy(t, func(in *fakeaws.DeploymentInput) { in.DeploymentGroup = "other" })
		}, "CodeDeploy has no deployment group blue-green"},
		{"servers", shop, func(t *testing.T, w *serviceWorld) {
			w.deploy(t, func(in *fakeaws.DeploymentInput) { in.Server, in.Hooks = true, nil })
		}, "InvalidDeploymentInstanceTypeException"},
		{"no cluster", news, func(*testing.T, *serviceWorld) {}, "ECS has no service news in the cluster production in this account and region"},
		{"no service", news, func(t *testing.T, w *serviceWorld) {
			if err := w.cloud.AddService("production", "shop"); err != nil {
				t.Fatal(err)
			}
		}, "ECS has no service news in the cluster production"},
		{"no pipeline", api, func(*testing.T, *serviceWorld) {}, "PipelineNotFoundException"},
		{"a pipeline of an earlier version", api, func(t *testing.T, w *serviceWorld) {
			w.pipeline(t, "CodeBuild", map[string]string{"ProjectName": "deploy"})
		}, "the pipeline api does not name what it deploys, as one of an earlier version: deploy it again (make deploy SERVICE=api)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newServiceWorld(t, fakeaws.Options{})
			tt.world(t, w)
			if d, err := w.Read(t.Context(), tt.of); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v, want an error with %q", d, err, tt.want)
			}
		})
	}
}

// TestReadNeedsEachPermission denies one call at a time.
func TestReadNeedsEachPermission(t *testing.T) {
	for of, permissions := range map[*contract.Pipeline][]string{
		&shop: {"codedeploy:ListDeployments", "codedeploy:GetDeploymentGroup", "codedeploy:GetDeployment", "codedeploy:ListDeploymentTargets", "codedeploy:BatchGetDeploymentTargets"},
		&news: {"ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments"},
		&api:  {"codepipeline:GetPipeline", "ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments"},
	} {
		for _, permission := range permissions {
			w := newServiceWorld(t, fakeaws.Options{Authorize: func(c fakeaws.Call) error {
				if c.Action == permission {
					return errors.New("no identity-based policy allows it")
				}
				return nil
			}})
			w.deploy(t, func(in *fakeaws.DeploymentInput) { in.Hooks = nil })
			w.deployByECS(t)
			w.pipeline(t, "CodeBuild", map[string]string{"EnvironmentVariables": `[{"name":"CLUSTER","value":"production"},{"name":"SERVICE","value":"news"}]`})
			_, err := w.Read(t.Context(), *of)
			if refusal, ok := errors.AsType[smithy.APIError](err); !ok || refusal.ErrorCode() != "AccessDeniedException" {
				t.Errorf("%s without %s: got %v, want its refusal", of.Name, permission, err)
			}
		}
		w := newServiceWorld(t, fakeaws.Options{})
		w.deploy(t, func(in *fakeaws.DeploymentInput) { in.Hooks = nil })
		w.deployByECS(t)
		w.pipeline(t, "CodeBuild", map[string]string{"EnvironmentVariables": `[{"name":"CLUSTER","value":"production"},{"name":"SERVICE","value":"news"}]`})
		if _, err := w.Read(t.Context(), *of); err != nil {
			t.Fatal(err)
		}
		for _, call := range w.cloud.Calls() {
			if !slices.Contains(permissions, call.Action) {
				t.Errorf("%s: %s is needed, too: name it here and in docs/permissions.md", of.Name, call.Action)
			}
		}
	}
}

// watchedService follows a service. Each look is followed by the next step, until there is none.
func watchedService(t *testing.T, w *serviceWorld, of contract.Pipeline, steps ...func()) (lines []string, err error) {
	t.Helper()
	err = Watcher{
		Client: w.CodePipeline.(*codepipeline.Client), Services: w.Services, Pipeline: of,
		Tell: func(line string) { lines = append(lines, anyID.ReplaceAllString(line[len("12:00:00  "):], "ID")) },
		Now:  func() time.Time { return w.now },
		Sleep: func(context.Context, time.Duration) error {
			w.now = w.now.Add(lookEvery)
			if len(steps) > 0 {
				steps[0]()
				steps = steps[1:]
			}
			return nil
		},
	}.Watch(t.Context())
	return lines, err
}

func TestWatchOfADeployment(t *testing.T) {
	const passed = "BeforeInstall succeeded;Install succeeded;AfterInstall succeeded;"
	t.Run("CodeDeploy succeeds", func(t *testing.T) {
		w := newServiceWorld(t, fakeaws.Options{})
		w.deploy(t, func(in *fakeaws.DeploymentInput) { in.Hooks = nil })
		w.now = w.now.Add(time.Hour)
		var d *fakeaws.Deployment
		lines, err := watchedService(t, w, shop,
			func() { d = w.deploy(t, nil) }, func() { w.report(t, d, "Succeeded") }, func() { w.report(t, d, "Succeeded") })
		want := "waiting for a deployment to begin;deployment ID began 0 s ago: by a user or a pipeline;" + passed +
			"BeforeAllowTraffic in progress;Traffic blue (old) 100 %, green (new) 0 %;" +
			"BeforeAllowTraffic succeeded;AllowTraffic succeeded;AfterAllowTraffic in progress;Traffic blue (old) 0 %, green (new) 100 %;AfterAllowTraffic succeeded;Deployment succeeded"
		if got := strings.Join(lines, ";"); got != want || err != nil {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
	})
	t.Run("CodeDeploy fails", func(t *testing.T) {
		w := newServiceWorld(t, fakeaws.Options{})
		d := w.deploy(t, func(in *fakeaws.DeploymentInput) { in.AutoRollback = false })
		_, err := watchedService(t, w, shop, func() { w.report(t, d, "Failed") })
		want := "deployment ID failed after 1 min\nHOOK_EXECUTION_FAILURE: The hook BeforeAllowTraffic failed: the function has reported Failed"
		if got := anyID.ReplaceAllString(fmt.Sprint(err), "ID"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("ECS rolls back", func(t *testing.T) {
		w := newServiceWorld(t, fakeaws.Options{})
		d := w.deployByECS(t)
		lines, err := watchedService(t, w, news, func() { w.answer(t, d, "FAILED") }, func() { w.answer(t, d, "SUCCEEDED") })
		want := "deployment ID began 0 s ago;PRODUCTION_TRAFFIC_SHIFT in progress;Traffic blue (old) 0 %, green (new) 100 %;Traffic blue (old) 100 %, green (new) 0 %;Deployment rollback in progress;Deployment rollback successful"
		if got := strings.Join(lines, ";"); got != want || err == nil || !strings.Contains(err.Error(), "rollback successful after 2 min\nService deployment rolled back") {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
	})
	t.Run("none begins", func(t *testing.T) {
		w := newServiceWorld(t, fakeaws.Options{})
		if err := w.cloud.AddService("production", "news"); err != nil {
			t.Fatal(err)
		}
		_, err := watchedService(t, w, news)
		if want := "no deployment of news has begun for 2 min: follow it once it has"; fmt.Sprint(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	t.Run("by its pipeline", func(t *testing.T) {
		w := newServiceWorld(t, fakeaws.Options{})
		w.deploy(t, func(in *fakeaws.DeploymentInput) { in.Hooks = nil }) // an earlier one
		w.pipeline(t, "CodeDeployToECS", map[string]string{"ApplicationName": "shop", "DeploymentGroupName": "blue-green"})
		w.now = w.now.Add(time.Hour)
		e := fakeaws.Execution{ID: first, Status: "InProgress", Started: w.now, Actions: []fakeaws.ActionExecution{{Stage: "Build", Action: "Build", Status: "InProgress", Started: w.now}}}
		set := func() {
			if err := w.cloud.SetExecution("api", e); err != nil {
				t.Fatal(err)
			}
		}
		set()
		lines, err := watchedService(t, w, api, func() {
			e.Actions[0].Status = "Succeeded"
			e.Actions = append(e.Actions, fakeaws.ActionExecution{Stage: "Deploy", Action: "Deploy", Status: "InProgress", Started: w.now})
			set()
			w.deploy(t, func(in *fakeaws.DeploymentInput) { in.Hooks = nil })
		}, func() {
			e.Status, e.Actions[1].Status = "Succeeded", "Succeeded"
			set()
		})
		want := "execution 11111111 began 0 s ago: execution 11111111;Build in progress;Build succeeded;Deploy in progress;" + passed +
			"BeforeAllowTraffic succeeded;AllowTraffic succeeded;AfterAllowTraffic succeeded;Traffic blue (old) 0 %, green (new) 100 %;Deployment succeeded;Deploy succeeded"
		if got := strings.Join(lines, ";"); got != want || err != nil {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
	})
}
