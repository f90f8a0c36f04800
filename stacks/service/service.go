// Package service has the construct of a new ECS service and its delivery: network, load
// balancer, tasks on Fargate, a hook, and the pipeline that builds and deploys the image.
package service

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/hook"
	"blog-deploy-pipeline/stacks/notify"
	"blog-deploy-pipeline/stacks/pipeline"
	"blog-deploy-pipeline/stacks/props"
)

// Service is a new ECS service and its delivery.
//
//	s := service.NewService(stack, "Service", props.FargateService{
//		Name:         "api",
//		Source:       connection,
//		Container:    props.Container{Port: 8080},
//		VPC:          props.NewVPC{},
//		LoadBalancer: props.LoadBalancer{OriginPrefixListID: "pl-58a04531"},
//		Hook:         props.Hook{Invalidations: []props.Invalidation{{DistributionID: "E2QWRUHAPOMQZL"}}},
//	})
//	table.GrantReadData(s.TaskRole)
type Service struct {
	constructs.Construct

	// Pipeline builds the image and deploys it. It has the service's name.
	Pipeline awscodepipeline.Pipeline

	// BuildProject builds the image.
	BuildProject awscodebuild.PipelineProject

	// BuildRole is the role of BuildProject. Grant to it what the build needs: a grant to
	// BuildProject itself has no effect.
	BuildRole awsiam.Role

	// Repository has the images.
	Repository awsecr.IRepository

	// VPC is the network of the tasks.
	VPC awsec2.IVpc

	// LoadBalancer is the origin for the CloudFront distribution.
	LoadBalancer elb.ApplicationLoadBalancer

	// VPCOrigin is how CloudFront reaches an internal LoadBalancer. It is nil for another one.
	VPCOrigin awscloudfront.VpcOrigin

	// ECSService runs the tasks. A database lets them in by ECSService.Connections.
	ECSService awsecs.FargateService

	// Hook clears CloudFront's cache when a new version goes live.
	Hook *hook.Hook

	// TaskRole is the role of the service's own code. It allows nothing until the owner adds to it.
	TaskRole awsiam.Role
}

// NewService makes a service and its delivery. It panics on props that are not valid. If the VPC is
// new and scope's stack names an account and a region, call [LeaveZonesToAWS] first. The stack must
// not have tags, unless s is Tagged.
func NewService(scope constructs.Construct, id string, s props.FargateService) *Service {
	if err := s.Validate(); err != nil {
		panic(err)
	}
	s = s.WithDefaults()
	this := &Service{Construct: cdk.NewConstruct(scope, id)}
	p := parts{base: pipeline.NewBase(this.Construct, s.Identity(), s.Source), repository: newRepository(this.Construct)}
	// The id Default gives the hook's resources the logical ids of a hook with a stack of its own.
	p.hook = hook.NewHook(this.Construct, "Default", hook.Props{Hook: s.Hook, ServiceName: s.Name, Controller: s.Controller})
	p.vpc = newNetwork(this.Construct, s.VPC)
	// A stack's name is unique in its account and region, and so is the family's.
	p.task = newTask(this.Construct, s.StackName(), s.Container, p.repository)

	deploy := deployByCodeDeploy
	if s.Controller == props.ControllerECS {
		deploy = deployByECS
	}
	made := deploy(this.Construct, s, p)
	if !s.Tagged {
		cdk.WithoutTags(append(made.balancer.moved, made.service)...)
	}
	topics, success := notify.NewTopics(this.Construct, s.Identity(), s.Notifications), ""
	if s.Notifications.OnSuccess {
		success = "The service " + s.Name + " was deployed."
	}
	this.Pipeline = pipeline.NewPipeline(this.Construct, pipeline.Props{
		Base: p.base, Type: props.PipelineTypeV2, ExecutionMode: s.ExecutionMode, Topics: topics, Success: success,
		Stages: []*awscodepipeline.StageProps{pipeline.Stage("Build", made.build.Action), pipeline.Stage("Deploy", made.deploy)},
	})
	// The first execution starts as soon as the pipeline exists. It reads the task definition, and
	// calls the hook.
	this.Pipeline.Node().AddDependency(p.hook.Function, p.task.template)
	p.hook.AddAlarm(topics)
	if s.LoadBalancer.Internal {
		this.VPCOrigin = newVPCOrigin(this.Construct, s.LoadBalancer, made.balancer, made.service)
	}

	this.BuildProject, this.BuildRole, this.Repository = made.build.Project, made.build.Role, p.repository
	this.VPC, this.LoadBalancer, this.ECSService = p.vpc, made.balancer.balancer, made.service
	this.Hook, this.TaskRole = p.hook, p.task.role
	cdk.NewOutput(this.Construct, "Origin", "The load balancer's domain name, for the distribution's origin", *this.LoadBalancer.LoadBalancerDnsName())
	cdk.NewOutput(this.Construct, "RepositoryURI", "Where the images are", *p.repository.RepositoryUri())
	cdk.NewOutput(this.Construct, "CodeRole", "The role of the service's own code: attach the policies that the code needs", *this.TaskRole.RoleName())
	return this
}
