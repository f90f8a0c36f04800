package invalidation

import (
	"log/slog"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/metrics"
)

// Result says how an invalidation ended, as the metrics count it.
type Result struct {
	Failed bool
	// Late is true whether or not the owner lets a late invalidation pass.
	Late bool
	// Took is the time until the invalidation was completed; 0 if it was not.
	Took time.Duration
}

// Metrics returns the attributes that make a log line count the result, and more; see
// [metrics.Attr].
func Metrics(dimension, of string, result Result, more ...metrics.Metric) slog.Attr {
	all := []metrics.Metric{
		metrics.Count(contract.MetricFailed, count(result.Failed)),
		metrics.Count(contract.MetricLate, count(result.Late)),
	}
	if result.Took > 0 {
		all = append(all, metrics.Seconds(contract.MetricSeconds, result.Took))
	}
	return metrics.Attr(dimension, of, append(all, more...)...)
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
