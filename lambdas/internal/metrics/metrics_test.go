package metrics

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
func TestAttr(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewJSONHandler(&out, nil)).With(contract.DimensionBlog, "my-blog")
	log.Info("finished", Attr(contract.DimensionBlog, "my-blog", Count("Files", 3), Bytes("Size", 5<<30), Seconds("Took", 1500*time.Millisecond)))

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
	for name, want := range map[string]any{contract.DimensionBlog: "my-blog", "Files": 3.0, "Size": float64(5 << 30), "Took": 1.5} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v: %s", name, line[name], want, out.String())
		}
	}
	if age := time.Since(time.UnixMilli(format.AWS.Timestamp)); age < 0 || age > time.Minute {
		t.Errorf("Timestamp is %v old, want milliseconds of now", age)
	}
	want := fmt.Sprintf("[{%s [[%s]] [{Files Count} {Size Bytes} {Took Seconds}]}]", contract.MetricNamespace, contract.DimensionBlog)
	if got := fmt.Sprint(format.AWS.CloudWatchMetrics); got != want {
		t.Errorf("directives are %s, want %s", got, want)
	}
}

// CloudWatch refuses a dimension whose value is empty, and a directive without a metric.
func TestAttrNeedsValues(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("finished", Attr(contract.DimensionBlog, "", Count("Files", 1)))
	log.Info("finished", Attr(contract.DimensionBlog, "my-blog"))
	if strings.Contains(out.String(), "_aws") {
		t.Errorf("counted without a value: %s", out.String())
	}
}
