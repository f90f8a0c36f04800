package props

// Controller says who deploys a service.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentController.html
type Controller string

const (
	// ControllerCodeDeploy has CodeDeploy move visitors between two target groups.
	ControllerCodeDeploy Controller = "CODE_DEPLOY"
	// ControllerECS has ECS do this itself, as AWS recommends for new services since 2025.
	ControllerECS Controller = "ECS"
)

// HookEvent is a moment in a deployment at which a function can be called.
type HookEvent string

// CodeDeploy's events, in their order. CodeDeploy cannot roll back at BeforeInstall. AfterAllowTestTraffic
// needs a test listener.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
const (
	HookEventBeforeInstall         HookEvent = "BeforeInstall"
	HookEventAfterInstall          HookEvent = "AfterInstall"
	HookEventAfterAllowTestTraffic HookEvent = "AfterAllowTestTraffic"
	HookEventBeforeAllowTraffic    HookEvent = "BeforeAllowTraffic"
	HookEventAfterAllowTraffic     HookEvent = "AfterAllowTraffic"
)

// ECS's events, in their order. When ECS rolls back, it repeats only the two that shift traffic.
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

// Events returns all events of the controller's deployments, in their order.
func (c Controller) Events() []HookEvent {
	if c == ControllerECS {
		return []HookEvent{HookEventReconcileService, HookEventPreScaleUp, HookEventPostScaleUp, HookEventTestTrafficShift, HookEventPostTestTrafficShift, HookEventPreProductionTrafficShift, HookEventProductionTrafficShift, HookEventPostProductionTrafficShift}
	}
	return []HookEvent{HookEventBeforeInstall, HookEventAfterInstall, HookEventAfterAllowTestTraffic, HookEventBeforeAllowTraffic, HookEventAfterAllowTraffic}
}
