package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// Deployment is a deployment of a service that calls a function at hooks of its lifecycle. The image, and the tasks that
// run it, are not rehearsed.
type Deployment struct {
	Function *Function
	// Distributions are the ids of those that the function clears.
	Distributions []string

	deployer deployer
	invoker  *iam.Role // that calls the function; nil if it is not in the template
}

// deployer is the service of AWS that deploys.
type deployer interface {
	// function returns the name or the ARN of the function that the hooks call.
	function() string
	// complete reads what depends on the service or on the function.
	complete(i *inspection, d *Deployment, service string)
	// lifecycle returns the stages of a deployment, and callsFunction whether a stage calls the function.
	lifecycle() []string
	callsFunction(stage string) bool
	// skipped reports whether the deployment that runs leaves a stage out.
	skipped(stage string) bool
	// deploy runs the lifecycle.
	deploy(ctx context.Context, h *hooks) error
}

// hookAction is the name of the action that calls the function.
const hookAction = "Hook"

// distributions reads the ids of the distributions that a hook's function clears.
func (i *inspection) distributions(f *Function) (ids []string) {
	var distributions []contract.Distribution
	if text := f.Env[contract.EnvDistributions]; text != "" {
		if err := json.Unmarshal([]byte(text), &distributions); err != nil {
			i.Problem("the function %s: %s: %w", f.ID, contract.EnvDistributions, err)
		}
	}
	for _, d := range distributions {
		ids = append(ids, d.ID)
	}
	return ids
}

// oneFunction adds the function of a hook to those of the hooks before, which must be the same.
func (i *inspection) oneFunction(before, name string) string {
	if before != "" && before != name {
		i.Problem("the hooks call %s and %s: hooks with several functions cannot be rehearsed", before, name)
	}
	return name
}

// stages returns those of the lifecycle. A stage that calls the function has an action.
func (d *Deployment) stages() []rehearsal.Stage {
	var stages []rehearsal.Stage
	for _, name := range d.deployer.lifecycle() {
		stage := rehearsal.Stage{Name: name, Status: rehearsal.NotRun}
		if d.deployer.callsFunction(name) {
			stage.Actions = []rehearsal.Action{d.action()}
		}
		stages = append(stages, stage)
	}
	return stages
}

// action returns the action of a hook before it has run.
func (d *Deployment) action() rehearsal.Action {
	return rehearsal.Action{Name: hookAction, Provider: "Lambda", Target: d.Function.Name, Status: rehearsal.NotRun}
}

func (d *Deployment) clears() []string {
	return slices.Compact(slices.Sorted(slices.Values(d.Distributions)))
}

func (d *Deployment) open(context.Context, *world) (preparing string, err error) {
	return "Starting the policy evaluator and the doubles of CloudFront and the deployment; compiling the function for this machine", nil
}

func (d *Deployment) prepare(context.Context, *world) error { return nil }

// run runs the lifecycle of a deployment and, if a hook fails, what follows.
func (d *Deployment) run(ctx context.Context, w *world) (_ ending, err error) {
	for _, id := range d.Distributions {
		w.addDistribution(id, d.Function)
	}
	runtime, stop, err := w.startFunction(d.Function)
	if err == nil {
		err = d.deployer.deploy(ctx, &hooks{world: w, Deployment: d, runtime: runtime})
		err = errors.Join(err, stop())
	}
	status := rehearsal.Succeeded
	for _, stage := range w.record.Result().Stages {
		if stage.Status == rehearsal.Failed || stage.Status == rehearsal.Stopped {
			status = stage.Status
		}
	}
	if denied := (*rehearsal.Failure)(nil); errors.As(err, &denied) {
		w.record.Warn("%s: %s", denied.Code, denied.Reason)
		status, err = rehearsal.Failed, nil
	}
	if ctx.Err() != nil {
		status, err = rehearsal.Stopped, nil
	}
	if status == rehearsal.Succeeded {
		d.warnOfStale(w)
	}
	return ending{status: status}, err
}

// warnOfStale warns of distributions that are not clear although the deployment went on.
func (d *Deployment) warnOfStale(w *world) {
	for _, id := range d.Distributions {
		if !w.cleared(id, 0) {
			w.record.Warn("no invalidation of the distribution %s is completed: its readers may get old answers, and the deployment goes on, as the hook is set up", id)
		}
	}
}

// hooks runs the hooks of a deployment, and tells how its stages go.
type hooks struct {
	*world
	*Deployment

	runtime *lambdaruntime.Runtime
	next    int // the index of the next stage
}

// hookRun is one hook that runs.
type hookRun struct {
	began  time.Time
	before map[string]int // the number of each distribution's invalidations
	work   time.Duration  // the time that the function needed
}

// beginHook begins a hook.
func (h *hooks) beginHook() *hookRun {
	run := &hookRun{began: time.Now(), before: map[string]int{}}
	for _, id := range h.Distributions {
		run.before[id] = len(h.cloud.Invalidations(id))
	}
	return run
}

// butNotClear says which distributions a hook has not cleared, as the end of its summary.
func (h *hooks) butNotClear(run *hookRun) string {
	var left []string
	for _, id := range h.Distributions {
		if !h.cleared(id, run.before[id]) {
			left = append(left, id)
		}
	}
	return butNotClear(left)
}

// mayCallFunction asks whether the deployer may call the function. name is how AWS's messages call the deployer, and
// service its principal.
func (h *hooks) mayCallFunction(name, service string) error {
	if h.invoker == nil {
		return nil
	}
	h.account.AddRole(h.invoker, "hooks")
	if err := h.account.AssumeByService(name, service, h.invoker); err != nil {
		return err
	}
	return h.account.Allow(iam.Call{Role: h.invoker, Session: h.session, Action: "lambda:InvokeFunction", On: h.Function.ARN})
}

// startStage passes the stages before the named one, which have no hook, and starts it.
func (h *hooks) startStage(name string) {
	for h.next < len(h.deployer.lifecycle()) && h.deployer.lifecycle()[h.next] != name {
		h.passStage()
	}
	if h.next < len(h.deployer.lifecycle()) {
		h.record.StartStage(name)
		h.record.StartAction(name, hookAction)
	}
}

// passStage passes a stage without a hook. A stage that the deployment skips is not run.
func (h *hooks) passStage() {
	name := h.deployer.lifecycle()[h.next]
	h.next++
	if !h.deployer.skipped(name) {
		h.record.StartStage(name)
		h.record.EndStage(name, rehearsal.Succeeded, 0)
	}
}

// passRest passes the stages after the last hook of a deployment that succeeded.
func (h *hooks) passRest(succeeded bool) {
	for succeeded && h.next < len(h.deployer.lifecycle()) {
		h.passStage()
	}
}

// endStage ends the stage that was reached.
func (h *hooks) endStage(ctx context.Context, run *hookRun, summary string, err error) {
	a := h.action()
	a.Duration = time.Since(run.began)
	a.Overhead, a.Summary = max(0, a.Duration-run.work), summary
	a.End(ctx, cmp.Or(h.account.Err(), err))
	stage := h.deployer.lifecycle()[h.next]
	h.next++
	h.record.EndAction(stage, a)
	h.record.EndStage(stage, a.Status, a.Duration)
}
