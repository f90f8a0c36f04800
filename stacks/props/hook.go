package props

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"blog-deploy-pipeline/appspec"
	"blog-deploy-pipeline/lambdas/contract"
)

// Hook says which of CloudFront's caches are cleared when a new version of a service goes live, and what
// happens if that fails. The deployment calls a Lambda function, which clears them.
type Hook struct {
	// Invalidations are the distributions in front of the service, 1 to 10, and what is cleared of each.
	// Required. Example: []Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}.
	Invalidations []Invalidation

	// RoleARN is a role in the account of the distributions, if that is not the service's, as
	// Invalidate.RoleARN is for a blog. All of them must be in that account. Default: none, they are in the
	// service's account. Example: "arn:aws:iam::123456789012:role/clear-cache".
	RoleARN string

	// Events are the moments of a deployment at which the function is called. A moment before the traffic
	// shifts is too early in most cases: CloudFront would fetch the old version again. Each call clears all
	// paths, and CloudFront counts them each time. With a FargateService that is deployed by ECS, a change is
	// a deployment. Default with CodeDeploy: HookEventAfterAllowTraffic. Default with ECS:
	// HookEventProductionTrafficShift, which ECS repeats when it rolls back, and
	// HookEventPostProductionTrafficShift. Example: []HookEvent{HookEventPostProductionTrafficShift}.
	Events []HookEvent

	// OnFailure says what happens to a deployment whose cache was not cleared in time. Default:
	// OnFailureProceed.
	OnFailure OnFailure

	// Deadline is how long CloudFront may take. CodeDeploy calls the function once, which then waits: 1 to 14
	// minutes. ECS calls it again and again: 1 minute to 23 hours. Default: 10 minutes. Example: 5 *
	// time.Minute.
	Deadline time.Duration

	// NoWait lets the deployment go on as soon as CloudFront has accepted the invalidation, some seconds
	// before all visitors see the new version. Deadline is then for the acceptance only. Default: false.
	NoWait bool

	// LogRetentionDays is the number of days for which the function's log is kept. Default: 30.
	LogRetentionDays int
}

// Invalidation says what is cleared of one distribution's cache.
type Invalidation struct {
	// DistributionID is the distribution's id. Required. Example: "E2QWRUHAPOMQZL".
	DistributionID string

	// Paths are what CloudFront clears, written as Invalidate.Paths are. Default: "/*". Example:
	// []string{"/articles/*"}.
	Paths []string
}

const (
	// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
	maxFunctionName = 64
	// maxServiceName keeps the function's name within its limit.
	maxServiceName = maxFunctionName - len(contract.HookFunctionPrefix)
	// maxEnvironment limits a function's variables. Lambda counts the bytes of the JSON object that it makes
	// of them.
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	maxEnvironment = 4096

	maxDistributions    = 10
	defaultHookDeadline = 10 * time.Minute
	// maxCodeDeployDeadline leaves a minute of the 15 for which a Lambda function may run.
	maxCodeDeployDeadline = 14 * time.Minute
)

// WithDefaults returns these props with every default in its field, for a service that the controller
// deploys.
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

// Validate returns everything that is wrong with the hook of a service, or nil. The service needs a Kind
// and a Name.
func (h Hook) Validate(service Identity, by Controller) error {
	p := &problems{of: service}
	h = h.WithDefaults(by)
	h.validate(p, by)
	p.noTokens(h)
	return p.join()
}

// validate checks the hook of a service that the controller deploys, or "" if it is not known.
func (h Hook) validate(p *problems, by Controller) {
	before := len(p.errs)
	h.validateInvalidations(p)
	validateRole(p, "Hook.RoleARN", h.RoleARN)
	for i, event := range h.Events {
		field := fmt.Sprintf("Hook.Events[%d]", i)
		if by != "" && !slices.Contains(by.Events(), event) {
			p.add(field, string(event), fmt.Sprintf("must be one of %s, because %s deploys the service", listOf(by.Events()), by))
		}
		if slices.Contains(h.Events[:i], event) {
			p.add(field, string(event), listedTwice)
		}
	}
	oneOf(p, "Hook.OnFailure", h.OnFailure, OnFailureProceed, OnFailureFail)
	latest, bounds := maxDeadline, "must be whole seconds, from 1 minute to 23 hours, written as 10 * time.Minute"
	if by == ControllerCodeDeploy {
		latest, bounds = maxCodeDeployDeadline, "must be whole seconds, from 1 to 14 minutes, written as 10 * time.Minute: CodeDeploy calls the function once, and Lambda ends it after 15"
	}
	if d := h.Deadline; d < minDeadline || d > latest || d%time.Second != 0 {
		p.add("Hook.Deadline", h.Deadline, bounds)
	}
	validateLogDays(p, "Hook.LogRetentionDays", h.LogRetentionDays)
	if n := len(contract.JSON(h.FunctionEnvironment(p.of.Name))); n > maxEnvironment && len(p.errs) == before {
		p.add("Hook.Invalidations", count(len(h.Invalidations), "distribution"), fmt.Sprintf("the paths make the function's environment %d bytes long, and Lambda allows at most %d: use wildcards or /*, which counts as one path", n, maxEnvironment))
	}
}

func (h Hook) validateInvalidations(p *problems) {
	if n := len(h.Invalidations); n < 1 || n > maxDistributions {
		p.add("Hook.Invalidations", count(n, "distribution"), fmt.Sprintf("must be from 1 to %d distributions in front of the service", maxDistributions))
	}
	seen := map[string]bool{}
	for i, invalidation := range h.Invalidations {
		field := fmt.Sprintf("Hook.Invalidations[%d]", i)
		id := invalidation.DistributionID
		validateDistribution(p, field+".DistributionID", id)
		validatePaths(p, field+".Paths", invalidation.Paths)
		if seen[id] && id != "" {
			p.add(field+".DistributionID", id, "is listed twice: put all its paths into one Invalidation")
		}
		seen[id] = true
	}
}

// FunctionEnvironment returns the variables of the function that clears a service's caches.
func (h Hook) FunctionEnvironment(service string) map[string]string {
	distributions := make([]contract.Distribution, len(h.Invalidations))
	for n, i := range h.Invalidations {
		distributions[n] = contract.Distribution{ID: i.DistributionID, Paths: i.Paths}
	}
	waitFor := contract.WaitForCompleted
	if h.NoWait {
		waitFor = contract.WaitForCreated
	}
	return withRole(h.RoleARN, map[string]string{
		contract.EnvService:       service,
		contract.EnvDistributions: contract.JSON(distributions),
		contract.EnvOnFailure:     string(h.OnFailure),
		contract.EnvWaitFor:       string(waitFor),
		contract.EnvDeadline:      h.Deadline.String(),
	})
}

// AppSpec returns the AppSpec that calls the hook's function.
func (h Hook) AppSpec(service, container string, port int) appspec.Spec {
	spec := appspec.Spec{Container: container, Port: port}
	for _, event := range h.Events {
		spec.Hooks = append(spec.Hooks, appspec.Hook{Event: string(event), Function: contract.HookFunctionName(service)})
	}
	return spec
}
