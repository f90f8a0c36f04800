package props

import "blog-deploy-pipeline/lambdas/contract"

// OnFailure says what happens to a deployment whose cache was not cleared in time.
type OnFailure string

const (
	// OnFailureFail fails the pipeline's execution, or the service's deployment, which ECS or CodeDeploy then
	// rolls back if it is configured to.
	OnFailureFail OnFailure = OnFailure(contract.OnFailureFail)
	// OnFailureProceed lets the deployment succeed. The function logs the failure, and counts it in the
	// metric InvalidationLate for a blog and InvalidationFailed for a service. A service with Notifications
	// has an alarm for that metric.
	OnFailureProceed OnFailure = OnFailure(contract.OnFailureProceed)
	// OnFailureRollBack fails the pipeline's execution as OnFailureFail does. If CloudFront has cleared its cache
	// and readers do not have what was published, the function also publishes the release before again, clears
	// what that changes, and looks at it. Only a blog's Invalidate can have it.
	OnFailureRollBack OnFailure = OnFailure(contract.OnFailureRollBack)
)
