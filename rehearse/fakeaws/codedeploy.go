package fakeaws

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// hookTimeout limits how long a deployment waits for a hook's report.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
const hookTimeout = time.Hour

// The states of deployments and lifecycle events. Another one is statusInProgress.
const (
	statusCreated   = "Created"
	statusPending   = "Pending"
	statusSucceeded = "Succeeded"
	statusFailed    = "Failed"
	statusSkipped   = "Skipped"
)

type lifecycleStep struct {
	event       string
	hook        bool // whether the AppSpec can name a function for it
	testTraffic bool // whether it needs a test listener
}

// lifecycle lists the lifecycle events of a deployment to ECS in order.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#reference-appspec-file-structure-hooks-run-order-ecs
var lifecycle = []lifecycleStep{
	{event: "BeforeInstall", hook: true},
	{event: "Install"},
	{event: "AfterInstall", hook: true},
	{event: "AllowTestTraffic", testTraffic: true},
	{event: "AfterAllowTestTraffic", hook: true, testTraffic: true},
	{event: "BeforeAllowTraffic", hook: true},
	{event: "AllowTraffic"},
	{event: "AfterAllowTraffic", hook: true},
}

var (
	// The names of applications and of deployment groups.
	// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeployment.html
	deployNamePattern   = regexp.MustCompile(`^[A-Za-z0-9+=,.@_-]{1,100}$`)
	deploymentIDPattern = regexp.MustCompile(`^d-[A-Z0-9]{9}$`)
	functionPattern     = regexp.MustCompile(`^(arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:)?[A-Za-z0-9_-]{1,64}(:[$A-Za-z0-9_-]+)?$`)
)

var codeDeploy = newJSONService("codedeploy")

// DeploymentInput describes a deployment.
type DeploymentInput struct {
	// Application and DeploymentGroup are names. Required. They are part of the ARN that IAM checks.
	Application, DeploymentGroup string
	// Cluster and Service name the service that is deployed. Default "production" and the name of the application.
	Cluster, Service string
	// Creator says what has created the deployment, such as "codeDeployRollback". Default "user".
	Creator, Description string
	// Created leaves the deployment waiting for its start, until Next is called.
	Created bool
	// Hooks holds the AppSpec's hooks. The key is a lifecycle event, such as "AfterAllowTraffic", and the value the name
	// or the ARN of a function.
	Hooks map[string]string
	// TestListener says that the load balancer has a test listener. Without one CodeDeploy skips AllowTestTraffic and
	// AfterAllowTestTraffic with its hook.
	TestListener bool
	// AutoRollback says that the deployment group rolls back a deployment that fails.
	AutoRollback bool
	// Server makes this a deployment to EC2 instances, which has no functions and accepts no reports.
	Server bool
}

// Deployment is a deployment by CodeDeploy.
type Deployment struct {
	cloud *Cloud
	id    string
	// number counts the deployments of the cloud.
	number int
	input  DeploymentInput

	// Guarded by cloud.mu:
	status                  string
	created, started, ended time.Time
	events                  []LifecycleEvent
	times                   []eventTimes               // of events
	hooks                   map[string]*DeploymentHook // the hooks that have started, by id
	waiting                 *DeploymentHook            // the hook that the deployment waits for; nil after its end
	rollback, undoes        *Deployment                // the deployment that rolls this one back, and the one that this one rolls back
	stopped                 string                     // why the deployment failed; "" if it did not
}

// eventTimes is when a lifecycle event began and ended.
type eventTimes struct{ began, ended time.Time }

// LifecycleEvent is a step of a deployment.
type LifecycleEvent struct {
	Name   string
	Status string // "Pending", "InProgress", "Succeeded", "Failed" or "Skipped"
}

// DeploymentHook is a call of a function by a deployment, which waits for the function's report.
type DeploymentHook struct {
	deployment *Deployment
	id         string
	event      int // the index of its lifecycle event
	started    time.Time

	// Guarded by cloud.mu:
	returned bool // whether Next has returned it
	reports  []Report
}

// StartDeployment starts a deployment and runs it up to its first hook. It returns an error for names and hooks that
// CodeDeploy refuses.
func (c *Cloud) StartDeployment(input DeploymentInput) (*Deployment, error) {
	var problems []error
	name := func(field, value string) {
		if !deployNamePattern.MatchString(value) {
			problems = append(problems, fmt.Errorf("%s %q does not match CodeDeploy's %s", field, value, deployNamePattern))
		}
	}
	name("Application", input.Application)
	name("DeploymentGroup", input.DeploymentGroup)
	if input.Creator != "" && !slices.Contains(deploymentCreators, input.Creator) {
		problems = append(problems, fmt.Errorf("creator %q is none of %s", input.Creator, strings.Join(deploymentCreators, ", ")))
	}
	if input.Server && len(input.Hooks) > 0 {
		problems = append(problems, errors.New("a deployment to EC2 calls no functions; omit Hooks or Server"))
	}
	for _, event := range slices.Sorted(maps.Keys(input.Hooks)) {
		i := slices.IndexFunc(lifecycle, func(step lifecycleStep) bool { return step.event == event })
		switch function := input.Hooks[event]; {
		case i < 0:
			problems = append(problems, fmt.Errorf("hook %q is not a lifecycle event", event))
		case !lifecycle[i].hook:
			problems = append(problems, fmt.Errorf("hook %q: CodeDeploy handles this event itself and accepts no function for it", event))
		case !functionPattern.MatchString(function):
			problems = append(problems, fmt.Errorf("hook %q: %q is neither the name nor the ARN of a Lambda function", event, function))
		}
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("start deployment: %w", errors.Join(problems...))
	}
	input.Hooks = maps.Clone(input.Hooks)
	input.Cluster, input.Service, input.Creator = cmp.Or(input.Cluster, "production"), cmp.Or(input.Service, input.Application), cmp.Or(input.Creator, "user")
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newDeployment(input), nil
}

// newDeployment starts a deployment. The caller holds c.mu.
func (c *Cloud) newDeployment(input DeploymentInput) *Deployment {
	d := &Deployment{
		cloud:   c,
		id:      "d-" + randomString(9, upperAlphanumeric),
		number:  len(c.deployments),
		input:   input,
		status:  statusCreated,
		created: c.opts.Now(),
		times:   make([]eventTimes, len(lifecycle)),
		hooks:   make(map[string]*DeploymentHook),
	}
	for _, step := range lifecycle {
		d.events = append(d.events, LifecycleEvent{Name: step.event, Status: statusPending})
	}
	c.deployments[d.id] = d
	c.addGroup(input.Application, input.DeploymentGroup)
	if !input.Created {
		d.start()
	}
	return d
}

func (d *Deployment) start() {
	d.status, d.started = statusInProgress, d.cloud.opts.Now()
	d.proceed(0)
}

// proceed continues the deployment with event i, up to the next hook or to the end.
func (d *Deployment) proceed(i int) {
	d.waiting = nil
	now := d.cloud.opts.Now()
	for ; i < len(lifecycle); i++ {
		event := &d.events[i]
		switch {
		case lifecycle[i].testTraffic && !d.input.TestListener:
			event.Status = statusSkipped
		case d.input.Hooks[event.Name] == "":
			event.Status, d.times[i] = statusSucceeded, eventTimes{now, now}
		default:
			event.Status, d.times[i].began = statusInProgress, now
			// AWS's ids are opaque. They look like the base64 of a long JSON object.
			id := "eyJlbmNyeXB0ZWREYXRhIjoi" + randomString(216, base64Alphabet)
			d.waiting = &DeploymentHook{deployment: d, id: id, event: i, started: d.cloud.opts.Now()}
			d.hooks[id] = d.waiting
			return
		}
	}
	d.status, d.ended = statusSucceeded, now
}

// fail ends the deployment at the hook for which it waits.
func (d *Deployment) fail(why string) {
	failed := d.waiting.event
	d.waiting, d.status, d.stopped, d.ended = nil, statusFailed, why, d.cloud.opts.Now()
	d.events[failed].Status, d.times[failed].ended = statusFailed, d.ended
	for i := failed + 1; i < len(d.events); i++ {
		d.events[i].Status = statusSkipped
	}
	// AWS documents for BeforeInstall: "A rollback is not possible at this lifecycle event".
	if d.input.AutoRollback && lifecycle[failed].event != "BeforeInstall" {
		input := d.input
		input.AutoRollback, input.Created, input.Creator = false, false, "codeDeployRollback"
		d.rollback = d.cloud.newDeployment(input)
		d.rollback.undoes = d
	}
}

// settle fails the deployment if it has waited too long for a report.
func (d *Deployment) settle() {
	if d.waiting != nil && d.cloud.opts.Now().Sub(d.waiting.started) >= hookTimeout {
		d.fail(hookTimedOut)
	}
}

// ID returns the deployment's id, such as "d-A1B2C3D4E".
func (d *Deployment) ID() string { return d.id }

// GroupARN returns the ARN of the deployment group, which is the resource of a report for IAM.
func (d *Deployment) GroupARN() string {
	return fmt.Sprintf("arn:aws:codedeploy:%s:%s:deploymentgroup:%s/%s", d.cloud.opts.Region, d.cloud.opts.Account, d.input.Application, d.input.DeploymentGroup)
}

// Next returns the next hook, whose function the caller must invoke, or nil if the deployment has ended. It ends the hook
// that it returned before: if that has no report, it counts as timed out and the deployment fails.
func (d *Deployment) Next() *DeploymentHook {
	d.cloud.mu.Lock()
	defer d.cloud.mu.Unlock()
	d.settle()
	if d.status == statusCreated {
		d.start()
	}
	if d.waiting != nil && d.waiting.returned {
		d.fail(hookTimedOut)
	}
	if d.waiting != nil {
		d.waiting.returned = true
	}
	return d.waiting
}

// Status returns "Created", "InProgress", "Succeeded" or "Failed".
func (d *Deployment) Status() string {
	d.cloud.mu.Lock()
	defer d.cloud.mu.Unlock()
	d.settle()
	return d.status
}

// Events returns the eight lifecycle events in order.
func (d *Deployment) Events() []LifecycleEvent {
	d.cloud.mu.Lock()
	defer d.cloud.mu.Unlock()
	d.settle()
	return slices.Clone(d.events)
}

// Rollback returns the deployment that rolls this one back, or nil if there is none. A rollback is a deployment with an id
// of its own. AWS does not document whether it calls the hooks. Here it does, because functions must be right in both
// cases.
func (d *Deployment) Rollback() *Deployment {
	d.cloud.mu.Lock()
	defer d.cloud.mu.Unlock()
	d.settle()
	return d.rollback
}

// LifecycleEvent returns the name of the hook's lifecycle event.
func (h *DeploymentHook) LifecycleEvent() string { return lifecycle[h.event].event }

// Function returns the name or the ARN of the function to invoke, as it is in the AppSpec.
func (h *DeploymentHook) Function() string { return h.deployment.input.Hooks[h.LifecycleEvent()] }

// Event returns the event for the function. Every call returns the same event, so that a test can deliver it twice.
func (h *DeploymentHook) Event() []byte {
	return mustMarshalJSON(struct {
		DeploymentID string `json:"DeploymentId"`
		HookID       string `json:"LifecycleEventHookExecutionId"`
	}{h.deployment.id, h.id})
}

// Reports returns the reports that CodeDeploy has accepted for this hook, which are none or one.
func (h *DeploymentHook) Reports() []Report {
	h.deployment.cloud.mu.Lock()
	defer h.deployment.cloud.mu.Unlock()
	return slices.Clone(h.reports)
}

// codeDeployOperation describes the call and returns the function that runs the operation, or nil for an unknown
// operation.
func (c *Cloud) codeDeployOperation(operation string, body []byte, call *Call) func() reply {
	if operation != "PutLifecycleEventHookExecutionStatus" {
		return c.deploymentOperation(operation, body, call)
	}
	// This only describes the call. The operation itself checks the body.
	var in hookStatusInput
	_ = json.NewDecoder(bytes.NewReader(body)).Decode(&in)
	call.Status = value(in.Status)
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.deployments[value(in.DeploymentID)]; d != nil {
		call.Resource = d.GroupARN()
	}
	return func() reply { return c.putHookStatus(body) }
}

type hookStatusInput struct {
	DeploymentID *string `json:"deploymentId"`
	HookID       *string `json:"lifecycleEventHookExecutionId"`
	Status       *string `json:"status"`
}

// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_PutLifecycleEventHookExecutionStatus.html
func (c *Cloud) putHookStatus(body []byte) reply {
	var in hookStatusInput
	if refusal := decodeJSON(body, &in); refusal != nil {
		return refuseJSON(*refusal)
	}
	refuse := func(code, message string) reply { return refuseJSON(apiError{code, message, http.StatusBadRequest}) }

	id, status := value(in.DeploymentID), value(in.Status)
	switch {
	case id == "":
		return refuse("DeploymentIdRequiredException", "At least one deployment ID must be specified.")
	case !deploymentIDPattern.MatchString(id):
		return refuse("InvalidDeploymentIdException", "At least one of the deployment IDs was specified in an invalid format: "+id)
	case status != statusSucceeded && status != statusFailed: // The model has more values, for other operations.
		return refuse("InvalidLifecycleEventHookExecutionStatusException", "The result of a Lambda validation function that verifies a lifecycle event is invalid. It should return Succeeded or Failed, not "+status)
	}
	d := c.deployments[id]
	if d == nil {
		return refuse("DeploymentDoesNotExistException", "The deployment with the user or AWS account does not exist: "+id)
	}
	if d.input.Server {
		return refuse("UnsupportedActionForDeploymentTypeException", "A call was submitted that is not supported for the specified deployment type.")
	}
	d.settle()
	hook := d.hooks[value(in.HookID)]
	if hook == nil {
		return refuse("InvalidLifecycleEventHookExecutionIdException", "A lifecycle event hook is invalid. Review the hooks section in your AppSpec file to ensure the lifecycle events and hooks functions are valid.")
	}
	if d.waiting != hook {
		return refuse("LifecycleEventAlreadyCompletedException", "An attempt to return the status of an already completed lifecycle event occurred.")
	}

	hook.reports = append(hook.reports, Report{Success: status == statusSucceeded, At: c.opts.Now()})
	if status == statusFailed {
		d.fail(hookReportedFailed)
	} else {
		d.events[hook.event].Status, d.times[hook.event].ended = statusSucceeded, c.opts.Now()
		d.proceed(hook.event + 1)
	}
	return acceptJSON(map[string]any{"lifecycleEventHookExecutionId": hook.id})
}
