package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/iam"
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
	// lifecycle returns the stages of a deployment, and hooked whether a stage calls the function.
	lifecycle() []string
	hooked(stage string) bool
	// skipped reports whether the deployment that runs leaves a stage out.
	skipped(stage string) bool
	// deploy runs the lifecycle.
	deploy(ctx context.Context, h *hooks) error
}

// hook is the name of the action that calls the function.
const hook = "Hook"

// ReadDeployment reads the deployment of a service from its template: the one that a pipeline of the stack starts, or one
// of a service that exists already, for which the stack has a function.
func ReadDeployment(template *assembly.Template) (*Plan, error) {
	i := inspect(template)
	i.Note("only the hooks are rehearsed: no image is built, and no task runs")
	d := &Deployment{}
	if spec := i.appSpec(); spec != "" {
		d.deployer = i.codeDeploy(spec)
	} else {
		d.deployer = i.ecs(d)
	}
	p := &Plan{Deployment: d}
	if i.Err() == nil {
		d.Function = i.function("the hook", d.deployer.function())
	}
	if f := d.Function; f != nil {
		d.Distributions = i.distributions(f)
		p.Name = cmp.Or(f.Env[contract.EnvService], template.Name)
		d.deployer.complete(i, d, p.Name)
	}
	return i.plan(p)
}

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

// same adds the function of a hook to those of the hooks before, which must be the same.
func (i *inspection) same(before, name string) string {
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
		if d.deployer.hooked(name) {
			stage.Actions = []rehearsal.Action{d.action()}
		}
		stages = append(stages, stage)
	}
	return stages
}

// action returns the action of a hook before it has run.
func (d *Deployment) action() rehearsal.Action {
	return rehearsal.Action{Name: hook, Provider: "Lambda", Target: d.Function.Name, Status: rehearsal.NotRun}
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
