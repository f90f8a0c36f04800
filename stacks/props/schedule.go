package props

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Schedule starts a blog's pipeline at certain times, by EventBridge Scheduler, so that posts with a date in
// the future are published when their time has come. Such an execution reads the newest commit of the
// source's Branch, whatever the filters of its Trigger are, and clears CloudFront's cache like any other.
// If the pipeline is running, the execution waits, as ExecutionMode says of a push. Scheduler itself costs
// nothing here (14 million calls a month are free); an execution costs as much as one after a push.
type Schedule struct {
	// Expression says when, in the syntax of EventBridge Scheduler, at most four times an hour: "cron(MINUTES
	// HOURS DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR)", with "?" for one of the two days, or "rate(VALUE UNIT)".
	// Default: none, only pushes start the pipeline. Example: "cron(0 6 * * ? *)", every day at six.
	// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
	Expression string

	// TimeZone is the time zone of a cron expression, by its name in the IANA's list. Daylight saving time is
	// observed. Default: "UTC". Example: "Asia/Tokyo".
	TimeZone string
}

// mostAnHour limits the costs of a mistake: each execution takes minutes of CodePipeline and CodeBuild.
const mostAnHour = 4

var (
	cronPattern     = regexp.MustCompile(`^cron\((.*)\)$`)
	ratePattern     = regexp.MustCompile(`^rate\(([1-9][0-9]{0,4}) (minute|hour|day)(s?)\)$`)
	timeZonePattern = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`)
)

// withDefaults returns these props with every default in its field.
func (s Schedule) withDefaults() Schedule {
	if s.Expression != "" {
		s.TimeZone = cmp.Or(s.TimeZone, "UTC")
	}
	return s
}

func (s Schedule) validate(p *problems, source Source) {
	if s.Expression == "" {
		p.empty("Schedule.TimeZone", s.TimeZone, "there is no Schedule.Expression. Set that, too")
		return
	}
	if problem := s.problem(); problem != "" {
		p.add("Schedule.Expression", s.Expression, problem)
	}
	if s.TimeZone != "" && !isZone(s.TimeZone) {
		p.add("Schedule.TimeZone", s.TimeZone, `must be the name of a time zone in the IANA's list, such as "Asia/Tokyo" or "Europe/Berlin"`)
	} else if s.TimeZone != "" && ratePattern.MatchString(s.Expression) {
		p.add("Schedule.TimeZone", s.TimeZone, "must be empty: a rate has no time of the day. Write a cron expression, or leave this out")
	}
	if connection, ok := source.(GitHubConnection); ok && len(connection.Trigger.Tags) > 0 {
		p.add("Schedule.Expression", s.Expression, "cannot be used with Source.Trigger.Tags: at such a time, CodePipeline reads the newest commit of the Branch, which may have no tag yet. Remove one of them")
	}
}

// isZone returns whether Go knows a time zone, and so Scheduler should.
func isZone(name string) bool {
	if !timeZonePattern.MatchString(name) || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// problem returns what is wrong with the expression, or "".
func (s Schedule) problem() string {
	if rate := ratePattern.FindStringSubmatch(s.Expression); rate != nil {
		value, _ := strconv.Atoi(rate[1])
		switch {
		case (value == 1) != (rate[3] == ""):
			return fmt.Sprintf("must be in singular for one %s, and in plural for several %ss, such as rate(1 hour) and rate(2 hours)", rate[2], rate[2])
		case rate[2] == "minute" && value < 60/mostAnHour:
			return fmt.Sprintf("must start the pipeline at most %d times an hour: rate(%d minutes)", mostAnHour, 60/mostAnHour)
		}
		return ""
	}
	if cron := cronPattern.FindStringSubmatch(s.Expression); cron != nil {
		return cronProblem(cron[1], time.Now().Year())
	}
	if n := len(strings.Fields(s.Expression)); n == 5 || n == 6 {
		return "must be in cron(…), in the syntax of EventBridge Scheduler, with six fields, such as cron(0 6 * * ? *)"
	}
	return "must be a cron expression, such as cron(0 6 * * ? *), or a rate, such as rate(6 hours)"
}

// cronField describes what a field of a cron expression may contain.
type cronField struct {
	name       string
	low, high  int
	names      []string       // in place of the numbers from low
	special    *regexp.Regexp // what else may stand alone
	increments bool
}

// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
var cronFields = []cronField{
	{name: "minutes", low: 0, high: 59, increments: true},
	{name: "hours", low: 0, high: 23, increments: true},
	{name: "day of month", low: 1, high: 31, increments: true, special: regexp.MustCompile(`^(\?|L|([1-9]|[12][0-9]|3[01])W)$`)},
	{name: "month", low: 1, high: 12, increments: true, names: strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")},
	{name: "day of week", low: 1, high: 7, names: strings.Fields("SUN MON TUE WED THU FRI SAT"), special: regexp.MustCompile(`^(\?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5]))$`)},
	{name: "year", low: 1970, high: 2199, increments: true},
}

// cronProblem returns what is wrong with the fields of a cron expression in a year, or "".
func cronProblem(text string, year int) string {
	fields := strings.Split(text, " ")
	if len(fields) != len(cronFields) || slices.Contains(fields, "") {
		return "must have six fields with a space between them: minutes, hours, day of month, month, day of week, year, such as cron(0 6 * * ? *)"
	}
	values := make([][]int, len(fields)) // nil for a special value
	for i, field := range cronFields {
		if field.special != nil && field.special.MatchString(fields[i]) {
			continue
		}
		var ok bool
		if values[i], ok = field.parse(fields[i]); !ok {
			return fmt.Sprintf("has %q for the %s, which must be %s", fields[i], field.name, field.want())
		}
	}
	if day, weekday := fields[2] == "?", fields[4] == "?"; day == weekday {
		return "must have ? for the day of month or for the day of week, and not for both, such as cron(0 6 * * ? *)"
	}
	if n := len(values[0]); n > mostAnHour {
		return fmt.Sprintf("would start the pipeline %d times an hour: start it at most %d times, with cron(0/%d * * * ? *) for example", n, mostAnHour, 60/mostAnHour)
	}
	if days := values[2]; len(days) > 0 && !slices.ContainsFunc(values[3], func(month int) bool { return days[0] <= daysOf(month) }) {
		return "names a day that none of its months has: choose another day or month"
	}
	if last := slices.Max(values[5]); last < year {
		return fmt.Sprintf("would never start the pipeline, because its last year is %d: use * for the year", last)
	}
	return ""
}

// daysOf returns the largest number of days of a month.
func daysOf(month int) int {
	return time.Date(2000, time.Month(month+1), 0, 0, 0, 0, 0, time.UTC).Day() // a leap year
}

func (f cronField) want() string {
	want := fmt.Sprintf("%d to %d", f.low, f.high)
	if f.names != nil {
		want += fmt.Sprintf(" or %s to %s", f.names[0], f.names[len(f.names)-1])
	}
	return want + ", or several, as in a-b and a,b, or *"
}

// parse returns the values that a field names, in ascending order.
func (f cronField) parse(text string) (values []int, ok bool) {
	for item := range strings.SplitSeq(text, ",") {
		span, by, stepped := strings.Cut(item, "/")
		step := 1
		if stepped {
			var err error
			if step, err = strconv.Atoi(by); err != nil || step < 1 || step > f.high || !f.increments {
				return nil, false
			}
		}
		first, last := f.low, f.high
		if span != "*" {
			from, to, isRange := strings.Cut(span, "-")
			if first, ok = f.number(from); !ok {
				return nil, false
			}
			switch {
			case isRange:
				if last, ok = f.number(to); !ok || last < first {
					return nil, false
				}
			case !stepped:
				last = first
			}
		}
		for value := first; value <= last; value += step {
			values = append(values, value)
		}
	}
	slices.Sort(values)
	return slices.Compact(values), true
}

func (f cronField) number(text string) (int, bool) {
	if i := slices.Index(f.names, text); i >= 0 {
		return f.low + i, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= f.low && n <= f.high && text == strings.TrimLeft(text, "+-")
}
