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

// The report of an action, in the event of its end. What an event does not have is left out of the text.
const (
	summaryField = "$.detail.execution-result.external-execution-summary"
	errorField   = "$.detail.execution-result.error-code"
)

// notifyOfFailures tells the topics of every action of a pipeline that fails.
func notifyOfFailures(scope constructs.Construct, pipeline awscodepipeline.IPipeline, identity props.Identity, to notify.Topics) {
	notifyOf(scope, "ActionFailed", "An action of the pipeline "+identity.Name+" failed", to,
		map[string]any{"pipeline": []*string{pipeline.PipelineName()}, "state": []string{"FAILED"}},
		fmt.Sprintf("The %s %s was not delivered: stage %s failed, in its action %s.\nReason: %s (%s)\n%s",
			identity.Kind, identity.Name,
			cdk.EventField("$.detail.stage"), cdk.EventField("$.detail.action"),
			cdk.EventField(summaryField), cdk.EventField(errorField),
			whereToLook(identity)))
}

// notifyOfSuccesses tells the topics of every execution of a pipeline that succeeds, in the words of its last stage.
// That stage has one action. The event of the execution itself has no report.
func notifyOfSuccesses(scope constructs.Construct, pipeline awscodepipeline.IPipeline, identity props.Identity, to notify.Topics, last *awscodepipeline.StageProps, text string) {
	notifyOf(scope, "Succeeded", "An execution of the pipeline "+identity.Name+" succeeded", to,
		map[string]any{"pipeline": []*string{pipeline.PipelineName()}, "stage": []*string{last.StageName}, "state": []string{"SUCCEEDED"}},
		fmt.Sprintf("%s\nReport: %s\n%s", text, cdk.EventField(summaryField), whereToLook(identity)))
}

// whereToLook is the end of a message.
func whereToLook(identity props.Identity) string {
	return fmt.Sprintf("Details: %s\nExecution: %s at %s",
		"https://"+cdk.EventField("$.region")+".console.aws.amazon.com/codesuite/codepipeline/pipelines/"+identity.Name+"/view",
		cdk.EventField("$.detail.execution-id"), cdk.EventField("$.time"))
}

// notifyOf tells the topics of the ends of actions that have this detail. EventBridge makes the text, so that no
// function is needed for it.
func notifyOf(scope constructs.Construct, id, description string, to notify.Topics, detail map[string]any, text string) {
	if len(to.All) == 0 {
		return
	}

	// https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
	rule := awsevents.NewRule(scope, jsii.String(id), &awsevents.RuleProps{
		Description: jsii.String(description),
		EventPattern: &awsevents.EventPattern{
			Source:     jsii.Strings("aws.codepipeline"),
			DetailType: jsii.Strings("CodePipeline Action Execution State Change"),
			Detail:     &detail,
		},
	})
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
