package props_test

import (
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

func TestScheduleAccepts(t *testing.T) {
	for _, s := range []props.Schedule{
		{},
		{Expression: "cron(0 6 * * ? *)"},
		{Expression: "cron(0 6 * * ? *)", TimeZone: "Asia/Tokyo"},
		{Expression: "cron(30 7 ? * MON-FRI *)", TimeZone: "America/Argentina/Buenos_Aires"},
		{Expression: "cron(0/15 8-18 ? * 2-6 2026-2199)", TimeZone: "UTC"},
		{Expression: "cron(0,15,30,45 */2 1,15 JAN-MAR,DEC ? 2027/2)", TimeZone: "Etc/GMT+9"},
		{Expression: "cron(15 10 ? * 6L 2027-2199)", TimeZone: "Europe/Berlin"},
		{Expression: "cron(0 0 L * ? *)"},
		{Expression: "cron(0 0 3W * ? *)"},
		{Expression: "cron(0 0 ? * FRI#2 *)"},
		{Expression: "cron(0 0 29 2 ? *)"},
		{Expression: "rate(15 minutes)"},
		{Expression: "rate(1 hour)"},
		{Expression: "rate(7 days)"},
	} {
		given := fixtures.Modern
		given.Schedule = s
		if err := given.Validate(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func TestScheduleRefuses(t *testing.T) {
	const shape = "must be a cron expression, such as cron(0 6 * * ? *), or a rate"
	for _, tt := range []struct {
		name string
		props.Schedule
		want string
	}{
		{"a zone alone", props.Schedule{TimeZone: "Asia/Tokyo"}, `Schedule.TimeZone is "Asia/Tokyo": must be empty: there is no Schedule.Expression`},
		{"Unix's cron", props.Schedule{Expression: "0 6 * * *"}, "must be in cron(…), in the syntax of EventBridge Scheduler, with six fields"},
		{"without cron()", props.Schedule{Expression: "0 6 * * ? *"}, "must be in cron(…)"},
		{"Unix's cron in cron()", props.Schedule{Expression: "cron(0 6 * * *)"}, "must have six fields"},
		{"seconds", props.Schedule{Expression: "cron(0 0 6 * * ? *)"}, "must have six fields"},
		{"two spaces", props.Schedule{Expression: "cron(0  6 * * ? *)"}, "a space between them"},
		{"a space before", props.Schedule{Expression: " cron(0 6 * * ? *)"}, "must be in cron(…)"},
		{"a word", props.Schedule{Expression: "@daily"}, shape},
		{"a date", props.Schedule{Expression: "at(2027-01-01T00:00:00)"}, shape},
		{"no ?", props.Schedule{Expression: "cron(0 6 * * * *)"}, "must have ? for the day of month or for the day of week, and not for both"},
		{"both days", props.Schedule{Expression: "cron(0 6 1 * MON *)"}, "must have ?"},
		{"neither day", props.Schedule{Expression: "cron(0 6 ? * ? *)"}, "must have ?"},
		{"minutes", props.Schedule{Expression: "cron(60 6 * * ? *)"}, `has "60" for the minutes, which must be 0 to 59`},
		{"hours", props.Schedule{Expression: "cron(0 24 * * ? *)"}, `has "24" for the hours, which must be 0 to 23`},
		{"day", props.Schedule{Expression: "cron(0 6 32 * ? *)"}, `has "32" for the day of month`},
		{"month", props.Schedule{Expression: "cron(0 6 1 13 ? *)"}, `has "13" for the month, which must be 1 to 12 or JAN to DEC`},
		{"month in words", props.Schedule{Expression: "cron(0 6 1 January ? *)"}, `has "January" for the month`},
		{"Unix's Sunday", props.Schedule{Expression: "cron(0 6 ? * 0 *)"}, `has "0" for the day of week, which must be 1 to 7 or SUN to SAT`},
		{"steps of weekdays", props.Schedule{Expression: "cron(0 6 ? * 1/2 *)"}, `has "1/2" for the day of week`},
		{"year", props.Schedule{Expression: "cron(0 6 * * ? 1969)"}, `has "1969" for the year`},
		{"? elsewhere", props.Schedule{Expression: "cron(0 ? * * ? *)"}, `has "?" for the hours`},
		{"backwards", props.Schedule{Expression: "cron(0 22-2 * * ? *)"}, `has "22-2" for the hours`},
		{"a step of nothing", props.Schedule{Expression: "cron(0/0 6 * * ? *)"}, `has "0/0" for the minutes`},
		{"a hole", props.Schedule{Expression: "cron(0, 6 * * ? *)"}, `has "0," for the minutes`},
		{"a sign", props.Schedule{Expression: "cron(+5 6 * * ? *)"}, `has "+5" for the minutes`},
		{"the 30th of February", props.Schedule{Expression: "cron(0 6 30 2 ? *)"}, "names a day that none of its months has"},
		{"a year that is over", props.Schedule{Expression: "cron(0 6 * * ? 2020,2021)"}, "would never start the pipeline, because its last year is 2021"},
		{"every minute", props.Schedule{Expression: "cron(* * * * ? *)"}, "would start the pipeline 60 times an hour: start it at most 4 times"},
		{"every ten minutes", props.Schedule{Expression: "cron(0/10 * * * ? *)"}, "would start the pipeline 6 times an hour"},
		{"a fast rate", props.Schedule{Expression: "rate(5 minutes)"}, "must start the pipeline at most 4 times an hour: rate(15 minutes)"},
		{"a rate of one, in plural", props.Schedule{Expression: "rate(1 hours)"}, "must be in singular for one hour, and in plural for several hours"},
		{"a rate of several, in singular", props.Schedule{Expression: "rate(2 hour)"}, "must be in singular for one hour"},
		{"a rate of weeks", props.Schedule{Expression: "rate(1 week)"}, shape},
		{"a rate of nothing", props.Schedule{Expression: "rate(0 hours)"}, shape},
		{"a zone with a rate", props.Schedule{Expression: "rate(1 day)", TimeZone: "Asia/Tokyo"}, "a rate has no time of the day"},
		{"a zone's short name", props.Schedule{Expression: "cron(0 6 * * ? *)", TimeZone: "JST"}, `Schedule.TimeZone is "JST": must be the name of a time zone`},
		{"an offset", props.Schedule{Expression: "cron(0 6 * * ? *)", TimeZone: "+09:00"}, "Schedule.TimeZone"},
		{"a zone in lower case", props.Schedule{Expression: "cron(0 6 * * ? *)", TimeZone: "asia/tokyo"}, "Schedule.TimeZone"},
		{"the machine's zone", props.Schedule{Expression: "cron(0 6 * * ? *)", TimeZone: "Local"}, "Schedule.TimeZone"},
		{"a zone that is a path", props.Schedule{Expression: "cron(0 6 * * ? *)", TimeZone: "../Tokyo"}, "Schedule.TimeZone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			given := fixtures.Modern
			given.Schedule = tt.Schedule
			wantProblem(t, given.Validate(), tt.want)
		})
	}
	given := fixtures.Full // whose pipeline is for tags
	given.Schedule.Expression = "rate(1 day)"
	wantProblem(t, given.Validate(), "cannot be used with Source.Trigger.Tags")
}
