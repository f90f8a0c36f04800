package props

import (
	"blog-deploy-pipeline/appspec"
	"blog-deploy-pipeline/lambdas/contract"
	"fmt"
	"regexp"
)

// ExistingService adds the hook to an ECS service that is there already. Nothing of
// the service itself is changed: its owner puts the stack's output into the AppSpec
// or into the service's deployment configuration.
type ExistingService struct {
	// Name names the service here, the function and the metrics. At most 49 letters,
	// digits and hyphens; must be unique, and must not change. Required. Example:
	// "shop".
	Name string

	// Account is the AWS account of the service. In another one a second hook is made,
	// and the first stays. Default: that of the credentials in use. Example:
	// "123456789012".
	Account string

	// Region is the service's. In another one a second hook is made, and the first stays.
	// The distribution is global. Default: that of the credentials in use. Example:
	// "ap-northeast-1".
	Region string

	// DeployedBy is who deploys the service: a CodeDeployGroup or an ECSService.
	// Required.
	DeployedBy Deployer

	// Hook says what to clear, when. Required.
	Hook Hook

	// Notifications says whom to tell when a cache was not cleared. Default: nobody.
	Notifications Notifications
}

// Deployer is who deploys an existing service: a [CodeDeployGroup] or an
// [ECSService].
type Deployer interface {
	Controller() Controller
	validate(p *Problems)
}

// CodeDeployGroup is a deployment group of CodeDeploy that deploys to ECS.
type CodeDeployGroup struct {
	// Application is the name of CodeDeploy's application. Required. Example: "shop".
	Application string

	// DeploymentGroup is the name of its deployment group. Required. Example:
	// "shop-blue-green".
	DeploymentGroup string

	// Container and Port are where the load balancer sends requests to, as in the
	// task definition. Required. Example: "web", 80.
	Container string
	Port      int
}

// ECSService is a service whose deployments ECS runs by itself, blue/green.
type ECSService struct {
	// Cluster is the cluster's name. Required. Example: "production".
	Cluster string

	// Service is the service's name. Required. Example: "shop".
	Service string
}

var (
	// https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html
	codeDeployPattern = regexp.MustCompile(`^[A-Za-z0-9._+=,@-]{1,100}$`)
	// Clusters, services and containers.
	// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
	ecsPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
)

func (CodeDeployGroup) Controller() Controller { return ControllerCodeDeploy }

func (ECSService) Controller() Controller { return ControllerECS }

func (g CodeDeployGroup) validate(p *Problems) {
	p.match("DeployedBy.Application", g.Application, codeDeployPattern, "must be the name of a CodeDeploy application (not its ARN)")
	p.match("DeployedBy.DeploymentGroup", g.DeploymentGroup, codeDeployPattern, "must be the name of a deployment group (not its ARN)")
	p.match("DeployedBy.Container", g.Container, ecsPattern, "must be the container's name in the task definition")
	if g.Port < 1 || g.Port > 65535 {
		p.add("DeployedBy.Port", g.Port, "must be the container's port that the load balancer sends requests to, from 1 to 65535")
	}
}

func (s ECSService) validate(p *Problems) {
	p.match("DeployedBy.Cluster", s.Cluster, ecsPattern, "must be a cluster's name (not its ARN)")
	p.match("DeployedBy.Service", s.Service, ecsPattern, "must be a service's name (not its ARN)")
}

func (s ExistingService) Identity() Identity { return Identity{"service", s.Name, s.Account, s.Region} }

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

// Validate returns all that is wrong with these props, or nil.
func (s ExistingService) Validate() error {
	p := &Problems{owner: s.Identity()}
	s.Identity().validate(p, MaxServiceName)
	s = s.WithDefaults()
	switch s.DeployedBy.(type) {
	case CodeDeployGroup, ECSService:
		s.DeployedBy.validate(p)
		s.Hook.validate(p, s.DeployedBy.Controller())
	default:
		p.add("DeployedBy", TypeOf(s.DeployedBy), "must be a props.CodeDeployGroup{…} or a props.ECSService{…}")
		s.Hook.validate(p, "") // what does not depend on it
	}
	s.Notifications.validate(p)
	p.noTokens(s)
	return p.Join()
}

func (s ExistingService) AppSpec() (appspec.Spec, error) {
	s = s.WithDefaults()
	group, ok := s.DeployedBy.(CodeDeployGroup)
	if !ok {
		return appspec.Spec{}, fmt.Errorf("%s is deployed by ECS itself, which takes no AppSpec: the output LifecycleHooks of the stack %s goes into the service's deployment configuration", s.Identity(), s.StackName())
	}
	return s.Hook.AppSpec(s.Name, group.Container, group.Port), nil
}
