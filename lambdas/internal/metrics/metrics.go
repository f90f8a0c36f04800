// Package metrics makes a log line a set of metrics, in CloudWatch's embedded metric
// format. CloudWatch reads them from the log, so the function makes no request and needs
// no permission.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
package metrics

import (
	"log/slog"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
)

// Metric is a value under a name of package contract, with CloudWatch's name of its unit.
type Metric struct {
	name, unit string
	value      slog.Value
}

// Count returns a metric of a number.
func Count(name string, n int) Metric { return Metric{name, "Count", slog.IntValue(n)} }

// Bytes returns a metric of a number of bytes.
func Bytes(name string, n int64) Metric { return Metric{name, "Bytes", slog.Int64Value(n)} }

// Seconds returns a metric of a duration.
func Seconds(name string, d time.Duration) Metric {
	return Metric{name, "Seconds", slog.Float64Value(d.Seconds())}
}

// Attr returns the attributes that make a log line a set of metrics.
//
// The dimension is the name of an attribute of the same line, and of is its value. Attr
// returns an empty attribute if of is "", because CloudWatch refuses such a dimension, and
// if there is no metric.
func Attr(dimension, of string, metrics ...Metric) slog.Attr {
	if of == "" || len(metrics) == 0 {
		return slog.Attr{}
	}
	type definition struct {
		Name string
		Unit string
	}
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []definition
	}
	var definitions []definition
	var attrs []slog.Attr
	for _, metric := range metrics {
		definitions = append(definitions, definition{metric.name, metric.unit})
		attrs = append(attrs, slog.Attr{Key: metric.name, Value: metric.value})
	}
	attrs = append(attrs, slog.Any("_aws", struct {
		Timestamp         int64
		CloudWatchMetrics []directive
	}{time.Now().UnixMilli(), []directive{{contract.MetricNamespace, [][]string{{dimension}}, definitions}}}))
	// slog writes the members of a group without a key at the top of the line, where the
	// format needs them.
	return slog.GroupAttrs("", attrs...)
}
