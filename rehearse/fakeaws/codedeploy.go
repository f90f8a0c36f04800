package fakeaws

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// hookTimeout is how long a deployment waits for a hook's report.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
const hookTimeout = time.Hour

// CodeDeploy's words for deployments and lifecycle events, besides CloudFront's "InProgress".
const (
	statusPending   = "Pending"
	statusSucceeded = "Succeeded"
	statusFailed    = "Failed"
	statusSkipped   = "Skipped"
)

type lifecycleStep struct {
	event       string
	hook        bool // a function can be named for it
	testTraffic bool // takes place only with a test listener
}

// lifecycle is what a deployment to ECS goes through, in this order.
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

// DeploymentInput is what a deployment is started with.
type DeploymentInput struct {
	// Application and DeploymentGroup are names. Required; the resource that IAM checks is made of them.
	Application, DeploymentGroup string
	// Hooks are the AppSpec's: lifecycle event, such as "AfterAllowTraffic", to a function's name or ARN.
	Hooks map[string]string
	// TestListener says that the load balancer has one. Without it CodeDeploy skips AllowTestTraffic and
	// AfterAllowTestTraffic, and a hook there never runs.
	TestListener bool
	// AutoRollback is the deployment group's setting to roll back a deployment that fails.
	AutoRollback bool
	// Server makes it a deployment to EC2 instances, which has no functions and takes no reports.
	Server bool
}

// Deployment is one deployment by CodeDeploy.
type Deployment struct {
	cloud *Cloud
	id    string
	input DeploymentInput

	// Guarded by cloud.mu:
	status   string
	events   []LifecycleEvent
	hooks    map[string]*DeploymentHook // those that have run, by id
	waiting  *DeploymentHook            // nil once the deployment has ended
	rollback *Deployment
}

// LifecycleEvent is one step of a deployment.
type LifecycleEvent struct {
	Name   string
	Status string // "Pending", "InProgress", "Succeeded", "Failed" or "Skipped"
}

// DeploymentHook is one run of a function by a deployment, which then waits for the function's report.
type DeploymentHook struct {
	deployment *Deployment
	id         string
	event      int // index of its lifecycle event
	started    time.Time

	// Guarded by cloud.mu:
	taken   bool // Next has returned it
	reports []Report
}

// StartDeployment starts a deployment and runs it up to its first hook. It refuses names and hooks that
// CodeDeploy would refuse.
func (c *Cloud) StartDeployment(input DeploymentInput) (*Deployment, error) {
	var problems []error
	name := func(field, value string) {
		if !deployNamePattern.MatchString(value) {
			problems = append(problems, fmt.Errorf("%s %q does not match CodeDeploy's %s", field, value, deployNamePattern))
		}
	}
	name("Application", input.Application)
	name("DeploymentGroup", input.DeploymentGroup)
	if input.Server && len(input.Hooks) > 0 {
		problems = append(problems, errors.New("a deployment to EC2 runs no functions: leave out Hooks or Server"))
	}
	for _, event := range slices.Sorted(maps.Keys(input.Hooks)) {
		i := slices.IndexFunc(lifecycle, func(step lifecycleStep) bool { return step.event == event })
		switch function := input.Hooks[event]; {
		case i < 0:
			problems = append(problems, fmt.Errorf("hook %q is no lifecycle event", event))
		case !lifecycle[i].hook:
			problems = append(problems, fmt.Errorf("hook %q: CodeDeploy does this itself, no function can be named for it", event))
		case !functionPattern.MatchString(function):
			problems = append(problems, fmt.Errorf("hook %q: %q is neither the name nor the ARN of a Lambda function", event, function))
		}
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("start deployment: %w", errors.Join(problems...))
	}
	input.Hooks = maps.Clone(input.Hooks)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newDeployment(input), nil
}

// newDeployment is called with c.mu held.
func (c *Cloud) newDeployment(input DeploymentInput) *Deployment {
	d := &Deployment{
		cloud:  c,
		id:     "d-" + randomString(9, upperAlphanumeric),
		input:  input,
		status: statusInProgress,
		hooks:  make(map[string]*DeploymentHook),
	}
	for _, step := range lifecycle {
		d.events = append(d.events, LifecycleEvent{Name: step.event, Status: statusPending})
	}
	c.deployments[d.id] = d
	d.proceed(0)
	return d
}

// proceed goes through the lifecycle from the i-th event on: to the next hook, or to the end.
func (d *Deployment) proceed(i int) {
	d.waiting = nil
	for ; i < len(lifecycle); i++ {
		event := &d.events[i]
		switch {
		case lifecycle[i].testTraffic && !d.input.TestListener:
			event.Status = statusSkipped
		case d.input.Hooks[event.Name] == "":
			event.Status = statusSucceeded
		default:
			event.Status = statusInProgress
			// AWS's ids are opaque, and look like the base64 of a long JSON object.
			id := "eyJlbmNyeXB0ZWREYXRhIjoi" + randomString(216, base64Alphabet)
			d.waiting = &DeploymentHook{deployment: d, id: id, event: i, started: d.cloud.opts.Now()}
			d.hooks[id] = d.waiting
			return
		}
	}
	d.status = statusSucceeded
}

// fail ends the deployment at the hook that it waits for.
func (d *Deployment) fail() {
	failed := d.waiting.event
	d.waiting, d.status = nil, statusFailed
	d.events[failed].Status = statusFailed
	for i := failed + 1; i < len(d.events); i++ {
		d.events[i].Status = statusSkipped
	}
	// "A rollback is not possible at this lifecycle event", says AWS of BeforeInstall: there is nothing
	// to take back yet.
	if d.input.AutoRollback && lifecycle[failed].event != "BeforeInstall" {
		input := d.input
		input.AutoRollback = false
		d.rollback = d.cloud.newDeployment(input)
	}
}

// settle fails a deployment that has waited too long for a report.
func (d *Deployment) settle() {
	if d.waiting != nil && d.cloud.opts.Now().Sub(d.waiting.started) >= hookTimeout {
		d.fail()
	}
}

// ID returns the deployment's id, such as "d-A1B2C3D4E".
func (d *Deployment) ID() string { return d.id }

// GroupARN returns the ARN of the deployment group: what IAM checks reports against.
func (d *Deployment) GroupARN() string {
	return fmt.Sprintf("arn:aws:codedeploy:%s:%s:deploymentgroup:%s/%s", d.cloud.opts.Region, d.cloud.opts.Account, d.input.Application, d.input.DeploymentGroup)
}

// Next returns the next hook of the deployment, whose function is to be invoked now, or nil once the
// deployment has ended. The hook that it returned before is over by then: without a report it has timed
// out, and the deployment has failed.
func (d *Deployment) Next() *DeploymentHook {
	d.cloud.mu.Lock()
	defer d.cloud.mu.Unlock()
	d.settle()
	if d.waiting != nil && d.waiting.taken {
		d.fail()
	}
	if d.waiting != nil {
		d.waiting.taken = true
	}
	return d.waiting
}

// Status returns "InProgress", "Succeeded" or "Failed".
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

// Rollback returns the deployment that undoes this one, or nil if there is none: this one has not
// failed, or not rolled back. A rollback is a deployment like any other, with an id of its own. Whether
// CodeDeploy runs the hooks in it too is not documented; here it does, as functions must be right
// either way.
func (d *Deployment) Rollback() *Deployment {
	d.cloud.mu.Lock()
	defer d.cloud.mu.Unlock()
	d.settle()
	return d.rollback
}

// LifecycleEvent returns the name of the hook's lifecycle event.
func (h *DeploymentHook) LifecycleEvent() string { return lifecycle[h.event].event }

// Function returns the name or ARN of the function to invoke, as the AppSpec has it.
func (h *DeploymentHook) Function() string { return h.deployment.input.Hooks[h.LifecycleEvent()] }

// Event returns the event that the function is invoked with; the same on every call, so that
// delivering it twice is a duplicate delivery.
func (h *DeploymentHook) Event() []byte {
	return mustMarshalJSON(struct {
		DeploymentID string `json:"DeploymentId"`
		HookID       string `json:"LifecycleEventHookExecutionId"`
	}{h.deployment.id, h.id})
}

// Reports returns the reports CodeDeploy accepted for this hook: none or one.
func (h *DeploymentHook) Reports() []Report {
	h.deployment.cloud.mu.Lock()
	defer h.deployment.cloud.mu.Unlock()
	return slices.Clone(h.reports)
}

// codeDeployOperation returns what runs the operation, nil if there is none, and describes the call.
func (c *Cloud) codeDeployOperation(operation string, body []byte, call *Call) func() reply {
	if operation != "PutLifecycleEventHookExecutionStatus" {
		return nil
	}
	// Read leniently: this only describes the call, the operation itself decides about it.
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
	case status != statusSucceeded && status != statusFailed: // The API's enum has more, for other operations.
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
		d.fail()
	} else {
		d.events[hook.event].Status = statusSucceeded
		d.proceed(hook.event + 1)
	}
	return acceptJSON(map[string]string{"lifecycleEventHookExecutionId": hook.id})
}
