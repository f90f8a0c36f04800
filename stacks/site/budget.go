package site

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbudgets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/stacks/props"
)

// newBudget tells of a CloudFront bill that has passed the owner's limit, or is
// forecast to. It is the account's bill: by a tag it could be the blog's alone, but a
// tag counts only once somebody has made it a cost allocation tag by hand, and until
// then such a budget sees no costs, and never tells anybody.
//
// https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html
func newBudget(scope constructs.Construct, dollars int, notifications props.Notifications) {
	var subscribers []any
	add := func(kind, address string) {
		subscribers = append(subscribers, &awsbudgets.CfnBudget_SubscriberProperty{
			SubscriptionType: jsii.String(kind), Address: jsii.String(address),
		})
	}
	// The mails come from AWS Budgets itself: no address has to confirm anything.
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
	// Without a name: whom to tell can change only by replacing the budget.
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
