package stacks

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/appspec"
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
	defaultDesiredCount, maxDesiredCount = 2, 100
	defaultStartTime                     = time.Minute
	minStartTime, maxStartTime           = 10 * time.Second, 15 * time.Minute
	defaultKeepOld                       = 5 * time.Minute
	minKeepOld, maxKeepOld               = time.Minute, 24 * time.Hour // ECS's; CodeDeploy takes two days
	// CodeDeploy takes 10 alarms, and two are ours.
	// https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html
	maxAlarmNames = 8
)

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
var alarmPattern = regexp.MustCompile(`^[^\x00-\x1f*]{1,255}$`)

func (s FargateService) owner() owner { return owner{"service", s.Name, s.Account, s.Region} }

func (s FargateService) stackID() string { return s.Name + "-service" }

// WithDefaults returns these props with every default in its field. DesiredCount stays 0
// where the template has none: every update of a service that ECS deploys would undo what
// Scaling has set. CloudFormation then leaves the number as it is, and begins with one task.
// https://github.com/aws/containers-roadmap/issues/493
func (s FargateService) WithDefaults() FargateService {
	s.Source = sourceWithDefaults(s.Source)
	s.Build = s.Build.WithDefaults()
	s.Container = s.Container.WithDefaults()
	s.Controller = cmp.Or(s.Controller, CodeDeploy)
	s.Scaling = s.Scaling.WithDefaults()
	if s.Controller == ECS && s.Scaling != (Scaling{}) {
		s.DesiredCount = 0
	} else {
		s.DesiredCount = cmp.Or(s.DesiredCount, defaultDesiredCount)
	}
	s.StartTime = cmp.Or(s.StartTime, defaultStartTime)
	s.VPC = vpcWithDefaults(s.VPC)
	s.LoadBalancer = s.LoadBalancer.WithDefaults()
	s.Shift = cmp.Or(s.Shift, AllAtOnce)
	s.KeepOld = cmp.Or(s.KeepOld, defaultKeepOld)
	s.MaxErrorPercent = cmp.Or(s.MaxErrorPercent, defaultMaxErrorPercent)
	s.Hook = s.Hook.WithDefaults(s.Controller)
	s.ExecutionMode = cmp.Or(s.ExecutionMode, Superseded)
	return s
}

// Validate returns all that is wrong with these props, or nil.
func (s FargateService) Validate() error {
	own := s
	s = s.WithDefaults()
	p := &problems{owner: s.owner()}
	s.owner().validate(p, maxServiceName)
	s.owner().validatePipeline(p)
	validateSource(p, s.Source, V2)
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
		p.match("Cluster", s.Cluster, ecsPattern, "must be a cluster's name (not its ARN), or empty for a cluster of the service's own")
	}
	s.LoadBalancer.validate(p, addressesOf(s.VPC))
	controller := s.Controller
	if !oneOf(p, "Controller", controller, CodeDeploy, ECS) {
		controller = ""
	}
	oneOf(p, "Shift", s.Shift, AllAtOnce, Canary, Linear)
	if d := s.KeepOld; d < minKeepOld || d > maxKeepOld || d%time.Minute != 0 {
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
	oneOf(p, "ExecutionMode", s.ExecutionMode, Superseded, Queued)
	p.noTokens(s)
	return p.join()
}

func (s FargateService) appSpec() (appspec.Spec, error) {
	s = s.WithDefaults()
	if s.Controller != CodeDeploy {
		return appspec.Spec{}, fmt.Errorf("%s is deployed by ECS itself, which takes no AppSpec: its stack %s wires the hook in", s.owner(), s.stackID())
	}
	return s.Hook.appSpec(s.Name, containerName, s.Container.Port), nil
}

func newFargateStack(scope constructs.Construct, s FargateService) awscdk.Stack {
	examples := s.exampleValues()
	s = s.WithDefaults()
	s.Account = examples.account(s.Account)
	stack := awscdk.NewStack(scope, jsii.String(s.stackID()),
		s.owner().stackProps(fmt.Sprintf("The service %s and its delivery: network, load balancer, tasks, pipeline, CloudFront's cache", s.Name)))
	leaveZonesToAWS(stack, s.owner(), s.VPC)
	warnOfExamples(stack, s.owner(), examples)

	artifacts := newArtifactBucket(stack)
	role := newServiceRole(stack, "PipelineRole", "codepipeline.amazonaws.com", "Runs the pipeline of the service "+s.Name)
	source := newSource(stack, role, s.Source)
	repository := newRepository(stack)
	function, hookRole := newHookFunction(stack, s.owner(), s.Hook, s.Controller)
	parts := serviceParts{
		vpc: newNetwork(stack, s.VPC), repository: repository,
		// The stack's name is unique in its account and region, and so is the family's.
		task:     newTask(stack, s.stackID(), s.Container, repository),
		function: function, hookRole: hookRole,
		artifacts: artifacts, source: source, pipelineRole: role,
	}
	deliver := deliverByCodeDeploy
	if s.Controller == ECS {
		deliver = deliverByECS
	}
	balancer, service, stages := deliver(stack, s, parts)
	if !s.Tagged {
		withoutTags(append(balancer.moved, service)...)
		refuseStackTags(stack, s.owner())
	}

	made := newPipeline(stack, s.owner(), pipeline{
		role: role, artifacts: artifacts, kind: V2, mode: s.ExecutionMode,
		source: source, stages: stages,
	})
	// It starts as soon as it is there: it takes the template, and calls the function.
	made.Node().AddDependency(function, parts.task.template)
	to := newTopics(stack, s.owner(), s.Notifications)
	notifyOfFailures(stack, made, s.owner(), to)
	newHookAlarm(stack, s.owner(), to)

	if s.LoadBalancer.Internal {
		newVPCOrigin(stack, s.LoadBalancer, balancer, service)
	}
	newOutput(stack, "Origin", "The load balancer's domain name, for the distribution's origin", *balancer.balancer.LoadBalancerDnsName())
	newOutput(stack, "RepositoryURI", "Where the images are", *repository.RepositoryUri())
	newOutput(stack, "CodeRole", "The role of the service's own code: attach to it what that may do", *parts.task.role.RoleName())
	return stack
}

// serviceParts are what a service has, whoever deploys it.
type serviceParts struct {
	vpc          awsec2.IVpc
	repository   awsecr.IRepository
	task         task
	function     awslambda.Function
	hookRole     awsiam.Role
	artifacts    awss3.IBucket
	source       sourceStage
	pipelineRole awsiam.IRole
}

// alarms are those that roll a deployment back: ours, and the owner's.
func (s FargateService) alarms(stack awscdk.Stack, balancer loadBalancer) []awscloudwatch.IAlarm {
	var alarms []awscloudwatch.IAlarm
	// More than all answers are never errors.
	if percent := s.MaxErrorPercent; percent < 100 {
		for _, alarm := range newErrorAlarms(stack, balancer, s.owner(), percent) {
			alarms = append(alarms, alarm)
		}
	}
	for i, name := range s.AlarmNames {
		alarms = append(alarms, awscloudwatch.Alarm_FromAlarmName(stack, jsii.String(fmt.Sprintf("Alarm%d", i)), jsii.String(name)))
	}
	return alarms
}

// renderAppSpec returns the AppSpec that the build hands on; its parts are valid by
// then.
func (s FargateService) renderAppSpec() string {
	spec, err := s.appSpec()
	if err != nil {
		panic(err)
	}
	text, err := appspec.Render(spec)
	if err != nil {
		panic(err)
	}
	return text
}

// newCluster makes the service's cluster, or names the one that is there.
func newCluster(stack awscdk.Stack, name string, vpc awsec2.IVpc) awsecs.ICluster {
	if name != "" {
		return awsecs.Cluster_FromClusterAttributes(stack, jsii.String("Cluster"), &awsecs.ClusterAttributes{ClusterName: &name, Vpc: vpc})
	}
	cluster := awsecs.NewCluster(stack, jsii.String("Cluster"), &awsecs.ClusterProps{
		Vpc:                 vpc,
		ContainerInsightsV2: awsecs.ContainerInsights_DISABLED,
	})
	justify(cluster, justification{rule: "AwsSolutions-ECS4", reason: "Container Insights costs several USD a month for each task; the load balancer's own metrics are what the alarms watch."})
	return cluster
}

// newECSService runs the tasks, without a way in for people (ECS Exec): in private
// subnets, without public addresses, unless the owner wants them in public ones. It
// names the task definition by its family, whose newest active revision is what the last
// successful deployment brought. For CodeDeploy, nothing here may depend on a prop that
// can be changed: to update such a service CloudFormation names its task definition, too,
// which ECS refuses.
// https://github.com/aws/aws-cdk/issues/23564
func newECSService(stack awscdk.Stack, s FargateService, parts serviceParts, how func(*awsecs.FargateServiceProps)) awsecs.FargateService {
	cluster := newCluster(stack, s.Cluster, parts.vpc)
	public := s.VPC.publicTasks()
	props := &awsecs.FargateServiceProps{
		Cluster:                cluster,
		TaskDefinition:         parts.task.first,
		TaskDefinitionRevision: awsecs.TaskDefinitionRevision_LATEST(),
		DeploymentController:   &awsecs.DeploymentController{Type: awsecs.DeploymentControllerType(s.Controller)},
		MinHealthyPercent:      jsii.Number(100),
		MaxHealthyPercent:      jsii.Number(200),
		HealthCheckGracePeriod: awscdk.Duration_Seconds(jsii.Number(s.StartTime.Seconds())),
		VpcSubnets:             subnets(public),
		AssignPublicIp:         jsii.Bool(public),
		EnableExecuteCommand:   jsii.Bool(false),
	}
	if n := s.DesiredCount; n != 0 {
		props.DesiredCount = jsii.Number(n)
	}
	how(props)
	service := awsecs.NewFargateService(stack, jsii.String("Service"), props)
	// The first tasks fetch their image as soon as the service is there: a way out, and
	// the right to write a log, must be there before.
	service.Node().AddDependency(parts.task.execution)
	service.Node().AddDependency(parts.vpc.SelectSubnets(subnets(public)).InternetConnectivityEstablished)
	newOutput(stack, "ClusterName", "The name to give to aws ecs update-service --cluster", *cluster.ClusterName())
	newOutput(stack, "ServiceName", "The name to give to aws ecs update-service --service", *service.ServiceName())
	return service
}
