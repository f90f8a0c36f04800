package pipeline

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	targets "github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/notify"
	"blog-deploy-pipeline/stacks/props"
)

// notifyOfFailures tells the topics of every action of a pipeline that fails. EventBridge makes the
// text, so that no function is needed for it.
func notifyOfFailures(scope constructs.Construct, pipeline awscodepipeline.IPipeline, identity props.Identity, to notify.Topics) {
	if len(to.All) == 0 {
		return
	}

	// https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
	rule := awsevents.NewRule(scope, jsii.String("ActionFailed"), &awsevents.RuleProps{
		Description: jsii.String("An action of the pipeline " + identity.Name + " failed"),
		EventPattern: &awsevents.EventPattern{
			Source:     jsii.Strings("aws.codepipeline"),
			DetailType: jsii.Strings("CodePipeline Action Execution State Change"),
			Detail:     &map[string]any{"pipeline": []*string{pipeline.PipelineName()}, "state": []string{"FAILED"}},
		},
	})
	text := fmt.Sprintf("The %s %s was not delivered: stage %s failed, in its action %s.\nReason: %s (%s)\nDetails: %s\nExecution: %s at %s",
		identity.Kind, identity.Name,
		cdk.EventField("$.detail.stage"),
		cdk.EventField("$.detail.action"),
		cdk.EventField("$.detail.execution-result.external-execution-summary"),
		cdk.EventField("$.detail.execution-result.error-code"),
		"https://"+cdk.EventField("$.region")+".console.aws.amazon.com/codesuite/codepipeline/pipelines/"+identity.Name+"/view",
		cdk.EventField("$.detail.execution-id"),
		cdk.EventField("$.time"))
	for _, topic := range to.All {
		rule.AddTarget(targets.NewSnsTopic(topic, &targets.SnsTopicProps{
			Message: awsevents.RuleTargetInput_FromMultilineText(jsii.String(text)),
			// The rule publishes with a role of its own. The policy of an existing topic belongs to
			// its owner, and that of a new one would let the rules of any account publish.
			AuthorizeUsingRole: jsii.Bool(true),
		}))
	}
	// props compares the topic's account and region with the pipeline's, if both are known.
	awscdk.Annotations_Of(rule).AcknowledgeWarning(jsii.String("@aws-cdk/aws-events:ruleUnresolvedEnvironment"),
		jsii.String("Notifications.TopicARN is documented to be in the pipeline's account and region"))
}
