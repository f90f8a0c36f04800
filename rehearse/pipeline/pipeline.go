package pipeline

import (
	"cmp"
	"maps"
	"slices"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/distribution"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// Pipeline is a pipeline of CodePipeline.
type Pipeline struct {
	Name string
	// Role runs the pipeline, and each action that has no role of its own.
	Role *iam.Role
	// Store is the bucket of the artifacts.
	Store  string
	Stages []Stage
	// Distributions are those that the functions clear and the assembly makes, by their id.
	Distributions map[string]*distribution.Distribution

	variables map[string]string // the pipeline's own, with their defaults
	after     []Stage           // what is rehearsed after a pipeline that has succeeded; see Plan.AddRollback
}

// Stage is one stage. Its actions are in the order in which they run.
type Stage struct {
	Name    string
	Actions []*Action
}

// actions returns all actions in the order in which they run.
func (p *Pipeline) actions() []*Action {
	var all []*Action
	for _, stage := range p.Stages {
		all = append(all, stage.Actions...)
	}
	return all
}

// stages returns the stages as they are before anything has run.
func (p *Pipeline) stages() []rehearsal.Stage {
	var stages []rehearsal.Stage
	for _, stage := range slices.Concat(p.Stages, p.after) {
		s := rehearsal.Stage{Name: stage.Name, Status: rehearsal.NotRun}
		for _, a := range stage.Actions {
			s.Actions = append(s.Actions, a.result())
		}
		stages = append(stages, s)
	}
	return stages
}

// clears returns the ids of the distributions whose cache the actions clear, in order.
func (p *Pipeline) clears() []string {
	ids := map[string]bool{}
	for _, a := range p.actions() {
		ids[a.Clears] = true
	}
	delete(ids, "")
	return slices.Sorted(maps.Keys(ids))
}

// buckets returns the buckets that the actions publish to, and those in which they remember what they have published,
// each once.
func (p *Pipeline) buckets() []string {
	var names []string
	for _, a := range p.actions() {
		for _, name := range []string{a.Publishes, a.Remembers} {
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// frontOf returns the distribution in front of the site that an action publishes: the one that the next action clears. If
// none does, it is the one that was cleared last before, too early.
func (p *Pipeline) frontOf(published *Action) front {
	var f front
	var after bool
	for _, a := range p.actions() {
		if after = after || a == published; a.Clears == "" {
			continue
		}
		f = front{id: a.Clears, distribution: p.Distributions[a.Clears]}
		if after {
			break
		}
		f.early = a.String()
	}
	return f
}

// pipeline reads a pipeline.
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
	i.checkArtifacts(p)
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

// stage reads a stage of a pipeline.
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

// checkArtifacts checks what CodePipeline checks when it creates a pipeline: each artifact is the output of one action, and
// the input of later ones only.
func (i *inspection) checkArtifacts(p *Pipeline) {
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
