package pipeline

import (
	"cmp"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
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
	template, assumed := inAccountOfConnection(template, made[0])
	i := inspect(template)
	if assumed != "" {
		i.Note("%s", assumed)
	}
	p := i.pipeline(template.OfType(pipelines)[0])
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
		d.Function = i.functions.named("the hook", d.deployer.function())
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
	p.Template, p.Functions, p.Notes = i.Template, i.functions.all, i.Notes
	return p, nil
}

// inAccountOfConnection returns a template for no account in particular as that of the account of the source's connection,
// and a note about it. Another template it returns as it is, with the note "".
func inAccountOfConnection(template *assembly.Template, pipeline assembly.NamedResource) (_ *assembly.Template, assumed string) {
	why, ok := map[string]string{
		assembly.UnknownAccount: "the stack is bound to no account",
		contract.ExampleAccount: "the stack has example values, and so cannot be deployed",
	}[template.Account]
	if !ok {
		return template, ""
	}
	for _, s := range assembly.List(pipeline.Properties["Stages"]) {
		for _, a := range assembly.List(assembly.Object(s)["Actions"]) {
			text, _ := assembly.Object(assembly.Object(a)["Configuration"])[connectionARN].(string)
			if connection, err := arn.Parse(text); err == nil && connection.AccountID != "" && connection.AccountID != template.Account {
				return template.InAccount(connection.AccountID), fmt.Sprintf("%s: it is assumed to be in %s, where the source's connection is", why, connection.AccountID)
			}
		}
	}
	return template, ""
}
