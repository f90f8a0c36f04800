package fakeaws_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
)

const (
	pipelineARN    = "arn:aws:codepipeline:" + region + ":123456789012:my-blog"
	firstExecution = "11111111-abcd-1111-abcd-111111abcdef"
	lastExecution  = "22222222-abcd-2222-abcd-222222abcdef"
)

// addPipeline adds a pipeline of two stages, of which the first execution failed and the last one runs.
func addPipeline(t *testing.T, w *world) {
	t.Helper()
	err := w.cloud.AddPipeline(fakeaws.Pipeline{
		Name: "my-blog", RoleARN: "arn:aws:iam::123456789012:role/pipeline", ArtifactStore: fakeaws.ArtifactStore{Location: "artifacts"},
		Variables: []fakeaws.PipelineVariable{{Name: contract.VariableAllowDeletions, DefaultValue: contract.AllowDeletionsNo}},
		Stages: []fakeaws.PipelineStage{
			{Name: "Source", Actions: []fakeaws.PipelineAction{{
				Name: "Checkout", ActionTypeID: fakeaws.ActionTypeID{Category: "Source", Provider: "CodeStarSourceConnection"},
				OutputArtifacts: []fakeaws.ArtifactName{{Name: "Source"}}, Namespace: "Source",
			}}},
			{Name: "Deploy", Actions: []fakeaws.PipelineAction{{
				Name: "Publish", ActionTypeID: fakeaws.ActionTypeID{Category: "Invoke", Provider: "Lambda"},
				Configuration: map[string]string{"FunctionName": "publish", "UserParameters": parameters}, InputArtifacts: []fakeaws.ArtifactName{{Name: "Source"}},
			}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 27, 1, 2, 3, 456e6, time.UTC)
	source := fakeaws.ActionExecution{
		Stage: "Source", Action: "Checkout", Status: "Succeeded", Started: at, Variables: map[string]string{"CommitId": "0123456"},
		Outputs: []fakeaws.Artifact{{Name: "Source", Bucket: "artifacts", Key: "my-blog/Source/1"}},
	}
	half := 50
	for _, e := range []fakeaws.Execution{
		{ID: firstExecution, Status: "Failed", Started: at, Updated: at.Add(time.Minute), TriggerType: "WebhookV2", TriggerDetail: "connection",
			Revisions: []fakeaws.SourceRevision{{ActionName: "Checkout", RevisionID: "0123456", RevisionSummary: `{"ProviderType":"GitHub","CommitMessage":"Write"}`}},
			Actions: []fakeaws.ActionExecution{source,
				{Stage: "Deploy", Action: "Publish", Status: "Failed", Started: at, Updated: at.Add(time.Minute), ErrorCode: "JobFailed", ErrorMessage: "No index.html."},
				{Stage: "Deploy", Action: "Publish", Status: "Failed", Started: at.Add(time.Hour), ErrorCode: "JobFailed", ErrorMessage: "Still no index.html.", ExternalID: "e"},
			}},
		{ID: lastExecution, Status: "InProgress", Started: at, Restores: firstExecution, Actions: []fakeaws.ActionExecution{source,
			{Stage: "Deploy", Action: "Publish", Status: "InProgress", Started: at, Summary: "Half", PercentComplete: &half, Resolved: map[string]string{"FunctionName": "publish"}}}},
	} {
		if err := w.cloud.SetExecution("my-blog", e); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGetPipelineReturnsTheDeclaration(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	addPipeline(t, w)
	out, err := w.codePipeline.GetPipeline(t.Context(), &codepipeline.GetPipelineInput{Name: aws.String("my-blog"), Version: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	p := out.Pipeline
	action := p.Stages[1].Actions[0]
	got := fmt.Sprint(*p.Name, *p.RoleArn, *p.ArtifactStore.Location, p.ArtifactStore.Type, *p.Version, p.PipelineType, p.ExecutionMode, *p.Variables[0].DefaultValue,
		*action.Name, action.ActionTypeId.Category, action.ActionTypeId.Owner, *action.ActionTypeId.Provider, *action.RunOrder, action.Configuration["UserParameters"], *action.InputArtifacts[0].Name)
	if want := "my-blogarn:aws:iam::123456789012:role/pipelineartifactsS31V2SUPERSEDEDnoPublishInvokeAWSLambda1" + parameters + "Source"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if *out.Metadata.PipelineArn != pipelineARN || out.Metadata.Created.IsZero() {
		t.Errorf("metadata is %+v", out.Metadata)
	}
}

func TestGetPipelineStateFollowsTheExecutions(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	addPipeline(t, w)
	state := func() (source, deploy cptypes.StageState) {
		t.Helper()
		out, err := w.codePipeline.GetPipelineState(t.Context(), &codepipeline.GetPipelineStateInput{Name: aws.String("my-blog")})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.StageStates) != 2 || *out.PipelineVersion != 1 {
			t.Fatalf("got %+v", out)
		}
		return out.StageStates[0], out.StageStates[1]
	}
	source, deploy := state()
	if e := source.LatestExecution; *e.PipelineExecutionId != lastExecution || e.Status != cptypes.StageExecutionStatusSucceeded || e.Type != cptypes.ExecutionTypeRollback {
		t.Errorf("the last execution of Source is %+v", e)
	}
	if a := deploy.ActionStates[0].LatestExecution; a.Status != cptypes.ActionExecutionStatusInProgress || *a.Summary != "Half" || *a.PercentComplete != 50 || a.LastStatusChange.UnixMilli() != 1795741323456 {
		t.Errorf("Publish is %+v", a)
	}

	// The last execution waits, and the one before has failed twice.
	if err := w.cloud.SetExecution("my-blog", fakeaws.Execution{ID: lastExecution, Status: "InProgress", Waits: "Deploy"}); err != nil {
		t.Fatal(err)
	}
	source, deploy = state()
	if r := source.ActionStates[0].CurrentRevision; *r.RevisionId != "0123456" {
		t.Errorf("the revision is %+v", r)
	}
	if e := deploy.InboundExecution; e == nil || *e.PipelineExecutionId != lastExecution || len(deploy.InboundExecutions) != 1 {
		t.Errorf("the execution that waits is %+v", e)
	}
	if e := deploy.LatestExecution; *e.PipelineExecutionId != firstExecution || e.Status != cptypes.StageExecutionStatusFailed || e.Type != cptypes.ExecutionTypeStandard {
		t.Errorf("the last execution of Deploy is %+v", e)
	}
	if a := deploy.ActionStates[0].LatestExecution; *a.ErrorDetails.Code != "JobFailed" || *a.ErrorDetails.Message != "Still no index.html." || *a.ExternalExecutionId != "e" {
		t.Errorf("Publish is %+v", a)
	}
}

// TestStageStatus has an execution of a stage with two actions.
func TestStageStatus(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	actions := []fakeaws.PipelineAction{{Name: "A"}, {Name: "B"}}
	if err := w.cloud.AddPipeline(fakeaws.Pipeline{Name: "p", Stages: []fakeaws.PipelineStage{{Name: "S", Actions: actions}, {Name: "T", Actions: actions}}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ execution, a, b, want string }{
		{"InProgress", "", "", ""},
		{"InProgress", "InProgress", "", "InProgress"},
		{"Stopping", "InProgress", "", "Stopping"},
		{"InProgress", "Succeeded", "", "InProgress"},
		{"Stopped", "Succeeded", "", "Stopped"},
		{"Stopped", "Abandoned", "", "Stopped"},
		{"Failed", "Succeeded", "Failed", "Failed"},
		{"InProgress", "Failed", "InProgress", "InProgress"},
		{"Succeeded", "Succeeded", "Succeeded", "Succeeded"},
	} {
		e := fakeaws.Execution{ID: firstExecution, Status: tt.execution}
		for name, status := range map[string]string{"A": tt.a, "B": tt.b} {
			if status != "" {
				e.Actions = append(e.Actions, fakeaws.ActionExecution{Stage: "S", Action: name, Status: status})
			}
		}
		if err := w.cloud.SetExecution("p", e); err != nil {
			t.Fatal(err)
		}
		out, err := w.codePipeline.GetPipelineState(t.Context(), &codepipeline.GetPipelineStateInput{Name: aws.String("p")})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if latest := out.StageStates[0].LatestExecution; latest != nil {
			got = string(latest.Status)
		}
		if got != tt.want {
			t.Errorf("%+v: got %q", tt, got)
		}
	}
}

func TestListPipelineExecutions(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	addPipeline(t, w)
	list := func(filter *cptypes.PipelineExecutionFilter) (ids []string, all []cptypes.PipelineExecutionSummary) {
		t.Helper()
		pages := codepipeline.NewListPipelineExecutionsPaginator(w.codePipeline, &codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String("my-blog"), MaxResults: aws.Int32(1), Filter: filter})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(page.PipelineExecutionSummaries) > 1 {
				t.Errorf("a page has %d executions, want 1", len(page.PipelineExecutionSummaries))
			}
			for _, e := range page.PipelineExecutionSummaries {
				ids, all = append(ids, *e.PipelineExecutionId), append(all, e)
			}
		}
		return ids, all
	}
	ids, all := list(nil)
	if !slices.Equal(ids, []string{lastExecution, firstExecution}) {
		t.Errorf("got %v, want the last one first", ids)
	}
	if e := all[0]; e.Status != "InProgress" || e.ExecutionType != "ROLLBACK" || *e.RollbackMetadata.RollbackTargetPipelineExecutionId != firstExecution {
		t.Errorf("got %+v", e)
	}
	if e := all[1]; e.Status != "Failed" || e.Trigger.TriggerType != "WebhookV2" || *e.SourceRevisions[0].RevisionId != "0123456" || e.LastUpdateTime.Sub(*e.StartTime) != time.Minute {
		t.Errorf("got %+v", e)
	}
	if ids, _ := list(&cptypes.PipelineExecutionFilter{SucceededInStage: &cptypes.SucceededInStageFilter{StageName: aws.String("Deploy")}}); ids != nil {
		t.Errorf("succeeded in Deploy: got %v", ids)
	}
}

func TestListActionExecutions(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	addPipeline(t, w)
	list := func(filter *cptypes.ActionExecutionFilter) (all []cptypes.ActionExecutionDetail) {
		t.Helper()
		out, err := w.codePipeline.ListActionExecutions(t.Context(), &codepipeline.ListActionExecutionsInput{PipelineName: aws.String("my-blog"), Filter: filter})
		if err != nil {
			t.Fatal(err)
		}
		return out.ActionExecutionDetails
	}
	all := list(nil)
	if len(all) != 5 || *all[0].PipelineExecutionId != lastExecution || *all[0].ActionName != "Publish" {
		t.Fatalf("got %d, the first is %+v", len(all), all[0])
	}
	if a := all[0]; a.Output != nil || a.Input.ResolvedConfiguration["UserParameters"] != "" || a.Input.Configuration["UserParameters"] != parameters {
		t.Errorf("the running one is %+v", a)
	}
	if a := all[2]; *a.Output.ExecutionResult.ErrorDetails.Message != "Still no index.html." {
		t.Errorf("the failed one is %+v", a)
	}
	if a := all[1]; a.Output.OutputVariables["CommitId"] != "0123456" || *a.Output.OutputArtifacts[0].S3location.Key != "my-blog/Source/1" || *a.Input.Namespace != "Source" {
		t.Errorf("the source is %+v", a)
	}
	if n := len(list(&cptypes.ActionExecutionFilter{PipelineExecutionId: aws.String(firstExecution)})); n != 3 {
		t.Errorf("of the first execution: got %d, want 3", n)
	}
	latest := &cptypes.LatestInPipelineExecutionFilter{PipelineExecutionId: aws.String(firstExecution), StartTimeRange: cptypes.StartTimeRangeAll}
	if n := len(list(&cptypes.ActionExecutionFilter{LatestInPipelineExecution: latest})); n != 2 {
		t.Errorf("the latest of the first execution: got %d, want 2", n)
	}
}

// TestPipelineReadsAskForThePipeline checks what IAM decides on.
func TestPipelineReadsAskForThePipeline(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	addPipeline(t, w)
	ctx := t.Context()
	_, err := w.codePipeline.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: aws.String("my-blog")})
	_, err2 := w.codePipeline.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: aws.String("my-blog")})
	_, err3 := w.codePipeline.ListPipelineExecutions(ctx, &codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String("my-blog")})
	_, err4 := w.codePipeline.ListActionExecutions(ctx, &codepipeline.ListActionExecutionsInput{PipelineName: aws.String("my-blog")})
	for i, err := range []error{err, err2, err3, err4} {
		if call := w.cloud.Calls()[i]; err != nil || call.Resource != pipelineARN {
			t.Errorf("%v: call is %+v", err, call)
		}
	}
}

func TestPipelinesThatCannotBe(t *testing.T) {
	w := newWorld(t, fakeaws.Options{})
	addPipeline(t, w)
	action := fakeaws.ActionExecution{Stage: "Deploy", Action: "Publish", Status: "Succeeded"}
	change := func(change func(*fakeaws.ActionExecution)) fakeaws.Execution {
		a := action
		change(&a)
		return fakeaws.Execution{ID: firstExecution, Status: "Failed", Actions: []fakeaws.ActionExecution{a}}
	}
	for _, tt := range []struct {
		pipeline string
		e        fakeaws.Execution
		want     string
	}{
		{"other", change(func(*fakeaws.ActionExecution) {}), `no pipeline "other"`},
		{"my-blog", fakeaws.Execution{ID: "1", Status: "Failed"}, `"1" is no UUID`},
		{"my-blog", fakeaws.Execution{ID: firstExecution, Status: "failed"}, `the status "failed" is none of`},
		{"my-blog", fakeaws.Execution{ID: firstExecution, Status: "Failed", Waits: "Other"}, `no stage "Other"`},
		{"my-blog", change(func(a *fakeaws.ActionExecution) { a.Stage = "Source" }), `no action "Publish" in a stage "Source"`},
		{"my-blog", change(func(a *fakeaws.ActionExecution) { a.Status = "Stopped" }), `the status "Stopped" of Publish is none of`},
	} {
		if err := w.cloud.SetExecution(tt.pipeline, tt.e); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	if err := w.cloud.AddPipeline(fakeaws.Pipeline{Name: "a b"}); err == nil || !strings.Contains(err.Error(), `Name "a b"`) || !strings.Contains(err.Error(), "at least 2 stages") {
		t.Errorf("got %v", err)
	}
}
