package fakeaws

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// CodePipeline's limits on what is asked about pipelines.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListPipelineExecutions.html
const (
	maxPipelineName = 100
	maxPage         = 100 // which is the default, too
	maxNextToken    = 2048
)

const statusAbandoned = "Abandoned"

// The states of executions and of actions.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineExecutionSummary.html
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionExecutionDetail.html
var (
	executionStates = []string{statusInProgress, statusSucceeded, statusFailed, "Stopped", "Stopping", "Cancelled", "Superseded"}
	actionStates    = []string{statusInProgress, statusSucceeded, statusFailed, statusAbandoned}

	// The names of pipelines, stages and actions.
	pipelineNamePattern = regexp.MustCompile(`^[A-Za-z0-9.@\-_]{1,100}$`)
)

// Pipeline is a pipeline as GetPipeline returns it. It has the members of AWS's PipelineDeclaration that the double
// supports.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineDeclaration.html
type Pipeline struct {
	Name          string             `json:"name"`
	RoleARN       string             `json:"roleArn"`
	ArtifactStore ArtifactStore      `json:"artifactStore"`
	Stages        []PipelineStage    `json:"stages"`
	Version       int                `json:"version"`       // default 1
	ExecutionMode string             `json:"executionMode"` // default "SUPERSEDED"
	PipelineType  string             `json:"pipelineType"`  // default "V2"
	Variables     []PipelineVariable `json:"variables,omitempty"`
}

// ArtifactStore is where a pipeline keeps its artifacts.
type ArtifactStore struct {
	Type     string `json:"type"` // default "S3"
	Location string `json:"location"`
}

// PipelineVariable is a variable of a pipeline.
type PipelineVariable struct {
	Name         string `json:"name"`
	DefaultValue string `json:"defaultValue,omitempty"`
	Description  string `json:"description,omitempty"`
}

// PipelineStage is a stage of a pipeline.
type PipelineStage struct {
	Name    string           `json:"name"`
	Actions []PipelineAction `json:"actions"`
}

// PipelineAction is an action of a stage.
type PipelineAction struct {
	Name            string            `json:"name"`
	ActionTypeID    ActionTypeID      `json:"actionTypeId"`
	RunOrder        int               `json:"runOrder"` // default 1
	Configuration   map[string]string `json:"configuration"`
	InputArtifacts  []ArtifactName    `json:"inputArtifacts"`
	OutputArtifacts []ArtifactName    `json:"outputArtifacts"`
	RoleARN         string            `json:"roleArn,omitempty"`
	Namespace       string            `json:"namespace,omitempty"`
}

// ActionTypeID says what an action is.
type ActionTypeID struct {
	Category string `json:"category"`
	Owner    string `json:"owner"` // default "AWS"
	Provider string `json:"provider"`
	Version  string `json:"version"` // default "1"
}

// ArtifactName is an artifact in a pipeline's declaration.
type ArtifactName struct {
	Name string `json:"name"`
}

// Execution is an execution of a pipeline.
type Execution struct {
	// ID is a UUID. Required.
	ID string
	// Status is "InProgress", "Succeeded", "Failed", "Stopped", "Stopping", "Cancelled" or "Superseded". Required.
	Status, StatusSummary string
	Started, Updated      time.Time
	Revisions             []SourceRevision
	// TriggerType is such as "WebhookV2" or "StartPipelineExecution". TriggerDetail is the ARN of a person or of a
	// connection.
	TriggerType, TriggerDetail string
	// Restores is the id of the execution that a rollback of a stage takes its artifacts from.
	Restores string
	// Waits is the stage that the execution waits to enter.
	Waits string
	// Actions holds the executions of actions in the order in which they began.
	Actions []ActionExecution
}

// SourceRevision is what a source action has found.
type SourceRevision struct {
	ActionName      string `json:"actionName"`
	RevisionID      string `json:"revisionId,omitempty"`
	RevisionSummary string `json:"revisionSummary,omitempty"`
	RevisionURL     string `json:"revisionUrl,omitempty"`
}

// ActionExecution is an execution of an action.
type ActionExecution struct {
	ID            string // default: a new UUID for each list
	Stage, Action string // required
	// Status is "InProgress", "Succeeded", "Failed" or "Abandoned". Required.
	Status           string
	Started, Updated time.Time
	// Summary, ExternalID and PercentComplete are what a function has reported about its work, and Variables its output
	// variables.
	Summary, ExternalID string
	PercentComplete     *int
	Variables           map[string]string
	// ErrorCode and ErrorMessage say why the action failed.
	ErrorCode, ErrorMessage string
	// Resolved is the configuration after the pipeline's variables have been replaced.
	Resolved        map[string]string
	Inputs, Outputs []Artifact
}

// pipeline is a pipeline and its executions, the oldest first.
type pipeline struct {
	Pipeline

	created    time.Time
	executions []Execution
}

// AddPipeline adds a pipeline. It replaces one with the same name and its executions. It returns an error for what
// CreatePipeline refuses.
func (c *Cloud) AddPipeline(p Pipeline) error {
	p.Version, p.ExecutionMode, p.PipelineType = max(p.Version, 1), cmp.Or(p.ExecutionMode, "SUPERSEDED"), cmp.Or(p.PipelineType, "V2")
	p.ArtifactStore.Type = cmp.Or(p.ArtifactStore.Type, "S3")
	var problems []error
	name := func(what, name string) {
		if !pipelineNamePattern.MatchString(name) {
			problems = append(problems, fmt.Errorf("%s %q does not match CodePipeline's %s", what, name, pipelineNamePattern))
		}
	}
	name("Name", p.Name)
	p.Stages = slices.Clone(p.Stages)
	for i, stage := range p.Stages {
		name("stage", stage.Name)
		actions := slices.Clone(stage.Actions)
		for j := range actions {
			a := &actions[j]
			name("action", a.Name)
			a.RunOrder, a.ActionTypeID.Owner, a.ActionTypeID.Version = max(a.RunOrder, 1), cmp.Or(a.ActionTypeID.Owner, "AWS"), cmp.Or(a.ActionTypeID.Version, "1")
			// CodePipeline returns empty lists and maps and not null.
			a.Configuration = maps.Clone(a.Configuration)
			if a.Configuration == nil {
				a.Configuration = map[string]string{}
			}
			a.InputArtifacts, a.OutputArtifacts = append([]ArtifactName{}, a.InputArtifacts...), append([]ArtifactName{}, a.OutputArtifacts...)
		}
		p.Stages[i].Actions = actions
	}
	if len(p.Stages) < 2 {
		problems = append(problems, fmt.Errorf("CodePipeline requires at least 2 stages, and got %d", len(p.Stages)))
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("add pipeline: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pipelines[p.Name] = &pipeline{Pipeline: p, created: c.opts.Now()}
	return nil
}

// SetExecution adds an execution of a pipeline, or replaces the one with its id. It returns an error for an execution that
// the pipeline cannot have.
func (c *Cloud) SetExecution(pipelineName string, e Execution) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pipelines[pipelineName]
	if p == nil {
		return fmt.Errorf("set execution: there is no pipeline %q", pipelineName)
	}
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !jobIDPattern.MatchString(e.ID) {
		problem("the id %q is no UUID", e.ID)
	}
	if !slices.Contains(executionStates, e.Status) {
		problem("the status %q is none of %s", e.Status, strings.Join(executionStates, ", "))
	}
	if e.Waits != "" && p.stage(e.Waits) == nil {
		problem("the pipeline has no stage %q", e.Waits)
	}
	for _, a := range e.Actions {
		if p.action(a.Stage, a.Action) == nil {
			problem("the pipeline has no action %q in a stage %q", a.Action, a.Stage)
		}
		if !slices.Contains(actionStates, a.Status) {
			problem("the status %q of %s is none of %s", a.Status, a.Action, strings.Join(actionStates, ", "))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("set execution of %s: %w", pipelineName, err)
	}
	e.Actions = slices.Clone(e.Actions)
	if i := slices.IndexFunc(p.executions, func(other Execution) bool { return other.ID == e.ID }); i >= 0 {
		p.executions[i] = e
	} else {
		p.executions = append(p.executions, e)
	}
	return nil
}

func (p *pipeline) stage(name string) *PipelineStage {
	for i := range p.Stages {
		if p.Stages[i].Name == name {
			return &p.Stages[i]
		}
	}
	return nil
}

func (p *pipeline) action(stage, name string) *PipelineAction {
	of := p.stage(stage)
	if of == nil {
		return nil
	}
	for i := range of.Actions {
		if of.Actions[i].Name == name {
			return &of.Actions[i]
		}
	}
	return nil
}

// pipelineOperation describes a call that reads a pipeline, and returns the function that runs the operation, or nil for
// an unknown operation.
func (c *Cloud) pipelineOperation(operation string, body []byte, call *Call) func() reply {
	run, known := map[string]func([]byte) reply{
		"GetPipeline":            c.getPipeline,
		"GetPipelineState":       c.getPipelineState,
		"ListPipelineExecutions": c.listPipelineExecutions,
		"ListActionExecutions":   c.listActionExecutions,
	}[operation]
	if !known {
		return nil
	}
	// This only describes the call. The operation itself checks the body.
	var in struct{ Name, PipelineName string }
	_ = json.NewDecoder(bytes.NewReader(body)).Decode(&in)
	call.Resource = c.pipelineARN(cmp.Or(in.Name, in.PipelineName))
	return func() reply { return run(body) }
}

func (c *Cloud) pipelineARN(name string) string {
	return fmt.Sprintf("arn:aws:codepipeline:%s:%s:%s", c.opts.Region, c.opts.Account, name)
}

// named returns the pipeline that a member of a request names, or a refusal, with the violations of the rest of the
// request, too.
func (c *Cloud) named(v violations, member string, name *string) (*pipeline, *apiError) {
	v.required(member, name != nil)
	v.text(member, name, maxPipelineName)
	if name != nil && *name != "" && length(*name) <= maxPipelineName && !pipelineNamePattern.MatchString(*name) {
		v.add(member, `Member must satisfy regular expression pattern: [A-Za-z0-9.@\-_]+`)
	}
	if refusal := v.refusal(); refusal != nil {
		return nil, refusal
	}
	p := c.pipelines[*name]
	if p == nil {
		return nil, &apiError{"PipelineNotFoundException", fmt.Sprintf("Account '%s' does not have a pipeline with name '%s'", c.opts.Account, *name), http.StatusBadRequest}
	}
	return p, nil
}

// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GetPipeline.html
func (c *Cloud) getPipeline(body []byte) reply {
	var in struct {
		Name    *string `json:"name"`
		Version *int    `json:"version"`
	}
	if refusal := decodeJSON(body, &in); refusal != nil {
		return refuseJSON(*refusal)
	}
	var v violations
	v.atLeastOne("version", in.Version)
	p, refusal := c.named(v, "name", in.Name)
	if refusal != nil {
		return refuseJSON(*refusal)
	}
	if in.Version != nil && *in.Version != p.Version {
		return refuseJSON(apiError{"PipelineVersionNotFoundException", fmt.Sprintf("Pipeline '%s' does not have a version '%d'; the double has only the present one", p.Name, *in.Version), http.StatusBadRequest})
	}
	return acceptJSON(map[string]any{
		"pipeline": p.Pipeline,
		"metadata": map[string]any{"pipelineArn": c.pipelineARN(p.Name), "created": seconds(p.created), "updated": seconds(p.created)},
	})
}

// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GetPipelineState.html
func (c *Cloud) getPipelineState(body []byte) reply {
	var in struct {
		Name *string `json:"name"`
	}
	if refusal := decodeJSON(body, &in); refusal != nil {
		return refuseJSON(*refusal)
	}
	p, refusal := c.named(nil, "name", in.Name)
	if refusal != nil {
		return refuseJSON(*refusal)
	}
	var states []any
	for _, stage := range p.Stages {
		states = append(states, p.stageState(stage))
	}
	return acceptJSON(map[string]any{
		"pipelineName": p.Name, "pipelineVersion": p.Version, "stageStates": states,
		"created": seconds(p.created), "updated": seconds(p.created),
	})
}

// stageState returns the state of a stage: that of the last execution that has entered it.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StageState.html
func (p *pipeline) stageState(stage PipelineStage) map[string]any {
	state := map[string]any{"stageName": stage.Name, "inboundExecutions": []any{}, "inboundTransitionState": map[string]any{"enabled": true}}
	var actions []any
	for _, action := range stage.Actions {
		of := map[string]any{"actionName": action.Name}
		if e, last := p.last(stage.Name, action.Name); last != nil {
			of["latestExecution"] = last.state()
			if i := slices.IndexFunc(e.Revisions, func(r SourceRevision) bool { return r.ActionName == action.Name }); i >= 0 {
				revision := e.Revisions[i]
				of["currentRevision"] = map[string]any{"revisionId": revision.RevisionID, "revisionChangeId": e.ID, "created": seconds(last.Started)}
			}
		}
		actions = append(actions, of)
	}
	state["actionStates"] = actions
	for i := range p.executions {
		e := &p.executions[i]
		if e.Waits == stage.Name {
			inbound := map[string]any{"pipelineExecutionId": e.ID, "status": statusInProgress, "type": e.kind()}
			state["inboundExecution"], state["inboundExecutions"] = inbound, []any{inbound}
		}
		if status := e.stageStatus(stage); status != "" {
			state["latestExecution"] = map[string]any{"pipelineExecutionId": e.ID, "status": status, "type": e.kind()}
		}
	}
	return state
}

// last returns the last execution of an action, and the pipeline's execution that it belongs to; nil for none.
func (p *pipeline) last(stage, action string) (*Execution, *ActionExecution) {
	for i := range slices.Backward(p.executions) {
		if last := p.executions[i].last(stage, action); last != nil {
			return &p.executions[i], last
		}
	}
	return nil, nil
}

func (e *Execution) last(stage, action string) *ActionExecution {
	for i := range slices.Backward(e.Actions) {
		if a := &e.Actions[i]; a.Stage == stage && a.Action == action {
			return a
		}
	}
	return nil
}

// stageStatus returns the status of a stage in an execution, which follows from its actions; "" if the execution has not
// entered the stage.
func (e *Execution) stageStatus(stage PipelineStage) string {
	count := map[string]int{}
	for _, action := range stage.Actions {
		if last := e.last(stage.Name, action.Name); last != nil {
			count[last.Status]++
		}
	}
	switch {
	case len(count) == 0:
		return ""
	case count[statusInProgress] > 0 && e.Status == "Stopping":
		return "Stopping"
	case count[statusInProgress] > 0:
		return statusInProgress
	case count[statusFailed] > 0:
		return statusFailed
	case count[statusAbandoned] > 0 || e.Status == "Stopped" && count[statusSucceeded] < len(stage.Actions):
		return "Stopped"
	case count[statusSucceeded] < len(stage.Actions):
		return statusInProgress // between two actions
	}
	return statusSucceeded
}

func (e *Execution) kind() string {
	if e.Restores != "" {
		return "ROLLBACK"
	}
	return "STANDARD"
}

// state returns the execution as GetPipelineState has it.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionExecution.html
func (a *ActionExecution) state() map[string]any {
	state := map[string]any{"actionExecutionId": cmp.Or(a.ID, uuid.NewString()), "status": a.Status, "lastStatusChange": seconds(cmp.Or(a.Updated, a.Started))}
	a.result(state, "summary", "externalExecutionId")
	if a.PercentComplete != nil {
		state["percentComplete"] = *a.PercentComplete
	}
	return state
}

// result adds what came of the action, under the names that an operation has for it.
func (a *ActionExecution) result(to map[string]any, summary, id string) {
	if a.Summary != "" {
		to[summary] = a.Summary
	}
	if a.ExternalID != "" {
		to[id] = a.ExternalID
	}
	if a.ErrorCode+a.ErrorMessage != "" {
		to["errorDetails"] = map[string]any{"code": a.ErrorCode, "message": a.ErrorMessage}
	}
}

// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListPipelineExecutions.html
func (c *Cloud) listPipelineExecutions(body []byte) reply {
	var in struct {
		PipelineName *string `json:"pipelineName"`
		MaxResults   *int    `json:"maxResults"`
		NextToken    *string `json:"nextToken"`
		Filter       *struct {
			SucceededInStage *struct {
				StageName *string `json:"stageName"`
			} `json:"succeededInStage"`
		} `json:"filter"`
	}
	if refusal := decodeJSON(body, &in); refusal != nil {
		return refuseJSON(*refusal)
	}
	var v violations
	v.page(in.MaxResults, in.NextToken)
	var succeededIn string
	if in.Filter != nil && in.Filter.SucceededInStage != nil && in.Filter.SucceededInStage.StageName != nil {
		succeededIn = *in.Filter.SucceededInStage.StageName
		if !pipelineNamePattern.MatchString(succeededIn) {
			v.add("filter.succeededInStage.stageName", `Member must satisfy regular expression pattern: [A-Za-z0-9.@\-_]{1,100}`)
		}
	}
	p, refusal := c.named(v, "pipelineName", in.PipelineName)
	if refusal != nil {
		return refuseJSON(*refusal)
	}
	var all []any
	for i := range slices.Backward(p.executions) {
		e := &p.executions[i]
		if succeededIn != "" {
			if stage := p.stage(succeededIn); stage == nil || e.stageStatus(*stage) != statusSucceeded {
				continue
			}
		}
		all = append(all, e.summary(p.ExecutionMode))
	}
	return page("pipelineExecutionSummaries", all, "executions of "+p.Name+" "+succeededIn, in.MaxResults, in.NextToken)
}

// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineExecutionSummary.html
func (e *Execution) summary(mode string) map[string]any {
	summary := map[string]any{
		"pipelineExecutionId": e.ID, "status": e.Status, "startTime": seconds(e.Started), "lastUpdateTime": seconds(cmp.Or(e.Updated, e.Started)),
		"sourceRevisions": append([]SourceRevision{}, e.Revisions...), "executionMode": mode, "executionType": e.kind(),
	}
	if e.StatusSummary != "" {
		summary["statusSummary"] = e.StatusSummary
	}
	if e.TriggerType != "" {
		summary["trigger"] = map[string]string{"triggerType": e.TriggerType, "triggerDetail": e.TriggerDetail}
	}
	if e.Restores != "" {
		summary["rollbackMetadata"] = map[string]string{"rollbackTargetPipelineExecutionId": e.Restores}
	}
	return summary
}

// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListActionExecutions.html
func (c *Cloud) listActionExecutions(body []byte) reply {
	var in struct {
		PipelineName *string `json:"pipelineName"`
		MaxResults   *int    `json:"maxResults"`
		NextToken    *string `json:"nextToken"`
		Filter       *struct {
			PipelineExecutionID *string `json:"pipelineExecutionId"`
			Latest              *struct {
				PipelineExecutionID *string `json:"pipelineExecutionId"`
				StartTimeRange      *string `json:"startTimeRange"`
			} `json:"latestInPipelineExecution"`
		} `json:"filter"`
	}
	if refusal := decodeJSON(body, &in); refusal != nil {
		return refuseJSON(*refusal)
	}
	var v violations
	v.page(in.MaxResults, in.NextToken)
	var id *string
	member, latest := "filter.pipelineExecutionId", false
	if in.Filter != nil {
		id = in.Filter.PipelineExecutionID
		if of := in.Filter.Latest; of != nil {
			latest, member = true, "filter.latestInPipelineExecution.pipelineExecutionId"
			id = of.PipelineExecutionID
			v.required(member, id != nil)
			v.required("filter.latestInPipelineExecution.startTimeRange", of.StartTimeRange != nil)
			if r := of.StartTimeRange; r != nil && *r != "Latest" && *r != "All" {
				v.add("filter.latestInPipelineExecution.startTimeRange", "Member must satisfy enum value set: [Latest, All]")
			}
		}
	}
	if id != nil && !jobIDPattern.MatchString(*id) {
		v.add(member, "Member must satisfy regular expression pattern: [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
	}
	p, refusal := c.named(v, "pipelineName", in.PipelineName)
	if refusal != nil {
		return refuseJSON(*refusal)
	}
	var all []any
	found := id == nil
	for i := range slices.Backward(p.executions) {
		e := &p.executions[i]
		if id != nil && e.ID != *id {
			continue
		}
		found = true
		for j := range slices.Backward(e.Actions) {
			if a := &e.Actions[j]; !latest || e.last(a.Stage, a.Action) == a {
				all = append(all, p.detail(e, a, c.opts.Region))
			}
		}
	}
	if !found {
		return refuseJSON(apiError{"PipelineExecutionNotFoundException", fmt.Sprintf("The pipeline execution %s does not exist", *id), http.StatusBadRequest})
	}
	return page("actionExecutionDetails", all, fmt.Sprint("actions of ", p.Name, " ", value(id), " ", latest), in.MaxResults, in.NextToken)
}

// detail returns an execution of an action as ListActionExecutions has it.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionExecutionDetail.html
func (p *pipeline) detail(e *Execution, a *ActionExecution, region string) map[string]any {
	declared := p.action(a.Stage, a.Action)
	input := map[string]any{
		"actionTypeId": declared.ActionTypeID, "configuration": declared.Configuration, "resolvedConfiguration": declared.Configuration,
		"region": region, "inputArtifacts": locations(a.Inputs),
	}
	if a.Resolved != nil {
		input["resolvedConfiguration"] = a.Resolved
	}
	if declared.Namespace != "" {
		input["namespace"] = declared.Namespace
	}
	if declared.RoleARN != "" {
		input["roleArn"] = declared.RoleARN
	}
	detail := map[string]any{
		"pipelineExecutionId": e.ID, "actionExecutionId": cmp.Or(a.ID, uuid.NewString()), "pipelineVersion": p.Version,
		"stageName": a.Stage, "actionName": a.Action, "status": a.Status,
		"startTime": seconds(a.Started), "lastUpdateTime": seconds(cmp.Or(a.Updated, a.Started)), "input": input,
	}
	if a.Status != statusInProgress {
		result := map[string]any{}
		a.result(result, "externalExecutionSummary", "externalExecutionId")
		variables := maps.Clone(a.Variables)
		if variables == nil {
			variables = map[string]string{}
		}
		detail["output"] = map[string]any{"outputArtifacts": locations(a.Outputs), "executionResult": result, "outputVariables": variables}
	}
	return detail
}

func locations(artifacts []Artifact) []any {
	all := []any{}
	for _, artifact := range artifacts {
		all = append(all, map[string]any{"name": artifact.Name, "s3location": map[string]string{"bucket": artifact.Bucket, "key": artifact.Key}})
	}
	return all
}

// page returns a page of a list. A token belongs to one list, which of names.
func page(member string, all []any, of string, maxResults *int, token *string) reply {
	first := 0
	if token != nil {
		text, err := base64.StdEncoding.DecodeString(*token)
		list, from, _ := strings.Cut(string(text), "\n")
		at, notANumber := strconv.Atoi(from)
		if err != nil || notANumber != nil || list != of || at < 0 || at > len(all) {
			return refuseJSON(apiError{"InvalidNextTokenException", "Invalid nextToken: " + *token, http.StatusBadRequest})
		}
		first = at
	}
	size := maxPage
	if maxResults != nil {
		size = *maxResults
	}
	end := min(first+size, len(all))
	out := map[string]any{member: append([]any{}, all[first:end]...)}
	if end < len(all) {
		out["nextToken"] = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s\n%d", of, end))
	}
	return acceptJSON(out)
}

func (v *violations) page(maxResults *int, token *string) {
	v.atLeastOne("maxResults", maxResults)
	if maxResults != nil && *maxResults > maxPage {
		v.add("maxResults", fmt.Sprintf("Member must have value less than or equal to %d", maxPage))
	}
	v.text("nextToken", token, maxNextToken)
}

func (v *violations) atLeastOne(member string, n *int) {
	if n != nil && *n < 1 {
		v.add(member, "Member must have value greater than or equal to 1")
	}
}

// seconds returns a time as the JSON protocol has it: seconds since 1970, with milliseconds.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
