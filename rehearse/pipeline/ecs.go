package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// ecs is a blue/green deployment by ECS itself.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
type ecs struct {
	input fakeaws.ServiceDeploymentInput
	name  string // of the function, an ARN
}

// ecs reads the lifecycle hooks of the service in the template, or those that are an output of the stack.
func (i *inspection) ecs(d *Deployment) *ecs {
	e := &ecs{}
	var hooks any
	if made := i.Template.OfType("AWS::ECS::Service"); len(made) == 1 {
		hooks = assembly.Object(i.Resolve(made[0].ID, made[0].Properties["DeploymentConfiguration"]))["LifecycleHooks"]
	} else if output, ok := i.Template.Outputs[contract.OutputLifecycleHooks]; ok {
		what := "output " + contract.OutputLifecycleHooks
		if err := json.Unmarshal([]byte(i.Text(what, output.Value)), &hooks); err != nil {
			i.Problem("%s: %w", what, err)
		}
	}
	// CloudFormation's names and those of ECS differ in the case of the first letter, which the decoder ignores.
	content, err := json.Marshal(hooks)
	if err == nil {
		err = json.Unmarshal(content, &e.input.Hooks)
	}
	switch {
	case err != nil:
		i.Problem("the hooks of the stack %s: %w", i.Template.Name, err)
		return e
	case len(e.input.Hooks) == 0:
		i.Problem("the stack %s has no hooks, neither in an AppSpec nor of a service of ECS", i.Template.Name)
		return e
	}
	for _, hook := range e.input.Hooks {
		e.name = i.oneFunction(e.name, hook.HookTargetARN)
		d.invoker = i.roles.Read("the hook's RoleArn", hook.RoleARN)
	}
	return e
}

func (e *ecs) function() string { return e.name }

func (e *ecs) complete(_ *inspection, _ *Deployment, service string) {
	e.input.Service, e.input.Cluster = service, "cluster" // Nothing depends on the cluster's name.
}

func (*ecs) lifecycle() []string {
	return []string{"PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"}
}

func (e *ecs) callsFunction(stage string) bool {
	return slices.ContainsFunc(e.input.Hooks, func(h fakeaws.ServiceHook) bool { return slices.Contains(h.LifecycleStages, stage) })
}

func (*ecs) skipped(string) bool { return false }

// deploy runs the lifecycle. A hook is called again while it answers IN_PROGRESS. After a hook has failed, ECS goes back
// through the stages, and calls their hooks once more.
func (e *ecs) deploy(ctx context.Context, h *hooks) error {
	deployment, err := h.cloud.StartServiceDeployment(e.input)
	if err != nil {
		return err
	}
	run := h.beginHook()
	for call := deployment.Next(); call != nil; {
		if first := call.Delay() == 0; first {
			run = h.beginHook()
			if !call.Rollback() {
				h.startStage(call.Stage())
			}
		}
		h.clock.Skip(call.Delay())
		answer, err := e.call(ctx, h, run, call)
		if ctx.Err() != nil {
			h.endStage(ctx, run, "", ctx.Err())
			return nil //nolint:nilerr // It was stopped, as the stage says.
		}
		next := deployment.Next()
		last := next == nil || next.Delay() == 0 // the last call of the hook
		failure := answerFailure(h, call, deployment, answer, err)
		switch {
		case call.Rollback() && last: // Its stage has ended before.
			outcome := "answers SUCCEEDED" + h.butNotClear(run)
			if failure != nil {
				outcome = "fails again (" + cmp.Or(assembly.Text(err), "answered "+string(answer)) + ")"
			}
			h.record.Warn("ECS rolls the deployment back, and calls the function at %s again, which %s; the deployment is %s", call.Stage(), outcome, deployment.Status())
		case !call.Rollback() && (last || next.Rollback()):
			h.endStage(ctx, run, "answered SUCCEEDED"+h.butNotClear(run), failure)
		}
		call = next
	}
	h.passRest(deployment.Status() == "SUCCESSFUL")
	return nil
}

// call calls the function of a hook, and gives ECS its answer.
func (e *ecs) call(ctx context.Context, h *hooks, run *hookRun, call *fakeaws.HookCall) (answer []byte, err error) {
	if err = h.mayCallFunction("ECS", "ecs.amazonaws.com"); err == nil {
		called := time.Now()
		var result lambdaruntime.Result
		if result, err = h.runtime.Invoke(ctx, call.Event()); err == nil && result.Err != nil {
			err = result.Err
		}
		answer, run.work = result.Payload, run.work+time.Since(called)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if refused := call.Answer(answer, err); err == nil {
		err = refused
	}
	return answer, err
}

// answerFailure returns why a hook failed, if it did.
func answerFailure(h *hooks, call *fakeaws.HookCall, deployment *fakeaws.ServiceDeployment, answer []byte, err error) error {
	if denied := (*rehearsal.Failure)(nil); errors.As(err, &denied) {
		return denied
	}
	failed := slices.ContainsFunc(deployment.Stages(), func(s fakeaws.ServiceStage) bool {
		return s.Name == call.Stage() && s.Rollback == call.Rollback() && s.Status == "FAILED"
	})
	if !failed {
		return nil
	}
	why := "answered " + string(answer)
	if err != nil {
		why = err.Error()
	}
	return &rehearsal.Failure{
		Code:   "FAILED",
		Reason: fmt.Sprintf("Service deployment rolled back because of a lifecycle hook failure: the function %s at %s: %s", h.Function.Name, call.Stage(), why),
		Look:   h.Function.lookAtLog(),
	}
}
