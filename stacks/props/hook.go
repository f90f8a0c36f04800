package props

import (
	"blog-deploy-pipeline/appspec"
	"blog-deploy-pipeline/lambdas/contract"
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Controller is who deploys a service.
type Controller string

// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentController.html
const (
	// CodeDeploy shifts traffic between two target groups.
	ControllerCodeDeploy Controller = "CODE_DEPLOY"
	// ECS does it by itself, as AWS recommends for new services since 2025.
	ControllerECS Controller = "ECS"
)

// events returns all of a controller's events.
func (c Controller) Events() []HookEvent {
	if c == ControllerECS {
		return []HookEvent{HookEventReconcileService, HookEventPreScaleUp, HookEventPostScaleUp, HookEventTestTrafficShift, HookEventPostTestTrafficShift, HookEventPreProductionTrafficShift, HookEventProductionTrafficShift, HookEventPostProductionTrafficShift}
	}
	return []HookEvent{HookEventBeforeInstall, HookEventAfterInstall, HookEventAfterAllowTestTraffic, HookEventBeforeAllowTraffic, HookEventAfterAllowTraffic}
}

// Hook says which of CloudFront's caches to clear when a service's new version goes
// live, and what follows if that fails. A Lambda function does it, called by the
// deployment.
type Hook struct {
	// Invalidations are what to clear of the distributions in front of the service, 1 to 10. Required.
	Invalidations []Invalidation

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

	// LogRetentionDays is how long the function's log is kept, in days. Default: 30.
	LogRetentionDays int
}

// Invalidation is what to clear of one CloudFront distribution.
type Invalidation struct {
	// DistributionID is the id of the distribution. Required. Example: "E2QWRUHAPOMQZL".
	DistributionID string

	// Paths to clear, as in [Invalidate]. Default: "/*".
	Paths []string
}

// HookEvent is a moment of a deployment.
type HookEvent string

// CodeDeploy's events, in their order. BeforeInstall cannot be rolled back from;
// AfterAllowTestTraffic comes only where there is a test listener.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
const (
	HookEventBeforeInstall         HookEvent = "BeforeInstall"
	HookEventAfterInstall          HookEvent = "AfterInstall"
	HookEventAfterAllowTestTraffic HookEvent = "AfterAllowTestTraffic"
	HookEventBeforeAllowTraffic    HookEvent = "BeforeAllowTraffic"
	HookEventAfterAllowTraffic     HookEvent = "AfterAllowTraffic"
)

// ECS's own events, in their order. Only the two that shift traffic come again when
// ECS rolls back.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-lifecycle-hooks.html
const (
	HookEventReconcileService           HookEvent = "RECONCILE_SERVICE"
	HookEventPreScaleUp                 HookEvent = "PRE_SCALE_UP"
	HookEventPostScaleUp                HookEvent = "POST_SCALE_UP"
	HookEventTestTrafficShift           HookEvent = "TEST_TRAFFIC_SHIFT"
	HookEventPostTestTrafficShift       HookEvent = "POST_TEST_TRAFFIC_SHIFT"
	HookEventPreProductionTrafficShift  HookEvent = "PRE_PRODUCTION_TRAFFIC_SHIFT"
	HookEventProductionTrafficShift     HookEvent = "PRODUCTION_TRAFFIC_SHIFT"
	HookEventPostProductionTrafficShift HookEvent = "POST_PRODUCTION_TRAFFIC_SHIFT"
)

// OnFailure says what happens to a deployment whose cache was not cleared in time.
type OnFailure string

const (
	// OnFailureFail fails the pipeline's execution, or the service's deployment, which then
	// goes back to the version before if it is configured to.
	OnFailureFail OnFailure = OnFailure(contract.OnFailureFail)
	// OnFailureProceed lets it succeed, logs the failure and counts it in the metric
	// InvalidationLate of a blog or InvalidationFailed of a service. Notifications make an
	// alarm of the latter.
	OnFailureProceed OnFailure = OnFailure(contract.OnFailureProceed)
)

const (
	// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
	maxFunctionName = 64
	// maxServiceName keeps the function's name within its limit.
	MaxServiceName = maxFunctionName - len(contract.HookFunctionPrefix)
	// Lambda counts the bytes of the JSON object that it makes of all variables.
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	MaxEnvironment = 4096

	MaxDistributions    = 10
	defaultHookDeadline = 10 * time.Minute
	// A Lambda function ends after 15 minutes, an ECS hook after 24 hours.
	MaxCodeDeployDeadline = 14 * time.Minute
	// ecsPollFor is how long the function polls in one of ECS's calls.
	ECSPollFor = 40 * time.Second
	// hookWait is how long CodeDeploy waits for the report.
	HookWait = time.Hour
)

// WithDefaults returns these props with every default in its field, for a service that is
// deployed by that controller.
func (h Hook) WithDefaults(by Controller) Hook {
	h.Invalidations = slices.Clone(h.Invalidations)
	for i := range h.Invalidations {
		if len(h.Invalidations[i].Paths) == 0 {
			h.Invalidations[i].Paths = []string{contract.AllPaths}
		}
	}
	switch {
	case len(h.Events) > 0:
	case by == ControllerECS:
		h.Events = []HookEvent{HookEventProductionTrafficShift, HookEventPostProductionTrafficShift}
	case by == ControllerCodeDeploy:
		h.Events = []HookEvent{HookEventAfterAllowTraffic}
	}
	h.OnFailure = cmp.Or(h.OnFailure, OnFailureProceed)
	h.Deadline = cmp.Or(h.Deadline, defaultHookDeadline)
	h.LogRetentionDays = logDaysWithDefault(h.LogRetentionDays)
	return h
}

func (h Hook) validate(p *Problems, by Controller) {
	if n := len(h.Invalidations); n < 1 || n > MaxDistributions {
		p.add("Hook.Invalidations", fmt.Sprintf("%d distributions", n), fmt.Sprintf("must be from 1 to %d distributions in front of the service", MaxDistributions))
	}
	before := len(p.errs)
	seen := map[string]bool{}
	for i, d := range h.Invalidations {
		d.validate(p, fmt.Sprintf("Hook.Invalidations[%d]", i))
		if seen[d.DistributionID] && d.DistributionID != "" {
			p.add(fmt.Sprintf("Hook.Invalidations[%d].DistributionID", i), d.DistributionID, "is there twice; put all its paths in one")
		}
		seen[d.DistributionID] = true
	}
	validateRole(p, "Hook.RoleARN", h.RoleARN)
	for i, event := range h.Events {
		field := fmt.Sprintf("Hook.Events[%d]", i)
		if by != "" && !slices.Contains(by.Events(), event) {
			p.add(field, string(event), fmt.Sprintf("must be one of %s, because %s deploys the service", listOf(by.Events()), by))
		}
		if slices.Contains(h.Events[:i], event) {
			p.add(field, string(event), "is there twice; name it once")
		}
	}
	oneOf(p, "Hook.OnFailure", h.OnFailure, OnFailureProceed, OnFailureFail)
	latest, bounds := MaxDeadline, "must be whole seconds, from 1 minute to 23 hours, written as 10 * time.Minute"
	if by == ControllerCodeDeploy {
		latest, bounds = MaxCodeDeployDeadline, "must be whole seconds, from 1 to 14 minutes, written as 10 * time.Minute: CodeDeploy calls the function once, and Lambda ends it after 15"
	}
	if d := h.Deadline; d < MinDeadline || d > latest || d%time.Second != 0 {
		p.add("Hook.Deadline", h.Deadline, bounds)
	}
	validateLogDays(p, "Hook.LogRetentionDays", h.LogRetentionDays)
	if n := len(contract.JSON(h.FunctionEnvironment(p.owner.Name))); n > MaxEnvironment && len(p.errs) == before {
		p.add("Hook.Invalidations", fmt.Sprintf("%d distributions", len(h.Invalidations)), fmt.Sprintf("their paths make the function's environment %d bytes, and Lambda takes at most %d; use wildcards or /*, which counts as one path", n, MaxEnvironment))
	}
}

func (d Invalidation) validate(p *Problems, field string) {
	p.match(field+".DistributionID", d.DistributionID, DistributionPattern, "must be a distribution's id (not its domain name or ARN), such as E2QWRUHAPOMQZL")
	validatePaths(p, field+".Paths", d.Paths)
}

// FunctionEnvironment returns the variables of the function that clears the cache of a
// service.
func (h Hook) FunctionEnvironment(service string) map[string]string {
	distributions := make([]contract.Distribution, len(h.Invalidations))
	for n, i := range h.Invalidations {
		distributions[n] = contract.Distribution{ID: i.DistributionID, Paths: i.Paths}
	}
	waitFor := contract.WaitForCompleted
	if h.NoWait {
		waitFor = contract.WaitForCreated
	}
	return WithRole(h.RoleARN, map[string]string{
		contract.EnvService:       service,
		contract.EnvDistributions: contract.JSON(distributions),
		contract.EnvOnFailure:     string(h.OnFailure),
		contract.EnvWaitFor:       string(waitFor),
		contract.EnvDeadline:      h.Deadline.String(),
	})
}

// appSpec returns the AppSpec that calls the hook's function.
func (h Hook) AppSpec(service, container string, port int) appspec.Spec {
	spec := appspec.Spec{Container: container, Port: port}
	for _, event := range h.Events {
		spec.Hooks = append(spec.Hooks, appspec.Hook{Event: string(event), Function: contract.HookFunctionName(service)})
	}
	return spec
}
