package pipeline

import (
	"context"
	"time"

	"blog-deploy-pipeline/rehearse/distribution"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/readers"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// Action is one action.
type Action struct {
	Stage, Name string
	Category    string // such as "Build"
	Provider    string // such as "CodeBuild"
	RunOrder    int
	// Configuration is resolved, except for variables of the pipeline, #{namespace.Name}. It has no token.
	Configuration map[string]string
	// Inputs and Outputs are names of artifacts.
	Inputs, Outputs []string
	// Namespace is that of its output variables, or "".
	Namespace string
	// Role is the action's own, which the pipeline's role assumes, or else the pipeline's.
	Role    *iam.Role
	OwnRole bool
	// Publishes is the bucket that the action publishes a site to, Remembers the one in which it keeps what it must know
	// the next time, and Clears the id of the distribution whose cache it clears; "" for none.
	Publishes, Remembers, Clears string

	kind kind
}

// String returns the action's name: "Deploy/S3".
func (a *Action) String() string { return a.Stage + "/" + a.Name }

// result returns the action before it has run.
func (a *Action) result() rehearsal.Action {
	return rehearsal.Action{Name: a.Name, Provider: a.Provider, Target: a.kind.target(a.Configuration), Status: rehearsal.NotRun}
}

// kind runs the actions of one category and provider.
type kind interface {
	// target names what an action of this configuration works on: a repository, a project, a bucket, a function.
	target(configuration map[string]string) string
	// run runs the action. Its error is a [rehearsal.Failure], unless this machine is at fault.
	run(ctx context.Context, j *job) (outcome, error)
}

// job holds what CodePipeline passes to an action that it runs.
type job struct {
	*world
	*Action

	// pipeline is the pipeline's name.
	pipeline string
	// front is the distribution in front of the site that the action publishes.
	front front
	// visited reports whether readers visit the site of an earlier action.
	visited bool
	// executions are those before, the oldest first.
	executions []fakeaws.Execution
	// Configuration has values in place of variables. It hides the action's own.
	Configuration map[string]string
	// input has the artifacts of the action's Inputs, and output has places for those of its Outputs; both by name.
	input, output map[string]artifact
}

// front is the distribution in front of a site.
type front struct {
	id string // "" if no action says which one it is
	// distribution has the settings in its template; nil if no template makes it.
	distribution *distribution.Distribution
	// early is the action that clears the distribution before the site is published; "" for none.
	early string
}

// outcome holds what an action passes back.
type outcome struct {
	// artifacts are the action's outputs, by name, and variables its output variables.
	artifacts map[string]artifact
	variables map[string]string
	// site is a site that the action has published and that readers visit; nil for none.
	site *readers.Site
	// invalidated is the distribution whose cache the action was to clear, or "". cleared says that it is.
	invalidated string
	cleared     bool
	// summary says what was done.
	summary string
	// work is the time that was not the rehearsal's own.
	work time.Duration
}

// allow asks whether the action's role may call AWS.
func (j *job) allow(action, on string) error {
	return j.account.Allow(iam.Call{Role: j.Role, Session: j.session, Action: action, On: on})
}

// event returns an event of the action.
func (j *job) event(kind rehearsal.Kind, text string) rehearsal.Event {
	return rehearsal.Event{Kind: kind, Stage: j.Stage, Action: j.Name, Text: text}
}

// watch tells how far a step of the action has come until stop is called.
func (j *job) watch(phase, step string, size func() int64) (stop func()) {
	e := j.event(rehearsal.Progressed, step)
	e.Phase = phase
	return j.record.Watch(e, size)
}

// lookAtConfiguration names the action's configuration for a reader of the template.
func (j *job) lookAtConfiguration() string {
	return "the configuration of the action " + j.String() + " in the template"
}
