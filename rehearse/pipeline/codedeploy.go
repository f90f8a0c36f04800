package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"blog-deploy-pipeline/buildspec"
	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/iam"
	"blog-deploy-pipeline/rehearse/lambdaruntime"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// codeDeploy is a blue/green deployment by CodeDeploy.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
type codeDeploy struct {
	input fakeaws.DeploymentInput
	name  string // of the function

	deployment *fakeaws.Deployment // while it runs
}

// hookTimeout is the time for which CodeDeploy waits for a hook's report.
const hookTimeout = time.Hour

// appSpec returns the AppSpec of the build project, or the one that is an output of the stack; "" for a deployment by
// ECS itself, which has none.
func (i *inspection) appSpec() string {
	for _, project := range i.Template.OfType("AWS::CodeBuild::Project") {
		for _, v := range assembly.List(assembly.Object(project.Properties["Environment"])["EnvironmentVariables"]) {
			if assembly.Object(v)["Name"] == buildspec.EnvAppSpec {
				return i.Text(project.ID+": "+buildspec.EnvAppSpec, assembly.Object(v)["Value"])
			}
		}
	}
	if output, ok := i.Template.Outputs[contract.OutputAppSpec]; ok {
		return i.Text("output "+contract.OutputAppSpec, output.Value)
	}
	return ""
}

// codeDeploy reads an AppSpec.
func (i *inspection) codeDeploy(appSpec string) *codeDeploy {
	c := &codeDeploy{input: fakeaws.DeploymentInput{Hooks: map[string]string{}}}
	var spec struct {
		Hooks []map[string]string `yaml:"Hooks"`
	}
	if err := yaml.Unmarshal([]byte(appSpec), &spec); err != nil {
		i.Problem("the AppSpec: %w", err)
		return c
	}
	for _, hook := range spec.Hooks {
		for event, function := range hook {
			c.input.Hooks[event] = function
			c.name = i.oneFunction(c.name, function)
			// CodeDeploy would skip this hook without a test listener.
			c.input.TestListener = c.input.TestListener || event == "AfterAllowTestTraffic"
		}
	}
	if c.name == "" {
		i.Problem("the AppSpec has no hooks")
	}
	return c
}

func (c *codeDeploy) function() string { return c.name }

// complete reads the deployment group, which is in the template, or known by what the function may report to.
func (c *codeDeploy) complete(i *inspection, d *Deployment, _ string) {
	if made := i.Template.OfType("AWS::CodeDeploy::DeploymentGroup"); len(made) > 0 {
		id, p := made[0].ID, made[0].Properties
		c.input.Application, c.input.DeploymentGroup = i.Text(id, p["ApplicationName"]), i.Ref(id)
		c.input.AutoRollback = assembly.Text(assembly.Object(i.Resolve(id, p["AutoRollbackConfiguration"]))["Enabled"]) == "true"
		for _, pair := range assembly.List(assembly.Object(i.Resolve(id, p["LoadBalancerInfo"]))["TargetGroupPairInfoList"]) {
			c.input.TestListener = c.input.TestListener || assembly.Object(pair)["TestTrafficRoute"] != nil
		}
		d.invoker = i.roles.Read(id+": ServiceRoleArn", p["ServiceRoleArn"])
		return
	}
	c.input.AutoRollback = true
	i.Note("the deployment group is not in the template; assumed is that it rolls back what fails, and that its role may call the function")
	for _, policy := range d.Function.Role.Policies {
		statements, err := iam.Statements(policy)
		if err != nil {
			continue // The first call by the role says what is wrong with it.
		}
		for _, s := range statements {
			for _, resource := range s.Resource {
				if _, name, ok := strings.Cut(resource, ":deploymentgroup:"); ok {
					c.input.Application, c.input.DeploymentGroup, _ = strings.Cut(name, "/")
					return
				}
			}
		}
	}
	i.Problem("the function %s may report to no deployment group", d.Function.ID)
}

func (*codeDeploy) lifecycle() []string {
	return []string{"BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"}
}

func (c *codeDeploy) callsFunction(stage string) bool { return c.input.Hooks[stage] != "" }

func (c *codeDeploy) skipped(stage string) bool {
	return slices.Contains(c.deployment.Events(), fakeaws.LifecycleEvent{Name: stage, Status: "Skipped"})
}

// deploy runs the lifecycle.
func (c *codeDeploy) deploy(ctx context.Context, h *hooks) (err error) {
	if c.deployment, err = h.cloud.StartDeployment(c.input); err != nil {
		return err
	}
	for event := c.deployment.Next(); event != nil; event = c.deployment.Next() {
		run := h.beginHook()
		h.startStage(event.LifecycleEvent())
		err := h.mayCallFunction("CodeDeploy", "codedeploy.amazonaws.com")
		if err == nil {
			called := time.Now()
			attempts := h.runtime.InvokeAsync(ctx, event.Event())
			run.work = time.Since(called)
			if err = ctx.Err(); err == nil {
				err = hookFailure(h, event, attempts)
			}
		}
		h.endStage(ctx, run, "reported Succeeded"+h.butNotClear(run), err)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // It was stopped, as the stage says.
		}
	}
	h.passRest(c.deployment.Status() == "Succeeded")
	if rollback := c.deployment.Rollback(); rollback != nil {
		h.record.Warn("CodeDeploy rolls the deployment back (%s)", rollback.ID())
	}
	return nil
}

// hookFailure returns why a hook failed, if it did.
func hookFailure(h *hooks, event *fakeaws.DeploymentHook, attempts []lambdaruntime.Result) error {
	f := h.Function
	reports := event.Reports()
	failed := &rehearsal.Failure{Code: "HOOK_EXECUTION_FAILURE", Look: f.lookAtLog()}
	switch {
	case len(reports) == 0:
		h.clock.Skip(hookTimeout)
		failed.Reason = fmt.Sprintf("The hook %s timed out: the function %s reported nothing within an hour", event.LifecycleEvent(), f.Name)
		if attempts[len(attempts)-1].Err != nil {
			failed.Look = f.lookAtEnd(attempts) + "; on AWS its log group is " + f.LogGroup
		}
	case !reports[0].Success:
		failed.Reason = fmt.Sprintf("The hook %s failed: the function %s reported Failed", event.LifecycleEvent(), f.Name)
	default:
		return nil
	}
	return failed
}
