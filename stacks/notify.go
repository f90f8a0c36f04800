package stacks

import (
	"fmt"
	"net/mail"
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	targets "github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	subscriptions "github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Notifications says whom to tell when a stage fails. The text names the blog or
// service, the stage and the reason.
type Notifications struct {
	// Emails get a mail. Each address must confirm its subscription once, by the
	// link in a mail from AWS. Default: none. Example: "me@my.blog".
	Emails []string

	// TopicARN is an existing SNS topic in the pipeline's account and region. Its
	// policy need not change; if it is encrypted with a KMS key of your own, that
	// key's policy must allow the rule's role. Default: none. Example:
	// "arn:aws:sns:us-east-1:123456789012:alerts".
	TopicARN string
}

var topicPattern = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$`)

func (n Notifications) validate(p *problems) {
	for i, address := range n.Emails {
		if slices.Contains(n.Emails[:i], address) {
			p.add(fmt.Sprintf("Notifications.Emails[%d]", i), address, "is there twice; name it once")
		}
	}
	for i, address := range n.Emails {
		if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address {
			p.add(fmt.Sprintf("Notifications.Emails[%d]", i), address, "must be an e-mail address, such as me@example.com")
		}
	}
	if n.TopicARN != "" {
		p.match("Notifications.TopicARN", n.TopicARN, topicPattern, "must be a standard SNS topic's ARN, such as arn:aws:sns:us-east-1:123456789012:alerts")
		p.sameAccount("Notifications.TopicARN", n.TopicARN)
		p.sameRegion("Notifications.TopicARN", n.TopicARN)
	}
}

// newNotifications tells of every action that fails. EventBridge words the text, so
// that no function of ours has to run for it.
func newNotifications(scope constructs.Construct, pipeline awscodepipeline.IPipeline, owner owner, n Notifications) {
	var topics []awssns.ITopic
	if len(n.Emails) > 0 {
		topic := awssns.NewTopic(scope, jsii.String("Failures"), &awssns.TopicProps{
			DisplayName: jsii.String(owner.name), // at most 100 characters
			EnforceSSL:  jsii.Bool(true),
		})
		for _, address := range n.Emails {
			topic.AddSubscription(subscriptions.NewEmailSubscription(jsii.String(address), nil))
		}
		justify(topic, justification{"AwsSolutions-SNS2", "The text holds no secret, and EventBridge cannot publish to a topic encrypted with AWS's own key; another costs 1 USD a month."})
		topics = append(topics, topic)
	}
	if arn := n.TopicARN; arn != "" {
		topics = append(topics, awssns.Topic_FromTopicArn(scope, jsii.String("FailuresElsewhere"), jsii.String(arn)))
	}
	if len(topics) == 0 {
		return
	}

	// https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
	field := func(path string) *string { return awsevents.EventField_FromPath(jsii.String(path)) }
	rule := awsevents.NewRule(scope, jsii.String("ActionFailed"), &awsevents.RuleProps{
		Description: jsii.String("An action of the pipeline " + owner.name + " failed"),
		EventPattern: &awsevents.EventPattern{
			Source:     jsii.Strings("aws.codepipeline"),
			DetailType: jsii.Strings("CodePipeline Action Execution State Change"),
			Detail:     &map[string]any{"pipeline": []*string{pipeline.PipelineName()}, "state": []string{"FAILED"}},
		},
	})
	text := fmt.Sprintf("The %s %s was not delivered: stage %s failed, in its action %s.\nReason: %s (%s)\nDetails: %s\nExecution: %s at %s",
		owner.kind, owner.name,
		*field("$.detail.stage"),
		*field("$.detail.action"),
		*field("$.detail.execution-result.external-execution-summary"),
		*field("$.detail.execution-result.error-code"),
		"https://"+*field("$.region")+".console.aws.amazon.com/codesuite/codepipeline/pipelines/"+owner.name+"/view",
		*field("$.detail.execution-id"),
		*field("$.time"))
	for _, topic := range topics {
		rule.AddTarget(targets.NewSnsTopic(topic, &targets.SnsTopicProps{
			Message: awsevents.RuleTargetInput_FromMultilineText(jsii.String(text)),
			// A role of the rule's own, because an existing topic's policy is not
			// ours to change, and a new one's would let any account's rule publish.
			AuthorizeUsingRole: jsii.Bool(true),
		}))
	}
	// The topic's region and account are compared in Validate, as far as both are known.
	awscdk.Annotations_Of(rule).AcknowledgeWarning(jsii.String("@aws-cdk/aws-events:ruleUnresolvedEnvironment"),
		jsii.String("Notifications.TopicARN is documented to be in the pipeline's account and region"))
}
