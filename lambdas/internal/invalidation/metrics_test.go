package invalidation

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
)

// CloudWatch ignores a line that is not in its format.
func TestMetrics(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewJSONHandler(&out, nil)).With(contract.DimensionBlog, "my-blog")
	log.Info("finished", Metrics(contract.DimensionBlog, "my-blog", Result{Took: 1500 * time.Millisecond}))

	var line map[string]any
	var format struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	if err := errors.Join(json.Unmarshal([]byte(out.String()), &line), json.Unmarshal([]byte(out.String()), &format)); err != nil {
		t.Fatalf("decode %s: %v", out.String(), err)
	}
	for name, want := range map[string]any{contract.DimensionBlog: "my-blog", contract.MetricFailed: 0.0, contract.MetricLate: 0.0, contract.MetricSeconds: 1.5} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v: %s", name, line[name], want, out.String())
		}
	}
	if age := time.Since(time.UnixMilli(format.AWS.Timestamp)); age < 0 || age > time.Minute {
		t.Errorf("Timestamp is %v old, want milliseconds of now", age)
	}
	if len(format.AWS.CloudWatchMetrics) != 1 {
		t.Fatalf("got %d directives, want 1: %s", len(format.AWS.CloudWatchMetrics), out.String())
	}
	want := fmt.Sprintf("{%s [[%s]] [{%s Count} {%s Count} {%s Seconds}]}",
		contract.MetricNamespace, contract.DimensionBlog, contract.MetricFailed, contract.MetricLate, contract.MetricSeconds)
	if got := fmt.Sprint(format.AWS.CloudWatchMetrics[0]); got != want {
		t.Errorf("directive is %s, want %s", got, want)
	}
}

// CloudWatch refuses a dimension whose value is empty.
func TestMetricsNeedAValue(t *testing.T) {
	var out strings.Builder
	slog.New(slog.NewJSONHandler(&out, nil)).Info("finished", Metrics(contract.DimensionBlog, "", Result{Failed: true}))
	if strings.Contains(out.String(), "_aws") {
		t.Errorf("counted without a value: %s", out.String())
	}
}
