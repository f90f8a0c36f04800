// Package notify has the SNS topics that tell people of failures and, if they want that, of successes.
package notify

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	cloudwatchactions "github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	subscriptions "github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/cdk"
	"blog-deploy-pipeline/stacks/props"
)

// Topics are where the notifications of one stack go.
type Topics struct {
	// All has no topic, one or two.
	All []awssns.ITopic

	// own is the topic that sends mail; nil without e-mail addresses.
	own awssns.Topic
}

// NewTopics makes a topic that sends mail to the e-mail addresses, and refers to the existing topic
// of TopicARN.
func NewTopics(scope constructs.Construct, identity props.Identity, n props.Notifications) Topics {
	var made Topics
	if len(n.Emails) > 0 {
		made.own = awssns.NewTopic(scope, jsii.String("Failures"), &awssns.TopicProps{
			DisplayName: jsii.String(identity.Name), // at most 100 characters
			EnforceSSL:  jsii.Bool(true),
		})
		for _, address := range n.Emails {
			made.own.AddSubscription(subscriptions.NewEmailSubscription(jsii.String(address), nil))
		}
		cdk.Justify(made.own, cdk.Justification{Rule: "AwsSolutions-SNS2", Reason: "The text holds no secret, and EventBridge cannot publish to a topic encrypted with AWS's own key; another costs 1 USD a month."})
		made.All = append(made.All, made.own)
	}
	if arn := n.TopicARN; arn != "" {
		if *awscdk.Stack_Of(scope).Account() == props.ExampleAccount {
			// The stack is not in the topic's account but in the example account, and the CDK makes
			// no rule for a topic in another account.
			arn = strings.Replace(arn, cdk.AccountOf(arn), props.ExampleAccount, 1)
		}
		made.All = append(made.All, awssns.Topic_FromTopicArn(scope, jsii.String("FailuresElsewhere"), jsii.String(arn)))
	}
	return made
}

// AddAlarm has an alarm tell the topics.
func (t Topics) AddAlarm(alarm awscloudwatch.Alarm) {
	for _, topic := range t.All {
		alarm.AddAlarmAction(cloudwatchactions.NewSnsAction(topic))
	}
	if t.own == nil {
		return
	}
	// EnforceSSL gives the topic a policy, which replaces SNS's default one. That would let the
	// account's alarms publish.
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
	t.own.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{cdk.ServicePrincipal("cloudwatch.amazonaws.com")},
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{t.own.TopicArn()},
		Conditions: &map[string]any{
			"StringEquals": map[string]*string{"aws:SourceAccount": alarm.Stack().Account()},
			"ArnEquals":    map[string]*string{"aws:SourceArn": alarm.AlarmArn()},
		},
	}))
}
