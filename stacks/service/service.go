// Package service has the construct of a new ECS service and its delivery: network, load
// balancer, tasks on Fargate, a hook, and the pipeline that builds and deploys the image.
package service

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/hook"
	"blog-deploy-pipeline/stacks/notify"
	"blog-deploy-pipeline/stacks/pipeline"
	"blog-deploy-pipeline/stacks/props"
)

// Service is a new ECS service, and what delivers it.
type Service struct {
	constructs.Construct

	// Pipeline is the service's, and has its name.
	Pipeline awscodepipeline.Pipeline

	// LoadBalancer is what the distribution's origin leads to.
	LoadBalancer elb.ApplicationLoadBalancer

	// ECSService runs the tasks.
	ECSService awsecs.FargateService

	// Hook clears CloudFront's cache when a new version goes live.
	Hook *hook.Hook

	// TaskRole is the role of the service's own code, which may do nothing until its owner
	// says what.
	TaskRole awsiam.Role
}

// parts are what a service has, whichever controller deploys it.
type parts struct {
	base       pipeline.Base
	vpc        awsec2.IVpc
	repository awsecr.IRepository
	task       task
	hook       *hook.Hook
}

// deployed is a service as its controller wants it, and the stages that get it there.
type deployed struct {
	balancer loadBalancer
	service  awsecs.FargateService
	stages   []*awscodepipeline.StageProps
}

// NewService makes a service and its delivery in scope. It panics on props that are not
// valid, as constructs do. The stack may have no tags of its own unless s.Tagged.
func NewService(scope constructs.Construct, id string, s props.FargateService) *Service {
	if err := s.Validate(); err != nil {
		panic(err)
	}
	s = s.WithDefaults()
	this := &Service{Construct: constructs.NewConstruct(scope, jsii.String(id))}
	p := parts{base: pipeline.NewBase(this.Construct, s.Identity(), s.Source), repository: newRepository(this.Construct)}
	// By the id Default, its resources have the same logical ids as in a stack of its own.
	p.hook = hook.NewHook(this.Construct, "Default", hook.Props{Hook: s.Hook, ServiceName: s.Name, Controller: s.Controller})
	p.vpc = newNetwork(this.Construct, s.VPC)
	// The stack's name is unique in its account and region, and so is the family's.
	p.task = newTask(this.Construct, s.StackName(), s.Container, p.repository)

	var made deployed
	if s.Controller == props.ControllerECS {
		made = deployByECS(this.Construct, s, p)
	} else {
		made = deployByCodeDeploy(this.Construct, s, p)
	}
	if !s.Tagged {
		cdk.WithoutTags(append(made.balancer.moved, made.service)...)
	}
	topics := notify.NewTopics(this.Construct, s.Identity(), s.Notifications)
	this.Pipeline = pipeline.NewPipeline(this.Construct, pipeline.Props{
		Base: p.base, Type: props.PipelineTypeV2, ExecutionMode: s.ExecutionMode, Stages: made.stages, Topics: topics,
	})
	// An execution starts as soon as the pipeline is there: it reads the task definition, and
	// calls the hook.
	this.Pipeline.Node().AddDependency(p.hook.Function, p.task.template)
	p.hook.AddAlarm(topics)
	if s.LoadBalancer.Internal {
		newVPCOrigin(this.Construct, s.LoadBalancer, made.balancer, made.service)
	}

	this.LoadBalancer, this.ECSService, this.Hook, this.TaskRole = made.balancer.balancer, made.service, p.hook, p.task.role
	cdk.NewOutput(this.Construct, "Origin", "The load balancer's domain name, for the distribution's origin", *this.LoadBalancer.LoadBalancerDnsName())
	cdk.NewOutput(this.Construct, "RepositoryURI", "Where the images are", *p.repository.RepositoryUri())
	cdk.NewOutput(this.Construct, "CodeRole", "The role of the service's own code: attach to it what that may do", *this.TaskRole.RoleName())
	return this
}

// alarms are those that roll a deployment back: ours, and the owner's.
func newAlarms(scope constructs.Construct, s props.FargateService, balancer loadBalancer) []awscloudwatch.IAlarm {
	var alarms []awscloudwatch.IAlarm
	// More than all answers are never errors.
	if percent := s.MaxErrorPercent; percent < 100 {
		for _, alarm := range newErrorAlarms(scope, balancer, s.Name, percent) {
			alarms = append(alarms, alarm)
		}
	}
	for i, name := range s.AlarmNames {
		alarms = append(alarms, awscloudwatch.Alarm_FromAlarmName(scope, jsii.String(fmt.Sprintf("Alarm%d", i)), jsii.String(name)))
	}
	return alarms
}

// newCluster makes the service's cluster, or names the one that is there.
func newCluster(scope constructs.Construct, name string, vpc awsec2.IVpc) awsecs.ICluster {
	if name != "" {
		return awsecs.Cluster_FromClusterAttributes(scope, jsii.String("Cluster"), &awsecs.ClusterAttributes{ClusterName: &name, Vpc: vpc})
	}
	cluster := awsecs.NewCluster(scope, jsii.String("Cluster"), &awsecs.ClusterProps{
		Vpc:                 vpc,
		ContainerInsightsV2: awsecs.ContainerInsights_DISABLED,
	})
	cdk.Justify(cluster, cdk.Justification{Rule: "AwsSolutions-ECS4", Reason: "Container Insights costs several USD a month for each task; the load balancer's own metrics are what the alarms watch."})
	return cluster
}

// newECSService runs the tasks, without a way in for people (ECS Exec): in private
// subnets, without public addresses, unless the owner wants them in public ones. It
// names the task definition by its family, whose newest active revision is what the last
// successful deployment brought. settings are those of one controller alone. For CodeDeploy, nothing here may depend on a prop that
// can be changed: to update such a service CloudFormation names its task definition, too,
// which ECS refuses.
// https://github.com/aws/aws-cdk/issues/23564
func newECSService(scope constructs.Construct, s props.FargateService, p parts, settings awsecs.FargateServiceProps) awsecs.FargateService {
	cluster := newCluster(scope, s.Cluster, p.vpc)
	public := s.VPC.TasksArePublic()
	settings.Cluster = cluster
	settings.TaskDefinition = p.task.first
	settings.TaskDefinitionRevision = awsecs.TaskDefinitionRevision_LATEST()
	settings.DeploymentController = &awsecs.DeploymentController{Type: awsecs.DeploymentControllerType(s.Controller)}
	settings.MinHealthyPercent = jsii.Number(100)
	settings.MaxHealthyPercent = jsii.Number(200)
	settings.HealthCheckGracePeriod = cdk.Duration(s.StartTime)
	settings.VpcSubnets = subnets(public)
	settings.AssignPublicIp = jsii.Bool(public)
	settings.EnableExecuteCommand = jsii.Bool(false)
	if n := s.DesiredCount; n != 0 {
		settings.DesiredCount = jsii.Number(n)
	}
	service := awsecs.NewFargateService(scope, jsii.String("Service"), &settings)
	// The first tasks fetch their image as soon as the service is there: a way out, and
	// the right to write a log, must be there before.
	service.Node().AddDependency(p.task.execution)
	service.Node().AddDependency(p.vpc.SelectSubnets(subnets(public)).InternetConnectivityEstablished)
	cdk.NewOutput(scope, "ClusterName", "The name to give to aws ecs update-service --cluster", *cluster.ClusterName())
	cdk.NewOutput(scope, "ServiceName", "The name to give to aws ecs update-service --service", *service.ServiceName())
	return service
}
