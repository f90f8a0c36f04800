package props

import (
	"fmt"
	"slices"
)

// maxBudgetEmails limits the addresses of one notification of a budget. It may also have one SNS topic.
// https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Notification.html
const maxBudgetEmails = 10

func validateMonthlyBudget(p *problems, dollars int, notifications Notifications) {
	const field = "Site.MonthlyBudget"
	switch {
	case dollars < 0:
		p.add(field, dollars, "must be whole US dollars, or 0 for no budget")
	case dollars == 0:
	case slices.Contains(withoutBudgets, p.of.Region):
		p.add(field, dollars, "cannot be set in "+p.of.Region+", where CloudFormation cannot create budgets: leave it out, and create the budget in the console")
	case notifications.isNobody():
		p.add(field, dollars, nobodyToTell)
	case len(notifications.Emails) > maxBudgetEmails:
		p.add("Notifications.Emails", fmt.Sprintf("%d addresses", len(notifications.Emails)), fmt.Sprintf("a budget tells at most %d: use a TopicARN with their subscriptions", maxBudgetEmails))
	}
}
