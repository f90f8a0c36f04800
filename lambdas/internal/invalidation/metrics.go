package invalidation

import (
	"log/slog"
	"time"
)

// MetricNamespace and the metric names are a contract with the owner's alarms.
const (
	MetricNamespace = "BlogDeployPipeline"
	// MetricFailed is 1 for an invalidation that failed, and 0 for one that did not.
	// Nothing is sent between deployments: alarms treat missing data as not breaching.
	MetricFailed = "InvalidationFailed"
	// MetricLate is 1 for an invalidation that missed its deadline.
	MetricLate = "InvalidationLate"
	// MetricSeconds is the time from the first call to Completed.
	MetricSeconds = "InvalidationSeconds"
)

// Result is what [Metrics] counts of an invalidation that has ended.
type Result struct {
	Failed bool
	// Late is set whether or not the owner lets a late invalidation pass.
	Late bool
	// Took is the time to Completed; 0 if it was not completed.
	Took time.Duration
}

// Counting returns a logger whose next line counts a result under the value of a
// dimension, which is an attribute of the logger. Without a value there is nothing to
// count it under.
func Counting(log *slog.Logger, dimension, value string, result Result) *slog.Logger {
	if value == "" {
		return log
	}
	return log.With(Metrics(dimension, result))
}

// Metrics returns the attributes that make a log line a set of metrics, in
// CloudWatch's embedded metric format: CloudWatch reads them from the log, so that
// the function makes no request and needs no permission. dimension names an
// attribute of the same line whose value is a string that is not empty.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func Metrics(dimension string, result Result) slog.Attr {
	type metric struct {
		Name string
		Unit string
	}
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []metric
	}
	metrics := []metric{{MetricFailed, "Count"}, {MetricLate, "Count"}}
	values := []any{
		slog.Int(MetricFailed, count(result.Failed)),
		slog.Int(MetricLate, count(result.Late)),
	}
	if result.Took > 0 {
		metrics = append(metrics, metric{MetricSeconds, "Seconds"})
		values = append(values, slog.Float64(MetricSeconds, result.Took.Seconds()))
	}
	values = append(values, slog.Any("_aws", struct {
		Timestamp         int64
		CloudWatchMetrics []directive
	}{time.Now().UnixMilli(), []directive{{MetricNamespace, [][]string{{dimension}}, metrics}}}))
	// A group without a key is inlined: the format wants its members at the top.
	return slog.Group("", values...)
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
