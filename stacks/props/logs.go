package props

import (
	"cmp"
	"fmt"
	"slices"
)

const (
	defaultLogDays = 30
	// maxAccessLogDays is the ten years that CloudWatch Logs keeps other logs at most.
	maxAccessLogDays = 3653
)

// logRetentionDays are the periods that CloudWatch Logs offers, in days.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var logRetentionDays = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func logDaysWithDefault(days int) int { return cmp.Or(days, defaultLogDays) }

func validateLogDays(p *problems, field string, days int) {
	if !slices.Contains(logRetentionDays, days) {
		p.add(field, days, fmt.Sprintf("must be one of %v days", logRetentionDays))
	}
}

// validateAccessLogDays checks the retention of access logs, which S3 keeps for any number of days.
func validateAccessLogDays(p *problems, days int) {
	if days < 0 || days > maxAccessLogDays {
		p.add("Site.AccessLogRetentionDays", days, fmt.Sprintf("must be from 1 to %d days, or 0 for no logs", maxAccessLogDays))
	}
}
