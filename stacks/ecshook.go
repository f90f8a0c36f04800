package stacks

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/appspec"
)

// Hook says which of CloudFront's caches to clear when a service's new version goes
// live, and what follows if that fails. A Lambda function does it, called by the
// deployment.
type Hook struct {
	// Distributions in front of the service, 1 to 10. Required.
	Distributions []Distribution

	// RoleARN is a role in the account of the distributions, where that is not the
	// service's: as Invalidate.RoleARN. All of them must be in that account. Default:
	// none, they are in the service's account.
	RoleARN string

	// Events of a deployment that call the function. One before the traffic shifts
	// is too early for most: CloudFront would fetch the old version again. Default:
	// AfterAllowTraffic for CodeDeploy; for ECS ProductionTrafficShift and
	// PostProductionTrafficShift, of which only the first comes again when ECS rolls
	// back. CloudFront counts the paths at each event. Of a FargateService that is deployed
	// by ECS, a change is a deployment. Example: []HookEvent{PostProductionTrafficShift}.
	Events []HookEvent

	// OnFailure says what becomes of a deployment whose cache could not be cleared in
	// time. Default: Proceed.
	OnFailure OnFailure

	// Deadline is how long CloudFront may take. CodeDeploy's hooks wait in one call
	// of the function: 1 to 14 minutes. ECS calls again: 1 minute to 23 hours.
	// Default: 10 minutes. Example: 5 * time.Minute.
	Deadline time.Duration

	// NoWait reports success as soon as CloudFront has accepted the invalidation,
	// some seconds before visitors are sure to see the new version; Deadline is then
	// for the acceptance alone. Default: false.
	NoWait bool

	// LogRetention is how long the function's log is kept, in days. Default: 30.
	LogRetention LogDays
}

// Distribution is a CloudFront distribution and what to clear of it.
type Distribution struct {
	// ID of the distribution. Required. Example: "E2QWRUHAPOMQZL".
	ID string

	// Paths to clear, as in [Invalidate]. Default: "/*".
	Paths []string
}

// HookEvent is a moment of a deployment.
type HookEvent string

// CodeDeploy's events, in their order. BeforeInstall cannot be rolled back from;
// AfterAllowTestTraffic comes only where there is a test listener.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
const (
	BeforeInstall         HookEvent = "BeforeInstall"
	AfterInstall          HookEvent = "AfterInstall"
	AfterAllowTestTraffic HookEvent = "AfterAllowTestTraffic"
	BeforeAllowTraffic    HookEvent = "BeforeAllowTraffic"
	AfterAllowTraffic     HookEvent = "AfterAllowTraffic"
)

// ECS's own events, in their order. Only the two that shift traffic come again when
// ECS rolls back.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-lifecycle-hooks.html
const (
	ReconcileService           HookEvent = "RECONCILE_SERVICE"
	PreScaleUp                 HookEvent = "PRE_SCALE_UP"
	PostScaleUp                HookEvent = "POST_SCALE_UP"
	TestTrafficShift           HookEvent = "TEST_TRAFFIC_SHIFT"
	PostTestTrafficShift       HookEvent = "POST_TEST_TRAFFIC_SHIFT"
	PreProductionTrafficShift  HookEvent = "PRE_PRODUCTION_TRAFFIC_SHIFT"
	ProductionTrafficShift     HookEvent = "PRODUCTION_TRAFFIC_SHIFT"
	PostProductionTrafficShift HookEvent = "POST_PRODUCTION_TRAFFIC_SHIFT"
)

// OnFailure is the owner's choice for a cache that could not be cleared.
type OnFailure string

const (
	// Proceed lets the release stand, logs the failure and counts it in the metric
	// InvalidationFailed, which Notifications makes an alarm of.
	Proceed OnFailure = "proceed"
	// RollBack fails the deployment, which then goes back to the version before, if
	// it is configured to.
	RollBack OnFailure = "roll-back"
)

const (
	// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
	maxFunctionName = 64
	// hookPrefix lets CodeDeploy call the function also with the narrower of its
	// managed policies, AWSCodeDeployRoleForECSLimited.
	hookPrefix = "CodeDeployHook_"
	// maxServiceName keeps the function's name within its limit.
	maxServiceName = maxFunctionName - len(hookPrefix)
	// Lambda counts the bytes of the JSON object that it makes of all variables.
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	maxEnvironment = 4096

	maxDistributions    = 10
	defaultHookDeadline = 10 * time.Minute
	// A Lambda function ends after 15 minutes, an ECS hook after 24 hours.
	maxCodeDeployDeadline = 14 * time.Minute
	// ecsPollFor is how long the function polls in one of ECS's calls.
	ecsPollFor = 40 * time.Second
	// hookWait is how long CodeDeploy waits for the report.
	hookWait = time.Hour
)

// WithDefaults returns these props with every default in its field, for a service that is
// deployed by that controller.
func (h Hook) WithDefaults(by Controller) Hook {
	h.Distributions = slices.Clone(h.Distributions)
	for i := range h.Distributions {
		if len(h.Distributions[i].Paths) == 0 {
			h.Distributions[i].Paths = []string{"/*"}
		}
	}
	switch {
	case len(h.Events) > 0:
	case by == ECS:
		h.Events = []HookEvent{ProductionTrafficShift, PostProductionTrafficShift}
	case by == CodeDeploy:
		h.Events = []HookEvent{AfterAllowTraffic}
	}
	h.OnFailure = cmp.Or(h.OnFailure, Proceed)
	h.Deadline = cmp.Or(h.Deadline, defaultHookDeadline)
	h.LogRetention = h.LogRetention.withDefault()
	return h
}

func (h Hook) validate(p *problems, by Controller) {
	if n := len(h.Distributions); n < 1 || n > maxDistributions {
		p.add("Hook.Distributions", fmt.Sprintf("%d distributions", n), fmt.Sprintf("must be from 1 to %d distributions in front of the service", maxDistributions))
	}
	before := len(p.errs)
	seen := map[string]bool{}
	for i, d := range h.Distributions {
		d.validate(p, fmt.Sprintf("Hook.Distributions[%d]", i))
		if seen[d.ID] && d.ID != "" {
			p.add(fmt.Sprintf("Hook.Distributions[%d].ID", i), d.ID, "is there twice; put all its paths in one")
		}
		seen[d.ID] = true
	}
	validateRole(p, "Hook.RoleARN", h.RoleARN)
	for i, event := range h.Events {
		field := fmt.Sprintf("Hook.Events[%d]", i)
		if by != "" && !slices.Contains(by.events(), event) {
			p.add(field, string(event), fmt.Sprintf("must be one of %s, because %s deploys the service", listOf(by.events()), by))
		}
		if slices.Contains(h.Events[:i], event) {
			p.add(field, string(event), "is there twice; name it once")
		}
	}
	oneOf(p, "Hook.OnFailure", h.OnFailure, Proceed, RollBack)
	latest, bounds := maxDeadline, "must be whole seconds, from 1 minute to 23 hours, written as 10 * time.Minute"
	if by == CodeDeploy {
		latest, bounds = maxCodeDeployDeadline, "must be whole seconds, from 1 to 14 minutes, written as 10 * time.Minute: CodeDeploy calls the function once, and Lambda ends it after 15"
	}
	if d := h.Deadline; d < minDeadline || d > latest || d%time.Second != 0 {
		p.add("Hook.Deadline", h.Deadline, bounds)
	}
	h.LogRetention.validate(p, "Hook.LogRetention")
	if n := len(encodeJSON(h.environment(p.owner.name))); n > maxEnvironment && len(p.errs) == before {
		p.add("Hook.Distributions", fmt.Sprintf("%d distributions", len(h.Distributions)), fmt.Sprintf("their paths make the function's environment %d bytes, and Lambda takes at most %d; use wildcards or /*, which counts as one path", n, maxEnvironment))
	}
}

func (d Distribution) validate(p *problems, field string) {
	p.match(field+".ID", d.ID, distributionPattern, "must be a distribution's id (not its domain name or ARN), such as E2QWRUHAPOMQZL")
	validatePaths(p, field+".Paths", d.Paths)
}

// environment is what the function reads.
func (h Hook) environment(service string) map[string]string {
	type distribution struct {
		ID    string `json:"DistributionId"`
		Paths []string
	}
	distributions := make([]distribution, len(h.Distributions))
	for i, d := range h.Distributions {
		distributions[i] = distribution(d)
	}
	waitFor := "completed"
	if h.NoWait {
		waitFor = "created"
	}
	return withRole(h.RoleARN, map[string]string{
		"SERVICE":       service,
		"DISTRIBUTIONS": encodeJSON(distributions),
		"ON_FAILURE":    string(h.OnFailure),
		"WAIT_FOR":      waitFor,
		"DEADLINE":      h.Deadline.String(),
	})
}

func hookFunctionName(service string) string { return hookPrefix + service }

// newHookFunction makes the function that clears the cache of a service. The role
// may do that, and no more; who reports to CodeDeploy needs grantHookReport too.
func newHookFunction(stack awscdk.Stack, owner owner, hook Hook, by Controller) (awslambda.Function, awsiam.Role) {
	timeout := ecsPollFor + afterPolling
	if by == CodeDeploy {
		timeout = hook.Deadline + afterPolling
	}
	function, role := newGoFunction(stack, "Hook", goFunction{
		name:        hookFunctionName(owner.name),
		binary:      "deployhook",
		description: "Clears CloudFront for the service " + owner.name,
		environment: hook.environment(owner.name),
		timeout:     timeout,
		logDays:     hook.LogRetention,
	})
	if by == CodeDeploy {
		// Nobody waits for an answer after that.
		function.ConfigureAsyncInvoke(&awslambda.EventInvokeConfigOptions{
			MaxEventAge:   awscdk.Duration_Minutes(jsii.Number(hookWait.Minutes())),
			RetryAttempts: jsii.Number(2),
		})
	}
	var distributions []string
	for _, d := range hook.Distributions {
		distributions = append(distributions, d.ID)
	}
	grantClearing(stack, role, hook.RoleARN, distributions...)
	return function, role
}

// grantHookReport lets a role report to CodeDeploy on the deployments of one group.
func grantHookReport(stack awscdk.Stack, role awsiam.Role, application, deploymentGroup *string) {
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("codedeploy:PutLifecycleEventHookExecutionStatus"),
		Resources: jsii.Strings(*stack.FormatArn(&awscdk.ArnComponents{
			Service:      jsii.String("codedeploy"),
			Resource:     jsii.String("deploymentgroup"),
			ResourceName: jsii.String(*application + "/" + *deploymentGroup),
			ArnFormat:    awscdk.ArnFormat_COLON_RESOURCE_NAME,
		})),
	}))
}

// newHookInvoker makes the role that ECS takes on to call the function.
func newHookInvoker(stack awscdk.Stack, owner owner, function awslambda.Function) awsiam.Role {
	role := newServiceRole(stack, "HookInvoker", "ecs.amazonaws.com", "Lets ECS call the function that clears CloudFront for the service "+owner.name)
	function.GrantInvoke(role)
	justifyWildcards(role, "CDK grants the versions and aliases of the one function.")
	return role
}

// appSpec returns the AppSpec that calls the hook's function.
func (h Hook) appSpec(service, container string, port int) appspec.Spec {
	spec := appspec.Spec{Container: container, Port: port}
	for _, event := range h.Events {
		spec.Hooks = append(spec.Hooks, appspec.Hook{Event: string(event), Function: hookFunctionName(service)})
	}
	return spec
}
