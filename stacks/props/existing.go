package props

import (
	"fmt"
	"regexp"

	"blog-deploy-pipeline/appspec"
	"blog-deploy-pipeline/lambdas/contract"
)

// ExistingService adds a hook to an ECS service that exists already. Nothing of the service itself is
// changed: its owner copies the stack's output into the AppSpec, or into the service's deployment
// configuration.
type ExistingService struct {
	// Name names the service here, the function and the metrics: at most 49 letters, digits and hyphens, of
	// which the first is a letter. It must be unique, and must not change. Required. Example: "shop".
	Name string

	// Account is the AWS account of the service. Another account gets a second hook, and the first stays.
	// Default: the account of your credentials. Example: "123456789012".
	Account string

	// Region is the region of the service. Another region gets a second hook, and the first stays. The
	// distribution is global. Default: the region of your credentials. Example: "ap-northeast-1".
	Region string

	// DeployedBy says who deploys the service: a [CodeDeployGroup] or an [ECSService]. Required.
	DeployedBy Deployer

	// Hook says which caches are cleared, and when. Required.
	Hook Hook

	// Notifications says who is told when a cache was not cleared. Default: nobody.
	Notifications Notifications
}

// Deployer is what deploys an existing service: a [CodeDeployGroup] or an [ECSService].
type Deployer interface {
	// Controller returns the controller of the service's deployments.
	Controller() Controller
	validate(p *problems)
}

// CodeDeployGroup is a deployment group of CodeDeploy that deploys a service of ECS.
type CodeDeployGroup struct {
	// Application is the name of the CodeDeploy application. Required. Example: "shop".
	Application string

	// DeploymentGroup is the name of its deployment group. Required. Example: "shop-blue-green".
	DeploymentGroup string

	// Container is the container that the load balancer sends requests to, by its name in the task
	// definition. Required. Example: "web".
	Container string

	// Port is the port of this container. Required. Example: 80.
	Port int
}

// ECSService is a service with blue/green deployments by ECS itself.
type ECSService struct {
	// Cluster is the cluster's name. Required. Example: "production".
	Cluster string

	// Service is the service's name. Required. Example: "shop".
	Service string
}

var (
	// https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html
	codeDeployPattern = regexp.MustCompile(`^[A-Za-z0-9._+=,@-]{1,100}$`)
	// ecsPattern matches names of clusters, services and containers.
	// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
	ecsPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
)

// Controller returns [ControllerCodeDeploy].
func (CodeDeployGroup) Controller() Controller { return ControllerCodeDeploy }

// Controller returns [ControllerECS].
func (ECSService) Controller() Controller { return ControllerECS }

func (g CodeDeployGroup) validate(p *problems) {
	p.match("DeployedBy.Application", g.Application, codeDeployPattern, "must be the name of a CodeDeploy application (not its ARN)")
	p.match("DeployedBy.DeploymentGroup", g.DeploymentGroup, codeDeployPattern, "must be the name of a deployment group (not its ARN)")
	p.match("DeployedBy.Container", g.Container, ecsPattern, "must be the container's name in the task definition")
	if g.Port < 1 || g.Port > 65535 {
		p.add("DeployedBy.Port", g.Port, "must be the container's port that the load balancer sends requests to, from 1 to 65535")
	}
}

func (s ECSService) validate(p *problems) {
	p.match("DeployedBy.Cluster", s.Cluster, ecsPattern, "must be a cluster's name (not its ARN)")
	p.match("DeployedBy.Service", s.Service, ecsPattern, "must be a service's name (not its ARN)")
}

// Identity returns the service's name, account and region.
func (s ExistingService) Identity() Identity { return Identity{"service", s.Name, s.Account, s.Region} }

// StackName returns the name of the hook's stack.
func (s ExistingService) StackName() string { return contract.StackName(s.Name, contract.StackHook) }

// WithDefaults returns these props with every default in its field.
func (s ExistingService) WithDefaults() ExistingService {
	switch s.DeployedBy.(type) {
	case CodeDeployGroup, ECSService:
		s.Hook = s.Hook.WithDefaults(s.DeployedBy.Controller())
	default:
		s.Hook = s.Hook.WithDefaults("")
	}
	return s
}

// Validate returns everything that is wrong with these props, or nil.
func (s ExistingService) Validate() error {
	p := &problems{of: s.Identity()}
	validateIdentity(p, maxServiceName)
	s = s.WithDefaults()
	switch s.DeployedBy.(type) {
	case CodeDeployGroup, ECSService:
		s.DeployedBy.validate(p)
		s.Hook.validate(p, s.DeployedBy.Controller())
	default:
		p.add("DeployedBy", typeOf(s.DeployedBy), "must be a props.CodeDeployGroup{…} or a props.ECSService{…}")
		s.Hook.validate(p, "")
	}
	s.Notifications.validate(p)
	if s.Notifications.OnSuccess {
		p.add("Notifications.OnSuccess", true, "tells of the executions of a pipeline, and the one that deploys this service is not made here: leave it out")
	}
	p.noTokens(s)
	return p.join()
}

// AppSpec returns the AppSpec that calls the hook, if CodeDeploy deploys the service.
func (s ExistingService) AppSpec() (appspec.Spec, error) {
	s = s.WithDefaults()
	group, ok := s.DeployedBy.(CodeDeployGroup)
	if !ok {
		return appspec.Spec{}, fmt.Errorf("%s is deployed by ECS itself, which has no AppSpec: copy the output LifecycleHooks of the stack %s into the service's deployment configuration", s.Identity(), s.StackName())
	}
	return s.Hook.AppSpec(s.Name, group.Container, group.Port), nil
}
