package stacks

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	cloudwatchactions "github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	targets "github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	subscriptions "github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Notifications says whom to tell when a stage of a pipeline fails, and when a
// service's cache was not cleared. The text names the blog or service, and the stage
// and the reason or where the reason is.
type Notifications struct {
	// Emails get a mail. Each address must confirm its subscription once, by the
	// link in a mail from AWS. At most 400, in plain ASCII. Default: none. Example:
	// "me@my.blog".
	Emails []string

	// TopicARN is an existing SNS topic in the stack's account and region. For a
	// pipeline its policy need not change; if it is encrypted with a KMS key of your
	// own, that key's policy must allow the rule's role. For a service's alarm the
	// policy, and such a key's, must let CloudWatch in, as SNS's default policy does.
	// Default: none. Example: "arn:aws:sns:us-east-1:123456789012:alerts".
	TopicARN string
}

const (
	// https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1
	maxLocalPart = 64
	// maxEmails leaves the rest of the 500 resources of a stack to what else is in it.
	maxEmails = 400
)

var topicPattern = arnPattern("sns", `[A-Za-z0-9_-]{1,256}`)

func (n Notifications) validate(p *problems) {
	for i, address := range n.Emails {
		field := fmt.Sprintf("Notifications.Emails[%d]", i)
		switch {
		case !isEmail(address):
			p.add(field, address, "must be an e-mail address in plain ASCII, such as me@example.com")
		case slices.ContainsFunc(n.Emails[:i], func(other string) bool { return strings.EqualFold(constructID(other), constructID(address)) }):
			p.add(field, address, "is there twice (to the CDK, / is --); name it once")
		}
	}
	if len(n.Emails) > maxEmails {
		p.add("Notifications.Emails", fmt.Sprintf("%d addresses", len(n.Emails)), fmt.Sprintf("a stack has room for %d; use a TopicARN with their subscriptions", maxEmails))
	}
	if n.TopicARN != "" && p.arn("Notifications.TopicARN", n.TopicARN, topicPattern, "must be a standard SNS topic's ARN, such as arn:aws:sns:us-east-1:123456789012:alerts") {
		p.sameAccount("Notifications.TopicARN", n.TopicARN)
		p.sameRegion("Notifications.TopicARN", n.TopicARN)
	}
}

// constructID is what the CDK makes of a text that it names a construct by.
func constructID(text string) string { return strings.ReplaceAll(text, "/", "--") }

// isEmail reports whether text is an address that SNS can write to: at a name in DNS,
// without comments and quotes, which SNS refuses, as it does other scripts.
func isEmail(text string) bool {
	parsed, err := mail.ParseAddress(text)
	at := strings.LastIndexByte(text, '@')
	return err == nil && parsed.Address == text && at <= maxLocalPart && !strings.Contains(text, `"`) &&
		headerPattern.MatchString(text) && isDomain(strings.ToLower(text[at+1:]))
}

// topics are where the notifications of one stack go.
type topics struct {
	own awssns.Topic // nil without e-mail addresses
	all []awssns.ITopic
}

// newTopics makes the topic that mails, and finds the one that is there.
func newTopics(scope constructs.Construct, owner owner, n Notifications) topics {
	var made topics
	if len(n.Emails) > 0 {
		made.own = awssns.NewTopic(scope, jsii.String("Failures"), &awssns.TopicProps{
			DisplayName: jsii.String(owner.name), // at most 100 characters
			EnforceSSL:  jsii.Bool(true),
		})
		for _, address := range n.Emails {
			made.own.AddSubscription(subscriptions.NewEmailSubscription(jsii.String(address), nil))
		}
		justify(made.own, justification{rule: "AwsSolutions-SNS2", reason: "The text holds no secret, and EventBridge cannot publish to a topic encrypted with AWS's own key; another costs 1 USD a month."})
		made.all = append(made.all, made.own)
	}
	if arn := n.TopicARN; arn != "" {
		if owner.account == exampleAccount {
			// CDK makes a rule for a topic of the stack's account alone, and fails at others.
			arn = strings.Replace(arn, arnPart(arn, 4), exampleAccount, 1)
		}
		made.all = append(made.all, awssns.Topic_FromTopicArn(scope, jsii.String("FailuresElsewhere"), jsii.String(arn)))
	}
	return made
}

// notifyOfFailures tells of every action of a pipeline that fails. EventBridge words
// the text, so that no function of ours has to run for it.
func notifyOfFailures(scope constructs.Construct, pipeline awscodepipeline.IPipeline, owner owner, to topics) {
	if len(to.all) == 0 {
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
	for _, topic := range to.all {
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

// newHookAlarm tells of a cache that was not cleared: with Proceed the deployment
// itself succeeds, and nobody would know.
func newHookAlarm(stack awscdk.Stack, owner owner, to topics) {
	if len(to.all) == 0 {
		return
	}
	alarm := awscloudwatch.NewAlarm(stack, jsii.String("NotCleared"), &awscloudwatch.AlarmProps{
		AlarmDescription: jsii.String(fmt.Sprintf("CloudFront was not cleared after a deployment of the service %s: visitors may still see the version before. The log of the function %s says why.", owner.name, hookFunctionName(owner.name))),
		Metric: awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
			// As the function writes it.
			Namespace:     jsii.String("BlogDeployPipeline"),
			MetricName:    jsii.String("InvalidationFailed"),
			DimensionsMap: &map[string]*string{"service": jsii.String(owner.name)},
			Statistic:     jsii.String("Sum"),
			Period:        awscdk.Duration_Minutes(jsii.Number(5)),
		}),
		Threshold:          jsii.Number(1),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		EvaluationPeriods:  jsii.Number(1),
		// Nothing is counted while nothing is deployed.
		TreatMissingData: awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
	to.addAlarm(stack, alarm)
}

// addAlarm lets an alarm tell the topics.
func (t topics) addAlarm(stack awscdk.Stack, alarm awscloudwatch.Alarm) {
	for _, topic := range t.all {
		alarm.AddAlarmAction(cloudwatchactions.NewSnsAction(topic))
	}
	if t.own == nil {
		return
	}
	// The policy that refuses plain HTTP has replaced SNS's default one, which lets
	// the account's alarms in.
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
	t.own.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{t.own.TopicArn()},
		Conditions: &map[string]any{
			"StringEquals": map[string]*string{"aws:SourceAccount": stack.Account()},
			"ArnEquals":    map[string]*string{"aws:SourceArn": alarm.AlarmArn()},
		},
	}))
}
