package props

import (
	"blog-deploy-pipeline/appspec"
	"blog-deploy-pipeline/lambdas/contract"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// FargateService makes a service on ECS, and its delivery, for those who have none
// yet: network, load balancer, tasks on Fargate, and a pipeline that builds the image
// from the repository's Dockerfile and deploys it beside the version that runs. When
// visitors have been moved to it, CloudFront's cache is cleared.
//
// Changes reach production by two ways. A push goes through the pipeline. A change of
// these props takes effect with `make deploy`; but what Container says of the task
// itself (CPU, MemoryMiB, Environment, Secrets) waits there for the next run of the
// pipeline (console: Release change). Where a prop's comment calls a change a
// deployment, `make deploy` has ECS deploy the newest version once more, with the shift
// and the hook.
//
// With the defaults it costs about 75 USD a month in us-east-1, most of it the NAT
// gateway with its address (36), the load balancer with its addresses (24) and two tasks
// (14). With NewVPC{PublicTasks: true} it costs about 46, and with LoadBalancer.Internal
// beside that 39.
type FargateService struct {
	// Name names the service, its pipeline and the metrics. At most 49 letters,
	// digits and hyphens, the first a letter, and not xn--, sthree- or amzn-s3-demo-
	// at the start, which S3 takes in no bucket's name; must be unique, and must not
	// change. Required. Example: "api".
	Name string

	// Account is the AWS account to deploy to. In another one a second service is made,
	// and the first stays. Default: that of the credentials in use. Example:
	// "123456789012".
	Account string

	// Region is where the service runs: not ap-east-2, ca-west-1 and mx-central-1, where
	// CloudFormation makes no CodeBuild projects. In another one a second service is made,
	// and the first stays. The distribution is global. Default: that of the credentials
	// in use. Example: "ap-northeast-1".
	Region string

	// Source is where the repository with the Dockerfile is: a GitHubConnection or a
	// GitHubToken. Required.
	Source Source

	// Build says on what machine the image is built. Default: a small one.
	Build ImageBuild

	// Container is what runs. Default: port 80, 0.25 vCPU, 512 MiB, on Arm.
	Container Container

	// DesiredCount is how many tasks run: 1 to 100. With 1 the service is away for a
	// minute or two when that task or its zone fails. While a deployment is under way
	// there are twice as many. With ECS, each `make deploy` that changes the service
	// sets the number again, so change it here and not by hand; with Scaling it must be
	// left out. With CodeDeploy, only what the service begins with, and not to be
	// changed: CloudFormation cannot update such a service. Later: Scaling, or aws ecs
	// update-service --cluster CLUSTER --service SERVICE --desired-count 3, with the
	// stack's outputs ClusterName and ServiceName. Default: 2, one in each zone.
	DesiredCount int

	// Scaling has AWS set the number of tasks, by CPU or by requests. Default: none,
	// the number is fixed. Example: Scaling{MaxTasks: 10, CPUPercent: 60}.
	Scaling Scaling

	// StartTime is how long a new task may fail its health checks: 10 seconds to 15
	// minutes. With CodeDeploy, as DesiredCount, only what the service begins with;
	// later: aws ecs update-service … --health-check-grace-period-seconds 180. With ECS, a
	// change is a deployment. Default: 1 minute. Example: 3 * time.Minute.
	StartTime time.Duration

	// VPC is the network: a NewVPC or an ExistingVPC. It cannot be changed. Default:
	// NewVPC{}.
	VPC VPC

	// Cluster is the name of an ECS cluster that is there, in the service's account and
	// region, in place of one of its own; neither costs anything. It cannot be changed.
	// Default: a cluster of its own, without Container Insights. Example: "production".
	Cluster string

	// LoadBalancer says who may send requests, and how. Default: anybody, by HTTP.
	LoadBalancer LoadBalancer

	// Controller is who deploys: CodeDeploy or ECS. It cannot be changed: a service
	// with another one has another Name. Default: CodeDeploy.
	Controller Controller

	// Shift is how visitors are moved to a new version. With ECS, a change is a
	// deployment. Default: AllAtOnce.
	Shift Shift

	// KeepOld is how long the old version goes on running after the shift, so that a
	// rollback takes seconds: whole minutes, from 1 minute to 24 hours. The pipeline's
	// Deploy stage lasts so long. With ECS, a change is a deployment. Default: 5 minutes.
	// Example: time.Hour.
	KeepOld time.Duration

	// MaxErrorPercent is the share of answers with 5xx within a minute (of 5 such
	// answers at least) above which a deployment is rolled back: 1 to 100. CodeDeploy
	// begins no deployment while it is exceeded, not even that of a remedy. With 100
	// there are no such alarms, which cost 0.40 USD a month. With ECS, a change is a
	// deployment if it is to 100, or from there. Default: 5.
	MaxErrorPercent int

	// AlarmNames are the names (not ARNs) of CloudWatch alarms of your own, in the
	// service's account and region, that roll a deployment back: at most 8. With ECS, a
	// change is a deployment. Default: none. Example: []string{"api-latency"}.
	AlarmNames []string

	// Hook says which of CloudFront's caches to clear, when. The distributions must
	// exist before: make one with any origin, and when the service is there, set its
	// origin to the stack's output Origin (with LoadBalancer.Internal, by the VPC origin
	// VPCOriginID). With RollBack a wrong one may fail the first deployment. Required.
	Hook Hook

	// Tagged leaves tags on listeners, rules and the ECS service, for a service that was
	// first deployed with them, which this project once allowed. They must stay as they
	// were then: CloudFormation sets the target group in production back to Blue whenever
	// it changes one, and cannot change a service of CodeDeploy's at all. Default: false,
	// those have no tags, and all else has.
	Tagged bool

	// Notifications says whom to tell of failures. Default: nobody.
	Notifications Notifications

	// ExecutionMode says what happens to a push while another is on its way. Default:
	// Superseded.
	ExecutionMode ExecutionMode
}

const (
	defaultDesiredCount, MaxDesiredCount = 2, 100
	defaultStartTime                     = time.Minute
	MinStartTime, MaxStartTime           = 10 * time.Second, 15 * time.Minute
	defaultKeepOld                       = 5 * time.Minute
	MinKeepOld, MaxKeepOld               = time.Minute, 24 * time.Hour // ECS's; CodeDeploy takes two days
	// CodeDeploy takes 10 alarms, and two are ours.
	// https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html
	maxAlarmNames = 8
)

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
var alarmPattern = regexp.MustCompile(`^[^\x00-\x1f*]{1,255}$`)

func (s FargateService) Identity() Identity { return Identity{"service", s.Name, s.Account, s.Region} }

func (s FargateService) StackName() string { return contract.StackName(s.Name, contract.StackService) }

// WithDefaults returns these props with every default in its field. DesiredCount stays 0
// where the template has none: every update of a service that ECS deploys would undo what
// Scaling has set. CloudFormation then leaves the number as it is, and begins with one task.
// https://github.com/aws/containers-roadmap/issues/493
func (s FargateService) WithDefaults() FargateService {
	s.Source = sourceWithDefaults(s.Source)
	s.Build = s.Build.WithDefaults()
	s.Container = s.Container.WithDefaults()
	s.Controller = cmp.Or(s.Controller, ControllerCodeDeploy)
	s.Scaling = s.Scaling.WithDefaults()
	if s.Controller == ControllerECS && s.Scaling != (Scaling{}) {
		s.DesiredCount = 0
	} else {
		s.DesiredCount = cmp.Or(s.DesiredCount, defaultDesiredCount)
	}
	s.StartTime = cmp.Or(s.StartTime, defaultStartTime)
	s.VPC = vpcWithDefaults(s.VPC)
	s.LoadBalancer = s.LoadBalancer.WithDefaults()
	s.Shift = cmp.Or(s.Shift, ShiftAllAtOnce)
	s.KeepOld = cmp.Or(s.KeepOld, defaultKeepOld)
	s.MaxErrorPercent = cmp.Or(s.MaxErrorPercent, defaultMaxErrorPercent)
	s.Hook = s.Hook.WithDefaults(s.Controller)
	s.ExecutionMode = cmp.Or(s.ExecutionMode, ExecutionModeSuperseded)
	return s
}

// Validate returns all that is wrong with these props, or nil.
func (s FargateService) Validate() error {
	own := s
	s = s.WithDefaults()
	p := &Problems{owner: s.Identity()}
	s.Identity().validate(p, MaxServiceName)
	s.Identity().validatePipeline(p)
	validateSource(p, s.Source, PipelineTypeV2)
	s.Build.validate(p)
	s.Container.validate(p)
	desired := cmp.Or(own.DesiredCount, defaultDesiredCount)
	if desired < 1 || desired > MaxDesiredCount {
		p.add("DesiredCount", own.DesiredCount, "must be from 1 to 100 tasks")
	} else if own.DesiredCount != 0 && s.DesiredCount == 0 {
		p.add("DesiredCount", own.DesiredCount, "must be left out: with Scaling, AWS sets the number, from Scaling.MinTasks to Scaling.MaxTasks")
	}
	s.Scaling.validate(p)
	if d := s.StartTime; d < MinStartTime || d > MaxStartTime || d%time.Second != 0 {
		p.add("StartTime", s.StartTime, "must be whole seconds, from 10 seconds to 15 minutes, written as 3 * time.Minute")
	}
	validateVPC(p, s.VPC, s.LoadBalancer.Internal, max(desired, s.Scaling.MaxTasks))
	if s.Cluster != "" {
		p.match("Cluster", s.Cluster, ecsPattern, "must be a cluster's name (not its ARN), or empty for a cluster of the service's own")
	}
	s.LoadBalancer.validate(p, addressesOf(s.VPC))
	controller := s.Controller
	if !oneOf(p, "Controller", controller, ControllerCodeDeploy, ControllerECS) {
		controller = ""
	}
	oneOf(p, "Shift", s.Shift, ShiftAllAtOnce, ShiftCanary, ShiftLinear)
	if d := s.KeepOld; d < MinKeepOld || d > MaxKeepOld || d%time.Minute != 0 {
		p.add("KeepOld", s.KeepOld, "must be whole minutes, from 1 minute to 24 hours, written as 10 * time.Minute")
	}
	if n := s.MaxErrorPercent; n < 1 || n > 100 {
		p.add("MaxErrorPercent", s.MaxErrorPercent, "must be from 1 to 100 percent")
	}
	if n := len(s.AlarmNames); n > maxAlarmNames {
		p.add("AlarmNames", fmt.Sprintf("%d alarms", n), fmt.Sprintf("must be at most %d: CodeDeploy watches 10, and two are there already", maxAlarmNames))
	}
	for i, name := range s.AlarmNames {
		field := fmt.Sprintf("AlarmNames[%d]", i)
		switch {
		case strings.HasPrefix(name, "arn:"):
			p.add(field, name, "must be the alarm's name alone, which is what follows :alarm: in its ARN")
		case !alarmPattern.MatchString(name) || !utf8.ValidString(name):
			p.add(field, name, "must be an alarm's name, of 1 to 255 characters, without *")
		case slices.Contains(s.AlarmNames[:i], name):
			p.add(field, name, "is there twice; name it once")
		}
	}
	s.Hook.validate(p, controller)
	s.Notifications.validate(p)
	oneOf(p, "ExecutionMode", s.ExecutionMode, ExecutionModeSuperseded, ExecutionModeQueued)
	p.noTokens(s)
	return p.Join()
}

func (s FargateService) AppSpec() (appspec.Spec, error) {
	s = s.WithDefaults()
	if s.Controller != ControllerCodeDeploy {
		return appspec.Spec{}, fmt.Errorf("%s is deployed by ECS itself, which takes no AppSpec: its stack %s wires the hook in", s.Identity(), s.StackName())
	}
	return s.Hook.AppSpec(s.Name, ContainerName, s.Container.Port), nil
}

// Shift is how visitors are moved to a new version.
type Shift string

const (
	// AllAtOnce moves all of them at one moment.
	ShiftAllAtOnce Shift = "all-at-once"
	// Canary moves a tenth of the requests, and five minutes later the rest.
	ShiftCanary Shift = "canary"
	// Linear moves a tenth of the requests every minute.
	ShiftLinear Shift = "linear"
)

// What CodeDeploy's configurations say, for ECS, which has none by name.
const (
	CanaryPercent, CanaryWait = 10, 5 * time.Minute
	LinearPercent, LinearWait = 10, time.Minute
)

// steps returns in how many steps visitors are moved, and how long each is watched.
func (s Shift) Steps() (steps int, wait time.Duration) {
	switch s {
	case ShiftCanary:
		return 2, CanaryWait
	case ShiftLinear:
		return 100 / LinearPercent, LinearWait
	}
	return 1, 0
}
