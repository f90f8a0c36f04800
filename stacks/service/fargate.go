package service

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/hook"
	"blog-deploy-pipeline/stacks/pipeline"
	"blog-deploy-pipeline/stacks/props"
)

// parts are what a service has before a controller deploys it.
type parts struct {
	base       pipeline.Base
	vpc        awsec2.IVpc
	repository awsecr.IRepository
	task       task
	hook       *hook.Hook
}

// delivered is what a controller adds to the parts.
type delivered struct {
	balancer loadBalancer
	service  awsecs.FargateService
	build    pipeline.BuildStage
	deploy   awscodepipeline.IAction
}

// newCluster makes a cluster for the service, or with a name refers to an existing one.
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

// newECSService makes the service, which runs the tasks. They are in private subnets and without
// public addresses, unless the owner wants them in public subnets. Nobody can open a shell in them
// (ECS Exec). settings are what the service's controller alone needs.
//
// The service names only the family of its task definition. The newest active revision of that is
// the one of the last successful deployment.
//
// For CodeDeploy, nothing here may depend on a prop that can be changed. An update of such a service
// by CloudFormation always names the task definition too, which ECS does not accept.
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
	// The first tasks fetch their image as soon as the service exists. They need a way to the
	// internet by then, and the right to write a log.
	service.Node().AddDependency(p.task.execution)
	service.Node().AddDependency(p.vpc.SelectSubnets(subnets(public)).InternetConnectivityEstablished)
	cdk.NewOutput(scope, "ClusterName", "The name to give to aws ecs update-service --cluster", *cluster.ClusterName())
	cdk.NewOutput(scope, "ServiceName", "The name to give to aws ecs update-service --service", *service.ServiceName())
	return service
}

// cfnService returns the CloudFormation resource of a service, for properties that the CDK's
// construct does not offer.
func cfnService(service awsecs.FargateService) awsecs.CfnService {
	return service.Node().FindChild(jsii.String("Service")).(awsecs.CfnService)
}

// partOfService returns an ARN for everything of one kind that ECS makes for a service, such as
// its task sets.
func partOfService(scope constructs.Construct, service awsecs.FargateService, kind string) string {
	return cdk.ARN(scope, "ecs", kind+"/"+*service.Cluster().ClusterName()+"/"+*service.ServiceName()+"/*")
}
