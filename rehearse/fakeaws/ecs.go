package fakeaws

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// The limit and the default of a hook.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
const (
	serviceHookTimeout   = 24 * time.Hour // by default
	defaultCallBackDelay = 30 * time.Second
)

// The states of service deployments. Some of them are also states of stages and of hooks.
const (
	ecsInProgress         = "IN_PROGRESS"
	ecsSuccessful         = "SUCCESSFUL"
	ecsSucceeded          = "SUCCEEDED"
	ecsFailed             = "FAILED"
	ecsRollbackInProgress = "ROLLBACK_IN_PROGRESS"
	ecsRollbackSuccessful = "ROLLBACK_SUCCESSFUL"
	ecsRollbackFailed     = "ROLLBACK_FAILED"
)

const (
	stageReconcile       = "RECONCILE_SERVICE"
	stageTestShift       = "TEST_TRAFFIC_SHIFT"
	stagePreProduction   = "PRE_PRODUCTION_TRAFFIC_SHIFT"
	stageProductionShift = "PRODUCTION_TRAFFIC_SHIFT"
)

// serviceStages lists the lifecycle stages that can have hooks, in order.
var serviceStages = []string{
	stageReconcile,
	"PRE_SCALE_UP",
	"POST_SCALE_UP",
	stageTestShift,
	"POST_TEST_TRAFFIC_SHIFT",
	stagePreProduction,
	stageProductionShift,
	"POST_PRODUCTION_TRAFFIC_SHIFT",
}

var ecs = newJSONService("ecs")

var (
	// The names of clusters and of services.
	// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
	ecsNamePattern     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	functionARNPattern = regexp.MustCompile(`^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,64}(:[$A-Za-z0-9_-]+)?$`)
	roleARNPattern     = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/.+$`)
)

// ServiceDeploymentInput describes a blue/green deployment by ECS itself.
type ServiceDeploymentInput struct {
	// Cluster and Service are names. Required.
	Cluster, Service string
	// Hooks are the hooks of the service definition. The hooks of a stage run in this order.
	Hooks []ServiceHook
	// Reconcile says that several revisions of the service are active at the start. Otherwise ECS omits the stage
	// RECONCILE_SERVICE with its hooks.
	Reconcile bool
	// NewExecutionIDs gives every call of a hook an execution id of its own. AWS documents an identifier "for this hook
	// execution", which suggests the same id for all calls of a hook, as is the default here. This is unverified, so
	// functions must be right in both cases.
	NewExecutionIDs bool
}

// ServiceHook is a lifecycle hook of a service definition.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentLifecycleHook.html
type ServiceHook struct {
	HookTargetARN   string          `json:"hookTargetArn"` // the ARN of a Lambda function
	RoleARN         string          `json:"roleArn"`       // the role with which ECS invokes the function
	LifecycleStages []string        `json:"lifecycleStages"`
	HookDetails     json.RawMessage `json:"hookDetails"` // a JSON object; optional
}

// ServiceDeployment is a blue/green deployment by ECS.
type ServiceDeployment struct {
	cloud                          *Cloud
	input                          ServiceDeploymentInput
	arn, service                   string
	sourceRevision, targetRevision string // blue and green

	// Guarded by cloud.mu:
	status string
	// created is also when it started. rolledBack is when its rollback began.
	created, rolledBack, finished time.Time
	reason                        string // why it is rolled back
	stages                        []ServiceStage
	plan                          []string  // the remaining stages, starting with the current one
	hook                          int       // the index of the current hook among the hooks of the current stage
	call                          *HookCall // the call that ECS waits for; nil after the end of the deployment
}

// ServiceStage is a lifecycle stage that a deployment has reached.
type ServiceStage struct {
	Name     string
	Status   string // "IN_PROGRESS", "SUCCEEDED" or "FAILED"
	Rollback bool   // whether the deployment was being rolled back
}

// HookCall is a synchronous invocation of a hook's function by ECS.
type HookCall struct {
	deployment  *ServiceDeployment
	hook        ServiceHook
	stage       string
	rollback    bool
	executionID string
	details     map[string]json.RawMessage
	delay       time.Duration
	started     time.Time // the time of the hook's first call
	returned    bool      // whether Next has returned it; guarded by cloud.mu
}

// StartServiceDeployment starts a deployment and runs it up to its first hook. It returns an error for hooks that a service
// definition cannot have.
func (c *Cloud) StartServiceDeployment(input ServiceDeploymentInput) (*ServiceDeployment, error) {
	var problems []error
	name := func(field, value string) {
		if !ecsNamePattern.MatchString(value) {
			problems = append(problems, fmt.Errorf("%s %q does not match ECS's %s", field, value, ecsNamePattern))
		}
	}
	name("Cluster", input.Cluster)
	name("Service", input.Service)
	for i, hook := range input.Hooks {
		if err := hook.validate(); err != nil {
			problems = append(problems, fmt.Errorf("hook %d: %w", i, err))
		}
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("start service deployment: %w", errors.Join(problems...))
	}
	input.Hooks = slices.Clone(input.Hooks)

	arn := func(kind, id string) string { return c.ecsARN(kind, input.Cluster+"/"+input.Service+id) }
	const digits = "123456789"
	d := &ServiceDeployment{
		cloud:          c,
		input:          input,
		arn:            arn("service-deployment", "/"+randomString(21, base64Alphabet[:62])),
		service:        arn("service", ""),
		sourceRevision: arn("service-revision", "/"+randomString(19, digits)),
		targetRevision: arn("service-revision", "/"+randomString(19, digits)),
		status:         ecsInProgress,
		plan:           serviceStages,
	}
	if !input.Reconcile {
		d.plan = d.plan[1:]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	d.created = c.opts.Now()
	service := c.addService(input.Cluster, input.Service)
	service.deployments = append(service.deployments, d)
	d.proceed()
	return d, nil
}

func (h ServiceHook) validate() error {
	var problems []error
	if !functionARNPattern.MatchString(h.HookTargetARN) {
		problems = append(problems, fmt.Errorf("hookTargetArn %q is not the ARN of a Lambda function", h.HookTargetARN))
	}
	if !roleARNPattern.MatchString(h.RoleARN) {
		problems = append(problems, fmt.Errorf("roleArn %q is not the ARN of a role", h.RoleARN))
	}
	if len(h.LifecycleStages) == 0 {
		problems = append(problems, errors.New("lifecycleStages is empty; name at least one stage"))
	}
	for _, stage := range h.LifecycleStages {
		if !slices.Contains(serviceStages, stage) {
			problems = append(problems, fmt.Errorf("lifecycleStages has %q, which is not one of %v", stage, serviceStages))
		}
	}
	if _, err := hookDetails(h.HookDetails); h.HookDetails != nil && err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// hookDetails decodes a JSON object.
func hookDetails(raw json.RawMessage) (details map[string]json.RawMessage, err error) {
	if err := json.Unmarshal(raw, &details); err != nil || details == nil {
		return nil, fmt.Errorf("hookDetails %s is not a JSON object", raw)
	}
	return details, nil
}

// proceed continues the deployment with the current hook of the current stage, up to the next call or to the end.
func (d *ServiceDeployment) proceed() {
	d.call = nil
	rollback := d.status == ecsRollbackInProgress
	for len(d.plan) > 0 {
		stage := d.plan[0]
		if d.hook == 0 {
			d.stages = append(d.stages, ServiceStage{Name: stage, Status: ecsInProgress, Rollback: rollback})
		}
		var hooks []ServiceHook
		for _, hook := range d.input.Hooks {
			if slices.Contains(hook.LifecycleStages, stage) {
				hooks = append(hooks, hook)
			}
		}
		if d.hook < len(hooks) {
			hook := hooks[d.hook]
			d.call = &HookCall{deployment: d, hook: hook, stage: stage, rollback: rollback, executionID: uuid.NewString(), started: d.cloud.opts.Now()}
			d.call.details, _ = hookDetails(hook.HookDetails) // validate has checked them.
			return
		}
		d.stages[len(d.stages)-1].Status = ecsSucceeded
		d.plan, d.hook = d.plan[1:], 0
	}
	d.status, d.finished = ecsSuccessful, d.cloud.opts.Now()
	if rollback {
		d.status = ecsRollbackSuccessful
	}
}

// fail starts the rollback of the deployment. If the rollback itself fails, the deployment ends.
func (d *ServiceDeployment) fail() {
	now := d.cloud.opts.Now()
	d.call, d.plan, d.hook = nil, nil, 0
	last := &d.stages[len(d.stages)-1]
	last.Status = ecsFailed
	if d.status == ecsRollbackInProgress {
		d.status, d.finished = ecsRollbackFailed, now
		return
	}
	d.status, d.rolledBack = ecsRollbackInProgress, now
	d.reason = "Service deployment rolled back because of a lifecycle hook failure at " + last.Name + "." // unverified
	// A rollback repeats only the two traffic shifts, if the deployment has reached them.
	for _, stage := range []string{stageProductionShift, stageTestShift} {
		if slices.ContainsFunc(d.stages, func(s ServiceStage) bool { return s.Name == stage }) {
			d.plan = append(d.plan, stage)
		}
	}
	d.proceed()
}

// settle fails a hook that takes too long.
func (d *ServiceDeployment) settle() {
	if d.call != nil && d.cloud.opts.Now().Sub(d.call.started) >= serviceHookTimeout {
		d.fail()
	}
}

// ARN returns the deployment's ARN, which is resourceArn in the events.
func (d *ServiceDeployment) ARN() string { return d.arn }

// Next returns ECS's next call, which the caller must make after its Delay, or nil if the deployment has ended. It ends the
// call that it returned before: if that has no answer, its function counts as crashed and the deployment is rolled back.
func (d *ServiceDeployment) Next() *HookCall {
	d.cloud.mu.Lock()
	defer d.cloud.mu.Unlock()
	d.settle()
	if d.call != nil && d.call.returned {
		d.fail()
	}
	if d.call != nil {
		d.call.returned = true
	}
	return d.call
}

// Status returns "IN_PROGRESS", "SUCCESSFUL", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL" or, if a hook fails during a
// rollback, "ROLLBACK_FAILED".
func (d *ServiceDeployment) Status() string {
	d.cloud.mu.Lock()
	defer d.cloud.mu.Unlock()
	d.settle()
	return d.status
}

// Stages returns all stages that the deployment has reached, in order, including those of a rollback.
func (d *ServiceDeployment) Stages() []ServiceStage {
	d.cloud.mu.Lock()
	defer d.cloud.mu.Unlock()
	d.settle()
	return slices.Clone(d.stages)
}

// Stage returns the lifecycle stage that the call belongs to.
func (h *HookCall) Stage() string { return h.stage }

// Rollback reports whether the deployment is being rolled back.
func (h *HookCall) Rollback() bool { return h.rollback }

// Function returns the ARN of the function to invoke.
func (h *HookCall) Function() string { return h.hook.HookTargetARN }

// Role returns the ARN of the role with which ECS invokes the function.
func (h *HookCall) Role() string { return h.hook.RoleARN }

// Delay returns how long ECS waits before this call. It is 0 for the first call of a hook. For further calls it is the
// delay that the function returned with IN_PROGRESS, or 30 seconds.
func (h *HookCall) Delay() time.Duration { return h.delay }

// Event returns the event for the function. Every call returns the same event, so that a test can deliver it twice.
func (h *HookCall) Event() []byte {
	var event hookEvent
	event.ExecutionID = h.executionID
	event.LifecycleStage = h.stage
	event.ResourceARN = h.deployment.arn
	event.HookDetails = h.details
	details := &event.ExecutionDetails
	details.ServiceARN = h.deployment.service
	details.TargetServiceRevisionARN = h.deployment.targetRevision // This is so in a rollback, too.
	details.TestTrafficWeights, details.ProductionTrafficWeights = h.weights()
	return mustMarshalJSON(event)
}

// hookEvent is the event with which ECS invokes a function.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
type hookEvent struct {
	ExecutionID      string `json:"executionId"`
	LifecycleStage   string `json:"lifecycleStage"`
	ResourceARN      string `json:"resourceArn"`
	ExecutionDetails struct {
		ServiceARN               string         `json:"serviceArn"`
		TargetServiceRevisionARN string         `json:"targetServiceRevisionArn"`
		TestTrafficWeights       map[string]int `json:"testTrafficWeights"`
		ProductionTrafficWeights map[string]int `json:"productionTrafficWeights"`
	} `json:"executionDetails"`
	HookDetails map[string]json.RawMessage `json:"hookDetails,omitempty"`
}

// weights returns the traffic weights as AWS's example events have them. They are percentages by service revision if the
// traffic is about to shift, and empty otherwise.
func (h *HookCall) weights() (test, production map[string]int) {
	all := func(to, from string) map[string]int { return map[string]int{to: 100, from: 0} }
	green, blue := h.deployment.targetRevision, h.deployment.sourceRevision
	if h.rollback {
		green, blue = blue, green
	}
	test, production = map[string]int{}, map[string]int{}
	switch h.stage {
	case stageReconcile:
		test, production = all(green, blue), all(green, blue)
	case stageTestShift:
		test = all(green, blue)
	case stagePreProduction:
		production = all(blue, green)
	case stageProductionShift:
		production = all(green, blue)
	}
	return test, production
}

// Answer gives ECS the function's answer. invokeErr stands for a crash, a timeout or an error of the function. Answer
// returns an error if ECS cannot use the answer; then the deployment is rolled back, as after FAILED. Only the first
// answer to a call counts.
func (h *HookCall) Answer(payload []byte, invokeErr error) error {
	answer, err := parseAnswer(payload)
	if invokeErr != nil {
		err = invokeErr
	}
	d := h.deployment
	d.cloud.mu.Lock()
	defer d.cloud.mu.Unlock()
	d.settle()
	if d.call == h {
		switch {
		case err != nil || answer.status == ecsFailed:
			d.fail()
		case answer.status == ecsSucceeded:
			d.hook++
			d.proceed()
		default:
			d.call = h.again(answer)
		}
	}
	if err != nil {
		return fmt.Errorf("answer of %s at %s: %w", h.hook.HookTargetARN, h.stage, err)
	}
	return nil
}

// again returns the next call of the same hook. AWS "merges" the details with those of the hook, but does not document how.
// Here they are merged member by member.
func (h *HookCall) again(answer hookAnswer) *HookCall {
	next := *h
	next.returned = false
	next.delay = answer.delay
	next.details = make(map[string]json.RawMessage)
	maps.Copy(next.details, h.details)
	maps.Copy(next.details, answer.details)
	if h.deployment.input.NewExecutionIDs {
		next.executionID = uuid.NewString()
	}
	return &next
}

type hookAnswer struct {
	status  string
	delay   time.Duration
	details map[string]json.RawMessage
}

// parseAnswer reads an answer. It refuses unknown members, and members that do not belong to the status, because AWS does
// not document what happens to them.
func parseAnswer(payload []byte) (answer hookAnswer, err error) {
	var members map[string]json.RawMessage // Decoding into a struct would ignore the case of names.
	if err := json.Unmarshal(payload, &members); err != nil || members == nil {
		return answer, fmt.Errorf("%.200q is not a JSON object", payload)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		switch raw := members[name]; name {
		case "hookStatus":
			if err := json.Unmarshal(raw, &answer.status); err != nil {
				return answer, fmt.Errorf("hookStatus %s is not a string", raw)
			}
		case "callBackDelay":
			seconds, err := strconv.ParseUint(string(raw), 10, 31)
			if err != nil {
				return answer, fmt.Errorf("callBackDelay %s is not a whole number of seconds", raw)
			}
			answer.delay = time.Duration(seconds) * time.Second
		case "hookDetails":
			if answer.details, err = hookDetails(raw); err != nil {
				return answer, err
			}
		default:
			return answer, fmt.Errorf("ECS has no member %q; use hookStatus, callBackDelay and hookDetails", name)
		}
	}
	_, delayed := members["callBackDelay"]
	switch answer.status {
	case ecsSucceeded, ecsFailed:
		if delayed {
			return answer, fmt.Errorf("callBackDelay is for %s, not for %s", ecsInProgress, answer.status)
		}
	case ecsInProgress:
		if !delayed {
			answer.delay = defaultCallBackDelay
		}
	default:
		return answer, fmt.Errorf("hookStatus %q is not one of %s, %s, %s", answer.status, ecsSucceeded, ecsFailed, ecsInProgress)
	}
	return answer, nil
}
