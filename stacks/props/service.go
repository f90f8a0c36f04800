package props

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"blog-deploy-pipeline/appspec"
	"blog-deploy-pipeline/lambdas/contract"
)

// FargateService creates a service on ECS, and its delivery: a network, a load balancer, tasks on Fargate,
// and a pipeline that builds the image from the Dockerfile in the repository and deploys it beside the
// version that is running. When visitors have been moved to the new version, CloudFront's cache is
// cleared.
//
// Changes reach production in two ways. A push goes through the pipeline. A change of these props takes
// effect with `make deploy`, with one exception: the CPU, MemoryMiB, Environment and Secrets of Container
// belong to the task, and take effect with the next run of the pipeline (console: Release change). If the
// comment of a field says that a change is a deployment, `make deploy` has ECS deploy the newest version
// once more, with the shift and the hook.
//
// With the defaults, a service costs about 75 USD a month in us-east-1. Most of this is for the NAT gateway
// with its address (36), the load balancer with its addresses (24) and two tasks (14). With
// NewVPC{PublicTasks: true} it costs about 46 USD, and with LoadBalancer.Internal as well 39 USD.
type FargateService struct {
	// Name names the service, its pipeline and its metrics: at most 49 letters, digits and hyphens, of which
	// the first is a letter. It must be unique, and must not change. It must not start with xn--, sthree- or
	// amzn-s3-demo-, which S3 reserves. Required. Example: "api".
	Name string

	// Account is the AWS account to deploy to. Another account gets a second service, and the first stays.
	// Default: the account of your credentials. Example: "123456789012".
	Account string

	// Region is the region of the service. Another region gets a second service, and the first stays.
	// CloudFormation cannot create CodeBuild projects in ap-east-2, ca-west-1 and mx-central-1. The
	// distribution is global. Default: the region of your credentials. Example: "ap-northeast-1".
	Region string

	// Source is the repository with the Dockerfile: a [GitHubConnection] or a [GitHubToken]. Required.
	Source Source

	// Build says on which machine the image is built. Default: a small one.
	Build ImageBuild

	// Container describes the container that runs. Default: port 80, 0.25 vCPU, 512 MiB, on Arm.
	Container Container

	// DesiredCount is the number of tasks, 1 to 100. With 1, the service is not available for a minute or two
	// when the task or its zone fails. During a deployment there are twice as many tasks. With Scaling, leave
	// it out under ECS. With CodeDeploy, it is only what the service begins with, and CloudFormation cannot
	// change it later: use Scaling, or aws ecs update-service --cluster CLUSTER --service SERVICE
	// --desired-count 3, with the stack's outputs ClusterName and ServiceName. With ECS, each `make deploy`
	// that changes the service sets the number again, so change it here and not by hand. Default: 2, one in
	// each zone.
	DesiredCount int

	// Scaling lets AWS change the number of tasks, by their CPU or by requests. Default: none, the number is
	// fixed. Example: Scaling{MaxTasks: 10, CPUPercent: 60}.
	Scaling Scaling

	// StartTime is how long a new task may fail its health checks: whole seconds, from 10 seconds to 15
	// minutes. With CodeDeploy, it is only what the service begins with, as DesiredCount is; later use aws ecs
	// update-service … --health-check-grace-period-seconds 180. With ECS, a change is a deployment. Default: 1
	// minute. Example: 3 * time.Minute.
	StartTime time.Duration

	// VPC is the network: a [NewVPC] or an [ExistingVPC]. It cannot be changed. Default: NewVPC{}.
	VPC VPC

	// Cluster is the name of an existing ECS cluster in the service's account and region. It cannot be
	// changed. Default: a new cluster for this service, without Container Insights; a cluster costs nothing.
	// Example: "production".
	Cluster string

	// LoadBalancer says who may send requests, and how. Default: anybody, by HTTP.
	LoadBalancer LoadBalancer

	// Controller says who deploys. It cannot be changed: for the other one, create a service with another Name.
	// Default: ControllerCodeDeploy.
	Controller Controller

	// Shift says how visitors are moved to a new version. With ECS, a change is a deployment. Default:
	// ShiftAllAtOnce.
	Shift Shift

	// KeepOld is how long the old version keeps running after the shift, so that a rollback takes only
	// seconds: whole minutes, from 1 minute to 24 hours. The pipeline's Deploy stage ends after this time.
	// With ECS, a change is a deployment. Default: 5 minutes. Example: time.Hour.
	KeepOld time.Duration

	// MaxErrorPercent is the percentage of answers with a status of 5xx within a minute above which a
	// deployment is rolled back, 1 to 100. There must be at least 5 such answers. While an alarm is on,
	// CodeDeploy starts no deployment, not even one that would solve the problem. With 100 there are no such
	// alarms, which cost 0.40 USD a month. With ECS, a change is a deployment if it is to 100 or from 100.
	// Default: 5.
	MaxErrorPercent int

	// AlarmNames are the names (not ARNs) of CloudWatch alarms of your own, in the service's account and
	// region, that roll a deployment back: at most 8. With ECS, a change is a deployment. Default: none.
	// Example: []string{"api-latency"}.
	AlarmNames []string

	// Hook says which of CloudFront's caches are cleared, and when. The distributions must exist before the
	// service: create one with any origin and, after the first deployment, set its origin to the stack's
	// output Origin (with LoadBalancer.Internal, by the VPC origin in the output VPCOriginID). With
	// OnFailureFail, a wrong distribution may fail the first deployment. Required.
	Hook Hook

	// Tagged leaves tags on listeners, rules and the ECS service, for a service that was first deployed with
	// tags on them, by an early version of this project. These tags must stay as they were: whenever
	// CloudFormation changes a listener or rule, it sets the target group of production back to Blue, and it
	// cannot change a service that CodeDeploy deploys at all. Default: false, only all other resources have
	// tags.
	Tagged bool

	// Notifications says who is told of failures and, with OnSuccess, of successes. Default: nobody.
	Notifications Notifications

	// ExecutionMode says what happens to a push while the pipeline is running for another. Default:
	// ExecutionModeSuperseded.
	ExecutionMode ExecutionMode
}

// Shift says how visitors are moved to a new version.
type Shift string

const (
	// ShiftAllAtOnce moves all visitors at the same time.
	ShiftAllAtOnce Shift = "all-at-once"
	// ShiftCanary moves a tenth of the requests, and the others five minutes later.
	ShiftCanary Shift = "canary"
	// ShiftLinear moves a tenth of the requests every minute.
	ShiftLinear Shift = "linear"
)

const (
	defaultStartTime           = time.Minute
	minStartTime, maxStartTime = 10 * time.Second, 15 * time.Minute
	defaultKeepOld             = 5 * time.Minute
	// ECS allows a day; CodeDeploy would allow two.
	minKeepOld, maxKeepOld = time.Minute, 24 * time.Hour

	defaultMaxErrorPercent = 5
	// maxAlarmNames leaves two of CodeDeploy's 10 alarms to those of this project.
	// https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html
	maxAlarmNames = 8
)

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
var alarmPattern = regexp.MustCompile(`^[^\x00-\x1f*]{1,255}$`)

// Identity returns the service's name, account and region.
func (s FargateService) Identity() Identity { return Identity{"service", s.Name, s.Account, s.Region} }

// StackName returns the name of the service's stack.
func (s FargateService) StackName() string { return contract.StackName(s.Name, contract.StackService) }

// WithDefaults returns these props with every default in its field. DesiredCount stays 0 where the
// template must not have it: under ECS with Scaling, where every update would undo what Scaling has set.
// CloudFormation then does not change the number, and creates a service with one task.
// https://github.com/aws/containers-roadmap/issues/493
func (s FargateService) WithDefaults() FargateService {
	s.Source = sourceWithDefaults(s.Source)
	s.Build = s.Build.withDefaults()
	s.Container = s.Container.withDefaults()
	s.Controller = cmp.Or(s.Controller, ControllerCodeDeploy)
	s.Scaling = s.Scaling.withDefaults()
	if s.Controller == ControllerECS && s.Scaling != (Scaling{}) {
		s.DesiredCount = 0
	} else {
		s.DesiredCount = cmp.Or(s.DesiredCount, defaultDesiredCount)
	}
	s.StartTime = cmp.Or(s.StartTime, defaultStartTime)
	s.VPC = vpcWithDefaults(s.VPC)
	s.LoadBalancer = s.LoadBalancer.withDefaults()
	s.Shift = cmp.Or(s.Shift, ShiftAllAtOnce)
	s.KeepOld = cmp.Or(s.KeepOld, defaultKeepOld)
	s.MaxErrorPercent = cmp.Or(s.MaxErrorPercent, defaultMaxErrorPercent)
	s.Hook = s.Hook.WithDefaults(s.Controller)
	s.ExecutionMode = cmp.Or(s.ExecutionMode, ExecutionModeSuperseded)
	return s
}

// Validate returns everything that is wrong with these props, or nil.
func (s FargateService) Validate() error {
	own := s
	s = s.WithDefaults()
	p := &problems{of: s.Identity()}
	validateIdentity(p, maxServiceName)
	validatePipeline(p)
	validateSource(p, s.Source, PipelineTypeV2)
	s.Build.validate(p)
	s.Container.validate(p)
	desired := cmp.Or(own.DesiredCount, defaultDesiredCount)
	if desired < 1 || desired > maxDesiredCount {
		p.add("DesiredCount", own.DesiredCount, "must be from 1 to 100 tasks")
	} else if own.DesiredCount != 0 && s.DesiredCount == 0 {
		p.add("DesiredCount", own.DesiredCount, "must be left out: with Scaling, AWS sets the number, from Scaling.MinTasks to Scaling.MaxTasks")
	}
	s.Scaling.validate(p)
	if d := s.StartTime; d < minStartTime || d > maxStartTime || d%time.Second != 0 {
		p.add("StartTime", s.StartTime, "must be whole seconds, from 10 seconds to 15 minutes, written as 3 * time.Minute")
	}
	validateVPC(p, s.VPC, s.LoadBalancer.Internal, max(desired, s.Scaling.MaxTasks))
	if s.Cluster != "" {
		p.match("Cluster", s.Cluster, ecsPattern, "must be a cluster's name (not its ARN), or empty for a new cluster")
	}
	s.LoadBalancer.validate(p, addressesOf(s.VPC))
	controller := s.Controller
	if !oneOf(p, "Controller", controller, ControllerCodeDeploy, ControllerECS) {
		controller = ""
	}
	s.validateDeployment(p)
	s.Hook.validate(p, controller)
	s.Notifications.validate(p)
	oneOf(p, "ExecutionMode", s.ExecutionMode, ExecutionModeSuperseded, ExecutionModeQueued)
	p.noTokens(s)
	return p.join()
}

// validateDeployment checks how visitors are moved, and what rolls a deployment back.
func (s FargateService) validateDeployment(p *problems) {
	oneOf(p, "Shift", s.Shift, ShiftAllAtOnce, ShiftCanary, ShiftLinear)
	if d := s.KeepOld; d < minKeepOld || d > maxKeepOld || d%time.Minute != 0 {
		p.add("KeepOld", s.KeepOld, "must be whole minutes, from 1 minute to 24 hours, written as 10 * time.Minute")
	}
	if n := s.MaxErrorPercent; n < 1 || n > 100 {
		p.add("MaxErrorPercent", s.MaxErrorPercent, "must be from 1 to 100 percent")
	}
	if n := len(s.AlarmNames); n > maxAlarmNames {
		p.add("AlarmNames", fmt.Sprintf("%d alarms", n), fmt.Sprintf("must be at most %d: CodeDeploy allows 10, and the service has two of its own", maxAlarmNames))
	}
	for i, name := range s.AlarmNames {
		field := fmt.Sprintf("AlarmNames[%d]", i)
		switch {
		case strings.HasPrefix(name, "arn:"):
			p.add(field, name, "must be the alarm's name alone, which follows :alarm: in its ARN")
		case !alarmPattern.MatchString(name) || !utf8.ValidString(name):
			p.add(field, name, "must be an alarm's name, of 1 to 255 characters, without *")
		case slices.Contains(s.AlarmNames[:i], name):
			p.add(field, name, listedTwice)
		}
	}
}

// AppSpec returns the AppSpec that calls the hook, if CodeDeploy deploys the service. The pipeline uses
// the same.
func (s FargateService) AppSpec() (appspec.Spec, error) {
	s = s.WithDefaults()
	if s.Controller != ControllerCodeDeploy {
		return appspec.Spec{}, fmt.Errorf("%s is deployed by ECS itself, which has no AppSpec: its stack %s connects the hook", s.Identity(), s.StackName())
	}
	return s.Hook.AppSpec(s.Name, ContainerName, s.Container.Port), nil
}
