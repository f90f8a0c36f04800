package invalidation

import (
	"log/slog"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
)

// Result says how an invalidation ended, as the metrics count it.
type Result struct {
	Failed bool
	// Late is true whether or not the owner lets a late invalidation pass.
	Late bool
	// Took is the time until the invalidation was completed; 0 if it was not.
	Took time.Duration
}

// Metrics returns the attributes that make a log line a set of metrics, in CloudWatch's
// embedded metric format. CloudWatch reads them from the log, so the function makes no
// request and needs no permission.
//
// The dimension is the name of an attribute of the same line, and value is its value.
// Metrics returns an empty attribute if the value is "", because CloudWatch refuses such
// a dimension.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func Metrics(dimension, value string, result Result) slog.Attr {
	if value == "" {
		return slog.Attr{}
	}
	type metric struct {
		Name string
		Unit string
	}
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []metric
	}
	metrics := []metric{{contract.MetricFailed, "Count"}, {contract.MetricLate, "Count"}}
	values := []any{
		slog.Int(contract.MetricFailed, count(result.Failed)),
		slog.Int(contract.MetricLate, count(result.Late)),
	}
	if result.Took > 0 {
		metrics = append(metrics, metric{contract.MetricSeconds, "Seconds"})
		values = append(values, slog.Float64(contract.MetricSeconds, result.Took.Seconds()))
	}
	values = append(values, slog.Any("_aws", struct {
		Timestamp         int64
		CloudWatchMetrics []directive
	}{time.Now().UnixMilli(), []directive{{contract.MetricNamespace, [][]string{{dimension}}, metrics}}}))
	// slog writes the members of a group without a key at the top of the line, where the
	// format needs them.
	return slog.Group("", values...)
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
