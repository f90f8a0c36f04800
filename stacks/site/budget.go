package site

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbudgets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/props"
)

// newBudget makes a budget that tells the owner when the month's bill for CloudFront has exceeded
// a limit, or is forecast to. It counts what CloudFront costs in the whole account. A tag could
// limit it to one blog, but only after somebody has made it a cost allocation tag by hand; until
// then such a budget would see no costs, and tell nobody.
//
// https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html
func newBudget(scope constructs.Construct, dollars int, notifications props.Notifications) {
	var subscribers []any
	add := func(kind, address string) {
		subscribers = append(subscribers, &awsbudgets.CfnBudget_SubscriberProperty{
			SubscriptionType: jsii.String(kind), Address: jsii.String(address),
		})
	}
	// AWS Budgets sends these mails itself, and needs no confirmation of an address.
	for _, address := range notifications.Emails {
		add("EMAIL", address)
	}
	if notifications.TopicARN != "" {
		add("SNS", notifications.TopicARN)
	}
	var tell []any
	for _, kind := range []string{"ACTUAL", "FORECASTED"} {
		tell = append(tell, &awsbudgets.CfnBudget_NotificationWithSubscribersProperty{
			Notification: &awsbudgets.CfnBudget_NotificationProperty{
				NotificationType:   jsii.String(kind),
				ComparisonOperator: jsii.String("GREATER_THAN"),
				Threshold:          jsii.Number(100),
				ThresholdType:      jsii.String("PERCENTAGE"),
			},
			Subscribers: subscribers,
		})
	}
	// The budget has no name of ours, because a change of its subscribers replaces it.
	awsbudgets.NewCfnBudget(scope, jsii.String("Budget"), &awsbudgets.CfnBudgetProps{
		Budget: &awsbudgets.CfnBudget_BudgetDataProperty{
			BudgetType:  jsii.String("COST"),
			TimeUnit:    jsii.String("MONTHLY"),
			BudgetLimit: &awsbudgets.CfnBudget_SpendProperty{Amount: jsii.Number(dollars), Unit: jsii.String("USD")},
			// The service's name as Cost Explorer spells it.
			CostFilters: map[string][]string{"Service": {"Amazon CloudFront"}},
		},
		NotificationsWithSubscribers: tell,
	})
}
