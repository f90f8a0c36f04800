package stacks

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"blog-deploy-pipeline/appspec"
	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/hook"
	"blog-deploy-pipeline/stacks/notify"
	"blog-deploy-pipeline/stacks/props"
	"blog-deploy-pipeline/stacks/service"
)

// NewServiceStack makes the stack of a service. It panics on props that are not valid;
// [props.Validate] returns what is wrong instead.
func NewServiceStack(scope constructs.Construct, s props.Service) awscdk.Stack {
	if err := props.Validate(nil, []props.Service{s}); err != nil {
		panic(err)
	}
	switch s := s.(type) {
	case props.ExistingService:
		return newHookStack(scope, s)
	case props.FargateService:
		return newFargateStack(scope, s)
	}
	panic("unreachable: Validate accepts no other type")
}

// newHookStack makes the stack of the hook of a service that exists already. Its outputs say what
// the owner has to change in the service.
func newHookStack(scope constructs.Construct, s props.ExistingService) awscdk.Stack {
	examples := s.ExampleValues()
	s = s.WithDefaults()
	identity := deployedTo(s.Identity(), examples)
	stack := newStack(scope, identity, contract.StackHook, "Clears CloudFront when the service "+s.Name+" goes live")
	warnOfExamples(stack, identity, examples)

	made := hook.NewHook(stack, onlyConstruct, hook.Props{Hook: s.Hook, ServiceName: s.Name, Controller: s.DeployedBy.Controller()})
	cdk.NewOutput(stack, "FunctionARN", "The function that clears CloudFront", *made.Function.FunctionArn())
	switch by := s.DeployedBy.(type) {
	case props.CodeDeployGroup:
		// The stack does not change CodeDeploy's role, which is the owner's. AWS's managed
		// policies for it allow calling the function.
		made.GrantReport(by.Application, by.DeploymentGroup)
		text, err := appspec.Render(s.Hook.AppSpec(s.Name, by.Container, by.Port))
		if err != nil {
			panic(err)
		}
		cdk.NewOutput(stack, contract.OutputAppSpec, "The AppSpec for "+by.Application+"/"+by.DeploymentGroup+". If the service has an AppSpec already, only its Hooks have to change. CodeDeploy's role may call the function if it has AWSCodeDeployRoleForECS or AWSCodeDeployRoleForECSLimited; otherwise it needs lambda:InvokeFunction on FunctionARN, and on FunctionARN:* if the AppSpec names a version or an alias", text)
	case props.ECSService:
		cdk.NewOutput(stack, "InvokerRoleARN", "The role that ECS assumes to call the function", *made.Invoker.RoleArn())
		cdk.NewOutput(stack, contract.OutputLifecycleHooks, "For deploymentConfiguration.lifecycleHooks of the service "+by.Service+" in the cluster "+by.Cluster, made.LifecycleHooks())
	}
	made.AddAlarm(notify.NewTopics(stack, s.Identity(), s.Notifications))
	return stack
}

// newFargateStack makes the stack of a new service and its delivery.
func newFargateStack(scope constructs.Construct, s props.FargateService) awscdk.Stack {
	examples := s.ExampleValues()
	identity := deployedTo(s.Identity(), examples)
	stack := newStack(scope, identity, contract.StackService, fmt.Sprintf("The service %s and its delivery: network, load balancer, tasks, pipeline, CloudFront's cache", s.Name))
	service.LeaveZonesToAWS(stack, identity, s.VPC)
	warnOfExamples(stack, identity, examples)
	service.NewService(stack, onlyConstruct, s)
	if !s.Tagged {
		refuseStackTags(stack, identity)
	}
	return stack
}
