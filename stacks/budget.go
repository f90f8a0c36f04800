package stacks

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbudgets"
	"github.com/aws/jsii-runtime-go"
)

// maxBudgetEmails is for one notification of a budget; one SNS topic may come on top.
// https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Notification.html
const maxBudgetEmails = 10

// noBudgets are the regions where CloudFormation does not know AWS::Budgets::Budget, as
// of cfn-lint 1.58: there it refuses the whole template, and with it the Site.
// https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2177
var noBudgets = []string{
	"af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-3", "ap-south-2", "ap-southeast-3", "ap-southeast-4",
	"ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-north-1", "eu-south-1",
	"eu-south-2", "il-central-1", "me-central-1", "mx-central-1",
}

func validateMonthlyBudget(p *problems, dollars int, notifications Notifications) {
	const field = "Site.MonthlyBudget"
	switch {
	case dollars < 0:
		p.add(field, dollars, "must be whole US dollars, or 0 for no budget")
	case dollars == 0:
	case slices.Contains(noBudgets, p.owner.region):
		p.add(field, dollars, "cannot be set in "+p.owner.region+", where CloudFormation makes no budgets; leave it out, and make one in the console")
	case len(notifications.Emails) == 0 && notifications.TopicARN == "":
		p.add(field, dollars, "has nobody to tell; name someone in Notifications")
	case len(notifications.Emails) > maxBudgetEmails:
		p.add("Notifications.Emails", fmt.Sprintf("%d addresses", len(notifications.Emails)), fmt.Sprintf("a budget tells at most %d; use a TopicARN with their subscriptions", maxBudgetEmails))
	}
}

// newBudget tells of a CloudFront bill that has passed the owner's limit, or is
// forecast to. It is the account's bill: by a tag it could be the blog's alone, but a
// tag counts only once somebody has made it a cost allocation tag by hand, and until
// then such a budget sees no costs, and never tells anybody.
//
// https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html
func newBudget(stack awscdk.Stack, dollars int, notifications Notifications) {
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
	awsbudgets.NewCfnBudget(stack, jsii.String("Budget"), &awsbudgets.CfnBudgetProps{
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
