package fakeaws

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxDeploymentTargets limits the targets of one request.
// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_BatchGetDeploymentTargets.html
const maxDeploymentTargets = 25

// Why a hook has failed. AWS documents no words for it.
const (
	hookTimedOut       = "the function has not reported within an hour"
	hookReportedFailed = "the function has reported Failed"
)

// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html
var (
	deploymentCreators = []string{"user", "autoscaling", "codeDeployRollback", "CodeDeploy", "CodeDeployAutoUpdate", "CloudFormation", "CloudFormationRollback", "autoscalingTermination"}
	deploymentStates   = []string{statusCreated, "Queued", statusInProgress, "Baking", statusSucceeded, statusFailed, "Stopped", "Ready"}
)

// AddDeploymentGroup adds a deployment group without deployments. It returns an error for names that CodeDeploy refuses.
func (c *Cloud) AddDeploymentGroup(application, group string) error {
	for _, name := range []string{application, group} {
		if !deployNamePattern.MatchString(name) {
			return fmt.Errorf("add deployment group: %q does not match CodeDeploy's %s", name, deployNamePattern)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addGroup(application, group)
	return nil
}

func (c *Cloud) addGroup(application, group string) {
	if !slices.Contains(c.groups[application], group) {
		c.groups[application] = append(c.groups[application], group)
	}
}

// deploymentInput has the members of all requests about deployments.
type deploymentInput struct {
	ApplicationName, DeploymentGroupName, DeploymentID string
}

// deploymentOperation describes a call that reads a deployment, and returns the function that runs the operation, or nil
// for an unknown operation.
func (c *Cloud) deploymentOperation(operation string, body []byte, call *Call) func() reply {
	run, known := map[string]func([]byte) reply{
		"ListDeployments":           c.listDeployments,
		"GetDeploymentGroup":        c.getDeploymentGroup,
		"GetDeployment":             c.getDeployment,
		"ListDeploymentTargets":     c.listDeploymentTargets,
		"BatchGetDeploymentTargets": c.batchGetDeploymentTargets,
	}[operation]
	if !known {
		return nil
	}
	// This only describes the call. The operation itself checks the body.
	var in deploymentInput
	_ = json.NewDecoder(bytes.NewReader(body)).Decode(&in)
	switch operation {
	case "ListDeployments", "GetDeploymentGroup":
		call.Resource = c.groupARN(in.ApplicationName, in.DeploymentGroupName)
	case "GetDeployment":
		c.mu.Lock()
		defer c.mu.Unlock()
		call.Resource = c.groupARN("*", "*")
		if d := c.deployments[in.DeploymentID]; d != nil {
			call.Resource = d.GroupARN()
		}
	}
	// The other operations have no resource type.
	// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodedeploy.html
	return func() reply { return run(body) }
}

func (c *Cloud) groupARN(application, group string) string {
	return fmt.Sprintf("arn:aws:codedeploy:%s:%s:deploymentgroup:%s/%s", c.opts.Region, c.opts.Account, application, group)
}

func refuseDeployment(code, message string) *apiError {
	return &apiError{code, message, http.StatusBadRequest}
}

// group checks the names of a deployment group.
func (c *Cloud) group(application, group *string) *apiError {
	switch {
	case application == nil:
		return refuseDeployment("ApplicationNameRequiredException", "The minimum number of required application names was not specified.")
	case !deployNamePattern.MatchString(*application):
		return refuseDeployment("InvalidApplicationNameException", "The application name was specified in an invalid format: "+*application)
	case group == nil:
		return refuseDeployment("DeploymentGroupNameRequiredException", "The deployment group name was not specified.")
	case !deployNamePattern.MatchString(*group):
		return refuseDeployment("InvalidDeploymentGroupNameException", "The deployment group name was specified in an invalid format: "+*group)
	case c.groups[*application] == nil:
		return refuseDeployment("ApplicationDoesNotExistException", "No application found for name: "+*application)
	case !slices.Contains(c.groups[*application], *group):
		return refuseDeployment("DeploymentGroupDoesNotExistException", "No Deployment Group found for name: "+*group)
	}
	return nil
}

// deploymentsOf returns the deployments of a group, or of all groups for two empty names, the newest first.
func (c *Cloud) deploymentsOf(application, group string) []*Deployment {
	var all []*Deployment
	for _, d := range slices.Collect(maps.Values(c.deployments)) {
		d.settle() // This may start a deployment that rolls this one back.
	}
	for _, d := range c.deployments {
		if application == "" || d.input.Application == application && d.input.DeploymentGroup == group {
			all = append(all, d)
		}
	}
	slices.SortFunc(all, func(a, b *Deployment) int { return b.number - a.number })
	return all
}

// AWS documents no order. The double returns the oldest deployment first, since most callers would like the newest best.
// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeployments.html
func (c *Cloud) listDeployments(body []byte) reply {
	var in struct {
		ApplicationName     *string  `json:"applicationName"`
		DeploymentGroupName *string  `json:"deploymentGroupName"`
		IncludeOnlyStatuses []string `json:"includeOnlyStatuses"`
		NextToken           *string  `json:"nextToken"`
	}
	if refusal := decodeJSON(body, &in); refusal != nil {
		return refuseJSON(*refusal)
	}
	if in.ApplicationName != nil || in.DeploymentGroupName != nil {
		if refusal := c.group(in.ApplicationName, in.DeploymentGroupName); refusal != nil {
			return refuseJSON(*refusal)
		}
	}
	for _, status := range in.IncludeOnlyStatuses {
		if !slices.Contains(deploymentStates, status) {
			return refuseJSON(*refuseDeployment("InvalidDeploymentStatusException", "The specified deployment status doesn't exist or cannot be determined: "+status))
		}
	}
	if in.NextToken != nil { // Each list of the double has one page.
		return refuseJSON(*refuseDeployment("InvalidNextTokenException", "The next token was specified in an invalid format."))
	}
	ids := []string{}
	for _, d := range slices.Backward(c.deploymentsOf(value(in.ApplicationName), value(in.DeploymentGroupName))) {
		if len(in.IncludeOnlyStatuses) == 0 || slices.Contains(in.IncludeOnlyStatuses, d.status) {
			ids = append(ids, d.id)
		}
	}
	return acceptJSON(map[string]any{"deployments": ids})
}

// AWS does not say whether a deployment that runs is the one that was attempted last. Here it is not, because a caller must
// be right in both cases.
// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeploymentGroup.html
func (c *Cloud) getDeploymentGroup(body []byte) reply {
	var in struct {
		ApplicationName     *string `json:"applicationName"`
		DeploymentGroupName *string `json:"deploymentGroupName"`
	}
	if refusal := decodeJSON(body, &in); refusal != nil {
		return refuseJSON(*refusal)
	}
	if refusal := c.group(in.ApplicationName, in.DeploymentGroupName); refusal != nil {
		return refuseJSON(*refusal)
	}
	info := map[string]any{
		"applicationName": *in.ApplicationName, "deploymentGroupName": *in.DeploymentGroupName,
		"deploymentConfigName": "CodeDeployDefault.ECSAllAtOnce", "computePlatform": "ECS",
	}
	for _, d := range c.deploymentsOf(*in.ApplicationName, *in.DeploymentGroupName) {
		if d.ended.IsZero() {
			continue
		}
		last := map[string]any{"deploymentId": d.id, "status": d.status, "createTime": seconds(d.created), "endTime": seconds(d.ended)}
		if info["lastAttemptedDeployment"] == nil {
			info["lastAttemptedDeployment"] = last
		}
		if info["lastSuccessfulDeployment"] == nil && d.status == statusSucceeded {
			info["lastSuccessfulDeployment"] = last
		}
	}
	return acceptJSON(map[string]any{"deploymentGroupInfo": info})
}

// deployment returns the deployment that a request names, or a refusal. With started it must have started.
func (c *Cloud) deployment(id *string, started bool) (*Deployment, *apiError) {
	switch {
	case id == nil || *id == "":
		return nil, refuseDeployment("DeploymentIdRequiredException", "At least one deployment ID must be specified.")
	case !deploymentIDPattern.MatchString(*id):
		return nil, refuseDeployment("InvalidDeploymentIdException", "At least one of the deployment IDs was specified in an invalid format: "+*id)
	}
	d := c.deployments[*id]
	if d == nil {
		return nil, refuseDeployment("DeploymentDoesNotExistException", "The deployment with the user or AWS account does not exist: "+*id)
	}
	d.settle()
	if started && d.started.IsZero() {
		return nil, refuseDeployment("DeploymentNotStartedException", "The specified deployment has not started.")
	}
	return d, nil
}

// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeployment.html
func (c *Cloud) getDeployment(body []byte) reply {
	var in struct {
		DeploymentID *string `json:"deploymentId"`
	}
	if refusal := decodeJSON(body, &in); refusal != nil {
		return refuseJSON(*refusal)
	}
	d, refusal := c.deployment(in.DeploymentID, false)
	if refusal != nil {
		return refuseJSON(*refusal)
	}
	return acceptJSON(map[string]any{"deploymentInfo": d.info()})
}

// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html
func (d *Deployment) info() map[string]any {
	info := map[string]any{
		"applicationName": d.input.Application, "deploymentGroupName": d.input.DeploymentGroup, "deploymentId": d.id,
		"deploymentConfigName": "CodeDeployDefault.ECSAllAtOnce", "computePlatform": "ECS",
		"status": d.status, "creator": d.input.Creator, "createTime": seconds(d.created),
		"deploymentStyle": map[string]any{"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
	}
	if d.input.Description != "" {
		info["description"] = d.input.Description
	}
	for member, at := range map[string]time.Time{"startTime": d.started, "completeTime": d.ended} {
		if !at.IsZero() {
			info[member] = seconds(at)
		}
	}
	if d.stopped != "" {
		failed := slices.IndexFunc(d.events, func(e LifecycleEvent) bool { return e.Status == statusFailed })
		info["errorInformation"] = map[string]any{
			"code": "HOOK_EXECUTION_FAILURE", "message": fmt.Sprintf("The hook %s failed: %s", d.events[failed].Name, d.stopped),
		}
	}
	if d.rollback != nil || d.undoes != nil {
		rollback := map[string]any{}
		if d.rollback != nil {
			rollback["rollbackDeploymentId"] = d.rollback.id
			rollback["rollbackMessage"] = "The deployment " + d.rollback.id + " rolls this one back."
		}
		if d.undoes != nil {
			rollback["rollbackTriggeringDeploymentId"] = d.undoes.id
		}
		info["rollbackInfo"] = rollback
	}
	return info
}

// target returns the id of the deployment's only target.
func (d *Deployment) target() string { return d.input.Cluster + ":" + d.input.Service }

// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeploymentTargets.html
func (c *Cloud) listDeploymentTargets(body []byte) reply {
	var in struct {
		DeploymentID *string `json:"deploymentId"`
		NextToken    *string `json:"nextToken"`
	}
	if refusal := decodeJSON(body, &in); refusal != nil {
		return refuseJSON(*refusal)
	}
	d, refusal := c.deployment(in.DeploymentID, true)
	if refusal == nil && in.NextToken != nil {
		refusal = refuseDeployment("InvalidNextTokenException", "The next token was specified in an invalid format.")
	}
	if refusal == nil && d.input.Server {
		refusal = refuseDeployment("InvalidDeploymentInstanceTypeException", "The double has no targets of deployments to EC2.")
	}
	if refusal != nil {
		return refuseJSON(*refusal)
	}
	return acceptJSON(map[string]any{"targetIds": []string{d.target()}})
}

// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_BatchGetDeploymentTargets.html
func (c *Cloud) batchGetDeploymentTargets(body []byte) reply {
	var in struct {
		DeploymentID *string  `json:"deploymentId"`
		TargetIDs    []string `json:"targetIds"`
	}
	if refusal := decodeJSON(body, &in); refusal != nil {
		return refuseJSON(*refusal)
	}
	d, refusal := c.deployment(in.DeploymentID, true)
	switch {
	case refusal != nil:
	case len(in.TargetIDs) == 0:
		refusal = refuseDeployment("DeploymentTargetIdRequiredException", "A deployment target ID was not provided.")
	case len(in.TargetIDs) > maxDeploymentTargets:
		refusal = refuseDeployment("DeploymentTargetListSizeExceededException", "The maximum number of targets that can be associated with an Amazon ECS or AWS Lambda deployment was exceeded.")
	}
	targets := []any{}
	for _, id := range in.TargetIDs {
		if refusal != nil {
			break
		}
		cluster, service, ok := strings.Cut(id, ":")
		switch {
		case !ok || !ecsNamePattern.MatchString(cluster) || !ecsNamePattern.MatchString(service):
			refusal = refuseDeployment("InvalidDeploymentTargetIdException", "The target ID provided was not valid: "+id)
		case d.input.Server || id != d.target():
			refusal = refuseDeployment("DeploymentTargetDoesNotExistException", "The provided target ID does not belong to the attempted deployment: "+id)
		default:
			targets = append(targets, map[string]any{"deploymentTargetType": "ECSTarget", "ecsTarget": d.ecsTarget()})
		}
	}
	if refusal != nil {
		return refuseJSON(*refusal)
	}
	return acceptJSON(map[string]any{"deploymentTargets": targets})
}

// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ECSTarget.html
func (d *Deployment) ecsTarget() map[string]any {
	var events []any
	for i, event := range d.events {
		of := map[string]any{"lifecycleEventName": event.Name, "status": event.Status}
		for member, at := range map[string]time.Time{"startTime": d.times[i].began, "endTime": d.times[i].ended} {
			if !at.IsZero() {
				of[member] = seconds(at)
			}
		}
		if event.Status == statusFailed {
			// AWS documents the diagnostics for scripts; for functions they are unverified.
			of["diagnostics"] = map[string]any{"errorCode": "ScriptFailed", "scriptName": d.input.Hooks[event.Name], "message": d.stopped}
		}
		events = append(events, of)
	}
	green := d.green()
	return map[string]any{
		"deploymentId": d.id, "targetId": d.target(), "status": d.status, "lastUpdatedAt": seconds(cmp.Or(d.ended, d.started)), "lifecycleEvents": events,
		"targetArn": fmt.Sprintf("arn:aws:ecs:%s:%s:service/%s/%s", d.cloud.opts.Region, d.cloud.opts.Account, d.input.Cluster, d.input.Service),
		"taskSetsInfo": []any{
			taskSet("Blue", "1111111111111111111", !green), taskSet("Green", "2222222222222222222", green),
		},
	}
}

// green reports whether the new tasks have the traffic.
func (d *Deployment) green() bool {
	allow := slices.IndexFunc(lifecycle, func(step lifecycleStep) bool { return step.event == "AllowTraffic" })
	return d.events[allow].Status == statusSucceeded && d.rollback == nil
}

// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ECSTaskSet.html
func taskSet(label, id string, serves bool) map[string]any {
	status, weight := "ACTIVE", 0.0
	if serves {
		status, weight = "PRIMARY", 100
	}
	return map[string]any{
		"identifer":    "ecs-svc/" + id, //nolint:misspell // It is AWS's spelling.
		"taskSetLabel": label, "status": status, "trafficWeight": weight,
		"desiredCount": 2, "runningCount": 2, "pendingCount": 0, "targetGroup": map[string]any{"name": strings.ToLower(label)},
	}
}
