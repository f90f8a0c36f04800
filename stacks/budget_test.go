package stacks

import (
	"blog-deploy-pipeline/stacks/props"
	"fmt"
	"testing"
)

func TestBudget(t *testing.T) {
	tmpl := siteTemplate(t, complete)
	budget := at(t, tmpl, only(t, tmpl, "AWS::Budgets::Budget")).(map[string]any)
	equal(t, "budget", budget["Budget"], map[string]any{
		"BudgetType": "COST", "TimeUnit": "MONTHLY",
		"BudgetLimit": map[string]any{"Amount": 10, "Unit": "USD"},
		"CostFilters": map[string]any{"Service": []any{"Amazon CloudFront"}},
	})
	var subscribers []any
	for _, address := range complete.Notifications.Emails {
		subscribers = append(subscribers, map[string]any{"SubscriptionType": "EMAIL", "Address": address})
	}
	subscribers = append(subscribers, map[string]any{"SubscriptionType": "SNS", "Address": complete.Notifications.TopicARN})
	var told []any
	for _, kind := range []string{"ACTUAL", "FORECASTED"} {
		told = append(told, map[string]any{
			"Notification": map[string]any{"NotificationType": kind, "ComparisonOperator": "GREATER_THAN", "Threshold": 100, "ThresholdType": "PERCENTAGE"},
			"Subscribers":  subscribers,
		})
	}
	equal(t, "who is told of what", budget["NotificationsWithSubscribers"], told)

	for _, given := range []props.Blog{bare, tokyo, virginia, elsewhere, open} {
		if n := len(siteTemplate(t, given).OfType("AWS::Budgets::Budget")); n != 0 {
			t.Errorf("%s has %d budgets, want none", given.Name, n)
		}
	}
}

func TestBudgetRefused(t *testing.T) {
	var emails []string
	for i := range 11 {
		emails = append(emails, fmt.Sprintf("reader%d@blog.dev", i))
	}
	for _, tt := range []struct {
		name    string
		dollars int
		tell    props.Notifications
		want    string
	}{
		{"less than nothing", -1, props.Notifications{}, "Site.MonthlyBudget is -1: must be whole US dollars"},
		{"nobody to tell", 10, props.Notifications{}, "Site.MonthlyBudget is 10: has nobody to tell; name someone in Notifications"},
		{"eleven to tell", 10, props.Notifications{Emails: emails}, `Notifications.Emails is "11 addresses": a budget tells at most 10`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			given := withSite(func(s *props.Site) { s.MonthlyBudget = tt.dollars })
			given.Notifications = tt.tell
			wantProblem(t, given.Validate(), tt.want)
		})
	}
	for name, tell := range map[string]props.Notifications{
		"ten":   {Emails: emails[:10], TopicARN: "arn:aws:sns:ap-northeast-1:" + account + ":alerts"},
		"topic": {TopicARN: "arn:aws:sns:ap-northeast-1:" + account + ":alerts"},
	} {
		given := withSite(func(s *props.Site) { s.MonthlyBudget = 1 })
		given.Notifications = tell
		if err := given.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	stockholm := withSite(func(s *props.Site) { s.MonthlyBudget = 10 })
	stockholm.Region, stockholm.Notifications.Emails = "eu-north-1", emails[:1]
	wantProblem(t, stockholm.Validate(), "Site.MonthlyBudget is 10: cannot be set in eu-north-1, where CloudFormation makes no budgets")
	eleven := bare
	eleven.Notifications.Emails = emails
	if err := eleven.Validate(); err != nil {
		t.Errorf("eleven to tell without a budget: %v", err)
	}
}
