package stacks

import (
	"fmt"
	"net/mail"
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	targets "github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	subscriptions "github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Notifications says whom to tell when a stage fails. The text names the blog, the
// stage and the reason.
type Notifications struct {
	// Emails get a mail. Each address must confirm its subscription once, by the
	// link in a mail from AWS. Default: none. Example: "me@example.com".
	Emails []string

	// TopicARN is an existing SNS topic, whose policy must let events.amazonaws.com
	// publish to it. Default: none.
	TopicARN string
}

var topicPattern = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$`)

func (n Notifications) validate(p *problems) {
	for i, address := range n.Emails {
		if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address {
			p.add(fmt.Sprintf("Notifications.Emails[%d]", i), address, "must be an e-mail address, such as me@example.com")
		}
	}
	if n.TopicARN != "" {
		p.match("Notifications.TopicARN", n.TopicARN, topicPattern, "must be a standard SNS topic's ARN, such as arn:aws:sns:us-east-1:123456789012:alerts")
	}
}

// newNotifications tells of every action that fails. EventBridge words the text, so
// that no function of ours has to run for it.
func newNotifications(scope constructs.Construct, pipeline awscodepipeline.IPipeline, props BlogProps) {
	var topics []awssns.ITopic
	if len(props.Notifications.Emails) > 0 {
		topic := awssns.NewTopic(scope, jsii.String("Failures"), &awssns.TopicProps{
			DisplayName: jsii.String("Delivery of " + props.Name),
			EnforceSSL:  jsii.Bool(true),
		})
		for _, address := range props.Notifications.Emails {
			topic.AddSubscription(subscriptions.NewEmailSubscription(jsii.String(address), nil))
		}
		justify(topic, justification{"AwsSolutions-SNS2", "The text holds no secret, and EventBridge cannot publish to a topic encrypted with AWS's own key; another costs 1 USD a month."})
		topics = append(topics, topic)
	}
	if arn := props.Notifications.TopicARN; arn != "" {
		topics = append(topics, awssns.Topic_FromTopicArn(scope, jsii.String("FailuresElsewhere"), jsii.String(arn)))
	}
	if len(topics) == 0 {
		return
	}

	// https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
	field := func(path string) *string { return awsevents.EventField_FromPath(jsii.String(path)) }
	rule := awsevents.NewRule(scope, jsii.String("ActionFailed"), &awsevents.RuleProps{
		Description: jsii.String("An action of the pipeline " + props.Name + " failed"),
		EventPattern: &awsevents.EventPattern{
			Source:     jsii.Strings("aws.codepipeline"),
			DetailType: jsii.Strings("CodePipeline Action Execution State Change"),
			Detail:     &map[string]any{"pipeline": []*string{pipeline.PipelineName()}, "state": []string{"FAILED"}},
		},
	})
	text := fmt.Sprintf("The blog %s was not delivered: stage %s failed.\nReason: %s\nDetails: %s\nExecution: %s at %s",
		props.Name,
		*field("$.detail.stage"),
		*field("$.detail.execution-result.external-execution-summary"),
		"https://"+*field("$.region")+".console.aws.amazon.com/codesuite/codepipeline/pipelines/"+props.Name+"/view",
		*field("$.detail.execution-id"),
		*field("$.time"))
	for _, topic := range topics {
		rule.AddTarget(targets.NewSnsTopic(topic, &targets.SnsTopicProps{
			Message: awsevents.RuleTargetInput_FromMultilineText(jsii.String(text)),
		}))
	}
}
