package stacks

// Controller is who deploys a service.
type Controller string

// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentController.html
const (
	// CodeDeploy shifts traffic between two target groups.
	CodeDeploy Controller = "CODE_DEPLOY"
	// ECS does it by itself, as AWS recommends for new services since 2025.
	ECS Controller = "ECS"
)

// events returns all of a controller's events.
func (c Controller) events() []HookEvent {
	if c == ECS {
		return []HookEvent{ReconcileService, PreScaleUp, PostScaleUp, TestTrafficShift, PostTestTrafficShift, PreProductionTrafficShift, ProductionTrafficShift, PostProductionTrafficShift}
	}
	return []HookEvent{BeforeInstall, AfterInstall, AfterAllowTestTraffic, BeforeAllowTraffic, AfterAllowTraffic}
}
