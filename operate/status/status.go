// Package status tells how a pipeline is: its stages, what is live, and why the last publication failed.
package status

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"blog-deploy-pipeline/lambdas/contract"
)

// CodePipeline is the part of the API that is read.
type CodePipeline interface {
	Lister
	GetPipelineState(context.Context, *codepipeline.GetPipelineStateInput, ...func(*codepipeline.Options)) (*codepipeline.GetPipelineStateOutput, error)
	ListActionExecutions(context.Context, *codepipeline.ListActionExecutionsInput, ...func(*codepipeline.Options)) (*codepipeline.ListActionExecutionsOutput, error)
}

// Status is the state of a pipeline.
type Status struct {
	Stages []Stage
	// Newest is the last execution that has begun, Live the last that succeeded, and Failed the last that has failed since;
	// nil for none.
	Newest, Live, Failed *Execution
	// Current is the release that the blog's bucket has, which another than Live's execution may have published; nil if it
	// is unknown. Read leaves it out, since only the blog's functions know it.
	Current *contract.Release
	// Ahead is by how much AWS's clock is ahead of this machine's.
	Ahead time.Duration
}

// Stage is a stage of a pipeline.
type Stage struct {
	Name string
	// Status is AWS's, such as "InProgress"; "" if no execution has entered the stage.
	Status string
	// Execution is the id of the execution that the status is of.
	Execution string
	// Waits is the id of the execution that waits to enter the stage; "" for none.
	Waits   string
	Actions []Action
}

// At returns when the last of the stage's actions changed its status.
func (s Stage) At() (at time.Time) {
	for _, a := range s.Actions {
		if a.At.After(at) {
			at = a.At
		}
	}
	return at
}

// Action is an action of a stage.
type Action struct {
	Name, Status string
	At           time.Time
	// Summary is what the action says about its work, and Error why it failed.
	Summary, Error string
}

// Execution is an execution of a pipeline.
type Execution struct {
	ID, Status       string
	Started, Updated time.Time
	// Commit is the id of the commit, and Message the first line of its message; "" if they are unknown.
	Commit, Message string
	// Trigger is what has started the execution, such as "WebhookV2", and By the ARN of the connection or of who did.
	Trigger, By string
	// Release is the release that the execution has published; "" if it is unknown.
	Release string
	// Proof says what the proof of the publication has seen, such as "22 of 22 live at FRA56-P4"; "" if there was none.
	Proof string
	// Reasons say why the execution failed: an action, and its error.
	Reasons []string
}

// Running reports whether the execution goes on.
func (e *Execution) Running() bool {
	return e.Status == string(types.PipelineExecutionStatusInProgress) || e.Status == string(types.PipelineExecutionStatusStopping)
}

// Read asks for the status of the pipeline called name.
func Read(ctx context.Context, client CodePipeline, name string) (Status, error) {
	var s Status
	state, err := client.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &name})
	if err != nil {
		return s, err
	}
	s.Ahead, _ = awsmiddleware.GetAttemptSkew(state.ResultMetadata)
	for _, stage := range state.StageStates {
		s.Stages = append(s.Stages, readStage(stage))
	}
	executions, err := Executions(ctx, client, name)
	if err != nil {
		return s, err
	}
	for _, e := range executions {
		if s.Newest == nil {
			s.Newest = e
		}
		// An execution that a newer one has overtaken says nothing.
		if e.Status == string(types.PipelineExecutionStatusFailed) && s.Failed == nil {
			s.Failed = e
		}
		if e.Status == string(types.PipelineExecutionStatusSucceeded) {
			s.Live = e
			break
		}
	}
	for _, e := range []*Execution{s.Live, s.Failed} {
		if e != nil {
			if err := readActions(ctx, client, name, e); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

func readStage(state types.StageState) Stage {
	stage := Stage{Name: aws.ToString(state.StageName)}
	if latest := state.LatestExecution; latest != nil {
		stage.Status, stage.Execution = string(latest.Status), aws.ToString(latest.PipelineExecutionId)
	}
	if inbound := state.InboundExecution; inbound != nil {
		stage.Waits = aws.ToString(inbound.PipelineExecutionId)
	}
	for _, action := range state.ActionStates {
		a := Action{Name: aws.ToString(action.ActionName)}
		if latest := action.LatestExecution; latest != nil {
			a.Status, a.At, a.Summary = string(latest.Status), aws.ToTime(latest.LastStatusChange), aws.ToString(latest.Summary)
			a.Error = words(latest.ErrorDetails)
		}
		stage.Actions = append(stage.Actions, a)
	}
	return stage
}

func words(details *types.ErrorDetails) string {
	if details == nil {
		return ""
	}
	code, message := aws.ToString(details.Code), aws.ToString(details.Message)
	if code == "" || strings.HasPrefix(message, code) {
		return message
	}
	return strings.TrimSuffix(code+": "+message, ": ")
}

// Lister lists executions.
type Lister interface {
	ListPipelineExecutions(context.Context, *codepipeline.ListPipelineExecutionsInput, ...func(*codepipeline.Options)) (*codepipeline.ListPipelineExecutionsOutput, error)
}

// Executions returns the last 100 executions of the pipeline called name, the newest first, without what only their actions
// know. AWS says that the list has the most recent ones, and not in which order.
func Executions(ctx context.Context, client Lister, name string) ([]*Execution, error) {
	page, err := client.ListPipelineExecutions(ctx, &codepipeline.ListPipelineExecutionsInput{PipelineName: &name})
	if err != nil {
		return nil, err
	}
	var all []*Execution
	for _, summary := range page.PipelineExecutionSummaries {
		all = append(all, readExecution(summary))
	}
	slices.SortStableFunc(all, func(a, b *Execution) int { return b.Started.Compare(a.Started) })
	return all, nil
}

func readExecution(summary types.PipelineExecutionSummary) *Execution {
	e := &Execution{
		ID: aws.ToString(summary.PipelineExecutionId), Status: string(summary.Status),
		Started: aws.ToTime(summary.StartTime), Updated: aws.ToTime(summary.LastUpdateTime),
	}
	if summary.Trigger != nil {
		e.Trigger, e.By = string(summary.Trigger.TriggerType), aws.ToString(summary.Trigger.TriggerDetail)
	}
	if len(summary.SourceRevisions) > 0 {
		revision := summary.SourceRevisions[0]
		e.Commit, e.Message = aws.ToString(revision.RevisionId), shortened(summaryLine(aws.ToString(revision.RevisionSummary)))
	}
	return e
}

// summaryLine returns the first line of what an action says about its work. That of a source has a commit's message, and a
// GitHub connection has it within JSON.
func summaryLine(summary string) string {
	var connection struct{ CommitMessage string }
	if json.Unmarshal([]byte(summary), &connection) == nil && connection.CommitMessage != "" {
		return shortened(firstLine(connection.CommitMessage))
	}
	return firstLine(summary)
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return safe(first)
}

// safe returns a line of somebody else's without the characters that could move a terminal's cursor.
func safe(line string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r):
			return -1
		}
		return r
	}, line))
}

// maxMessage is how wide the first line of a commit's message should be at most, by Git's custom.
const maxMessage = 72

// shortened ends a longer message in "…".
func shortened(message string) string { return cells.Truncate(message, maxMessage, "…") }

// The output variables of a blog's actions: the release that was published, and how many of the files that were looked at
// readers had, at which location of CloudFront's edge.
const (
	releaseVariable = "Release"
	liveVariable    = "Live"
	checkedVariable = "Checked"
	edgeVariable    = "Edge"
)

// readActions adds what only the actions of an execution know.
func readActions(ctx context.Context, client CodePipeline, name string, e *Execution) error {
	actions, err := client.ListActionExecutions(ctx, &codepipeline.ListActionExecutionsInput{
		PipelineName: &name, Filter: &types.ActionExecutionFilter{PipelineExecutionId: &e.ID},
	})
	if err != nil {
		return err
	}
	// AWS does not document the order of this list. The newest is first here: an earlier one of the same action was retried.
	details := slices.Clone(actions.ActionExecutionDetails)
	slices.SortStableFunc(details, func(a, b types.ActionExecutionDetail) int {
		return aws.ToTime(b.StartTime).Compare(aws.ToTime(a.StartTime))
	})
	seen := map[string]bool{}
	for _, action := range details {
		where := aws.ToString(action.StageName) + "/" + aws.ToString(action.ActionName)
		if seen[where] || action.Output == nil {
			seen[where] = true
			continue
		}
		seen[where] = true
		variables := action.Output.OutputVariables
		if release := variables[releaseVariable]; release != "" && e.Release == "" {
			e.Release = release
		}
		if checked := variables[checkedVariable]; checked != "" && e.Proof == "" {
			e.Proof = fmt.Sprintf("%s of %s live", variables[liveVariable], checked)
			if edge := variables[edgeVariable]; edge != "" {
				e.Proof += " at " + edge
			}
		}
		if result := action.Output.ExecutionResult; action.Status == types.ActionExecutionStatusFailed {
			var why string
			if result != nil {
				why = words(result.ErrorDetails)
			}
			e.Reasons = append(e.Reasons, strings.TrimSuffix(fmt.Sprintf("%s: %s", where, why), ": "))
		}
	}
	slices.Reverse(e.Reasons)
	return nil
}
