// Package hook has the construct of a deployment hook: the function that clears CloudFront's
// cache when a new version of an ECS service goes live.
package hook

import (
	"errors"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/function"
	"blog-deploy-pipeline/stacks/props"
)

// Props describe a [Hook].
type Props struct {
	props.Hook

	// ServiceName is part of the function's name, and the dimension of its metrics. Required.
	// Example: "shop".
	ServiceName string

	// Controller is what deploys the service, and so calls the function. Required.
	Controller props.Controller
}

// Hook is the function that a service's deployment calls.
//
//	h := hook.NewHook(stack, "CacheHook", hook.Props{
//		Hook:        props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
//		ServiceName: "shop",
//		Controller:  props.ControllerCodeDeploy,
//	})
//	h.GrantReport("shop", "shop-blue-green")
type Hook struct {
	constructs.Construct

	// Function clears the cache. Its role allows that, and writing the function's log.
	Function awslambda.Function

	// Invoker is the role that ECS assumes to call the function. It is nil with CodeDeploy,
	// which calls the function with the role of the deployment group.
	Invoker awsiam.Role

	role        awsiam.Role
	serviceName string
	events      []props.HookEvent
}

const (
	// ecsPollFor is how long the function waits for CloudFront in each call by ECS.
	ecsPollFor = 40 * time.Second
	// codeDeployWait is how long CodeDeploy waits for the function's report.
	codeDeployWait = time.Hour
)

// NewHook makes the hook of a service. For a service that CodeDeploy deploys, call
// [Hook.GrantReport] and name the function in the AppSpec. For one that ECS deploys, give the
// service [Hook.LifecycleHooks]. It panics on props that are not valid; [props.Hook.Validate] returns what is
// wrong instead.
func NewHook(scope constructs.Construct, id string, p Props) *Hook {
	if err := p.Hook.Validate(props.Identity{Kind: "service", Name: p.ServiceName}, p.Controller); err != nil {
		panic(err)
	}
	h := p.Hook.WithDefaults(p.Controller)
	this := &Hook{Construct: cdk.NewConstruct(scope, id), serviceName: p.ServiceName, events: h.Events}
	settings := function.Props{
		Name:             contract.HookFunctionName(p.ServiceName),
		Binary:           "deployhook",
		Description:      "Clears CloudFront for the service " + p.ServiceName,
		Environment:      h.FunctionEnvironment(p.ServiceName),
		Timeout:          ecsPollFor + function.AfterPolling,
		LogRetentionDays: h.LogRetentionDays,
	}
	if p.Controller == props.ControllerCodeDeploy {
		settings.Timeout = h.Deadline + function.AfterPolling
		settings.MaxEventAge = codeDeployWait
	}
	made := function.NewGoFunction(this.Construct, "Hook", settings)
	this.Function, this.role = made.Function, made.Role
	var distributions []string
	for _, i := range h.Invalidations {
		distributions = append(distributions, i.DistributionID)
	}
	made.GrantClearing(this.Construct, h.RoleARN, distributions...)
	if p.Controller == props.ControllerECS {
		this.Invoker = cdk.NewServiceRole(this.Construct, "HookInvoker", "ecs.amazonaws.com", "Lets ECS call the function that clears CloudFront for the service "+p.ServiceName)
		this.Function.GrantInvoke(this.Invoker)
		cdk.JustifyWildcards(this.Invoker, "CDK grants the versions and aliases of the one function.")
	}
	return this
}

// GrantReport lets the function report to CodeDeploy about deployments of one deployment group.
func (h *Hook) GrantReport(application, deploymentGroup string) {
	cdk.Allow(h.role, []string{"codedeploy:PutLifecycleEventHookExecutionStatus"},
		cdk.ARN(h.Construct, "codedeploy", "deploymentgroup:"+application+"/"+deploymentGroup))
}

// LifecycleHooks returns the lifecycleHooks of a deployment configuration of ECS, as JSON for
// the AWS CLI. It panics if CodeDeploy deploys the service: that has an AppSpec in their place.
func (h *Hook) LifecycleHooks() string {
	if h.Invoker == nil {
		panic(errors.New("LifecycleHooks: CodeDeploy deploys this service, and finds its hooks in the AppSpec: use props.Hook.AppSpec"))
	}
	return lifecycleHooks(*h.Function.FunctionArn(), *h.Invoker.RoleArn(), h.events)
}

func lifecycleHooks(function, invoker string, events []props.HookEvent) string {
	return contract.JSON([]any{struct {
		Target string            `json:"hookTargetArn"`
		Role   string            `json:"roleArn"`
		Stages []props.HookEvent `json:"lifecycleStages"`
	}{function, invoker, events}})
}
