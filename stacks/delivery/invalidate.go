package delivery

import (
	"maps"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	actions "github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/function"
	"blog-deploy-pipeline/stacks/pipeline"
	"blog-deploy-pipeline/stacks/props"
)

// replyTimeout is how long CodePipeline waits for a function's report. A later call would clear the cache
// for a deployment that has failed.
const replyTimeout = 20 * time.Minute

// changesMB is the memory of the function if it works out what to clear: twice the usual, for the list of a blog's
// files, and because a processor comes with it.
const changesMB = 256

// newInvalidate makes the function that clears the cache, and the action that calls it. Each blog
// has a function of its own, so that its role names exactly one distribution.
// It needs kept if it clears what changed, and publish to go back to the release before.
func newInvalidate(scope constructs.Construct, base pipeline.Base, blog props.Blog, to Destination, kept releases, publish awslambda.IFunction) (*function.GoFunction, awscodepipeline.IAction) {
	i, changes := blog.Invalidate, blog.Invalidate.ClearsChanges(blog.Deploy)
	environment := map[string]string{
		contract.EnvPollFor:   i.PollFor.String(),
		contract.EnvDeadline:  i.Deadline.String(),
		contract.EnvOnFailure: string(i.OnFailure),
	}
	if i.RoleARN != "" {
		environment[contract.EnvRoleARN] = i.RoleARN
	}
	memoryMB := 0
	if changes {
		maps.Copy(environment, props.ChangesEnvironment(blog.Deploy, i, blog.Site, kept.name, to.origin()))
		memoryMB = changesMB
	}
	if i.OnFailure == props.OnFailureRollBack {
		environment[contract.EnvPublishFunction] = *publish.FunctionName()
	}
	invalidate := function.NewGoFunction(scope, "Invalidate", function.Props{
		Binary:           "invalidate",
		Description:      "Clears CloudFront for the blog " + base.Identity.Name,
		Environment:      environment,
		MemoryMB:         memoryMB,
		Timeout:          i.PollFor + function.AfterPolling,
		MaxEventAge:      replyTimeout,
		LogRetentionDays: i.LogRetentionDays,
	})
	invalidate.GrantClearing(scope, i.RoleARN, to.DistributionID)
	wildcards := "CodePipeline's PutJobSuccessResult and PutJobFailureResult have no resource to name; LambdaInvokeAction grants them."
	if changes {
		kept.grantClearing(invalidate.Role)
		wildcards += " The lists of files have the names of releases."
	}
	if i.OnFailure == props.OnFailureRollBack {
		cdk.Allow(invalidate.Role, []string{"lambda:InvokeFunction"}, *publish.FunctionArn())
	}
	cdk.JustifyWildcards(invalidate.Role, wildcards)

	role := cdk.NewActionRole(scope, "InvalidateActionRole", base.Principal, "Calls the function that clears CloudFront")
	action := actions.NewLambdaInvokeAction(&actions.LambdaInvokeActionProps{
		ActionName:           jsii.String("Invalidate"),
		Lambda:               invalidate.Function,
		Role:                 role,
		UserParametersString: jsii.String(i.UserParameters(base.Identity.Name, to.DistributionID, blog.Site)),
		VariablesNamespace:   jsii.String("Invalidate"),
	})
	invalidate.Function.GrantInvoke(role)
	cdk.JustifyWildcards(role, "CDK grants the versions of the one function, and the listing of functions that CodePipeline's documentation asks for.")
	return invalidate, action
}
