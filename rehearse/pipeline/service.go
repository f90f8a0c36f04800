package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
)

// Deployment is a deployment of a service that calls a function at hooks of its lifecycle. The image,
// and the tasks that run it, are no part of it.
type Deployment struct {
	Function *Function
	// Distributions are those that the function clears.
	Distributions []string

	codeDeploy *fakeaws.DeploymentInput        // by CodeDeploy,
	ecs        *fakeaws.ServiceDeploymentInput // or by ECS itself
	invoker    *Role                           // with which the function is called; nil if it is not in the template
}

// How long CodeDeploy and ECS wait for a hook.
const (
	codeDeployWaits = time.Hour
	notRehearsed    = "only the hooks are rehearsed: no image is built, and no task runs"
)

// ReadService reads the deployment of a service from its template: the one that a pipeline of the stack
// makes, or one of a service that is there already and that the stack has a function for.
func ReadService(template *assembly.Template) (*Plan, error) {
	r := &reader{template: template}
	plan := r.service()
	plan.Notes = r.notes
	if err := errors.Join(r.errs...); err != nil {
		return nil, fmt.Errorf("stack %s cannot be rehearsed: %w", template.Name, err)
	}
	return plan, nil
}

func (r *reader) service() *Plan {
	plan := &Plan{Template: r.template}
	r.note(notRehearsed)
	d := &Deployment{}
	var function string
	if spec := r.appSpec(); spec != "" {
		function = r.codeDeploy(d, spec)
	} else {
		function = r.ecsHooks(d)
	}
	if len(r.errs) > 0 {
		return plan
	}
	if d.Function = r.functionNamed("the hook", function); d.Function == nil {
		return plan
	}
	var distributions []struct {
		DistributionID string `json:"DistributionId"`
	}
	if text := d.Function.Env["DISTRIBUTIONS"]; text != "" {
		if err := json.Unmarshal([]byte(text), &distributions); err != nil {
			r.problem("the function %s: DISTRIBUTIONS: %w", d.Function.ID, err)
		}
	}
	for _, distribution := range distributions {
		d.Distributions = append(d.Distributions, distribution.DistributionID)
	}
	plan.Name = cmp.Or(d.Function.Env["SERVICE"], r.template.Name)
	if d.codeDeploy != nil {
		r.group(d)
	} else {
		d.ecs.Service, d.ecs.Cluster = plan.Name, "cluster"
	}
	plan.Deployment = d
	plan.Stages = d.stages()
	return plan
}

// appSpec is the one of the build project, or the one that the stack puts out; "" for ECS's own
// deployments, which have none.
func (r *reader) appSpec() string {
	for _, project := range r.template.OfType("AWS::CodeBuild::Project") {
		for _, v := range list(object(project.Properties["Environment"])["EnvironmentVariables"]) {
			if object(v)["Name"] == "APPSPEC" {
				return r.text(project.ID+": APPSPEC", object(v)["Value"])
			}
		}
	}
	if output, ok := r.template.Outputs["AppSpec"]; ok {
		return r.text("output AppSpec", output.Value)
	}
	return ""
}

// codeDeploy reads an AppSpec, and returns the function that its hooks name.
func (r *reader) codeDeploy(d *Deployment, text string) (function string) {
	var spec struct {
		Hooks []map[string]string `yaml:"Hooks"`
	}
	if err := yaml.Unmarshal([]byte(text), &spec); err != nil {
		r.problem("the AppSpec: %w", err)
		return ""
	}
	d.codeDeploy = &fakeaws.DeploymentInput{Hooks: map[string]string{}}
	for _, hook := range spec.Hooks {
		for event, name := range hook {
			d.codeDeploy.Hooks[event] = name
			r.one(&function, name)
			// CodeDeploy would skip it without.
			d.codeDeploy.TestListener = d.codeDeploy.TestListener || event == "AfterAllowTestTraffic"
		}
	}
	if function == "" {
		r.problem("the AppSpec has no hooks")
	}
	return function
}

// one has all hooks call the same function.
func (r *reader) one(function *string, name string) {
	if *function != "" && *function != name {
		r.problem("the hooks call %s and %s: hooks with several functions cannot be rehearsed", *function, name)
	}
	*function = name
}

// group finds the deployment group: in the template, or by what the function may report to.
func (r *reader) group(d *Deployment) {
	if made := r.template.OfType("AWS::CodeDeploy::DeploymentGroup"); len(made) > 0 {
		group, p := made[0], made[0].Properties
		d.codeDeploy.Application, d.codeDeploy.DeploymentGroup = r.text(group.ID, p["ApplicationName"]), r.ref(group.ID)
		d.codeDeploy.AutoRollback = text(object(r.resolve(group.ID, p["AutoRollbackConfiguration"]))["Enabled"]) == "true"
		for _, pair := range list(object(r.resolve(group.ID, p["LoadBalancerInfo"]))["TargetGroupPairInfoList"]) {
			d.codeDeploy.TestListener = d.codeDeploy.TestListener || object(pair)["TestTrafficRoute"] != nil
		}
		d.invoker = r.role(group.ID+": ServiceRoleArn", p["ServiceRoleArn"])
		return
	}
	d.codeDeploy.AutoRollback = true
	r.note("the deployment group is not in the template; assumed is that it rolls back what fails, and that its role may call the function")
	for _, policy := range d.Function.Role.Policies {
		parts, err := statements(policy)
		if err != nil {
			continue // IAM will say what is wrong with it.
		}
		for _, part := range parts {
			for _, resource := range part.Resource {
				if _, name, ok := strings.Cut(resource, ":deploymentgroup:"); ok {
					d.codeDeploy.Application, d.codeDeploy.DeploymentGroup, _ = strings.Cut(name, "/")
					return
				}
			}
		}
	}
	r.problem("the function %s may report to no deployment group", d.Function.ID)
}

// ecsHooks reads the lifecycle hooks of the service in the template, or those that the stack puts out,
// and returns the function that they name.
func (r *reader) ecsHooks(d *Deployment) (function string) {
	d.ecs = &fakeaws.ServiceDeploymentInput{}
	var hooks any
	if made := r.template.OfType("AWS::ECS::Service"); len(made) == 1 {
		hooks = object(r.resolve(made[0].ID, made[0].Properties["DeploymentConfiguration"]))["LifecycleHooks"]
	} else if output, ok := r.template.Outputs["LifecycleHooks"]; ok {
		if err := json.Unmarshal([]byte(r.text("output LifecycleHooks", output.Value)), &hooks); err != nil {
			r.problem("output LifecycleHooks: %w", err)
		}
	}
	// CloudFormation's names and ECS's differ in the first letter's case, which does not matter here.
	content, err := json.Marshal(hooks)
	if err == nil {
		err = json.Unmarshal(content, &d.ecs.Hooks)
	}
	if err != nil || len(d.ecs.Hooks) == 0 {
		r.problem("the stack %s has no hooks: neither in an AppSpec nor of a service of ECS (%v)", r.template.Name, err)
		return ""
	}
	for _, hook := range d.ecs.Hooks {
		r.one(&function, hook.HookTargetARN)
		d.invoker = r.role("the hook's RoleArn", hook.RoleARN)
	}
	return function
}

// stages are the steps of the lifecycle; those that call the function have an action.
func (d *Deployment) stages() []Stage {
	var stages []Stage
	add := func(name string, hooked bool) {
		stage := Stage{Name: name}
		if hooked {
			stage.Actions = []*Action{{Stage: name, Name: "Hook", Provider: providerLambda, Configuration: map[string]string{"FunctionName": d.Function.Name}, Function: d.Function}}
		}
		stages = append(stages, stage)
	}
	if d.codeDeploy != nil {
		for _, event := range []string{"BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"} {
			add(event, d.codeDeploy.Hooks[event] != "")
		}
		return stages
	}
	for _, stage := range []string{"PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"} {
		add(stage, slices.ContainsFunc(d.ecs.Hooks, func(h fakeaws.ServiceHook) bool { return slices.Contains(h.LifecycleStages, stage) }))
	}
	return stages
}

// deployService runs the lifecycle of a deployment, and what follows it if it fails.
func (r *rehearsal) deployService(ctx context.Context) (err error) {
	d := r.plan.Deployment
	for _, id := range d.Distributions {
		r.addDistribution(id, d.Function)
	}
	runtime, stop, err := r.startFunction("", "", d.Function)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	h := &hooks{rehearsal: r, runtime: runtime}
	if d.codeDeploy != nil {
		return h.codeDeploy(ctx, *d.codeDeploy)
	}
	return h.ecs(ctx, *d.ecs)
}

// hooks calls the function of a deployment, and tells how the lifecycle goes.
type hooks struct {
	*rehearsal
	runtime *lambdaruntime.Runtime
	next    int // the stage that comes next
	// skipped says which stages the deployment leaves out. Nil: none.
	skipped func(stage string) bool
}

// allowed asks whether the deployment may call the function.
func (h *hooks) allowed(service, principal string) error {
	d := h.plan.Deployment
	if d.invoker == nil {
		return nil
	}
	if d.ecs != nil { // CodeDeploy's role is for all that is not rehearsed.
		h.account.use(d.invoker, "hooks")
	}
	if err := h.account.serve(service, principal, d.invoker); err != nil {
		return err
	}
	return h.as(d.invoker, "lambda:InvokeFunction", d.Function.ARN)
}

// reach passes all stages before the named one, which had nothing to call, and starts that.
func (h *hooks) reach(name string) {
	for h.next < len(h.plan.Stages) && h.plan.Stages[h.next].Name != name {
		h.pass(Succeeded)
	}
	if h.next < len(h.plan.Stages) {
		h.emit(Event{Kind: StageStarted, Stage: name})
		h.emit(Event{Kind: ActionStarted, Stage: name, Action: "Hook"})
	}
}

// pass ends a stage without a hook.
func (h *hooks) pass(status Status) {
	if h.skipped != nil && h.skipped(h.plan.Stages[h.next].Name) {
		status = NotRun
	}
	h.mu.Lock()
	h.result.Stages[h.next].Status = status
	ended := h.result.Stages[h.next]
	h.mu.Unlock()
	h.next++
	if status == Succeeded {
		h.emit(Event{Kind: StageStarted, Stage: ended.Name})
		h.emit(Event{Kind: StageEnded, Stage: ended.Name, StageResult: &ended})
	}
}

// end ends the stage that was reached.
func (h *hooks) end(ctx context.Context, began time.Time, work time.Duration, summary string, err error) {
	h.mu.Lock()
	stage := &h.result.Stages[h.next]
	a := &stage.Actions[0]
	a.Duration = time.Since(began)
	a.Overhead, a.Summary = max(0, a.Duration-work), summary
	settle(ctx, a, cmp.Or(h.account.failed(), err))
	stage.Status, stage.Duration = a.Status, a.Duration
	ended, action := *stage, *a
	ended.Actions = slices.Clone(ended.Actions)
	h.mu.Unlock()
	h.next++
	h.emit(Event{Kind: ActionEnded, Stage: ended.Name, Action: action.Name, ActionResult: &action})
	h.emit(Event{Kind: StageEnded, Stage: ended.Name, StageResult: &ended})
}

// invalidated is how many invalidations each distribution has.
func (h *hooks) invalidated() map[string]int {
	made := map[string]int{}
	for _, id := range h.plan.Deployment.Distributions {
		made[id] = len(h.cloud.Invalidations(id))
	}
	return made
}

// uncleared is the end of a hook's summary that says which distributions it has not cleared, by what they
// had before; "" if it has cleared all.
func (h *hooks) uncleared(before map[string]int) string {
	var left []string
	for _, id := range h.plan.Deployment.Distributions {
		if !h.cleared(id, before[id]) {
			left = append(left, id)
		}
	}
	return although(left)
}

// cleared reports whether one of a distribution's invalidations after the first few is completed.
func (r *rehearsal) cleared(distribution string, after int) bool {
	made := r.cloud.Invalidations(distribution)
	return slices.ContainsFunc(made[min(after, len(made)):], func(i fakeaws.Invalidation) bool { return i.Status == "Completed" })
}

// although words that distributions are not clear.
func although(uncleared []string) string {
	switch len(uncleared) {
	case 0:
		return ""
	case 1:
		return ", although " + uncleared[0] + " is not clear"
	}
	return ", although " + strings.Join(uncleared, ", ") + " are not clear"
}

// codeDeploy is a blue/green deployment by CodeDeploy.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
func (h *hooks) codeDeploy(ctx context.Context, input fakeaws.DeploymentInput) error {
	deployment, err := h.cloud.StartDeployment(input)
	if err != nil {
		return err
	}
	h.skipped = func(stage string) bool {
		return slices.Contains(deployment.Events(), fakeaws.LifecycleEvent{Name: stage, Status: "Skipped"})
	}
	for hook := deployment.Next(); hook != nil; hook = deployment.Next() {
		began, made := time.Now(), h.invalidated()
		h.reach(hook.LifecycleEvent())
		err := h.allowed("CodeDeploy", "codedeploy.amazonaws.com")
		var work time.Duration
		if err == nil {
			called := time.Now()
			attempts := h.runtime.InvokeAsync(ctx, hook.Event())
			work = time.Since(called)
			if ctx.Err() == nil {
				err = h.reported(hook, attempts)
			} else {
				err = ctx.Err()
			}
		}
		h.end(ctx, began, work, "reported Succeeded"+h.uncleared(made), err)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // It was stopped, which the stage tells.
		}
	}
	for h.next < len(h.plan.Stages) {
		status := Succeeded
		if deployment.Status() != "Succeeded" {
			status = NotRun
		}
		h.pass(status)
	}
	if rollback := deployment.Rollback(); rollback != nil {
		h.warn("CodeDeploy rolls the deployment back (%s)", rollback.ID())
	}
	return nil
}

// reported is why a hook failed, if it did.
func (h *hooks) reported(hook *fakeaws.DeploymentHook, attempts []lambdaruntime.Result) error {
	f := h.plan.Deployment.Function
	look := f.log()
	reports := hook.Reports()
	switch {
	case len(reports) == 0:
		h.clock.Skip(codeDeployWaits)
		if last := attempts[len(attempts)-1].Err; last != nil {
			look = fmt.Sprintf("the function %s: it was invoked %d times, and ended with %v; on AWS its log group is %s", f.ID, len(attempts), last, f.LogGroup)
		}
		return &failure{Code: "HOOK_EXECUTION_FAILURE", Reason: fmt.Sprintf("The hook %s timed out: the function %s reported nothing within an hour", hook.LifecycleEvent(), f.Name), Look: look}
	case !reports[0].Success:
		return &failure{Code: "HOOK_EXECUTION_FAILURE", Reason: fmt.Sprintf("The hook %s failed: the function %s reported Failed", hook.LifecycleEvent(), f.Name), Look: look}
	}
	return nil
}

// ecs is a blue/green deployment by ECS itself.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
func (h *hooks) ecs(ctx context.Context, input fakeaws.ServiceDeploymentInput) error {
	deployment, err := h.cloud.StartServiceDeployment(input)
	if err != nil {
		return err
	}
	var work time.Duration
	began, made := time.Now(), h.invalidated()
	for call := deployment.Next(); call != nil; {
		if call.Delay() == 0 {
			began, work, made = time.Now(), 0, h.invalidated()
			if !call.Rollback() {
				h.reach(call.Stage())
			}
		}
		h.clock.Skip(call.Delay())
		err := h.allowed("ECS", "ecs.amazonaws.com")
		var answer []byte
		if err == nil {
			called := time.Now()
			var result lambdaruntime.Result
			if result, err = h.runtime.Invoke(ctx, call.Event()); err == nil && result.Err != nil {
				err = result.Err
			}
			answer, work = result.Payload, work+time.Since(called)
		}
		if ctx.Err() != nil {
			h.end(ctx, began, work, "", ctx.Err())
			return nil //nolint:nilerr // It was stopped, which the stage tells.
		}
		if wrong := call.Answer(answer, err); wrong != nil && err == nil {
			err = wrong
		}
		next := deployment.Next()
		if call.Rollback() && (next == nil || next.Delay() == 0) { // Its stages come again, on the way back.
			outcome := "answers SUCCEEDED" + h.uncleared(made)
			if h.answered(call, deployment, answer, err) != nil {
				outcome = "fails again (" + cmp.Or(text(err), "answered "+string(answer)) + ")"
			}
			h.warn("ECS rolls the deployment back, and calls the function at %s again, which %s; the deployment is %s", call.Stage(), outcome, deployment.Status())
		}
		if !call.Rollback() && (next == nil || next.Rollback() || next.Delay() == 0) {
			h.end(ctx, began, work, "answered SUCCEEDED"+h.uncleared(made), h.answered(call, deployment, answer, err))
		}
		call = next
	}
	for h.next < len(h.plan.Stages) {
		status := Succeeded
		if deployment.Status() != "SUCCESSFUL" {
			status = NotRun
		}
		h.pass(status)
	}
	return nil
}

// answered is why a hook failed, if it did.
func (h *hooks) answered(call *fakeaws.HookCall, deployment *fakeaws.ServiceDeployment, answer []byte, err error) error {
	if denied := (*failure)(nil); errors.As(err, &denied) {
		return denied
	}
	failed := slices.ContainsFunc(deployment.Stages(), func(s fakeaws.ServiceStage) bool {
		return s.Name == call.Stage() && s.Rollback == call.Rollback() && s.Status == "FAILED"
	})
	if !failed {
		return nil
	}
	f := h.plan.Deployment.Function
	why := "answered " + string(answer)
	if err != nil {
		why = err.Error()
	}
	return &failure{
		Code:   "FAILED",
		Reason: fmt.Sprintf("Service deployment rolled back because of a lifecycle hook failure: the function %s at %s: %s", f.Name, call.Stage(), why),
		Look:   f.log(),
	}
}

// distributions are all that the plan's functions clear.
func (p *Plan) distributions() []string {
	ids := map[string]bool{}
	for _, stage := range p.Stages {
		for _, a := range stage.Actions {
			ids[distributionOf(a.Configuration["UserParameters"])] = true
		}
	}
	if p.Deployment != nil {
		for _, id := range p.Deployment.Distributions {
			ids[id] = true
		}
	}
	delete(ids, "")
	return slices.Sorted(maps.Keys(ids))
}
