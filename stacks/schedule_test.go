package stacks

import (
	"encoding/json"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/iampolicy"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestSchedule(t *testing.T) {
	for _, tt := range []struct {
		props                  props.Blog
		expression, zone, name string
	}{
		{fixtures.Complete, "cron(0 6 * * ? *)", "Asia/Tokyo", "arn:aws:codepipeline:ap-northeast-1:" + fixtures.Account + ":complete"},
		{fixtures.Webhook, "rate(6 hours)", "UTC", "arn:aws:codepipeline:us-east-1:" + fixtures.Account + ":webhook"},
	} {
		tmpl := template(t, tt.props)
		schedule := only(t, tmpl, "AWS::Scheduler::Schedule")
		equal(t, "expression", schedule["ScheduleExpression"], tt.expression)
		equal(t, "zone", schedule["ScheduleExpressionTimezone"], tt.zone)
		equal(t, "window", schedule["FlexibleTimeWindow"], map[string]any{"Mode": "OFF"})
		equal(t, "target", at(t, tmpl, schedule, "Target", "Arn"), tt.name)
		equal(t, "role", at(t, tmpl, schedule, "Target", "RoleArn"), arnOf(t, tmpl, roleID(t, tmpl, "ScheduleRole")))
	}
	if n := len(template(t, fixtures.Modern).OfType("AWS::Scheduler::Schedule")); n != 0 {
		t.Errorf("a blog without a Schedule has %d", n)
	}
}

// TestWhoMayAssumeTheSchedulesRole evaluates Scheduler's request with the role's trust policy.
func TestWhoMayAssumeTheSchedulesRole(t *testing.T) {
	tmpl := template(t, fixtures.Complete)
	id := roleID(t, tmpl, "ScheduleRole")
	trust, err := json.Marshal(at(t, tmpl, tmpl.Resources[id].Properties["AssumeRolePolicyDocument"]))
	if err != nil {
		t.Fatal(err)
	}
	const group = "arn:aws:scheduler:ap-northeast-1:" + fixtures.Account + ":schedule-group/default"
	for _, tt := range []struct {
		name, principal, account, source string
		allowed                          bool
	}{
		{"Scheduler, for this account", "scheduler.amazonaws.com", fixtures.Account, group, true},
		{"Scheduler, for another account", "scheduler.amazonaws.com", "999999999999", strings.Replace(group, fixtures.Account, "999999999999", 1), false},
		{"Scheduler, for another group", "scheduler.amazonaws.com", fixtures.Account, group + "-2", false},
		{"another service", "events.amazonaws.com", fixtures.Account, group, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ask(t, nil, question{iampolicy.Request{
				Principal: tt.principal, Action: "sts:AssumeRole", Resource: arnOf(t, tmpl, id),
				Context:        map[string]string{"aws:SourceAccount": tt.account, "aws:SourceArn": tt.source},
				ResourcePolicy: trust,
			}, tt.allowed})
		})
	}
}
