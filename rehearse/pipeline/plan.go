package pipeline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/distribution"
)

// Plan holds what a template says about a pipeline, or about a deployment of a service.
type Plan struct {
	Template *assembly.Template
	Name     string
	// Functions lists those that are invoked, each once.
	Functions []*Function
	// Notes lists what the template has and the rehearsal leaves out.
	Notes []string

	// Pipeline and Deployment: one of them is nil.
	Pipeline   *Pipeline
	Deployment *Deployment
}

func (p *Plan) process() process {
	if p.Pipeline != nil {
		return p.Pipeline
	}
	return p.Deployment
}

// Read reads the pipeline of a template. The error lists everything that keeps it from being rehearsed.
func Read(template *assembly.Template) (*Plan, error) {
	const pipelines = "AWS::CodePipeline::Pipeline"
	made := template.OfType(pipelines)
	if len(made) != 1 {
		return nil, fmt.Errorf("read stack %s: it has %d pipelines, want one", template.Name, len(made))
	}
	i := inspect(template)
	i.settle(made[0])
	p := i.pipeline(i.Template.OfType(pipelines)[0])
	return i.plan(&Plan{Name: p.Name, Pipeline: p})
}

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

// plan completes a plan with what was found on the way.
func (i *inspection) plan(p *Plan) (*Plan, error) {
	if err := i.Err(); err != nil {
		return nil, fmt.Errorf("stack %s cannot be rehearsed: %w", i.Template.Name, err)
	}
	p.Template, p.Functions, p.Notes = i.Template, i.functions, i.Notes
	return p, nil
}

// settle assumes that a stack for no account in particular is in the account of the source's connection.
func (i *inspection) settle(pipeline assembly.NamedResource) {
	why, ok := map[string]string{
		"123456789012": "the stack is bound to no account", // the placeholder for an account that is not known
		"111122223333": "the stack has example values, and so cannot be deployed",
	}[i.Template.Account]
	if !ok {
		return
	}
	for _, s := range assembly.List(pipeline.Properties["Stages"]) {
		for _, a := range assembly.List(assembly.Object(s)["Actions"]) {
			arn, _ := assembly.Object(assembly.Object(a)["Configuration"])[connectionARN].(string)
			if parts := strings.Split(arn, ":"); len(parts) > 4 && parts[4] != i.Template.Account {
				i.Template = i.Template.InAccount(parts[4])
				i.Note("%s: it is assumed to be in %s, where the source's connection is", why, parts[4])
				return
			}
		}
	}
}

func (i *inspection) pipeline(resource assembly.NamedResource) *Pipeline {
	properties := resource.Properties
	p := &Pipeline{Name: cmp.Or(i.Text("Name", properties["Name"]), i.Ref(resource.ID)), variables: map[string]string{}, Distributions: map[string]*distribution.Distribution{}}
	p.Role = i.roles.Read("RoleArn", properties["RoleArn"])
	store := assembly.Object(i.Resolve("ArtifactStore", properties["ArtifactStore"]))
	if p.Store = assembly.Text(store["Location"]); p.Store == "" {
		i.Problem("the pipeline %s has no ArtifactStore: one with stores in several Regions (ArtifactStores) cannot be rehearsed", p.Name)
	}
	if store["EncryptionKey"] != nil {
		i.Note("the artifacts' encryption key is not rehearsed: whether the roles may use it is not checked")
	}
	for _, v := range assembly.List(properties["Variables"]) {
		v := assembly.Object(i.Resolve("Variables", v))
		p.variables[assembly.Text(v["Name"])] = assembly.Text(v["DefaultValue"])
	}
	for _, s := range assembly.List(properties["Stages"]) {
		p.Stages = append(p.Stages, i.stage(assembly.Object(s)))
	}
	if len(p.Stages) == 0 {
		i.Problem("the pipeline %s has no stages", p.Name)
	}
	i.artifacts(p)
	for _, schedule := range i.Template.OfType("AWS::Scheduler::Schedule") {
		i.Note("the schedule %s is not rehearsed: on AWS it also starts the pipeline, at %s (%s)", schedule.ID,
			i.Text(schedule.ID, schedule.Properties["ScheduleExpression"]), cmp.Or(i.Text(schedule.ID, schedule.Properties["ScheduleExpressionTimezone"]), "UTC"))
	}
	if properties["DisableInboundStageTransitions"] != nil {
		i.Note("the pipeline's DisableInboundStageTransitions is not rehearsed: AWS would wait before a stage whose transition is disabled")
	}
	for _, a := range p.actions() {
		if a.Role == nil {
			a.Role = p.Role
		}
	}
	for _, id := range p.clears() {
		if d := distribution.Read(i.Inspection, id); d != nil {
			p.Distributions[id] = d
		}
	}
	return p
}

func (i *inspection) stage(s map[string]any) Stage {
	stage := Stage{Name: i.Text("Name", s["Name"])}
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if key != "Name" && key != "Actions" {
			i.Ignored("stage "+stage.Name, s, key)
		}
	}
	for _, a := range assembly.List(s["Actions"]) {
		stage.Actions = append(stage.Actions, i.action(stage.Name, assembly.Object(a)))
	}
	slices.SortStableFunc(stage.Actions, func(a, b *Action) int { return a.RunOrder - b.RunOrder })
	for n := range stage.Actions[:max(0, len(stage.Actions)-1)] {
		if a, b := stage.Actions[n], stage.Actions[n+1]; a.RunOrder == b.RunOrder {
			i.Note("stage %s: its actions %s and %s would run side by side; here they run one after the other", stage.Name, a.Name, b.Name)
		}
	}
	return stage
}

// artifacts checks what CodePipeline checks when it creates a pipeline: each artifact is the output of one action, and
// the input of later ones only.
func (i *inspection) artifacts(p *Pipeline) {
	by := map[string]*Action{}
	for _, a := range p.actions() {
		for _, name := range a.Inputs {
			if by[name] == nil {
				i.Problem("stage %s, action %s: its input artifact %q is the output of no earlier action; CodePipeline refuses such a pipeline", a.Stage, a.Name, name)
			}
		}
		for _, name := range a.Outputs {
			if first := by[name]; first != nil {
				i.Problem("stage %s, action %s: its output artifact %q is also the output of stage %s, action %s; CodePipeline refuses such a pipeline", a.Stage, a.Name, name, first.Stage, first.Name)
			}
			by[name] = a
		}
	}
}
