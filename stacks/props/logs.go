package props

import (
	"cmp"
	"fmt"
	"slices"
)

const defaultLogDays = 30

// LogRetentionDays are the periods that CloudWatch Logs offers, in days.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var LogRetentionDays = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func logDaysWithDefault(days int) int { return cmp.Or(days, defaultLogDays) }

func validateLogDays(p *Problems, field string, days int) {
	if !slices.Contains(LogRetentionDays, days) {
		p.add(field, days, fmt.Sprintf("must be one of %v", LogRetentionDays))
	}
}
