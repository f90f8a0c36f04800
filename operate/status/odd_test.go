package status

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	deploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	pipelinetypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
)

// The tests of this file have AWS answer as it may by its documentation, and as its doubles do not.

// endless has lists without an end, whose first page is empty.
type endless struct {
	CodeDeploy
	ECS
	pages int
}

func (e *endless) ListDeployments(ctx context.Context, in *codedeploy.ListDeploymentsInput, _ ...func(*codedeploy.Options)) (*codedeploy.ListDeploymentsOutput, error) {
	e.pages++
	if e.pages == 1 {
		return &codedeploy.ListDeploymentsOutput{NextToken: aws.String("next")}, nil
	}
	of := *in
	of.NextToken = nil // The double has one page.
	out, err := e.CodeDeploy.ListDeployments(ctx, &of)
	if err == nil {
		out.NextToken = aws.String("next")
	}
	return out, err
}

func (e *endless) ListServiceDeployments(ctx context.Context, in *ecs.ListServiceDeploymentsInput, _ ...func(*ecs.Options)) (*ecs.ListServiceDeploymentsOutput, error) {
	e.pages++
	of := *in
	of.NextToken = nil
	out, err := e.ECS.ListServiceDeployments(ctx, &of)
	if err == nil {
		out.NextToken = aws.String("next")
	}
	return out, err
}

func TestReadEndsListsWithoutAnEnd(t *testing.T) {
	for _, tt := range []struct {
		of    contract.Pipeline
		world func(*testing.T, *serviceWorld)
		pages int
		runs  bool
	}{
		{shop, func(t *testing.T, w *serviceWorld) { w.deploy(t, nil) }, 2, true},
		{shop, func(t *testing.T, w *serviceWorld) {
			w.deploy(t, func(in *fakeaws.DeploymentInput) { in.Hooks = nil })
		}, maxPages, false},
		{news, func(t *testing.T, w *serviceWorld) { w.deployByECS(t) }, maxPages, true},
	} {
		w := newServiceWorld(t, fakeaws.Options{})
		tt.world(t, w)
		e := &endless{CodeDeploy: w.Services.CodeDeploy, ECS: w.Services.ECS}
		w.Services.CodeDeploy, w.Services.ECS = e, e
		if d, err := w.Read(t.Context(), tt.of); err != nil || d == nil || d.Running != tt.runs || e.pages != tt.pages {
			t.Errorf("%s: got %+v, %v after %d pages, want one that runs: %v, after %d", tt.of.Name, d, err, e.pages, tt.runs, tt.pages)
		}
	}
}

// described describes each service deployment in one way.
type described struct {
	ECS
	as []types.ServiceDeployment
}

func (d described) DescribeServiceDeployments(context.Context, *ecs.DescribeServiceDeploymentsInput, ...func(*ecs.Options)) (*ecs.DescribeServiceDeploymentsOutput, error) {
	return &ecs.DescribeServiceDeploymentsOutput{ServiceDeployments: d.as}, nil
}

func TestReadOfAnOddServiceDeployment(t *testing.T) {
	hook := func(name string, status types.DeploymentLifecycleHookStatus) types.DeploymentLifecycleHookDetail {
		return types.DeploymentLifecycleHookDetail{TargetArn: aws.String("arn:aws:lambda:us-east-1:123456789012:function:" + name), Status: status}
	}
	for _, tt := range []struct {
		name string
		as   []types.ServiceDeployment
		want []string
	}{
		{"not described yet", nil, []string{"Deployment  ID pending"}},
		{"not started yet", []types.ServiceDeployment{{Status: types.ServiceDeploymentStatusPending, CreatedAt: aws.Time(noon.Add(-5 * time.Second))}}, []string{"Deployment  ID pending for 5 s"}},
		{"stopped by a person", []types.ServiceDeployment{{Status: types.ServiceDeploymentStatusStopped, StartedAt: aws.Time(noon.Add(-time.Minute)), StoppedAt: aws.Time(noon.Add(-5 * time.Second))}},
			[]string{"Deployment  ID stopped 5 s ago"}},
		{"beside the hook of somebody else", []types.ServiceDeployment{{
			Status: types.ServiceDeploymentStatusInProgress, StartedAt: aws.Time(noon), LifecycleStage: "PRODUCTION_TRAFFIC_SHIFT",
			LifecycleHookDetails: []types.DeploymentLifecycleHookDetail{hook(contract.HookFunctionName("news"), types.DeploymentLifecycleHookStatusSucceeded), hook("other", types.DeploymentLifecycleHookStatusFailed)},
		}}, []string{"Deployment  ID in progress for 0 s, at PRODUCTION_TRAFFIC_SHIFT", "Hook        PRODUCTION_TRAFFIC_SHIFT succeeded", "Hook        POST_PRODUCTION_TRAFFIC_SHIFT pending"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newServiceWorld(t, fakeaws.Options{})
			w.deployByECS(t)
			w.Services.ECS = described{w.Services.ECS, tt.as}
			d, err := w.Read(t.Context(), news)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, line := range d.Lines(noon) {
				got = append(got, anyID.ReplaceAllString(strings.TrimPrefix(line, "  "), "ID"))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// elsewhere has deployments whose target is a function of Lambda.
type elsewhere struct{ CodeDeploy }

func (elsewhere) BatchGetDeploymentTargets(context.Context, *codedeploy.BatchGetDeploymentTargetsInput, ...func(*codedeploy.Options)) (*codedeploy.BatchGetDeploymentTargetsOutput, error) {
	return &codedeploy.BatchGetDeploymentTargetsOutput{DeploymentTargets: []deploytypes.DeploymentTarget{{LambdaTarget: &deploytypes.LambdaTarget{}}}}, nil
}

func TestReadRefusesAnotherTarget(t *testing.T) {
	w := newServiceWorld(t, fakeaws.Options{})
	w.deploy(t, nil)
	w.Services.CodeDeploy = elsewhere{w.Services.CodeDeploy}
	if _, err := w.Read(t.Context(), shop); err == nil || !strings.HasSuffix(err.Error(), " is not of a service of ECS") {
		t.Errorf("got %v", err)
	}
}

// bare has a pipeline whose actions have no type.
type bare struct{}

func (bare) GetPipeline(context.Context, *codepipeline.GetPipelineInput, ...func(*codepipeline.Options)) (*codepipeline.GetPipelineOutput, error) {
	return &codepipeline.GetPipelineOutput{Pipeline: &pipelinetypes.PipelineDeclaration{Stages: []pipelinetypes.StageDeclaration{{Actions: []pipelinetypes.ActionDeclaration{{}}}}}}, nil
}

func TestReadOfABarePipeline(t *testing.T) {
	if _, err := (Services{CodePipeline: bare{}}).Read(t.Context(), api); err == nil || !strings.HasPrefix(err.Error(), "the pipeline api does not name what it deploys") {
		t.Errorf("got %v", err)
	}
}

func TestWords(t *testing.T) {
	for want, details := range map[string]*pipelinetypes.ErrorDetails{
		"":                       nil,
		"JobFailed: no home":     {Code: aws.String("JobFailed"), Message: aws.String("no home")},
		"JobFailed: it ended":    {Code: aws.String("JobFailed"), Message: aws.String("JobFailed: it ended")},
		"JobFailed":              {Code: aws.String("JobFailed")},
		"only words":             {Message: aws.String("only words")},
		"Timeout: JobFailed: it": {Code: aws.String("Timeout"), Message: aws.String("JobFailed: it")},
	} {
		if got := words(details); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
