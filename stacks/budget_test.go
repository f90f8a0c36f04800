package stacks

import (
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestBudget(t *testing.T) {
	tmpl := siteTemplate(t, fixtures.Complete)
	budget := at(t, tmpl, only(t, tmpl, "AWS::Budgets::Budget")).(map[string]any)
	equal(t, "budget", budget["Budget"], map[string]any{
		"BudgetType": "COST", "TimeUnit": "MONTHLY",
		"BudgetLimit": map[string]any{"Amount": 10, "Unit": "USD"},
		"CostFilters": map[string]any{"Service": []any{"Amazon CloudFront"}},
	})
	var subscribers []any
	for _, address := range fixtures.Complete.Notifications.Emails {
		subscribers = append(subscribers, map[string]any{"SubscriptionType": "EMAIL", "Address": address})
	}
	subscribers = append(subscribers, map[string]any{"SubscriptionType": "SNS", "Address": fixtures.Complete.Notifications.TopicARN})
	var told []any
	for _, kind := range []string{"ACTUAL", "FORECASTED"} {
		told = append(told, map[string]any{
			"Notification": map[string]any{"NotificationType": kind, "ComparisonOperator": "GREATER_THAN", "Threshold": 100, "ThresholdType": "PERCENTAGE"},
			"Subscribers":  subscribers,
		})
	}
	equal(t, "who is told of what", budget["NotificationsWithSubscribers"], told)

	for _, given := range []props.Blog{fixtures.Bare, fixtures.Tokyo, fixtures.Virginia, fixtures.Elsewhere, fixtures.Open} {
		if n := len(siteTemplate(t, given).OfType("AWS::Budgets::Budget")); n != 0 {
			t.Errorf("%s has %d budgets, want none", given.Name, n)
		}
	}
}
