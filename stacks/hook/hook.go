// Package hook has the construct of the hook of an ECS service: the function that clears
// CloudFront's cache when a new version goes live.
package hook

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/function"
	"blog-deploy-pipeline/stacks/notify"
	"blog-deploy-pipeline/stacks/props"
)

// Props describe a Hook.
type Props struct {
	props.Hook

	// ServiceName names the service in the function's name and metrics. Required.
	ServiceName string

	// Controller deploys the service, and calls the function. Required.
	Controller props.Controller
}

// Hook is the function that a deployment calls, and what may call it.
type Hook struct {
	constructs.Construct

	// Function clears the cache. Its role may do that, and write its log.
	Function awslambda.Function

	// Invoker is the role by which ECS calls the function; nil with CodeDeploy.
	Invoker awsiam.Role

	role        awsiam.Role
	serviceName string
	events      []props.HookEvent
}

// NewHook makes the hook of a service in scope. With CodeDeploy it needs a [Hook.GrantReport];
// with ECS, the service needs its [Hook.LifecycleHooks].
func NewHook(scope constructs.Construct, id string, p Props) *Hook {
	h := p.Hook.WithDefaults(p.Controller)
	this := &Hook{Construct: constructs.NewConstruct(scope, jsii.String(id)), serviceName: p.ServiceName, events: h.Events}
	settings := function.Props{
		Name:             contract.HookFunctionName(p.ServiceName),
		Binary:           "deployhook",
		Description:      "Clears CloudFront for the service " + p.ServiceName,
		Environment:      h.FunctionEnvironment(p.ServiceName),
		Timeout:          props.ECSPollFor + props.AfterPolling,
		LogRetentionDays: h.LogRetentionDays,
	}
	if p.Controller == props.ControllerCodeDeploy {
		settings.Timeout = h.Deadline + props.AfterPolling
		settings.MaxEventAge = props.HookWait // Nobody waits for an answer after that.
	}
	made := function.NewGoFunction(this.Construct, "Hook", settings)
	this.Function, this.role = made.Function, made.Role
	var distributions []string
	for _, i := range h.Invalidations {
		distributions = append(distributions, i.DistributionID)
	}
	function.GrantClearing(this.Construct, this.role, h.RoleARN, distributions...)
	if p.Controller == props.ControllerECS {
		this.Invoker = cdk.NewServiceRole(this.Construct, "HookInvoker", "ecs.amazonaws.com", "Lets ECS call the function that clears CloudFront for the service "+p.ServiceName)
		this.Function.GrantInvoke(this.Invoker)
		cdk.JustifyWildcards(this.Invoker, "CDK grants the versions and aliases of the one function.")
	}
	return this
}

// GrantReport lets the function report to CodeDeploy on the deployments of one group.
func (h *Hook) GrantReport(application, deploymentGroup *string) {
	h.role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("codedeploy:PutLifecycleEventHookExecutionStatus"),
		Resources: jsii.Strings(*awscdk.Stack_Of(h.Construct).FormatArn(&awscdk.ArnComponents{
			Service:      jsii.String("codedeploy"),
			Resource:     jsii.String("deploymentgroup"),
			ResourceName: jsii.String(*application + "/" + *deploymentGroup),
			ArnFormat:    awscdk.ArnFormat_COLON_RESOURCE_NAME,
		})),
	}))
}

// LifecycleHooks returns the hook as the ECS API and the AWS CLI spell it.
func (h *Hook) LifecycleHooks() string {
	return lifecycleHooks(*h.Function.FunctionArn(), *h.Invoker.RoleArn(), h.events)
}

func lifecycleHooks(function, invoker string, events []props.HookEvent) string {
	return contract.JSON([]any{struct {
		Target string            `json:"hookTargetArn"`
		Role   string            `json:"roleArn"`
		Stages []props.HookEvent `json:"lifecycleStages"`
	}{function, invoker, events}})
}

// AddAlarm tells of a cache that was not cleared: with Proceed the deployment
// itself succeeds, and nobody would know.
func (h *Hook) AddAlarm(to notify.Topics) {
	if len(to.All) == 0 {
		return
	}
	alarm := awscloudwatch.NewAlarm(h.Construct, jsii.String("NotCleared"), &awscloudwatch.AlarmProps{
		AlarmDescription: jsii.String(fmt.Sprintf("CloudFront was not cleared after a deployment of the service %s: visitors may still see the version before. The log of the function %s says why.", h.serviceName, contract.HookFunctionName(h.serviceName))),
		Metric: awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
			Namespace:     jsii.String(contract.MetricNamespace),
			MetricName:    jsii.String(contract.MetricFailed),
			DimensionsMap: &map[string]*string{contract.DimensionService: jsii.String(h.serviceName)},
			Statistic:     jsii.String("Sum"),
			Period:        awscdk.Duration_Minutes(jsii.Number(5)),
		}),
		Threshold:          jsii.Number(1),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		EvaluationPeriods:  jsii.Number(1),
		// Nothing is counted while nothing is deployed.
		TreatMissingData: awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
	to.AddAlarm(h.Construct, alarm)
}
